"""Deadlines of the client for threads, which hold whatever a server does."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from payman_sdk import PaymanClient
from payman_sdk._io.pool import deadline_scope
from payman_sdk._io.transport import build_http_client
from payman_sdk._secrets import SecretStr
from payman_sdk.errors import APITimeoutError, OutcomeUnknownError
from tests.conftest import Connect
from tests.peer import ASK_PATH, GET_PATH, TOKEN_PATH, Peer, Request, completed, head
from tests.streaming.wire import RESUBSCRIBE_PATH, STREAM_PATH, literally, stream

SLACK = 3.0
"""Seconds by which a deadline may be missed on a busy machine; without it, nothing here would end within a minute."""


def drip(peer: Peer, content: bytes) -> Iterator[bytes]:
    """The bytes, one every few milliseconds, and blanks without end after them."""
    for byte in content:
        yield bytes([byte])
        if peer.stopping.wait(0.01):
            return
    while not peer.stopping.wait(0.01):
        yield b" "


@pytest.mark.slow
@pytest.mark.parametrize("path", [ASK_PATH, TOKEN_PATH, STREAM_PATH])
@pytest.mark.parametrize(
    "beginning", [b"", b"HTTP/1.1 200 OK\r\nx-long: ", head(200, {"content-length": "9999"})]
)
def test_a_deadline_holds_against_a_server_that_drips(
    path: str, beginning: bytes, peer: Peer, connect: Connect
) -> None:
    """Head or body, of the token or of the answer: what comes byte by byte is left at the deadline."""

    def dripping(_: Request) -> Iterator[bytes]:
        yield from drip(peer, beginning + b"HTTP/1.1 200 OK" * (not beginning))

    for one in (path, GET_PATH, RESUBSCRIBE_PATH):
        peer.always(one, dripping)
    client = connect(timeout=0.4)
    began = time.monotonic()
    with pytest.raises((APITimeoutError, OutcomeUnknownError)):
        if path == STREAM_PATH:
            client.stream("Hello!").result()
        else:
            client.ask("Hello!")
    assert 0.3 < time.monotonic() - began < 0.4 + SLACK


def test_a_deadline_holds_between_events(peer: Peer, connect: Connect) -> None:
    """A stream of comments is left at the idle time, not at the next comment."""
    comments = [literally(b": keep-alive\n\n")]
    peer.always(STREAM_PATH, stream(*comments, then=peer.hang))
    peer.always(RESUBSCRIBE_PATH, stream(*comments, then=peer.hang))
    peer.always(GET_PATH, completed)
    began = time.monotonic()
    assert connect(idle_timeout=0.1, read_timeout=60).stream("Hello!").result().text == "Done."
    assert time.monotonic() - began < 0.4 + 2 * SLACK


def test_the_sdks_own_connections_are_punctual(peer: Peer) -> None:
    """The installed httpx lets the SDK see every operation on a socket; without that, this test tells."""
    with build_http_client(peer.base_url).as_httpx() as http, deadline_scope(0.2):
        peer.always("/", lambda _: drip(peer, b"HTTP/1.1 200 OK\r\n"))
        began = time.monotonic()
        with pytest.raises(httpx.ReadTimeout):
            http.get(peer.base_url + "/", timeout=60)
        assert time.monotonic() - began < 0.2 + SLACK


def test_outside_of_a_deadline_nothing_is_different(peer: Peer) -> None:
    """What is not within a deadline has httpx's own limits, and one that is over lets nothing begin."""
    with build_http_client(peer.base_url).as_httpx() as http:
        assert http.post(peer.base_url + TOKEN_PATH).status_code == 200
        with deadline_scope(-1), pytest.raises((httpx.WriteTimeout, httpx.ConnectTimeout, httpx.ReadTimeout)):
            http.post(peer.base_url + TOKEN_PATH)
        assert http.post(peer.base_url + TOKEN_PATH).status_code == 200


def test_a_client_through_a_proxy_is_punctual(peer: Peer) -> None:
    """Connections through a proxy are punctual as well."""
    with (
        build_http_client("http://payman.invalid", proxy=SecretStr(peer.base_url)).as_httpx() as http,
        deadline_scope(0.2),
    ):
        peer.always("http://payman.invalid/", lambda _: drip(peer, b"HTTP/1.1 200 OK\r\n"))
        began = time.monotonic()
        with pytest.raises(httpx.ReadTimeout):
            http.get("http://payman.invalid/", timeout=60)
        assert time.monotonic() - began < 0.2 + SLACK


def test_a_deadline_holds_while_a_server_reads_slowly() -> None:
    """A body of many megabytes is sent in many steps; all of them together have the time that one has."""
    stopping = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)

        def read() -> None:
            sock, _ = server.accept()
            with sock, contextlib.suppress(OSError):
                while sock.recv(64 * 1024) and not stopping.wait(0.01):
                    pass

        reader = threading.Thread(target=read)
        reader.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        with build_http_client(url).as_httpx() as http, deadline_scope(0.5):
            began = time.monotonic()
            with pytest.raises(httpx.WriteTimeout):
                http.post(url, content=b"x" * 60_000_000, timeout=60)
            assert time.monotonic() - began < 0.5 + SLACK
        stopping.set()
        reader.join()


def test_the_addresses_of_a_host_share_the_time_to_connect(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of fifty that do not answer, none has all of it; and one that answers is found behind one that refuses, by one look-up."""
    addresses, looked_up, real = list[str](), list[str](), socket.getaddrinfo

    def look_up(host: str, port: int, *given: Any, **more: Any) -> Any:
        looked_up.append(host)
        if host != "many.example":
            return real(host, port, *given, **more)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as silent, contextlib.ExitStack() as queue:
        for _ in range(4):
            waiting = queue.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(silent.getsockname())
        addresses[:] = ["127.0.0.1"] * 50
        url = f"http://many.example:{silent.getsockname()[1]}"
        with build_http_client(url).as_httpx() as http, deadline_scope(0.3):
            began = time.monotonic()
            with pytest.raises(httpx.ConnectTimeout):
                http.get(url, timeout=60)
            assert time.monotonic() - began < 0.3 + SLACK

    url = f"http://many.example:{peer.port}{TOKEN_PATH}"
    for addresses[:] in (["127.0.0.2", "127.0.0.1"], ["127.0.0.1"]):
        looked_up.clear()
        with build_http_client(url).as_httpx() as http:
            assert http.post(url, timeout=60).status_code == 200
        assert looked_up.count("many.example") == 1


def test_a_handshake_that_does_not_end_is_described_in_plain_words() -> None:
    """A server that accepts and says nothing: the message does not repeat where OpenSSL's bindings gave up."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"https://127.0.0.1:{server.getsockname()[1]}"
        with (
            PaymanClient(
                client_id="a", client_secret="b", base_url=url, connect_timeout=0.1, max_retries=0
            ) as client,
            pytest.raises(
                APITimeoutError,
                match=r"Could not connect to 127\.0\.0\.1:\d+: The handshake operation timed out\.",
            ) as caught,
        ):
            client.ask("Hello!")
    assert caught.value.sent is False
