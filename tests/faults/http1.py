"""Requests and answers of HTTP/1.1 as bytes: just enough to tell one from the next, and to spoil an answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, cast

from payman_api import PATHS

END_OF_HEAD = b"\r\n\r\n"
MARK = "payman-faults-raise"
"""The header of an answer that a transport raises an exception for."""
_NAMES = {
    PATHS["create_token"]: "token",
    PATHS["send_task"]: "send",
    PATHS["send_task_subscribe"]: "stream",
    PATHS["get_task"]: "get",
    PATHS["resubscribe_task"]: "resubscribe",
    PATHS["cancel_task"]: "cancel",
}
_UNKNOWN_TASK = -32001
_PAGE = b"<!doctype html><title>Sign in</title><p>Sign in to this network."


@dataclass(frozen=True)
class Request:
    """A request as it came.

    Args:
        head: Its first line and headers, with the empty line after them.
        body: What follows.
    """

    head: bytes
    body: bytes = b""

    @property
    def name(self) -> str:
        """What it wants, in a word: `token`, `send`, `stream`, `get`, `resubscribe`, `cancel` or `other`."""
        _, _, rest = self.head.partition(b" ")
        target = rest.partition(b" ")[0].decode("latin-1")
        return _NAMES.get(target.partition("?")[0], "other")

    @property
    def sends(self) -> bool:
        """Whether it makes a task, or goes on with one."""
        return self.name in ("send", "stream")

    @property
    def looks_up(self) -> bool:
        """Whether it asks how a task stands."""
        return self.name in ("get", "resubscribe")

    @property
    def length(self) -> int:
        """How many bytes of body belong to it."""
        return int(headers_of(self.head).get("content-length", "0"))

    def alone(self) -> bytes:
        """The request for a connection of its own, at whose end the answer ends."""
        return _with_connection(self.head, b"close") + self.body


def headers_of(head: bytes) -> Mapping[str, str]:
    """The headers of a request or an answer, by their names in lower case."""
    lines = head.decode("latin-1").split("\r\n")[1:]
    pairs = (line.partition(":") for line in lines if line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def kept_open(head: bytes) -> bytes:
    """The head of an answer whose connection stays open for the next request."""
    return _with_connection(head, None)


def to_be_closed(head: bytes) -> bytes:
    """The head of an answer after which the client must not use the connection again."""
    return _with_connection(head, b"close")


def _with_connection(head: bytes, value: bytes | None) -> bytes:
    lines = head.removesuffix(END_OF_HEAD).split(b"\r\n")
    kept = [line for line in lines if not line.lower().startswith(b"connection:")]
    if value is not None:
        kept.append(b"connection: " + value)
    return b"\r\n".join(kept) + END_OF_HEAD


def is_whole(answer: bytes | bytearray) -> bool:
    """Whether an answer has come to its end."""
    head, found, body = answer.partition(END_OF_HEAD)
    if not found:
        return False
    headers = headers_of(bytes(head))
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return body.endswith(b"0" + END_OF_HEAD)
    return len(body) >= int(headers.get("content-length", "0"))


def body_of(answer: bytes) -> bytes:
    """The body of an answer without the marks of its pieces."""
    head, _, body = answer.partition(END_OF_HEAD)
    if headers_of(head).get("transfer-encoding", "").lower() != "chunked":
        return body
    pieces: list[bytes] = []
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size, 16)
        if length == 0:
            break
        pieces.append(body[:length])
        body = body[length + 2 :]
    return b"".join(pieces)


def says_unknown_task(answer: bytes) -> bool:
    """Whether an answer says that there is no such task."""
    try:
        document: Any = json.loads(body_of(answer))
    except ValueError:
        return False
    error = cast("dict[str, Any]", document).get("error") if isinstance(document, dict) else None
    return isinstance(error, dict) and cast("dict[str, Any]", error).get("code") == _UNKNOWN_TASK


def document(content: Any) -> bytes:
    """An answer with a JSON document."""
    return _answer(200, "OK", "application/json", json.dumps(content).encode())


def unknown_task(request: Request) -> bytes:
    """The answer that there is no such task."""
    try:
        number: Any = json.loads(request.body).get("id")
    except (ValueError, AttributeError):
        number = None
    error = {"code": _UNKNOWN_TASK, "message": "task not found"}
    return document({"jsonrpc": "2.0", "id": number, "error": error})


def marked(answer: bytes, share: float) -> bytes:
    """An answer that a transport raises an exception for; see `transports.py`."""
    line, end, rest = answer.partition(b"\r\n")
    return line + end + f"{MARK}: {share}".encode() + end + rest


def with_body(answer: bytes, body: bytes) -> bytes:
    """An answer with another body."""
    head = answer.partition(END_OF_HEAD)[0]
    lines = [
        line
        for line in head.split(b"\r\n")
        if not line.lower().startswith((b"content-length:", b"transfer-encoding:", b"connection:"))
    ]
    return b"\r\n".join([*lines, b"content-length: %d" % len(body)]) + END_OF_HEAD + body


def cut_short(answer: bytes, share: float) -> bytes:
    """An answer that ends early, and claims that this is all."""
    body = body_of(answer)
    return with_body(answer, body[: int(share * len(body))])


def page() -> bytes:
    """What a network says that wants somebody to sign in: a web page, with status 200."""
    return _answer(200, "OK", "text/html; charset=utf-8", _PAGE)


def refusal(status: int, **headers: str) -> bytes:
    """The answer of a gateway or of a server that does not do what it was asked.

    Args:
        status: The HTTP status.
        headers: More headers, with underscores for hyphens.
    """
    reason = HTTPStatus(status).phrase
    body = json.dumps({"error": reason.lower().replace(" ", "_")}).encode()
    return _answer(status, reason, "application/json", body, headers)


def _answer(
    status: int, reason: str, media_type: str, body: bytes, headers: Mapping[str, str] | None = None
) -> bytes:
    lines = [f"HTTP/1.1 {status} {reason}", f"content-type: {media_type}", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(lines).encode() + END_OF_HEAD + body
