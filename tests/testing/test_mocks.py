"""What a test has mocked never reaches a server, whoever mocks it and whichever connections a client has."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest import mock
from unittest.mock import patch

import httpx
import pytest
import respx

from payman_sdk import AsyncPaymanClient, PaymanClient
from payman_sdk._io.routes import Interception, get_clients, get_transports
from payman_sdk.errors import APIConnectionError, ConfigurationError, OutcomeUnknownError
from tests import programs
from tests.loops import run_on
from tests.peer import Peer
from tests.testing.test_plugin import Project

TOKEN = {"accessToken": "mocked", "tokenType": "Bearer", "expiresIn": 3600}


def mocked(request: httpx.Request) -> httpx.Response:
    """Play the server."""
    if "oauth2/token" in request.url.path:
        return httpx.Response(200, json=TOKEN, request=request)
    asked = json.loads(request.content)
    task = {"id": asked["params"]["id"], "sessionId": "ses-mocked", "status": {"state": "completed"}}
    return httpx.Response(200, json={"jsonrpc": "2.0", "id": asked["id"], "result": task}, request=request)


def replaced(kind: type, method: str) -> AbstractContextManager[Any]:
    """Replace a method of a class, as a test by hand does."""

    def handle(_: object, request: httpx.Request, **__: object) -> httpx.Response:
        return mocked(request)

    async def handle_async(_: object, request: httpx.Request, **__: object) -> httpx.Response:
        return mocked(request)

    return patch.object(kind, method, handle_async if "Async" in kind.__name__ else handle)


@contextlib.contextmanager
def with_respx(using: str) -> Iterator[None]:
    with respx.mock(using=using, assert_all_called=False) as router:
        router.route().mock(side_effect=mocked)
        yield


@contextlib.contextmanager
def both(method: str) -> Iterator[None]:
    """Replace a method of both clients or transports of httpx, whichever has it."""
    with contextlib.ExitStack() as stack:
        if method == "handle":
            stack.enter_context(replaced(httpx.HTTPTransport, "handle_request"))
            stack.enter_context(replaced(httpx.AsyncHTTPTransport, "handle_async_request"))
        else:
            stack.enter_context(replaced(httpx.Client, method))
            stack.enter_context(replaced(httpx.AsyncClient, method))
        yield


@contextlib.contextmanager
def classes(*names: str) -> Iterator[None]:
    """Put classes of a test in the place of httpx's."""
    with contextlib.ExitStack() as stack:
        for name in names:
            kind: type = type(name, (getattr(httpx, name),), {"__module__": __name__})
            method = "send" if name.endswith("Client") else "handle_request"
            method = "handle_async_request" if name == "AsyncHTTPTransport" else method
            stack.enter_context(replaced(kind, method))
            stack.enter_context(patch.object(httpx, name, kind))
        yield


MOCKS: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "respx": lambda: with_respx("httpcore"),
    "respx on httpx": lambda: with_respx("httpx"),
    "transports by hand": lambda: both("handle"),
    "send by hand": lambda: both("send"),
    "a private step by hand": lambda: both("_send_single_request"),
    "classes of clients": lambda: classes("Client", "AsyncClient"),
    "classes of transports": lambda: classes("HTTPTransport", "AsyncHTTPTransport"),
}
PROXIES = ("", "http://127.0.0.1:9", *(["socks5://127.0.0.1:9"] if find_spec("socksio") else []))


def ask(peer_url: str, **settings: Any) -> str:
    with PaymanClient.with_credentials(credentials(peer_url), **settings) as client:
        return client.ask("send 10 TSD to Test Payee").status


async def ask_async(peer_url: str, **settings: Any) -> str:
    async with AsyncPaymanClient.with_credentials(credentials(peer_url), **settings) as client:
        return (await client.ask("send 10 TSD to Test Payee")).status


def credentials(base_url: str) -> Any:
    return {
        "client_id": f"pm-{next(NUMBERS)}",  # tokens are shared by clients with the same credentials
        "client_secret": "s3cret",
        "base_url": base_url,
        "max_retries": 0,
        "timeout": 5,
    }


NUMBERS = iter(range(10_000))

WAYS: dict[str, Callable[[str], str]] = {
    "threads": ask,
    "asyncio": lambda url: asyncio.run(ask_async(url)),
    "trio": lambda url: run_on("trio", lambda: ask_async(url)),
    "aiohttp": lambda url: asyncio.run(ask_async(url, transport="aiohttp")),
    "own transport": lambda url: ask(url, transport=httpx.HTTPTransport),
}


@pytest.mark.slow
def test_no_mocked_request_reaches_a_server(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the server at hand, and with proxies that connections of their own would go through."""
    for proxy in PROXIES:
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        url = "https://payman.invalid" if proxy else peer.base_url
        for way, run in WAYS.items():
            if way == "aiohttp" and proxy.startswith("socks"):
                continue
            for name, start in MOCKS.items():
                with start():
                    assert run(url) == "completed", (proxy, way, name)
                assert peer.requests == [], (proxy, way, name)


def test_a_mocked_class_is_not_remembered_as_the_librarys_own() -> None:
    """A class that was a mock when the SDK looked first is watched again as soon as it is itself."""
    for name, method, look in (
        ("Client", "send", get_clients),
        ("AsyncHTTPTransport", "handle_async_request", get_transports),
    ):
        with patch.object(httpx, name):
            assert look().is_on()
        assert not look().is_watched()
        with replaced(getattr(httpx, name), method):
            assert look().is_on()


def test_a_request_that_a_wrapper_sends_elsewhere_arrives_there(peer: Peer) -> None:
    """A wrapper of httpx's clients may give a request another address than the client's."""
    kinds: tuple[Any, ...] = httpx.Client, httpx.AsyncClient
    genuine = [kind.send for kind in kinds]

    def elsewhere(client: Any, request: httpx.Request, **given: Any) -> Any:
        request.url = request.url.copy_with(host="127.0.0.1", port=httpx.URL(peer.base_url).port)
        return genuine[isinstance(client, httpx.AsyncClient)](client, request, **given)

    with contextlib.ExitStack() as stack:
        for kind in kinds:
            stack.enter_context(patch.object(kind, "send", elsewhere))
        for way in ("threads", "asyncio", "trio"):
            assert WAYS[way]("http://127.0.0.1:9") == "completed", way
    assert len(peer.asks()) == 3


def test_an_answer_from_elsewhere_is_read_as_it_comes(peer: Peer) -> None:
    """An own connection brings it, which keeps the deadline, and is closed with the answer."""
    genuine, genuine_async = httpx.Client.send, httpx.AsyncClient.send
    is_read: list[bool] = []
    sockets: list[Any] = []

    def redirect(request: httpx.Request) -> httpx.Request:
        request.url = request.url.copy_with(host="127.0.0.1", port=httpx.URL(peer.base_url).port)
        return request

    def send(client: Any, request: httpx.Request, **given: Any) -> httpx.Response:
        answer = genuine(client, redirect(request), **given)
        is_read.append(answer.is_stream_consumed)
        sockets.append(answer.extensions["network_stream"].get_extra_info("socket"))
        return answer

    async def send_async(client: Any, request: httpx.Request, **given: Any) -> httpx.Response:
        answer = await genuine_async(client, redirect(request), **given)
        is_read.append(answer.is_stream_consumed)
        sockets.append(answer.extensions["network_stream"].get_extra_info("socket"))
        return answer

    with patch.object(httpx.Client, "send", send), patch.object(httpx.AsyncClient, "send", send_async):
        for way in ("threads", "asyncio", "trio"):
            assert WAYS[way]("http://127.0.0.1:9") == "completed", way
    assert is_read == [False] * 6
    assert [one.fileno() for one in sockets] == [-1] * 6
    assert len(peer.asks()) == 3


def test_nothing_is_sent_to_an_address_that_no_connection_reaches(peer: Peer) -> None:
    """A wrapper that gives a request such an address has sent nothing."""
    genuine = httpx.Client.send

    def elsewhere(client: Any, request: httpx.Request, **given: Any) -> httpx.Response:
        if "tasks" in request.url.path:
            request.url = request.url.copy_with(scheme="ftp")
        return genuine(client, request, **given)

    with patch.object(httpx.Client, "send", elsewhere), pytest.raises(APIConnectionError) as caught:
        ask(peer.base_url)
    assert caught.value.sent is False
    assert peer.asks() == []


def test_a_client_sends_by_the_class_that_is_there_now(peer: Peer) -> None:
    """One that has sent by a client of httpx before makes another, where a test replaces the class."""
    with PaymanClient.with_credentials(credentials(peer.base_url)) as client:
        for name in ("respx", "classes of clients"):
            with MOCKS[name]():
                assert client.ask("hello").status == "completed"
    assert peer.requests == []


@pytest.mark.slow
def test_a_mocked_failure_after_sending_is_not_taken_for_one_before(peer: Peer) -> None:
    """Nobody reports the steps of a mocked request, so silence does not mean that nothing was sent."""
    failures: dict[str, tuple[Exception, int]] = {
        "read": (httpx.ReadTimeout("mocked"), 1),
        "broken": (httpx.RemoteProtocolError("mocked"), 1),
        "a bug": (RuntimeError("mocked"), 1),
        "refused": (httpx.ConnectError("mocked"), 2),
    }
    for name, (failure, sends) in failures.items():
        with respx.mock(assert_all_called=False) as router:
            router.route(path__regex=".*oauth2/token").mock(side_effect=mocked)
            asks = router.route(path__regex=".*tasks/send").mock(side_effect=failure)
            router.route().mock(return_value=httpx.Response(500))
            with pytest.raises(Exception) as caught:
                ask(peer.base_url, max_retries=1, timeout=1.5 if sends > 1 else 0.5)
        assert isinstance(caught.value, OutcomeUnknownError) is (sends == 1), (name, caught.value)
        assert asks.call_count == sends, name
    assert peer.requests == []


@pytest.mark.slow
def test_pytest_httpx_sees_every_request(peer: Peer, tmp_path: Path) -> None:
    """A suite with pytest-httpx, in a pytest of its own: its fixture gets the requests of every client."""
    project = Project(tmp_path)
    project.write("pytest.ini", "[pytest]\nfilterwarnings = error\nmarkers = slow\n")
    project.write(
        "test_mocked.py",
        f"""
        import asyncio
        import pytest
        from tests.testing.test_mocks import ask, ask_async, mocked

        URL = {peer.base_url!r}

        @pytest.fixture(autouse=True)
        def everything(httpx_mock):
            httpx_mock.add_callback(mocked, is_reusable=True)

        def test_threads(httpx_mock):
            assert ask(URL) == "completed"
            assert len(httpx_mock.get_requests()) == 2

        def test_tasks(httpx_mock):
            assert asyncio.run(ask_async(URL)) == "completed"
            assert asyncio.run(ask_async(URL, transport="aiohttp")) == "completed"
            assert len(httpx_mock.get_requests()) == 4
        """,
    )
    assert "2 passed" in project.run("-p", "no:recording", "-p", "no:respx")
    assert peer.requests == []


@pytest.mark.slow
def test_watchers_change_nothing(peer: Peer) -> None:
    """Wrappers of httpx's clients see the client's own requests without a query; those of httpx's transports see nothing."""
    program = """
import sys, httpx, sentry_sdk, wrapt
from unittest.mock import patch
from sentry_sdk.integrations.httpx import HttpxIntegration
from tests.testing.test_mocks import PaymanClient, credentials, mocked, replaced
from payman_sdk._io.routes import get_clients, get_transports

sentry_sdk.init(auto_enabling_integrations=False, default_integrations=False, integrations=[HttpxIntegration()])
seen = []
patch("sentry_sdk.integrations.httpx.parse_url", lambda url, **_: seen.append(url)).start()
def wrap(wrapped, instance, args, given):
    seen.append(str(args[0].url))
    return wrapped(*args, **given)
wrap.__module__ = "ddtrace.contrib.httpx"
wrapt.wrap_function_wrapper("httpx", "Client.send", wrap)
wrapt.wrap_function_wrapper("httpx", "HTTPTransport.handle_request", wrap)
assert get_clients().is_watched() and not get_clients().is_on() and not get_transports().is_on()
with PaymanClient.with_token(credentials(sys.argv[1]), {"refreshToken": "hunted"}) as client:
    try:
        client.ask("hello")
    except Exception:
        pass
assert len(seen) == 4 and all("?" not in url for url in seen), seen
"""
    done = programs.run(
        [sys.executable, "-c", program, peer.base_url],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_wrapper_is_nobodys_function_whatever_it_pretends_to_be() -> None:
    """Wrappers show the globals of what they wrap; only a known watcher's leaves the SDK its own connections."""

    class Wrapper:
        """What a copy of wrapt makes: an object of a class without a module."""

        __module__ = "builtins"

        def __init__(self, called: Any) -> None:
            self.__wrapped__ = httpx.Client.send
            self.__globals__ = httpx.Client.send.__globals__
            if called is not None:
                self._self_wrapper = called

    def watch() -> None: ...

    rows: dict[str, tuple[Any, bool, bool]] = {
        "the library's own": (httpx.Client.send, False, False),
        "a watcher's": ("ddtrace.contrib.httpx", True, False),
        "a program's": ("my_tests", True, True),
        "one that does not say whose it is": (None, True, True),
        "a mock": (mock.Mock(wraps=httpx.Client.send), True, True),
        "a mock with the signature": (mock.create_autospec(httpx.Client.send), True, True),
        "a partial": (functools.partial(httpx.Client.send), True, True),
    }
    for name, (given, is_watched, is_on) in rows.items():
        if given is None or isinstance(given, str):
            watch.__module__ = given or ""
            function: Any = Wrapper(watch if given else None)
        else:
            function = given
        kind = type("Client", (), {"send": function, "__module__": "httpx"})
        for _ in range(2):  # what was found is remembered
            assert Interception((kind, "send")).is_watched() is is_watched, name
            assert Interception((kind, "send")).is_on() is is_on, name


def test_aiohttp_is_used_only_when_asked_for(peer: Peer) -> None:
    """That the package is there changes nothing; without it, and where it cannot work, the error says what to do."""
    from tests.peer import ASK_PATH, TOKEN_PATH, completed, token

    peer.always(TOKEN_PATH, token())
    peer.always(ASK_PATH, completed)
    import aiohttp

    made: list[object] = []
    genuine = aiohttp.ClientSession.__init__

    def note(session: aiohttp.ClientSession, *args: Any, **given: Any) -> None:
        made.append(session)
        genuine(session, *args, **given)

    with patch.object(aiohttp.ClientSession, "__init__", note):
        assert asyncio.run(ask_async(peer.base_url)) == "completed"
        assert made == []
        assert asyncio.run(ask_async(peer.base_url, transport="aiohttp")) == "completed"
        assert len(made) == 1
    with pytest.raises(ConfigurationError, match="AsyncPaymanClient only"):
        ask(peer.base_url, transport="aiohttp")
    with pytest.raises(ConfigurationError, match="asyncio only"):
        run_on("trio", lambda: ask_async(peer.base_url, transport="aiohttp"))
    with (
        patch.dict(sys.modules, {"aiohttp": None}),
        pytest.raises(ConfigurationError, match=r"paymanai-sdk\[aiohttp\]"),
    ):
        asyncio.run(ask_async(peer.base_url, transport="aiohttp"))
