"""Whoever watches HTTP sees no secret: the query of a token request is not in its address, and arrives all the same."""

from __future__ import annotations

import json
import logging
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import h2.config
import h2.connection
import h2.events
import httpx
import pytest

from payman_sdk import PaymanClient
from payman_sdk._io.routes import TARGET, hide_query, show_query, to_httpcore
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
    "given",
    "requests",
    "aiohttp",
    "aiohttp",
    "requests",
)
UNHIDDEN = {"wrapped", "custom", "aiohttp", "requests"}
"""Where the SDK does not know what the transport does with an address, it keeps its query; see the guide on telemetry."""


def test_nobody_who_watches_sees_a_secret() -> None:
    """Spans of OpenTelemetry, spans and breadcrumbs of Sentry, hooks of httpx, logs at DEBUG; own and given clients."""
    programs: list[tuple[str, Peer, subprocess.Popen[str]]] = []
    for position, kind in enumerate(KINDS):
        telemetry = "telemetry" if position % 2 else "none"  # which makes no difference
        peer = Peer().__enter__()
        peer.always(TOKEN_PATH, token("hunted-acc3ss", refresh_token="hunted-r3fresh/token"))
        command = [sys.executable, "-m", "tests.telemetry.watchers", peer.base_url, kind, telemetry]
        programs.append((kind, peer, subprocess.Popen(command, stdout=subprocess.PIPE, text=True)))
    ended: list[tuple[str, Peer, int, str]] = []
    for kind, peer, program in programs:
        said, _ = program.communicate(timeout=100)
        peer.__exit__()
        ended.append((kind, peer, program.returncode, said))
    for kind, peer, status, said in ended:
        assert status == 0, kind
        seen: list[str] = json.loads(said)
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
            assert any(line.startswith("hook") and line.endswith(TOKEN_PATH) for line in seen)


def test_asks_of_a_given_client_are_still_seen() -> None:
    """Without the SDK's own telemetry, instrumentations make spans of asks, which have no secret in their address."""
    with Peer() as peer:
        command = [sys.executable, "-m", "tests.telemetry.watchers", peer.base_url, "given", "none"]
        said = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    spans = [line for line in json.loads(said) if line.startswith("span")]
    assert sum("/api/a2a/tasks/send" in span for span in spans) == 2
    assert sum(TOKEN_PATH in span for span in spans) == 2


def _request(
    http: httpx.Client | httpx.AsyncClient, url: str = "https://payman.example/token"
) -> httpx.Request:
    request = http.build_request("POST", url, params={"code": "a/b c"})
    hide_query(http, request)
    return request


class _Derived(httpx.HTTPTransport):
    """Adds nothing to what sends."""


class _Sending(httpx.HTTPTransport):
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return super().handle_request(request)


def test_the_query_leaves_the_address_only_where_it_is_put_back() -> None:
    """What nobody has listed keeps it: a token request without its query would be lost."""
    hidden: dict[str, httpx.Client] = {
        "plain": httpx.Client(),
        "derived": httpx.Client(transport=_Derived()),
        "mounted": httpx.Client(mounts={"https://payman.example": httpx.HTTPTransport()}),
        "a proxy, by a tunnel": httpx.Client(proxy="http://127.0.0.1:1"),
        "HTTP/2": httpx.Client(http2=True),
        "parameters of its own": httpx.Client(params={"x": "1"}),
    }
    shown: dict[str, httpx.Client] = {
        "overridden": httpx.Client(transport=_Sending()),
        "mock": httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200))),
        "WSGI": httpx.Client(transport=httpx.WSGITransport(lambda *_: [])),
        "anybody's": httpx.Client(transport=httpx.BaseTransport()),
        "mounted": httpx.Client(
            mounts={"https://payman.example": httpx.MockTransport(lambda _: httpx.Response(200))}
        ),
    }
    for name, http in hidden.items():
        request = _request(http)
        assert not request.url.query, name
        expected = b"/token?x=1&code=a%2Fb+c" if name.startswith("parameters") else b"/token?code=a%2Fb+c"
        assert request.extensions[TARGET] == expected, name
        sent = to_httpcore(request)
        assert (sent.url.target, TARGET in sent.extensions) == (expected, False)
        assert show_query(request).url.raw_path == expected
    for name, http in shown.items():
        request = _request(http)
        assert request.url.params["code"] == "a/b c", name
        assert TARGET not in request.extensions, name
    through_a_proxy = httpx.Client(proxy="http://127.0.0.1:1")
    assert _request(through_a_proxy, "http://localhost/token").url.query
    for http in (*hidden.values(), *shown.values(), through_a_proxy):
        http.close()


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
        self._thread.join(10)

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
