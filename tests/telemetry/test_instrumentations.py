"""Whoever watches HTTP sees no secret: the query of a token request is not in its address, and arrives all the same."""

from __future__ import annotations

import json
import logging
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import h2.config
import h2.connection
import h2.events
import httpx
import pytest

from payman_sdk import PaymanClient
from payman_sdk._core.http import Transmission
from payman_sdk._io.given_client import TARGET, build_for, hide_query, show_query
from payman_sdk._io.http import prepare_request
from payman_sdk._io.httpx_client import to_httpcore
from payman_sdk.errors import PaymanError
from tests.auth.test_echoes import Everything
from tests.peer import TOKEN_PATH, Peer, token

pytestmark = pytest.mark.slow


SECRETS = ("hunted-r3fresh", "hunted-s3cret", "hunted-c0de", "hunted-v3rifier")
KINDS = (
    "own",
    "own async",
    "given",
    "given async",
    "instrumented",
    "wrapped",
    "custom",
    "transport",
    "requests",
    "aiohttp",
    "aiohttp",
    "requests",
)
UNHIDDEN = {"aiohttp", "requests"}
"""What these libraries are asked for holds the query, and Sentry watches them, too; see the guide on telemetry."""


def test_nobody_who_watches_sees_a_secret() -> None:
    """Spans of OpenTelemetry, spans and breadcrumbs of Sentry, hooks of httpx, logs at DEBUG; own and given clients.

    Without the SDK's own telemetry, instrumentations make spans of a given client's asks, and none of its token requests.
    """
    with ExitStack() as stack:
        peers = [stack.enter_context(Peer()) for _ in KINDS]
        command = [sys.executable, "-m", "tests.telemetry.watchers"]
        for position, (kind, peer) in enumerate(zip(KINDS, peers, strict=True)):
            peer.always(TOKEN_PATH, token("hunted-acc3ss", refresh_token="hunted-r3fresh/token"))
            # Whether there is telemetry makes no difference.
            command += [peer.base_url, kind, "telemetry" if position % 2 else "none"]
        said = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=100).stdout
    for kind, peer, line in zip(KINDS, peers, said.splitlines(), strict=True):
        seen: list[str] = json.loads(line)
        queries = [parse_qs(urlsplit(request.target).query) for request in peer.token_requests()]
        codes = [(query["code"], query["code_verifier"]) for query in queries if "code" in query]
        tokens = [query["refresh_token"] for query in queries if "refresh_token" in query]
        times = 2 if kind == "wrapped" else 1
        assert codes == [(["hunted-c0de"], ["hunted-v3rifier"])] * times, kind
        assert tokens == [["hunted-r3fresh/token"]] * times, kind
        for watcher in ("span", "log", "sentry", "hook"):
            found = [line for line in seen if line.startswith(watcher)]
            assert found or watcher in {"hook", "span"}, (kind, watcher)
            if watcher == "sentry" and kind in UNHIDDEN:
                continue
            leaks = [line[:300] for line in found if any(secret in line for secret in SECRETS)]
            assert not leaks, (kind, watcher, leaks)
        if kind == "given":
            spans = [line for line in seen if line.startswith("span")]
            assert sum("/api/a2a/tasks/send" in span for span in spans) == 2
            assert not any(TOKEN_PATH in span for span in spans)
            assert any(line.startswith("hook") and line.endswith(TOKEN_PATH) for line in seen)


LIMITS = dict.fromkeys(("connect", "read", "write", "pool"), 5.0)


class _Recording(httpx.BaseTransport):
    """Notes the address that reaches it."""

    def __init__(self, seen: list[str]) -> None:
        self._seen = seen

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._seen.append(request.url.raw_path.decode())
        return httpx.Response(403, text="no")


class _Derived(httpx.Client):
    """Adds nothing to how a request is sent."""


class _Overridden(httpx.Client):
    def send(self, *given: Any, **more: Any) -> httpx.Response:
        return httpx.Client.send(self, *given, **more)


def test_the_query_is_hidden_on_the_way_to_any_transport() -> None:
    """Hooks of a given client see none of it, before and after; what nobody has listed keeps it: without it, the request would be lost."""
    reached: list[str] = []
    transport = _Recording(reached)
    clients: dict[str, tuple[httpx.Client, bytes]] = {
        "plain": (httpx.Client(transport=transport), b""),
        "derived": (_Derived(transport=transport), b""),
        "mounted": (httpx.Client(mounts={"https://payman.example": transport}), b""),
        "parameters": (httpx.Client(transport=transport, params={"x": "1"}), b""),
        "overridden": (_Overridden(transport=transport), b"code=a%2Fb+c"),
    }
    asked = {"method": "POST", "url": "/token", "params": {"code": "a/b c"}}
    for name, (http, expected) in clients.items():
        watched: list[bytes] = []
        http.event_hooks = {
            "request": [lambda request, watched=watched: watched.append(request.url.query)],
            "response": [lambda answer, watched=watched: watched.append(answer.request.url.query)],
        }
        for _ in range(2):
            built: Any = prepare_request(
                partial(build_for, http), asked, "https://payman.example", LIMITS, Transmission().note
            )
            request: httpx.Request = built
            assert request.url.query == expected, name
            http.send(request)
            path = "/token?x=1&code=a%2Fb+c" if name == "parameters" else "/token?code=a%2Fb+c"
            assert reached.pop() == path, name
        assert watched == [expected] * 4, name
        assert len(http.event_hooks["request"]) == (1 if expected else 2), name
        http.close()
    request = httpx.Request("POST", "https://payman.example/token", params={"code": "a/b c"})
    hide_query(request)
    sent = to_httpcore(request)
    assert (sent.url.target, TARGET in sent.extensions) == (b"/token?code=a%2Fb+c", False)
    assert show_query(request).url.params["code"] == "a/b c"


def test_a_mock_of_the_transport_gets_the_whole_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """pytest-httpx and vcrpy replace the method of httpx's transports, and match by the address."""
    seen: list[str] = []

    def handle(_: object, request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        return httpx.Response(400, json={"error": "invalid_grant"})

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", handle)
    config: Any = {"client_id": "pm-1", "base_url": "https://payman.example", "max_retries": 0}
    with httpx.Client() as http:
        for given in (None, http):
            with (
                PaymanClient.with_token(config, {"refreshToken": "a-token"}, http_client=given) as client,
                pytest.raises(PaymanError),
            ):
                client.ask("hello")
    assert [parse_qs(urlsplit(url).query)["refresh_token"] for url in seen] == [["a-token"]] * 2


def test_a_proxy_for_plain_requests_gets_the_whole_address(peer: Peer) -> None:
    """It wants the address of the server in the request line, query and all."""
    base_url = "http://localhost:1"
    peer.always(f"{base_url}{TOKEN_PATH}", token())
    with httpx.Client(proxy=peer.base_url) as http:
        config: Any = {"client_id": "pm-1", "base_url": base_url, "max_retries": 0}
        with PaymanClient.with_token(config, {"refreshToken": "a-token"}, http_client=http) as client:
            assert client.get_access_token()
    [request] = peer.requests
    assert (
        request.target
        == f"{base_url}{TOKEN_PATH}?grant_type=refresh_token&refresh_token=a-token&client_id=pm-1"
    )


class H2Server:
    """Speaks HTTP/2 without TLS, gives out a token to everybody, and notes the paths it is asked for."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.base_url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.paths: list[str] = []
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self._thread.join(60)

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            protocol = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
            protocol.initiate_connection()
            connection.sendall(protocol.data_to_send())
            while data := connection.recv(65536):
                for event in protocol.receive_data(data):
                    if isinstance(event, h2.events.RequestReceived):
                        self.paths.append(dict(event.headers or ())[b":path"].decode())
                    if isinstance(event, h2.events.StreamEnded):
                        self._answer(protocol, event.stream_id or 0)
                connection.sendall(protocol.data_to_send())

    def _answer(self, protocol: h2.connection.H2Connection, stream: int) -> None:
        body = b'{"accessToken": "hunted-acc3ss", "expiresIn": 3600, "refreshToken": "hunted-r3fresh2"}'
        protocol.send_headers(
            stream,
            [(":status", "200"), ("content-type", "application/json"), ("x-echo", self.paths[-1])],
        )
        protocol.send_data(stream, body, end_stream=True)


@pytest.fixture
def said() -> Iterator[list[str]]:
    handler, level = Everything(), logging.root.level
    logging.root.addHandler(handler)
    logging.root.setLevel(logging.DEBUG)
    yield handler.said
    logging.root.removeHandler(handler)
    logging.root.setLevel(level)


def test_the_logs_of_http2_hold_no_secret(said: list[str]) -> None:
    """The log of hpack shows headers, `:path` among them, and whole blocks of them as they are sent."""
    config: Any = {"client_id": "pm-1", "client_secret": "hunted-s3cret", "max_retries": 0}
    with H2Server() as server, httpx.Client(http1=False, http2=True, trust_env=False) as http:
        config["base_url"] = server.base_url
        with PaymanClient.with_token(
            config, {"refreshToken": "hunted-r3fresh/token"}, http_client=http
        ) as client:
            assert client.get_access_token()
    assert parse_qs(urlsplit(server.paths[0]).query)["refresh_token"] == ["hunted-r3fresh/token"]
    assert any("hpack" in line or "header" in line for line in said)
    marks = ("hunted", "r3fresh", "aHVudGVk")
    leaks = [line[:200] for line in said if any(mark in line for mark in marks)]
    assert not leaks, leaks
