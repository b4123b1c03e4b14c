from __future__ import annotations

import json
from typing import Any

from payman_sdk.sandbox._agent.event_schedule import StreamSettings, schedule_events
from payman_sdk.sandbox._agent.serialization import Style, serialize_event
from payman_sdk.sandbox._agent.tasks import Task
from payman_sdk.sandbox._agent.turn import State, TaskArtifact
from payman_sdk.sandbox._ledger.accounts import Account
from tests.sandbox.wire_client import WireClient
from tests.tables import table

_ACCOUNT = Account("org-1", "pm-test-1", "ai-1")


def _stream(wire_client: WireClient, text: str, task_id: str) -> list[dict[str, Any]]:
    """The results of a streamed send."""
    body = {
        "jsonrpc": "2.0",
        "id": "req-s",
        "method": "tasks/sendSubscribe",
        "params": {"id": task_id, "message": {"role": "user", "parts": [{"type": "text", "text": text}]}},
    }
    answer = wire_client.post("/api/a2a/tasks/sendSubscribe", body)
    assert answer.headers["content-type"].split(";")[0] == "text/event-stream"
    events = answer.text.removesuffix("\n\n").split("\n\n")
    results: list[dict[str, Any]] = []
    for number, lines in enumerate(events, 1):
        head, _, data = lines.partition("\n")
        assert head == f"id: {number}"
        shape = json.loads(data.removeprefix("data: "))
        assert (shape["jsonrpc"], shape["id"]) == ("2.0", "req-s")
        assert shape["result"]["id"] == task_id
        results.append(shape["result"])
    return results


def _told(results: list[dict[str, Any]]) -> list[str]:
    """The artifacts that the chunks make, put together as A2A says."""
    artifacts: list[str] = []
    closed = True
    for artifact in (result["artifact"] for result in results if "artifact" in result):
        text = artifact["parts"][0]["text"]
        if artifact["append"]:
            assert not closed
            artifacts[artifact["index"]] += text
        else:
            assert (closed, artifact["index"]) == (True, len(artifacts))
            artifacts.append(text)
        closed = artifact["lastChunk"]
    assert closed
    return artifacts


def test_stream_reports_the_task(wire_client: WireClient) -> None:
    """Working, the answer in chunks, and the end: together they say what the task says."""
    results = _stream(wire_client, "list all wallets and their balances", "tsk-s1")
    task = wire_client.call("tasks/get", id="tsk-s1")["result"]
    assert results[0]["status"]["state"] == "WORKING"
    assert [result["final"] for result in results if "status" in result] == [False, True]
    assert results[-1]["status"] == task["status"]
    assert all(result["metadata"] == task["metadata"] for result in results)
    assert len(results) > 4
    assert _told(results) == [artifact["parts"][0]["text"] for artifact in task["artifacts"]]


def test_streamed_task_is_a_task(wire_client: WireClient) -> None:
    """A task id pays once, streamed or not; a stream of a known task tells it again."""
    first = _stream(wire_client, "send 10 TSD to Test Payee", "tsk-s2")
    assert _stream(wire_client, "send 10 TSD to Test Payee", "tsk-s2") == first
    assert wire_client.send("send 10 TSD to Test Payee", "tsk-s2")["status"] == first[-1]["status"]
    assert wire_client.made == [(10, "Test Payee")]


def test_stream_ends_where_input_is_required(wire_client: WireClient) -> None:
    """A task that waits for approval ends its stream; the approval is streamed with all that went before."""
    assert (
        _stream(wire_client, "send 200 TSD to Test Payee", "tsk-s3")[-1]["status"]["state"]
        == "INPUT_REQUIRED"
    )
    results = _stream(wire_client, "approve", "tsk-s3")
    assert results[-1]["status"]["state"] == "COMPLETED"
    assert [text.split()[0] for text in _told(results)] == ["Approval", "Approved."]


def test_error_is_not_a_stream(wire_client: WireClient) -> None:
    """What cannot be streamed is answered with an ordinary JSON-RPC error."""
    answer = wire_client.post(
        "/api/a2a/tasks/sendSubscribe", {"jsonrpc": "2.0", "id": 1, "method": "tasks/send", "params": {}}
    )
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["error"]["code"] == -32601
    assert wire_client.post("/api/a2a/tasks/sendSubscribe", b"x").json()["error"]["code"] == -32700


@table("text", ["", " ", "one", " \n two  \n\nthree ", "a b c d e f g", "x" * 5000, "\n"])
def test_chunks_lose_nothing(text: str) -> None:
    """However the text is, its chunks put together are the text."""
    task = Task("tsk", "ses", State.COMPLETED, "", 0, (TaskArtifact.from_text(text),), ())
    results: Any = [
        serialize_event(Style(), _ACCOUNT, task, reported)
        for reported in schedule_events(StreamSettings(), task)
    ]
    assert _told(results) == [text]
