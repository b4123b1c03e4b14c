"""The hunt for secrets: every way in, every store, every failure, with every logger at DEBUG."""

from __future__ import annotations

import base64
import logging
import traceback
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import urlopen

import httpx
import pytest

from payman_sdk import (
    AsyncPaymanClient,
    FileTokenStore,
    MemoryTokenStore,
    PaymanClient,
    Scope,
    StoredToken,
    authorization_url,
    login,
    parse_redirect,
)
from payman_sdk._io import loopback
from payman_sdk._text.logger import install_log_redaction
from payman_sdk.errors import PaymanError
from tests.loops import LOOPS, run_on
from tests.peer import (
    ASK_PATH,
    GET_PATH,
    TOKEN_PATH,
    Answer,
    Peer,
    answer,
    json_answer,
    raw,
    reset,
    rpc,
    token,
)
from tests.tables import table

CLIENT_SECRET = "hunted-client-secret"
ACCESS = "hunted-access-token"
REFRESH = "hunted-refresh-token"
NEW_ACCESS = "hunted-new-access-token"
NEW_REFRESH = "hunted-new-refresh-token"
CODE = "hunted-authorization-code"
VERIFIER = "hunted-code-verifier"
PAIR = base64.b64encode(f"pm-test-1:{CLIENT_SECRET}".encode()).decode()
SECRETS = [CLIENT_SECRET, ACCESS, REFRESH, NEW_ACCESS, NEW_REFRESH, CODE, VERIFIER, PAIR]


class Everything(logging.Handler):
    """Keeps what any logger says at any level, as it would be written and with its raw arguments."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said += [self.format(record), repr(record.args), repr(vars(record))]


@pytest.fixture
def said() -> Iterator[list[str]]:
    """What every logger says, the root and all that exist, at DEBUG."""
    handler = Everything()
    names = [None, *logging.root.manager.loggerDict, "httpx", "httpcore", "payman_sdk", "asyncio", "filelock"]
    loggers = [logging.getLogger(name) for name in dict.fromkeys(names)]
    levels = [logger.level for logger in loggers]
    logging.root.addHandler(handler)
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    yield handler.said
    logging.root.removeHandler(handler)
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


def assert_nothing_in(*texts: str) -> None:
    for text in texts:
        for secret in SECRETS:
            assert secret not in text, text


def told_by(error: BaseException) -> list[str]:
    """All that an error says: its texts, its whole chain, its attributes, and the locals of every frame of the SDK."""
    reported = [str(error), repr(error), repr(vars(error))]
    chain: BaseException | None = error
    while chain is not None:
        reported += [str(chain), repr(chain)]
        for frame, _ in traceback.walk_tb(chain.__traceback__):
            if "payman_sdk" in frame.f_code.co_filename or "payman_api" in frame.f_code.co_filename:
                reported += [f"{name}={value!r}" for name, value in frame.f_locals.items()]
        chain = chain.__cause__ or chain.__context__
    return reported


Way = Callable[[str, Any], Any]


def config(base_url: str) -> Any:
    return {"client_id": "pm-test-1", "client_secret": CLIENT_SECRET, "base_url": base_url}


def by_credentials(base_url: str, store: Any) -> PaymanClient:
    return PaymanClient.with_credentials(config(base_url), token_store=store)


def by_keywords(base_url: str, store: Any) -> PaymanClient:
    """Through a client of httpx, which logs the address of every request, and of a token request the secrets in it."""
    http = httpx.Client(trust_env=False)
    client = PaymanClient(
        client_id="pm-test-1",
        client_secret=CLIENT_SECRET,
        base_url=base_url,
        token_store=store,
        http_client=http,
    )
    weakref.finalize(client, http.close)
    return client


def by_code(base_url: str, store: Any) -> PaymanClient:
    return PaymanClient.with_auth_code(
        config(base_url), CODE, redirect_uri="https://x/back", code_verifier=VERIFIER, token_store=store
    )


def by_token(base_url: str, store: Any) -> PaymanClient:
    given = {"accessToken": ACCESS, "expiresIn": 3600, "refreshToken": REFRESH}
    return PaymanClient.with_token(config(base_url), given, token_store=store)


def by_refresh_token(base_url: str, store: Any) -> PaymanClient:
    return PaymanClient.with_token(
        "pm-test-1",
        {"refresh_token": REFRESH},
        base_url=base_url,
        client_secret=CLIENT_SECRET,
        token_store=store,
    )


def by_public_refresh_token(base_url: str, store: Any) -> PaymanClient:
    return PaymanClient.with_token(
        "pm-test-1", {"refreshToken": REFRESH}, base_url=base_url, token_store=store
    )


def by_login(base_url: str, store: Any) -> PaymanClient:
    def browser(url: str) -> None:
        query = parse_qs(urlsplit(url).query)
        answer = urlencode({"code": CODE, "state": query["state"][0]})
        # Not httpx: its log records of the browser's requests would be found here.
        urlopen(f"{query['redirect_uri'][0]}?{answer}").close()  # noqa: S310 # our own loopback address

    return login(
        config(base_url), scopes=[Scope.READ_BALANCE], open_browser=browser, wait=20, token_store=store
    )


WAYS: list[Way] = [
    by_credentials,
    by_keywords,
    by_code,
    by_token,
    by_refresh_token,
    by_public_refresh_token,
    by_login,
]


class FailingStore(MemoryTokenStore):
    """A store that fails with whatever it was asked in its own frames."""

    def save(self, token: StoredToken) -> None:
        raise OSError("The disk is full.")


def store_of(kind: str, folder: Path) -> Any:
    match kind:
        case "memory":
            return MemoryTokenStore()
        case "file":
            return FileTokenStore(folder / "token.json")
        case _:
            return FailingStore()


ROTATED = token(NEW_ACCESS, refresh_token=NEW_REFRESH)
FAULTS: dict[str, dict[str, Answer]] = {
    "none": {},
    "ask reset": {ASK_PATH: reset, GET_PATH: answer(404)},
    "ask cut": {ASK_PATH: raw(b"HTTP/1.1 200 OK\r\n"), GET_PATH: answer(404)},
    "ask 401": {ASK_PATH: answer(401, '{"error": "unauthorized"}')},
    "ask 403": {ASK_PATH: answer(403)},
    "ask 500": {ASK_PATH: answer(500), GET_PATH: answer(404)},
    "ask refused by the agent": {ASK_PATH: rpc(error={"code": -32603})},
    "ask unreadable": {ASK_PATH: answer(200, "?"), GET_PATH: answer(404)},
    "token reset": {TOKEN_PATH: reset},
    "token cut": {TOKEN_PATH: raw(b"HTTP/1.1 200 OK\r\n")},
    "token invalid_grant": {TOKEN_PATH: json_answer({"error": "invalid_grant"}, 400)},
    "token invalid_client": {TOKEN_PATH: json_answer({"error": "invalid_client"}, 401)},
    "token 500": {TOKEN_PATH: answer(500)},
    "token without a lifetime": {TOKEN_PATH: token(NEW_ACCESS, "soon", refresh_token=NEW_REFRESH)},
    "token with a line break": {TOKEN_PATH: token(f"{NEW_ACCESS}\n", refresh_token=NEW_REFRESH)},
    "token with a blank before it": {TOKEN_PATH: token(f" {NEW_ACCESS}", refresh_token=NEW_REFRESH)},
    "token beyond ASCII": {TOKEN_PATH: token(f"{NEW_ACCESS}é", refresh_token=NEW_REFRESH)},
    "token of another name": {TOKEN_PATH: json_answer({"token": NEW_ACCESS, "refreshToken": NEW_REFRESH})},
    "token bare": {TOKEN_PATH: json_answer(NEW_ACCESS)},
}


STORES = ["memory", "file", "failing"]


def list_meetings(way: Way) -> Iterator[tuple[str, str]]:
    """Yield the faults, each with a store: every store where a token is saved, and with the ways in turn where none may be."""
    for number, fault in enumerate(FAULTS):
        turn = (number + WAYS.index(way)) % len(STORES)
        yield from ((fault, store) for store in (STORES if fault == "none" else [STORES[turn]]))


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_no_way_in_reports_a_secret(way: Way, peer: Peer, said: list[str], tmp_path: Path) -> None:
    """Whichever way in, store and fault: no secret in records, reprs, errors, their chains, or the locals of our frames."""

    @table(("fault", "store"), list_meetings(way))
    def meet(fault: str, store: str, peer: Peer) -> None:
        hunt(way, fault, store, peer, said, tmp_path)

    meet(peer=peer)


def hunt(way: Way, fault: str, store: str, peer: Peer, said: list[str], tmp_path: Path) -> None:
    said.clear()
    peer.always(TOKEN_PATH, ROTATED)
    for path, write in FAULTS[fault].items():
        peer.always(path, write)
    held = store_of(store, tmp_path / fault)
    try:
        with way(peer.base_url, held) as client:
            answered = client.ask("Hello!", raw=True)
            client.get_task("tsk-1")
            assert_nothing_in(repr(answered), str(client), repr(client._config))
            connection = client._connect()
            assert_nothing_in(repr(client), repr(client._identity), repr(connection), repr(held))
            assert_nothing_in(
                *(repr(vars(part)) for part in (connection.tokens, connection.agent, connection.runner))
            )
    except PaymanError as error:
        assert_nothing_in(*told_by(error))
    else:
        assert fault == "none" or way is by_token
    received = (
        "HTTP Request" if way is by_keywords and not fault.endswith(("reset", "cut")) else "send_request"
    )
    assert any(received in line for line in said), "the loggers wrote nothing"
    assert_nothing_in(*said)


@pytest.mark.slow
@pytest.mark.parametrize("loop", LOOPS)
@table("fault", FAULTS)
def test_the_async_client_reports_no_secret(
    fault: str, loop: str, peer: Peer, said: list[str], tmp_path: Path
) -> None:
    """The same of the async client, with a refresh token in a file."""
    said.clear()
    peer.always(TOKEN_PATH, ROTATED)
    for path, write in FAULTS[fault].items():
        peer.always(path, write)

    async def main() -> None:
        client = AsyncPaymanClient.with_token(
            config(peer.base_url),
            {"refreshToken": REFRESH},
            token_store=FileTokenStore(tmp_path / f"{fault}.json"),
        )
        async with client:
            await client.ask("Hello!")
            assert_nothing_in(repr(client), repr(client._connect()))

    try:
        run_on(loop, main)
    except PaymanError as error:
        assert_nothing_in(*told_by(error))
    else:
        assert fault == "none"
    assert_nothing_in(*said)


@table(
    "wrong",
    [
        lambda: PaymanClient(client_id="x", client_secret=CLIENT_SECRET, environment="NOWHERE"),  # type: ignore[arg-type] # wrong on purpose
        lambda: PaymanClient(client_id="x", client_secret=f"{CLIENT_SECRET}\n\x00y"),
        lambda: PaymanClient.with_credentials(
            {"client_id": "x", "client_secret": CLIENT_SECRET, "timeout": -1}
        ),
        lambda: PaymanClient.with_credentials({"client_secret": CLIENT_SECRET}),
        lambda: PaymanClient.with_auth_code({"client_secret": CLIENT_SECRET}, CODE, code_verifier=VERIFIER),
        lambda: PaymanClient.with_auth_code({"client_id": "x"}, f"{CODE}\x00"),
        lambda: PaymanClient.with_token("x", {"accessToken": ACCESS}),
        lambda: PaymanClient.with_token("x", {"accessToken": ACCESS, "expiresIn": ACCESS}),
        lambda: PaymanClient.with_token("x", {"accessToken": f"{ACCESS}\n", "expiresIn": 5}),
        lambda: PaymanClient.with_token("x", {"refreshToken": f"{REFRESH}é"}),
        lambda: PaymanClient.with_token("", {"refreshToken": REFRESH}, client_secret=CLIENT_SECRET),
        lambda: PaymanClient.from_env(client_secret=CLIENT_SECRET),
        lambda: login(client_id="x", client_secret=CLIENT_SECRET, scopes=[]),
        lambda: parse_redirect(f"https://x/back?code={CODE}&state=other", state="s"),
        lambda: parse_redirect(f"https://x/back?code={CODE}&error=access_denied&state=s", state="s"),
    ],
)
def test_wrong_settings_tell_no_secret(wrong: Callable[[], object]) -> None:
    """What is wrong with a setting is said without any secret beside it, in the locals of our frames neither."""
    with pytest.raises(PaymanError) as raised:
        wrong()
    assert_nothing_in(*told_by(raised.value))


def test_a_damaged_store_reports_no_secret(tmp_path: Path) -> None:
    """A token file that can be read and not understood is not repeated."""
    path = tmp_path / "token.json"
    path.write_text(f'{{"issued_to": 5, "access_token": "{ACCESS}", "refresh_token": "{REFRESH}"}}')
    path.chmod(0o600)
    with pytest.raises(PaymanError) as raised:
        FileTokenStore(path).load()
    assert_nothing_in(*told_by(raised.value))


def test_what_is_kept_for_the_way_back_shows_nothing() -> None:
    """Neither the request for an authorization nor the authorization shows what must be kept."""
    request = authorization_url("pm-test-1", "https://x/back", [Scope.READ_BALANCE])
    assert request.code_verifier not in repr(request)
    shown = repr(loopback.Authorization(code=CODE, redirect_uri="https://x", code_verifier=VERIFIER))  # type: ignore[arg-type]
    assert_nothing_in(shown)


@pytest.mark.parametrize("arguments", [httpx.URL, str])
def test_the_query_of_a_token_request_is_hidden(
    arguments: type[httpx.URL | str], caplog: pytest.LogCaptureFixture
) -> None:
    """Httpx's own line about a token request shows its address without the query; other lines stay as they are."""
    install_log_redaction()
    install_log_redaction()
    logger = logging.getLogger("httpx")
    assert len(logger.filters) == 1
    with caplog.at_level(logging.DEBUG, "httpx"):
        logger.info("%s %s", "POST", arguments(f"https://payman.example{TOKEN_PATH}?code=s3cret"))
        logger.info("%s %s", "GET", arguments("https://payman.example/other?page=2"))
        logger.info("a plain line?")
    assert [record.getMessage() for record in caplog.records] == [
        f"POST https://payman.example{TOKEN_PATH}?…",
        "GET https://payman.example/other?page=2",
        "a plain line?",
    ]
