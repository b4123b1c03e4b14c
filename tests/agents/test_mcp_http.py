"""The MCP server over HTTP: who may call it, and that whatever arrives is answered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import anyio
import httpx
import pytest
from starlette.testclient import TestClient

from payman_sdk import AsyncPaymanClient
from payman_sdk.errors import ConfigurationError
from payman_sdk.sandbox import Sandbox
from tests.agents.conftest import ORDER

# The library of MCP is imported by the tests: it takes half a second, and every worker imports every file.
TOKEN = "the-token-of-the-mcp-tests"


@pytest.fixture(scope="module")
def web() -> Iterator[TestClient]:
    """A server over HTTP, as the ASGI application that it is."""
    from payman_sdk.agents.mcp import http_app, mcp_server

    server = mcp_server(
        AsyncPaymanClient(client_id="an-id", client_secret="a-secret", base_url="http://127.0.0.1:9")
    )
    app = http_app(server, token=TOKEN, port=8643, hosts=["pay.example.com", "other.example.com:81"])
    with TestClient(app, base_url="http://127.0.0.1:8643") as web:
        web.headers.update(
            {"Accept": "application/json, text/event-stream", "Authorization": f"Bearer {TOKEN}"}
        )
        yield web


INITIALIZE: dict[str, Any] = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "raw", "version": "1"},
    },
}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://localhost:8643"}, 200),
        ({"Host": "pay.example.com", "Origin": "https://pay.example.com"}, 200),
        ({"Host": "other.example.com:81"}, 200),
        ({"Host": "other.example.com"}, 421),
        ({"Host": "evil.example"}, 421),
        ({"Host": "127.0.0.1"}, 421),
        ({"Host": "127.0.0.1:8643.evil.example"}, 421),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://localhost:3000"}, 403),
        ({"Origin": "http://localhost"}, 403),
        ({"Origin": "null"}, 403),
        ({"Authorization": ""}, 401),
        ({"Authorization": f"Bearer {TOKEN}x"}, 401),
        ({"Authorization": TOKEN}, 401),
        ({"Authorization": "Bearer é"}, 401),
    ],
)
def test_who_may_call(web: TestClient, headers: dict[str, str], status: int) -> None:
    """Only who knows the token, by a name that the server goes by, and from no page of elsewhere."""
    encoded = {name: value.encode("latin-1") for name, value in headers.items()}
    answer = web.post("/mcp", json=INITIALIZE, headers=encoded)  # type: ignore[arg-type]
    assert answer.status_code == status
    assert TOKEN not in answer.text


@pytest.mark.parametrize("method", ["GET", "DELETE", "OPTIONS", "PUT"])
def test_nothing_is_open_without_the_token(web: TestClient, method: str) -> None:
    """Every method and every path asks for it."""
    for path in ("/mcp", "/", "/mcp/sse"):
        answer = web.request(method, path, headers={"Authorization": ""})
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("{", -32700),
        ("[]", -32602),
        ('{"jsonrpc": "2.0", "id": 2}', -32602),
        ('{"jsonrpc": "2.0", "id": 2, "method": "tools/steal"}', -32601),
        ('{"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {}}', -32602),
        (
            '{"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "payman_pay", "arguments": [1]}}',
            -32602,
        ),
        (
            '{"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "payman_pay", "arguments": {"text": "\\ud800"}}}',
            None,
        ),
        ('{"jsonrpc": "2.0", "id": 2, "method": "resources/read", "params": {"uri": 5}}', -32602),
    ],
)
def test_what_is_malformed_is_answered(web: TestClient, body: str, code: int | None) -> None:
    """Whatever arrives has an answer of the protocol, and the session goes on."""
    begun = web.post("/mcp", json=INITIALIZE)
    session = {"Mcp-Session-Id": begun.headers["Mcp-Session-Id"], "MCP-Protocol-Version": "2025-11-25"}
    web.post("/mcp", json={"jsonrpc": "2.0", "method": "notifications/initialized"}, headers=session)
    answer = web.post("/mcp", content=body, headers={**session, "Content-Type": "application/json"})
    if code is not None:
        assert f'"code":{code}' in answer.text
    assert "Traceback" not in answer.text
    listed = web.post("/mcp", json={"jsonrpc": "2.0", "id": 3, "method": "tools/list"}, headers=session)
    assert "payman_pay" in listed.text


def test_a_question_comes_with_the_answer_to_its_call(sandbox: Sandbox) -> None:
    """A client that listens to nothing but the answers to its own requests is asked in the one to its call."""
    from payman_sdk.agents.mcp import http_app, listening, serve_http
    from tests.agents.mcp_tour import YES, served

    async def main() -> list[Any]:
        received: list[Any] = []
        sock = listening("127.0.0.1", 0)
        port = sock.getsockname()[1]
        address = f"http://127.0.0.1:{port}/mcp"
        headers = {"Accept": "application/json, text/event-stream", "Authorization": f"Bearer {TOKEN}"}
        async with (
            served(sandbox) as server,
            httpx.AsyncClient(headers=headers, timeout=60) as http,
            anyio.create_task_group() as group,
        ):
            group.start_soon(serve_http, http_app(server, token=TOKEN, port=port), sock)
            able = {**INITIALIZE["params"], "capabilities": {"elicitation": {}}}
            begun = await http.post(address, json={**INITIALIZE, "params": able})
            http.headers["Mcp-Session-Id"] = begun.headers["Mcp-Session-Id"]
            await http.post(address, json={"jsonrpc": "2.0", "method": "notifications/initialized"})
            order = {"name": "payman_pay", "arguments": {**ORDER, "operation": "invoice-1"}}
            call = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": order}
            async with http.stream("POST", address, json=call) as answer:
                async for line in answer.aiter_lines():
                    if not line.startswith("data: {"):
                        continue
                    received.append(json.loads(line.removeprefix("data: ")))
                    if "method" in received[-1]:
                        yes = YES.model_dump(exclude_none=True, by_alias=True)
                        await http.post(
                            address, json={"jsonrpc": "2.0", "id": received[-1]["id"], "result": yes}
                        )
            group.cancel_scope.cancel()
        return received

    question, result = anyio.run(main)
    assert question["method"] == "elicitation/create"
    assert result["result"]["structuredContent"]["status"] == "paid"


@pytest.mark.parametrize(
    "token", ["", "short", "with a space in it, and long", "ümläuts-are-no-header-value", 16 * "\n"]
)
def test_a_token_has_to_be_one(token: str) -> None:
    """A token that anybody could guess, or that no header can hold, is refused, and not repeated."""
    from payman_sdk.agents.mcp import http_app, mcp_server

    server = mcp_server(AsyncPaymanClient(client_id="an-id", client_secret="a-secret"))
    with pytest.raises(ConfigurationError, match="The token of the MCP server has") as refused:
        http_app(server, token=token, port=8643)
    assert not token or token not in str(refused.value)


def test_a_port_that_is_taken_is_reported() -> None:
    """Where nothing can be listened on, the message names the address and the way out."""
    from payman_sdk.agents.mcp import listening

    with (
        listening("127.0.0.1", 0) as sock,
        pytest.raises(ConfigurationError, match=r"127\.0\.0\.1, port .*another port"),
    ):
        listening("127.0.0.1", sock.getsockname()[1])
    with pytest.raises(ConfigurationError, match="cannot be listened on"):
        listening("a" * 64, 0)  # longer than a part of a name may be: no resolver is asked
