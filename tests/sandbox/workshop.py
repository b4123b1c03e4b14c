"""A sandbox that tells its tasks slowly, by a clock that a test moves, and clients that listen meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from tests.sandbox.streams import ReceivedStream, listened, opened, own_desk
from tests.sandbox.wire_client import WireClient


class Clock:
    """A clock that a test moves, and that knows how often it was looked at."""

    def __init__(self) -> None:
        self.time = 1_750_000_000.0
        self._looks = 0
        self._looked = threading.Condition()

    def __call__(self) -> float:
        with self._looked:
            self._looks += 1
            self._looked.notify_all()
        return self.time

    def looked(self, times: int = 6, within: float = 60) -> bool:
        """Wait until it has been looked at that often; whether it was, within so many seconds."""
        with self._looked:
            wanted = self._looks + times
            return self._looked.wait_for(lambda: self._looks >= wanted, within)


class Listener:
    """One client that listens to a stream, in a thread of its own."""

    def __init__(
        self, wire_client: WireClient, method: str, last: str | None, params: dict[str, Any]
    ) -> None:
        self._chunks: list[bytes] = []
        self._news = threading.Condition()
        self._begun = threading.Event()
        pool = ThreadPoolExecutor(1)
        self.received: Future[ReceivedStream] = pool.submit(self._listen, wire_client, method, last, params)
        pool.shutdown(wait=False)

    def _listen(
        self, wire_client: WireClient, method: str, last: str | None, params: dict[str, Any]
    ) -> ReceivedStream:
        with opened(wire_client, method, params, last) as answer:
            self._begun.set()
            return listened(answer, self._note)

    def _note(self, chunk: bytes) -> None:
        with self._news:
            self._chunks.append(chunk)
            self._news.notify_all()

    @property
    def so_far(self) -> ReceivedStream:
        """What has come so far."""
        return ReceivedStream(b"".join(self._chunks), False, "text/event-stream", 200)

    def has(self, count: int) -> bool:
        """Wait until the answer has begun and that many events have come; whether they did, and no more."""
        assert self._begun.wait(60)
        with self._news:
            self._news.wait_for(lambda: len(self.so_far.events) >= count, 60)
            return len(self.so_far.events) == count


class Workshop:
    """A client of a sandbox with a pace of one second and a clock that a test moves."""

    def __init__(self, wire_client: WireClient, clock: Clock, pool: ThreadPoolExecutor) -> None:
        self.wire_client, self.clock, self._pool = wire_client, clock, pool

    def listen(self, text: str, task_id: str = "tsk") -> Listener:
        """Send a text and listen."""
        message = {"role": "user", "parts": [{"type": "text", "text": text}]}
        return Listener(self.wire_client, "tasks/sendSubscribe", None, {"id": task_id, "message": message})

    def listen_again(self, task_id: str = "tsk", last: str | None = None) -> Listener:
        """Resubscribe and listen."""
        return Listener(self.wire_client, "tasks/resubscribe", last, {"id": task_id})

    def send(self, text: str, task_id: str = "tsk") -> Future[dict[str, Any]]:
        """Send a text, in a thread of its own."""
        return self._pool.submit(self.wire_client.send, text, task_id)

    def get(self, task_id: str = "tsk", **params: Any) -> dict[str, Any]:
        """The task as it is told by now."""
        task: dict[str, Any] = self.wire_client.call("tasks/get", id=task_id, **params)["result"]
        return task

    def state(self, task_id: str = "tsk") -> str:
        """The state of the task as it is told by now."""
        state: str = self.get(task_id)["status"]["state"]
        return state

    def until(self, true: Callable[[], object]) -> None:
        """Wait until something is true that another thread is about to make so."""
        end = time.monotonic() + 60
        while not true():
            assert time.monotonic() < end
            time.sleep(0.001)

    def tell(self, task_id: str = "tsk", most: int = 99) -> None:
        """Let the time pass in which the task is told."""
        for _ in range(most):
            if self.state(task_id) != "WORKING":
                return
            self.clock.time += 1
        raise AssertionError("the task is at work for ever")


@contextmanager
def workshop(**settings: Any) -> Iterator[Workshop]:
    """A workshop of one's own, with these settings of its sandbox."""
    clock = Clock()
    with ThreadPoolExecutor(80) as pool, own_desk(**({"pace": 1, "clock": clock} | settings)) as wire_client:
        yield Workshop(wire_client, clock, pool)
