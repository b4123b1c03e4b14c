from __future__ import annotations

from typing import Any

import pytest

from payman_sdk.sandbox import Sandbox
from tests.sandbox.streams import own_desk, resubscribe, subscribe
from tests.sandbox.wire_client import WireClient
from tests.tables import table

_WALLETS = "list all wallets and their balances"
_MUCH = "send 200 TSD to Test Payee"


def test_events_are_numbered_from_one(wire_client: WireClient) -> None:
    """Every event of a stream carries its number in the story."""
    received = subscribe(wire_client, _WALLETS, "tsk-r1")
    assert received.ids == [str(number) for number in range(1, len(received.ids) + 1)]
    assert len(received.ids) > 4


def test_resume_goes_on_after_every_event(wire_client: WireClient) -> None:
    """After the number of any event the rest comes, with the same numbers; after the last one nothing."""
    whole = subscribe(wire_client, _WALLETS, "tsk-r2").events
    for number in range(1, len(whole) + 1):
        received = resubscribe(wire_client, "tsk-r2", str(number))
        assert (received.kind, received.broken) == ("text/event-stream", False)
        assert received.events == whole[number:]


@pytest.mark.parametrize(
    "last", [None, "", "0", "-1", "9999", "1e0", "1.0", "+1", "01", "one", "\xb2", "9" * 5000, "1 2", "1,2"]
)
def test_resume_from_nowhere_reports_all(wire_client: WireClient, last: str | None) -> None:
    """Without a number, or with one that no event had, everything is told from the start."""
    whole = subscribe(wire_client, _WALLETS, "tsk-r3").events
    assert resubscribe(wire_client, "tsk-r3", last).events == whole
    assert resubscribe(wire_client, "tsk-r3", str(len(whole) + 1)).events == whole


def test_resubscribe_changes_nothing(wire_client: WireClient) -> None:
    """Whoever resubscribes to a payment's task pays nothing, however often."""
    first = subscribe(wire_client, "send 10 TSD to Test Payee", "tsk-r4")
    task = wire_client.call("tasks/get", id="tsk-r4", historyLength=9)["result"]
    for _ in range(3):
        assert resubscribe(wire_client, "tsk-r4").body == first.body
    assert wire_client.call("tasks/get", id="tsk-r4", historyLength=9)["result"] == task
    assert wire_client.made == [(10, "Test Payee")]


def test_send_has_no_last_event(wire_client: WireClient) -> None:
    """A repeated send tells everything, whatever the client has heard: the header is for resubscribing."""
    whole = subscribe(wire_client, _WALLETS, "tsk-r5")
    message = {"role": "user", "parts": [{"type": "text", "text": _WALLETS}]}
    body = {
        "jsonrpc": "2.0",
        "id": "req-s",
        "method": "tasks/sendSubscribe",
        "params": {"id": "tsk-r5", "message": message},
    }
    headers = {"x-payman-access-token": wire_client.token, "last-event-id": "2"}
    answer = wire_client.http.post("/api/a2a/tasks/sendSubscribe", json=body, headers=headers)
    assert answer.content == whole.body


@pytest.mark.parametrize("way", ["resume", "replay", "live"])
def test_unknown_task_is_not_a_stream(way: str) -> None:
    """A task that the account does not have is an ordinary JSON-RPC error -32001."""
    with own_desk(resubscribe=way) as wire_client:
        received = resubscribe(wire_client, "tsk-nowhere", "1")
        assert (received.status, received.json["error"]["code"], received.json["id"]) == (
            200,
            -32001,
            "req-s",
        )


def test_anothers_task_is_unknown(wire_client: WireClient, shared: Sandbox) -> None:
    """Another client's task cannot be watched, and does not show."""
    theirs = WireClient(shared, *shared.add_client(), wire_client.http)
    subscribe(theirs, _WALLETS, "tsk-theirs-r")
    assert resubscribe(wire_client, "tsk-theirs-r").json["error"]["code"] == -32001


@pytest.mark.parametrize(
    ("params", "code"),
    [({}, -32602), ({"id": 7}, -32602), ({"id": ""}, -32602), ({"id": "t", "historyLength": -1}, -32602)],
)
def test_wrong_params_are_not_stream(wire_client: WireClient, params: dict[str, Any], code: int) -> None:
    """Wrong parameters are an ordinary JSON-RPC error."""
    wire_client.send("hello", "t")
    assert wire_client.call("tasks/resubscribe", **params)["error"]["code"] == code


def test_resubscribe_needs_the_token_and_its_method(wire_client: WireClient) -> None:
    """A wrong access token is a 401, another method at its path -32601."""
    body = {"jsonrpc": "2.0", "id": 1, "method": "tasks/get", "params": {"id": "t"}}
    assert wire_client.post("/api/a2a/tasks/resubscribe", body).json()["error"]["code"] == -32601
    wire_client.token = "wrong"
    assert wire_client.post("/api/a2a/tasks/resubscribe", body).status_code == 401


def test_replay_reports_all_without_ids() -> None:
    """A server that replays tells everything, whatever the client has heard, and numbers nothing."""
    with own_desk(resubscribe="replay") as wire_client:
        whole = subscribe(wire_client, _WALLETS, "tsk")
        for last in (None, "1", "3"):
            assert resubscribe(wire_client, "tsk", last).body == whole.body
        assert set(whole.ids) == {None}
        assert whole.results[0]["status"]["state"] == "WORKING"


def test_live_reports_the_state_of_an_ended_task() -> None:
    """A server that only tells what is new tells the final status of a task that has ended, and numbers nothing."""
    with own_desk(resubscribe="live") as wire_client:
        whole = subscribe(wire_client, _WALLETS, "tsk")
        assert set(whole.ids) == {None}
        for last in (None, "1"):
            received = resubscribe(wire_client, "tsk", last)
            assert received.events == whole.events[-1:]
            assert received.results[0]["final"]


def test_server_without_resubscribe() -> None:
    """A server without the method says -32601, for known and unknown tasks; what it streams is whole."""
    with own_desk(resubscribe="off") as wire_client:
        assert subscribe(wire_client, _WALLETS, "tsk").results[-1]["final"]
        for task_id in ("tsk", "tsk-nowhere"):
            answer = resubscribe(wire_client, task_id).json
            assert answer["error"]["code"] == -32601
            assert "'tasks/resubscribe'" in answer["error"]["message"]


def test_server_without_get() -> None:
    """A server without `tasks/get` says -32601, for known and unknown tasks; the rest works."""
    with own_desk(tasks_get=False) as wire_client:
        wire_client.send("hello", "tsk")
        for task_id in ("tsk", "tsk-nowhere"):
            assert wire_client.call("tasks/get", id=task_id)["error"]["code"] == -32601
        assert wire_client.call("tasks/cancel", id="tsk")["error"]["code"] == -32002
        assert resubscribe(wire_client, "tsk").results[-1]["final"]


def test_answered_task_goes_on_with_its_numbers(wire_client: WireClient) -> None:
    """The answer to a question lengthens the story: the numbers so far stay, and from none of them anything is missed."""
    asked = subscribe(wire_client, _MUCH, "tsk-r6").events
    done = subscribe(wire_client, "approve", "tsk-r6").events
    assert [number for number, _ in done] == [str(place + 1) for place in range(len(done))]
    for (number, before), (same, after) in zip(asked[:-1], done[: len(asked) - 1], strict=True):
        assert number == same
        assert before.get("artifact") == after.get("artifact")
    assert asked[-1][1]["final"]
    assert done[len(asked) - 1][1]["status"]["state"] == "WORKING"
    for place in range(len(asked) + 1):
        assert resubscribe(wire_client, "tsk-r6", str(place)).events == done[place:]
    later = resubscribe(wire_client, "tsk-r6", asked[-1][0]).results
    assert "".join(one["artifact"]["parts"][0]["text"] for one in later[:-1]).startswith("Approved.")
    assert later[0]["artifact"]["append"] is False
    assert later[-1]["status"]["state"] == "COMPLETED"


@table(
    ("name", "value"),
    [
        ("chunk_words", 0),
        ("chunk_words", 1.5),
        ("chunk_words", True),
        ("chunk_words", 10**10),
        ("pace", -1),
        ("pace", float("nan")),
        ("pace", float("inf")),
        ("pace", "1"),
        ("keep_alive", 0),
        ("keep_alive", float("nan")),
        ("keep_alive", "1"),
        ("resubscribe", "sometimes"),
        ("resubscribe", None),
    ],
)
def test_settings_that_cannot_be_are_refused(name: str, value: Any) -> None:
    """A setting that cannot be one is a ValueError that names it."""
    with pytest.raises(ValueError, match=f"^{name} must be"):
        Sandbox(**{name: value})
