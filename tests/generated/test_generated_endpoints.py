from __future__ import annotations

import asyncio
import json
import pickle
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from payman_api import ACCESS_TOKEN_HEADER, AUTHORIZATION_SERVER, SERVERS, AuthenticatedClient, Client
from payman_api.api.agent import get_agent_card
from payman_api.api.oauth import authorize, create_token
from payman_api.api.tasks import get_task, resubscribe_task, send_task, send_task_subscribe
from payman_api.errors import UnexpectedStatus
from payman_api.models import (
    AgentCard,
    ErrorAnswer,
    GetTaskRequest,
    GrantType,
    JsonRpcError,
    Message,
    OAuthError,
    Scope,
    SendTaskRequest,
    SendTaskStreamingRequest,
    TaskQueryParams,
    TaskResponse,
    TaskSendParams,
    TaskStatusUpdateEvent,
    TextPart,
    TokenResponse,
)
from tests.tables import table

if TYPE_CHECKING:
    from tests.generated.conftest import Canned

PARAMS = TaskSendParams(
    id="tsk-1", session_id="ses-1", message=Message(role="user", parts=[TextPart(text="list all wallets")])
)
ASK = SendTaskRequest(id="req-1", params=PARAMS)
WATCH = SendTaskStreamingRequest(id="req-1", params=PARAMS)
TASK = {"id": "tsk-1", "status": {"state": "COMPLETED"}}
ANSWER = {"jsonrpc": "2.0", "id": "req-1", "result": TASK}
STREAMS: Any = [send_task_subscribe, resubscribe_task]


def test_a_request_is_built_without_sending() -> None:
    """The request of an ask has the protocol's method and version, and only what was given."""
    request = httpx.Client(base_url=SERVERS["TEST"]).build_request(**send_task.build_request(body=ASK))
    assert (request.method, str(request.url)) == ("POST", "https://agent.payman.dev/api/a2a/tasks/send")
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.content) == {
        "jsonrpc": "2.0",
        "id": "req-1",
        "method": "tasks/send",
        "params": {
            "id": "tsk-1",
            "sessionId": "ses-1",
            "message": {"role": "user", "parts": [{"type": "text", "text": "list all wallets"}]},
        },
    }


def test_a_stream_is_asked_for() -> None:
    """The request of a stream says that events are wanted and that one answer will do."""
    assert (
        send_task_subscribe.build_request(body=WATCH)["headers"]["Accept"]
        == "text/event-stream, application/json"
    )


def test_token_parameters_go_into_the_query() -> None:
    """A grant is sent in the query, and what was not given is not sent."""
    request = create_token.build_request(grant_type=GrantType.REFRESH_TOKEN, refresh_token="a+b")
    url = httpx.Client(base_url=SERVERS["LIVE"]).build_request(**request).url
    assert str(url) == "https://agent.payman.ai/api/oauth2/token?grant_type=refresh_token&refresh_token=a%2Bb"


@pytest.mark.parametrize("scope", [Scope.READ_BALANCE, "read_balance,write_send_payment"])
def test_scopes_may_be_one_or_several(scope: Scope | str) -> None:
    """The consent page is asked for one scope, or for several in one string."""
    request = authorize.build_request(
        client_id="pm-test-1", redirect_uri="http://127.0.0.1:9/callback", scope=scope
    )
    url = httpx.Client(base_url=AUTHORIZATION_SERVER).build_request(**request).url
    assert (url.host, url.path) == ("app.paymanai.com", "/oauth/authorize")
    assert dict(url.params) == {
        "response_type": "code",
        "client_id": "pm-test-1",
        "redirect_uri": "http://127.0.0.1:9/callback",
        "scope": str(scope),
    }


def test_answers_are_read_by_their_status() -> None:
    """A success, an OAuth error and an error of the agent are each read as what they are."""
    read = send_task.parse_answer(httpx.Response(200, json=ANSWER))
    assert isinstance(read, TaskResponse)
    assert read.to_dict() == ANSWER
    token = create_token.parse_answer(
        httpx.Response(200, json={"accessToken": "your_access_token", "expiresIn": 3600})
    )
    assert isinstance(token, TokenResponse)
    assert token.expires_in == 3600
    refused = create_token.parse_answer(httpx.Response(401, json={"error": "invalid_client"}))
    assert isinstance(refused, OAuthError)
    assert refused.error == "invalid_client"
    forbidden = send_task.parse_answer(httpx.Response(403, json={"error": "insufficient_scope"}))
    assert isinstance(forbidden, ErrorAnswer)
    assert forbidden.error == "insufficient_scope"


def test_a_json_rpc_error_comes_with_success() -> None:
    """A JSON-RPC error is read as such, whatever its data is."""
    error = {"code": -32001, "message": "Task not found", "data": {"id": "tsk-1"}}
    read = get_task.parse_answer(httpx.Response(200, json={"id": "req-1", "result": None, "error": error}))
    assert isinstance(read, TaskResponse)
    assert isinstance(read.error, JsonRpcError)
    assert (read.error.code, read.error.message, read.error.data) == (
        -32001,
        "Task not found",
        {"id": "tsk-1"},
    )


@table(
    "body", [b"<html>", b"", b"[]", b"null", b'"ok"', b'{"result": {"foo": 1}}', b"\xff"]
)
@table("module", [send_task, get_task, *STREAMS])
def test_a_malformed_success_raises(module: Any, body: bytes) -> None:
    """A body that is not the spec's raises, with a status of success."""
    with pytest.raises((AttributeError, KeyError, TypeError, ValueError)):
        module.parse_answer(httpx.Response(200, content=body))


@table("status", [401, 404, 502, 529])
@table("body", [b"<html>", b"", b"[]", b"\xff"])
def test_a_malformed_error_is_not_a_second_error(status: int, body: bytes) -> None:
    """The page of a proxy says nothing beyond its status."""
    assert send_task.parse_answer(httpx.Response(status, content=body)) is None


def test_an_unexpected_status_raises_on_request() -> None:
    """A status that the spec does not have gives None, or raises if asked to, without showing the body."""
    teapot = httpx.Response(418, json={"accessToken": "hidden"})
    assert send_task.parse_answer(teapot) is None
    with pytest.raises(UnexpectedStatus, match="418") as raised:
        send_task.parse_answer(teapot, raise_on_unexpected_status=True)
    assert raised.value.status_code == 418
    assert "hidden" not in str(raised.value) + repr(raised.value)
    pickled = pickle.dumps(raised.value)
    assert b"hidden" not in pickled
    assert str(pickle.loads(pickled)) == str(raised.value)  # noqa: S301 (it is our own)


def test_an_ask_over_http(server: Canned) -> None:
    """Both functions send the access token in its header and give the answer."""
    server.answer(ANSWER)
    with AuthenticatedClient(server.url, token="your_access_token") as client:
        assert send_task.sync_parsed(client=client, body=ASK) == TaskResponse.from_dict(ANSWER)

    async def ask() -> object:
        async with AuthenticatedClient(server.url, token="your_access_token") as client:
            return await send_task.asyncio_parsed(client=client, body=ASK)

    assert asyncio.run(ask()) == TaskResponse.from_dict(ANSWER)
    assert [request["path"] for request in server.seen] == ["/api/a2a/tasks/send"] * 2
    for request in server.seen:
        assert request["headers"][ACCESS_TOKEN_HEADER] == "your_access_token"
        assert request["body"] == ASK.to_dict()


def test_a_status_without_a_name_is_a_number(server: Canned) -> None:
    """529, which Python's HTTPStatus does not know, is an answer like another."""
    server.answer(b"<html>overloaded</html>", status=529, kind="text/html")
    with AuthenticatedClient(server.url, token="your_access_token") as client:
        answer = get_task.sync_detailed(
            client=client, body=GetTaskRequest(id="req-1", params=TaskQueryParams(id="tsk-1"))
        )
    assert (answer.status_code, answer.parsed) == (529, None)


def test_a_stream_is_open_before_it_ends(server: Canned) -> None:
    """Both functions give the response while the server is still writing, and the data of its events can be read."""
    event = {"jsonrpc": "2.0", "id": "req-1", "result": {**TASK, "final": True}}
    server.answer(f"data: {json.dumps(event)}\n\n".encode(), kind="text/event-stream")

    with (
        AuthenticatedClient(server.url, token="your_access_token") as client,
        send_task_subscribe.stream(client=client, body=WATCH) as response,
    ):
        chunks = response.iter_bytes()
        received = next(chunks)
        server.received.set()
        received += b"".join(chunks)
    server.received.clear()

    async def watch() -> bytes:
        async with (
            AuthenticatedClient(server.url, token="your_access_token") as client,
            send_task_subscribe.astream(client=client, body=WATCH) as response,
        ):
            chunks = response.aiter_bytes()
            received = await anext(chunks)
            server.received.set()
            return received + b"".join([chunk async for chunk in chunks])

    assert asyncio.run(watch()) == received
    read = send_task_subscribe.parse_event(json.loads(received.removeprefix(b"data: ")))
    assert isinstance(read.result, TaskStatusUpdateEvent)
    assert read.result.final
    assert read.to_dict() == event


def test_the_card_needs_no_token(server: Canned) -> None:
    """The agent card is read by a client that has no token."""
    server.answer({"name": "Payman Agent", "url": "https://agent.payman.ai", "skills": None})
    with Client(server.url) as client:
        card = get_agent_card.sync_parsed(client=client)
    assert isinstance(card, AgentCard)
    assert ACCESS_TOKEN_HEADER not in server.seen[0]["headers"]


def test_a_client_shows_no_secret() -> None:
    """Neither the token nor headers nor further arguments are in a client's repr."""
    client = AuthenticatedClient(
        "http://127.0.0.1:9",
        token="hidden",
        headers={"Authorization": "hidden"},
        httpx_args={"auth": ("pm-test-1", "hidden")},
    )
    assert "127.0.0.1" in repr(client)
    assert "hidden" not in repr(client)
