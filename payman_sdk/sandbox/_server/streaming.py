"""Answers that take their time, such as event streams, or that go wrong as a test has asked for.

They end with the client, the server, or a fault; nothing is logged about it.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from payman_sdk._io.event_loops import sleep
from payman_sdk.sandbox._agent.serialization import TaskWatcher
from payman_sdk.sandbox._server.serving import find_connection
from payman_sdk.sandbox._server.stream_faults import StreamFault
from payman_sdk.sandbox.scripting import ConnectionLost, HTTPError, Mishap, RPCError

_LOOK = 0.01  # seconds between two looks at the clock, which a test may move
_COMMENT = b": keep-alive\n\n"
_COMMENTS_APART = 0.02  # seconds, where there is nothing else


async def attend(scope: Scope, receive: Receive, work: Callable[[], Awaitable[object]]) -> None:
    """Do the work of an answer, and stop when the client leaves or the server stops."""
    line = find_connection(scope)
    async with anyio.create_task_group() as group:

        async def listen() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            group.cancel_scope.cancel()

        group.start_soon(listen)
        if line is not None:
            group.start_soon(line.hang_up_on_leaving)
        await work()
        group.cancel_scope.cancel()


async def wait_for_end(watch: TaskWatcher) -> None:
    while (left := watch.compute_delay(to_the_end=True)) > 0:
        await sleep(min(left, _LOOK))
        if watch.compute_delay(to_the_end=True) <= 0:
            await run_in_threadpool(watch.refresh)


class NoAnswer(Response):
    """The connection is closed in place of an answer, or nothing comes until the client leaves."""

    def __init__(self, *, silent: bool) -> None:
        super().__init__()
        self._silent = silent

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        line = find_connection(scope)
        if not self._silent:
            if line is None:
                raise ConnectionAbortedError("the connection is dropped here, as script() asked for")
            line.hang_up()
        await attend(scope, receive, anyio.sleep_forever)


def make_failure(
    status: int, error: str, description: str, headers: dict[str, str] | None = None
) -> Response:
    """Return an error as OAuth and the agent write it."""
    return JSONResponse({"error": error, "error_description": description}, status, headers)


def respond_mishap(mishap: Mishap | RPCError | None) -> Response | None:
    """Return what the client gets instead of an answer; None if it gets the answer."""
    match mishap:
        case HTTPError(status, body=None, headers=headers):
            return make_failure(status, "scripted", "script() asked for this status", dict(headers))
        case HTTPError(status, body=str(text), headers=headers):
            return PlainTextResponse(text, status, dict(headers))
        case HTTPError(status, body=document, headers=headers):
            return JSONResponse(document, status, dict(headers))
        case ConnectionLost(silent=silent):
            return NoAnswer(silent=silent)
        case _:
            return None


class EventStream(StreamingResponse):
    def __init__(self, watch: TaskWatcher, fault: StreamFault | None = None) -> None:
        headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
        comments = fault is not None and fault.keep_alives
        content = _iter_comments() if comments else _iter_pieces(watch)
        super().__init__(content, media_type="text/event-stream", headers=headers)
        self._fault = fault

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        dropped = False

        async def send_events() -> None:
            nonlocal dropped
            dropped = await self._send_events(send)
            line = find_connection(scope)
            if dropped and line is not None:
                line.hang_up()
                # The server takes an application that returns before its answer is complete for a broken one.
                await anyio.sleep_forever()

        await attend(scope, receive, send_events)
        if dropped and find_connection(scope) is None:
            raise ConnectionAbortedError("the stream is dropped here, as inject_stream_faults() asked for")

    async def _send_events(self, send: Send) -> bool:
        """Send the answer to its end or to where the fault strikes; returns whether it did."""
        events = size = 0
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        if self._should_drop(events, size):
            return True
        async for piece in self.body_iterator:
            assert isinstance(piece, bytes)  # noqa: S101 (the two makers of pieces make bytes)
            part = piece if self._max_bytes is None else piece[: self._max_bytes - size]
            await send({"type": "http.response.body", "body": part, "more_body": True})
            events, size = events + (piece != _COMMENT), size + len(part)
            if self._should_drop(events, size):
                return True
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        return False

    @property
    def _max_bytes(self) -> int | None:
        return None if self._fault is None else self._fault.after_bytes

    def _should_drop(self, events: int, size: int) -> bool:
        return self._fault is not None and self._fault.should_drop(events, size)


async def _iter_comments() -> AsyncIterator[bytes]:
    while True:
        yield _COMMENT
        await sleep(_COMMENTS_APART)


async def _iter_pieces(watch: TaskWatcher) -> AsyncIterator[bytes]:
    """Yield the events of a task, and comments while there is none for long."""
    numbered, patience = watch.manner.has_event_numbers, watch.manner.keep_alive
    while True:
        spoken = watch.now
        for number, answer in watch.take_due_events():
            data = json.dumps(answer, ensure_ascii=False, separators=(",", ":"))
            line = f"id: {number}\n" if numbered else ""
            yield f"{line}data: {data}\n\n".encode()
        if watch.over:
            return
        while (left := watch.compute_delay()) > 0:
            await sleep(min(left, _LOOK))
            if patience is not None and watch.now - spoken >= patience and watch.compute_delay() > 0:
                yield _COMMENT
                spoken = watch.now
        await run_in_threadpool(watch.refresh)
