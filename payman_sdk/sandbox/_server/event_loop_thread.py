"""An event loop in its own thread that opens no socket, so that it runs where a test suite has forbidden sockets."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import queue
import threading
from collections.abc import Callable, Coroutine
from typing import Any

from payman_sdk._io.event_loops import keep_real_time


class _WakeableSelector:
    """What the loop waits at: there is nothing to select from, and other threads wake it."""

    def __init__(self) -> None:
        # Putting into it may happen anywhere, also in the middle of a garbage collection; a Condition could block there.
        self._rung: queue.SimpleQueue[None] = queue.SimpleQueue()

    def wake(self) -> None:
        self._rung.put(None)

    def select(self, timeout: float | None = None) -> list[object]:
        """Wait until it rings or the time ends; the name is the one that asyncio calls."""
        with contextlib.suppress(queue.Empty):
            self._rung.get(timeout=timeout)
            while True:
                self._rung.get_nowait()
        return []


class SocketlessLoop(asyncio.BaseEventLoop):
    """asyncio without input and output: callbacks, timers, tasks and threads, no sockets and no files.

    The loops that come with Python open a pair of sockets to be woken by. Python's documentation ("Extending") has custom
    loops inherit from `BaseEventLoop` and fill in what it leaves open: the selector, the processing of its events, and how to
    wake the loop.
    """

    def __init__(self) -> None:
        super().__init__()
        self._selector = _WakeableSelector()
        keep_real_time(self)

    def _process_events(self, event_list: list[object]) -> None:
        """Nothing ever comes in."""

    def _write_to_self(self) -> None:
        self._selector.wake()


class EventLoopThread:
    """Runs coroutines in its own thread, from the making of this object until `stop()`.

    Args:
        name: of the thread.

    Attributes:
        leaving: set, in the thread, once it is to end.
    """

    def __init__(self, name: str) -> None:
        self.leaving = asyncio.Event()
        self._loop = SocketlessLoop()
        self._lock = threading.Lock()
        self._left = False
        self._tasks: set[asyncio.Task[None]] = set()
        # A daemon: a program that forgets to close a client can end all the same.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def start(self, work: Callable[[], Coroutine[Any, Any, None]]) -> bool:
        """Run a coroutine; returns whether that is still possible."""
        with self._lock:  # what is started before `stop()` is begun, and then canceled
            if not self._left:
                # A new context: the caller's may say that trio runs here.
                self._loop.call_soon_threadsafe(self._begin, work, context=contextvars.Context())
            return not self._left

    def _begin(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        task = self._loop.create_task(work())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def call_soon(self, call: Callable[[], object]) -> None:
        """Call something in the thread; nothing happens if that has ended."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(call)

    def stop(self) -> None:
        """End the thread, and all that runs in it, without waiting for it."""
        with self._lock:
            self._left = True
            self.call_soon(self.leaving.set)

    def join(self) -> None:
        """Wait until the thread has ended."""
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._wait_for_stop())

    async def _wait_for_stop(self) -> None:
        await self.leaving.wait()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
