"""What an official MCP client sees of `payman mcp`: one tour of everything, for any transport and version of the protocol."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import AsyncGenerator
from typing import Any

import anyio
import anyio.to_thread
from attrs import Factory, define
from mcp import Client, MCPError
from mcp.client.session import ClientRequestContext
from mcp.server import Server
from mcp_types import (
    CallToolResult,
    ElicitRequestFormParams,
    ElicitRequestParams,
    ElicitResult,
    Resource,
    TextContent,
    TextResourceContents,
    Tool,
)
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from payman_sdk.agents.mcp import mcp_server
from payman_sdk.sandbox import Sandbox, StreamFault
from tests.agents.conftest import BIG_ORDER, ORDER, connected_async

OTHER = {**ORDER, "amount": "11"}
PAYMENTS = 5
"""How many payments a run may make: as many as a tour makes."""

YES = ElicitResult(action="accept", content={"confirm": True})
REFUSALS = {
    "decline": ElicitResult(action="decline"),
    "cancel": ElicitResult(action="cancel"),
    "no": ElicitResult(action="accept", content={"confirm": False}),
    "words": ElicitResult(action="accept", content={"confirm": "yes"}),
    "nothing": ElicitResult(action="accept"),
}


class Streams:
    """Tells a test of the sandbox's streams: when one begins, and when one is over, also because its reader has left."""

    def __init__(self) -> None:
        self.begun, self.over = threading.Semaphore(0), threading.Semaphore(0)

    def forget(self) -> None:
        """Forgets what was told and not waited for."""
        for reported in (self.begun, self.over):
            while reported.acquire(blocking=False):
                pass


class Noticing:
    """The middleware that tells of streams."""

    def __init__(self, app: ASGIApp, streams: Streams) -> None:
        self._app, self._streams = app, streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def noticed(message: Message) -> None:
            await send(message)
            if message["type"] == "http.response.start":
                self._streams.begun.release()

        if scope["type"] != "http" or not scope["path"].endswith("/sendSubscribe"):
            return await self._app(scope, receive, send)
        try:
            return await self._app(scope, receive, noticed)
        finally:
            self._streams.over.release()


@define
class Person:
    """The person at a client: says what it is told to, and remembers what was shown."""

    answers: list[ElicitResult] = Factory(list)
    shown: list[str] = Factory(list)

    async def __call__(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        """Answers a question."""
        assert isinstance(params, ElicitRequestFormParams)
        self.shown.append(params.message)
        return self.answers.pop(0)


@define
class Tour:
    """What was seen."""

    tools: list[Tool] = Factory(list)
    resources: list[Resource] = Factory(list)
    card: TextResourceContents | None = None
    results: dict[str, CallToolResult] = Factory(dict)
    shown: dict[str, list[str]] = Factory(dict)
    paid: dict[str, int] = Factory(dict)
    progress: list[tuple[float, str | None]] = Factory(list)
    errors: dict[str, MCPError] = Factory(dict)
    noise: list[object] = Factory(list)

    def status(self, name: str) -> Any:
        """The status of a result."""
        return self.results[name].structured_content["status"]

    def text(self, name: str) -> str:
        """The text of a result."""
        return text_of(self.results[name])


def text_of(result: CallToolResult) -> str:
    """What a model reads of a result."""
    [content] = result.content
    assert isinstance(content, TextContent)
    return content.text


@define
class Guide:
    """Leads a client through everything.

    Args:
        sandbox: Where it pays.
        streams: What is told of its streams.
        tour: What is seen.
        name: What the names of its operations begin with.
        person: Who answers at its clients.
    """

    sandbox: Sandbox
    streams: Streams
    tour: Tour
    name: str
    person: Person = Factory(Person)

    @contextlib.asynccontextmanager
    async def client(self, server: Any, mode: str) -> AsyncGenerator[Client]:
        """A client whose person answers; what is no JSON-RPC is noise."""

        async def received(message: object) -> None:
            if isinstance(message, Exception):
                self.tour.noise.append(message)

        async with Client(
            server,
            mode=mode,
            elicitation_callback=self.person,
            message_handler=received,
            read_timeout_seconds=60,
        ) as client:
            yield client

    async def call(
        self, client: Client, key: str, tool: str, *answers: ElicitResult, **arguments: Any
    ) -> None:
        """Calls a tool, and notes what came of it."""
        before = len(self.sandbox.payments)
        self.person.answers, self.person.shown = list(answers), []
        self.tour.results[key] = await client.call_tool(tool, arguments)
        self.tour.shown[key] = self.person.shown
        self.tour.paid[key] = len(self.sandbox.payments) - before

    def op(self, name: str) -> str:
        """The name of an operation of this tour."""
        return f"{self.name}-{name}"

    async def lead(self, client: Client) -> None:
        """The tour."""
        tour, op = self.tour, self.op
        tour.tools = (await client.list_tools()).tools
        tour.resources = (await client.list_resources()).resources
        [card] = (await client.read_resource(tour.resources[0].uri)).contents
        assert isinstance(card, TextResourceContents)
        tour.card = card

        async def progressed(progress: float, total: float | None, message: str | None) -> None:
            tour.progress.append((progress, message))

        await self.call(client, "asked", "payman_wallets")
        await self.call(client, "paid", "payman_pay", YES, **ORDER, operation=op("1"))
        self.person.answers, self.person.shown = [YES], []
        tour.results["watched"] = await client.call_tool(
            "payman_pay", {**ORDER, "operation": op("watched")}, progress_callback=progressed
        )
        await self.call(client, "again", "payman_pay", **ORDER, operation=op("1"))
        await self.call(client, "other order", "payman_pay", **OTHER, operation=op("1"))
        await self.call(client, "checked", "payman_check", operation=op("1"))
        for key, answer in REFUSALS.items():
            await self.call(client, key, "payman_pay", answer, **ORDER, operation=op("no"))
        await self.call(client, "waits", "payman_pay", YES, **BIG_ORDER, operation=op("big"))
        await self.call(client, "replied", "payman_reply", YES, decision="approve", operation=op("big"))
        await self.call(client, "number", "payman_pay", **ORDER, operation=5)
        await self.call(client, "empty", "payman_pay")
        await self.call(client, "unknown name", "payman_pay", **ORDER, operation="a", text="x")
        for key, name in (("no tool", "payman_steal"), ("no resource", None)):
            try:
                await (client.call_tool(name, {}) if name else client.read_resource("payman://nothing"))
            except MCPError as error:
                tour.errors[key] = error
        await self.cancelled(client)
        await self.call(client, "last", "payman_pay", YES, **ORDER, operation=op("last"))
        sent = len(self.sandbox.requests)
        await self.call(client, "too much", "payman_pay", **ORDER, operation=op("more"))
        tour.paid["requests beyond the limit"] = len(self.sandbox.requests) - sent

    async def cancelled(self, client: Client) -> None:
        """A payment whose client does not wait for it."""
        before = len(self.sandbox.payments)
        async with anyio.create_task_group() as group:
            await self.begin(client, self.op("slow"), group)
            group.cancel_scope.cancel()
        assert await anyio.to_thread.run_sync(self.streams.over.acquire, True, 30), "the server waits on"
        self.tour.paid["cancelled"] = len(self.sandbox.payments) - before
        await self.call(client, "settled", "payman_check", operation=self.op("slow"))

    async def begin(self, client: Client, operation: str, group: anyio.abc.TaskGroup) -> None:
        """Begins a payment that Payman carries out, and does not tell about; returns when it was sent."""
        self.person.answers, self.person.shown = [YES], []
        self.sandbox.inject_stream_faults(StreamFault(keep_alives=True))
        self.streams.forget()

        async def pay() -> None:
            with contextlib.suppress(MCPError):
                await client.call_tool(
                    "payman_pay",
                    {**ORDER, "operation": operation},
                    progress_callback=_nothing,
                )

        group.start_soon(pay)
        assert await anyio.to_thread.run_sync(self.streams.begun.acquire, True, 30)


async def _nothing(progress: float, total: float | None, message: str | None) -> None:
    pass


@contextlib.asynccontextmanager
async def served(sandbox: Sandbox, **options: Any) -> AsyncGenerator[Server[Any]]:
    """A server whose client pays in the sandbox."""
    async with connected_async(sandbox) as payman:
        yield mcp_server(payman, **options)
