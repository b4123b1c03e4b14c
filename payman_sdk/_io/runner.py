"""The door for threads: carries flows out with an `httpx.Client`. `async_doors.py` has the other one."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from inspect import isawaitable, iscoroutine
from typing import Any, TypeVar, assert_never, cast

import httpx

from payman_sdk._core.effects import (
    Alone,
    Call,
    Consult,
    Ended,
    Flow,
    Notify,
    Read,
    Send,
    Sleep,
    Step,
    Tell,
    interrupt,
    result_of,
)
from payman_sdk._core.request_target import unwatched
from payman_sdk._core.transmission import Transmission
from payman_sdk._io.clock import monotonic
from payman_sdk._io.deadlines import within
from payman_sdk._io.decompression import BoundedBody
from payman_sdk._io.failures import (
    Outcome,
    answer_of,
    may_have_left,
    outcome_of,
    reading_failure,
)
from payman_sdk._io.http import (
    Patience,
    Punctual,
    check_usable,
    is_event_stream,
    prepare_request,
    timeout_of,
    whole,
    without_echo,
)
from payman_sdk._io.locks import ThreadLock, Ticket, held_by_ticket
from payman_sdk._io.streams import Line
from payman_sdk._io.tracebacks import forget_frames, shorten_traceback
from payman_sdk._io.transport_info import Knowledge, knowledge_of
from payman_sdk.errors import ConfigurationError

T = TypeVar("T")

log = logging.getLogger("payman_sdk")


class Door:
    """Carries flows out with an `httpx.Client`; safe to use from several threads at once.

    Args:
        http: The connections.
        base_url: The server that requests without one of their own go to.
        patience: The limits of one request.
        clock: Seconds that only go forward.
        sleep: Waits so many seconds.
        max_answer_bytes: How large an answer may be, decompressed.
    """

    def __init__(
        self,
        http: httpx.Client,
        base_url: str,
        patience: Patience,
        clock: Callable[[], float] = monotonic,
        sleep: Callable[[float], None] = time.sleep,
        max_answer_bytes: int = 64 * 1024 * 1024,
    ) -> None:
        self._http = http
        self._base_url = base_url
        self._patience = patience
        self._clock = clock
        self._sleep = sleep
        self._max_answer_bytes = max_answer_bytes
        self._lock = ThreadLock()

    def run(self, flow: Flow[T], describe: Callable[[BaseException], object] | None = None) -> T:
        """Runs a flow that tells nothing to its end and returns what it returns.

        Args:
            flow: The flow.
            describe: Called with what is raised, also when the flow has ended and is being closed.
        """
        line = Line()
        try:
            try:
                return result_of(self.advance(flow, line))
            finally:
                flow.close()
                line.close()
        except BaseException as error:
            if describe is not None:
                describe(error)
            raise

    def _known(self) -> Knowledge:
        return knowledge_of(self._http, self._base_url)

    def advance(self, flow: Flow[T], line: Line) -> Tell | Ended[T]:
        """Runs a flow until it tells something or ends; a failure of a step is the flow's to handle.

        What a hook raises is its own, and no flow may take it for a failure of what was asked: it comes out at once. So does
        what interrupts, when the flow has taken note of it.
        """
        try:
            return self._advance(flow, line)
        except BaseException as error:
            if not isinstance(error, Exception):
                for step in interrupt(flow, error):
                    self._notify(step)
            shorten_traceback(error)
            raise

    def _advance(self, flow: Flow[T], line: Line) -> Tell | Ended[T]:
        outcome: Any = None
        failure: Exception | None = None
        while True:
            try:
                # Thrown out here, a failure is no context of what the flow raises in its place.
                step = flow.send(outcome) if failure is None else flow.throw(failure)
            except StopIteration as end:
                return Ended(end.value)
            if isinstance(step, Tell):
                return step
            outcome, failure = None, None
            try:
                outcome = self._do(step, line)
            except Exception as error:
                if isinstance(step, Consult):
                    raise
                failure = error

    def _do(self, step: Step, line: Line) -> Any:
        match step:
            case Send():
                return self._exchange(step, line)
            case Read(until):
                return self._read(line, until)
            case Tell():
                raise AssertionError("only who advances a flow is told something")
            case Sleep(seconds):
                return self._sleep(seconds)
            case Call(function):
                return function()
            case Consult(function, about):
                return _not_awaited(function(about))
            case Notify():
                return self._notify(step)
            case Alone():
                return self._alone(step)
            case unheard:
                assert_never(unheard)

    def _alone(self, step: Alone) -> Any:
        ticket, lock = Ticket(), held_by_ticket(step.lock or self._lock)
        with ticket.held:
            try:
                if lock.take(ticket, timeout=max(0.0, step.until - self._clock())):
                    return self.run(step.flow)
                return None
            finally:
                lock.drop(ticket)

    def _notify(self, step: Notify) -> None:
        try:
            _not_awaited(step.function(step.about))
        except Exception as error:
            log.warning("A hook failed while an ask was interrupted: %s", type(error).__name__)

    def _exchange(self, step: Send, line: Line) -> httpx.Response:
        transmission = step.transmission or Transmission()
        transmission.sent, transmission.max_bytes = False, self._max_answer_bytes
        line.close()
        check_usable(self._http)
        now = self._clock()
        until = step.until(now, self._patience.read)
        timeout = timeout_of(self._patience, until - now, step.patience)
        request = prepare_request(self._http, step.request, self._base_url, timeout, transmission.note)
        # From here on, whatever is raised may come after sending.
        transmission.sent, handled = True, sys.exception()
        try:
            with within(until - now), unwatched(request):
                outcome: Outcome = self._answer(request, line, until, is_stream=step.is_stream)
        except Exception as error:
            outcome = outcome_of(error, transmission, request, self._known())
        except BaseException as error:
            transmission.sent = may_have_left(error, transmission, request, self._known())
            forget_frames(error, handled)
            raise
        finally:
            del request  # a traceback with locals would show its address
        return answer_of(outcome, transmission)

    def _answer(self, request: httpx.Request, line: Line, until: float, *, is_stream: bool) -> httpx.Response:
        answer = self._http.send(request, stream=True, follow_redirects=False, auth=None)
        reading = line if is_stream and is_event_stream(answer) else Line()
        reading.keep(answer)
        is_open = False
        try:
            if reading is not line:
                answer.stream = Punctual(cast("httpx.SyncByteStream", answer.stream), until, self._clock)
            reading.open()
            if reading is line:
                answer.extensions.pop("reason_phrase", None)
                is_open = True
                return answer
            body = BoundedBody(answer.headers, self._max_answer_bytes)
            while (piece := reading.read()) is not None:
                body.add(piece)
                if self._clock() > until:
                    raise httpx.ReadTimeout("the answer was not complete at the deadline")
            return without_echo(whole(answer, body.content()))
        finally:
            if not is_open:
                reading.close()

    def _read(self, line: Line, until: float) -> bytes | None:
        handled = sys.exception()
        try:
            with within(until - self._clock()):
                return line.read()
        except Exception as error:
            failure = reading_failure(error, self._known())
        except BaseException as error:
            forget_frames(error, handled)
            raise
        raise failure


def _not_awaited(returned: Any) -> Any:
    if isawaitable(returned):
        if iscoroutine(returned):
            returned.close()
        raise ConfigurationError(
            "A hook is a coroutine function, which nobody would await.",
            next_step="Give a function, or use AsyncPaymanClient.",
        )
    return returned
