from __future__ import annotations

import base64
import logging
import operator
import traceback
from collections.abc import Iterator

import httpx
import pytest

from payman_sdk import PaymanClient
from payman_sdk.errors import PaymanError
from payman_sdk.secrecy import hide_token_requests
from tests.conftest import Connect
from tests.peer import ASK_PATH, TOKEN_PATH, Answer, Peer, answer, json_answer, raw, reset, rpc, token

CLIENT_SECRET = "recognisable-client-secret"
ACCESS_TOKEN = "recognisable-access-token"
PAIR = base64.b64encode(f"pm-test-1:{CLIENT_SECRET}".encode()).decode()
SECRETS = [CLIENT_SECRET, ACCESS_TOKEN, PAIR]


class _Everything(logging.Handler):
    """Keeps what any logger says at any level, as it would be written and with its raw arguments."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said += [self.format(record), repr(record.args), repr(vars(record))]


@pytest.fixture
def said() -> Iterator[list[str]]:
    handler, root = _Everything(), logging.getLogger()
    level = root.level
    names = [name for name in logging.root.manager.loggerDict if name.startswith(("http", "payman"))]
    loggers = [logging.getLogger(name) for name in {*names, "httpx", "httpcore", "payman_sdk"}]
    levels = [logger.level for logger in loggers]
    root.addHandler(handler)
    for logger in [root, *loggers]:
        logger.setLevel(logging.DEBUG)
    yield handler.said
    root.removeHandler(handler)
    root.setLevel(level)
    for logger, before in zip(loggers, levels, strict=True):
        logger.setLevel(before)


@pytest.fixture
def client(peer: Peer, connect: Connect) -> PaymanClient:
    peer.always(TOKEN_PATH, token(ACCESS_TOKEN))
    return connect(client_secret=CLIENT_SECRET)


HELD = [
    operator.attrgetter(path)
    for path in (
        "_config",
        "_connection.agent",
        "_connection.agent._tokens",
        "_connection.agent._tokens.__dict__",
    )
]
"""What a client holds and a debugger would show."""


def assert_nothing_in(*texts: str) -> None:
    for text in texts:
        for secret in SECRETS:
            assert secret not in text


def test_a_good_ask_tells_no_secret(client: PaymanClient, said: list[str]) -> None:
    """With every logger at DEBUG, a good ask leaves no secret in any record, nor in the reprs of what is held."""
    response = client.ask("Hello!", raw=True)
    client.get_task("tsk-1")
    assert any("HTTP Request" in line for line in said), "the loggers were heard"
    assert_nothing_in(*said, repr(client), str(client), repr(response))
    assert_nothing_in(*(repr(read(client)) for read in HELD))


FAILURES: dict[str, tuple[str, Answer]] = {
    "ask reset": (ASK_PATH, reset),
    "ask cut": (ASK_PATH, raw(b"HTTP/1.1 200 OK\r\n")),
    "ask 401": (ASK_PATH, answer(401, '{"error": "unauthorized"}')),
    "ask 403": (ASK_PATH, answer(403)),
    "ask 500": (ASK_PATH, answer(500)),
    "ask refused by the agent": (ASK_PATH, rpc(error={"code": -32603})),
    "ask unreadable": (ASK_PATH, answer(200, "?")),
    "token reset": (TOKEN_PATH, reset),
    "token cut": (TOKEN_PATH, raw(b"HTTP/1.1 200 OK\r\n")),
    "token 401": (TOKEN_PATH, json_answer({"error": "invalid_client"}, 401)),
    "token 500": (TOKEN_PATH, answer(500)),
    "token without a lifetime": (TOKEN_PATH, token(ACCESS_TOKEN, "soon")),
    "token with a line break": (TOKEN_PATH, token(f"{ACCESS_TOKEN}\n")),
    "token with a blank before it": (TOKEN_PATH, token(f" {ACCESS_TOKEN}")),
    "token beyond ASCII": (TOKEN_PATH, token(f"{ACCESS_TOKEN}é")),
    "token of another name": (TOKEN_PATH, json_answer({"token": ACCESS_TOKEN})),
    "token bare": (TOKEN_PATH, json_answer(ACCESS_TOKEN)),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failing_ask_tells_no_secret(name: str, peer: Peer, client: PaymanClient, said: list[str]) -> None:
    """A failing ask leaves no secret in any record, nor in the error's texts, its whole chain and the locals of its traceback."""
    peer.always(*FAILURES[name])
    with pytest.raises(PaymanError) as caught:
        client.ask("Hello!")
    error = caught.value
    frames = traceback.TracebackException.from_exception(error, capture_locals=True)
    assert_nothing_in(*said, str(error), repr(error), repr(vars(error)), "".join(frames.format()))


@pytest.mark.parametrize("arguments", [httpx.URL, str])
def test_the_query_of_a_token_request_is_hidden(
    arguments: type[httpx.URL | str], caplog: pytest.LogCaptureFixture
) -> None:
    """Httpx's own line about a token request shows its address without the query; other lines stay as they are."""
    hide_token_requests()
    hide_token_requests()
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
