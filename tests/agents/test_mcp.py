"""`payman mcp` as the official MCP client sees it, over both transports and in both versions of the protocol."""

from __future__ import annotations

import json
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import anyio
import httpx2
import pytest
from attrs import fields
from mcp import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from payman_api import PATHS
from payman_sdk import AsyncPaymanClient
from payman_sdk.agents import TOOLS, OperationResult, OperationStatus, SpendingLimit
from payman_sdk.agents.mcp import http_app, listening, mcp_server, serve_http
from payman_sdk.agents.mcp.served_tools import fetch_agent_card, spread_types
from payman_sdk.sandbox import Sandbox
from tests import programs
from tests.agents.mcp_tour import (
    OTHER,
    PAYMENTS,
    REFUSALS,
    Guide,
    Noticing,
    Streams,
    Tour,
)
from tests.cli.command import PROGRAM, environment_of
from tests.peer import Peer, answer

pytestmark = pytest.mark.slow


ROOT = Path(__file__).parent.parent.parent
SERVERS = json.loads((ROOT / "examples/agents/mcp.json").read_text("utf-8"))["mcpServers"]
CONFIGURED = SERVERS["payman"]
"""The server that the example starts; here with an account of the sandbox, a store of its own and another limit."""
TOKEN = "the-token-of-the-mcp-tests"
MODES = ("legacy", "2026-07-28")
ALL = [f"{transport} {mode}" for transport in ("stdio", "http") for mode in MODES]


@pytest.fixture(scope="module")
def tours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Tour]]:
    """The tours: over stdio with one process for each version, over HTTP with one server for both."""
    streams, sandbox = Streams(), Sandbox()
    sandbox.app.add_middleware(Noticing, streams=streams)
    tours = {name: Tour() for name in ALL}
    guides = {name: Guide(sandbox, streams, tour, name.replace(" ", "-")) for name, tour in tours.items()}
    with sandbox:
        with pytest.MonkeyPatch.context() as patch:
            anyio.run(_over_stdio, guides, sandbox, tmp_path_factory.mktemp("mcp"), patch)
        anyio.run(_over_http, guides, sandbox)
        yield tours
    sandbox.close()


async def _over_stdio(
    guides: dict[str, Guide], sandbox: Sandbox, folder: Path, patch: pytest.MonkeyPatch
) -> None:
    @asynccontextmanager
    async def server(run: str) -> AsyncIterator[Any]:
        store = folder / "operations.sqlite3"
        options = ["--store", str(store), "--run-id", run, "--max-payments", str(PAYMENTS), "--debug"]
        command, *arguments = PROGRAM + CONFIGURED["args"] + options
        credentials = {
            **CONFIGURED["env"],
            "PAYMAN_BASE_URL": sandbox.base_url,
            "PAYMAN_CLIENT_ID": sandbox.client_id,
            "PAYMAN_CLIENT_SECRET": sandbox.client_secret,
            "HOME": str(folder),
        }
        given = StdioServerParameters(
            command=command, args=arguments, env=environment_of(**credentials), cwd=folder
        )
        with (folder / f"{run}.err").open("w", encoding="utf-8") as log:
            async with stdio_client(given, log) as streams:
                yield streams

    class Popen(programs.Popen):
        imported = ("payman_sdk.agents.mcp.server_mcp2",)

        def __init__(self, *given: Any, **more: Any) -> None:
            super().__init__(*given, **more)
            started.append(self)

    started: list[Popen] = []
    patch.setattr("asyncio.unix_events.subprocess", SimpleNamespace(**{**vars(subprocess), "Popen": Popen}))
    first, other = (f"stdio {mode}" for mode in MODES)
    async with guides[first].client(server("first"), MODES[0]) as client:
        await guides[first].lead(client)
    # Another process of the same run id is over its limit already; this one is a run of its own.
    async with (
        guides[first].client(server("second"), MODES[0]) as client,
        anyio.create_task_group() as group,
    ):
        await guides[first].begin(client, "crash", group)
        started[-1].kill()
    async with guides[other].client(server("third"), MODES[1]) as client:
        guide = guides[other]
        await guide.call(client, "after the crash", "payman_pay", **OTHER, operation="crash")
        guide.tour.results["checked after the crash"] = await client.call_tool(
            "payman_check", {"operation": "crash"}
        )
        await guide.lead(client)


async def _over_http(guides: dict[str, Guide], sandbox: Sandbox) -> None:
    for mode in MODES:
        guide = guides[f"http {mode}"]
        async with sandbox.async_client() as payman, anyio.create_task_group() as group:
            sock = listening("127.0.0.1", 0)
            port = sock.getsockname()[1]
            server = mcp_server(payman, limit=SpendingLimit(max_payments=PAYMENTS))
            group.start_soon(serve_http, http_app(server, token=TOKEN, port=port), sock)
            async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60) as http:
                transport = streamable_http_client(f"http://127.0.0.1:{port}/mcp", http_client=http)
                async with guide.client(transport, mode) as client:
                    await guide.lead(client)
            group.cancel_scope.cancel()


@pytest.fixture(params=ALL)
def tour(request: pytest.FixtureRequest, tours: dict[str, Tour]) -> Tour:
    found: Tour = tours[request.param]
    return found


def test_tools_are_those_of_the_toolkit(tour: Tour) -> None:
    """Names, descriptions and schemas are the toolkit's own; hints tell a client which tools move money, and which repeat safely."""
    assert [(tool.name, tool.description, tool.input_schema) for tool in tour.tools] == [
        (spec.name, spec.description, spread_types(spec.parameters)) for spec in TOOLS
    ]
    hints = {tool.name: tool.annotations for tool in tour.tools}
    assert {
        name: (hint.read_only_hint, hint.destructive_hint, hint.idempotent_hint)
        for name, hint in hints.items()
        if hint
    } == {
        "payman_wallets": (True, False, True),
        "payman_payees": (True, False, True),
        "payman_transactions": (True, False, True),
        "payman_create_payee": (False, True, True),
        "payman_pay": (False, True, True),
        "payman_check": (True, False, True),
        "payman_reply": (False, True, True),
    }


def test_results_are_text_and_structure(tour: Tour) -> None:
    """A result is the toolkit's text and nothing else, its dict as the schema promises it, and an error where it is one."""
    statuses = get_args(OperationStatus)
    for key, result in tour.results.items():
        content = result.structured_content
        assert set(content) == {one.name for one in fields(OperationResult)}
        assert content["text"] == tour.text(key)
        assert result.is_error is OperationResult(**content).is_error
    assert [
        tool.output_schema["properties"]["status"]["enum"] for tool in tour.tools if tool.output_schema
    ] == [list(statuses)] * len(TOOLS)
    assert (tour.status("asked"), tour.results["asked"].structured_content["operation"]) == (
        "completed",
        None,
    )


def test_progress_is_reported_where_it_is_asked_for(tour: Tour) -> None:
    """A client that asked for progress hears of it while Payman is at work, in numbers that grow and in words."""
    assert (tour.status("paid"), tour.status("watched")) == ("paid", "paid")
    numbers = [number for number, _ in tour.progress]
    assert len(numbers) > 1
    assert numbers == sorted(set(numbers))
    assert "Processing" in [message for _, message in tour.progress]


def test_an_accepted_question_pays_what_it_showed(tour: Tour) -> None:
    """The person sees the exact words and the operation, once, and what is paid after their yes is that."""
    assert (tour.status("paid"), tour.paid["paid"]) == ("paid", 1)
    [shown] = tour.shown["paid"]
    assert shown.splitlines()[::2] == [
        "Action: `pay`",
        "Payee: `Test Payee`",
        "Amount: `10.00 TSD`",
        f"Operation: `{tour.results['paid'].structured_content['operation']}`",
        "This may move money. Send it to Payman?",
    ]


@pytest.mark.parametrize("answer", REFUSALS)
def test_everything_but_a_yes_sends_nothing(tour: Tour, answer: str) -> None:
    """Declining, closing the question, and accepting without a tick send nothing, and the model is told."""
    assert (tour.status(answer), tour.paid[answer], len(tour.shown[answer])) == ("refused", 0, 1)
    assert "nothing was paid: it was not agreed to" in tour.text(answer)


def test_an_operation_is_paid_once(tour: Tour) -> None:
    """Called again, in the same words or others, a payment is not made again: nobody is asked, and the first result is told."""
    assert (tour.paid["again"], tour.paid["other order"]) == (0, 0)
    assert tour.text("again") == tour.text("checked") == tour.text("paid")
    assert tour.text("other order").startswith(tour.text("paid"))
    assert tour.shown["again"] == tour.shown["other order"] == tour.shown["checked"] == []


def test_a_reply_shows_what_it_answers(tour: Tour) -> None:
    """Before an approval is given the person sees it, Payman's question and what was asked for."""
    assert (tour.status("waits"), tour.status("replied")) == ("awaiting-approval", "paid")
    [shown] = tour.shown["replied"]
    lines = shown.splitlines()[::2]
    assert lines[:3] == ["Action: `approve`", "Payee: `Test Payee`", "Amount: `200.00 TSD`"]
    assert lines[3].startswith("Payman's words: `Approval needed: **200.00 TSD** to **Test Payee** ('")


@pytest.mark.parametrize("wrong", ["number", "empty", "unknown name"])
def test_unusable_arguments_are_answered(tour: Tour, wrong: str) -> None:
    """Arguments that cannot be used have a result that tells the model what to do; nobody is asked."""
    assert (tour.status(wrong), tour.results[wrong].is_error, tour.shown[wrong]) == ("invalid", True, [])
    assert tour.text(wrong).startswith("Nothing was done: ")


def test_what_does_not_exist_is_an_error(tour: Tour) -> None:
    """A tool or a resource that is not there is an error of the protocol that names it."""
    assert {error.code for error in tour.errors.values()} == {-32602}
    assert "payman_steal" in tour.errors["no tool"].message
    assert "payman://agent-card" in tour.errors["no resource"].message


def test_a_cancelled_call_stays_known(tour: Tour) -> None:
    """A client that cancels ends the waiting, not the operation: payman_check tells how it ended."""
    assert (tour.paid["cancelled"], tour.paid["settled"], tour.status("settled")) == (1, 0, "paid")


def test_a_run_beyond_its_limit_is_refused_before_anything_is_sent(tour: Tour) -> None:
    """The payment beyond the limit is refused, nothing at all is sent, and nobody is asked for nothing."""
    assert tour.status("last") == "paid"
    assert (tour.status("too much"), tour.shown["too much"]) == ("refused", [])
    assert tour.paid["requests beyond the limit"] == 0


def test_nothing_but_the_protocol_is_written(tour: Tour) -> None:
    """With the log turned on, what arrives at the client is JSON-RPC and nothing else."""
    assert tour.noise == []


def test_the_agent_card_is_a_resource(tour: Tour) -> None:
    """The card is listed, and read as the server of Payman gives it."""
    assert [(resource.uri, resource.mime_type) for resource in tour.resources] == [
        ("payman://agent-card", "application/json")
    ]
    assert tour.card is not None
    assert (tour.card.mime_type, json.loads(tour.card.text)["name"]) == ("application/json", "Payman sandbox")


def test_the_agent_card_is_json() -> None:
    """A number that JSON cannot hold is null in it, because clients read strictly."""

    async def fetch(peer: Peer) -> tuple[str, str]:
        async with AsyncPaymanClient(client_id="a", client_secret="b", base_url=peer.base_url) as client:
            return await fetch_agent_card(client)

    with Peer() as peer:
        peer.always(PATHS["get_agent_card"], answer(200, '{"name": "agent", "number": [1e999, 2, NaN]}'))
        kind, card = anyio.run(fetch, peer)
    assert (kind, json.loads(card)) == ("application/json", {"name": "agent", "number": [None, 2, None]})


def test_a_first_server_pays_once(tours: dict[str, Tour]) -> None:
    """Killed after it sent, before it knew; another process, given another order, sends nothing and tells the first result."""
    tour = tours[f"stdio {MODES[1]}"]
    assert (tour.paid["after the crash"], tour.status("after the crash")) == (0, "paid")
    assert tour.text("after the crash").startswith(tour.text("checked after the crash"))
    assert 'of another order: 10.00 TSD to "Test Payee"' in tour.text("after the crash")
    assert tour.shown["after the crash"] == []


def test_the_guide_shows_the_configuration_of_the_example() -> None:
    """The block for desktop clients is the file that the suite starts a server from, word for word."""
    assert {server["command"] for server in SERVERS.values()} == {"payman"}
    assert f"```json\n{(ROOT / 'examples/agents/mcp.json').read_text('utf-8')}```" in (
        ROOT / "docs/guides/mcp.md"
    ).read_text("utf-8")
