"""A program that runs with version 1 of the official SDK: serves the tools in memory, over stdio and over HTTP, and says what came of it."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import AsyncIterator
from importlib import import_module
from importlib.metadata import version
from typing import Any

import anyio
import httpx

from payman_sdk.agents import SpendingLimit
from payman_sdk.agents.mcp import http_app, listening, mcp_server, serve_http, serve_stdio

types: Any = import_module("mcp.types")
mcp: Any = import_module("mcp")
ORDER = {"payee": "Test Payee", "amount": "10.00", "currency": "TSD", "memo": None}
TOKEN = "the-token-of-the-mcp-tests"


class Person:
    """Who is asked, and says the same each time."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.shown: list[str] = []

    async def __call__(self, context: Any, params: Any) -> Any:
        self.shown.append(params.message)
        return self.answer


YES = types.ElicitResult(action="accept", content={"confirm": True})
ANSWERS: dict[str, Any] = {
    "yes": YES,
    "no": types.ElicitResult(action="decline"),
    "unticked": types.ElicitResult(action="accept", content={"confirm": False}),
    "text": types.ElicitResult(action="accept", content={"confirm": "true"}),
}


@contextlib.asynccontextmanager
async def in_memory(server: Any, **given: Any) -> AsyncIterator[Any]:
    memory: Any = import_module("mcp.shared.memory")
    async with memory.create_connected_server_and_client_session(server, **given) as session:
        yield session


async def tour(client: Any, operation: str) -> dict[str, Any]:
    """Use what there is once."""
    lines: list[str | None] = []

    async def progress(done: float, total: float | None, message: str | None) -> None:
        lines.append(message)

    listed = (await client.list_tools()).tools
    paid = await client.call_tool("payman_pay", {**ORDER, "operation": operation}, progress_callback=progress)
    [card] = (await client.read_resource("payman://agent-card")).contents
    refusals = []
    for unknown in (
        client.call_tool("payman_steal", {}),
        client.read_resource("payman://secrets"),
    ):
        try:
            await unknown
        except mcp.McpError as error:
            refusals.append([error.error.code, error.error.message])
    return {
        "tools": [[tool.name, tool.inputSchema, tool.annotations.readOnlyHint] for tool in listed],
        "paid": paid.structuredContent["status"],
        "error": (await client.call_tool("payman_pay", {"payee": 5})).isError,
        "wallets": (await client.call_tool("payman_wallets", {})).structuredContent["status"],
        "progress": len(lines) > 0,
        "card": [card.mimeType, "name" in json.loads(card.text)],
        "refusals": refusals,
    }


async def main() -> dict[str, Any]:
    from payman_sdk.sandbox import Sandbox  # what serves needs none

    said: dict[str, Any] = {"version": version("mcp")}
    with Sandbox() as sandbox:
        async with sandbox.async_client() as payman:
            server = mcp_server(payman)
            for name, answer in ANSWERS.items():
                person = Person(answer)
                async with in_memory(server, elicitation_callback=person) as client:
                    result = await client.call_tool("payman_pay", {**ORDER, "operation": f"asked-{name}"})
                said[name] = [result.structuredContent["status"], len(person.shown)]
                said["shown"] = person.shown[0]
            async with in_memory(server) as client:
                result = await client.call_tool("payman_pay", {**ORDER, "operation": "nobody"})
                said["nobody"] = [result.structuredContent["status"], result.content[0].text]
            said["payments"] = len(sandbox.payments)
            said["http"] = await over_http(payman, sandbox)
        said["stdio"] = await over_stdio(sandbox)
        said["all payments"] = len(sandbox.payments)
    return said


async def over_http(payman: Any, sandbox: Any) -> Any:
    streamable: Any = import_module("mcp.client.streamable_http")
    sock = listening("127.0.0.1", 0)
    port = sock.getsockname()[1]
    url = f"http://127.0.0.1:{port}/mcp"
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with anyio.create_task_group() as group:
        server = mcp_server(payman, confirm=None, limit=SpendingLimit(max_payments=3))
        group.start_soon(serve_http, http_app(server, token=TOKEN, port=port), sock)
        async with httpx.AsyncClient() as http:
            refused = [(await http.post(url)).status_code]
            strange = {
                **headers,
                "Content-Type": "application/json",
                "Accept": "application/json, text/event-stream",
            }
            refused += [
                (await http.post(url, headers={**strange, **extra}, content=b"{}")).status_code
                for extra in ({"Host": "evil.example"}, {"Origin": "https://evil.example"})
            ]
        async with (
            streamable.streamablehttp_client(url, headers=headers) as (read, write, _),
            mcp.ClientSession(read, write) as client,
        ):
            await client.initialize()
            seen = await tour(client, "over-http")
        group.cancel_scope.cancel()
    return {**seen, "refused": refused}


async def over_stdio(sandbox: Any) -> Any:
    server = mcp.StdioServerParameters(
        command=sys.executable,
        args=[
            "-m",
            "tests.agents.mcp1_program",
            "serve",
            sandbox.base_url,
            sandbox.client_id,
            sandbox.client_secret,
        ],
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    stdio: Any = import_module("mcp.client.stdio")
    async with stdio.stdio_client(server) as (read, write), mcp.ClientSession(read, write) as client:
        await client.initialize()
        return await tour(client, "over-stdio")


async def serve(base_url: str, client_id: str, client_secret: str) -> None:
    from payman_sdk import AsyncPaymanClient

    def disturb(_: object) -> None:
        print("what a program prints does not get among the messages", flush=True)

    payman = AsyncPaymanClient(
        client_id=client_id, client_secret=client_secret, base_url=base_url, before_send=disturb
    )
    await serve_stdio(mcp_server(payman, confirm=None))


if sys.argv[1] == "serve":
    anyio.run(serve, sys.argv[2], sys.argv[3], sys.argv[4])
else:
    print(json.dumps(anyio.run(main)))
