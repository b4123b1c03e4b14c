"""The requests to the sandbox: how bodies are read, and what is recorded of them."""

from __future__ import annotations

import json
import threading
from collections import deque
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import parse_qsl, urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from payman_api import PATHS, rest
from payman_sdk._core.wire_json import as_list, as_object
from payman_sdk.sandbox._web.origins import is_page

MOST_REQUESTS = 10_000
LARGEST_BODY_KEPT = 64 * 1024

_OPERATIONS = {path: operation for operation, path in PATHS.items()} | {
    urlsplit(rest.SERVERS["LIVE"]).path + path: operation for operation, path in rest.PATHS.items()
}
_TEXT_SHOWN = 60


@dataclass(frozen=True, repr=False)
class SandboxRequest:
    """One HTTP request to the sandbox, without secrets: no headers, no query, no OAuth parameters.

    Attributes of the message come from the body. They are None if the body is unreadable.

    Attributes:
        method: The HTTP method, such as `POST`.
        path: The path, such as `/api/a2a/tasks/send`.
        operation: The API document's name of that path, such as `send_task`, or None.
        rpc_method: The JSON-RPC method, such as `tasks/send`, however it was spelled.
        text: The text parts of the message, one below the other.
        task_id: The id of the task.
        session_id: The id of the session.
        request_id: The id of the JSON-RPC request.
        metadata: The metadata of the parameters.
        body: The body as JSON; None if it is not JSON, is larger than 64 KiB, or was not read, such as for an unknown path.
        status: The HTTP status of the answer; None before it, and if the connection ended before.

    Example:
        >>> from payman_sdk.sandbox import Sandbox
        >>> with Sandbox() as sandbox, sandbox.client() as client:
        ...     answer = client.ask("list all wallets", metadata={"order": 7})
        ...     asked = sandbox.requests[-1]
        ...     print(asked.operation, asked.text, asked.metadata, asked.status, asked.task_id == answer.task_id)
        send_task list all wallets {'order': 7} 200 True
    """

    method: str
    path: str
    operation: str | None = None
    rpc_method: str | None = None
    text: str | None = None
    task_id: str | None = None
    session_id: str | None = None
    request_id: str | int | None = None
    metadata: dict[str, Any] | None = None
    body: Any = None
    status: int | None = None

    def __repr__(self) -> str:
        about = [self.operation or f"{self.method} {self.path}"]
        if self.text is not None:
            cut = len(self.text) > _TEXT_SHOWN
            about.append(repr(f"{self.text[:_TEXT_SHOWN]}…" if cut else self.text))
        about += [] if self.task_id is None else [self.task_id]
        return f"<SandboxRequest {' '.join(about)}: {'no answer' if self.status is None else self.status}>"


class RequestLog:
    """The newest requests; any thread may read it."""

    def __init__(self) -> None:
        self._seen: deque[_LoggedRequest] = deque(maxlen=MOST_REQUESTS)
        self._lock = threading.Lock()

    def begin(self, method: str, path: str) -> _LoggedRequest:
        seen = _LoggedRequest(method, path)
        with self._lock:
            self._seen.append(seen)
        return seen

    def list_requests(self) -> list[SandboxRequest]:
        with self._lock:
            several = list(self._seen)
        return [seen.build_request() for seen in several]


class RecordingMiddleware:
    """An ASGI application whose requests are noted, but for those of the web page."""

    def __init__(self, app: ASGIApp, log: RequestLog) -> None:
        self._app, self._log = app, log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or is_page(scope["path"]):
            await self._app(scope, receive, send)
            return
        seen = self._log.begin(scope["method"], scope["path"])

        async def receive_recorded() -> Message:
            message = await receive()
            seen.record_received(message)
            return message

        async def send_recorded(message: Message) -> None:
            # Before, so that who has got an answer finds its status.
            seen.record_sent(message)
            await send(message)

        try:
            await self._app(scope, receive_recorded, send_recorded)
        except Exception:
            seen.record_failure()
            raise


class _LoggedRequest:
    """A request and what is known of it so far. One task writes it, others read it."""

    def __init__(self, method: str, path: str) -> None:
        self._method, self._path = method, path
        # Clients put secrets there, and perhaps where they take it to be.
        self._is_secret = "oauth" in path.lower()
        self._came: bytearray | None = None if self._is_secret else bytearray()
        self._body: bytes | None = None
        self._status: int | None = None
        self._is_over = False

    def record_received(self, message: Message) -> None:
        if message["type"] != "http.request":
            self._is_over = True  # nobody reads what comes from now on
            return
        came = self._came
        if came is None:
            return
        came += message.get("body", b"")
        if len(came) > LARGEST_BODY_KEPT:
            self._came = None
        elif not message.get("more_body", False):
            self._body, self._came = bytes(came), None

    def record_sent(self, message: Message) -> None:
        if message["type"] == "http.response.start" and not self._is_over:
            self._status, self._is_over = message["status"], True

    def record_failure(self) -> None:
        """Record that the application failed; if it had not begun to answer, the server answers for it."""
        if not self._is_over:
            self._status, self._is_over = 500, True

    def build_request(self) -> SandboxRequest:
        """Return a new copy of the current record, so that callers cannot change it."""
        return _parse_request(self._method, self._path, self._body, self._status)


def _parse_request(method: str, path: str, body: bytes | None, status: int | None) -> SandboxRequest:
    try:
        shape: object = None if body is None else json.loads(body)
    except (ValueError, RecursionError):
        shape = None
    request = as_object(shape) or {}
    params = as_object(request.get("params")) or {}
    request_id = request.get("id")
    rpc_method = _as_text(request.get("method"))
    return SandboxRequest(
        method=method,
        path=path,
        operation=_OPERATIONS.get(path),
        rpc_method=None if rpc_method is None else rpc_method.replace(".", "/", 1),
        text=_join_texts((as_object(params.get("message")) or {}).get("parts")),
        task_id=_as_text(params.get("id")),
        session_id=_as_text(params.get("sessionId")),
        request_id=request_id if isinstance(request_id, str | int) else None,
        metadata=as_object(params.get("metadata")),
        body=shape,
        status=status,
    )


def _as_text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _join_texts(parts: object) -> str | None:
    several = [_as_text((as_object(part) or {}).get("text")) for part in as_list(parts) or ()]
    words = [text for text in several if text is not None]
    return "\n".join(words) if words else None


LARGEST_BODY = 1024 * 1024
"""The largest body that is read, in bytes."""


async def read_body(request: Request) -> bytes:
    """Return the request's body, or a 413 if it is too large.

    The excess is read and dropped, up to a point: a client that is cut off while it sends sees no answer.
    """
    body, length = bytearray(), 0
    async for chunk in request.stream():
        length += len(chunk)
        if length <= LARGEST_BODY:
            body += chunk
        elif length > 32 * LARGEST_BODY:
            break
    if length > LARGEST_BODY:
        raise HTTPException(413, f"the body is larger than {LARGEST_BODY} bytes")
    return bytes(body)


def parse_body(body: bytes, **options: Any) -> object:
    """Return the JSON in a body; raises ValueError or RecursionError."""
    read: object = json.loads(body.decode("utf-8-sig"), parse_constant=_refuse_constant, **options)
    if b"\\u" in body:
        json.dumps(read, ensure_ascii=False, default=str).encode()
    return read


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


async def read_form(request: Request) -> bytes:
    body = await read_body(request)
    kind = request.headers.get("content-type", "").lower()
    return body if kind.startswith("application/x-www-form-urlencoded") else b""


def parse_parameters(*encoded: bytes) -> list[tuple[str, str]] | None:
    """Form-encoded parameters; None if they cannot be read."""
    try:
        return [
            pair
            for text in encoded
            for pair in parse_qsl(
                text.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=50
            )
        ]
    except ValueError:
        return None
