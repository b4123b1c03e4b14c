"""TLS inside of TLS: a server behind a proxy that speaks TLS itself."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Self

import httpcore
import httpx
import pytest
import trustme

from payman_sdk import AsyncPaymanClient, PaymanClient
from payman_sdk._io.pool import deadline_scope
from payman_sdk._io.tls import TlsStream
from payman_sdk._io.transport import build_async_http_client, build_http_client
from payman_sdk._secrets import SecretStr
from payman_sdk.errors import APIConnectionError
from tests.conftest import SECRET
from tests.loops import LOOPS, run_on
from tests.peer import TOKEN_PATH, HangUp, Peer, Request, answer, head

_DEADLINE = 0.4
_PAUSE, _MANY = 0.02, 300
"""Seconds between bytes that drip, and how many drip: for far longer than the deadline. Then the connection breaks."""


class Proxy:
    """A proxy on loopback that speaks TLS, before a server there.

    Attributes:
        tunnels: How many there were.
        drips: Whether what the server answers comes byte by byte, and breaks off.
        stalls: Whether it reads nothing more from the client.
    """

    def __init__(self, port: int, certificates: ssl.SSLContext) -> None:
        self._port, self._certificates = port, certificates
        self.tunnels, self.drips, self.stalls = 0, False, False
        self._stopping = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://localhost:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:  # the first adds no more once it has ended
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                thread = threading.Thread(target=self._serve, args=(self._listener.accept()[0],))
                self._threads.append(thread)
                thread.start()

    def _serve(self, plain: socket.socket) -> None:
        with (
            plain,
            contextlib.suppress(OSError),
            self._certificates.wrap_socket(plain, server_side=True) as client,
            socket.create_connection(("127.0.0.1", self._port)) as server,
        ):
            while not client.recv(65536).endswith(b"\r\n\r\n"):
                pass
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            self.tunnels += 1
            while self._pass_on(client, server):
                pass

    def _pass_on(self, client: ssl.SSLSocket, server: socket.socket) -> bool:
        """Pass on what has come; return whether there may be more."""
        came = [client] if client.pending() else select.select([client, server], [], [], _PAUSE)[0]
        if client in came:
            data = client.recv(65536)
            server.sendall(data)
            if self.stalls:
                return self._stopping.wait(_PAUSE * _MANY) and False
        elif server in came:
            data = server.recv(65536)
            for start in range(_MANY) if self.drips else ():
                client.sendall(data[start : start + 1])
                if self._stopping.wait(_PAUSE):
                    return False
            if self.drips:
                return False
            client.sendall(data)
        return not self._stopping.is_set() and (not came or bool(data))


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def certificates(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


@pytest.fixture(scope="module")
def trust(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(context)
    return context


@pytest.fixture
def secure_peer(certificates: ssl.SSLContext) -> Iterator[Peer]:
    with Peer(tls=certificates) as peer:
        yield peer


def ask_each(base_url: str, **settings: Any) -> list[Callable[[], str]]:
    """An ask by the client for threads, and by that for tasks on each loop."""
    given: Any = {"client_id": "pm-test-1", "client_secret": SECRET, "base_url": base_url, "max_retries": 0}

    def ask() -> str:
        with PaymanClient(**given, **settings) as client:
            client.ask("Hello!")
            return client.ask("Hello!").status

    async def ask_async() -> str:
        async with AsyncPaymanClient(**given, **settings) as client:
            await client.ask("Hello!")
            return (await client.ask("Hello!")).status

    return [ask, *(partial(run_on, loop, ask_async) for loop in LOOPS)]


def test_a_server_behind_a_secure_proxy_answers(
    secure_peer: Peer, certificates: ssl.SSLContext, trust: ssl.SSLContext
) -> None:
    """Both clients reach it, and use one tunnel for all that they send."""
    with Proxy(secure_peer.port, certificates) as proxy:
        for ask in ask_each(f"https://localhost:{secure_peer.port}", proxy=proxy.url, verify=trust):
            proxy.tunnels = 0
            assert ask() == "completed"
            assert proxy.tunnels == 1


def test_a_certificate_that_nobody_trusts_is_final_behind_a_secure_proxy(
    certificates: ssl.SSLContext, trust: ssl.SSLContext
) -> None:
    """The proxy is trusted, the server is not: neither client tries again."""
    other = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(other)
    with Peer(tls=other) as peer, Proxy(peer.port, certificates) as proxy:
        for ask in ask_each(f"https://localhost:{peer.port}", proxy=proxy.url, verify=trust) * 2:
            with pytest.raises(APIConnectionError, match="the certificate is not trusted") as caught:
                ask()
            assert (caught.value.sent, caught.value.is_transient) == (False, False)


def test_a_handshake_that_breaks_may_succeed_later(
    certificates: ssl.SSLContext, trust: ssl.SSLContext
) -> None:
    """A reset amid the handshake says nothing of certificates, in a tunnel and outside of one."""

    def reset(listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = listener.accept()
                with sock:
                    sock.recv(1)
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with socket.create_server(("127.0.0.1", 0)) as listener, contextlib.ExitStack() as stack:
        thread = threading.Thread(target=reset, args=(listener,))
        thread.start()
        stack.callback(thread.join)
        stack.callback(listener.shutdown, socket.SHUT_RDWR)
        port: int = listener.getsockname()[1]
        proxy = stack.enter_context(Proxy(port, certificates))
        for way in (None, proxy.url):
            for ask in ask_each(f"https://localhost:{port}", proxy=way, verify=trust):
                with pytest.raises(APIConnectionError) as caught:
                    ask()
                assert (caught.value.sent, caught.value.is_transient) == (False, True), str(caught.value)

        async def connect() -> None:
            async with build_async_http_client("https://localhost", verify=trust).as_httpx() as http:
                await http.get(f"https://localhost:{port}")

        for loop in LOOPS:
            with pytest.raises(httpx.ConnectError):
                run_on(loop, connect)


def test_a_deadline_holds_inside_of_a_tunnel(
    secure_peer: Peer, certificates: ssl.SSLContext, trust: ssl.SSLContext
) -> None:
    """Amid a record of the handshake or of an answer that drips, and while nobody reads, a thread is let go at its deadline.

    Where the deadline does not hold, there is no timeout, because each byte comes in time: the connection breaks at last.
    """
    url = f"https://localhost:{secure_peer.port}/"
    secure_peer.always("/", answer(200, "x" * 4000))
    with Proxy(secure_peer.port, certificates) as proxy:

        def connect() -> Any:
            return build_http_client(url, proxy=SecretStr(proxy.url), verify=trust).as_httpx()

        proxy.drips = True
        with connect() as http, pytest.raises(httpx.ConnectTimeout):
            http.get(url, timeout=httpx.Timeout(60, connect=_DEADLINE))
        with connect() as http, deadline_scope(_DEADLINE), pytest.raises(httpx.TimeoutException):
            http.get(url, timeout=60)
        for content, does_drip, kind in (
            (b"", True, httpx.ReadTimeout),
            (bytes(20_000_000), False, httpx.WriteTimeout),
        ):
            proxy.drips = proxy.stalls = False
            with connect() as http:
                assert http.get(url, timeout=60).status_code == 200
                proxy.drips, proxy.stalls = does_drip, not does_drip
                with deadline_scope(_DEADLINE), pytest.raises((kind, httpx.WriteTimeout)):
                    http.post(url, content=content, timeout=60)


def test_a_tunnel_that_ends_early_is_an_error(
    secure_peer: Peer, certificates: ssl.SSLContext, trust: ssl.SSLContext
) -> None:
    """Half of an answer is none; the next request gets a tunnel that works."""

    def break_off(_: Request) -> Iterator[bytes]:
        yield head(200, {"content-length": "10"}) + b"12345"
        raise HangUp

    url = f"https://localhost:{secure_peer.port}{TOKEN_PATH}"
    with (
        Proxy(secure_peer.port, certificates) as proxy,
        build_http_client(url, proxy=SecretStr(proxy.url), verify=trust).as_httpx() as http,
    ):
        secure_peer.script(TOKEN_PATH, break_off)
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            http.post(url, timeout=60)
        assert http.post(url, timeout=60).status_code == 200


class _Server(httpcore.NetworkStream):
    """A server of TLS in memory, which answers each question about the connection with its name."""

    def __init__(self, certificates: ssl.SSLContext) -> None:
        self._came, self._goes = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = certificates.wrap_bio(self._came, self._goes, server_side=True)
        self.is_open = True

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._goes.read()

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._came.write(buffer)
        with contextlib.suppress(ssl.SSLWantReadError):
            self.tls.do_handshake()

    def close(self) -> None:
        self.is_open = False

    def get_extra_info(self, info: str) -> Any:
        return info


def test_a_stream_knows_what_it_has_not_passed_on(
    certificates: ssl.SSLContext, trust: ssl.SSLContext
) -> None:
    """Of two records that came at once, the second makes it readable; the stream below answers whatever else is asked."""
    server = _Server(certificates)
    stream = TlsStream(server, trust, "localhost")
    stream.shake_hands()
    assert stream.get_extra_info("ssl_object").cipher() == server.tls.cipher()
    stream.write(b"request")
    assert server.tls.read() == b"request"
    for record in (b"first", b"second"):
        server.tls.write(record)
    seen = [(stream.get_extra_info("is_readable"), stream.read(100)) for _ in range(3)]
    assert seen == [("is_readable", b"first"), (True, b"second"), ("is_readable", b"")]
    assert [stream.get_extra_info(info) for info in ("socket", "has_read")] == ["socket", "has_read"]
    stream.close()
    assert not server.is_open
