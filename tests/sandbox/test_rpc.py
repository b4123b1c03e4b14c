from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest

from payman_sdk.sandbox import Sandbox
from tests.sandbox.wire_client import WireClient, texts
from tests.tables import table

_SEND = "/api/a2a/tasks/send"
_PART = {"type": "text", "text": "hello"}
_MESSAGE = {"role": "user", "parts": [_PART]}
_PARAMS = {"id": "tsk-shape", "sessionId": "ses-shape", "message": _MESSAGE}
_REQUEST = {"jsonrpc": "2.0", "id": "req-1", "method": "tasks/send", "params": _PARAMS}


def test_answer_is_paymans(wire_client: WireClient) -> None:
    """A task looks like the sample that Payman's docs print."""
    answer = wire_client.call("tasks/send", **_PARAMS)
    assert {key: answer[key] for key in ("jsonrpc", "id", "error")} == {
        "jsonrpc": "2.0",
        "id": "req-1",
        "error": None,
    }
    task = answer["result"]
    assert (task["id"], task["sessionId"]) == ("tsk-shape", "ses-shape")
    status = task["status"]
    assert status["state"] == "COMPLETED"
    assert status["message"]["parts"] == [{"type": "text", "text": "Processing completed successfully"}]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", status["timestamp"])
    [artifact] = task["artifacts"]
    assert (artifact["name"], artifact["description"]) == ("response", "AI Assistant Response")
    assert artifact["parts"][0]["type"] == "text"
    assert task["metadata"]["timestamp"] == status["timestamp"]
    assert task["metadata"]["agentId"].startswith("ai-")
    assert task["metadata"]["orgId"].startswith("org-")


def test_plain_spelling() -> None:
    """States in lower case and timestamps with milliseconds, where they are asked for."""
    with (
        Sandbox(
            uppercase_states=False, nanosecond_timestamps=False, clock=lambda: 1_751_041_901.5
        ) as sandbox,
        httpx.Client(base_url=sandbox.base_url) as http,
    ):
        wire_client = WireClient(sandbox, sandbox.client_id, sandbox.client_secret, http)
        waiting = wire_client.send("send 200 TSD to Test Payee")["status"]
        assert (waiting["state"], waiting["timestamp"]) == ("input-required", "2025-06-27T16:31:41.500Z")


def test_both_spellings_of_the_method(wire_client: WireClient) -> None:
    """`tasks.send`, which the published Python client writes, is `tasks/send`."""
    assert wire_client.post(_SEND, {**_REQUEST, "method": "tasks.send"}).json()["result"]["id"] == "tsk-shape"


def test_session_is_made_where_none_is_named(wire_client: WireClient) -> None:
    """A task without a session gets one of its own."""
    first, second = (wire_client.send("hello", sessionId=None)["sessionId"] for _ in range(2))
    assert first.startswith("ses-")
    assert first != second


def test_history_is_given_as_far_as_it_is_wanted(wire_client: WireClient) -> None:
    """`historyLength` says how many of the newest messages come along; without it there are none."""
    wire_client.send("hello", "tsk-history")
    assert "history" not in wire_client.call("tasks/get", id="tsk-history")["result"]
    assert "history" not in wire_client.call("tasks/get", id="tsk-history", historyLength=0)["result"]
    last = wire_client.call("tasks/get", id="tsk-history", historyLength=1)["result"]["history"]
    assert [message["role"] for message in last] == ["agent"]
    every = wire_client.call("tasks/get", id="tsk-history", historyLength=10**30)["result"]["history"]
    assert [message["role"] for message in every] == ["user", "agent"]
    assert every[0]["parts"] == [{"type": "text", "text": "hello"}]


def test_parts_that_are_not_text_are_passed_over(wire_client: WireClient) -> None:
    """Text parts are read one below the other; files and data are allowed and not read."""
    parts = [
        {"type": "text", "text": "send 5 TSD to Test Payee."},
        {"type": "data", "data": {"amount": 400}},
        {"type": "file", "file": {"name": "bill", "bytes": ""}},
        {"type": "text", "text": "Memo: lunch"},
    ]
    wire_client.send("", message={"role": "user", "parts": parts})
    [payment] = wire_client.payments
    assert (int(payment.amount), payment.description) == (5, "lunch")


def test_message_without_words_is_answered(wire_client: WireClient) -> None:
    """A message of files alone, or of an empty text, is answered and does nothing."""
    parts = [{"type": "data", "data": {"send": "5 TSD to Test Payee"}}]
    assert "did not understand" in texts(wire_client.send("", message={"role": "user", "parts": parts}))[0]
    assert "did not understand" in wire_client.ask("")
    assert not wire_client.payments


@table(
    "body",
    [
        b"",
        b"no json",
        b"{",
        b'{"jsonrpc": NaN}',
        b"\xff\xfe",
        b'"\xed\xa0\x80"',
        b"[" * 100_000,
        b"1" * 10_000,
        json.dumps(_REQUEST).replace("hello", "\\ud800").encode(),
    ],
)
def test_what_is_not_json_is_a_parse_error(wire_client: WireClient, body: bytes) -> None:
    """A body that is no JSON, or none that could be written again, is -32700."""
    answer = wire_client.post(_SEND, body)
    assert answer.status_code == 200
    assert (answer.json()["error"]["code"], answer.json()["id"]) == (-32700, None)


@table(
    ("body", "code", "names"),
    [
        ([], -32600, "batches"),
        ([_REQUEST], -32600, "batches"),
        ("text", -32600, "one JSON object"),
        (None, -32600, "one JSON object"),
        ({**_REQUEST, "id": None}, -32600, "id"),
        ({**_REQUEST, "id": True}, -32600, "id"),
        ({**_REQUEST, "id": 1.5}, -32600, "id"),
        ({**_REQUEST, "id": {}}, -32600, "id"),
        ({**_REQUEST, "id": 10**1000}, -32600, "id"),
        ({**_REQUEST, "jsonrpc": "1.0"}, -32600, "jsonrpc"),
        ({**_REQUEST, "method": None}, -32600, "method"),
        ({**_REQUEST, "method": "tasks/fly"}, -32601, "tasks/fly"),
        ({**_REQUEST, "method": "tasks/get"}, -32601, "tasks/get"),
        ({**_REQUEST, "params": None}, -32602, "params "),
        ({**_REQUEST, "params": []}, -32602, "params "),
        ({**_REQUEST, "params": {**_PARAMS, "id": None}}, -32602, "params.id"),
        ({**_REQUEST, "params": {**_PARAMS, "id": ""}}, -32602, "params.id"),
        ({**_REQUEST, "params": {**_PARAMS, "id": 5}}, -32602, "params.id"),
        ({**_REQUEST, "params": {**_PARAMS, "id": "x" * 201}}, -32602, "params.id"),
        ({**_REQUEST, "params": {**_PARAMS, "sessionId": 5}}, -32602, "params.sessionId"),
        ({**_REQUEST, "params": {**_PARAMS, "historyLength": -1}}, -32602, "params.historyLength"),
        ({**_REQUEST, "params": {**_PARAMS, "historyLength": True}}, -32602, "params.historyLength"),
        ({**_REQUEST, "params": {**_PARAMS, "message": None}}, -32602, "params.message "),
        ({**_REQUEST, "params": {**_PARAMS, "message": "send 5 TSD"}}, -32602, "params.message "),
        (
            {**_REQUEST, "params": {**_PARAMS, "message": {**_MESSAGE, "role": "agent"}}},
            -32602,
            "params.message.role",
        ),
        (
            {**_REQUEST, "params": {**_PARAMS, "message": {**_MESSAGE, "parts": []}}},
            -32602,
            "params.message.parts",
        ),
        (
            {**_REQUEST, "params": {**_PARAMS, "message": {**_MESSAGE, "parts": {}}}},
            -32602,
            "params.message.parts",
        ),
    ],
)
def test_wrong_shapes_are_named(wire_client: WireClient, body: Any, code: int, names: str) -> None:
    """A request of the wrong shape gets the code of JSON-RPC and a message that names the field, and makes no task."""
    answer = wire_client.post(_SEND, body)
    assert answer.status_code == 200
    error = answer.json()["error"]
    assert error["code"] == code
    assert names in error["message"]
    assert answer.json()["result"] is None
    assert wire_client.call("tasks/get", id="tsk-shape")["error"]["code"] == -32001


@table(
    ("part", "names"),
    [
        (None, "parts[1].type"),
        ("text", "parts[1].type"),
        ({"type": "song"}, "parts[1].type"),
        ({"type": "text"}, "parts[1].text"),
        ({"type": "text", "text": None}, "parts[1].text"),
        ({"type": "file", "file": "x"}, "parts[1].file"),
        ({"type": "data"}, "parts[1].data"),
    ],
)
def test_wrong_parts_are_named(wire_client: WireClient, part: Any, names: str) -> None:
    """A part of the wrong shape is named by its position, and nothing of the message is done."""
    message = {"role": "user", "parts": [{"type": "text", "text": "send 5 TSD to Test Payee"}, part]}
    error = wire_client.call("tasks/send", **{**_PARAMS, "message": message})["error"]
    assert error["code"] == -32602
    assert names in error["message"]
    assert not wire_client.payments


@pytest.mark.parametrize("request_id", ["", "ü\n", 0, -1, 2**63 - 1])
def test_request_id_comes_back(wire_client: WireClient, request_id: object) -> None:
    """The request's id comes back as it was, string or number, in errors too."""
    body = {**_REQUEST, "id": request_id}
    assert wire_client.post(_SEND, body).json()["id"] == request_id
    assert wire_client.post(_SEND, {**body, "params": {}}).json()["id"] == request_id


def test_unknown_task_is_not_found(wire_client: WireClient) -> None:
    """Getting or cancelling a task that the account does not have is -32001, with the request's id."""
    for method in ("tasks/get", "tasks/cancel"):
        answer = wire_client.call(method, id="tsk-unknown")
        assert (answer["id"], answer["error"]["code"]) == ("req-1", -32001)


def test_large_body_is_too_large(wire_client: WireClient) -> None:
    """More than a MiB is 413, whether or not the length is announced; the connection goes on."""
    body = json.dumps({**_REQUEST, "padding": "x" * 1024 * 1024}).encode()
    assert wire_client.post(_SEND, body).status_code == 413
    headers = {"x-payman-access-token": wire_client.token}
    chunks = (body[start : start + 65536] for start in range(0, len(body), 65536))
    answer = wire_client.http.post(_SEND, content=chunks, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (413, "content_too_large")
    assert wire_client.ask("hello")


def test_other_paths_and_verbs_are_json(wire_client: WireClient) -> None:
    """What is not there, or not for this verb, says so in JSON."""
    missing = wire_client.http.get("/nothing")
    assert (missing.status_code, missing.json()["error"]) == (404, "not_found")
    wrong = wire_client.http.get(_SEND)
    assert (wrong.status_code, wrong.json()["error"]) == (405, "method_not_allowed")
    assert wrong.headers["allow"] == "POST"


def test_agent_card(wire_client: WireClient) -> None:
    """The agent card tells where the agent is and what it can do, to anybody."""
    card = wire_client.http.get("/.well-known/agent.json").json()
    assert card["url"] == wire_client.sandbox.base_url
    assert card["capabilities"]["streaming"] is True
    assert card["skills"]


def test_fault_of_the_sandbox_changes_nothing(
    wire_client: WireClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the sandbox fails in the middle, the answer is -32603, and neither task nor payment is left behind."""
    from payman_sdk.sandbox._agent import tasks

    record = tasks._record  # pyright: ignore[reportPrivateUsage]

    def fail(*_: object) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(tasks, "_record", fail)
    answer = wire_client.call("tasks/send", **{**_PARAMS, "message": {"role": "user", "parts": [{"type": "text", "text": "send 5 TSD to Test Payee"}]}})  # fmt: skip
    assert (answer["id"], answer["error"]["code"]) == ("req-1", -32603)
    monkeypatch.setattr(tasks, "_record", record)
    assert wire_client.call("tasks/get", id="tsk-shape")["error"]["code"] == -32001
    assert not wire_client.payments
    assert wire_client.balance == 1000
