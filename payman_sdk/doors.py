"""The two doors that carry flows out: one for threads, one for asyncio and trio. They differ in `await` and nothing else."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar, assert_never, cast

import anyio
import anyio.to_thread
import httpx

from payman_sdk.errors import APIConnectionError, ConfigurationError
from payman_sdk.flows import Alone, Call, Flow, Lock, Send, Sleep, Step
from payman_sdk.locks import ThreadLock, to_its_end
from payman_sdk.network import (
    FAILURES,
    Patience,
    Punctual,
    addressed,
    network_failure,
    read_whole,
    timeout_of,
    without_echo,
)

T = TypeVar("T")

_POLL = 0.01
"""Seconds between two tries of a lock that a task waits for; a thread can wait inside the lock itself."""


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
        """Runs a flow to its end and returns what it returns; a failure of a step is the flow's to handle."""
        try:
            step = next(flow)
            while True:
                outcome, failure = None, None
                try:
                    outcome = self._do(step)
                except Exception as error:
                    failure = error
                # Thrown out here, it is no context of what the flow raises in its place.
                step = flow.send(outcome) if failure is None else flow.throw(failure)
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            flow.close()

    def _do(self, step: Step) -> Any:
        match step:
            case Send():
                return self._send(step)
            case Sleep(seconds):
                return self._sleep(seconds)
            case Call(function):
                return function()
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

    def _send(self, step: Send) -> httpx.Response:
        if self._http.is_closed:
            raise ConfigurationError("This client has been closed.", next_step="Make a new one.")
        failure: APIConnectionError
        try:
            return self._exchange(step)
        except FAILURES as error:
            failure = network_failure(error)
        # Raised out here, it carries no exception of httpx with it: those hold the request and so its secrets.
        raise failure

    def _exchange(self, step: Send) -> httpx.Response:
        timeout = timeout_of(self._patience, step.deadline - self._clock())
        to_send = addressed(step.request, self._base_url)
        answer = self._http.send(
            self._http.build_request(**to_send, timeout=timeout),
            stream=True,
            follow_redirects=False,
            auth=None,
        )
        with contextlib.closing(answer):
            answer.stream = Punctual(cast("httpx.SyncByteStream", answer.stream), step.deadline, self._clock)
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
        """Runs a flow to its end and returns what it returns; a failure of a step is the flow's to handle."""
        try:
            step = next(flow)
            while True:
                outcome, failure = None, None
                try:
                    outcome = await self._do(step)
                except Exception as error:
                    failure = error
                # Thrown out here, it is no context of what the flow raises in its place.
                step = flow.send(outcome) if failure is None else flow.throw(failure)
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            flow.close()

    async def _do(self, step: Step) -> Any:
        match step:
            case Send():
                return await self._send(step)
            case Sleep(seconds):
                return await self._sleep(seconds)
            case Call(function):
                return await _in_thread(function)
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

    async def _send(self, step: Send) -> httpx.Response:
        if self._http.is_closed:
            raise ConfigurationError("This client has been closed.", next_step="Make a new one.")
        failure: APIConnectionError
        try:
            return await self._exchange(step)
        except FAILURES as error:
            failure = network_failure(error)
        # Raised out here for the same reason as in the other door.
        raise failure

    async def _exchange(self, step: Send) -> httpx.Response:
        remaining = step.deadline - self._clock()
        timeout = timeout_of(self._patience, remaining)
        to_send = addressed(step.request, self._base_url)
        try:
            with anyio.fail_after(remaining):
                answer = await self._http.send(
                    self._http.build_request(**to_send, timeout=timeout),
                    stream=True,
                    follow_redirects=False,
                    auth=None,
                )
                async with contextlib.aclosing(answer):
                    return without_echo(await read_whole(answer))
        except TimeoutError:
            raise httpx.ReadTimeout("the answer was not complete at the deadline") from None


async def _in_thread(function: Callable[[], T]) -> T:
    """Calls a function that may block in a thread of its own.

    Not in one of those that anyio lends to everybody: these may all be waiting for the very lock whose holder calls.
    """
    return await anyio.to_thread.run_sync(function, limiter=anyio.CapacityLimiter(1))
