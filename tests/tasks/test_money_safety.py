from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from payman_sdk import PaymanClient
from payman_sdk.errors import (
    APIConnectionError,
    APITimeoutError,
    AuthenticationError,
    OutcomeUnknownError,
    PaymanError,
)
from tests.conftest import Connect
from tests.deadlines import with_enough_time
from tests.peer import ASK_PATH, GET_PATH, TOKEN_PATH, Peer, Request, head, raw, reset, rpc
from tests.tables import table
from tests.tasks.faults import AGENT_ERRORS, REFUSED, SILENT, UNREADABLE


@pytest.fixture
def forgetful(peer: Peer) -> Peer:
    """A peer without `tasks/get`, from which nothing can be learned afterwards."""
    peer.always(GET_PATH, rpc(error={"code": -32601, "message": "no such method"}))
    return peer


def assert_asked_once(peer: Peer, error: PaymanError) -> None:
    """One ask went out, and the error names it."""
    [request] = peer.asks()
    params = request.json["params"]
    assert (error.task_id, error.session_id, error.request_id) == (
        params["id"],
        params["sessionId"],
        request.json["id"],
    )
    for named in (error.task_id, error.session_id, error.request_id):
        assert str(named) in str(error)


@pytest.mark.parametrize("name", SILENT)
def test_an_ask_whose_answer_is_lost_is_sent_once(name: str, forgetful: Peer, client: PaymanClient) -> None:
    """Whatever happens to the answer, the ask is not sent again, and the error says that its outcome is unknown."""
    peer = forgetful
    peer.always(ASK_PATH, SILENT[name])
    with pytest.raises(OutcomeUnknownError, match="Do not send it again") as caught:
        client.ask("send 100 TSD to John Doe")
    assert_asked_once(peer, caught.value)


@pytest.mark.parametrize("name", UNREADABLE)
def test_an_ask_whose_answer_cannot_be_read_is_sent_once(
    name: str, forgetful: Peer, client: PaymanClient
) -> None:
    """A success that holds no task is not sent again either; the error shows the answer."""
    peer = forgetful
    peer.always(ASK_PATH, UNREADABLE[name])
    with pytest.raises(OutcomeUnknownError) as caught:
        client.ask("send 100 TSD to John Doe")
    assert_asked_once(peer, caught.value)
    assert caught.value.response is not None
    assert "get_task" in caught.value.next_step


@table("name", REFUSED | AGENT_ERRORS)
def test_an_ask_that_was_refused_says_by_whom(name: str, peer: Peer, client: PaymanClient) -> None:
    """A refusal is the error of its class with the ids; only a refused token is worth a second attempt."""
    fault, error_class = (REFUSED | AGENT_ERRORS)[name]
    peer.always(ASK_PATH, fault)
    with pytest.raises(error_class) as caught:
        client.ask("send 100 TSD to John Doe")
    assert type(caught.value) is error_class
    assert caught.value.status_code is not None
    assert caught.value.response is not None
    if error_class is AuthenticationError:
        assert peer.asks()[0].body == peer.asks()[1].body
        peer.requests[:] = [*peer.token_requests(), peer.asks()[1]]
    assert_asked_once(peer, caught.value)


def test_an_ask_that_is_never_answered(forgetful: Peer, connect: Connect) -> None:
    """A server that says nothing is given up after read_timeout, and the outcome is unknown."""
    peer = forgetful
    peer.always(ASK_PATH, peer.never)
    connect().get_access_token()  # which the next client finds: it needs no answer in time to have one
    with pytest.raises(OutcomeUnknownError, match="No answer in time") as caught:
        connect(read_timeout=0.1).ask("send 100 TSD to John Doe")
    assert_asked_once(peer, caught.value)
    assert isinstance(caught.value.__cause__, APITimeoutError)


def test_an_answer_that_stops_in_the_middle(peer: Peer, connect: Connect) -> None:
    """A server that begins to answer and says no more is given up too."""

    def begin(request: Request) -> Iterator[bytes]:
        yield head(200, {"content-length": "100"}) + b'{"jsonrpc"'
        yield from peer.never(request)

    peer.always(ASK_PATH, begin)
    connect().get_access_token()

    def ask(seconds: float) -> OutcomeUnknownError:
        with pytest.raises(OutcomeUnknownError, match="No answer in time") as caught:
            connect(timeout=seconds).ask("send 100 TSD to John Doe")
        return caught.value

    assert_asked_once(peer, with_enough_time(0.4, ask))


def test_a_server_that_is_not_there(connect: Connect) -> None:
    """A refused connection is no open question: nothing was sent."""
    with Peer() as gone:
        pass
    client = connect(base_url=gone.base_url)
    with pytest.raises(APIConnectionError) as caught:
        client.ask("send 100 TSD to John Doe")
    assert not caught.value.sent
    assert caught.value.session_id == client.get_session_id()
    assert caught.value.task_id


def test_a_server_that_goes_away_after_the_token(peer: Peer, connect: Connect) -> None:
    """Where the token is there and the connection for the ask is refused, nothing was sent either."""

    class _Gone(httpx.BaseTransport):
        """Hands the token request on, and reaches nobody with anything else."""

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.path != TOKEN_PATH:
                request.url = request.url.copy_with(port=gone.port)
            return transport.handle_request(request)

    with Peer() as gone:
        pass
    with (
        httpx.HTTPTransport() as transport,
        httpx.Client(transport=_Gone()) as http,
        pytest.raises(APIConnectionError, match="Could not connect to") as caught,
    ):
        connect(http_client=http).ask("send 100 TSD to John Doe")
    assert not caught.value.sent
    assert peer.asks() == []


@pytest.mark.parametrize("fault", [reset, raw(b""), raw(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{")])
def test_a_token_request_that_breaks_is_not_an_ask(fault: Any, peer: Peer, client: PaymanClient) -> None:
    """A token request that was sent and not answered leaves no doubt about the ask: it was not sent."""
    peer.always(TOKEN_PATH, fault)
    with pytest.raises(APIConnectionError, match="No access token could be fetched") as caught:
        client.ask("send 100 TSD to John Doe")
    assert not caught.value.sent
    assert peer.asks() == []
    assert len(peer.token_requests()) == 1


def test_the_next_ask_after_a_lost_one_is_another(forgetful: Peer, client: PaymanClient) -> None:
    """A caller who asks again after a failure makes a new ask, with ids of its own, in the same session."""
    peer = forgetful
    peer.script(ASK_PATH, reset)
    with pytest.raises(OutcomeUnknownError):
        client.ask("send 100 TSD to John Doe")
    assert client.ask("what happened?").status == "completed"
    first, second = (request.json for request in peer.asks())
    assert first["params"]["id"] != second["params"]["id"]
    assert first["id"] != second["id"]
    assert first["params"]["sessionId"] == second["params"]["sessionId"]
