"""A scripted HTTP server on loopback: it answers as it is told to, misbehaves as it is told to, and records what it is asked.

An answer is a function from the request to pieces of bytes, each of which is written as soon as it is made. An answer that
returns keeps the connection open for the next request; one that raises `HangUp` closes it.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self, TypeAlias

from attrs import frozen

from payman_api import PATHS
from payman_sdk._url import format_host_port

ACCESS_TOKEN = "peer-access-token"
TOKEN_PATH = PATHS["create_token"]
ASK_PATH = PATHS["send_task"]
GET_PATH = PATHS["get_task"]
_LOOK_UPS = (GET_PATH, PATHS["resubscribe_task"])


PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""What `verify` of a client of httpx that knows plain HTTP only may be: to read the usual certificates takes 20 ms each time."""


class HangUp(Exception):  # noqa: N818 - it is no error but what the script wants
    """Raised by an answer that wants its connection closed."""


class Reset(HangUp):
    """Raised by an answer that wants its connection reset."""


@frozen
class Request:
    """A request as it came over the wire."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """The address without its query."""
        return self.target.partition("?")[0]

    @property
    def json(self) -> Any:
        """The body read as JSON."""
        return json.loads(self.body)


Answer: TypeAlias = Callable[[Request], Iterator[bytes]]


def head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Scripted", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def answer(
    status: int = 200, body: bytes | str = b"", media_type: str = "application/json", **headers: str
) -> Answer:
    """A whole answer; `retry_after="3"` becomes the header `retry-after`."""
    content = body.encode() if isinstance(body, str) else body
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    if media_type:
        fields["content-type"] = media_type
    if status != 204:
        fields["content-length"] = str(len(content))

    def write(_: Request) -> Iterator[bytes]:
        yield head(status, fields) + content

    return write


def json_answer(document: Any, status: int = 200, **headers: str) -> Answer:
    return answer(status, json.dumps(document), **headers)


def rpc(status: int = 200, **members: Any) -> Answer:
    """A JSON-RPC answer to whatever request comes: `rpc(result=…)`, `rpc(error=…)`."""

    def write(request: Request) -> Iterator[bytes]:
        yield from json_answer({"jsonrpc": "2.0", "id": request.json["id"], **members}, status)(request)

    return write


def completed(request: Request) -> Iterator[bytes]:
    """The answer of an agent that has done what it was asked."""
    yield from rpc(result=task_for(request))(request)


def task_for(request: Request, **members: Any) -> dict[str, Any]:
    params = request.json["params"]
    return {
        "id": params["id"],
        "sessionId": params.get("sessionId"),
        "status": {"state": "COMPLETED", "timestamp": "2025-06-27T16:31:41.510422505Z"},
        "artifacts": [{"name": "response", "parts": [{"type": "text", "text": "Done."}]}],
        **members,
    }


def task_with(**members: Any) -> Answer:
    """A task that matches the request but for these members."""

    def write(request: Request) -> Iterator[bytes]:
        yield from rpc(result=task_for(request, **members))(request)

    return write


def raw(content: bytes) -> Answer:
    """These bytes and nothing else, then the connection closes."""

    def write(_: Request) -> Iterator[bytes]:
        yield content
        raise HangUp

    return write


def reset(_: Request) -> Iterator[bytes]:
    """No answer but a reset of the connection."""
    yield from ()
    raise Reset


def chunked(pieces: Callable[[], Iterator[bytes]]) -> Answer:
    """A body in chunks, each sent when it is made."""

    def write(_: Request) -> Iterator[bytes]:
        yield head(200, {"content-type": "application/json", "transfer-encoding": "chunked"})
        for piece in pieces():
            yield b"%x\r\n%s\r\n" % (len(piece), piece)
        yield b"0\r\n\r\n"

    return write


def token(value: str = ACCESS_TOKEN, lifetime: Any = 3600, *, refresh_token: str | None = None) -> Answer:
    body = {"accessToken": value, "tokenType": "Bearer", "expiresIn": lifetime}
    return json_answer(body | ({"refreshToken": refresh_token} if refresh_token else {}))


class Peer:
    """The server. Unless a script says otherwise, token requests get a token, asks are done, and only those are known later.

    Attributes:
        base_url: Where it is.
        requests: What it was asked, in order.
        stopping: Set when it goes away; an answer that wants to hang waits for it.
    """

    def __init__(self, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self._tls = tls
        self.requests: list[Request] = []
        self.stopping = threading.Event()
        self._known: set[str] = set()
        self._scripts: dict[str, deque[Answer]] = {}
        self._always: dict[str, Answer] = {TOKEN_PATH: token()}
        self._lock = threading.Lock()
        self._connections: dict[socket.socket, threading.Thread] = {}
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family, backlog=256)
        self.port: int = self._listener.getsockname()[1]
        self.base_url = f"http://{format_host_port(host, self.port)}"
        self._acceptor = threading.Thread(target=self._accept)

    def script(self, path: str, *answers: Answer) -> None:
        """The next requests for a path get these answers, one each."""
        with self._lock:
            self._scripts.setdefault(path, deque()).extend(answers)

    def unscript(self) -> None:
        """Forgets the answers that are left, and what came."""
        with self._lock:
            self._scripts.clear()
            self.requests.clear()

    def always(self, path: str, every: Answer) -> None:
        """Every request for a path gets this answer, once the script is used up."""
        with self._lock:
            self._always[path] = every

    def forget(self, path: str) -> None:
        """Requests for a path get what they got in the beginning."""
        with self._lock:
            self._scripts.pop(path, None)
            self._always.pop(path, None)
            if path == TOKEN_PATH:
                self._always[path] = token()

    def renew(self) -> None:
        """Forget scripts, requests and tasks, as a new peer."""
        with self._lock:
            self._scripts.clear()
            self._known.clear()
            self._always = {TOKEN_PATH: token()}
            self.requests.clear()

    def learn(self, request: Request) -> None:
        """The task of a request is known from now on."""
        with self._lock:
            self._known.add(request.json["params"]["id"])

    def asks(self) -> list[Request]:
        """What came to `tasks/send`."""
        return self._at(ASK_PATH)

    def token_requests(self) -> list[Request]:
        """What came to the token endpoint."""
        return self._at(TOKEN_PATH)

    def hang(self) -> None:
        """Waits until the server goes away."""
        self.stopping.wait()

    def never(self, _: Request) -> Iterator[bytes]:
        """An answer that never comes."""
        self.stopping.wait()
        yield from ()
        raise HangUp

    def __enter__(self) -> Self:
        self._acceptor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        self._listener.close()
        with self._lock:
            connections = dict(self._connections)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in connections.values():
            thread.join()

    def _at(self, path: str) -> list[Request]:
        with self._lock:
            return [request for request in self.requests if request.path == path]

    def _accept(self) -> None:
        while not self.stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            thread = threading.Thread(target=self._serve, args=(connection,))
            with self._lock:
                self._connections[connection] = thread
            thread.start()

    def _serve(self, plain: socket.socket) -> None:
        try:
            connection = self._tls.wrap_socket(plain, server_side=True) if self._tls else plain
        except OSError:  # the client trusts nobody
            plain.close()
            return
        with self._lock:  # the socket that was accepted is used up
            self._connections[connection] = threading.current_thread()
        with connection, connection.makefile("rb") as incoming, contextlib.suppress(OSError, HangUp):
            try:
                while (request := _read(incoming)) is not None:
                    for piece in self._answer_to(request)(request):
                        connection.sendall(piece)
            except Reset:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _answer_to(self, request: Request) -> Answer:
        with self._lock:
            self.requests.append(request)
            script = self._scripts.get(request.path)
            if script:
                return script.popleft()
            if (always := self._always.get(request.path)) is not None:
                return always
            task_id = request.json["params"]["id"]
            if request.path in _LOOK_UPS and task_id not in self._known:
                return rpc(error={"code": -32001, "message": "Task not found"})
            self._known.add(task_id)
            return completed


def _read(incoming: Any) -> Request | None:
    """The next request on a connection; None at its end, amid a request too, and for what is no HTTP."""
    first: bytes = incoming.readline()
    if b" HTTP/1.1" not in first:
        return None
    method, target, _ = first.decode().split(" ", 2)
    headers: dict[str, str] = {}
    while (line := incoming.readline().strip()) != b"":
        name, _, value = line.decode().partition(":")
        headers[name.lower()] = value.strip()
    length = int(headers.get("content-length", 0))
    body: bytes = incoming.read(length)
    return Request(method, target, headers, body) if len(body) == length else None
