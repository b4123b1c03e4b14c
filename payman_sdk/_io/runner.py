"""What both runners share, and the runner for threads."""

from __future__ import annotations

import contextlib
import logging
import math
import sys
import time
import weakref
from collections.abc import Callable, Mapping
from functools import partial
from inspect import isawaitable, iscoroutine
from typing import TYPE_CHECKING, Any, TypeVar, assert_never, cast

import httpcore

from payman_sdk._core import effects
from payman_sdk._core.http import HTTPResponse, Transmission, is_event_stream
from payman_sdk._core.requests import Described
from payman_sdk._io import failures, streams
from payman_sdk._io.clock import monotonic
from payman_sdk._io.failure_messages import TransportInfo, get_transport_info
from payman_sdk._io.http import OwnConnections, Timeouts, check_usable, limit_request, prepare_request
from payman_sdk._io.locks import LockHolder, ThreadLock, adapt_lock
from payman_sdk._io.pool import deadline_scope
from payman_sdk._io.routes import suppress_instrumentation
from payman_sdk._io.streams import OpenResponse, OpenStream, Outcome
from payman_sdk._io.token_store_access import limit_time
from payman_sdk._refusals import refuse_coroutine

if TYPE_CHECKING:
    from payman_sdk._io.http import AnyRequest

T = TypeVar("T")

log = logging.getLogger("payman_sdk")


class BaseRunner:
    """Carries flows out, for threads or for tasks. Without connections, as for a toolkit, flows send nothing."""

    _usual_sleep: Callable[[float], Any]
    _hurry = 0.0
    """The share of the time to keep back while a request waits for a free connection."""

    def __init__(
        self,
        http: Any = None,
        base_url: str = "",
        patience: Timeouts = Timeouts(math.inf, math.inf),  # noqa: B008 (it is immutable)
        clock: Callable[[], float] = monotonic,
        sleep: Callable[[float], Any] | None = None,
        max_answer_bytes: int = 64 * 1024 * 1024,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._http, self._base_url, self._patience, self._clock = http, base_url, patience, clock
        self._sleep = self._usual_sleep if sleep is None else sleep
        self._max_answer_bytes = max_answer_bytes
        self._is_guarded = isinstance(http, OwnConnections) and http.way.sends_itself
        self._headers = headers or {}
        self._set_up()

    def _set_up(self) -> None:
        """Make what this kind of runner needs beside its settings."""
        raise NotImplementedError

    def _perform(self, step: effects.Effect, line: Any) -> Any:
        """Carry one step out; for tasks, return what is to be awaited."""
        own: Any = self
        match step:
            case effects.SendRequest():
                return own._send_request(step, line)
            case effects.ReadChunk(until):
                return own._read_chunk(line, until)
            case effects.Emit():
                raise AssertionError("only advance() returns events")
            case effects.Sleep(seconds):
                return self._sleep(seconds)
            case effects.CallBlocking():
                return own._call_blocking(step)
            case effects.Invoke(function):
                return own._invoke(function)
            case effects.CallHook(function, about):
                return own._call_hook(function, about)
            case effects.NotifyHook():
                return own._notify_hook(step)
            case effects.WithLock():
                return own._run_with_lock(step)
            case unlisted:
                assert_never(unlisted)

    def _begin(self, step: effects.SendRequest) -> Transmission:
        """Return what notes how far a request comes: so far, nothing was sent."""
        transmission = step.transmission or Transmission()
        transmission.sent, transmission.max_bytes = False, self._max_answer_bytes
        transmission.is_guarded = self._is_guarded
        return transmission

    def _prepare_request(
        self, step: effects.SendRequest, transmission: Transmission, report: Callable[..., Any]
    ) -> tuple[Any, AnyRequest, float, float]:
        """Return what sends a request, the request, its deadline, and the seconds until then."""
        check_usable(self._http)
        http, build = self._choose_sender()
        now = self._clock()
        until, timeout = limit_request(step, now, self._patience, hurry=self._hurry)
        request = prepare_request(build, step.request, self._base_url, timeout, report, self._headers)
        # From here on, whatever is raised may come after sending.
        transmission.sent = True
        return http, request, until, until - now

    def _choose_sender(self) -> tuple[Any, Callable[..., AnyRequest]]:
        """Return what sends the next request, and what builds it."""
        is_own = isinstance(self._http, OwnConnections)
        if is_own and not self._http.is_watched():
            return self._http, self._http.build_request
        from payman_sdk._io.given_client import build_for

        http = self._http.as_httpx() if is_own else self._http
        return http, partial(build_for, http, is_own=is_own)

    def _get_transport_info(self) -> TransportInfo:
        return get_transport_info(self._http)


class SyncRunner(BaseRunner):
    """Carries flows out with own connections or an `httpx.Client`; safe to use from several threads at once."""

    _usual_sleep = staticmethod(time.sleep)

    def _set_up(self) -> None:
        self._lock = ThreadLock()
        self._guard: streams.Guard = contextlib.nullcontext
        self._call_handlers: Callable[[], None] | None = None
        # The client's own connections bear interrupts.
        if self._http is not None and not self._is_guarded:
            from payman_sdk._io.signals import call_handlers, defer_signals

            self._guard, self._call_handlers = defer_signals, call_handlers
        self._streams: dict[OpenResponse, weakref.ref[OpenStream]] = {}

    def run(self, flow: effects.Flow[T], describe: Callable[[BaseException], object] | None = None) -> T:
        """Run a flow that emits no events, and return its result. `describe` gets any exception, also when the flow is closed."""
        line = OpenStream()
        with Described(describe):
            try:
                end = self.advance(flow, line)
                assert not isinstance(end, effects.Emit), "a flow that emits events must be advanced"  # noqa: S101 (a fault of the SDK's own)
                return end.result
            finally:
                flow.close()
                line.close()

    def advance(self, flow: effects.Flow[T], line: OpenStream) -> effects.Emit | effects.FlowResult[T]:
        """Run a flow until it emits something or ends; the flow handles the failure of a step.

        What a hook raises comes out at once, and so does an interruption when the flow has noted it: no flow may take either for a
        failure.
        """
        outcome: Any = None
        failure: Exception | None = None
        try:
            while True:
                try:
                    # Thrown out here, a failure does not become the context of what the flow raises instead.
                    step = flow.send(outcome) if failure is None else flow.throw(failure)
                except StopIteration as end:
                    return effects.FlowResult(end.value)
                if isinstance(step, effects.Emit):
                    return step
                outcome, failure = None, None
                try:
                    outcome = self._perform(step, line)
                except Exception as error:
                    if isinstance(step, effects.CallHook):
                        raise
                    failure = error
        except BaseException as error:
            if not isinstance(error, Exception):
                for notice in effects.interrupt(flow, error):
                    self._notify_hook(notice)
            failures.shorten_traceback(error)
            raise

    def _call_blocking(self, step: effects.CallBlocking) -> Any:
        return limit_time(step.deadline - self._clock())(step.function)()

    def _invoke(self, function: Callable[[], Any]) -> Any:
        return _refuse_awaitable(function(), "confirm", "PaymanToolkit")

    def _call_hook(self, function: Callable[[Any], Any], about: Any) -> Any:
        return _refuse_awaitable(function(about))

    def _run_with_lock(self, step: effects.WithLock) -> Any:
        ticket, lock = LockHolder(), adapt_lock(step.lock or self._lock)
        with ticket.held:
            try:
                is_taken = lock.take(ticket, timeout=max(0.0, step.until - self._clock()))
                return self.run(step.flow) if is_taken else None
            finally:
                lock.drop(ticket)

    def _notify_hook(self, step: effects.NotifyHook) -> None:
        try:
            _refuse_awaitable(step.function(step.about))
        except Exception as error:
            log.warning("A hook failed while an ask was interrupted: %s", type(error).__name__)

    def _send_request(self, step: effects.SendRequest, line: OpenStream) -> HTTPResponse:
        transmission = self._begin(step)
        line.close()
        http, request, until, seconds = self._prepare_request(step, transmission, transmission.note)
        handled = sys.exception()
        try:
            with self._guard(), deadline_scope(seconds), suppress_instrumentation(step.request):
                outcome: Outcome = self._read_response(http, request, line, until, is_stream=step.is_stream)
        except Exception as error:
            outcome = failures.classify_exception(error, transmission, request, self._get_transport_info())
        except BaseException as error:
            transmission.sent = failures.may_have_left(
                error, transmission, request, self._get_transport_info()
            )
            failures.forget_frames(error, handled)
            raise
        finally:
            del request  # a traceback with locals would show its address
        return streams.unwrap_outcome(outcome, transmission)

    def _read_response(
        self, http: Any, request: AnyRequest, line: OpenStream, until: float, *, is_stream: bool
    ) -> HTTPResponse:
        def check_deadline() -> None:
            if self._clock() > until:
                raise httpcore.ReadTimeout("the answer was not complete at the deadline")

        self._close_dropped()
        answer: OpenResponse = http.send(request, stream=True, follow_redirects=False, auth=None)
        reading = line if is_stream and is_event_stream(answer) else OpenStream()
        is_open = False
        try:
            # A server that drips must not hold the caller longer; each piece of a stream has its own deadline.
            check = (lambda: None) if reading is line else check_deadline
            reading.open(answer, self._guard, check, keeps_deadline=self._call_handlers is None)
            if reading is line:
                answer.extensions.pop("reason_phrase", None)
                if self._call_handlers is not None:
                    self._streams[answer] = weakref.ref(line)
                is_open = True
                return cast("HTTPResponse", answer)
            body = streams.BoundedBody(answer.headers, self._max_answer_bytes)
            while (piece := reading.read()) is not None:
                body.add(piece)
                if self._call_handlers is not None:
                    self._call_handlers()
            return streams.buffer_answer(answer.status_code, answer.headers, body.content())
        finally:
            if not is_open:
                reading.close()

    def _close_dropped(self) -> None:
        """Release the connections of streams whose owners were interrupted before they could."""
        for answer, line in list(self._streams.items()):
            if (answer.is_closed or line() is None) and self._streams.pop(answer, None) is not None:
                streams.close_quietly(answer)

    def _read_chunk(self, line: OpenStream, until: float) -> bytes | None:
        handled = sys.exception()
        try:
            with self._guard(), deadline_scope(until - self._clock()):
                return line.read()
        except Exception as error:
            failure = failures.map_read_exception(error, self._get_transport_info())
        except BaseException as error:
            failures.forget_frames(error, handled)
            raise
        raise failure


def _refuse_awaitable(returned: Any, what: str = "A hook", owner: str = "PaymanClient") -> Any:
    if isawaitable(returned):
        if iscoroutine(returned):
            returned.close()
        refuse_coroutine(what, owner)
    return returned
