"""A server, or a proxy before it, repeats what it was sent: in whatever place and spelling, nothing of it is kept or logged."""

from __future__ import annotations

import base64
import html
import json
import logging
import pickle
import traceback
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, quote, quote_plus, urlsplit

import pytest

from payman_sdk import AsyncPaymanClient, PaymanClient
from payman_sdk.errors import PaymanError
from payman_sdk.token_stores.memory import forget_shared_stores
from tests.loops import LOOPS, run_on
from tests.peer import (
    ASK_PATH,
    GET_PATH,
    TOKEN_PATH,
    Answer,
    Peer,
    Request,
    answer,
    head,
    json_answer,
    rpc,
    task_for,
    token,
)

CLIENT_SECRET = "s3cr3t/with+signs=&x<y>"
REFRESH = "r3fr3sh/with+signs==tail"
ACCESS = "acc3ss-t0ken/abc+def=='q'"
CODE = "c0de/with+plus=42"
VERIFIER = "v3rifier-" + "x7" * 25
PAIR = base64.b64encode(f"pm-1:{CLIENT_SECRET}".encode()).decode()
SECRETS = (CLIENT_SECRET, REFRESH, ACCESS, CODE, VERIFIER, PAIR)
STREAM_PATH = "/api/a2a/tasks/sendSubscribe"


def _escaped(sign: str) -> Callable[[str], str]:
    return lambda value: "".join(sign % byte for byte in value.encode())


SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in a sentence": lambda value: f"The token '{value}' has no scope.",
    "upper case": str.upper,
    "lower case": str.lower,
    "first 8": lambda value: value[:8],
    "first 12 and an ellipsis": lambda value: f"{value[:12]}…",
    "a piece": lambda value: value[2:16],
    "wrapped": lambda value: f"{value[:9]}\n{value[9:]}",
    "URL": lambda value: quote(value, safe=""),
    "URL, lower case": lambda value: quote(value, safe="").lower(),
    "URL, every sign": _escaped("%%%02X"),
    "URL twice": lambda value: quote(quote(value, safe=""), safe=""),
    "a form": quote_plus,
    "JSON": lambda value: json.dumps(value).replace("/", "\\/"),
    "JSON, every sign": _escaped("\\u%04x"),
    "JSON in JSON": lambda value: json.dumps(json.dumps(value).replace("/", "\\/")),
    "HTML": html.escape,
    "HTML, numbers": _escaped("&#%d;"),
    "HTML, hexadecimal numbers": _escaped("&#x%X;"),
    "HTML of a URL": lambda value: html.escape(quote(value, safe="")),
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "base64 for URLs": lambda value: base64.urlsafe_b64encode(value.encode()).decode().rstrip("="),
    "base64 behind a sign": lambda value: base64.b64encode(f":{value}".encode()).decode(),
    "base64 behind two signs": lambda value: base64.b64encode(f"a:{value} it was".encode()).decode(),
    "hexadecimal": lambda value: value.encode().hex(),
}


def _told(text: str) -> Answer:
    return answer(403, text, "text/plain")


def _in_headers(text: str) -> Answer:
    value = text.encode("ascii", "replace").decode().replace("\n", " ")
    return answer(403, "?", f"text/plain; x={value}", retry_after=value, date=value, location=value)


def _in_reason(text: str) -> Answer:
    reason = text.encode("ascii", "replace").replace(b"\n", b" ")

    def write(_: Request) -> Iterator[bytes]:
        yield b"HTTP/1.1 403 " + reason + b"\r\ncontent-length: 1\r\n\r\n?"

    return write


def _as_message(text: str) -> Answer:
    return rpc(error={"code": -32602, "message": text})


def _as_data(text: str) -> Answer:
    return rpc(error={"code": -32602, "message": "no", "data": {"seen": [text], text: {"in": text}}})


def _beside_an_error(text: str) -> Answer:
    return rpc(result=None, seen=text)


def _in_status_message(text: str) -> Answer:
    def write(request: Request) -> Iterator[bytes]:
        status = {
            "state": "completed",
            "message": {"role": "agent", "parts": [{"type": "text", "text": text}]},
        }
        artifact = {
            "name": text,
            "parts": [{"type": "text", "text": f"It was {text}"}],
            "metadata": {text: 1},
        }
        yield from rpc(result=task_for(request, status=status, artifacts=[artifact]))(request)

    return write


PLACES: dict[str, Callable[[str], Answer]] = {
    "body": _told,
    "headers": _in_headers,
    "reason": _in_reason,
    "RPC message": _as_message,
    "RPC data": _as_data,
    "nonsense": _beside_an_error,
    "redirect": lambda text: answer(308, text, location=f"http://elsewhere/?{quote(text)}"),
    "JSON error": lambda text: json_answer({"error": "forbidden", "error_description": text, text: 1}, 403),
}


class Everything(logging.Handler):
    """Keeps what any logger says at any level."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said += [self.format(record), repr(record.args)]


@pytest.fixture
def said() -> Iterator[list[str]]:
    """What every logger says at DEBUG."""
    handler, level = Everything(), logging.root.level
    logging.root.addHandler(handler)
    logging.root.setLevel(logging.DEBUG)
    yield handler.said
    logging.root.removeHandler(handler)
    logging.root.setLevel(level)


def shown_of(error: BaseException) -> str:
    """All that can be seen of an error: texts, attributes, pickle, and tracebacks with the locals of all frames but this file's."""
    reported = [
        str(error),
        repr(error),
        repr(vars(error)),
        repr(error.args),
        pickle.dumps(error).decode("latin-1"),
    ]
    if (response := getattr(error, "response", None)) is not None:
        reported += [
            response.text,
            repr(response.headers),
            response.reason,
            response.content.decode("latin-1"),
        ]
    trace: traceback.TracebackException | None = traceback.TracebackException.from_exception(
        error, capture_locals=True
    )
    while trace is not None:
        reported += [f"{frame.locals}" for frame in trace.stack if frame.filename != __file__]
        reported += [str(trace)]
        trace = trace.__cause__ or trace.__context__
    return "\n".join(reported)


def found(echo: str, seen: str) -> list[str]:
    """The pieces of an echo, and of the secrets themselves, that can be seen."""
    lines = [] if " " in echo else echo.split("\n")
    pieces = {line[at : at + 12] for line in lines for at in (0, 6, 12, 18) if len(line[at:]) >= 8}
    pieces |= {piece for secret in SECRETS for piece in (secret[:8], secret[:8].upper(), secret[4:16])}
    return sorted(piece for piece in pieces if piece.strip() and piece in seen)


@pytest.mark.slow
def test_no_echo_of_an_ask_is_kept(peer: Peer, said: list[str]) -> None:
    """Places times spellings: what errors keep, show and pickle, what frames hold, what is logged; at refusals, errors and nonsense."""
    config: Any = {"client_id": "pm-1", "base_url": peer.base_url, "max_retries": 0, "timeout": 5}
    given = {"accessToken": ACCESS, "expiresIn": 3600}
    leaks: list[str] = []
    with PaymanClient.with_token(config, given) as client:
        for place, make in PLACES.items():
            for spelling, spell in SPELLINGS.items():
                echo = spell(ACCESS)
                peer.always(ASK_PATH, make(echo))
                peer.always(GET_PATH, _told(echo))
                said.clear()
                with pytest.raises(PaymanError) as raised:
                    client.ask("Hello!")
                if pieces := found(echo, shown_of(raised.value)) + found(echo, "\n".join(said)):
                    leaks.append(f"{place}, {spelling}: {pieces}")
    assert not leaks, "\n".join(leaks)
    assert len(peer.asks()) >= len(PLACES) * len(SPELLINGS)


def _ways(base_url: str) -> dict[str, tuple[Callable[[], PaymanClient], tuple[str, ...]]]:
    """The ways in that ask for a token, and the secrets that go along."""
    config: Any = {
        "client_id": "pm-1",
        "client_secret": CLIENT_SECRET,
        "base_url": base_url,
        "max_retries": 0,
    }
    return {
        "credentials": (lambda: PaymanClient.with_credentials(config), (CLIENT_SECRET, PAIR)),
        "refresh": (
            lambda: PaymanClient.with_token(config, {"refreshToken": REFRESH}),
            (REFRESH, CLIENT_SECRET),
        ),
        "code": (
            lambda: PaymanClient.with_auth_code(config, CODE, code_verifier=VERIFIER),
            (CODE, VERIFIER, PAIR),
        ),
    }


TOKEN_PLACES: dict[str, Callable[[str], Answer]] = {
    **{
        name: make for name, make in PLACES.items() if name in {"headers", "reason", "redirect", "JSON error"}
    },
    "401": lambda text: json_answer({"error": "invalid_client", "error_description": text}, 401),
    "500": lambda text: answer(500, text, "text/plain"),
    "a name in a success": lambda text: json_answer({"error": "x", "error_description": text, text: 1}),
    "a success without a token": lambda text: answer(200, text, "text/plain"),
    "a token that cannot be sent": lambda text: json_answer(
        {"accessToken": f"{text}\n", "expiresIn": text, "tokenType": text}
    ),
}


@pytest.mark.slow
def test_no_echo_of_a_token_request_is_kept(peer: Peer, said: list[str]) -> None:
    """The same of the token endpoint, which is sent the client's secret, the code, its verifier and the refresh token."""
    leaks: list[str] = []
    for way, (make_client, sent) in _ways(peer.base_url).items():
        for place, make in TOKEN_PLACES.items():
            for spelling in (
                "as it is",
                "first 8",
                "URL",
                "JSON, every sign",
                "HTML",
                "base64",
                "upper case",
            ):
                forget_shared_stores()
                echo = " ".join(SPELLINGS[spelling](secret) for secret in sent)
                peer.always(TOKEN_PATH, make(echo))
                said.clear()
                with pytest.raises(PaymanError) as raised, make_client() as client:
                    client.ask("Hello!")
                reported = shown_of(raised.value) + "\n".join(said)
                leaks += [
                    f"{way}, {place}, {spelling}: {pieces}"
                    for secret in sent
                    if (pieces := found(SPELLINGS[spelling](secret), reported))
                ]
    assert not leaks, "\n".join(leaks)


def test_an_answer_repeats_no_secret_to_whoever_reads_it(peer: Peer) -> None:
    """A success is the caller's, who may show it to a model; where it repeats the token, it is redacted, and is a success still."""
    config: Any = {"client_id": "pm-1", "base_url": peer.base_url}
    shown = (
        "as it is",
        "in a sentence",
        "upper case",
        "first 8",
        "URL",
        "a form",
        "JSON",
        "HTML",
        "base64",
        "base64 behind a sign",
    )
    with PaymanClient.with_token(config, {"accessToken": ACCESS, "expiresIn": 3600}) as client:
        for spelling in shown:
            echo = SPELLINGS[spelling](ACCESS)
            peer.always(ASK_PATH, _in_status_message(echo))
            response = client.ask("Hello!")
            assert response.status == "completed"
            assert str(response.status_message).count("...") == 1, (spelling, response.status_message)
            assert not found(echo, repr(response)), spelling
            assert not found(echo, repr(client.ask("Hello!", raw=True))), spelling


def test_an_answer_without_a_secret_stays_as_it_is(peer: Peer) -> None:
    """Odd texts, of which some look like escapes or like other tokens, come through to the byte."""
    odd = "100% of C:\\users\\x &amp; &#65; acc3ss token ABC \\u0041 Zm9vYmFyYmF6 eyJhbGciOiJIUzI1NiJ9 – ✓ 'error': "
    peer.always(ASK_PATH, _in_status_message(odd))
    with PaymanClient.with_token(
        {"client_id": "pm-1", "base_url": peer.base_url}, {"accessToken": ACCESS, "expiresIn": 3600}
    ) as client:
        response = client.ask("Hello!")
        assert (response.status_message, response.text) == (odd, f"It was {odd}")


def test_a_token_endpoint_may_give_the_same_token_again(peer: Peer) -> None:
    """A success of the token endpoint is not redacted: servers that do not rotate refresh tokens repeat what they were sent."""
    peer.always(TOKEN_PATH, token(ACCESS, refresh_token=REFRESH))
    config: Any = {"client_id": "pm-1", "client_secret": CLIENT_SECRET, "base_url": peer.base_url}
    with PaymanClient.with_token(config, {"refreshToken": REFRESH}) as client:
        assert client.ask("Hello!").status == "completed"
        assert client.get_refresh_token() == REFRESH
        token_info = client.get_access_token()
        assert token_info is not None
        assert token_info["accessToken"] == ACCESS
    assert peer.asks()[0].headers["x-payman-access-token"] == ACCESS


def _events(*documents: dict[str, Any]) -> Answer:
    def write(request: Request) -> Iterator[bytes]:
        yield head(200, {"content-type": "text/event-stream", "connection": "close"})
        for document in documents:
            about = {"jsonrpc": "2.0", "id": request.json["id"], **document}
            if isinstance(about.get("result"), dict):
                about["result"] = {"id": request.json["params"]["id"], **about["result"]}
            yield f"data: {json.dumps(about)}\n\n".encode()

    return write


def test_no_echo_of_a_stream_is_kept(peer: Peer, said: list[str]) -> None:
    """Errors among events, events nobody has listed, artifacts and states: nothing of the token is shown, nor held in frames."""
    config: Any = {"client_id": "pm-1", "base_url": peer.base_url, "max_retries": 0}
    with PaymanClient.with_token(config, {"accessToken": ACCESS, "expiresIn": 3600}) as client:
        for spelling in ("as it is", "upper case", "first 8", "URL", "JSON", "HTML", "base64"):
            echo = SPELLINGS[spelling](ACCESS)
            chunk = {"artifact": {"index": 0, "append": True, "parts": [{"type": "text", "text": echo}]}}
            peer.always(
                STREAM_PATH,
                _events(
                    {"result": chunk},
                    {"result": {"weather": echo}},
                    {"result": {"status": {"state": echo}, "final": False}},
                    {"error": {"code": -32602, "message": echo, "data": [echo]}},
                ),
            )
            events: list[Any] = []
            with pytest.raises(PaymanError) as raised, client.stream("Hello!") as stream:
                events.extend(stream)
            assert len(events) == 3, spelling
            reported = shown_of(raised.value) + "\n".join(said) + repr([dict(event) for event in events])
            reported += repr([event.raw for event in events])
            assert not found(echo, reported), spelling


@pytest.mark.parametrize("loop", LOOPS)
def test_no_echo_is_kept_by_the_async_client(loop: str, peer: Peer, said: list[str]) -> None:
    config: Any = {"client_id": "pm-1", "base_url": peer.base_url, "max_retries": 0}

    async def main() -> None:
        client = AsyncPaymanClient.with_token(config, {"accessToken": ACCESS, "expiresIn": 3600})
        async with client:
            for place, make in PLACES.items():
                for spelling in ("as it is", "first 8", "URL", "base64"):
                    echo = SPELLINGS[spelling](ACCESS)
                    peer.always(ASK_PATH, make(echo))
                    peer.always(GET_PATH, _told(echo))
                    with pytest.raises(PaymanError) as raised:
                        await client.ask("Hello!")
                    assert not found(echo, shown_of(raised.value) + "\n".join(said)), (place, spelling)

    run_on(loop, main)


def test_no_log_repeats_where_a_redirect_leads(peer: Peer, said: list[str]) -> None:
    """The token endpoint moved: httpcore logs the `Location`, which repeats the query; a given client of httpx logs the address."""

    def moved(request: Request) -> Iterator[bytes]:
        assert parse_qs(urlsplit(request.target).query)["refresh_token"] == [REFRESH]
        yield from answer(308, location=f"https://agent.payman.ai{request.target}")(request)

    peer.always(TOKEN_PATH, moved)
    with pytest.raises(PaymanError) as raised:
        PaymanClient.with_token(
            {"client_id": "pm-1", "base_url": peer.base_url, "max_retries": 0}, {"refreshToken": REFRESH}
        ).ask("Hello!")
    assert any("Location" in line or "location" in line for line in said)
    reported = shown_of(raised.value) + "\n".join(said)
    assert not found(quote_plus(REFRESH), reported)
    assert not found(REFRESH, reported)
