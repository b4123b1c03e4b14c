"""Whatever is raised after a request was sent, by whomever, leaves the outcome open and is never taken for "not sent"."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import json
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Self, cast

import aiohttp
import anyio
import h11
import httpcore
import httpx
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from payman_sdk import AsyncPaymanClient, PaymanClient
from payman_sdk.errors import (
    APIConnectionError,
    AuthenticationError,
    ConfigurationError,
    OutcomeUnknownError,
    PaymanError,
    RateLimitError,
    TaskNotFoundError,
)
from tests.conftest import SECRET
from tests.loops import run_on
from tests.peer import ASK_PATH, GET_PATH, TOKEN_PATH, Peer, answer, completed, json_answer, rpc, token
from tests.streaming.wire import STREAM_PATH

pytestmark = pytest.mark.slow


NOBODY_TELLS = rpc(error={"code": -32601, "message": "there is no tasks/get"})
LOOPS = [None, "asyncio", "trio"]
"""Threads, and the loops that httpx runs on."""


RAISED_BY_LOOPS = (
    asyncio.InvalidStateError,
    concurrent.futures.CancelledError,
    ExceptionGroup,
    RuntimeError,
    StopAsyncIteration,
    StopIteration,
    TimeoutError,
    anyio.BrokenResourceError,
)


class Unprintable(Exception):  # noqa: N818
    """Can be neither shown nor looked at."""

    def __str__(self) -> str:
        raise RuntimeError("hunted-secret")

    __repr__ = __str__


class Untouchable(Exception):  # noqa: N818
    """Breaks whoever looks at it, or writes on it."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError("hunted-secret")

    def __setattr__(self, name: str, value: object) -> None:
        raise RuntimeError("hunted-secret")


def caused(error: Exception, cause: BaseException) -> Exception:
    error.__cause__ = cause
    return error


def raised_by_anybody(loop: str | None) -> Iterator[Callable[[], Exception]]:
    """Yield what makes an exception of each kind, anew for each time that it is raised.

    All of them in threads. On loops, which run the same code, each one on one of the two; but on both what coroutines and loops
    raise themselves.
    """
    for number, make in enumerate(list_makers()):
        if loop in (None, LOOPS[1 + number % 2]) or issubclass(type(make()), RAISED_BY_LOOPS):
            yield make


def list_makers() -> list[Callable[[], Exception]]:
    request = httpx.Request("POST", "https://payman.example/?code=hunted-secret")
    return [
        lambda: ConnectionResetError(104, "hunted-secret"),
        lambda: ConnectionRefusedError(111, "Connection refused"),
        lambda: RuntimeError("Event loop is closed, hunted-secret"),
        lambda: ssl.SSLError(1, "hunted-secret"),
        lambda: ssl.SSLCertVerificationError("hunted-secret"),
        lambda: socket.gaierror(socket.EAI_NONAME, "hunted-secret"),
        lambda: OSError(5, "hunted-secret"),
        lambda: OSError("hunted-secret"),
        lambda: TimeoutError("hunted-secret"),
        lambda: asyncio.InvalidStateError(),
        lambda: concurrent.futures.CancelledError(),
        lambda: ValueError("hunted-secret"),
        lambda: KeyError("hunted-secret"),
        lambda: AttributeError("hunted-secret"),
        lambda: AssertionError("hunted-secret"),
        lambda: MemoryError(),
        lambda: RecursionError(),
        lambda: UnicodeEncodeError("utf-8", "hunted-secret", 0, 1, "surrogates"),
        lambda: json.JSONDecodeError("hunted-secret", "{", 0),
        lambda: StopIteration("hunted-secret"),
        lambda: StopAsyncIteration("hunted-secret"),
        lambda: ExceptionGroup("hunted-secret", [ConnectionRefusedError(111, "hunted-secret")]),
        lambda: Unprintable(),
        lambda: Untouchable(),
        lambda: type("NobodyListedIt", (Exception,), {})("hunted-secret"),
        lambda: h11.LocalProtocolError("hunted-secret"),
        lambda: anyio.BrokenResourceError(),
        lambda: aiohttp.ServerDisconnectedError("hunted-secret"),
        lambda: aiohttp.ConnectionTimeoutError("hunted-secret"),
        lambda: httpx.ConnectError("hunted-secret"),
        lambda: httpx.ConnectTimeout("hunted-secret"),
        lambda: httpx.PoolTimeout("hunted-secret"),
        lambda: httpx.ProxyError("hunted-secret"),
        lambda: httpx.UnsupportedProtocol("hunted-secret"),
        lambda: httpx.LocalProtocolError("hunted-secret"),
        lambda: httpx.InvalidURL("hunted-secret"),
        lambda: httpx.ReadTimeout("hunted-secret"),
        lambda: httpx.StreamConsumed(),
        lambda: httpx.TooManyRedirects("hunted-secret", request=request),
        lambda: httpx.HTTPStatusError(
            "hunted-secret", request=request, response=httpx.Response(403, request=request)
        ),
        lambda: caused(httpx.ConnectError("hunted-secret"), httpcore.ConnectError("hunted-secret")),
        lambda: caused(httpx.PoolTimeout("hunted-secret"), httpcore.PoolTimeout("hunted-secret")),
        lambda: caused(httpx.ConnectError("hunted-secret"), ConnectionRefusedError(111, "hunted-secret")),
        lambda: PaymanError("hunted-secret"),
        lambda: ConfigurationError("hunted-secret"),
        lambda: AuthenticationError("hunted-secret", status_code=401),
        lambda: RateLimitError("hunted-secret", status_code=429),
        lambda: TaskNotFoundError("hunted-secret"),
        lambda: APIConnectionError("hunted-secret", sent=False),
    ]


class Fault:
    """What is raised after an ask was sent, by a transport and by a hook of httpx, as caches, recorders and pools may do."""

    def __init__(self) -> None:
        self.make: Callable[[], Exception] | None = None

    def strike(self, request: httpx.Request) -> None:
        if self.make is not None and request.url.path in {ASK_PATH, STREAM_PATH}:
            raise self.make()

    def transport(self, loop: str | None) -> Any:
        """A transport that raises when the answer is there."""
        fault = self

        class After(httpx.HTTPTransport):
            def handle_request(self, request: httpx.Request) -> httpx.Response:
                answer = super().handle_request(request)
                answer.read()
                fault.strike(request)
                return answer

        class AsyncAfter(httpx.AsyncHTTPTransport):
            async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
                answer = await super().handle_async_request(request)
                await answer.aread()
                fault.strike(request)
                return answer

        return (After if loop is None else AsyncAfter)(trust_env=False)

    def hook(self, loop: str | None) -> Any:
        """An event hook that raises when the answer is there."""

        def look(answer: httpx.Response) -> None:
            self.strike(answer.request)

        async def look_async(answer: httpx.Response) -> None:
            self.strike(answer.request)

        return look if loop is None else look_async


class Caller:
    """A client for threads or for tasks, used from here. It closes a client of httpx that it is given."""

    def __init__(self, loop: str | None, **given: Any) -> None:
        self._stack = contextlib.ExitStack()
        self._http = given.get("http_client")
        self._portal: BlockingPortal | None = None
        if loop is None:
            self.client: Any = self._stack.enter_context(PaymanClient(**given))
            return
        self._portal = self._stack.enter_context(start_blocking_portal(loop))
        self.client = self._stack.enter_context(
            self._portal.wrap_async_context_manager(AsyncPaymanClient(**given))
        )

    def ask(self, **options: Any) -> Any:
        """Ask, and return the answer."""
        ask = partial(self.client.ask, "send 10 TSD to Test Payee", **options)
        return ask() if self._portal is None else self._portal.call(ask)

    def stream(self, **options: Any) -> Any:
        """Ask for a stream, and return its answer."""
        stream = partial(self.client.stream, "send 10 TSD to Test Payee", **options)
        if self._portal is None:
            with stream() as opened:
                return opened.result()

        async def read() -> Any:
            async with stream() as opened:
                return await opened.result()

        return self._portal.call(read)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._http is not None:
            self._http.close() if self._portal is None else self._portal.call(self._http.aclose)
        self._stack.close()


def client_of_httpx(loop: str | None, **given: Any) -> Any:
    return httpx.Client(**given) if loop is None else httpx.AsyncClient(**given)


@contextlib.contextmanager
def callers(loop: str | None, fault: Fault, **given: Any) -> Iterator[list[Caller]]:
    """A caller with a transport, and one with a client of httpx, that raise what the fault makes."""
    http = client_of_httpx(loop, trust_env=False, event_hooks={"response": [fault.hook(loop)]})
    with (
        Caller(loop, **given, transport=fault.transport(loop)) as one,
        Caller(loop, **given, http_client=http) as other,
    ):
        yield [one, other]


def settings(peer: Peer, **more: Any) -> dict[str, Any]:
    given = {"client_id": "pm-test-1", "client_secret": SECRET, "base_url": peer.base_url}
    return {**given, "max_retries": 2, "timeout": 5, "settle_time": 0.02, **more}


def said_by(error: BaseException) -> str:
    """Everything that a program may show of an exception and of what it comes from."""
    return f"{error!r} {error} {error.__cause__!r} {error.__context__!r} {getattr(error, '__notes__', '')}"


@pytest.mark.parametrize("loop", LOOPS)
def test_whatever_is_raised_after_sending_is_looked_into(loop: str | None, peer: Peer) -> None:
    """The task is looked up, and its end is the answer; the ask is not sent again, as a stream neither."""
    peer.always(GET_PATH, completed)
    fault = Fault()
    with callers(loop, fault, **settings(peer)) as both:
        for make in raised_by_anybody(loop):
            fault.make = make
            for caller in both:
                for ask in (caller.ask, caller.stream):
                    peer.requests.clear()
                    response = ask()
                    sends = [one for one in peer.requests if one.path in {ASK_PATH, STREAM_PATH}]
                    assert (response.status, len(sends)) == ("completed", 1), (type(make()), ask)


@pytest.mark.parametrize("loop", LOOPS)
def test_what_cannot_be_looked_into_is_unknown(loop: str | None, peer: Peer) -> None:
    """Where no task can be looked up, the error says so, carries the ids, and nothing of what was raised."""
    peer.always(GET_PATH, NOBODY_TELLS)
    fault = Fault()
    with callers(loop, fault, **settings(peer)) as both:
        for make in raised_by_anybody(loop):
            fault.make = make
            for caller in both:
                peer.requests.clear()
                with pytest.raises(OutcomeUnknownError) as caught:
                    caller.ask()
                row = (type(make()), caller)
                assert (caught.value.sent, len(peer.asks())) == (True, 1), row
                assert caught.value.task_id == peer.asks()[0].json["params"]["id"], row
                assert "hunted-secret" not in said_by(caught.value), row


# --- transports that send more than once


class Elsewhere(httpx.HTTPTransport):
    """Sends an ask, and fails to connect when it sends it again."""

    def __init__(self, dead: int, then: Callable[[httpx.HTTPTransport, httpx.Request, int], Any]) -> None:
        super().__init__(trust_env=False)
        self._dead, self._then = dead, then

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path != ASK_PATH:
            return super().handle_request(request)
        own = cast("httpx.HTTPTransport", super())
        return cast("httpx.Response", self._then(own, request, self._dead))


def lost(own: httpx.HTTPTransport, request: httpx.Request) -> None:
    own.handle_request(request).read()


def copy_of(request: httpx.Request, port: int | None = None) -> httpx.Request:
    """A request without the extensions of the other, as some transports make it."""
    url = request.url if port is None else request.url.copy_with(port=port)
    return httpx.Request(request.method, url, headers=request.headers, content=request.read())


def same_again(own: httpx.HTTPTransport, request: httpx.Request, dead: int) -> Any:
    lost(own, request)
    request.url = request.url.copy_with(port=dead)
    return own.handle_request(request)


def copy_again(own: httpx.HTTPTransport, request: httpx.Request, dead: int) -> Any:
    lost(own, request)
    return own.handle_request(copy_of(request, dead))


def copy_first_then_by_hand(own: httpx.HTTPTransport, request: httpx.Request, dead: int) -> Any:
    lost(own, copy_of(request))
    raise httpx.ConnectError("refused") from ConnectionRefusedError(111, "Connection refused")


def refused_then_copy(own: httpx.HTTPTransport, request: httpx.Request, dead: int) -> Any:
    url, request.url = request.url, request.url.copy_with(port=dead)
    try:
        return own.handle_request(request)
    except httpx.ConnectError:
        request.url = url
        lost(own, copy_of(request))
        raise httpx.ConnectError("the other one failed, too")  # noqa: B904 (what such transports raise)


def refused_then_copy_twice(own: httpx.HTTPTransport, request: httpx.Request, dead: int) -> Any:
    url, request.url = request.url, request.url.copy_with(port=dead)
    try:
        return own.handle_request(request)
    except httpx.ConnectError:
        request.url = url
        lost(own, copy_of(request))
        return own.handle_request(copy_of(request, dead))


def refused_by_the_second(own: httpx.HTTPTransport, request: httpx.Request, dead: int) -> Any:
    lost(own, request)
    return own.handle_request(request)


TWICE = [
    same_again,
    copy_again,
    copy_first_then_by_hand,
    refused_then_copy,
    refused_then_copy_twice,
    refused_by_the_second,
]


def dead_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return cast("int", listener.getsockname()[1])


def test_a_transport_that_sends_twice_is_not_believed(peer: Peer) -> None:
    """That the second sending failed, or was refused, says nothing of the first."""
    for then in TWICE:
        # Plainly refused, where it arrives a second time.
        peer.script(ASK_PATH, completed, answer(400) if then is refused_by_the_second else completed)
        given = settings(peer, transport=Elsewhere(dead_port(), then))
        with Caller(None, **given) as caller:
            assert caller.ask().status == "completed", then.__name__
        peer.unscript()


# --- what is known not to have been sent


class Logged(httpx.HTTPTransport):
    """A transport that only looks on."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return super().handle_request(request)


class Wrapped(httpx.AsyncBaseTransport):
    """The same for tasks, around another."""

    def __init__(self, **given: Any) -> None:
        self._inner = httpx.AsyncHTTPTransport(trust_env=False, **given)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


def refused_ways(loop: str | None) -> list[dict[str, Any]]:
    if loop is None:
        return [
            {},
            {"transport": httpx.HTTPTransport()},
            {"transport": httpx.HTTPTransport(retries=1)},
            {"transport": Logged()},
            {"http_client": httpx.Client(trust_env=False)},
            {"http_client": httpx.Client(transport=Logged())},
        ]
    return [
        {},
        {"transport": httpx.AsyncHTTPTransport()},
        {"transport": Wrapped()},
        {"http_client": httpx.AsyncClient(trust_env=False)},
    ]


@pytest.mark.parametrize("loop", LOOPS)
def test_a_connection_that_is_refused_sent_nothing(loop: str | None) -> None:
    """It is known of own connections, and of given ones of httpx, also where another transport looks on."""
    port = dead_port()
    for given in refused_ways(loop):
        error = raised_at(f"http://127.0.0.1:{port}", loop, **given)
        assert (type(error), error.sent, error.is_transient) == (APIConnectionError, False, True), given
        assert f"Could not connect to 127.0.0.1:{port}: connection refused." in str(error), given
        assert error.__cause__ is error.__context__ is None, given


def raised_at(base_url: str, loop: str | None = None, **given: Any) -> APIConnectionError:
    """What an ask raises whose server cannot be reached."""
    token_info: Any = {"accessToken": "a", "expiresIn": 3600}
    known: Any = {"base_url": base_url, "max_retries": 0, "timeout": 3, **given}

    async def main() -> None:
        async with AsyncPaymanClient.with_token("pm-test-1", token_info, **known) as client:
            await client.ask("Hello!")

    with pytest.raises(APIConnectionError) as caught:
        if loop is None:
            with PaymanClient.with_token("pm-test-1", token_info, **known) as client:
                client.ask("Hello!")
        else:
            run_on(loop, main)
    return caught.value


def test_a_proxy_is_named_and_nothing_secret_with_it(peer: Peer) -> None:
    """An error names the server and the proxy, and neither a user's name nor a password."""
    port = dead_port()
    closed = f"http://user:hunted-secret@127.0.0.1:{port}"
    peer.always("payman.example:443", answer(407))
    refusing = f"http://user:hunted-secret@127.0.0.1:{peer.port}"
    rows = [
        (
            "http://127.0.0.1:9",
            closed,
            f"127.0.0.1:9 (via 127.0.0.1:{port}): connection refused.",
        ),
        (
            "https://payman.example",
            closed,
            f"payman.example:443 (via 127.0.0.1:{port}): connection",
        ),
        (
            "https://payman.example",
            refusing,
            f"(via 127.0.0.1:{peer.port}): the proxy answered 407.",
        ),
    ]
    for base_url, proxy, said in rows:
        with httpx.Client(proxy=proxy) as http:
            given = {"transport": httpx.HTTPTransport(proxy=proxy)}, {"http_client": http}
            for error in [raised_at(base_url, **one) for one in given]:
                assert error.sent is False, base_url
                assert said in str(error), base_url
                assert "hunted-secret" not in said_by(error), base_url
                assert "user" not in str(error), base_url


def test_a_hook_that_raises_before_sending_sent_nothing(peer: Peer) -> None:
    """A request hook of httpx ends an ask, as a policy of a program may; it is known that nothing was sent."""

    def refuse(request: httpx.Request) -> None:
        if request.url.path == ASK_PATH:
            raise PermissionError("hunted-secret")

    with httpx.Client(trust_env=False, event_hooks={"request": [refuse]}) as http:
        client = PaymanClient(**settings(peer, http_client=http, max_retries=0))
        with pytest.raises(APIConnectionError) as caught:
            client.ask("Hello!")
    assert caught.value.sent is False
    assert "hunted-secret" not in said_by(caught.value)
    assert peer.asks() == []


class Copying(httpx.Client):
    """A client that sends a copy of a request, and raises when the answer is there."""

    def send(self, request: httpx.Request, **given: Any) -> httpx.Response:
        answer = super().send(copy_of(request), **given)
        if request.url.path == ASK_PATH:
            answer.read()
            raise httpx.ConnectError("refused")
        return answer


def test_a_client_or_a_transport_with_other_methods_is_not_believed(peer: Peer) -> None:
    """Who derives from httpx's classes, or replaces a method of an object or of a class, may have sent whatever is raised."""
    peer.always(GET_PATH, completed)

    def sent_by_hand(request: httpx.Request) -> httpx.Response:
        with httpx.Client(trust_env=False) as other:
            answer = other.send(copy_of(request))
        if request.url.path == ASK_PATH:
            raise httpx.ConnectError("refused")
        return answer

    transport = httpx.HTTPTransport()
    transport.handle_request = sent_by_hand  # type: ignore[method-assign] # what such programs do
    http = httpx.Client(trust_env=False)
    http.send = lambda request, **_: sent_by_hand(request)  # type: ignore[method-assign]
    with http, Copying(trust_env=False) as copying:
        for given in ({"transport": transport}, {"http_client": http}, {"http_client": copying}):
            peer.unscript()
            client = PaymanClient(**settings(peer, **given))
            assert client.ask("Hello!").status == "completed", given
            assert len(peer.asks()) == 1, given


def test_a_stand_in_for_a_transport_of_httpx_is_not_believed(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a test puts in the place of httpx's method may raise anything after it has counted an ask as sent."""
    sends: list[httpx.Request] = []

    def stand_in(_: object, request: httpx.Request) -> httpx.Response:
        if request.url.path == ASK_PATH:
            sends.append(request)
            raise RuntimeError("Event loop is closed")
        about = json.loads(request.content or b"{}")
        task = {"id": about.get("params", {}).get("id"), "status": {"state": "completed"}}
        body = {"accessToken": "a", "expiresIn": 60, "id": about.get("id"), "result": task}
        return httpx.Response(200, json=body)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", stand_in)
    for given in ({}, {"transport": httpx.HTTPTransport()}, {"http_client": httpx.Client(trust_env=False)}):
        sends.clear()
        assert PaymanClient(**settings(peer, **given)).ask("Hello!").status == "completed", given
        assert len(sends) == 1, given


def test_what_cannot_be_written_down_is_not_sent(peer: Peer) -> None:
    """A request that cannot be built is a mistake in a setting, and known not to be sent."""

    class Unbuildable(httpx.Client):
        def build_request(self, *_: Any, **__: Any) -> httpx.Request:
            raise LookupError("hunted-secret")

    with pytest.raises(ConfigurationError) as caught:
        PaymanClient(**settings(peer, http_client=Unbuildable(trust_env=False))).ask("Hello!")
    assert caught.value.sent is False
    assert "hunted-secret" not in said_by(caught.value)
    assert peer.requests == []


# --- hooks that raise for a status


def raise_for_status(answer: httpx.Response) -> None:
    answer.raise_for_status()


async def raise_for_status_async(answer: httpx.Response) -> None:
    answer.raise_for_status()


def ended(ask: Callable[[], Any]) -> tuple[str, str, Any, Any, Any]:
    """How an ask ended, apart from its ids."""
    try:
        response = ask()
    except PaymanError as error:
        body = error.response.text if error.response else None
        return type(error).__name__, error.message, error.sent, error.status_code, body
    return "no error", response.status, None, None, None


def error_of_agent(code: int, status: int) -> Any:
    return rpc(status, error={"code": code, "message": "why not"})


STATUSES: list[Any] = [
    *(
        json_answer({"error": "slow"}, status)
        for status in (400, 401, 402, 403, 404, 409, 422, 429, 500, 502, 504)
    ),
    json_answer({"error": "slow"}, 429, retry_after_ms="5"),
    json_answer({"error": "slow"}, 503, retry_after="0"),
    answer(503, "<html>", "text/html", retry_after="3600"),
    error_of_agent(-32602, 400),
    error_of_agent(-32001, 404),
    error_of_agent(-32603, 500),
    answer(307, location="/elsewhere"),
]


@pytest.mark.parametrize("loop", LOOPS)
def test_a_hook_that_raises_for_a_status_changes_nothing(loop: str | None, peer: Peer) -> None:
    """The common hook ends an ask exactly as the answer itself would: class, words, body, Retry-After, what is sent."""
    hook = raise_for_status if loop is None else raise_for_status_async
    limits = httpx.Limits(max_keepalive_connections=0)  # a refusal on a used connection proves nothing
    both = [
        client_of_httpx(loop, trust_env=False, limits=limits, event_hooks={"response": hooks})
        for hooks in ([], [hook])
    ]
    given = settings(peer, max_retries=1, timeout=60)
    peer.always(GET_PATH, error_of_agent(-32001, 404))
    with (
        Caller(loop, **given, http_client=both[0]) as plain,
        Caller(loop, **given, http_client=both[1]) as other,
    ):
        for number, write in enumerate(STATUSES):
            peer.always(ASK_PATH, write)
            ends = []
            for caller in (plain, other):
                peer.requests.clear()
                ends.append(cut(f"{ended(caller.ask)} {[one.path for one in peer.asks()]}"))
            assert ends[0] == ends[1], number


def cut(said: str) -> str:
    """What was said without ids and times, which are never the same."""
    return re.sub(r"req-[0-9a-f-]{36}|for [0-9.]+ s", "…", said)


def test_a_hook_that_raises_for_another_request_says_nothing_of_ours(peer: Peer) -> None:
    """A hook that reports elsewhere, and is refused there, is no refusal of the ask."""
    peer.always("/metrics", answer(403))

    def report(answer: httpx.Response) -> None:
        if answer.request.url.path == ASK_PATH:
            httpx.post(f"{peer.base_url}/metrics", trust_env=False).raise_for_status()

    with (
        httpx.Client(trust_env=False, event_hooks={"response": [report]}) as http,
        Caller(None, **settings(peer, http_client=http)) as caller,
    ):
        assert caller.ask().status == "completed"
    assert len(peer.asks()) == 1


def test_a_session_of_aiohttp_that_raises_for_a_status(peer: Peer) -> None:
    """The same for aiohttp; an answer that it cannot read, which it calls 400, is no refusal."""
    from httpx_aiohttp import AiohttpTransport

    peer.always(GET_PATH, completed)

    async def main() -> str:
        async with aiohttp.ClientSession(raise_for_status=True) as session:
            given = settings(peer, transport=AiohttpTransport(client=session), max_retries=0)
            async with AsyncPaymanClient(**given) as client:
                return (await client.ask("Hello!")).status

    for status, kind in ((403, "PermissionDeniedError"), (422, "UnprocessableEntityError")):
        peer.script(ASK_PATH, answer(status))
        assert ended(lambda: anyio.run(main))[:1] == (kind,)

    def unreadable(request: Any) -> Iterator[bytes]:
        yield b"".join(completed(request)).replace(b"content-length: ", b"content-length: x")

    peer.script(ASK_PATH, unreadable)
    assert anyio.run(main) == "completed"
    assert len(peer.asks()) == 3


# --- what hooks of ours raise


@pytest.mark.parametrize("loop", LOOPS)
def test_what_our_hooks_raise_comes_out_unchanged(loop: str | None, peer: Peer) -> None:
    """The very exception of `before_send`, `on_retry`, `on_task`, `on_token` and `on_message` comes out, whatever it is."""
    peer.always(TOKEN_PATH, token(lifetime=0.001))  # so that each ask fetches one
    raised: list[Exception] = []
    hooks: dict[str, Any] = {}

    def hook(name: str, _: object) -> None:
        if name in hooks:
            raised.append(hooks[name]())
            raise raised[-1]

    names = ("before_send", "on_retry", "on_task", "on_token", "on_message")
    given = {name: partial(hook, name) for name in names[:-1]}
    with Caller(loop, **settings(peer, **given)) as caller:
        for make in raised_by_anybody(loop):
            for name in names:
                hooks = {name: make}
                if name == "on_retry":
                    peer.script(ASK_PATH, answer(429, retry_after_ms="1"))
                option: Any = {name: partial(hook, name)} if name == "on_message" else {}
                out = raised_by(partial(caller.ask, **option))
                is_same = out is raised[-1] or is_pythons_own(out, raised[-1])
                assert is_same, (type(make()), name, type(out))
                assert len(raised) == 1, (type(make()), name)
                raised.clear()


def raised_by(call: Callable[[], Any]) -> BaseException | None:
    try:
        call()
    except BaseException as error:
        return error
    return None


def is_pythons_own(out: BaseException | None, raised: Exception) -> bool:
    """Whether it is what Python makes of an exception that says the end of something, in a coroutine or an iterator."""
    is_end = type(raised) in {StopIteration, StopAsyncIteration}
    return is_end and isinstance(out, RuntimeError) and out.__cause__ is raised
