"""Bare requests for event streams, and what came of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, IncompleteRead
from typing import Any

import httpx

from payman_sdk.sandbox import Sandbox
from tests.peer import PLAIN
from tests.sandbox.wire_client import WireClient


@dataclass(frozen=True)
class ReceivedStream:
    """What came of a stream: the bytes of its body, and whether it broke off."""

    body: bytes
    broken: bool
    kind: str
    status: int

    @property
    def events(self) -> list[tuple[str | None, dict[str, Any]]]:
        """The ids and results of the whole events."""
        whole = self.body[: self.body.rfind(b"\n\n") + 2].decode()
        found: list[tuple[str | None, dict[str, Any]]] = []
        for event in whole.split("\n\n")[:-1]:
            lines = dict(line.split(": ", 1) for line in event.splitlines() if not line.startswith(":"))
            if lines:
                assert set(lines) <= {"id", "data"}
                found.append((lines.get("id"), json.loads(lines["data"])["result"]))
        return found

    @property
    def ids(self) -> list[str | None]:
        """The ids of the whole events."""
        return [number for number, _ in self.events]

    @property
    def results(self) -> list[dict[str, Any]]:
        """The results of the whole events."""
        return [result for _, result in self.events]

    @property
    def json(self) -> dict[str, Any]:
        """The body of an answer that is no stream."""
        assert self.kind == "application/json"
        answer: dict[str, Any] = json.loads(self.body)
        return answer


@contextmanager
def opened(
    wire_client: WireClient, method: str, params: dict[str, Any], last: str | None = None
) -> Iterator[httpx.Response]:
    """The answer to a streaming method, its body not read yet."""
    headers = [(b"x-payman-access-token", wire_client.token.encode())]
    if last is not None:
        headers.append((b"last-event-id", last.encode("latin-1")))
    body = {"jsonrpc": "2.0", "id": "req-s", "method": method, "params": params}
    with wire_client.http.stream("POST", f"/api/a2a/{method}", json=body, headers=headers) as answer:
        yield answer


def listened(answer: httpx.Response, on_chunk: Callable[[bytes], object] = len) -> ReceivedStream:
    """All of an answer, to its end or to where it breaks off."""
    body, broken = b"", False
    try:
        for chunk in answer.iter_raw():
            body += chunk
            on_chunk(chunk)
    except httpx.RemoteProtocolError:
        broken = True
    kind = answer.headers["content-type"].split(";")[0]
    return ReceivedStream(body, broken, kind, answer.status_code)


def subscribe(wire_client: WireClient, text: str, task_id: str) -> ReceivedStream:
    """A streamed send, listened to."""
    message = {"role": "user", "parts": [{"type": "text", "text": text}]}
    with opened(wire_client, "tasks/sendSubscribe", {"id": task_id, "message": message}) as answer:
        return listened(answer)


def resubscribe(wire_client: WireClient, task_id: str, last: str | None = None) -> ReceivedStream:
    """A resubscribing request, listened to."""
    with opened(wire_client, "tasks/resubscribe", {"id": task_id}, last) as answer:
        return listened(answer)


def read_until_dropped(wire_client: WireClient, task_id: str) -> bytes:
    """The body of a resubscribing request whose connection is dropped: with a client that takes less time than httpx."""
    address = wire_client.http.base_url
    connection = HTTPConnection(address.host, address.port or 80, timeout=120)
    body = {"jsonrpc": "2.0", "id": "req-s", "method": "tasks/resubscribe", "params": {"id": task_id}}
    headers = {"x-payman-access-token": wire_client.token, "content-type": "application/json"}
    with closing(connection):
        connection.request("POST", "/api/a2a/tasks/resubscribe", json.dumps(body), headers)
        answer = connection.getresponse()
        assert (answer.status, answer.getheader("content-type", "")[:17]) == (200, "text/event-stream")
        try:
            raise AssertionError(f"the stream was whole: {answer.read()!r}")
        except IncompleteRead as error:
            return error.partial


@contextmanager
def own_desk(**settings: Any) -> Iterator[WireClient]:
    """A client of a sandbox of its own."""
    with (
        Sandbox(**settings) as sandbox,
        httpx.Client(base_url=sandbox.base_url, verify=PLAIN, trust_env=False, timeout=120) as http,
    ):
        yield WireClient(sandbox, sandbox.client_id, sandbox.client_secret, http)
    sandbox.check_invariants()
    sandbox.close()
