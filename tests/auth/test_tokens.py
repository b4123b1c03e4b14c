from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import httpx
import pytest

from payman_api import ACCESS_TOKEN_HEADER
from payman_sdk import PaymanClient
from payman_sdk.auth.grants import ClientCredentials, Token
from payman_sdk.auth.tokens import Tokens, authorized
from payman_sdk.errors import APIConnectionError, AuthenticationError, ServerError
from payman_sdk.flows import Alone, Send
from tests.conftest import SECRET, Connect
from tests.peer import ACCESS_TOKEN, ASK_PATH, TOKEN_PATH, Peer, Request, answer, completed, token
from tests.steps import Clock, driven, token_answer

REQUEST = {"method": "POST", "url": "/x", "headers": {"Content-Type": "application/json"}}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(clock: Clock) -> Tokens:
    return Tokens(ClientCredentials("pm-test-1", "s3cret"), clock)


def fetched(tokens: Tokens, answer: httpx.Response | None = None) -> Token:
    outcome, sent = driven(tokens.obtain(9999), [answer or token_answer()])
    assert len(sent) == 1
    return cast("Token", outcome)


def test_the_steps_of_fetching_a_token(tokens: Tokens, clock: Clock) -> None:
    """A token is fetched alone, by one request within the deadline, and its life begins when that was sent."""
    flow = tokens.obtain(deadline=1234)
    alone = next(flow)
    assert isinstance(alone, Alone)
    send = next(alone.flow)
    assert isinstance(send, Send)
    assert (send.request["url"], send.deadline) == ("/api/oauth2/token", 1234)
    clock.now += 5  # the answer takes its time
    with pytest.raises(StopIteration) as renewed:
        alone.flow.send(token_answer("token-1", 100))
    with pytest.raises(StopIteration) as obtained:
        flow.send(renewed.value.value)
    assert obtained.value.value == Token("token-1", 100, 1100)


def test_a_token_is_kept(tokens: Tokens) -> None:
    """Who needs a token after it was fetched gets the same without a step."""
    first = fetched(tokens)
    assert driven(tokens.obtain(9999)) == (first, [])


@pytest.mark.parametrize(("lifetime", "good_for"), [(3600, 3540), (120, 60), (100, 50), (1, 0.5)])
def test_a_token_is_renewed_before_its_end(
    lifetime: float, good_for: float, tokens: Tokens, clock: Clock
) -> None:
    """A token counts as expired a minute before its end, or at half of its life if that is short."""
    old = fetched(tokens, token_answer("old", lifetime))
    clock.now += good_for - 0.01
    assert tokens.usable() is old
    clock.now += 0.02
    assert tokens.usable() is None
    assert fetched(tokens, token_answer("new")).value == "new"


def test_who_waited_finds_the_token_of_the_one_before(tokens: Tokens) -> None:
    """Of two that need a token at once, the second sends nothing when its turn comes."""
    first, second = tokens.obtain(9999), tokens.obtain(9999)
    turn, next_turn = next(first), next(second)
    assert isinstance(turn, Alone)
    assert isinstance(next_turn, Alone)
    fetched_token, sent = driven(turn.flow, [token_answer()])
    assert len(sent) == 1
    assert driven(next_turn.flow) == (fetched_token, [])


def test_only_the_refused_token_is_dropped(tokens: Tokens, clock: Clock) -> None:
    """A late word that an old token was refused does not drop the one that has taken its place."""
    old = fetched(tokens, token_answer("old"))
    tokens.forget(old)
    new = fetched(tokens, token_answer("new"))
    tokens.forget(old)
    assert tokens.usable() is new
    tokens.forget(new)
    assert tokens.usable() is None


def test_a_request_is_signed(tokens: Tokens) -> None:
    """The token goes into its header beside the others, and the request that was given stays as it was."""
    outcome, sent = driven(authorized(REQUEST, tokens, 9999), [token_answer(), httpx.Response(200)])
    assert cast("httpx.Response", outcome).status_code == 200
    assert sent[1].request["headers"] == {**REQUEST["headers"], ACCESS_TOKEN_HEADER: "token-1"}  # type: ignore[dict-item]
    assert ACCESS_TOKEN_HEADER not in REQUEST["headers"]


def test_a_refused_token_is_replaced_once(tokens: Tokens) -> None:
    """After a 401 the request goes out once more, with another token."""
    outcome, sent = driven(
        authorized(REQUEST, tokens, 9999),
        [token_answer("old"), httpx.Response(401), token_answer("new"), httpx.Response(200)],
    )
    assert cast("httpx.Response", outcome).status_code == 200
    assert [step.request["url"] for step in sent] == ["/api/oauth2/token", "/x", "/api/oauth2/token", "/x"]
    assert sent[3].request["headers"][ACCESS_TOKEN_HEADER] == "new"


def test_a_second_refusal_is_the_answer(tokens: Tokens) -> None:
    """A request whose second token is refused as well is not sent a third time."""
    outcome, sent = driven(
        authorized(REQUEST, tokens, 9999),
        [token_answer("old"), httpx.Response(401), token_answer("new"), httpx.Response(401)],
    )
    assert cast("httpx.Response", outcome).status_code == 401
    assert len(sent) == 4


def test_a_token_that_another_has_renewed_is_used(tokens: Tokens) -> None:
    """Who is refused after another has fetched a new token takes that one."""
    fetched(tokens, token_answer("old"))
    flow = authorized(REQUEST, tokens, 9999)
    next(flow)
    tokens.forget(cast("Token", tokens.usable()))
    new = fetched(tokens, token_answer("new"))
    again = flow.send(httpx.Response(401))
    assert isinstance(again, Send)
    assert again.request["headers"][ACCESS_TOKEN_HEADER] == new.value


def test_a_failed_token_request_has_not_sent_what_the_token_was_for(tokens: Tokens) -> None:
    """However far the token request got, its failure says that nothing was sent, and that it was about the token."""
    failure = APIConnectionError("The connection broke.")
    assert failure.sent
    outcome, sent = driven(authorized(REQUEST, tokens, 9999), [failure])
    assert outcome is failure
    assert not failure.sent
    assert str(failure) == "No access token could be fetched. The connection broke."
    assert len(sent) == 1
    assert tokens.usable() is None


def test_a_failed_fetch_leaves_the_next_to_try(tokens: Tokens) -> None:
    """A refusal is not kept: the next ask fetches again."""
    outcome, _ = driven(tokens.obtain(9999), [httpx.Response(500)])
    assert isinstance(outcome, ServerError)
    assert fetched(tokens).value == "token-1"


def test_a_token_is_fetched_on_first_need(peer: Peer, client: PaymanClient) -> None:
    """Making a client sends nothing; the first ask fetches a token with Basic and the grant in the query; it is kept."""
    assert peer.requests == []
    client.ask("one")
    client.ask("two")
    client.get_task("tsk-1")
    [request] = peer.token_requests()
    pair = base64.b64encode(f"pm-test-1:{SECRET}".encode()).decode()
    assert request.method == "POST"
    assert request.target == f"{TOKEN_PATH}?grant_type=client_credentials"
    assert request.headers["authorization"] == f"Basic {pair}"
    assert request.body == b""
    for ask in peer.asks():
        assert ask.headers[ACCESS_TOKEN_HEADER] == ACCESS_TOKEN
        assert "authorization" not in ask.headers


def test_a_hundred_threads_make_one_token_request(peer: Peer, client: PaymanClient) -> None:
    """A fresh client that is asked by a hundred threads at once fetches one token."""
    ready = threading.Barrier(100)

    def ask(number: int) -> str:
        ready.wait(30)
        return client.ask(f"ask {number}").status

    with ThreadPoolExecutor(100) as pool:
        assert list(pool.map(ask, range(100))) == ["completed"] * 100
    assert len(peer.token_requests()) == 1
    assert len(peer.asks()) == 100


def test_threads_that_are_refused_together_make_one_token_request(peer: Peer, client: PaymanClient) -> None:
    """When a token is withdrawn under twenty threads, one of them fetches the next, and every ask is answered."""
    peer.script(TOKEN_PATH, token("old"), token("new"))
    client.ask("with the old token")
    refused = threading.Barrier(20)

    def write(request: Request) -> Iterator[bytes]:
        if request.headers[ACCESS_TOKEN_HEADER] == "old":
            refused.wait(30)
            yield from answer(401)(request)
        else:
            yield from completed(request)

    peer.always(ASK_PATH, write)
    with ThreadPoolExecutor(20) as pool:
        asked = [pool.submit(client.ask, "again") for _ in range(20)]
    assert [each.result().status for each in asked] == ["completed"] * 20
    assert len(peer.token_requests()) == 2


def test_a_second_401_is_an_authentication_error(peer: Peer, client: PaymanClient) -> None:
    """Where the second token is refused too, the ask fails, and was sent twice and no more."""
    peer.always(ASK_PATH, answer(401, '{"error": "unauthorized"}'))
    with pytest.raises(AuthenticationError) as caught:
        client.ask("Hello!")
    assert caught.value.status_code == 401
    assert len({ask.json["params"]["id"] for ask in peer.asks()}) == 1
    assert (len(peer.asks()), len(peer.token_requests())) == (2, 2)


def test_a_client_takes_no_token_from_another(peer: Peer, connect: Connect) -> None:
    """Every client fetches its own token."""
    connect().ask("one")
    connect().ask("two")
    assert len(peer.token_requests()) == 2
