"""Idempotency keys: whoever asks with the same key asks about the same task, and it is carried out once."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeAlias

import anyio
import pytest

from payman_sdk import FormattedTaskResponse, PaymanClient
from payman_sdk._core.requests import derive_task_id
from payman_sdk._io.key_store import MemoryKeyStore
from payman_sdk.errors import (
    AuthenticationError,
    ConfigurationError,
    IdempotencyKeyReuseError,
    InternalAgentError,
    OutcomeUnknownError,
    PaymanError,
    PermissionDeniedError,
    RateLimitError,
    StreamInterruptedError,
)
from payman_sdk.sandbox import Sandbox
from tests.conftest import Connect
from tests.loops import LOOPS, run_on
from tests.peer import ASK_PATH, GET_PATH, TOKEN_PATH, Answer, Peer, answer, completed, reset, rpc, task_with
from tests.streaming.wire import RESUBSCRIBE_PATH, STREAM_PATH
from tests.tables import table

PAYMENT = "send 10 TSD to Test Payee"
KEY = "invoice-42"
NOT_KNOWN = rpc(error={"code": -32001, "message": "Task not found"})
NO_METHOD = rpc(error={"code": -32601, "message": "no such method"})
WORKING = task_with(status={"state": "WORKING"}, artifacts=[])
WAITING = task_with(status={"state": "INPUT_REQUIRED"})

Ask: TypeAlias = Callable[..., FormattedTaskResponse]


def plainly(client: PaymanClient, text: str, **options: Any) -> FormattedTaskResponse:
    """Asks for the whole answer."""
    response: FormattedTaskResponse = client.ask(text, **options)
    return response


def streaming(client: PaymanClient, text: str, **options: Any) -> FormattedTaskResponse:
    """Asks for the answer as it comes, and reads it to its end."""
    with client.stream(text, **options) as stream:
        return stream.result()


def received(client: PaymanClient, text: str, **options: Any) -> FormattedTaskResponse:
    """Asks with `on_message`."""
    response: FormattedTaskResponse = client.ask(text, on_message=lambda _: None, **options)
    return response


WAYS: list[Ask] = [plainly, streaming, received]
ways = pytest.mark.parametrize("ask", WAYS)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


def said(response: Mapping[str, Any]) -> dict[str, Any]:
    """An answer, but for the id of the request that fetched it, and the time that a stream gives to its artifacts."""
    reported: dict[str, Any] = {**response, "request_id": None, "metadata": None}
    return {**reported, "artifacts": [{**artifact, "timestamp": None} for artifact in response["artifacts"]]}


def assert_paid_once(sandbox: Sandbox, *answers: FormattedTaskResponse) -> None:
    """There is one payment, and all answers are about it and the same."""
    [payment] = sandbox.payments
    assert {one.task_id for one in answers} == {payment.task_id}
    assert {one.status for one in answers} == {"completed"}
    assert all(said(one) == said(answers[0]) for one in answers)
    sandbox.check_invariants()


def sent_at(peer: Peer, *paths: str) -> int:
    """How many requests came to these paths."""
    return len([request for request in peer.requests if request.path in paths])


# --- the same key, the same task


def test_the_task_of_a_key_never_changes() -> None:
    """The id that a key stands for is written down here: were it another tomorrow, repeated payments would be made again."""
    assert derive_task_id("pm-test-1", "invoice-42") == "tsk-db5eaf17-de4e-5c8a-baf0-476928cfc461"
    assert (
        derive_task_id("pm-test-1", "Rechnung Nr. 42 für Zoë") == "tsk-7e54b1f9-50c4-5726-8e36-9453fdf456a1"
    )


def test_no_two_pairs_of_client_and_key_are_the_same_task() -> None:
    """Another application, another key, and the same characters shared out otherwise are other tasks."""
    pairs = [("a", "b"), ("b", "a"), ("a", "b "), ("ab", ""), ("", "ab"), ("a', 'b", "c"), ("a", "b', 'c")]
    assert len({derive_task_id(*pair) for pair in pairs}) == len(pairs)


@ways
@pytest.mark.parametrize("again", WAYS)
def test_the_same_key_is_the_same_task(ask: Ask, again: Ask, sandbox: Sandbox) -> None:
    """However it is asked, and asked again, by the same client or another, it is paid once and the answer is the same."""
    with sandbox.client() as client, sandbox.client() as other:
        first = ask(client, PAYMENT, idempotency_key=KEY)
        answers = [again(one, PAYMENT, idempotency_key=KEY) for one in (client, other)]
    assert first.task_id == derive_task_id(sandbox.client_id, KEY)
    assert_paid_once(sandbox, first, *answers)


def test_without_a_key_every_ask_is_another(sandbox: Sandbox) -> None:
    """Two asks with two keys, and two without any, are four payments."""
    with sandbox.client() as client:
        for key in ("a", "b", None, None):
            client.ask(PAYMENT, idempotency_key=key)
    assert len({payment.task_id for payment in sandbox.payments}) == 4


PROGRAM = f"""
import json, sys
from payman_sdk import PaymanClient

client_id, client_secret, base_url = sys.argv[1:]
with PaymanClient(client_id=client_id, client_secret=client_secret, base_url=base_url) as client:
    print(json.dumps(client.ask({PAYMENT!r}, idempotency_key={KEY!r})))
"""


@pytest.mark.slow
def test_another_process_asks_about_the_same_task(sandbox: Sandbox) -> None:
    """A program that is run again does not pay again, and reads the same answer."""
    program = [sys.executable, "-c", PROGRAM, sandbox.client_id, sandbox.client_secret, sandbox.base_url]
    done = [subprocess.run(program, check=True, capture_output=True, timeout=60) for _ in range(2)]
    runs = [json.loads(run.stdout) for run in done]
    with sandbox.client() as client:
        mine = client.ask(PAYMENT, idempotency_key=KEY)
    assert len(sandbox.payments) == 1
    assert [said(run) for run in runs] == [said(mine)] * 2


@ways
def test_a_server_that_was_restarted_knows_its_tasks(ask: Ask, tmp_path: Path) -> None:
    """A key outlives the server, where that keeps what it did."""
    file = tmp_path / "sandbox.sqlite3"
    with Sandbox(db=file) as before, before.client() as client:
        first = client.ask(PAYMENT, idempotency_key=KEY)
    before.close()
    with Sandbox(db=file) as after, after.client() as client:
        assert_paid_once(after, first, ask(client, PAYMENT, idempotency_key=KEY))
    after.close()


def test_other_applications_have_other_tasks() -> None:
    """The same key of two client ids stands for two tasks, each paid from its own account."""
    secrets = {"pm-one": "s3cret-1", "pm-two": "s3cret-2"}
    with Sandbox(clients=secrets) as sandbox:
        tasks = set()
        for client_id, client_secret in secrets.items():
            with sandbox.client(client_id=client_id, client_secret=client_secret) as client:
                tasks.add(client.ask(PAYMENT, idempotency_key=KEY).task_id)
        assert tasks == {derive_task_id(client_id, KEY) for client_id in secrets}
        assert {sandbox.balance("TSD", client_id=client_id) for client_id in secrets} == {990}


def test_twenty_at_once(sandbox: Sandbox) -> None:
    """Twenty threads that ask at the same moment with the same key pay once, and all learn how it ended."""
    with sandbox.client() as client, ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: client.ask(PAYMENT, idempotency_key=KEY), range(20)))
    assert len(sandbox.payments) == 1
    assert {(one.task_id, one.status) for one in answers} == {
        (derive_task_id(sandbox.client_id, KEY), "completed")
    }


@pytest.mark.parametrize("loop", LOOPS)
def test_twenty_at_once_on_an_event_loop(loop: str, sandbox: Sandbox) -> None:
    """The same for tasks, half of them streams."""
    answers: list[FormattedTaskResponse] = []

    async def main() -> None:
        async with sandbox.async_client() as client, anyio.create_task_group() as group:

            async def plain() -> None:
                answers.append(await client.ask(PAYMENT, idempotency_key=KEY))

            async def stream() -> None:
                async with client.stream(PAYMENT, idempotency_key=KEY) as events:
                    answers.append(await events.result())

            for _ in range(10):
                group.start_soon(plain)
                group.start_soon(stream)

    run_on(loop, main)
    assert (len(sandbox.payments), len(answers)) == (1, 20)
    assert {(one.status, one.idempotency_key) for one in answers} == {("completed", KEY)}


# --- what is sent


@ways
def test_the_task_is_looked_up_before_anything_is_sent(ask: Ask, peer: Peer, client: PaymanClient) -> None:
    """With a key the task is looked up first, with its history, and sent where the server does not know it."""
    peer.script(GET_PATH, NOT_KNOWN)
    peer.always(STREAM_PATH, completed)
    assert ask(client, PAYMENT, idempotency_key=KEY).text == "Done."
    assert [request.path for request in peer.requests][:2] == [TOKEN_PATH, GET_PATH]
    look, sent = peer.requests[1].json, peer.requests[2].json
    assert look["params"] == {"id": derive_task_id("pm-test-1", KEY), "historyLength": 100}
    assert sent["params"]["id"] == derive_task_id("pm-test-1", KEY)
    assert KEY not in json.dumps(sent)
    assert sent_at(peer, ASK_PATH, STREAM_PATH) == 1


@ways
@pytest.mark.parametrize("found", [completed, WAITING, task_with(status={"state": "failed"})])
def test_a_task_that_is_known_is_not_sent(ask: Ask, found: Answer, peer: Peer, client: PaymanClient) -> None:
    """A task that has ended or waits for somebody is returned as it stands, after the one look."""
    peer.always(GET_PATH, found)
    response = ask(client, PAYMENT, idempotency_key=KEY)
    assert response.is_final is not response.requires_input
    assert [request.path for request in peer.requests] == [TOKEN_PATH, GET_PATH]


@ways
def test_a_task_that_is_at_work_is_waited_for(ask: Ask, peer: Peer, client: PaymanClient) -> None:
    """A task that somebody else has just asked for is waited for, and not sent."""
    peer.script(GET_PATH, WORKING, WORKING, reset, WORKING, completed)
    peer.always(RESUBSCRIBE_PATH, NO_METHOD)
    assert ask(client, PAYMENT, idempotency_key=KEY).text == "Done."
    assert sent_at(peer, ASK_PATH, STREAM_PATH) == 0


@pytest.mark.slow
def test_a_task_that_is_at_work_at_the_deadline(
    peer: Peer, client: PaymanClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that does not end in time is returned as it stands."""
    for shortest in ("_FIRST_LOOK", "_SHORTEST_LOOK"):  # no look-up is under way at the deadline
        monkeypatch.setattr(f"payman_sdk._core.retry.{shortest}", 60.0)
    peer.always(GET_PATH, WORKING)
    response = client.ask(PAYMENT, idempotency_key=KEY, timeout=1)
    assert (response.status, response.idempotency_key) == ("in_progress", KEY)
    assert peer.asks() == []


PASSING = [reset, answer(500)]


@pytest.mark.slow
@ways
@pytest.mark.parametrize("then", [NOT_KNOWN, NO_METHOD, answer(401), answer(403), *PASSING])
def test_a_task_that_is_at_work_and_lost_then(
    ask: Ask, then: Answer, peer: Peer, client: PaymanClient
) -> None:
    """Where it cannot be learned how a task goes on that is at work, its outcome is unknown, and nobody says it was not sent.

    An ask that is read whole ends as the task was seen where the look-ups fail for passing reasons until its deadline.
    """
    peer.always(GET_PATH, then)
    peer.always(RESUBSCRIBE_PATH, NO_METHOD)
    error: OutcomeUnknownError | None = None
    passes = ask is plainly and then in PASSING
    for timeout in (0.25, 1, 4, 16):  # a busy machine may need more to look twice
        peer.script(GET_PATH, WORKING)
        try:
            if ask(client, PAYMENT, idempotency_key=KEY, timeout=timeout).status == "in_progress" and passes:
                return
        except OutcomeUnknownError as caught:
            error = caught
        if error is not None and error.sent and not passes:
            break
    assert error is not None
    assert "The agent said that the task is working." in str(error) or ask is not plainly
    assert (error.sent, error.idempotency_key) == (True, KEY)
    assert sent_at(peer, ASK_PATH, STREAM_PATH) == 0


CANNOT_TELL: dict[str, Answer] = {
    "no method": NO_METHOD,
    "400": answer(400),
    "404": answer(404),
    "409": answer(409),
    "an answer nobody can read": answer(200),
    "an outage": answer(500),
    "no connection": reset,
    "too many requests": answer(429, retry_after="1"),
}


@pytest.mark.slow
@ways
@pytest.mark.parametrize("name", CANNOT_TELL)
def test_a_task_that_cannot_be_looked_up(ask: Ask, name: str, peer: Peer, client: PaymanClient) -> None:
    """Where it cannot be learned whether the key was used, nothing is sent, and the error says both."""
    peer.always(GET_PATH, CANNOT_TELL[name])
    with pytest.raises(OutcomeUnknownError, match="Whether this key was used before is unknown") as caught:
        ask(client, PAYMENT, idempotency_key=KEY, timeout=0.3)
    assert (type(caught.value), caught.value.sent) == (OutcomeUnknownError, False)
    assert "Nothing was sent now." in str(caught.value)
    assert isinstance(caught.value.__cause__, PaymanError)
    assert (caught.value.task_id, caught.value.idempotency_key) == (derive_task_id("pm-test-1", KEY), KEY)
    assert sent_at(peer, ASK_PATH, STREAM_PATH) == 0


@ways
@pytest.mark.parametrize(("status", "kind"), [(401, AuthenticationError), (403, PermissionDeniedError)])
def test_who_may_not_look_is_informed(
    ask: Ask, status: int, kind: type[PaymanError], peer: Peer, client: PaymanClient
) -> None:
    """Who has no access is told that, rather than that nothing could be learned."""
    peer.always(GET_PATH, answer(status))
    with pytest.raises(kind) as caught:
        ask(client, PAYMENT, idempotency_key=KEY)
    assert caught.value.idempotency_key == KEY
    assert sent_at(peer, ASK_PATH, STREAM_PATH) == 0


# --- another text


@ways
def test_a_key_means_one_text(ask: Ask, sandbox: Sandbox) -> None:
    """The same key with another text is refused, and nothing is paid; it is a mistake of the program."""
    with sandbox.client() as client:
        first = client.ask(PAYMENT, idempotency_key=KEY)
        with pytest.raises(IdempotencyKeyReuseError, match="another text") as caught:
            ask(client, "send 20 TSD to Test Payee", idempotency_key=KEY)
        assert ask(client, PAYMENT, idempotency_key=KEY).task_id == first.task_id
    assert isinstance(caught.value, ValueError)
    assert (caught.value.task_id, caught.value.idempotency_key) == (first.task_id, KEY)
    assert len(sandbox.payments) == 1


def test_a_task_that_was_replied_is_still_the_same(sandbox: Sandbox) -> None:
    """What a task was asked first is compared, not what was said in it later."""
    with sandbox.client() as client:
        waits = client.ask("send 200 TSD to Test Payee", idempotency_key=KEY)
        assert client.ask("send 200 TSD to Test Payee", idempotency_key=KEY).requires_input
        client.reply(waits, "approve")
        assert client.ask("send 200 TSD to Test Payee", idempotency_key=KEY).status == "completed"
        with pytest.raises(IdempotencyKeyReuseError):
            client.ask("approve", idempotency_key=KEY)
    assert sandbox.balance() == 800


def message(text: str, role: str = "user") -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "text": part} for part in text.split("\n")]}


def written(kind: str, content: object) -> dict[str, Any]:
    """A message of a part that is not quite a text."""
    return {"role": "user", "parts": [{"type": kind, kind.lower(): content}]}


@ways
@pytest.mark.parametrize(
    ("history", "is_refused"),
    [
        (None, False),
        ([], False),
        ([message(PAYMENT)], False),
        ([message(PAYMENT), message("Done.", "agent")], False),
        ([message("Done.", "agent"), message("something else")], False),
        ([message("something else")] * 100, False),
        ([message("something else")] * 99, True),
        ([message("something else"), message(PAYMENT)], True),
        ([message(f"{PAYMENT} ")], True),
        ([message(f"{PAYMENT}\nnow")], True),
        ([written("text", f"{PAYMENT}\r\n")], False),
        ([message("something else", "USER")], True),
        ([message("something else", "ROLE_USER")], True),
        ([written("TEXT", PAYMENT)], False),
        ([written("TEXT", "something else")], True),
        ([written("text", None)], False),
        ([written("data", {"a": 1})], False),
        ([{"role": "user", "parts": []}], False),
    ],
)
def test_only_a_text_that_is_reported_is_compared(
    ask: Ask, history: list[Any] | None, is_refused: bool, peer: Peer, client: PaymanClient
) -> None:
    """A server that tells no history, or not its beginning, gives no reason to refuse."""
    peer.always(GET_PATH, task_with(history=history))
    if is_refused:
        with pytest.raises(IdempotencyKeyReuseError):
            ask(client, PAYMENT, idempotency_key=KEY)
    else:
        assert ask(client, PAYMENT, idempotency_key=KEY).text == "Done."
    assert [request.path for request in peer.requests] == [TOKEN_PATH, GET_PATH]


@ways
def test_a_text_is_the_same_however_its_accents_are_encoded(
    ask: Ask, peer: Peer, client: PaymanClient
) -> None:
    """Databases and file systems compose them, or take them apart."""
    for kept in ("Zo\u00eb", "Zoe\u0308"):
        peer.always(GET_PATH, task_with(history=[message(f"send 10 TSD to {kept}")]))
        for asked in ("Zo\u00eb", "Zoe\u0308"):
            assert ask(client, f"send 10 TSD to {asked}", idempotency_key=KEY).text == "Done."
        with pytest.raises(IdempotencyKeyReuseError):
            ask(client, "send 10 TSD to Zoe", idempotency_key=KEY)


# --- what carries the key


@ways
def test_the_answer_has_the_key(ask: Ask, sandbox: Sandbox) -> None:
    """An answer knows its key, the first as well as a later one; without a key it has none."""
    with sandbox.client() as client:
        assert ask(client, "Hello!", idempotency_key=KEY).idempotency_key == KEY
        assert ask(client, "Hello!", idempotency_key=KEY)["idempotencyKey"] == KEY
        assert ask(client, "Hello!").idempotency_key is None


FAILURES: dict[str, tuple[str, Answer, type[PaymanError]]] = {
    "no token": (TOKEN_PATH, answer(400), PaymanError),
    "refused": (ASK_PATH, answer(429), RateLimitError),
    "an error of the agent": (ASK_PATH, rpc(error={"code": -32603}), InternalAgentError),
    "lost": (ASK_PATH, reset, OutcomeUnknownError),
    "cannot be read": (ASK_PATH, task_with(status={"state": 5}), PaymanError),
}


@ways
@pytest.mark.parametrize("name", FAILURES)
def test_every_error_has_the_key(ask: Ask, name: str, peer: Peer, client: PaymanClient) -> None:
    """Whatever fails, the error names the key with which to ask again."""
    path, fault, kind = FAILURES[name]
    peer.always(GET_PATH, NOT_KNOWN)
    peer.always(RESUBSCRIBE_PATH, NOT_KNOWN)
    for one in (path, STREAM_PATH) if path == ASK_PATH else (path,):
        peer.always(one, fault)
    with pytest.raises(kind) as caught:
        ask(client, PAYMENT, idempotency_key=KEY)
    assert caught.value.idempotency_key == KEY
    assert f"key {KEY}" in str(caught.value)
    assert caught.value.task_id == derive_task_id("pm-test-1", KEY)


def test_an_interrupted_stream_has_the_key(peer: Peer, client: PaymanClient) -> None:
    """What a broken stream had told has the key, too."""
    peer.script(GET_PATH, WORKING)
    peer.always(GET_PATH, NO_METHOD)
    peer.always(RESUBSCRIBE_PATH, NO_METHOD)
    with pytest.raises(StreamInterruptedError) as caught:
        streaming(client, PAYMENT, idempotency_key=KEY)
    assert caught.value.idempotency_key == caught.value.partial.idempotency_key == KEY


@pytest.mark.parametrize("is_json", [True, False])
def test_the_raw_answer_of_a_key(is_json: Any, sandbox: Sandbox) -> None:
    """`raw=True` with a key gives the answer as it came, of the ask or of the look; it pays once as well."""
    options: Any = {"idempotency_key": KEY, "output_format": "json"} if is_json else {"idempotency_key": KEY}
    with sandbox.client() as client:
        raw: Any = not is_json
        answers = [client.ask(PAYMENT, options, raw) for _ in range(2)]
    assert all(one.__class__ is dict and one.keys() >= {"jsonrpc", "id", "result"} for one in answers)
    results: list[Any] = [one["result"] for one in answers]
    assert {one["id"] for one in results} == {derive_task_id(sandbox.client_id, KEY)}
    assert results[0]["artifacts"] == results[1]["artifacts"]
    assert len(sandbox.payments) == 1


# --- keys that are none


@ways
@table(
    "key", ["", " ", "\t", 5, True, b"key", ["key"], "x" * 256, "x" * 300, "a\nb", "a\r", "\x00", "\u2028"]
)
def test_a_key_that_is_none(ask: Ask, key: Any, peer: Peer, client: PaymanClient) -> None:
    """A key that names nothing, or cannot be written down in a line, is refused by its name before anything is sent."""
    with pytest.raises(ConfigurationError, match="idempotency_key is") as caught:
        ask(client, PAYMENT, idempotency_key=key)
    assert "invoice-42" in str(caught.value)
    assert len(str(caught.value)) < 500
    assert peer.requests == []


@pytest.mark.parametrize("key", ["x", "0", "x" * 255, "Rechnung 42/ß–山", " padded ", "'quoted'"])
def test_a_key_is_any_text_in_a_line(key: str, sandbox: Sandbox) -> None:
    """Whatever can be read in one line of up to 255 characters is a key, each another."""
    with sandbox.client() as client:
        first, second = (client.ask("Hello!", idempotency_key=key) for _ in range(2))
        assert first.task_id == second.task_id != client.ask("Hello!", idempotency_key=f"{key[1:]}+").task_id


def test_a_reply_takes_no_key(client: PaymanClient, peer: Peer) -> None:
    """A reply belongs to a task that there is: a key for it is refused by name."""
    options: Any = {"idempotency_key": KEY}
    with pytest.raises(ConfigurationError, match="'idempotency_key' is not an option of reply"):
        client.reply("tsk-1", "approve", options)
    assert peer.requests == []


def test_a_key_without_retries(peer: Peer, connect: Connect) -> None:
    """Whoever repeats an ask that failed with the same key goes on where it stood: found if it arrived, sent if not."""
    client = connect(max_retries=0)
    peer.always(GET_PATH, NOT_KNOWN)
    peer.script(ASK_PATH, answer(429))
    with pytest.raises(RateLimitError):
        client.ask(PAYMENT, idempotency_key=KEY)
    assert client.ask(PAYMENT, idempotency_key=KEY).text == "Done."
    first, second = (request.json["params"] for request in peer.asks())
    assert first == second


@pytest.mark.parametrize("ask", [plainly, streaming, received])
def test_a_key_store_of_one_ask(ask: Ask, peer: Peer, connect: Connect) -> None:
    """An ask that is given a key store records its key there and nowhere else; what is none is refused."""
    clients, asks = MemoryKeyStore(), MemoryKeyStore()
    client = connect(key_store=clients)
    ask(client, PAYMENT, idempotency_key=KEY, key_store=asks)
    operation = f"{derive_task_id('pm-test-1', KEY)} at {peer.base_url}"
    assert (clients.load(operation), asks.load(operation) is not None) == (None, True)
    with pytest.raises(ConfigurationError, match="key_store is a dict"):
        ask(client, PAYMENT, idempotency_key=KEY, key_store={})
