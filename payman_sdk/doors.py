"""The two doors that carry flows out: one for threads, one for asyncio and trio. They differ in `await` and nothing else."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Awaitable, Callable
from functools import partial
from inspect import isawaitable, iscoroutine
from typing import Any, Generic, TypeVar, assert_never, cast

import anyio
import anyio.to_thread
import httpx
from attrs import frozen

from payman_sdk.errors import APIConnectionError, APITimeoutError, ConfigurationError
from payman_sdk.flows import Alone, Call, Consult, Flow, Lock, Read, Send, Sleep, Step, Tell
from payman_sdk.lines import AsyncLine, Line
from payman_sdk.locks import ThreadLock, to_its_end
from payman_sdk.network import (
    FAILURES,
    Patience,
    Punctual,
    addressed,
    is_event_stream,
    network_failure,
    read_whole,
    timeout_of,
    without_echo,
)
from payman_sdk.punctual import within

T = TypeVar("T")

_POLL = 0.01
"""Seconds between two tries of a lock that a task waits for; a thread can wait inside the lock itself."""


@frozen
class Ended(Generic[T]):
    """A flow has ended, and returned this."""

    result: T


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
        clock: Callable[[], float] = time.monotonic,
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
            return _result(self.advance(flow, line))
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
        lock = step.lock or self._lock
        if not lock.acquire(timeout=max(0.0, step.until - self._clock())):
            return None
        try:
            return self.run(step.flow)
        finally:
            lock.release()

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
        to_send = addressed(step.request, self._base_url)
        answer = self._http.send(
            self._http.build_request(**to_send, timeout=timeout),
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


class AsyncDoor:
    """Carries flows out with an `httpx.AsyncClient`, on asyncio or trio; safe to use from several tasks at once.

    Args:
        http: The connections.
        base_url: The server that requests without one of their own go to.
        patience: The limits of one request.
        clock: Seconds that only go forward.
        sleep: Waits so many seconds.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        base_url: str,
        patience: Patience,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self._http = http
        self._base_url = base_url
        self._patience = patience
        self._clock = clock
        self._sleep = sleep
        self._lock = anyio.Lock()

    async def run(self, flow: Flow[T]) -> T:
        """Runs a flow that tells nothing to its end and returns what it returns."""
        line = AsyncLine()
        try:
            return _result(await self.advance(flow, line))
        finally:
            flow.close()
            await line.close()

    async def advance(self, flow: Flow[T], line: AsyncLine) -> Tell | Ended[T]:
        """Runs a flow until it tells something or ends; a failure of a step is the flow's to handle."""
        try:
            step = next(flow)
            while not isinstance(step, Tell):
                outcome, failure = None, None
                try:
                    outcome = await self._do(step, line)
                except Exception as error:
                    failure = error
                # Thrown out here, it is no context of what the flow raises in its place.
                step = flow.send(outcome) if failure is None else flow.throw(failure)
        except StopIteration as end:
            return Ended(end.value)
        return step

    async def _do(self, step: Step, line: AsyncLine) -> Any:
        match step:
            case Send():
                until = step.until(self._clock(), self._patience.read)
                return await self._carefully(partial(self._exchange, step, line, until), until)
            case Read():
                return await self._carefully(line.read, step.until)
            case Tell():
                raise AssertionError("only who advances a flow is told something")
            case Sleep(seconds):
                return await self._sleep(seconds)
            case Call(function):
                return await _in_thread(function)
            case Consult(function, about):
                returned = function(about)
                return await returned if isawaitable(returned) else returned
            case Alone():
                return await (self._alone(step) if step.lock is None else self._alone_under(step.lock, step))
            case unheard:
                assert_never(unheard)

    async def _alone(self, step: Alone) -> Any:
        try:
            self._lock.acquire_nowait()
        except anyio.WouldBlock:
            with anyio.move_on_after(max(0.0, step.until - self._clock())) as waiting:
                await self._lock.acquire()
            if waiting.cancelled_caught:
                return None
        try:
            return await self.run(step.flow)
        finally:
            self._lock.release()

    async def _alone_under(self, lock: Lock, step: Alone) -> Any:
        # Whoever holds the lock of a store may have spent a refresh token, whose successor must not get lost.
        while not (tried := await to_its_end(lambda: self._tried_alone(lock, step.flow))):
            if self._clock() >= step.until:
                return None
            await self._sleep(_POLL)
        return tried[0]

    async def _tried_alone(self, lock: Lock, flow: Flow[T]) -> tuple[T] | None:
        """What the flow returned; None where somebody else holds the lock."""
        blocks = not isinstance(lock, ThreadLock)
        try_it = partial(lock.acquire, timeout=0)
        taken = await _in_thread(try_it) if blocks else try_it()
        if not taken:
            return None
        try:
            return (await self.run(flow),)
        finally:
            if blocks:
                await _in_thread(lock.release)
            else:
                lock.release()

    async def _carefully(self, exchange: Callable[[], Awaitable[T]], until: float) -> T:
        if self._http.is_closed:
            raise ConfigurationError("This client has been closed.", next_step="Make a new one.")
        failure: APIConnectionError = APITimeoutError(
            "No answer in time: it was not complete at the deadline."
        )
        try:
            with anyio.move_on_after(until - self._clock()):
                return await exchange()
        except FAILURES as error:
            failure = network_failure(error)
        # Raised out here for the same reason as in the other door.
        raise failure

    async def _exchange(self, step: Send, line: AsyncLine, until: float) -> httpx.Response:
        await line.close()
        timeout = timeout_of(self._patience, until - self._clock(), step.patience)
        to_send = addressed(step.request, self._base_url)
        answer = await self._http.send(
            self._http.build_request(**to_send, timeout=timeout),
            stream=True,
            follow_redirects=False,
            auth=None,
        )
        if step.is_stream and is_event_stream(answer):
            line.hold(answer)
            return answer
        async with contextlib.aclosing(answer):
            return without_echo(await read_whole(answer))


def _result(end: Tell | Ended[T]) -> T:
    assert isinstance(end, Ended), "a flow that tells something has to be advanced"  # noqa: S101 (a fault of the SDK's own)
    return end.result


def _not_awaited(returned: Any) -> Any:
    if isawaitable(returned):
        if iscoroutine(returned):
            returned.close()
        raise ConfigurationError(
            "A hook is a coroutine function, which nobody would await.",
            next_step="Give a function, or use AsyncPaymanClient.",
        )
    return returned


async def _in_thread(function: Callable[[], T]) -> T:
    """Calls a function that may block in a thread of its own.

    Not in one of those that anyio lends to everybody: these may all be waiting for the very lock whose holder calls.
    """
    return await anyio.to_thread.run_sync(function, limiter=anyio.CapacityLimiter(1))
