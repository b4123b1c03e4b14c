"""The door for threads: carries flows out with an `httpx.Client`. `async_doors.py` has the other one."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from functools import partial
from inspect import isawaitable, iscoroutine
from typing import Any, TypeVar, assert_never, cast

import httpx

from payman_sdk.clock import monotonic
from payman_sdk.errors import APIConnectionError, ConfigurationError
from payman_sdk.flows import Alone, Call, Consult, Ended, Flow, Read, Send, Sleep, Step, Tell, result_of
from payman_sdk.lines import Line
from payman_sdk.locks import ThreadLock, Ticket, held_by_ticket
from payman_sdk.network import (
    FAILURES,
    Patience,
    Punctual,
    is_event_stream,
    network_failure,
    request_of,
    timeout_of,
    without_echo,
)
from payman_sdk.punctual import within

T = TypeVar("T")


class Door:
    """Carries flows out with an `httpx.Client`; safe to use from several threads at once.

    Args:
        http: The connections.
        base_url: The server that requests without one of their own go to.
        patience: The limits of one request.
        clock: Seconds that only go forward.
        sleep: Waits so many seconds.
    """

    def __init__(
        self,
        http: httpx.Client,
        base_url: str,
        patience: Patience,
        clock: Callable[[], float] = monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._http = http
        self._base_url = base_url
        self._patience = patience
        self._clock = clock
        self._sleep = sleep
        self._lock = ThreadLock()

    def run(self, flow: Flow[T]) -> T:
        """Runs a flow that tells nothing to its end and returns what it returns."""
        line = Line()
        try:
            return result_of(self.advance(flow, line))
        finally:
            flow.close()
            line.close()

    def advance(self, flow: Flow[T], line: Line) -> Tell | Ended[T]:
        """Runs a flow until it tells something or ends; a failure of a step is the flow's to handle."""
        try:
            step = next(flow)
            while not isinstance(step, Tell):
                outcome, failure = None, None
                try:
                    outcome = self._do(step, line)
                except Exception as error:
                    if isinstance(step, Consult) and not isinstance(error, StopIteration):
                        raise  # what a hook raises is its own, and no flow may take it for a failure of what was asked
                    failure = error
                # Thrown out here, it is no context of what the flow raises in its place.
                step = flow.send(outcome) if failure is None else flow.throw(failure)
        except StopIteration as end:
            return Ended(end.value)
        return step

    def _do(self, step: Step, line: Line) -> Any:
        match step:
            case Send():
                until = step.until(self._clock(), self._patience.read)
                return self._carefully(partial(self._exchange, step, line, until), until)
            case Read():
                return self._carefully(line.read, step.until)
            case Tell():
                raise AssertionError("only who advances a flow is told something")
            case Sleep(seconds):
                return self._sleep(seconds)
            case Call(function):
                return function()
            case Consult(function, about):
                return _not_awaited(function(about))
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

    def _carefully(self, exchange: Callable[[], T], until: float) -> T:
        if self._http.is_closed:
            raise ConfigurationError("This client has been closed.", next_step="Make a new one.")
        failure: APIConnectionError
        try:
            with within(until - self._clock()):
                return exchange()
        except FAILURES as error:
            failure = network_failure(error)
        # Raised out here, it carries no exception of httpx with it: those hold the request and so its secrets.
        raise failure

    def _exchange(self, step: Send, line: Line, until: float) -> httpx.Response:
        line.close()
        timeout = timeout_of(self._patience, until - self._clock(), step.patience)
        answer = self._http.send(
            request_of(self._http, step.request, self._base_url, timeout),
            stream=True,
            follow_redirects=False,
            auth=None,
        )
        if step.is_stream and is_event_stream(answer):
            line.hold(answer)
            return answer
        with contextlib.closing(answer):
            answer.stream = Punctual(cast("httpx.SyncByteStream", answer.stream), until, self._clock)
            answer.read()
        return without_echo(answer)


def _not_awaited(returned: Any) -> Any:
    if isawaitable(returned):
        if iscoroutine(returned):
            returned.close()
        raise ConfigurationError(
            "A hook is a coroutine function, which nobody would await.",
            next_step="Give a function, or use AsyncPaymanClient.",
        )
    return returned
