from __future__ import annotations

import contextlib
import gc
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from payman_sdk import AsyncPaymanClient, PaymanClient
from payman_sdk.errors import APIConnectionError, ConfigurationError
from tests.conftest import SECRET, Connect
from tests.peer import ASK_PATH, TOKEN_PATH, Peer, reset, task_with, token

SESSION = re.compile(r"ses-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


class _AwayAtFirst(httpx.HTTPTransport):
    """Reaches nobody with its first request."""

    away = True

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.away:
            self.away = False
            raise httpx.ConnectError("refused", request=request)
        return super().handle_request(request)


def sessions(peer: Peer) -> list[str]:
    return [ask.json["params"]["sessionId"] for ask in peer.asks()]


def test_every_way_of_making_a_client(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dict, keywords, `with_credentials` and the environment make clients that work alike."""
    given: Any = {"client_id": "pm-test-1", "client_secret": SECRET, "base_url": peer.base_url}
    for name, value in given.items():
        monkeypatch.setenv(f"PAYMAN_{name.upper()}", value)
    ways: list[Callable[[], PaymanClient]] = [
        lambda: PaymanClient(given),
        lambda: PaymanClient(**given),
        lambda: PaymanClient.with_credentials(given),
        lambda: PaymanClient.with_credentials(**given),
        lambda: PaymanClient.with_credentials({"client_id": "x"}, **given),
        PaymanClient.from_env,
    ]
    for way in ways:
        with way() as client:
            assert client.ask("Hello!")["status"] == "completed"
    assert len({request.headers["authorization"] for request in peer.token_requests()}) == 1


def test_a_subclass_makes_its_own_kind(peer: Peer) -> None:
    """The makers of a subclass make the subclass."""

    class Ours(PaymanClient):
        pass

    assert type(Ours.with_credentials(client_id="x", client_secret="y")) is Ours


def test_a_client_needs_a_secret() -> None:
    """Without a secret no client is made, by whichever way."""
    makers: list[Callable[..., PaymanClient]] = [PaymanClient, PaymanClient.with_credentials]
    for make in makers:
        with pytest.raises(ConfigurationError, match="client_secret is missing"):
            make(client_id="pm-test-1")


def test_a_session_lasts(peer: Peer, client: PaymanClient) -> None:
    """All asks of a client are one session, of a new id, and the answers name it."""
    answers = [client.ask("one"), client.ask("two")]
    session_id = client.get_session_id()
    assert SESSION.fullmatch(session_id)
    assert sessions(peer) == [session_id] * 2
    assert [answer["sessionId"] for answer in answers] == [session_id] * 2


@pytest.mark.parametrize("as_dict", [True, False])
def test_a_new_session_replaces_the_old(as_dict: bool, peer: Peer, client: PaymanClient) -> None:
    """`new_session` begins another session, in which the client stays."""
    client.ask("one")
    if as_dict:
        client.ask("two", {"new_session": True})
    else:
        client.ask("two", new_session=True)
    client.ask("three", new_session=False)
    first, second, third = sessions(peer)
    assert SESSION.fullmatch(second)
    assert first != second == third == client.get_session_id()


def test_a_session_is_resumed(peer: Peer, connect: Connect) -> None:
    """`session_id` in the config takes up a conversation where another client left it."""
    client = connect(session_id="ses-of-another-client")
    assert client.get_session_id() == "ses-of-another-client"
    assert client.ask("What did we talk about earlier?")["sessionId"] == "ses-of-another-client"
    assert sessions(peer) == ["ses-of-another-client"]


def test_the_agents_session_is_named_and_not_taken_over(peer: Peer, client: PaymanClient) -> None:
    """An answer names the session that the agent named; the client stays in its own."""
    peer.script(ASK_PATH, task_with(sessionId="ses-elsewhere"))
    assert client.ask("one").session_id == "ses-elsewhere"
    client.ask("two")
    assert sessions(peer) == [client.get_session_id()] * 2


def test_two_clients_share_no_session(peer: Peer, connect: Connect) -> None:
    """Each client is a conversation of its own, also with the same credentials."""
    connect().ask("one")
    connect().ask("two")
    assert len(set(sessions(peer))) == 2


def test_a_client_has_the_name_it_was_given(connect: Connect) -> None:
    """`get_client_name` gives the name of the config, None without one."""
    assert (connect(name="example_client").get_client_name(), connect().get_client_name()) == (
        "example_client",
        None,
    )


def test_the_repr_names_the_client_and_reports_no_secret(peer: Peer, connect: Connect) -> None:
    """A printed client shows its name, id and server."""
    assert repr(connect(name="mine")) == f"<PaymanClient 'mine' pm-test-1 at {peer.base_url}>"
    assert SECRET not in repr(connect())


def test_a_path_prefix_is_kept(peer: Peer, connect: Connect) -> None:
    """A server that lives below a path is asked below that path."""
    peer.always(f"/below{ASK_PATH}", task_with())
    peer.always(f"/below{TOKEN_PATH}", token())
    connect(base_url=f"{peer.base_url}/below/").ask("Hello!")
    assert [request.path for request in peer.requests] == [f"/below{TOKEN_PATH}", f"/below{ASK_PATH}"]


def test_a_client_can_be_closed_twice(client: PaymanClient) -> None:
    """Closing is harmless before the first ask, after it, and again."""
    client.ask("Hello!")
    client.close()
    client.close()
    unused = PaymanClient(client_id="x", client_secret="y")
    unused.close()
    unused.close()


def test_a_closed_client_refuses(peer: Peer, client: PaymanClient) -> None:
    """After closing, every method that would send something is refused, and nothing is sent or changed."""
    session_id = client.get_session_id()
    client.close()
    calls: list[Callable[[], object]] = [
        lambda: client.ask("Hello!"),
        lambda: client.ask("Hello!", new_session=True),
        lambda: client.get_task("tsk-1"),
    ]
    for call in calls:
        with pytest.raises(ConfigurationError, match=r"has been closed\. Create a new client\."):
            call()
    assert peer.requests == []
    assert client.get_session_id() == session_id


def test_a_with_block_closes_the_client(connect: Connect) -> None:
    """Leaving a with block closes the client, also by an exception, which goes on."""
    client = connect()
    with pytest.raises(LookupError), client as entered:
        assert entered is client
        raise LookupError
    with pytest.raises(ConfigurationError, match="closed"):
        client.ask("Hello!")


def test_a_dropped_client_leaves_no_connection(peer: Peer) -> None:
    """A client made for one ask and dropped, as web programs do it, leaves nothing open: a warning would fail this."""
    client = PaymanClient(client_id="x", client_secret="y", base_url=peer.base_url)
    client.ask("Hello!")
    del client
    gc.collect()


def test_a_given_http_client_is_used_and_stays_open(peer: Peer, connect: Connect) -> None:
    """The caller's httpx client carries the requests, with its headers, and is the caller's to close."""
    with httpx.Client(headers={"x-mine": "1"}, base_url="https://elsewhere.example", trust_env=False) as http:
        with connect(http_client=http) as client:
            client.ask("Hello!")
        assert not http.is_closed
        with connect(http_client=http) as client:
            client.ask("Hello!")
    assert {request.headers["x-mine"] for request in peer.requests} == {"1"}
    with pytest.raises(ConfigurationError, match="closed"):
        connect(http_client=http).ask("Hello!")


def test_what_is_not_http_client_is_refused(peer: Peer, connect: Connect) -> None:
    """Something else in place of the httpx client, such as an async one, is named by the constructor."""
    for wrong in ("https://payman.example", httpx.AsyncClient(), httpx.Client, 5):
        with pytest.raises(
            ConfigurationError, match=rf"http_client is an? {type(wrong).__name__}\. Give an httpx\.Client\."
        ):
            connect(http_client=wrong)
    with pytest.raises(ConfigurationError, match=r"http_client is a Client\. Give an httpx\.AsyncClient\."):
        AsyncPaymanClient(client_id="x", client_secret="y", http_client=httpx.Client())  # type: ignore[arg-type]
    assert peer.requests == []


def test_a_client_goes_on_after_a_failure(peer: Peer, client: PaymanClient) -> None:
    """A broken connection costs one ask; the next one works, with the token that was there."""
    client.ask("one")
    peer.script(ASK_PATH, reset)
    with contextlib.suppress(Exception):
        client.ask("two")
    assert client.ask("three").status == "completed"
    assert len(peer.token_requests()) == 1


def test_a_client_whose_server_was_away_goes_on_when_it_is_back(peer: Peer, connect: Connect) -> None:
    """A client that could not reach its server is not spoilt by that."""
    with httpx.Client(transport=_AwayAtFirst()) as http:
        client = connect(http_client=http)
        with pytest.raises(APIConnectionError):
            client.ask("one")
        assert client.ask("two").status == "completed"
    assert len(peer.asks()) == 1


def test_fifty_threads_share_a_client(peer: Peer, client: PaymanClient) -> None:
    """Fifty threads ask at once; each gets the answer to its own ask, and those that begin a session are in it alone."""
    ready = threading.Barrier(50)

    def ask(number: int) -> tuple[str, str]:
        ready.wait(30)
        answer = client.ask(f"ask {number}", new_session=number % 2 == 0)
        return answer.request_id, answer["sessionId"]

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(ask, range(50)))
    by_text = {ask.json["params"]["message"]["parts"][0]["text"]: ask.json for ask in peer.asks()}
    for number, (request_id, session_id) in enumerate(answers):
        sent = by_text[f"ask {number}"]
        assert (sent["id"], sent["params"]["sessionId"]) == (request_id, session_id)
    assert len({request_id for request_id, _ in answers}) == 50
    begun = [session_id for number, (_, session_id) in enumerate(answers) if number % 2 == 0]
    assert len(set(begun)) == 25
    assert client.get_session_id() in begun
