"""The event stream that reports to an open page that it is out of date.

What a page shows it always gets as a page. So a listener that is slow, or was away, has missed nothing once it looks, and
nothing is kept for it: however much happens meanwhile is one event.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from payman_sdk._io.event_loops import sleep
from payman_sdk.sandbox._ledger.accounts import Account
from payman_sdk.sandbox._server.service import Service
from payman_sdk.sandbox._server.stream_faults import StreamFaults
from payman_sdk.sandbox._server.streaming import attend
from payman_sdk.sandbox._web.origins import HEADERS
from payman_sdk.sandbox._web.task_views import find_next_due

MOST_LISTENERS = 32
_LOOK = 0.05  # seconds between two looks at what may have changed
_PATIENCE = 300  # looks after which a sign of life is sent, so that a browser that is gone is noticed


@dataclass(frozen=True)
class _PageVersion:
    """What a page was made of: what is written, what comes next, and when the next change is due."""

    version: int
    ahead: tuple[int, int]
    due: int | None


class LiveUpdates:
    def __init__(self, service: Service, faults: StreamFaults, most: int = MOST_LISTENERS) -> None:
        self._service, self._faults, self._most = service, faults, most
        self._lock = threading.Lock()
        self._listeners = 0

    @property
    def listeners(self) -> int:
        return self._listeners

    def make_response(self, account: Account) -> Response:
        return _EventsResponse(self, account)

    def add_listener(self) -> bool:
        """Note one more listener; returns False if there are too many."""
        with self._lock:
            if self._listeners >= self._most:
                return False
            self._listeners += 1
            return True

    def remove_listener(self) -> None:
        with self._lock:
            self._listeners -= 1

    async def iter_events(self, account: Account) -> AsyncGenerator[bytes]:
        """Yield an event at once, and one whenever something has changed since the last one was taken."""
        while True:
            seen = await run_in_threadpool(self._read_version, account)
            yield b"data: changed\n\n"
            looks = 0
            while not self._is_past(seen):
                await sleep(_LOOK)
                looks += 1
                if looks % _PATIENCE == 0:
                    yield b": still here\n\n"

    def _read_version(self, account: Account) -> _PageVersion:
        service = self._service
        with service.store.transaction() as tx:
            due = find_next_due(tx, service.manner, service.world.now(), account)
            return _PageVersion(service.store.version, self._count_ahead(), due)

    def _is_past(self, seen: _PageVersion) -> bool:
        if self._service.store.version != seen.version or self._count_ahead() != seen.ahead:
            return True
        return seen.due is not None and self._service.world.now() >= seen.due

    def _count_ahead(self) -> tuple[int, int]:
        return len(self._service.script), len(self._faults)


class _EventsResponse(Response):
    """One listener's events, until it leaves or the server stops."""

    def __init__(self, live: LiveUpdates, account: Account) -> None:
        super().__init__()
        self._live, self._account = live, account

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._live.add_listener():
            said = "Too many pages listen already; close some.\n"
            await PlainTextResponse(said, 503, {**HEADERS, "Retry-After": "10"})(scope, receive, send)
            return
        try:
            # Closed here and not whenever it is collected.
            async with aclosing(self._live.iter_events(self._account)) as pieces:
                answer = StreamingResponse(pieces, media_type="text/event-stream", headers=dict(HEADERS))
                await attend(scope, receive, lambda: answer.stream_response(send))
        finally:
            self._live.remove_listener()
