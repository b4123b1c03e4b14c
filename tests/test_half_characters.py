"""Half of a character in a text, which JSON can hold as an escape and no program can print: it is shown as U+FFFD."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from typing import Any, TypedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payman_sdk import AsyncPaymanClient, PaymanClient
from payman_sdk._core.accumulator import TaskAccumulator
from payman_sdk._core.formatting import format_task
from payman_sdk._core.requests import AskRequest
from payman_sdk._core.rpc import read_answer
from payman_sdk._core.wire_json import read_json
from payman_sdk.sandbox import Sandbox, ScriptedResponse
from tests.conftest import SECRET
from tests.loops import LOOPS, run_on
from tests.peer import ASK_PATH, TOKEN_PATH, Peer, Request, answer, token
from tests.streaming.wire import STREAM_PATH

HIGH, LOW = "\ud83d", "\ude00"
HALF = re.compile("[\ud800-\udfff]")


def encode(value: Any) -> bytes:
    """What a program prints or sends of it; fails for half of a character."""
    return json.dumps(value, ensure_ascii=False).encode()


def mended(text: str) -> str:
    """The text, each pair of halves joined, as U+FFFD shows the others."""
    return HALF.sub("\ufffd", json.loads(json.dumps(text)))


def torn_task(task_id: str) -> dict[str, Any]:
    """A task with halves wherever there is a text."""
    parts = [
        {
            "type": "text",
            "text": f"{LOW}Sent 10{HIGH}{HIGH}{LOW} TSD{HIGH}",
            "metadata": {f"a{HIGH}": [HIGH]},
        },
        {"type": "data", "data": {f"k{LOW}": [{"v": f"{HIGH}x"}]}},
        {"type": "file", "file": {"name": f"n{HIGH}", "uri": f"https://payman.example/{LOW}"}},
        {"type": f"chart{HIGH}", "x": HIGH},
    ]
    return {
        "id": task_id,
        "status": {
            "state": "completed",
            "message": {"role": "agent", "parts": [{"type": "text", "text": f"done{HIGH}"}]},
        },
        "artifacts": [
            {"name": f"n{LOW}", "description": HIGH, "parts": parts, "metadata": {"m": f"{HIGH}!"}}
        ],
        "metadata": {f"{HIGH}": {"deep": [LOW]}},
    }


def envelope(request: Request) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": request.json["id"], "result": torn_task(request.json["params"]["id"])}


def settings_of(peer: Peer) -> dict[str, Any]:
    return {
        "client_id": "pm-test-1",
        "client_secret": SECRET,
        "base_url": peer.base_url,
        "max_retries": 0,
    }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32-be", "twice"])
@pytest.mark.parametrize("loop", [None, *LOOPS])
def test_an_answer_can_be_printed(loop: str | None, encoding: str, peer: Peer) -> None:
    """Every text of it, to threads and tasks, with one warning; `raw` is what came."""
    sent: list[Any] = []

    def respond(request: Request) -> Iterator[bytes]:
        sent.append(envelope(request))
        body = json.dumps(sent[-1])
        if encoding == "twice":
            body = json.dumps({**sent[-1], "result": json.dumps(sent[-1]["result"])})
        yield from answer(body=body.encode(encoding if encoding != "twice" else "ascii"))(request)

    async def ask() -> Any:
        async with AsyncPaymanClient(settings_of(peer)) as client:
            return await client.ask("send 10 TSD to Test Payee")

    peer.always(TOKEN_PATH, token())
    peer.always(ASK_PATH, respond)
    if loop is None:
        with PaymanClient(settings_of(peer)) as client:
            response: Any = client.ask("send 10 TSD to Test Payee")
    else:
        response = run_on(loop, ask)
    encode(response)
    response.text.encode()
    str(response).encode()
    assert response.text == "\ufffdSent 10\ufffd\U0001f600 TSD\ufffd"
    assert response.status_message == "done\ufffd"
    assert response.artifacts[0].parts[1]["data"] == {"k\ufffd": [{"v": "\ufffdx"}]}
    if encoding != "twice":
        assert response.warnings == ["half of a character"]
        assert json.dumps(response.raw) == json.dumps(sent[-1])


@given(st.text(st.characters(exclude_categories=[])), st.text(st.sampled_from(f'a"\\u{HIGH}{LOW}d8\n')))
def test_any_text_is_shown_with_its_characters_whole(first: str, second: str) -> None:
    """Pairs are joined, and what looks like an escape and is none stays."""
    document: dict[str, Any] = {"id": "req-1", "result": torn_task("tsk-1"), "x": second}
    document["result"]["artifacts"] = [{"parts": [{"type": "text", "text": one}]} for one in (first, second)]
    whole, came, warnings = read_json(json.dumps(document))
    assert encode(whole)
    assert [one["parts"][0]["text"] for one in whole["result"]["artifacts"]] == [
        mended(first),
        mended(second),
    ]
    assert json.dumps(came) == json.dumps(json.loads(json.dumps(document)))
    assert warnings == ["half of a character"]
    for text in (first, second):
        read, again, warned = read_json(json.dumps({"a": text}))
        assert (read is again, warned == []) == (mended(text) == json.loads(json.dumps(text)),) * 2


def accumulate(pieces: list[str], **members: Any) -> tuple[list[Any], list[Any], TaskAccumulator]:
    """The events of a stream that sends a text in pieces, what they came in, and what they add up to."""
    ask = AskRequest(text="Hello!", task_id="tsk-1", request_id="req-1", session_id="ses-1")
    progress, sent, events = TaskAccumulator(ask), list[Any](), list[Any]()
    for number, piece in enumerate(pieces):
        artifact = {"parts": [{"type": "text", "text": piece}], "append": number > 0}
        sent.append({"id": "req-1", "result": {"id": "tsk-1", "artifact": artifact, **members}})
        events += progress.add_event(json.dumps(sent[-1]))
    return sent, events, progress


@given(st.text(st.sampled_from(f"ab\u00fc\n{HIGH}{LOW}\U0001f600"), max_size=24), st.data())
def test_a_character_may_come_in_two_events(text: str, data: st.DataObject) -> None:
    """Wherever a server cuts a text, the deltas join to it, every event can be encoded, and `raw` is what came."""
    units = text.encode("utf-16-le", "surrogatepass")
    cuts = sorted(data.draw(st.lists(st.integers(0, len(units) // 2), max_size=8)))
    edges = [0, *cuts, len(units) // 2]
    pieces = [
        units[2 * start : 2 * end].decode("utf-16-le", "surrogatepass")
        for start, end in itertools.pairwise(edges)
    ]
    members: dict[str, Any] = data.draw(
        st.sampled_from([{}, {"metadata": {"a": HIGH}}, {"metadata": {"a": 1}}])
    )
    sent, events, progress = accumulate(pieces, **members)
    response = format_task(progress.build_task(), request_id="req-1", session_id=None)
    encode([dict(event) for event in events])
    encode(progress.build_response())
    assert [json.dumps(event.raw) for event in events] == list(map(json.dumps, sent))
    assert response.text == mended(text)
    shown = "".join(event.delta for event in events)
    assert shown == (events[-1].artifact.content if events else "")
    assert mended(text) in (shown, f"{shown}\ufffd")


def test_what_is_no_chunk_of_a_stream_can_be_encoded() -> None:
    """Events that the SDK does not know, states, and whole tasks."""
    _, _, progress = accumulate([])
    for result in (
        {"id": "tsk-1", "weather": HIGH},
        [LOW],
        {**torn_task("tsk-1"), "status": {"state": "working"}},
        {"id": "tsk-1", "status": {"state": f"odd{HIGH}", "message": {"parts": [{"text": f"at{HIGH}"}]}}},
        torn_task("tsk-1"),
    ):
        said = {"id": "req-1", "result": result}
        events = progress.add_event(json.dumps(said))
        assert events
        for event in events:
            encode(dict(event))
            assert json.dumps(event.raw) == json.dumps(said)
    assert format_task(progress.build_task(), request_id="r", session_id=None).warnings == [
        "half of a character"
    ]


@pytest.mark.parametrize("loop", LOOPS)
def test_a_stream_can_be_printed(loop: str, peer: Peer) -> None:
    """From end to end, to threads and tasks: a pair in two events, and half of one at the end."""

    def respond(request: Request) -> Iterator[bytes]:
        ids = {"id": request.json["params"]["id"]}
        results: list[Any] = [
            {**ids, "artifact": {"parts": [{"type": "text", "text": piece}], "append": number > 0}}
            for number, piece in enumerate(("Paid ", f"10 {HIGH}", f"{LOW} TSD", f"!{HIGH}"))
        ]
        results.append({**ids, "status": {"state": "completed"}, "final": True})
        lines = [
            f"data: {json.dumps({'jsonrpc': '2.0', 'id': request.json['id'], 'result': one})}\n\n"
            for one in results
        ]
        yield from answer(body="".join(lines), media_type="text/event-stream")(request)

    async def stream() -> tuple[list[Any], Any]:
        async with (
            AsyncPaymanClient(settings_of(peer)) as client,
            client.stream("send 10 TSD to Test Payee") as following,
        ):
            return [event async for event in following], await following.result()

    peer.always(TOKEN_PATH, token())
    peer.always(STREAM_PATH, respond)
    with PaymanClient(settings_of(peer)) as client, client.stream("send 10 TSD to Test Payee") as following:
        both = [(list(following), following.result()), run_on(loop, stream)]
    for events, response in both:
        encode([dict(event) for event in events])
        assert [event.delta for event in events if event.type == "artifact_update"] == [
            "Paid ",
            "10 ",
            "\U0001f600 TSD",
            "!",
        ]
        assert response.text == "Paid 10 \U0001f600 TSD!\ufffd"
        assert response.warnings == ["half of a character"]


class Note(TypedDict):
    text: str


def test_json_within_a_text_can_be_encoded() -> None:
    """Typed answers: the escape may be one of the JSON that a text holds."""
    note = '{"text": "a\\ud83d\\ude00\\ud83d \\\\ud83d"}'
    with Sandbox() as sandbox, sandbox.client() as client:
        sandbox.script([ScriptedResponse(note)])
        response = client.ask("note", response_format=Note)
        assert response.parsed == {"text": "a\U0001f600\ufffd \\ud83d"}
        listed = '{"payees": [{"id": "pd-1", "name": "Ada\\ud83d", "type": "TEST_RAILS"}]}'
        sandbox.script([ScriptedResponse(listed)])
        [payee] = client.payees()
        encode(payee.name)


def test_an_answer_about_an_odd_session_is_not_followed_there() -> None:
    """An id with half of a character, or U+FFFD in its place, is no id that the server knows."""
    import httpx

    for session in (f"ses-{HIGH}", "ses-\ufffd"):
        document = {"id": "req-1", "result": {**torn_task("tsk-1"), "sessionId": session}}
        _, task = read_answer(httpx.Response(200, content=json.dumps(document).encode()), "req-1", "tsk-1")
        assert format_task(task, request_id="req-1", session_id="ses-sent").session_id == "ses-sent"
        assert "sessionId: a text" in task.warnings
