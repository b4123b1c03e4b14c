"""The connections of a client that was given none, and a transport that it is given instead."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import aiohttp
import anyio
import httpx
import httpx_aiohttp
import pytest

from payman_api import PATHS
from payman_sdk import AsyncPaymanClient, PaymanClient
from payman_sdk._core.http import Transmission
from payman_sdk._io.failure_messages import UNKNOWN_TRANSPORT, TransportInfo
from payman_sdk._io.failures import map_exception
from payman_sdk._io.transport import build_async_http_client, build_http_client
from payman_sdk.errors import APIConnectionError, ConfigurationError, OutcomeUnknownError
from payman_sdk.sandbox import Sandbox
from tests.conftest import SECRET, Connect
from tests.loops import LOOPS, run_on
from tests.peer import (
    ASK_PATH,
    GET_PATH,
    TOKEN_PATH,
    Answer,
    HangUp,
    Peer,
    Request,
    Reset,
    answer,
    completed,
    json_answer,
    raw,
    reset,
    rpc,
    token,
)
from tests.tables import table

NOBODY_TELLS = rpc(error={"code": -32601, "message": "there is no tasks/get"})


def connected(peer: Peer, **settings: Any) -> AsyncPaymanClient:
    given: Any = {
        "client_id": "pm-test-1",
        "client_secret": SECRET,
        "base_url": peer.base_url,
        "max_retries": 0,
    }
    return AsyncPaymanClient(given, **settings)


async def asked(peer: Peer, **settings: Any) -> str:
    async with connected(peer, **settings) as client:
        return (await client.ask("send 10 TSD to Test Payee")).status


# What a failure says of the request


def hung_up(_: Request) -> Iterator[bytes]:
    raise HangUp
    yield


def cut_head(_: Request) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nContent-Le"
    raise HangUp


def cut_body(_: Request) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
    raise HangUp


def reset_body(_: Request) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
    raise Reset


def odd_reason(request: Request) -> Iterator[bytes]:
    yield (
        b"".join(completed(request))
        .replace(b"200 OK", b"200 \xff\xfe")
        .replace(b"200 Scripted", b"200 \xff\xfe")
    )


def nonsense(_: Request) -> Iterator[bytes]:
    yield b"SSH-2.0-OpenSSH_9.2\r\n\r\n"
    raise HangUp


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("broken", [hung_up, reset, cut_head, cut_body, reset_body, nonsense])
def test_what_was_sent_before_the_connection_broke_is_not_sent_again(
    broken: Answer, loop: str, peer: Peer
) -> None:
    """A connection that breaks after the request leaves it open what became of it, whoever's connection it is."""
    peer.always(ASK_PATH, broken)
    peer.always(GET_PATH, NOBODY_TELLS)
    with pytest.raises(OutcomeUnknownError) as caught:
        run_on(loop, lambda: asked(peer, max_retries=2, timeout=60))
    assert caught.value.sent
    assert len(peer.asks()) == 1


@pytest.mark.parametrize("loop", LOOPS)
def test_a_server_that_is_silent_may_have_taken_it(loop: str, peer: Peer) -> None:
    """No answer in time says nothing about the request."""
    peer.always(ASK_PATH, peer.never)
    peer.always(GET_PATH, NOBODY_TELLS)
    with pytest.raises(OutcomeUnknownError) as caught:
        run_on(loop, lambda: asked(peer, read_timeout=0.1, timeout=0.3))
    assert caught.value.sent


@pytest.mark.parametrize("loop", LOOPS)
def test_nobody_listening_took_nothing(loop: str) -> None:
    """A connection that is refused is tried again, and the error says that nothing was sent."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    client = AsyncPaymanClient.with_token(
        "pm-test-1",
        {"accessToken": "a", "expiresIn": 3600},
        base_url=f"http://127.0.0.1:{port}",
        max_retries=1,
    )
    tries: list[object] = []

    async def main() -> None:
        async with client:
            await client.ask("Hello!", on_retry=tries.append)

    with pytest.raises(APIConnectionError) as caught:
        run_on(loop, main)
    assert (caught.value.sent, caught.value.is_transient, len(tries)) == (False, True, 1)


KEY = aiohttp.client_reqrep.ConnectionKey("payman.example", 443, True, True, None, None, None)
INFO = aiohttp.RequestInfo("https://payman.example/?code=s3cret", "POST", None, None)  # type: ignore[arg-type] # enough to be said
NEVER_SENT: list[Exception] = [
    aiohttp.ConnectionTimeoutError("Connection timeout to host https://payman.example/?code=s3cret"),
    aiohttp.ClientConnectorError(KEY, ConnectionRefusedError(111, "Connection refused")),
    aiohttp.ClientConnectorDNSError(KEY, OSError(None, "Name or service not known")),
    aiohttp.ClientConnectorCertificateError(KEY, ssl.CertificateError("s3cret")),
    aiohttp.ClientProxyConnectionError(KEY, OSError(111, "Connection refused")),
    aiohttp.InvalidURL("https://payman.example/?code=s3cret"),
    aiohttp.NonHttpUrlClientError("ftp://payman.example/?code=s3cret"),
]
MAYBE_SENT: list[Exception] = [
    aiohttp.SocketTimeoutError("Timeout on reading data from socket"),
    aiohttp.ServerTimeoutError("s3cret"),
    aiohttp.ServerDisconnectedError("s3cret"),
    aiohttp.ClientOSError(104, "Connection reset by peer"),
    aiohttp.ClientConnectionResetError("Cannot write to closing transport"),
    aiohttp.ClientConnectionError("Connector is closed."),
    aiohttp.ClientPayloadError("Response payload is not completed: s3cret"),
    aiohttp.ClientResponseError(INFO, (), message="s3cret"),
    aiohttp.ClientError("s3cret"),
    BrokenPipeError(32, "Broken pipe"),
    ValueError("Invalid header value b's3cret'"),
]


@table("failure", [*NEVER_SENT, *MAYBE_SENT], ids=lambda failure: type(failure).__name__)
def test_each_failure_of_aiohttp_says_whether_the_request_was_sent(
    failure: Exception,
) -> None:
    """Only what fails before a request is written counts as not sent, of connections that are known; and no secret is said."""
    given = httpx.ConnectTimeout(str(failure))  # what httpx-aiohttp 0.2 makes of most of them
    given.__cause__ = failure
    transmission = Transmission()
    request = httpx.Request("POST", "https://payman.example", extensions={"trace": transmission.note_async})
    for knowledge in (TransportInfo(is_exact=True), UNKNOWN_TRANSPORT):
        raised = map_exception(given, transmission, request, knowledge)
        assert raised.sent == (failure in MAYBE_SENT or knowledge is UNKNOWN_TRANSPORT)
        assert "s3cret" not in str(raised)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_stream_that_says_nothing_timed_out(loop: str, peer: Peer) -> None:
    """The error does not repeat what the system said of a socket with nothing to read."""

    def silent(_: Request) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
        peer.stopping.wait(10)

    peer.always(PATHS["send_task_subscribe"], silent)
    peer.always(GET_PATH, NOBODY_TELLS)

    async def main() -> None:
        async with (
            connected(peer, read_timeout=0.1, timeout=0.5) as client,
            client.stream("Hello!") as stream,
        ):
            await stream.result()

    with pytest.raises(OutcomeUnknownError, match="No answer in time: timed out"):
        run_on(loop, main)


@pytest.mark.parametrize("loop", LOOPS)
def test_words_beside_a_status_that_cannot_be_read_are_not_failure(loop: str, peer: Peer) -> None:
    """What a server writes beside the status may be in any encoding; the answer counts, and nothing is sent again."""

    def in_latin_1(request: Request) -> Iterator[bytes]:
        for piece in completed(request):
            yield piece.replace(b"Scripted", "Erlédigt".encode("latin-1"))

    peer.always(ASK_PATH, in_latin_1)
    assert run_on(loop, lambda: asked(peer, max_retries=2, timeout=60)) == "completed"
    assert len(peer.asks()) == 1


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("status", ["000", "101"])
def test_a_status_that_is_not_an_answer_leaves_it_open(status: str, loop: str, peer: Peer) -> None:
    """Nothing is known of an ask that was answered with what goes before an answer, and it is not sent again."""
    peer.always(ASK_PATH, raw(f"HTTP/1.1 {status} What\r\ncontent-length: 0\r\n\r\n".encode()))
    peer.always(GET_PATH, NOBODY_TELLS)
    with pytest.raises(OutcomeUnknownError):
        run_on(loop, lambda: asked(peer, max_retries=2, timeout=60))
    assert len(peer.asks()) == 1


@pytest.mark.parametrize("header", [{"x": "a\r\ny: b"}, {"x\n": "a"}, {"x": "a\0"}])
def test_a_header_that_would_be_two_is_not_sent(header: dict[str, str], peer: Peer) -> None:
    """A header with the end of a line in it is refused before anything is sent, and that is known."""

    async def main() -> None:
        async with build_async_http_client(peer.base_url).as_httpx() as http:
            await http.get(peer.base_url, headers=header)

    with pytest.raises(httpx.LocalProtocolError):
        anyio.run(main)
    assert peer.requests == []


@pytest.mark.parametrize("given", ["transport", "http_client"])
@pytest.mark.parametrize("broken", [hung_up, reset, cut_body, reset_body, odd_reason])
def test_a_transport_of_aiohttp_that_is_given_does_not_pay_twice(
    broken: Answer, given: str, peer: Peer
) -> None:
    """Whoever brings httpx-aiohttp along is told the truth too: what it calls a failure to connect may come after sending."""
    peer.always(ASK_PATH, broken)
    peer.always(GET_PATH, NOBODY_TELLS)

    async def main() -> None:
        transport = httpx_aiohttp.AiohttpTransport()
        http = httpx.AsyncClient(transport=transport) if given == "http_client" else None
        way: Any = {"transport": transport} if http is None else {"http_client": http}
        try:
            await asked(peer, max_retries=2, timeout=60, **way)
        finally:
            await transport.aclose()

    with pytest.raises(OutcomeUnknownError) as caught:
        anyio.run(main)
    assert caught.value.sent
    assert len(peer.asks()) == 1


# Event loops


def closing(write: Answer) -> Answer:
    """An answer that is the last on its connection: asyncio mourns connections that outlive their loop."""

    def written(request: Request) -> Iterator[bytes]:
        head, _, body = b"".join(write(request)).partition(b"\r\n\r\n")
        yield head + b"\r\nConnection: close\r\n\r\n" + body
        raise HangUp

    return written


def test_a_client_goes_on_in_another_loop(peer: Peer) -> None:
    """A client that outlives its loop has connections of its own in the next one."""
    peer.always(TOKEN_PATH, closing(token()))
    peer.always(ASK_PATH, closing(completed))
    client = connected(peer)

    async def main() -> str:
        return (await client.ask("Hello!")).status

    assert [asyncio.run(main()), anyio.run(main), asyncio.run(main())] == ["completed"] * 3
    asyncio.run(client.close())


def test_each_of_two_loops_has_connections_of_its_own(peer: Peer) -> None:
    """Loops that run at the same time in two threads can share the connections."""
    peer.always(TOKEN_PATH, closing(token()))
    http, both = build_async_http_client(peer.base_url).as_httpx(), threading.Barrier(2, timeout=30)
    statuses: list[int] = []

    async def main() -> None:
        for _ in range(3):
            await anyio.to_thread.run_sync(both.wait)
            statuses.append((await http.post(peer.base_url + TOKEN_PATH)).status_code)

    with ThreadPoolExecutor(2) as threads:
        for ended in [threads.submit(asyncio.run, main()) for _ in range(2)]:
            ended.result(timeout=30)
    assert statuses == [200] * 6
    asyncio.run(http.aclose())


def test_a_dropped_async_client_leaves_no_connection(peer: Peer) -> None:
    """A client that is dropped without being closed says nothing: aiohttp would warn, and tell the loop's handler of it."""
    reported: list[Any] = []

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
        client = connected(peer)
        await client.ask("Hello!")
        del client
        gc.collect()
        await asyncio.sleep(0)

    asyncio.run(main())
    gc.collect()
    assert reported == []


@pytest.mark.parametrize("loop", LOOPS)
def test_what_was_cancelled_before_it_was_sent_is_not_sent(loop: str, peer: Peer) -> None:
    """A task that is cancelled sends nothing any more, not even where a connection is open already."""

    async def main() -> None:
        async with connected(peer) as client:
            await client.ask("Hello!")
            with anyio.CancelScope() as scope:
                scope.cancel()
                await client.ask("send 10 TSD to Test Payee")
            assert scope.cancelled_caught

    run_on(loop, main)
    assert len(peer.asks()) == 1


# What is sent


def test_the_request_is_the_one_that_httpx_would_send(peer: Peer, connect: Connect) -> None:
    """Own connections send the same headers and the same body as a client of httpx does, on threads and on a loop.

    Only the library that the SDK says it sends with is another.
    """
    with httpx.Client(trust_env=False) as http:
        connect(http_client=http, session_id="ses-1").ask("Grüße an Zoë")
    connect(session_id="ses-1").ask("Grüße an Zoë")
    for loop in LOOPS:
        run_on(loop, lambda: asked_in(peer, "Grüße an Zoë"))
    agents = [request.headers["user-agent"].rpartition(" ") for request in peer.asks()]
    assert [library.partition("/")[0] for _, _, library in agents] == ["httpx", *["httpcore"] * 3]
    sent = [
        (sorted({**request.headers, "user-agent": sdk}.items()), without_ids(request))
        for request, (sdk, _, _) in zip(peer.asks(), agents, strict=True)
    ]
    assert sent == sent[:1] * 4


async def asked_in(peer: Peer, text: str) -> None:
    async with connected(peer, session_id="ses-1") as client:
        await client.ask(text)


def without_ids(request: Request) -> bytes:
    for known in (request.json["id"], request.json["params"]["id"]):
        request = Request(
            request.method, request.target, request.headers, request.body.replace(known.encode(), b"id")
        )
    return request.body


@pytest.mark.parametrize("loop", LOOPS)
def test_a_refresh_token_arrives_as_it_is(loop: str, peer: Peer) -> None:
    """No connection takes the address of a token request for something to be tidied up."""
    odd = "r+/=&%2F~;?#"

    async def main() -> None:
        given = {"refreshToken": odd}
        async with AsyncPaymanClient.with_token("pm-test-1", given, base_url=peer.base_url) as client:
            await client.ask("Hello!")

    run_on(loop, main)
    query = httpx.URL(f"http://peer{peer.token_requests()[0].target}").params
    assert query["refresh_token"] == odd


@pytest.mark.parametrize("loop", [None, *LOOPS])
def test_no_cookie_is_kept(loop: str | None, peer: Peer, connect: Connect) -> None:
    """What a server sets with one answer does not travel with what is asked next: that may be somebody else's."""

    def with_cookie(request: Request) -> Iterator[bytes]:
        head, _, body = b"".join(completed(request)).partition(b"\r\n\r\n")
        yield head + b"\r\nSet-Cookie: who=me; Path=/\r\n\r\n" + body

    peer.always(ASK_PATH, with_cookie)
    named = peer.base_url.replace(
        "127.0.0.1", "localhost"
    )  # aiohttp keeps no cookie of an address without a name
    if loop is None:
        client = connect(base_url=named)
        client.ask("Hello!")
        client.ask("Hello!")
    else:

        async def main() -> None:
            async with connected(peer, base_url=named) as client:
                await client.ask("Hello!")
                await client.ask("Hello!")

        run_on(loop, main)
    assert [request.headers.get("cookie") for request in peer.asks()] == [None, None]


def test_own_clients_do_what_a_client_of_httpx_does(peer: Peer) -> None:
    """Used as any client of httpx, they read the answer, take a timeout or none, and send parameters."""
    peer.always("/", json_answer({"hello": "world"}))

    async def main() -> Any:
        async with build_async_http_client(peer.base_url).as_httpx() as http:
            return (await http.get(f"{peer.base_url}/", params={"a": "b"})).json()

    with build_http_client(peer.base_url).as_httpx() as http:
        answers = [http.get(f"{peer.base_url}/", params={"a": "b"}, timeout=60).json(), anyio.run(main)]
    assert answers == [{"hello": "world"}] * 2
    assert [request.target for request in peer.requests] == ["/?a=b"] * 2


@pytest.mark.parametrize("loop", LOOPS)
def test_what_is_elsewhere_is_reached_by_the_proxy_of_the_environment(
    loop: str, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy that the environment names is used, whoever's connections there are."""
    monkeypatch.setenv("HTTPS_PROXY", peer.base_url)
    peer.always("payman.example:443", answer(502))

    async def main() -> None:
        async with build_async_http_client("https://payman.example").as_httpx() as http:
            await http.get("https://payman.example")

    with pytest.raises(httpx.ProxyError):
        run_on(loop, main)
    assert [request.method for request in peer.requests] == ["CONNECT"]


# A transport


class Counting(httpx.HTTPTransport):
    """httpx's own transport, and what is done with it."""

    def __init__(self) -> None:
        super().__init__(trust_env=False)
        self.done: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.done.append(request.url.path)
        return super().handle_request(request)

    def close(self) -> None:
        self.done.append("closed")
        super().close()


class AsyncCounting(httpx.AsyncHTTPTransport):
    """The same for tasks."""

    def __init__(self) -> None:
        super().__init__(trust_env=False)
        self.done: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.done.append(request.url.path)
        return await super().handle_async_request(request)

    async def aclose(self) -> None:
        self.done.append("closed")
        await super().aclose()


def test_a_given_transport_is_used_and_closed(peer: Peer) -> None:
    """Everything is sent through it, and it is closed with the client."""
    transport, async_transport = Counting(), AsyncCounting()
    config: Any = {"client_id": "pm-test-1", "client_secret": SECRET, "base_url": peer.base_url}
    with PaymanClient(config, transport=transport) as client:
        client.ask("Hello!")

    async def main() -> None:
        async with AsyncPaymanClient(config, transport=async_transport) as client:
            await client.ask("Hello!")

    anyio.run(main)
    assert transport.done == [TOKEN_PATH, ASK_PATH, "closed"]
    assert async_transport.done == [ASK_PATH, "closed"]  # the token is shared with the other client


def test_a_transport_of_the_sandbox_needs_no_socket() -> None:
    """A sandbox's transport can be given to either client."""
    sandbox = Sandbox()

    async def main() -> str:
        async with sandbox.async_client(transport=sandbox.transport()) as client:
            return (await client.ask("list all wallets")).status

    with sandbox.client(transport=sandbox.transport()) as client:
        statuses = [client.ask("list all wallets").status, anyio.run(main)]
    assert statuses == ["completed"] * 2
    assert not sandbox.is_serving


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"transport": "aiohttp"}, "transport is 'aiohttp', which sends for AsyncPaymanClient only."),
        ({"transport": "requests"}, "transport is a str. Give an httpx.BaseTransport."),
        (
            {"transport": httpx.AsyncHTTPTransport()},
            "transport is an AsyncHTTPTransport. Give an httpx.BaseTransport.",
        ),
        (
            {"transport": httpx.HTTPTransport(), "http_client": httpx.Client()},
            "both given. Give the transport to",
        ),
    ],
)
def test_what_is_not_a_transport_is_refused(given: Any, said: str, connect: Connect) -> None:
    """Something else, one of the other kind, or one beside an http_client is named."""
    with pytest.raises(ConfigurationError) as caught:
        connect(**given).ask("Hello!")
    assert said in str(caught.value)


def test_an_async_client_wants_an_async_transport(peer: Peer) -> None:
    """The async client names the kind that it wants."""
    with pytest.raises(
        ConfigurationError, match=r"transport is a HTTPTransport. Give an httpx.AsyncBaseTransport"
    ):
        anyio.run(lambda: asked(peer, transport=httpx.HTTPTransport()))


class NoRoute(Exception):  # noqa: N818 - a program's own
    """Cannot even be shown."""

    def __str__(self) -> str:
        raise RuntimeError("not shown")


def fail_with(error: Exception) -> Callable[[], httpx.AsyncBaseTransport]:
    """Return a function that fails to make a transport."""

    def make() -> httpx.AsyncBaseTransport:
        raise error

    return make


USES: dict[str, Callable[[AsyncPaymanClient], Awaitable[object]]] = {
    "ask": lambda client: client.ask("send 10 TSD to Test Payee"),
    "ask by key": lambda client: client.ask("send 10 TSD to Test Payee", idempotency_key="october"),
    "stream": lambda client: exhaust(client),
    "pay": lambda client: client.pay("Test Payee", 10, "TSD", idempotency_key="invoice-7"),
    "wallets": lambda client: client.wallets(),
    "get_task": lambda client: client.get_task("tsk-1"),
}


async def exhaust(client: AsyncPaymanClient) -> None:
    async with client.stream("send 10 TSD to Test Payee") as stream:
        async for _ in stream:
            pass


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("use", USES)
def test_a_function_that_makes_no_async_transport_sent_nothing(use: str, loop: str, peer: Peer) -> None:
    """It is called before a request is handed over, so whatever it raises or returns says so and names the setting."""
    token_info: Any = {"accessToken": "a", "expiresIn": 3600}
    given: dict[str, Callable[[], Any]] = {
        "is a HTTPTransport": httpx.HTTPTransport,
        "is a NoneType": lambda: None,
        "is a str": lambda: "aiohttp",
        "NoRoute": fail_with(NoRoute()),
        "ReadTimeout": fail_with(httpx.ReadTimeout("while it asked for the way")),
        "APIConnectionError": fail_with(APIConnectionError("another client's", sent=True)),
        "StopIteration": fail_with(StopIteration()),
    }

    async def main(make: Callable[[], Any]) -> None:
        settings: Any = {"base_url": peer.base_url, "timeout": 3, "transport": make}
        async with AsyncPaymanClient.with_token("pm-test-1", token_info, **settings) as client:
            await USES[use](client)

    for said, make in given.items():
        with pytest.raises(ConfigurationError, match=f"transport.*{said}") as caught:
            run_on(loop, main, make)
        assert caught.value.sent is False, said
    assert not peer.requests


@pytest.mark.parametrize("loop", LOOPS)
def test_a_made_transport_that_fails_when_used_may_have_sent(loop: str, peer: Peer) -> None:
    """Only the function runs before sending, not what it made."""

    def fail(_: httpx.Request) -> httpx.Response:
        raise NoRoute

    token_info: Any = {"accessToken": "a", "expiresIn": 3600}

    async def main() -> None:
        settings: Any = {"base_url": peer.base_url, "timeout": 3, "settle_time": 0}
        settings["transport"] = lambda: httpx.MockTransport(fail)
        async with AsyncPaymanClient.with_token("pm-test-1", token_info, **settings) as client:
            await client.ask("send 10 TSD to Test Payee")

    with pytest.raises(OutcomeUnknownError) as caught:
        run_on(loop, main)
    assert caught.value.sent is True


class Remembering:
    """A key store that knows every key, as another process left it."""

    def load(self, operation: str) -> float | None:
        return time.time()

    def claim(self, operation: str, now: float, before: float | None) -> bool:
        return True

    def forget(self, operation: str, recorded: float) -> None:
        pass


def test_without_a_transport_a_key_that_was_used_before_is_unknown(peer: Peer) -> None:
    """Nothing was sent now, and what was sent before is not known."""
    token_info: Any = {"accessToken": "a", "expiresIn": 3600}

    async def main() -> None:
        settings: Any = {"base_url": peer.base_url, "timeout": 3, "key_store": Remembering()}
        settings["transport"] = fail_with(NoRoute())
        async with AsyncPaymanClient.with_token("pm-test-1", token_info, **settings) as client:
            await client.ask("send 10 TSD to Test Payee", idempotency_key="october")

    with pytest.raises(OutcomeUnknownError, match="Nothing was sent now") as caught:
        anyio.run(main)
    assert caught.value.sent is True
    assert not peer.requests


def test_a_function_that_fails_after_a_fork_sent_nothing(peer: Peer, connect: Connect) -> None:
    """Threads: the function runs once more in a child, before the request is handed over."""
    made: list[httpx.BaseTransport] = []

    def make() -> httpx.BaseTransport:
        if made:
            raise NoRoute
        made.append(httpx.HTTPTransport(trust_env=False))
        return made[0]

    peer.always(ASK_PATH, completed)
    client = connect(transport=make)
    client.ask("Hello!")
    transport: Any = client._http
    transport.way.begin_anew()
    for name in ("first", "second"):
        with pytest.raises(ConfigurationError, match="transport failed: NoRoute") as caught:
            client.pay("Test Payee", 10, "TSD", memo=name)
        assert caught.value.sent is False
    assert len([one for one in peer.requests if one.path == ASK_PATH]) == 1
