"""Tracebacks with locals, as pytest, rich and error trackers print them: no frame of what comes out of the SDK holds a secret."""

from __future__ import annotations

import asyncio
import base64
import socket
import ssl
import traceback
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from urllib.parse import quote_plus

import anyio
import httpx
import pytest
from rich.pretty import pretty_repr

from payman_sdk import AsyncPaymanClient, PaymanClient
from payman_sdk.errors import PaymanError
from payman_sdk.token_stores.memory import forget_shared_stores
from tests.loops import LOOPS, run_on
from tests.peer import ASK_PATH, GET_PATH, TOKEN_PATH, Answer, Peer, answer, reset

CLIENT_SECRET = "client-secret/" + "S3CR3T" * 20
REFRESH = "refresh/" + "R3FR3SH" * 20
ACCESS = "access/" + "T0K3N" * 40
CODE = "code/" + "C0D3" * 20
VERIFIER = "verifier-" + "V3R1F13R" * 10
PAIR = base64.b64encode(f"pm-1:{CLIENT_SECRET}".encode()).decode()
MARKS = [
    "S3CR3T",
    "R3FR3SH",
    "T0K3N",
    "C0D3",
    "V3R1F13R",
    PAIR[:40],
    quote_plus(REFRESH)[:12],
    quote_plus(CODE)[:9],
]

FAILURES: dict[str, dict[str, Answer]] = {
    "ask 401": {ASK_PATH: answer(401)},
    "ask 403": {ASK_PATH: answer(403)},
    "ask 500": {ASK_PATH: answer(500), GET_PATH: answer(403)},
    "ask unreadable": {ASK_PATH: answer(200, "?"), GET_PATH: answer(403)},
    "ask reset": {ASK_PATH: reset, GET_PATH: answer(403)},
    "token 401": {TOKEN_PATH: answer(401)},
    "token 500": {TOKEN_PATH: answer(500)},
    "token redirect": {TOKEN_PATH: answer(308, location="/elsewhere")},
    "token unreadable": {TOKEN_PATH: answer(200, "?")},
    "token reset": {TOKEN_PATH: reset},
}
SLOW = {"ask silent": ASK_PATH, "token silent": TOKEN_PATH}
NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # to read certificates takes longer than an ask
FOREIGN = ("httpx", "httpcore", "aiohttp", "httpx_aiohttp", "h11", "anyio", "trio", "ssl")


def config(base_url: str) -> dict[str, Any]:
    return {
        "client_id": "pm-1",
        "client_secret": CLIENT_SECRET,
        "base_url": base_url,
        "timeout": 5,
        "max_retries": 0,
    }


TOKEN = {"accessToken": ACCESS, "expiresIn": 3600, "refreshToken": REFRESH}
Make = Callable[[Any, dict[str, Any], Any], Any]
WAYS: dict[str, Make] = {
    "credentials": lambda client, given, _: client.with_credentials(given),
    "token": lambda client, given, _: client.with_token(given, TOKEN),
    "refresh": lambda client, given, _: client.with_token(given, {"refreshToken": REFRESH}),
    "code": lambda client, given, _: client.with_auth_code(given, CODE, code_verifier=VERIFIER),
    "keywords and a client of httpx": lambda client, given, http: client(**given, http_client=http),
}


def leaks_in(error: BaseException) -> list[str]:
    """What of the secrets the frames of an error and of all that led to it show, this file's aside; and frames that hold requests."""
    found: list[str] = []
    seen: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and one not in seen:
        seen.append(one)
        for frame, _ in traceback.walk_tb(one.__traceback__):
            module = str(frame.f_globals.get("__name__", "")).partition(".")[0]
            if module in FOREIGN:
                found.append(f"a frame of {module}: {frame.f_code.co_qualname}")
            if frame.f_code.co_filename == __file__:
                continue
            reported = [f"{name}={value!r}" for name, value in frame.f_locals.items()]
            # rich looks into named tuples and the like, and cuts long texts by slicing them.
            reported += [pretty_repr(value, max_length=9, max_string=60) for value in frame.f_locals.values()]
            place = f"{frame.f_code.co_qualname}: "
            found += [place + line[:200] for line in reported if any(mark in line for mark in MARKS)]
        one = one.__cause__ or one.__context__
    return found


@pytest.fixture
def refused() -> Iterator[str]:
    """The address of a server that is not there."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


def script(peer: Peer, failure: str) -> float:
    """Make the peer fail like that; returns the seconds to give a client."""
    for path in (ASK_PATH, GET_PATH, TOKEN_PATH):
        peer.forget(path)
    for path, write in FAILURES.get(failure, {}).items():
        peer.always(path, write)
    if failure in SLOW:
        peer.always(SLOW[failure], peer.never)
        peer.always(GET_PATH, answer(403))
        return 0.15
    return 5


@pytest.mark.slow
def test_no_frame_of_an_error_holds_a_secret(peer: Peer, refused: str) -> None:
    """Ways in times failures, for threads."""
    leaks: list[str] = []
    for way, make in WAYS.items():
        for failure in ("refused", *FAILURES, *SLOW):
            forget_shared_stores()
            given = config(refused if failure == "refused" else peer.base_url)
            given["timeout"] = script(peer, failure)
            try:
                with (
                    httpx.Client(trust_env=False, verify=NOBODY) as http,
                    make(PaymanClient, given, http) as client,
                ):
                    client.ask("Hello!")
            except PaymanError as error:
                leaks += [f"{way}, {failure}: {leak}" for leak in leaks_in(error)]
            else:
                assert failure.startswith("token") and way == "token"
    assert not leaks, "\n".join(leaks)


@pytest.mark.slow
@pytest.mark.parametrize("loop", LOOPS)
def test_no_frame_of_an_async_error_holds_a_secret(loop: str, peer: Peer, refused: str) -> None:
    """The same for tasks."""
    leaks: list[str] = []

    async def tried(make: Make, given: dict[str, Any]) -> list[str] | None:
        try:
            async with httpx.AsyncClient(trust_env=False, verify=NOBODY) as http:
                made = make(AsyncPaymanClient, given, http)
                async with await made if isinstance(made, Awaitable) else made as client:
                    await client.ask("Hello!")
        except PaymanError as error:
            return leaks_in(error)
        return None

    for way, make in WAYS.items():
        for failure in ("refused", *FAILURES, *SLOW):
            forget_shared_stores()
            given = config(refused if failure == "refused" else peer.base_url)
            given["timeout"] = script(peer, failure)
            seen = run_on(loop, tried, make, given)
            assert seen is not None or (failure.startswith("token") and way == "token"), (way, failure)
            leaks += [f"{way}, {failure}: {leak}" for leak in seen or ()]
    assert not leaks, "\n".join(leaks)


def _interrupting(peer: Peer, error: BaseException) -> httpx.Client:
    """A client whose connection is interrupted amid an answer."""

    class Interrupted(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            held = super().handle_request(request)
            headers = [*request.headers.raw, *held.headers.raw]
            assert headers
            raise error

    return httpx.Client(transport=Interrupted(verify=NOBODY, trust_env=False))


@pytest.mark.parametrize("error", [KeyboardInterrupt("now"), SystemExit(1), GeneratorExit()])
def test_what_interrupts_holds_no_frame_of_a_request(error: BaseException, peer: Peer) -> None:
    """Ctrl-C amid a request passes, without the frames in which the request and its headers are."""
    script(peer, "none")
    given = {**config(peer.base_url), "key_store": None}
    with _interrupting(peer, error) as http:
        for way in ("credentials", "token", "refresh", "code"):
            forget_shared_stores()
            with pytest.raises(type(error)) as raised:
                _with_client(way, given, http)
            assert raised.value is error
            assert not leaks_in(error), way
            error.__traceback__ = None


def _with_client(way: str, given: dict[str, Any], http: httpx.Client) -> None:
    make: dict[str, Callable[[], PaymanClient]] = {
        "credentials": lambda: PaymanClient.with_credentials(given, http_client=http),
        "token": lambda: PaymanClient.with_token(given, TOKEN, http_client=http),
        "refresh": lambda: PaymanClient.with_token(given, {"refreshToken": REFRESH}, http_client=http),
        "code": lambda: PaymanClient.with_auth_code(given, CODE, code_verifier=VERIFIER, http_client=http),
    }
    with make[way]() as client:
        client.ask("Hello!")


def test_a_context_that_was_there_before_keeps_its_frames(peer: Peer) -> None:
    """What a program was handling when it asked is its own."""
    script(peer, "none")
    error = KeyboardInterrupt()
    with _interrupting(peer, error) as http:
        try:
            raise ValueError("mine")
        except ValueError:
            with pytest.raises(KeyboardInterrupt):
                _with_client("token", config(peer.base_url), http)
    assert isinstance(error.__context__, ValueError)
    assert error.__context__.__traceback__ is not None


_NO_REQUEST = ("of anyio: fail_a", "checkpoint", "wait_task_rescheduled", "raise_cancel")
"""Frames that hold no request: of the time limit, and of a cancellation that came before a request, on a busy machine."""


@pytest.mark.slow
@pytest.mark.parametrize("loop", LOOPS)
def test_a_cancelled_ask_holds_no_frame_of_a_request(loop: str, peer: Peer) -> None:
    """A time limit of the program's own cancels the request; what comes out has the cancellation for its cause."""
    leaks: list[str] = []

    async def tried(make: Make, given: dict[str, Any]) -> None:
        async with httpx.AsyncClient(trust_env=False, verify=NOBODY) as http:
            try:
                with anyio.fail_after(0.05):
                    made = make(AsyncPaymanClient, given, http)
                    async with await made if isinstance(made, Awaitable) else made as client:
                        await client.ask("Hello!")
            except TimeoutError as error:
                leaks.extend(leak for leak in leaks_in(error) if not any(one in leak for one in _NO_REQUEST))

    for way, make in WAYS.items():
        for failure in SLOW:
            forget_shared_stores()
            script(peer, failure)
            run_on(loop, tried, make, {**config(peer.base_url), "timeout": 0.3})
            assert not leaks, (way, failure, leaks)


def test_asyncio_timeout_holds_no_frame_of_a_request(peer: Peer) -> None:
    """`asyncio.timeout` chains the cancellation to what it raises."""
    script(peer, "ask silent")

    async def tried() -> TimeoutError | None:
        async with AsyncPaymanClient.with_token(config(peer.base_url), TOKEN) as client:
            try:
                async with asyncio.timeout(0.1):
                    await client.ask("Hello!")
            except TimeoutError as error:
                return error
        return None

    error = asyncio.run(tried())
    assert isinstance(error, TimeoutError)
    # Early releases of Python 3.11 chain it as the context alone.
    assert isinstance(error.__cause__ or error.__context__, asyncio.CancelledError)
    assert not leaks_in(error)
