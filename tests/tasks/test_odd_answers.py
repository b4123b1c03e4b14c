"""Answers that are not quite as the protocol has them: about the task that was meant, they are read as far as they go."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, NamedTuple

import httpx
import pytest

from payman_api import PATHS
from payman_sdk import PaymanClient
from payman_sdk._core.events import read_update
from payman_sdk._core.formatting import format_task
from payman_sdk._core.payment_types import Payment, PaymentOutcome
from payman_sdk._core.retry import is_ambiguous
from payman_sdk._core.rpc import read_answer
from payman_sdk._core.task_reader import read_task
from payman_sdk.errors import (
    InvalidParamsError,
    InvalidRequestError,
    OutcomeUnknownError,
    ResponseValidationError,
)
from tests.conftest import Connect
from tests.peer import ASK_PATH, GET_PATH, Answer, Peer, Request, answer, rpc, task_with
from tests.tasks.faults import MISTYPED

STAMP = "2025-06-27T16:31:41.510422505Z"
Json = dict[str, Any]


def task(task_id: str, **members: Any) -> Json:
    """A task that is as the protocol has it, but for these members."""
    return {
        "id": task_id,
        "sessionId": "ses-1",
        "status": {"state": "completed", "timestamp": STAMP},
        "artifacts": [{"name": "response", "parts": [{"type": "text", "text": "paid"}], "index": 0}],
        "metadata": {"orgId": "org-1"},
        **members,
    }


def status(**members: Any) -> Json:
    return {"status": {"state": "completed", "timestamp": STAMP, **members}}


def parts(*given: Any) -> Json:
    return {"artifacts": [{"parts": list(given)}]}


class Odd(NamedTuple):
    """What is odd, and what is read all the same."""

    members: Json
    text: str = "paid"
    status_message: str | None = None
    timestamp: str | None = STAMP
    warnings: tuple[str, ...] = ()


MESSAGE = {"role": "agent", "parts": [{"type": "text", "text": "done"}]}
SECONDS = "2025-06-27T16:31:31Z"

MEMBERS: dict[str, Odd] = {
    "as the protocol has it": Odd({}),
    "members that nobody knows": Odd({"kind": "task", "x": [{"y": None}]}),
    # Understood.
    "timestamp in seconds": Odd(status(timestamp=1751041891), timestamp=SECONDS),
    "timestamp in milliseconds": Odd(status(timestamp=1751041891000), timestamp=SECONDS),
    "timestamp in parts of a second": Odd(
        status(timestamp=1751041891.51), timestamp=f"{SECONDS[:-1]}.510000Z"
    ),
    "timestamp before 1970": Odd(status(timestamp=-1), timestamp="1969-12-31T23:59:59Z"),
    "timestamp that is no time": Odd(status(timestamp="yesterday"), timestamp="yesterday"),
    "timestamp without anything": Odd(status(timestamp=""), timestamp=""),
    "message in plain text": Odd(status(message="done"), status_message="done"),
    "message in a list": Odd(status(message=[MESSAGE]), status_message="done"),
    "message of parts alone": Odd(
        status(message=[{"type": "text", "text": "a"}, "b"]), status_message="a\nb"
    ),
    "message with a text": Odd(status(message={"role": "agent", "text": "done"}), status_message="done"),
    "message by the assistant": Odd(status(message={**MESSAGE, "role": "assistant"}), status_message="done"),
    "message by nobody": Odd(status(message={"parts": MESSAGE["parts"]}), status_message="done"),
    "status that is a text": Odd({"status": "Completed"}, timestamp=None),
    "status in a list": Odd({"status": [{"state": "completed"}]}, timestamp=None),
    "state beside the status": Odd({"state": "completed", "status": {}}, timestamp=None),
    "state of a later version": Odd(status(state="TASK_STATE_COMPLETED")),
    "artifacts without a list": Odd({"artifacts": {"parts": [{"type": "text", "text": "paid"}]}}),
    "artifacts that are a text": Odd({"artifacts": "paid"}),
    "artifact that is a text": Odd({"artifacts": ["paid"]}),
    "artifact that is a part": Odd({"artifacts": [{"type": "text", "text": "paid"}]}),
    "artifact in a list": Odd({"artifacts": [[{"parts": ["paid"]}]]}),
    "index that is a text": Odd({"artifacts": [{"parts": ["paid"], "index": "0"}]}),
    "lastChunk that is a text": Odd({"artifacts": [{"parts": ["paid"], "lastChunk": "true", "append": 0}]}),
    "parts that are a text": Odd({"artifacts": [{"parts": "paid"}]}),
    "parts that are a part": Odd({"artifacts": [{"parts": {"kind": "text", "text": "paid"}}]}),
    "part that is a text": Odd(parts("paid")),
    "part with a kind": Odd(parts({"kind": "text", "text": "paid"})),
    "part with a type in capitals": Odd(parts({"type": "TEXT", "text": "paid"})),
    "part without a type": Odd(parts({"text": "paid"})),
    "text that is a number": Odd(parts({"type": "text", "text": 5}), "5"),
    "data that is a list": Odd(parts({"type": "data", "data": [1, 2]}), "[1, 2]"),
    "data without a type": Odd(parts({"data": {"a": 1}}), '{"a": 1}'),
    "file that is an address": Odd(
        parts({"type": "file", "file": "https://x.example/a"}), "https://x.example/a"
    ),
    "file that is a name": Odd(parts({"type": "file", "file": "a.pdf"}), "a.pdf"),
    "file without a file": Odd(parts({"type": "file", "uri": "https://x.example/a"}), "https://x.example/a"),
    "file with a url": Odd(parts({"file": {"url": "https://x.example/a"}}), "https://x.example/a"),
    "metadata that is null": Odd({"metadata": None}),
    "metadata of a part that is null": Odd(parts({"type": "text", "text": "paid", "metadata": None})),
    "history that is null": Odd({"history": None}),
    "artifacts that are null": Odd({"artifacts": None}, ""),
    "both halves of a character": Odd(parts({"type": "text", "text": "\U0001f600"}), "\U0001f600"),
    # Not understood.
    "half a character": Odd(
        parts({"type": "text", "text": "\ud83d"}), "\ufffd", warnings=("half of a character",)
    ),
    "timestamp that is true": Odd(
        status(timestamp=True), timestamp=None, warnings=("status.timestamp: true or false",)
    ),
    "timestamp beyond all time": Odd(
        status(timestamp=10**400), timestamp=None, warnings=("status.timestamp: a number",)
    ),
    "message that is a number": Odd(status(message=5), warnings=("status.message: a number",)),
    "message without anything": Odd(status(message={}), warnings=("status.message.parts: missing",)),
    "message without parts": Odd(
        status(message={"role": "agent", "parts": None}), warnings=("status.message.parts: missing",)
    ),
    "role that is a list": Odd(
        status(message={**MESSAGE, "role": []}),
        status_message="done",
        warnings=("status.message.role: a list",),
    ),
    "artifact that is null": Odd({"artifacts": [None]}, "", warnings=("artifacts[0]: missing",)),
    "artifact that is a number": Odd(
        {"artifacts": [7, {"parts": ["paid"]}]}, warnings=("artifacts[0]: a number",)
    ),
    "artifacts that are true": Odd({"artifacts": True}, "", warnings=("artifacts[0]: true or false",)),
    "parts that are null": Odd(
        {"artifacts": [{"parts": None}]}, "", warnings=("artifacts[0].parts: missing",)
    ),
    "part that is null": Odd(parts(None, "paid"), warnings=("artifacts[0].parts[0]: missing",)),
    "part of no kind": Odd(parts({"x": 1}, "paid"), warnings=("artifacts[0].parts[0].type: missing",)),
    "text that is null": Odd(
        parts({"type": "text", "text": None}), "", warnings=("artifacts[0].parts[0].text: missing",)
    ),
    "file that is null": Odd(
        parts({"type": "file", "file": None}), "", warnings=("artifacts[0].parts[0].file: missing",)
    ),
    "data that is null": Odd(
        parts({"type": "data", "data": None}), "{}", warnings=("artifacts[0].parts[0].data: missing",)
    ),
    "index that is a list": Odd(
        {"artifacts": [{"parts": ["paid"], "index": [0]}]}, warnings=("artifacts[0].index: a list",)
    ),
    "metadata that is a text": Odd({"metadata": "x"}, warnings=("metadata: a text",)),
    "session that is an object": Odd({"sessionId": {"a": 1}}, warnings=("sessionId: an object",)),
    "session that cannot be sent": Odd(
        {"sessionId": "\ud83d"}, warnings=("half of a character", "sessionId: a text")
    ),
    "history that is a text": Odd({"history": "x"}, warnings=("history: a text",)),
    "several at once": Odd(
        {"metadata": 1, "history": 1, **status(message=1)},
        warnings=("status.message: a number", "history: a number", "metadata: a number"),
    ),
}

Around = Callable[[Json, Json], Any]
ENVELOPES: dict[str, tuple[Around, tuple[str, ...]]] = {
    "no id": (lambda ids, task: {"jsonrpc": "2.0", "result": task}, ()),
    "null for an id": (lambda ids, task: {"jsonrpc": "2.0", "id": None, "result": task}, ()),
    "a number for an id": (lambda ids, task: {"jsonrpc": "2.0", "id": 1, "result": task}, ()),
    "a list for an id": (
        lambda ids, task: {"id": ["x"], "result": task},
        ("id: neither a text nor a number",),
    ),
    "no version": (lambda ids, task: {"id": ids["id"], "result": task}, ()),
    "an error without anything": (lambda ids, task: {**ids, "result": task, "error": {}}, ()),
    "an error that is null": (lambda ids, task: {**ids, "result": task, "error": None}, ()),
    "an error that says something": (
        lambda ids, task: {**ids, "result": task, "error": {"code": -32603, "message": "No."}},
        ("error: beside a result",),
    ),
    "the task alone": (lambda ids, task: task, ()),
    "the task alone in a list": (lambda ids, task: [task], ()),
    "a list around the answer": (lambda ids, task: [{**ids, "result": task}], ()),
    "other answers beside it": (
        lambda ids, task: [{"id": "req-x", "result": {}}, {**ids, "result": task}, None],
        (),
    ),
    "a list around the result": (lambda ids, task: {**ids, "result": [task]}, ()),
    "a member around the task": (lambda ids, task: {**ids, "result": {"task": task}}, ()),
    "a member around the task in place of the result": (lambda ids, task: {**ids, "task": task}, ()),
    "a result that is encoded twice": (lambda ids, task: {**ids, "result": json.dumps(task)}, ()),
    "no id of the task": (lambda ids, task: {**ids, "result": without(task, "id")}, ()),
    "null for the id of the task": (lambda ids, task: {**ids, "result": {**task, "id": None}}, ()),
    "another name for the id": (
        lambda ids, task: {**ids, "result": {**without(task, "id"), "taskId": task["id"]}},
        (),
    ),
    "another name for the session": (
        lambda ids, task: {**ids, "result": {**without(task, "sessionId"), "contextId": "ses-1"}},
        (),
    ),
}


def without(task: Json, name: str) -> Json:
    return {key: value for key, value in task.items() if key != name}


def answered(document: Any, *, http_status: int = 200) -> httpx.Response:
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    return httpx.Response(http_status, content=content)


def read(document: Any, *, http_status: int = 200) -> tuple[Any, list[str], Any]:
    """The text, the warnings and the raw answer of what an answer is read as."""
    _, found = read_answer(answered(document, http_status=http_status), "req-1", "tsk-1")
    response = format_task(found, request_id="req-1", session_id="ses-sent")
    assert (response.task_id, response.status) == ("tsk-1", "completed")
    return response, response.warnings, response.raw


IDS = {"jsonrpc": "2.0", "id": "req-1"}


def test_odd_members_cost_themselves_alone() -> None:
    """Whatever one member is, the state is read, and so is the rest; a warning names what is not."""
    for name, odd in MEMBERS.items():
        document = {**IDS, "result": task("tsk-1", **odd.members)}
        response, warnings, raw = read(document)
        seen = (response.text, response.status_message, response.timestamp, tuple(warnings))
        assert seen == odd[1:], name
        assert raw == document, name


def test_odd_answers_around_a_task_are_understood() -> None:
    """However the JSON-RPC around a task looks, an answer that names the request or the task is the one that was meant."""
    for name, (around, expected) in ENVELOPES.items():
        document = around(IDS, task("tsk-1"))
        response, warnings, raw = read(document)
        assert (response.text, response.session_id, tuple(warnings)) == ("paid", "ses-1", expected), name
        assert raw == document, name


WRONG: list[Any] = [
    None,
    True,
    False,
    0,
    7,
    -1.5,
    1e300,
    10**400,
    "",
    "x",
    "\ud83d",
    [],
    [None],
    ["x"],
    [[]],
    {},
    {"x": {}},
]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where there is a member or an entry, anywhere."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in inner:
        yield (*path, key)
        yield from places(member, (*path, key))


def test_every_member_may_be_of_any_type() -> None:
    """Every member of a task with everything in it, replaced by every other type of value or left out: the state is read."""
    whole = task(
        "tsk-1",
        status={"state": "completed", "timestamp": STAMP, "message": {**MESSAGE, "metadata": {"a": 1}}},
        artifacts=[
            {
                "name": "response",
                "description": "d",
                "index": 0,
                "append": False,
                "lastChunk": True,
                "metadata": {"timestamp": STAMP},
                "parts": [
                    {"type": "text", "text": "paid", "metadata": {"a": 1}},
                    {"type": "data", "data": {"a": [1]}},
                    {
                        "type": "file",
                        "file": {"name": "a", "mimeType": "b", "bytes": "AA==", "uri": "https://x"},
                    },
                    {"type": "chart", "series": [1]},
                ],
            }
        ],
        history=[{**MESSAGE, "role": "user"}],
    )
    decisive = {("status",), ("status", "state")}  # without these, nothing is known
    count = 0
    for path in places(whole):
        for wrong in [*WRONG, ...]:
            spoilt = json.loads(json.dumps(whole))
            holder = spoilt
            for key in path[:-1]:
                holder = holder[key]
            if wrong is ...:
                del holder[path[-1]]
            else:
                holder[path[-1]] = wrong
            if path in decisive or (path == ("id",) and wrong not in (None, "", ...)):
                continue
            response, warnings, _ = read({**IDS, "result": spoilt})
            assert isinstance(response.text, str), (path, wrong)
            assert json.loads(json.dumps(response)) == response, (path, wrong)
            assert all(len(warning) < 60 for warning in warnings), (path, wrong)
            count += 1
    assert count > 700


def test_json_that_cannot_be_read_whole() -> None:
    """Nesting without end, endless numbers and bytes that are no text cost what holds them."""
    whole = json.dumps({**IDS, "result": task("tsk-1", x=0)}).encode()
    for given, expected in (
        (b'"x": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested deeper than 100 levels"),
        (b'"x": ' + b"[" * 5_000 + b"]" * 5_000, "nested deeper than 100 levels"),
        (b'"x": ' + b"9" * 5_000, "a number with too many digits"),
        (b'"x": "\xff\xfe"', "bytes that are not UTF-8"),
        (b'"x": "a\nb"', None),
    ):
        response, warnings, _ = read(whole.replace(b'"x": 0', given))
        assert (response.text, warnings) == ("paid", [expected] if expected else []), given[:20]


def test_a_member_that_comes_twice_says_neither() -> None:
    """Two values for one name contradict each other, and no reader picks one; the same value twice is that value."""
    once = json.dumps({**IDS, "result": task("tsk-1")})
    for doubled, is_read in (
        (once.replace('"id": "tsk-1"', '"id": "tsk-1", "id": "tsk-1"'), True),
        (once.replace('"state": "completed"', '"state": "completed", "state": "completed"'), True),
        (once.replace('"state": "completed"', '"state": "failed", "state": "completed"'), False),
        (once.replace('"id": "tsk-1"', '"id": "tsk-2", "id": "tsk-1"'), False),
        (
            once.replace(
                '"result": ', '"result": {"id": "tsk-1", "status": {"state": "failed"}}, "result": '
            ),
            False,
        ),
        (once.replace('"status": ', '"status": {"state": "failed"}, "status": '), False),
        (once.replace('"state": "completed"', '"state": true, "state": 1, "state": "completed"'), False),
    ):
        assert doubled != once
        for body in (doubled, json.dumps(doubled), doubled.replace('"jsonrpc"', '"x": "\n", "jsonrpc"')):
            answer = answered(body.encode())
            if is_read:
                assert read_answer(answer, "req-1", "tsk-1")[1].status.state == "completed", doubled
            else:
                with pytest.raises(ResponseValidationError):
                    read_answer(answer, "req-1", "tsk-1")
        assert read_answer(answered(once.encode()), "req-1", "tsk-1")[1].warnings == []
    noted = once.replace('"artifacts": ', '"metadata": {"a": 1}, "metadata": {"a": 2}, "artifacts": ')
    _, read_beside = read_answer(answered(noted.encode()), "req-1", "tsk-1")
    assert read_beside.warnings == ["metadata: a list"]


def test_nothing_beside_a_result_is_a_refusal() -> None:
    """An answer with a result contradicts its error, and its status, whether it can be read or not; an empty result is none."""
    refusal = {"code": -32600, "message": "No."}
    for result in (task("tsk-2"), "accepted", ["tsk-1"], 1, True, {"id": "tsk-1"}, {"state": 3}):
        for http_status in (200, 400):
            for error in (refusal, None):
                document = {**IDS, "result": result, "error": error}
                with pytest.raises(ResponseValidationError) as caught:
                    read_answer(answered(document, http_status=http_status), "req-1", "tsk-1")
                assert is_ambiguous(caught.value), document
    for other in ({"id": "tsk-1"}, task("tsk-2"), "accepted"):
        with pytest.raises(ResponseValidationError):
            read_answer(answered({"result": other, "error": refusal}), "req-1", "tsk-1")
    nothing: tuple[object, ...] = ({}, [], "", False, None)
    for empty in nothing:
        with pytest.raises(InvalidRequestError):
            read_answer(answered({**IDS, "result": empty, "error": refusal}), "req-1", "tsk-1")


def test_nothing_beside_a_result_refuses_a_stream() -> None:
    """An event is judged as an answer is, and so is one that is encoded twice."""
    refusal = {"code": -32600, "message": "No."}
    for result in (task("tsk-2"), "accepted", ["tsk-1"], 1, True, {"id": "tsk-1"}, {"state": 3}, {}, None):
        for document in (
            {**IDS, "result": result, "error": refusal},
            json.dumps({**IDS, "result": result, "error": refusal}),
        ):
            with pytest.raises(InvalidRequestError) as caught:
                read_update(document, "tsk-1", "req-1")
            assert is_ambiguous(caught.value) is bool(result), document


def test_an_answer_that_is_encoded_twice() -> None:
    """JSON in a text is read as what it holds; a text that holds none is no answer."""
    document = {**IDS, "result": task("tsk-1")}
    response, warnings, raw = read(json.dumps(document))
    assert (response.text, warnings, raw) == ("paid", [], document)
    for text in ('"{"', '"[1"', '"paid"'):
        with pytest.raises(ResponseValidationError):
            read_answer(answered(text.encode()), "req-1", "tsk-1")


def test_a_task_counts_for_more_than_the_status_it_came_with() -> None:
    """An answer about this task is read, though a gateway gave it a status that says it was refused."""
    for http_status in (201, 202, 400, 401, 403, 404, 409, 422, 429):
        assert read({**IDS, "result": task("tsk-1")}, http_status=http_status)[0].text == "paid"


def test_what_is_not_about_this_task_is_not_an_answer() -> None:
    """Another task, another request, and what names neither are refused, and so is a task without a state."""
    for document in (
        {**IDS, "result": task("tsk-2")},
        {**IDS, "result": {**task("tsk-2"), "taskId": "tsk-1"}},
        {**IDS, "result": task("TSK-1")},
        {**IDS, "result": {**task("tsk-1"), "id": 1}},
        {**IDS, "result": {**task("tsk-1"), "id": ["tsk-1"]}},
        {"jsonrpc": "2.0", "id": "req-2", "result": task("tsk-1")},
        {"jsonrpc": "2.0", "id": 1, "result": without(task("tsk-1"), "id")},
        {"jsonrpc": "2.0", "result": without(task("tsk-1"), "id")},
        without(task("tsk-1"), "id"),
        {**task("tsk-1"), "id": "req-1"},
        [task("tsk-2"), task("tsk-3")],
        {**IDS, "result": [task("tsk-1"), task("tsk-1")]},
        {**IDS, "result": {**task("tsk-1"), "status": {"state": 3}}},
        {**IDS, "result": {**task("tsk-1"), "status": None}},
        {**IDS, "result": {"state": 3}},
    ):
        with pytest.raises(ResponseValidationError):
            read_answer(answered(document), "req-1", "tsk-1")


def test_warnings_hold_nothing_that_the_server_wrote() -> None:
    """They name members by the protocol's names, and there is an end to them."""
    secret = "s3cret" * 100
    odd = {secret: secret, "type": 5, "kind": [secret], "metadata": secret, "file": secret}
    _, warnings, _ = read(
        {**IDS, "result": task("tsk-1", artifacts=[odd, {"parts": [odd] * 500, "name": [secret]}])}
    )
    assert "s3cret" not in "".join(warnings)
    assert (len(warnings), warnings[-1]) == (51, "and more")


def about(answer: Callable[[Request], Any]) -> Answer:
    """An answer that is made from the request."""
    return lambda request: _json(answer(request))(request)


def _json(document: Any) -> Answer:
    return answer(200, json.dumps(document))


def test_every_way_of_asking_reads_odd_answers(peer: Peer, client: PaymanClient) -> None:
    """`ask`, `get_task`, `wait`, `cancel_task` and `reply` read the same, over a real connection."""

    def odd(request: Request) -> Json:
        members = {"metadata": 5, **status(timestamp=1751041891)}
        return {"id": 1, "result": [task(request.json["params"]["id"], **members)], "error": {}}

    for path in (ASK_PATH, GET_PATH, PATHS["cancel_task"]):
        peer.always(path, about(odd))
    first = client.ask("pay")
    for response in (
        first,
        client.ask("pay", idempotency_key="invoice-1"),
        client.reply(first.task_id, "approve"),
        client.get_task(first),
        client.wait(first),
        client.cancel_task(first),
    ):
        assert (response.status, response.text, response.timestamp) == ("completed", "paid", SECONDS)
        assert response.warnings == ["metadata: a number"]
        assert response.raw["id"] == 1
    assert str(client.ask("pay", raw=True)["id"]) == "1"


def test_an_odd_answer_is_never_asked_for_again(peer: Peer, connect: Connect) -> None:
    """What can be read ends the ask; what cannot is looked up, and is the outcome unknown where that cannot be read either."""
    client = connect(timeout=0.5)
    for name, members in MISTYPED.items():
        peer.always(ASK_PATH, task_with(**members))
        assert client.ask("pay").status == "completed", name
    assert len(peer.asks()) == len(MISTYPED)
    peer.always(ASK_PATH, rpc(result={}))
    peer.always(GET_PATH, rpc(result={}))
    with pytest.raises(OutcomeUnknownError):
        client.ask("pay")


def test_an_update_of_the_status_is_read_the_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams are full of updates, which have no session but say `final`; only what may name a session is read leniently."""
    lenient: list[Json] = []

    def read_leniently(given: Json, task_id: str) -> None:
        lenient.append(given)

    monkeypatch.setattr("payman_sdk._core.task_reader._read_leniently", read_leniently)
    update = {"id": "tsk-1", "status": {"state": "working", "timestamp": STAMP}}
    for members in ({"final": False}, {"final": True, "kind": "status-update", "x": [1]}):
        assert read_task({**update, **members}, "tsk-1") is not None, members
    for name in ("contextId", "session_id", "context_id"):
        assert read_task({**update, name: "ses-1"}, "tsk-1") is None, name
    assert len(lenient) == 3


def test_an_id_that_is_no_text_is_nobodys(peer: Peer, client: PaymanClient) -> None:
    """However a task is looked up, what its answer calls the request is shown only if it is a text."""
    paid = Payment(
        outcome=PaymentOutcome.UNDETERMINED, amount=Decimal(1), currency="TSD", payee="Bob", task_id="tsk-1"
    )
    result = task("tsk-1")
    for envelope in ({}, *({"id": said} for said in (None, 7, ["req-1"]))):
        peer.always(GET_PATH, _json({"jsonrpc": "2.0", "result": result, **envelope}))
        looks = (client.get_task("tsk-1"), client.wait("tsk-1"), client.payment_status(paid).response)
        assert [look and look.request_id for look in looks] == [""] * 3, envelope


def test_the_refusal_of_another_request_is_not_a_refusal_of_this_one(peer: Peer, connect: Connect) -> None:
    """An error whose id is not the request's may follow a payment that was made: the task is looked up, and not sent again."""
    client = connect(timeout=60)
    peer.always(
        GET_PATH, about(lambda request: {**IDS, "id": None, "result": task(request.json["params"]["id"])})
    )
    ids: tuple[Any, ...] = (0, 1, -7, 1.5, True, "req-other", "", ["req-1"], {"id": "req-1"})
    for http_status in (200, 409):
        for number, other in enumerate(ids):
            for code in (-32600, -32602, -32001):
                peer.always(ASK_PATH, rpc(http_status, id=other, error={"code": code, "message": "No"}))
                sent_before = len(peer.asks())
                assert client.ask("pay").text == "paid", (http_status, ids[number], code)
                assert len(peer.asks()) == sent_before + 1, (http_status, ids[number], code)
    peer.always(ASK_PATH, rpc(id=None, error={"code": -32602, "message": "No"}))
    with pytest.raises(InvalidParamsError) as caught:
        client.ask("pay")
    assert caught.value.sent is False
