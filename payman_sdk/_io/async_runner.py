"""The runner for asyncio and trio, which differs from `runner.py` in `await` only.

It is a separate module because an event loop takes a while to import.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from functools import partial
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, TypeVar, cast

import anyio
import anyio.lowlevel

from payman_sdk._core import effects
from payman_sdk._core.http import HTTPResponse, is_event_stream
from payman_sdk._core.requests import Described
from payman_sdk._io import failures
from payman_sdk._io.async_streams import AsyncOpenStream, repair_pools
from payman_sdk._io.event_loops import PerLoop, get_asyncio_loop, move_on_after, run_in_thread, sleep
from payman_sdk._io.locks import LockHolder, ThreadLock, run_shielded
from payman_sdk._io.routes import suppress_instrumentation
from payman_sdk._io.runner import BaseRunner, log
from payman_sdk._io.signals import allow_on_trio, defer_on_trio, mark_for_trio
from payman_sdk._io.streams import BoundedBody, Outcome, buffer_answer, unwrap_outcome
from payman_sdk._io.token_store_access import call_within, limit_time
from payman_sdk.errors import APIConnectionError

if TYPE_CHECKING:
    from payman_sdk._io.http import AnyRequest

T = TypeVar("T")

_LEAST = 0.5
"""Seconds that a function has which is called at its deadline."""
_NOTICE = 1.0
"""Seconds that a hook has to take note of an interruption."""
_POLL = 0.01
"""Seconds between two tries of a lock that a task waits for; a thread can wait inside the lock itself."""


@allow_on_trio
async def _call_function(function: Callable[..., Any], *about: Any) -> Any:
    returned = function(*about)
    return await returned if isawaitable(returned) else returned


class AsyncRunner(BaseRunner):
    """Carries flows out with own connections or an `httpx.AsyncClient`, on asyncio or trio; safe to use from several tasks at once."""

    _usual_sleep = staticmethod(sleep)
    _call_hook = _invoke = staticmethod(_call_function)
    _hurry = 0.1  # so that its error says that it waited for a connection

    def _set_up(self) -> None:
        self._locks = PerLoop(anyio.Lock)

    @defer_on_trio
    async def run(
        self, flow: effects.Flow[T], describe: Callable[[BaseException], object] | None = None
    ) -> T:
        mark_for_trio()
        line = AsyncOpenStream()
        with Described(describe):
            try:
                end = await self.advance(flow, line)
                assert not isinstance(end, effects.Emit), "a flow that emits events must be advanced"  # noqa: S101 (a fault of the SDK's own)
                return end.result
            finally:
                flow.close()
                await line.close()

    @defer_on_trio
    async def advance(
        self, flow: effects.Flow[T], line: AsyncOpenStream
    ) -> effects.Emit | effects.FlowResult[T]:
        """Run a flow until it emits something or ends; the flow handles the failure of a step.

        What a hook raises comes out at once, and so does an interruption when the flow has noted it: no flow may take either for a
        failure.
        """
        mark_for_trio()
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
                    outcome = await self._perform(step, line)
                except Exception as error:
                    if isinstance(step, effects.CallHook):
                        raise
                    failure = error
        except BaseException as error:
            if not isinstance(error, Exception):
                for notice in effects.interrupt(flow, error):
                    await self._notify_hook(notice)
            failures.shorten_traceback(error)
            raise

    async def _call_blocking(self, step: effects.CallBlocking) -> Any:
        seconds = step.deadline - self._clock()
        function = limit_time(seconds)(step.function)
        if seconds < math.inf:
            function = partial(call_within, function, max(_LEAST, seconds))
        call = partial(run_in_thread, function)
        return await (run_shielded(call) if step.is_shielded else call())

    async def _run_with_lock(self, step: effects.WithLock) -> Any:
        if step.lock is not None:
            return await self._run_holding(step.lock, step)
        lock = self._locks.get()
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

    async def _run_holding(self, lock: effects.Lock, step: effects.WithLock) -> Any:
        # Whoever holds the lock of a store may have spent a refresh token, whose successor must not get lost.
        while not (tried := await run_shielded(lambda: self._try_with_lock(lock, step.flow))):
            if self._clock() >= step.until:
                return None
            await self._sleep(_POLL)
        return tried[0]

    async def _try_with_lock(self, lock: effects.Lock, flow: effects.Flow[T]) -> tuple[T] | None:
        """Return what the flow returned; None where somebody else holds the lock."""
        if type(lock) is ThreadLock:  # what derives from it waits for other processes, too
            ticket = LockHolder(get_asyncio_loop())
            with ticket.held:
                try:
                    return (await self.run(flow),) if lock.take(ticket, timeout=0) else None
                finally:
                    lock.drop(ticket)
        if not await run_in_thread(partial(lock.acquire, timeout=0)):
            return None
        try:
            return (await self.run(flow),)
        finally:
            await run_in_thread(lock.release)

    async def _notify_hook(self, step: effects.NotifyHook) -> None:
        try:
            with anyio.CancelScope(shield=True), move_on_after(_NOTICE):
                await _call_function(step.function, step.about)
        except Exception as error:
            log.warning("A hook failed while an ask was interrupted: %s", type(error).__name__)

    async def _send_request(self, step: effects.SendRequest, line: AsyncOpenStream) -> HTTPResponse:
        transmission = self._begin(step)
        await line.close()
        await anyio.lowlevel.checkpoint_if_cancelled()
        http, request, _, seconds = self._prepare_request(step, transmission, transmission.note_async)
        handled = sys.exception()
        outcome: Outcome | None = None
        try:
            with move_on_after(seconds), suppress_instrumentation(step.request):
                outcome = await self._read_response(http, request, line, is_stream=step.is_stream)
        except Exception as error:
            outcome = failures.classify_exception(error, transmission, request, self._get_transport_info())
        except BaseException as error:
            transmission.sent = failures.may_have_left(
                error, transmission, request, self._get_transport_info()
            )
            if not isinstance(error, GeneratorExit):  # a coroutine that is dropped can wait for nothing
                await repair_pools(http, request.extensions)
            failures.forget_frames(error, handled)
            del request
            failures.raise_interrupt(error, handled)
            raise
        if outcome is None:
            outcome = failures.map_exception(None, transmission, request, self._get_transport_info())
        if isinstance(outcome, APIConnectionError):
            await repair_pools(http, request.extensions)
        del request  # a traceback with locals would show its address
        return unwrap_outcome(outcome, transmission)

    async def _read_response(
        self, http: Any, request: AnyRequest, line: AsyncOpenStream, *, is_stream: bool
    ) -> HTTPResponse:
        answer = await http.send(request, stream=True, follow_redirects=False, auth=None)
        reading = line if is_stream and is_event_stream(answer) else AsyncOpenStream()
        is_open = False
        try:
            reading.open(answer, http, request.extensions)
            if reading is line:
                answer.extensions.pop("reason_phrase", None)
                is_open = True
                return cast("HTTPResponse", answer)
            body = BoundedBody(answer.headers, self._max_answer_bytes)
            while (piece := await reading.read()) is not None:
                body.add(piece)
            return buffer_answer(answer.status_code, answer.headers, body.content())
        finally:
            if not is_open:
                await reading.close()

    async def _read_chunk(self, line: AsyncOpenStream, until: float) -> bytes | None:
        failure, handled = failures.map_read_exception(None), sys.exception()
        try:
            with move_on_after(until - self._clock()):
                return await line.read()
        except Exception as error:
            failure = failures.map_read_exception(error, self._get_transport_info())
        except BaseException as error:
            failures.forget_frames(error, handled)
            failures.raise_interrupt(error, handled)
            raise
        raise failure
