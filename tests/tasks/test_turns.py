"""The newest answer of a task that waited and was answered, whatever artifacts the server returns."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
from typing import Any, NamedTuple

import pytest

from payman_sdk import AsyncPaymanClient, FormattedTaskResponse, PaymanClient
from payman_sdk.errors import TaskNotFoundError
from payman_sdk.sandbox import Sandbox, ScriptedResponse
from tests.conftest import Connect
from tests.loops import LOOPS, run_on
from tests.peer import ASK_PATH, GET_PATH, TOKEN_PATH, Peer, answer, reset, rpc, task_with
from tests.streaming.wire import DONE, STREAM_PATH, Piece, chunk, event, stream

QUESTION, ANSWER = "Approve 150 TSD?", "Sent 150 TSD."
PAYMENT = "send 150 TSD to Test Payee"
NO_METHOD = rpc(error={"code": -32601, "message": "no such method"})
WAITS, COMPLETED = {"state": "input-required"}, {"state": "completed"}


def made(*texts: str, **members: Any) -> list[dict[str, Any]]:
    return [
        {"parts": [{"type": "text", "text": text}], "index": index, **members}
        for index, text in enumerate(texts)
    ]


class Turn(NamedTuple):
    """What a server returns to a reply, and the text that is the newest answer."""

    status: dict[str, Any]
    artifacts: list[dict[str, Any]]
    text: str


DATA = [{"parts": [{"type": "data", "data": {"paid": True}}]}]
SAID = {**COMPLETED, "message": {"role": "agent", "parts": [{"type": "text", "text": "It is paid."}]}}

TURNS: dict[str, Turn] = {
    "all artifacts": Turn(COMPLETED, made(QUESTION, ANSWER), ANSWER),
    "only the new one": Turn(COMPLETED, made(ANSWER), ANSWER),
    "the new one first": Turn(COMPLETED, made(ANSWER, QUESTION), ANSWER),
    "several new ones": Turn(COMPLETED, made(QUESTION, ANSWER, "Bye."), f"{ANSWER}\n\nBye."),
    "the same words again": Turn(WAITS, made(QUESTION, QUESTION), QUESTION),
    "the old question, still open": Turn(WAITS, made(QUESTION), QUESTION),
    "another question": Turn(WAITS, made(QUESTION, "To whom?"), "To whom?"),
    "an answer in the status alone": Turn(SAID, made(QUESTION), "It is paid."),
    "an answer in the status, and nothing else": Turn(SAID, [], "It is paid."),
    "no words at all": Turn(COMPLETED, made(QUESTION), ""),
    "data": Turn(COMPLETED, [*made(QUESTION), *DATA], '{"paid": true}'),
    "the artifact grown": Turn(COMPLETED, made(f"{QUESTION}\n{ANSWER}"), f"{QUESTION}\n{ANSWER}"),
}


def waiting(client: PaymanClient, peer: Peer) -> FormattedTaskResponse:
    """A task that waits for an answer to the question."""
    peer.script(ASK_PATH, task_with(status=WAITS, artifacts=made(QUESTION)))
    response = client.ask(PAYMENT)
    assert (response.text, response.requires_input) == (QUESTION, True)
    return response


def test_the_text_after_a_reply_is_the_newest_answer(peer: Peer, client: PaymanClient) -> None:
    """Servers return all artifacts or the new ones; `.text` is the same, and `artifacts` has what they returned."""
    for name, turn in TURNS.items():
        answer = task_with(status=turn.status, artifacts=turn.artifacts)
        for given in ("answer", "as JSON", "id"):
            response = waiting(client, peer)
            if given == "id":
                peer.script(GET_PATH, task_with(status=WAITS, artifacts=made(QUESTION)))
            known: Any = {
                "answer": response,
                "as JSON": json.loads(json.dumps(response)),
                "id": response.task_id,
            }
            peer.script(ASK_PATH, answer)
            done = client.reply(known[given], "approve")
            assert done.text == turn.text, (name, given)
            assert len(done.artifacts) == len(turn.artifacts), (name, given)
            for twin in (done.copy(), copy.deepcopy(done), pickle.loads(pickle.dumps(done))):  # noqa: S301 (made here)
                assert twin.text == turn.text, (name, given)


def test_a_reply_that_is_streamed(peer: Peer, client: PaymanClient) -> None:
    """Streams that begin anew and streams of what is new end in the same text."""

    def artifact(text: str, index: int) -> Piece:
        return chunk(text, index=index, append=False, last=True)

    for name, pieces in {
        "all of it": (artifact(QUESTION, 0), artifact(ANSWER, 1)),
        "the new one": (artifact(ANSWER, 1),),
        "the new one in the old place": (artifact(ANSWER, 0),),
        "a whole task": (event(status=COMPLETED, artifacts=made(QUESTION, ANSWER)),),
    }.items():
        response = waiting(client, peer)
        peer.script(STREAM_PATH, stream(*pieces, DONE))
        assert client.reply(response, "approve", on_message=lambda _: None).text == ANSWER, name


def test_a_reply_whose_answer_got_lost(peer: Peer, client: PaymanClient) -> None:
    """What a look-up finds is compared with what was said before, too."""
    response = waiting(client, peer)
    peer.script(ASK_PATH, reset)
    peer.script(GET_PATH, task_with(status=COMPLETED, artifacts=made(QUESTION, ANSWER)))
    assert client.reply(response, "approve").text == ANSWER


def test_a_server_that_looks_no_task_up(peer: Peer, client: PaymanClient) -> None:
    """A reply by the id alone needs no look-up to be sent; without one, the text has all artifacts."""
    for look_up in (
        NO_METHOD,
        reset,
        answer(500),
        answer(200, "page"),
        rpc(result={}),
    ):
        peer.always(GET_PATH, look_up)
        peer.script(ASK_PATH, task_with(status=COMPLETED, artifacts=made(QUESTION, ANSWER)))
        done = client.reply("tsk-1", "approve")
        assert (done.text, done.new_artifacts) == (f"{QUESTION}\n\n{ANSWER}", None)
    assert len(peer.asks()) == 5


@pytest.mark.parametrize("is_streamed", [False, True])
def test_a_task_that_the_agent_does_not_know_gets_no_reply(peer: Peer, is_streamed: bool) -> None:
    """Sent all the same, the words would begin another task in the session: "approve" could approve what waits there."""
    on_message = (lambda _: None) if is_streamed else None

    async def reply_async() -> None:
        async with AsyncPaymanClient(client_id="a", client_secret="b", base_url=peer.base_url) as client:
            await client.reply("tsk-typo", "approve", on_message=on_message)

    with PaymanClient(client_id="a", client_secret="b", base_url=peer.base_url) as client:
        for task in ("tsk-typo", {"task_id": "tsk-typo"}):
            with pytest.raises(TaskNotFoundError) as caught:
                client.reply(task, "approve", on_message=on_message)
            assert caught.value.sent is False
        with pytest.raises(TaskNotFoundError):
            asyncio.run(reply_async())
    assert peer.asks() == []


def test_a_reply_to_no_task_approves_no_other_payment() -> None:
    with Sandbox() as sandbox, sandbox.client() as client:
        waits = client.pay("Test Payee", 150, "TSD")
        with pytest.raises(TaskNotFoundError):
            client.reply("tsk-typo", "approve")
        assert client.payment_status(waits).outcome.value == "awaiting_approval"
        assert client.reply(waits.task_id or "", "approve").status == "completed"


def test_a_guard_is_consulted_before_the_look(peer: Peer, connect: Connect) -> None:
    """Nothing at all is sent where the guard refuses; an answer that waits needs no look."""

    def refuse(_: object) -> None:
        raise PermissionError("no")

    with pytest.raises(PermissionError):
        connect(before_send=refuse).reply("tsk-1", "approve")
    assert peer.requests == []
    client = connect()
    response = waiting(client, peer)
    peer.script(ASK_PATH, task_with(artifacts=made(ANSWER)))
    client.reply(response, "approve")
    assert {request.path for request in peer.requests} == {TOKEN_PATH, ASK_PATH}


def test_what_comes_of_an_approval_elsewhere() -> None:
    """Given the answer that waits, `wait`, `get_task` and `cancel_task` return what is new, too; given an id, all there is."""
    with Sandbox() as sandbox, sandbox.client() as client:
        response = client.ask(PAYMENT)
        assert client.get_task(response).text == response.text  # nothing is new yet
        sandbox.approve(response.task_id)
        for known in (client.wait(response), client.get_task(response), client.get_task(dict(response))):
            assert known.text.startswith("Approved."), known.text
            assert len(known.artifacts) == 2
        assert client.get_task(response.task_id).text.startswith("Approval needed")
        assert client.get_task(client.get_task(response)).text.startswith("Approved.")
        waits = client.ask(PAYMENT)
        assert client.cancel_task(waits).text == "Canceled. No payment was made."


def test_several_turns() -> None:
    """Each reply has its own answer, by both clients, in one piece and streamed."""

    async def main() -> list[str]:
        async with sandbox.async_client() as client:
            first = await client.ask("send 5 TSD to John")
            second = await client.reply(first.task_id, "the second", on_message=lambda _: None)
            return [first.text, second.text, (await client.reply(second, "blue")).text]

    with Sandbox() as sandbox, sandbox.client() as client:
        script: list[ScriptedResponse | str] = [
            ScriptedResponse("Which John?", state="input-required"),
            ScriptedResponse("Which colour?", state="input-required"),
            "Sent.",
        ]
        sandbox.script(script * 2)
        first = client.ask("send 5 TSD to John")
        second = client.reply(first, "the second")
        third = client.reply(second.task_id, "blue")
        assert [first.text, second.text, third.text] == ["Which John?", "Which colour?", "Sent."]
        assert client.reply(third.task_id, "again").text.endswith("Sent.")  # it waits no more: all there is
        assert run_on(LOOPS[0], main) == ["Which John?", "Which colour?", "Sent."]
