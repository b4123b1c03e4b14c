from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from payman_sdk import PaymanClient
from payman_sdk._core.effects import SendRequest
from payman_sdk._core.requests import AskRequest, generate_id
from payman_sdk.errors import (
    AgentError,
    APIConnectionError,
    APITimeoutError,
    AuthenticationError,
    ConfigurationError,
    OutcomeUnknownError,
    PaymanError,
)
from tests.peer import ASK_PATH, GET_PATH, Peer, Request, answer, rpc, task_for, task_with
from tests.steps import Clock, driven, sent_whole, time_of, token_answer
from tests.tables import table
from tests.yaml_text import load_yaml

ASK = AskRequest(text="Hello!", task_id="tsk-1", request_id="req-1", session_id="ses-1")
IDS = ("tsk-1", "req-1", "ses-1")
TASK = {"id": "tsk-1", "status": {"state": "completed"}}


NO_METHOD = httpx.Response(
    200, json={"jsonrpc": "2.0", "id": None, "error": {"code": -32601, "message": "no such method"}}
)
"""What a server answers to `tasks/get` that does not have it, so that nothing can be learned."""
NOT_KNOWN = httpx.Response(
    200, json={"jsonrpc": "2.0", "id": None, "error": {"code": -32001, "message": "Task not found"}}
)


def steps(*outcomes: httpx.Response | BaseException) -> tuple[Any, list[SendRequest]]:
    """Asks, the token request and each one after it having one of these outcomes; what came of it, and what was sent."""
    clock = Clock()
    return driven(sent_whole(ASK, time_of(clock)), outcomes, clock=clock)


def ids(error: PaymanError) -> tuple[str | None, str | None, str | None]:
    return error.task_id, error.request_id, error.session_id


def answered(**members: Any) -> httpx.Response:
    return httpx.Response(200, json={"jsonrpc": "2.0", "id": "req-1", **members})


def test_the_steps_of_an_ask() -> None:
    """An ask is a token and one request, and returns the answer as it came and the task in it."""
    outcome, sent = steps(token_answer(), answered(result=TASK))
    body, task = cast("tuple[dict[str, Any], Any]", outcome)
    assert body == {"jsonrpc": "2.0", "id": "req-1", "result": TASK}
    assert task.id == "tsk-1"
    assert [step.request["url"] for step in sent] == ["/api/oauth2/token", ASK_PATH]
    assert sent[1].deadline == 1300


def test_a_second_attempt_has_the_same_ids() -> None:
    """The request that is repeated after a 401 is the same to the letter: the task id makes it the same ask."""
    again = [token_answer("new"), NOT_KNOWN, answered(result=TASK)]
    _, sent = steps(token_answer("old"), httpx.Response(401), *again)
    assert sent[1].request["json"] == sent[4].request["json"]


@table(
    ("failure", "raised"),
    [
        (APIConnectionError("It broke."), OutcomeUnknownError),
        (APITimeoutError("Too late."), OutcomeUnknownError),
        (httpx.Response(500), OutcomeUnknownError),
        (httpx.Response(503), OutcomeUnknownError),
        (httpx.Response(200), OutcomeUnknownError),
        (httpx.Response(401), AuthenticationError),
        (answered(error={"code": 1}), AgentError),
    ],
)
def test_the_steps_of_an_ask_that_fails(
    failure: httpx.Response | PaymanError, raised: type[PaymanError]
) -> None:
    """Every failure after the request names the ids and is looked up; nothing is sent again where that fails."""
    again: list[httpx.Response | BaseException] = [NO_METHOD]
    if raised is AuthenticationError:
        again = [token_answer(), NO_METHOD]
    outcome, sent = steps(token_answer(), failure, *again)
    assert type(outcome) is raised
    assert ids(outcome) == IDS
    assert len(sent) == 2 + len(again)
    asks = [step for step in sent if step.request["url"] == ASK_PATH]
    assert len(asks) == 1


def test_an_error_of_the_agent_is_open_until_a_look_up_is_answered() -> None:
    """The agent may have done it before the error: a look-up that is lost is made again, and without any the outcome is unknown."""
    lost = APIConnectionError("Lost.")
    failed = answered(error={"code": -32603})
    known = httpx.Response(200, json={"jsonrpc": "2.0", "id": None, "result": TASK})
    outcome, sent = steps(token_answer(), failed, lost, known)
    assert not isinstance(outcome, BaseException)
    assert [step.request["url"] for step in sent].count(ASK_PATH) == 1

    unanswered, _ = steps(token_answer(), failed, *[lost] * 200)
    assert type(unanswered) is OutcomeUnknownError
    assert (ids(unanswered), unanswered.sent) == (IDS, True)


def test_a_request_that_never_left_is_not_an_open_question() -> None:
    """Where the connection was never made, the error is the connection's, with the ids, and says that nothing was sent."""
    failure = APIConnectionError("Not reached.")
    failure.sent = False
    outcome, _ = steps(token_answer(), failure)
    assert outcome is failure
    assert ids(failure) == IDS
    assert not failure.sent


def test_a_failed_token_request_is_not_an_open_question() -> None:
    """A token request that broke in the middle leaves no doubt about the ask: it was not sent."""
    failure = APIConnectionError("It broke.")
    assert failure.sent
    outcome, sent = steps(failure)
    assert outcome is failure
    assert (ids(failure), failure.sent, len(sent)) == (IDS, False, 1)


def test_what_happens_to_the_second_attempt_counts() -> None:
    """After a 401 the token may not be had, which proves nothing, or the second attempt break, which leaves it open."""
    refused = AuthenticationError("No.", status_code=400)
    outcome, _ = steps(token_answer(), httpx.Response(401), refused)
    assert isinstance(outcome, AuthenticationError)
    assert (outcome.status_code, outcome.sent) == (400, None)
    broke = APIConnectionError("It broke.")
    outcome, _ = steps(token_answer(), httpx.Response(401), token_answer(), NOT_KNOWN, broke, NO_METHOD)
    assert type(outcome) is OutcomeUnknownError


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
results = st.just(TASK) | json_values.map(lambda made: {**TASK, "artifacts": made}) | json_values
errors = st.integers().map(lambda code: {"code": code, "message": None}) | json_values
envelopes = st.fixed_dictionaries(
    {}, optional={"id": st.just("req-1") | json_values, "result": results, "error": errors}
)


def encoded(document: object) -> bytes:
    return json.dumps(document).encode()


bodies = st.binary(max_size=40) | (envelopes | json_values).map(
    lambda document: json.dumps(document).encode()
)
media_types = st.sampled_from(["application/json", "text/html", "text/plain; charset=nothing", "", ";"])
statuses = st.just(200) | st.integers(200, 599)


@pytest.mark.slow
@example(401, b"", "application/json")
@given(statuses, bodies, media_types)
def test_any_answer_is_a_task_or_one_of_our_errors(status: int, content: bytes, media_type: str) -> None:
    """Whatever status and body come, an ask ends with a task or a PaymanError that has its ids, after one request."""
    came = httpx.Response(status, content=content, headers={"content-type": media_type})
    # After a 401, another token is fetched, and the task is looked up with it.
    after = [token_answer(), NO_METHOD] if status == 401 else [NO_METHOD]
    outcome, sent = steps(token_answer(), came, *after)
    assert len([step for step in sent if step.request["url"] == ASK_PATH]) == 1
    if isinstance(outcome, PaymanError):
        assert ids(outcome) == IDS
        assert type(outcome) is OutcomeUnknownError or status < 500
    else:
        assert isinstance(outcome, tuple)
        assert status < 300


@pytest.mark.slow
@given(statuses, bodies, media_types)
def test_any_answer_of_the_token_endpoint_is_a_token_or_one_of_our_errors(
    status: int, content: bytes, media_type: str
) -> None:
    """Whatever the token endpoint answers, the ask is not sent without a token, and its outcome is no open question."""
    came = httpx.Response(status, content=content, headers={"content-type": media_type})
    outcome, sent = steps(came)
    assert isinstance(outcome, PaymanError)
    assert not isinstance(outcome, OutcomeUnknownError)
    assert ids(outcome) == IDS
    assert len(sent) == 1


# --- on the wire


@cache
def schema_of(name: str) -> Any:
    from openapi_schema_validator import OAS31Validator

    spec = load_yaml((Path(__file__).parents[2] / "spec" / "payman.openapi.yaml").read_text())
    validator: Any = OAS31Validator
    return validator({"$ref": f"#/components/schemas/{name}", "components": spec["components"]})


def sent_body(peer: Peer) -> dict[str, Any]:
    [request] = peer.asks()
    body: dict[str, Any] = request.json
    return body


def test_the_body_is_as_the_api_document_has_it(peer: Peer, client: PaymanClient) -> None:
    """A plain ask sends the documented request and nothing else, with three ids of its own."""
    client.ask("list all wallets")
    [request] = peer.asks()
    body = request.json
    schema_of("SendTaskRequest").validate(body)
    uuid = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    assert re.fullmatch(f"req-{uuid}", body["id"])
    assert re.fullmatch(f"tsk-{uuid}", body["params"]["id"])
    assert re.fullmatch(f"ses-{uuid}", body["params"]["sessionId"])
    assert body == {
        "jsonrpc": "2.0",
        "id": body["id"],
        "method": "tasks/send",
        "params": {
            "id": body["params"]["id"],
            "sessionId": client.get_session_id(),
            "message": {"role": "user", "parts": [{"type": "text", "text": "list all wallets"}]},
        },
    }
    assert request.headers["content-type"] == "application/json"


METADATA: dict[str, Any] = {"source": "web-app", "n": 1.5, "deep": {"list": [None, True, "é"]}}


@pytest.mark.parametrize("as_dict", [True, False])
def test_metadata_goes_where_the_api_document_has_it(as_dict: bool, peer: Peer, client: PaymanClient) -> None:
    """Metadata of the task, its message and its part travel with these, from a dict and from keywords alike."""
    options: Any = {
        "metadata": METADATA | {"of": "task"},
        "message_metadata": METADATA | {"of": "message"},
        "part_metadata": METADATA | {"of": "part"},
    }
    if as_dict:
        client.ask("Hello!", options)
    else:
        client.ask("Hello!", **options)
    body = sent_body(peer)
    schema_of("SendTaskRequest").validate(body)
    params = body["params"]
    assert params["metadata"] == options["metadata"]
    assert params["message"]["metadata"] == options["message_metadata"]
    assert params["message"]["parts"][0]["metadata"] == options["part_metadata"]


def test_the_look_up_of_a_task_is_as_the_api_document_has_it(peer: Peer, client: PaymanClient) -> None:
    """`get_task` sends the documented request, and its answer is read as that of an ask."""
    peer.script(GET_PATH, task_with(status={"state": "INPUT_REQUIRED"}))
    answer = client.get_task("tsk-1")
    [body] = [request.json for request in peer.requests if request.path == GET_PATH]
    schema_of("GetTaskRequest").validate(body)
    assert body["params"] == {"id": "tsk-1"}
    assert (answer.task_id, answer.request_id, answer["state"]) == ("tsk-1", body["id"], "input-required")
    assert peer.asks() == []


@pytest.mark.parametrize("task_id", [None, "", " ", 5, "tsk\n1", "tsk-\ud800"])
def test_a_task_id_that_is_none_is_refused(task_id: Any, peer: Peer, client: PaymanClient) -> None:
    """An id that an error did not carry, or that is blank, is refused before anything is sent."""
    with pytest.raises(ConfigurationError, match="task_id is"):
        client.get_task(task_id)
    assert peer.requests == []


def test_an_answer_can_be_had_as_it_came(peer: Peer, client: PaymanClient) -> None:
    """`raw` and `output_format='json'`, in either form, give the JSON-RPC answer unchanged, as a plain dict."""
    odd = {"status": {"state": "On_Hold", "timestamp": None, "x": {"deep": [1]}}, "unlisted": None}
    peer.always(ASK_PATH, task_with(**odd))
    asks: list[Callable[[], Any]] = [
        lambda: client.ask("Hello!", raw=True),
        lambda: client.ask("Hello!", None, True),
        lambda: client.ask("Hello!", output_format="json"),
        lambda: client.ask("Hello!", {"output_format": "json"}),
        lambda: client.ask("Hello!", {"output_format": "markdown"}, raw=True),  # type: ignore[call-overload]
    ]
    for ask in asks:
        answer = ask()
        assert answer.__class__ is dict
        assert answer.keys() == {"jsonrpc", "id", "result"}
        assert answer["result"].items() >= odd.items()
        assert answer["id"] == peer.asks()[-1].json["id"]


def test_utf_16_is_json_too(peer: Peer, client: PaymanClient) -> None:
    """An answer in another encoding of Unicode is read."""

    def write(request: Request) -> Iterator[bytes]:
        document = {"id": request.json["id"], "result": task_for(request)}
        yield from answer(200, json.dumps(document).encode("utf-16"))(request)

    peer.script(ASK_PATH, write)
    assert client.ask("Hello!").text == "Done."


def test_ids_are_never_the_same() -> None:
    """Every ask has ids of its own."""
    assert len({generate_id("tsk") for _ in range(1000)}) == 1000


@pytest.mark.parametrize(
    "text", ["Zoë pays 5 € to 山田", "\u202e", "a\x00b", "🙂", "x" * 100_000, " padded "]
)
def test_any_text_arrives_as_it_was_written(text: str, peer: Peer, client: PaymanClient) -> None:
    """The words go over the wire unchanged, whatever they are."""
    client.ask(text)
    assert sent_body(peer)["params"]["message"]["parts"] == [{"type": "text", "text": text}]


def test_the_agents_error_is_raised_with_all_it_said(peer: Peer, client: PaymanClient) -> None:
    """A JSON-RPC error keeps its code and data, the answer and the ids."""
    peer.script(ASK_PATH, rpc(error={"code": -32050, "message": "No such wallet", "data": {"wallet": "x"}}))
    with pytest.raises(AgentError, match="error -32050: No such wallet") as caught:
        client.ask("Hello!")
    error = caught.value
    assert (error.code, error.data, error.status_code) == (-32050, {"wallet": "x"}, 200)
    assert error.response is not None
    assert error.response.json()["error"]["message"] == "No such wallet"
    assert error.session_id == client.get_session_id()
