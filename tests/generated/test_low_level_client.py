"""What `payman_api` offers to programs that use it without the SDK."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest

from payman_api import AuthenticatedClient, Client, events
from payman_api.api.agent import get_agent_card
from payman_api.api.oauth import create_token
from payman_api.api.tasks import send_task, send_task_subscribe
from payman_api.errors import AnswerError, ErrorStatus, UnexpectedStatus, UnreadableAnswer
from payman_api.models import (
    ErrorAnswer,
    GrantType,
    Message,
    OAuthError,
    SendTaskRequest,
    SendTaskStreamingRequest,
    Task,
    TaskSendParams,
    TaskStatusUpdateEvent,
    TaskStreamResponse,
    TextPart,
    TokenResponse,
)
from payman_api.rest.api.payments import delete_payee
from payman_api.types import UNSET
from payman_sdk.sandbox import Sandbox

PARAMS = TaskSendParams(id="tsk-1", message=Message(role="user", parts=[TextPart(text="list all wallets")]))
ASK = SendTaskRequest(id="req-1", params=PARAMS)
WATCH = SendTaskStreamingRequest(id="req-1", params=PARAMS)
TASK = {"id": "tsk-1", "status": {"state": "COMPLETED"}}
ANSWER = {"jsonrpc": "2.0", "id": "req-1", "result": TASK}
OTHERS = "one\u2028two\u0085three"
"""Characters that end a line for `str.splitlines`, and not in a stream of events."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


def test_a_program_does_without_the_sdk(sandbox: Sandbox) -> None:
    """A token by Basic auth, an ask, a stream sync and async, and a request that the spec does not have."""
    own, kind = (sandbox.client_id, sandbox.client_secret), GrantType.CLIENT_CREDENTIALS
    with Client(sandbox.base_url) as client:
        token = create_token.sync_parsed(client=client, auth=own, grant_type=kind)
        assert isinstance(token, TokenResponse)
        with pytest.raises(ErrorStatus) as refused:
            create_token.sync_parsed(client=client, auth=(own[0], "wrong"), grant_type=kind)
    assert refused.value.status_code == 401
    assert isinstance(refused.value.parsed, OAuthError)
    assert refused.value.parsed.error == "invalid_client"

    def watch(task_id: str) -> SendTaskStreamingRequest:
        params = TaskSendParams(id=task_id, message=PARAMS.message)
        return SendTaskStreamingRequest(id="req-2", params=params)

    async def collect() -> list[TaskStreamResponse]:
        async with AuthenticatedClient(sandbox.base_url, token=token.access_token) as asking:
            answer = await send_task.asyncio_parsed(client=asking, body=ASK)
            assert isinstance(answer.result, Task)
            raw = await asking.arequest("GET", "/.well-known/agent.json")
            assert raw.json()["name"] == "Payman sandbox"
            return [one async for one in send_task_subscribe.aiter_events(client=asking, body=watch("a"))]

    with AuthenticatedClient(sandbox.base_url, token=token.access_token) as asking:
        seen = list(send_task_subscribe.iter_events(client=asking, body=watch("b")))
        assert asking.request("POST", "/sandbox/tasks/b/approve").status_code == 409
    for several in (seen, asyncio.run(collect())):
        assert len(several) > 2
        last = several[-1].result
        assert isinstance(last, TaskStatusUpdateEvent)
        assert last.final


def respond(*args: Any, **keywords: Any) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _: httpx.Response(*args, **keywords)


@pytest.mark.parametrize(
    ("answer", "kind", "parsed"),
    [
        (respond(400, json={"error": "invalid"}), ErrorStatus, ErrorAnswer),
        (respond(401, text="<html>"), ErrorStatus, type(None)),
        (respond(418, json={"error": "teapot"}), ErrorStatus, type(None)),
        (respond(529), ErrorStatus, type(None)),
        (respond(503, json=[]), ErrorStatus, type(None)),
        (respond(302, headers={"location": "/elsewhere"}), UnexpectedStatus, type(None)),
        (respond(204), UnexpectedStatus, type(None)),
        (respond(202, json=ANSWER), UnexpectedStatus, type(None)),
        (respond(200, text="accessToken"), UnreadableAnswer, type(None)),
        (respond(200, json=None), UnreadableAnswer, type(None)),
        (respond(200, json={"result": {"id": 5}}), UnreadableAnswer, type(None)),
    ],
)
@pytest.mark.parametrize("is_stream", [False, True])
def test_none_never_means_that_something_failed(
    answer: Callable[[httpx.Request], httpx.Response], kind: type[AnswerError], parsed: type, is_stream: bool
) -> None:
    """Whatever is not a readable success raises, with what is known of it and no secret in its text or pickle."""
    client = AuthenticatedClient(
        "https://payman.invalid", token="x", httpx_args={"transport": httpx.MockTransport(answer)}
    )

    async def ask() -> None:
        if is_stream:
            async for _ in send_task_subscribe.aiter_events(client=client, body=WATCH):
                pass
        else:
            await send_task.asyncio_parsed(client=client, body=ASK)

    def ask_sync() -> None:
        if is_stream:
            list(send_task_subscribe.iter_events(client=client, body=WATCH))
        else:
            send_task.sync_parsed(client=client, body=ASK)

    for call in (ask_sync, lambda: asyncio.run(ask())):
        with pytest.raises(AnswerError) as raised:
            call()
        assert type(raised.value) is kind
        assert type(raised.value.parsed) is parsed
        assert "accessToken" not in str(raised.value)
        again = pickle.loads(pickle.dumps(raised.value))  # noqa: S301 (it is our own)
        assert (type(again), again.status_code, again.content) == (kind, raised.value.status_code, b"")


def document(text: str) -> dict[str, Any]:
    return {"id": "req-1", "error": {"code": 1, "message": text}}


def read(chunks: list[bytes]) -> list[str]:
    """What the events say that come in these pieces, sync and async alike."""

    class Pieces(httpx.SyncByteStream, httpx.AsyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            return iter(chunks)

        async def __aiter__(self) -> AsyncIterator[bytes]:
            for chunk in chunks:
                yield chunk

    def make() -> httpx.Response:
        return httpx.Response(200, headers={"content-type": "text/event-stream; x=y"}, stream=Pieces())

    def text(event: TaskStreamResponse) -> str:
        assert event.error
        return str(event.error.message)

    parse, answer = send_task_subscribe.parse_event, send_task_subscribe.parse_answer

    async def collect() -> list[str]:
        return [text(event) async for event in events.aiterate(make(), parse, answer, (range(200, 201),))]

    found = [text(event) for event in events.iterate(make(), parse, answer, (range(200, 201),))]
    assert asyncio.run(collect()) == found
    return found


def test_events_are_read_however_their_bytes_are_cut() -> None:
    """Line ends of all three kinds, comments, several data lines, and characters that only Python takes for line ends."""
    event = json.dumps(document(OTHERS), ensure_ascii=False).encode()
    for end in (b"\n", b"\r\n", b"\r"):
        lines = [
            b"\xef\xbb\xbf: hello",
            b"id: 7",
            b"event: x",
            b"data:" + event,
            b"",
            b'data: {"error": {"code": 2, "message": "several"}',
            b"data",
            b"data: }",
            b"",
            b"",
        ]
        whole = end.join(lines + [b"data: " + event, b"", b"data: " + event])
        for size in (1, 2, 7, len(whole)):
            pieces = [whole[place : place + size] for place in range(0, len(whole), size)]
            assert read(pieces) == [OTHERS, "several", OTHERS], (end, size)


@pytest.mark.parametrize(
    "chunk", [b"data: " + b"x" * 1000, b"data:\n" * 200, b"x" * 1000 + b"\n" + b"data: x"]
)
def test_an_event_without_end_is_given_up(chunk: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """However its bytes are arranged."""
    monkeypatch.setattr(events, "LARGEST_EVENT", 10_000)
    with pytest.raises(UnreadableAnswer):
        read([chunk] * 1000)


def test_models_are_copied_and_pickled_with_what_is_absent() -> None:
    """A copy says the same on the wire: what was absent stays so, and there is one UNSET."""
    task = Task.from_dict({**TASK, "sessionId": None, "new": [1]})
    for again in (copy.copy(task), copy.deepcopy(task), pickle.loads(pickle.dumps(task))):  # noqa: S301
        assert again == task
        assert again.history is UNSET
        assert again.to_dict() == {**TASK, "sessionId": None, "new": [1]}


@pytest.mark.parametrize("path", ["https://elsewhere.invalid/", "//elsewhere.invalid/", "x", ""])
def test_a_raw_request_goes_to_this_server_only(path: str) -> None:
    """The client's headers carry the token."""
    client = AuthenticatedClient("https://payman.invalid", token="x")
    with pytest.raises(ValueError, match="slash"):
        client.request("GET", path)
    with pytest.raises(ValueError, match="slash"):
        asyncio.run(client.arequest("GET", path))


def test_an_operation_without_security_takes_no_name_and_secret() -> None:
    with pytest.raises(TypeError, match="auth"):
        get_agent_card.build_request(auth=("a", "b"))  # type: ignore[call-arg]


@pytest.mark.parametrize("identity", ["", ".", ".."])
def test_a_value_in_a_path_leads_to_no_other_operation(identity: str) -> None:
    """Servers and clients take such segments out of a path: `DELETE /payees/..` would be `DELETE /`."""
    with pytest.raises(ValueError, match="part of the path"):
        delete_payee.build_request(id=identity)
    assert delete_payee.build_request(id="a/../b")["url"] == "/payments/payees/a%2F..%2Fb"
