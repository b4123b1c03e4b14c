from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from payman_sdk import PaymanClient
from payman_sdk.errors import (
    AgentError,
    APIConnectionError,
    APIStatusError,
    OutcomeUnknownError,
    PaymanError,
    RateLimitError,
)
from payman_sdk.sandbox import ConnectionLost, HTTPError, RPCError, Sandbox, ScriptedResponse, StreamFault
from payman_sdk.sandbox._agent.turn import State
from payman_sdk.sandbox.scripting import Entry
from tests.tables import table

PAY = "send 10 TSD to Test Payee"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox
        sandbox.check_invariants()


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[PaymanClient]:
    with sandbox.client(timeout=60) as client:
        yield client


def test_the_agent_says_what_the_script_says_and_then_goes_on_by_itself(
    sandbox: Sandbox, client: PaymanClient
) -> None:
    """Each message takes one answer, in order; None is the agent's own, and so is everything after the last."""
    sandbox.script(["one", None, ScriptedResponse("three", status_message="All done", metadata={"cost": 3})])
    assert sandbox.remaining_script == 3
    first, own, third, after = (client.ask(PAY) for _ in range(4))
    assert (first.text, first.status, first.state) == ("one", "completed", "completed")
    assert (third.text, third.status_message, third.metadata["cost"]) == ("three", "All done", 3)
    assert set(third.metadata) == {"timestamp", "agentId", "orgId", "cost"}
    assert own.text.startswith("Sent **10.00 TSD**")
    assert after.text.startswith("Sent **10.00 TSD**")
    assert [payment.task_id for payment in sandbox.payments] == [own.task_id, after.task_id]
    assert sandbox.remaining_script == 0


@pytest.mark.parametrize("state", list(State))
def test_every_state_can_be_answered(sandbox: Sandbox, client: PaymanClient, state: State) -> None:
    """A scripted task stands as the script says, for the ask, for a stream that can end, and for whoever looks it up."""
    sandbox.script([ScriptedResponse("words", state=state), ScriptedResponse("words", state=state)])
    response = client.ask("anything")
    assert response.state == state.value
    assert client.get_task(response.task_id).state == state.value
    assert response.text == "words"
    if state not in (State.WORKING, State.SUBMITTED):
        with client.stream("anything") as stream:
            streamed = stream.result()
        assert (streamed.state, streamed.text) == (state.value, "words")


def test_a_task_that_never_ends_is_waited_for_in_vain(sandbox: Sandbox, client: PaymanClient) -> None:
    """The stream of a task that stays at work ends without an end, and the caller learns at the deadline where it stands."""
    sandbox.script([ScriptedResponse("so far", state="working")])
    with client.stream("anything", timeout=0.5) as stream, pytest.raises(PaymanError) as caught:
        stream.result()
    assert client.get_task(caught.value.task_id or "").text == "so far"


ARTIFACTS: list[str | Mapping[str, Any]] = [
    "plain",
    {"type": "data", "data": {"total": 3, "wallets": [1, None, "x"]}},
    {
        "name": "receipt.pdf",
        "description": "A receipt",
        "metadata": {"pages": 1},
        "parts": [
            {"type": "text", "text": "See the file.", "metadata": {"lang": "en"}},
            {
                "type": "file",
                "file": {"name": "receipt.pdf", "mimeType": "application/pdf", "bytes": "JVBERi0="},
            },
        ],
    },
    {
        "name": None,
        "description": None,
        "parts": [{"type": "text", "text": "nameless and rather long, in pieces"}],
    },
]


def test_artifacts_come_as_they_were_given(sandbox: Sandbox, client: PaymanClient) -> None:
    """Texts, data and files reach the caller unchanged: in an answer, in a stream, and when the task is looked up."""
    sandbox.script(
        [ScriptedResponse("first", artifacts=ARTIFACTS), ScriptedResponse("first", artifacts=ARTIFACTS)]
    )
    asked = client.ask("anything")
    with client.stream("anything") as stream:
        streamed = stream.result()
    for response in (asked, streamed, client.get_task(streamed.task_id)):
        said = [(one["name"], one["parts"], one["metadata"]) for one in response.artifacts]
        assert [name for name, _, _ in said] == [
            "response",
            "response",
            "response",
            "receipt.pdf",
            "artifact",
        ]
        [data] = said[2][1]
        assert data["data"] == {"total": 3, "wallets": [1, None, "x"]}
        assert said[3][2] == {"pages": 1}
        assert said[3][1][0]["metadata"] == {"lang": "en"}
        assert said[3][1][1]["file"]["bytes"] == "JVBERi0="
        assert said[4][1][0]["text"] == "nameless and rather long, in pieces"
    raw = client.ask("anything", raw=True)
    assert raw["result"] is not None
    assert raw["result"]["artifacts"][0]["parts"][0]["text"].startswith("I did not understand")


def test_several_artifacts_are_one_turn_of_a_stream(sandbox: Sandbox, client: PaymanClient) -> None:
    """A stream says once that the agent is at work, then tells each artifact, then the end."""
    sandbox.script([ScriptedResponse(artifacts=["one", "two"])])
    with client.stream("anything") as stream:
        reported = [event.type for event in stream]
    assert reported == ["status_update", "artifact_update", "artifact_update", "status_update"]


def test_an_answer_without_words_is_a_state_alone(sandbox: Sandbox, client: PaymanClient) -> None:
    """An answer may have no artifact at all."""
    sandbox.script([ScriptedResponse(state="failed", status_message="The bank is closed")])
    response = client.ask(PAY)
    assert (response.status, response.artifacts, response.status_message) == (
        "failed",
        [],
        "The bank is closed",
    )
    assert sandbox.payments == []


def test_a_scripted_question_is_answered_in_the_same_task(sandbox: Sandbox, client: PaymanClient) -> None:
    """A reply to a scripted question takes the next answer, continues the task, and its story in a stream goes on."""
    sandbox.script([ScriptedResponse("Which one?", state="input_required"), "That one, then."])
    question = client.ask("pay John")
    assert question.requires_input
    answer = client.reply(question, "the second")
    assert (answer.task_id, answer.status) == (question.task_id, "completed")
    assert [artifact["content"] for artifact in answer.artifacts] == ["Which one?", "That one, then."]


def test_no_person_approves_what_is_not_a_payment(sandbox: Sandbox, client: PaymanClient) -> None:
    """A scripted question waits for words: approving it is refused, and it can be canceled."""
    sandbox.script([ScriptedResponse("Which one?", state="input-required")])
    question = client.ask("pay John")
    with pytest.raises(ValueError, match="does not wait for approval"):
        sandbox.approve(question.task_id)
    assert client.cancel_task(question).state == "canceled"


def test_a_scripted_answer_cannot_be_canceled_once_it_failed(sandbox: Sandbox, client: PaymanClient) -> None:
    """A failed task has ended."""
    sandbox.script([ScriptedResponse("no", state="failed")])
    with pytest.raises(AgentError) as caught:
        client.cancel_task(client.ask("anything"))
    assert caught.value.code == -32002


def test_an_rpc_failure_is_the_agents_error_and_leaves_no_task(
    sandbox: Sandbox, client: PaymanClient
) -> None:
    """A JSON-RPC error has the code, message and data of the script; the same key can be used again."""
    sandbox.script([RPCError(-32603, "out of order", {"retry": False})])
    with pytest.raises(AgentError) as caught:
        client.ask(PAY, idempotency_key="a")
    assert (caught.value.code, caught.value.data) == (-32603, {"retry": False})
    assert "out of order" in str(caught.value)
    assert client.ask(PAY, idempotency_key="a").status == "completed"
    assert len(sandbox.payments) == 1


@pytest.mark.parametrize("way", ["ask", "stream"])
def test_an_http_failure_that_was_not_taken_is_tried_again(
    sandbox: Sandbox, client: PaymanClient, way: str
) -> None:
    """After a status that says that nothing was taken the ask is sent again and paid once."""
    sandbox.script(
        [HTTPError(429, headers={"Retry-After": "0"}), HTTPError(503, headers={"Retry-After": "0"})]
    )
    response = client.ask(PAY) if way == "ask" else _streamed(client)
    assert (response.status, len(sandbox.payments), sandbox.remaining_script) == ("completed", 1, 0)


@pytest.mark.parametrize(
    ("body", "said"),
    [(None, "script() asked for this status"), ("so busy", "so busy"), ({"error": "busy"}, "busy")],
)
def test_an_http_failure_looks_as_it_was_given(
    sandbox: Sandbox, client: PaymanClient, body: Any, said: str
) -> None:
    """Status, headers and body of a failure are those of the script."""
    sandbox.script([HTTPError(429, body=body, headers={"Retry-After": "7"})])
    with pytest.raises(RateLimitError) as caught:
        client.ask(PAY, max_retries=0)
    assert said in str(caught.value)
    assert caught.value.response is not None
    assert caught.value.response.headers["retry-after"] == "7"
    assert sandbox.payments == []


@pytest.mark.parametrize("way", ["ask", "stream"])
@pytest.mark.parametrize(
    "entry",
    [
        HTTPError(502, taken=True),
        ConnectionLost(),
        ConnectionLost(taken=False),
        HTTPError(500),
        StreamFault(after_events=1),
    ],
    ids=repr,
)
def test_whatever_is_lost_the_ask_is_paid_once(
    sandbox: Sandbox, client: PaymanClient, entry: Entry, way: str
) -> None:
    """The client finds out whether the message arrived, and the payment is made once."""
    sandbox.script([entry])
    response = client.ask(PAY) if way == "ask" else _streamed(client)
    assert (response.status, len(sandbox.payments), sandbox.remaining_script) == ("completed", 1, 0)


def test_a_stream_breaks_where_the_script_says(sandbox: Sandbox, client: PaymanClient) -> None:
    """A stream fault is that stream's alone: it breaks, is taken up again, and the next one is whole."""
    sandbox.script([StreamFault(after_events=1)])
    assert [_streamed(client).status, _streamed(client).status] == ["completed", "completed"]
    asked = [request.operation for request in sandbox.requests if "subscribe" in (request.operation or "")]
    assert asked == ["send_task_subscribe", "resubscribe_task", "send_task_subscribe"]


def test_a_lost_answer_is_what_the_task_says(sandbox: Sandbox, client: PaymanClient) -> None:
    """An answer that is lost is the task's all the same, and the client finds it there."""
    sandbox.script(
        [
            ConnectionLost("unheard"),
            HTTPError(500, taken=True, answer=ScriptedResponse("unseen", state="failed")),
        ]
    )
    assert client.ask("anything").text == "unheard"
    unseen = client.ask("anything")
    assert (unseen.text, unseen.status) == ("unseen", "failed")


def test_a_silent_answer_lasts_until_the_client_leaves(sandbox: Sandbox, client: PaymanClient) -> None:
    """Silence is a read timeout to the client, which then finds its payment made."""
    sandbox.script([ConnectionLost(silent=True)])
    response = client.ask(PAY, read_timeout=0.2)
    assert (response.status, len(sandbox.payments)) == ("completed", 1)


def test_the_outcome_is_unknown_without_evidence() -> None:
    """With tasks/get switched off, a lost answer is an outcome that nobody can tell: paid, or not sent at all."""
    with Sandbox(tasks_get=False) as sandbox, sandbox.client(timeout=60) as client:
        sandbox.script([ConnectionLost(), ConnectionLost(taken=False)])
        for paid in (1, 1):
            with pytest.raises(OutcomeUnknownError):
                client.ask(PAY)
            assert len(sandbox.payments) == paid


def test_stopping_ends_a_silent_answer(sandbox: Sandbox) -> None:
    """A sandbox that stops does not wait for a client that waits for a silent answer."""
    sandbox.script([ConnectionLost(silent=True)])
    ended: list[BaseException] = []
    with sandbox.client(max_retries=0, timeout=60) as client:

        def ask() -> None:
            try:
                client.ask("anything", timeout=0.5)
            except PaymanError as error:
                ended.append(error)

        thread = threading.Thread(target=ask)
        thread.start()
        while sandbox.remaining_script:
            pass
        sandbox.stop()
        thread.join(60)
        assert not thread.is_alive()
    assert isinstance(ended[0], APIConnectionError | OutcomeUnknownError | APIStatusError)


def test_what_is_refused_or_known_takes_no_answer(sandbox: Sandbox, client: PaymanClient) -> None:
    """A request with a refused token, and a task that is asked for again, leave the script as it is."""
    key = client.ask(PAY, idempotency_key="a").task_id
    sandbox.script(["for the next"])
    sandbox.revoke_tokens()
    assert client.ask(PAY, idempotency_key="a").task_id == key
    assert sandbox.remaining_script == 1
    assert client.ask("anything").text == "for the next"


def test_clearing_forgets_what_was_not_taken(sandbox: Sandbox, client: PaymanClient) -> None:
    """After clear_script the agent answers by itself."""
    sandbox.script(["never"])
    sandbox.clear_script()
    assert (sandbox.remaining_script, client.ask("Hello!").text.startswith("Hello!")) == (0, True)


def test_threads_take_one_answer_each(sandbox: Sandbox, client: PaymanClient) -> None:
    """Of twenty answers twenty threads take one each."""
    sandbox.script([str(number) for number in range(20)])
    said: list[str] = []
    threads = [threading.Thread(target=lambda: said.append(client.ask("anything").text)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said, key=int) == [str(number) for number in range(20)]


def test_a_database_keeps_scripted_tasks(tmp_path: Any) -> None:
    """A scripted task is in the database as any other, artifacts and metadata included."""
    db = tmp_path / "money.sqlite3"
    with Sandbox(db=db) as sandbox, sandbox.client() as client:
        sandbox.script([ScriptedResponse("kept", artifacts=ARTIFACTS, metadata={"a": None})])
        before = client.ask("anything")
        sandbox.close()
    with Sandbox(db=db) as sandbox, sandbox.client() as client:
        after = client.get_task(before.task_id)
        assert (after.artifacts, after.metadata) == (before.artifacts, before.metadata)
        assert after.metadata["a"] is None
        sandbox.close()


@table(
    ("make", "said"),
    [
        (lambda: ScriptedResponse(3), "ScriptedResponse.text must be a string or None, not 3"),  # type: ignore[arg-type]
        (lambda: ScriptedResponse("\ud800"), "ScriptedResponse must be what JSON can hold"),
        (lambda: ScriptedResponse(state="paid"), "ScriptedResponse.state must be one of submitted, working, input-required"),
        (lambda: ScriptedResponse(status_message=b""), "ScriptedResponse.status_message must be a string"),  # type: ignore[arg-type]
        (lambda: ScriptedResponse(metadata={"a": {1, 2}}), "ScriptedResponse.metadata must be what JSON can hold"),
        (lambda: ScriptedResponse(metadata=[]), "ScriptedResponse.metadata must be a mapping"),  # type: ignore[arg-type]
        (lambda: ScriptedResponse(artifacts="text"), "ScriptedResponse.artifacts must be a list"),
        (lambda: ScriptedResponse(artifacts=[3]), r"ScriptedResponse.artifacts\[0\] must be a text, a part or an artifact"),  # type: ignore[list-item]
        (lambda: ScriptedResponse(artifacts=[{"parts": []}]), r"ScriptedResponse.artifacts\[0\].parts must be a list of at least one"),
        (lambda: ScriptedResponse(artifacts=["a", {"parts": ["b"]}]), r"ScriptedResponse.artifacts\[1\].parts\[0\] must be a part"),
        (lambda: ScriptedResponse(artifacts=[{"type": "image"}]), r'ScriptedResponse.artifacts\[0\].type must be "text", "file" or "data"'),
        (lambda: ScriptedResponse(artifacts=[{"type": "text", "text": 1}]), r"ScriptedResponse.artifacts\[0\].text must be a string"),
        (lambda: ScriptedResponse(artifacts=[{"parts": [{"type": "data", "data": 1}]}]), r"parts\[0\].data must be a mapping"),
        (lambda: ScriptedResponse(artifacts=[{"parts": [{"type": "text", "text": ""}], "index": 1}]), "has a member 'index'"),
        (lambda: ScriptedResponse(artifacts=[{"type": "data", "data": {"x": float("nan")}}]), "must be what JSON can hold"),
        (lambda: RPCError("-32603"), "RPCError.code must be a whole number"),  # type: ignore[arg-type]
        (lambda: RPCError(-32603, None), "RPCError.message must be a string"),  # type: ignore[arg-type]
        (lambda: RPCError(-32603, "m", {1}), "RPCError.data must be what JSON can hold"),
        (lambda: HTTPError(200), "HTTPError.status must be from 400 to 599, not 200"),
        (lambda: HTTPError(500, body=object()), "HTTPError.body must be what JSON can hold"),
        (lambda: HTTPError(500, headers={"a": "b\r\nc: d"}), r"HTTPError.headers\['a'\] must be a string"),
        (lambda: HTTPError(500, headers={"a": 3}), r"HTTPError.headers\['a'\]"),  # type: ignore[dict-item]
        (lambda: HTTPError(500, answer="x"), r"what was not taken \(taken=False\) has no answer"),
        (lambda: ConnectionLost("x", taken=False), r"what was not taken \(taken=False\) has no answer"),
        (lambda: ConnectionLost(3), "ConnectionLost.answer must be a string, a ScriptedResponse or None"),  # type: ignore[arg-type]
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_at_once(make: Any, said: str) -> None:
    """A wrong answer says which member is wrong, when it is made and not when it is given."""
    with pytest.raises(ValueError, match=said):
        make()


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("text", r"write script\(\[answer\]\)"),
        (
            [None, 3],
            r"script\[1\] must be one of str, ScriptedResponse, RPCError, HTTPError, ConnectionLost, StreamFault or None",
        ),
        ([ScriptedResponse], r"script\[0\] must be one of"),
    ],
)
def test_what_is_not_a_script_is_refused_whole(script: Any, said: str) -> None:
    """A script with a wrong entry names its place, and none of it is taken."""
    sandbox = Sandbox()
    with pytest.raises(TypeError, match=said):
        sandbox.script(script)
    assert sandbox.remaining_script == 0
    sandbox.close()


def _streamed(client: PaymanClient) -> Any:
    with client.stream(PAY) as stream:
        return stream.result()
