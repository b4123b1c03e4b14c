"""The door for asyncio and trio. It differs from the one for threads in `await` and nothing else.

It has a module of its own because an event loop takes a while to import, which programs with threads need not wait for.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from functools import partial
from inspect import isawaitable
from typing import Any, TypeVar, assert_never

import anyio
import anyio.lowlevel
import anyio.to_thread
import httpx

from payman_sdk.clock import monotonic
from payman_sdk.errors import APIConnectionError, APITimeoutError, ConfigurationError
from payman_sdk.event_loops import PerLoop, asyncio_loop
from payman_sdk.flows import (
    Alone,
    Call,
    Consult,
    Ended,
    Flow,
    Lock,
    Read,
    Send,
    Sleep,
    Step,
    Tell,
    result_of,
)
from payman_sdk.lines import AsyncLine
from payman_sdk.locks import ThreadLock, Ticket, to_its_end
from payman_sdk.network import (
    FAILURES,
    Patience,
    is_event_stream,
    network_failure,
    read_whole,
    request_of,
    timeout_of,
    without_echo,
)
from payman_sdk.timers import move_on_after, sleep

T = TypeVar("T")

_POLL = 0.01
"""Seconds between two tries of a lock that a task waits for; a thread can wait inside the lock itself."""


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
        clock: Callable[[], float] = monotonic,
        sleep: Callable[[float], Awaitable[None]] = sleep,
    ) -> None:
        self._http = http
        self._base_url = base_url
        self._patience = patience
        self._clock = clock
        self._sleep = sleep
        self._locks = PerLoop(anyio.Lock)

    async def run(self, flow: Flow[T]) -> T:
        """Runs a flow that tells nothing to its end and returns what it returns."""
        line = AsyncLine()
        try:
            return result_of(await self.advance(flow, line))
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
                    if isinstance(step, Consult):
                        raise  # what a hook raises is its own, and no flow may take it for a failure of what was asked
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
        lock = self._locks.here()
        try:
            lock.acquire_nowait()
        except anyio.WouldBlock:
            with move_on_after(max(0.0, step.until - self._clock())) as waiting:
                await lock.acquire()
            if waiting.cancelled_caught:
                return None
        try:
            return await self.run(step.flow)
        finally:
            lock.release()

    async def _alone_under(self, lock: Lock, step: Alone) -> Any:
        # Whoever holds the lock of a store may have spent a refresh token, whose successor must not get lost.
        while not (tried := await to_its_end(lambda: self._tried_alone(lock, step.flow))):
            if self._clock() >= step.until:
                return None
            await self._sleep(_POLL)
        return tried[0]

    async def _tried_alone(self, lock: Lock, flow: Flow[T]) -> tuple[T] | None:
        """What the flow returned; None where somebody else holds the lock."""
        if isinstance(lock, ThreadLock):
            ticket = Ticket(asyncio_loop())
            with ticket.held:
                try:
                    return (await self.run(flow),) if lock.take(ticket, timeout=0) else None
                finally:
                    lock.drop(ticket)
        if not await _in_thread(partial(lock.acquire, timeout=0)):
            return None
        try:
            return (await self.run(flow),)
        finally:
            await _in_thread(lock.release)

    async def _carefully(self, exchange: Callable[[], Awaitable[T]], until: float) -> T:
        if self._http.is_closed:
            raise ConfigurationError("This client has been closed.", next_step="Make a new one.")
        failure: APIConnectionError = APITimeoutError(
            "No answer in time: it was not complete at the deadline."
        )
        try:
            with move_on_after(until - self._clock()):
                return await exchange()
        except FAILURES as error:
            failure = network_failure(error)
        # Raised out here for the same reason as in the other door.
        raise failure

    async def _exchange(self, step: Send, line: AsyncLine, until: float) -> httpx.Response:
        await line.close()
        # Connections that are there already may send without waiting for anything, and so before a cancellation takes effect.
        await anyio.lowlevel.checkpoint_if_cancelled()
        timeout = timeout_of(self._patience, until - self._clock(), step.patience)
        answer = await self._http.send(
            request_of(self._http, step.request, self._base_url, timeout),
            stream=True,
            follow_redirects=False,
            auth=None,
        )
        if step.is_stream and is_event_stream(answer):
            line.hold(answer)
            return answer
        async with contextlib.aclosing(answer):
            return without_echo(await read_whole(answer))


async def _in_thread(function: Callable[[], T]) -> T:
    """Calls a function that may block in a thread of its own.

    Not in one of those that anyio lends to everybody: these may all be waiting for the very lock whose holder calls.
    """
    return await anyio.to_thread.run_sync(function, limiter=anyio.CapacityLimiter(1))
