"""Texts that order something reach every tool of every adapter as arguments: only what the typed arguments say is paid."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client

from payman_sdk import PaymanClient
from payman_sdk.agents import AsyncPaymanToolkit, PaymanToolkit, SpendingLimit
from payman_sdk.agents.mcp import mcp_server
from payman_sdk.agents.stores.sqlite import SQLiteOperationStore
from payman_sdk.sandbox import Sandbox
from tests.agents.conftest import ORDER, connected, connected_async, sends
from tests.agents.frameworks import FRAMEWORKS, Call
from tests.agents.hostile_texts import TEXTS, generate_texts
from tests.agents.mortal import call_tools
from tests.processes import Forked

pytestmark = pytest.mark.slow


ONE = {**ORDER, "amount": "1"}
GENERATED = generate_texts(500)


def build_calls(text: str, number: int) -> list[Call]:
    """Return a call of every tool, with a text in every place that takes one."""
    name = f"operation-{number}"
    payee = dict.fromkeys(
        ("email", "account_holder_name", "account_holder_type", "account_number", "routing_number", "account_type", "address", "chain",
         "currency", "paytag")
    )  # fmt: skip
    return [
        ("payman_pay", {**ONE, "payee": text, "operation": f"{name}-payee"}),
        ("payman_pay", {**ONE, "amount": text, "operation": f"{name}-amount"}),
        ("payman_pay", {**ONE, "currency": text, "operation": f"{name}-currency"}),
        ("payman_pay", {**ONE, "memo": text, "operation": "the one payment"}),
        ("payman_pay", {**ONE, "operation": text}),
        ("payman_payees", {"query": text}),
        ("payman_transactions", {"limit": text}),
        ("payman_create_payee", {**payee, "name": text, "type": "TEST_RAILS", "operation": f"{name}-create"}),
        ("payman_create_payee", {**payee, "name": "Ada", "type": text, "operation": f"{name}-type"}),
        ("payman_check", {"operation": text}),
        ("payman_reply", {"operation": "the one payment", "decision": text}),
        ("payman_reply", {"operation": text, "decision": "approve"}),
        ("payman_ask", {"text": text}),
    ]


def check(sandbox: Sandbox, texts: list[str], most: int) -> None:
    """What was paid is one TSD to Test Payee each time, at most so often; the orders that were sent are what the arguments said."""
    amounts = {(payment.payee, str(payment.amount), payment.currency) for payment in sandbox.payments}
    assert amounts <= {("Test Payee", "1.00", "TSD")}
    assert len(sandbox.payments) <= most
    assert sandbox.balance("TSD") == 1000 - len(sandbox.payments)
    for order in sends(sandbox):
        assert isinstance(order, tuple), order  # never free words, and no decision
        named, amount, *_ = order
        assert named in {"Test Payee", *texts}, order
        assert amount in {"1.00", "TEST_RAILS"}, order


def test_every_tool_of_the_toolkit(client: PaymanClient, sandbox: Sandbox) -> None:
    """All texts, those of the cases and 500 generated ones, through every tool."""
    texts = [*TEXTS, *GENERATED]
    limit = SpendingLimit(max_payments=3, max_amount={"TSD": 2}, allowed_payees=["Test Payee"])
    tools = {tool.name: tool for tool in PaymanToolkit(client, limit=limit).tools}
    assert "payman_ask" not in tools
    for number, text in enumerate(texts):
        for name, arguments in build_calls(text, number):
            if name in tools and (name in {"payman_pay", "payman_create_payee"} or number % 20 == 0):
                assert tools[name].call(arguments).text, (name, text)
    check(sandbox, texts, most=2)
    assert len(sandbox.payments) == 2


ADAPTERS = [*FRAMEWORKS, "mcp"]


def build_adapter_calls(adapter: str) -> list[Call]:
    """Return the calls that an adapter gets: with each text those of some tools, and one in turn with some generated texts.

    All adapters together get each text of the cases in each place. All generated texts go through the toolkit, to which the
    adapters hand their calls.
    """
    turn = ADAPTERS.index(adapter)
    calls = [
        call
        for number, text in enumerate(TEXTS)
        for place, call in enumerate(build_calls(text, number))
        if (number + place) % len(ADAPTERS) == turn
    ]
    # What models give comes as JSON, which holds no half of a surrogate pair.
    generated = [text for text in GENERATED if "\ud800" not in text][::9]
    for number, text in enumerate(generated, len(TEXTS)):
        several = build_calls(text, number)
        calls.append(several[number % len(several)])
    return [call for call in calls if call[0] != "payman_ask"]


def test_all_adapters_together_get_every_text_in_every_place() -> None:
    """Nothing is left out, and every adapter gets every tool."""
    given = {adapter: [repr(call) for call in build_adapter_calls(adapter)] for adapter in ADAPTERS}
    everything = {
        repr(call)
        for number, text in enumerate(TEXTS)
        for call in build_calls(text, number)
        if call[0] != "payman_ask"
    }
    assert everything <= set(itertools.chain(*given.values()))
    tools = {name for name, _ in build_calls("", 0)} - {"payman_ask"}
    assert {adapter: {name for name, _ in build_adapter_calls(adapter)} for adapter in ADAPTERS} == (
        dict.fromkeys(ADAPTERS, tools)
    )


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_every_tool_of_every_framework(framework: str, sandbox: Sandbox) -> None:
    """Models of each framework give the texts; a payee that is named by one of them does not exist, so nobody but Test Payee is paid."""
    calls = build_adapter_calls(framework)

    async def main() -> None:
        async with connected_async(sandbox) as client:
            toolkit = AsyncPaymanToolkit(client, limit=SpendingLimit(max_payments=3))
            for start in range(0, len(calls), 8):  # each request of a run carries all that came before
                await FRAMEWORKS[framework](toolkit, [[call] for call in calls[start : start + 8]], None)

    asyncio.run(main())
    check(sandbox, [*TEXTS, *GENERATED], most=3)
    assert len(sandbox.payments) == 3


def test_every_tool_of_mcp(sandbox: Sandbox) -> None:
    """The same for a server of MCP that asks nobody."""

    async def main() -> None:
        async with connected_async(sandbox) as payman:
            limit = SpendingLimit(max_payments=3)
            async with Client(mcp_server(payman, confirm=None, limit=limit)) as model:
                assert "payman_ask" not in {tool.name for tool in (await model.list_tools()).tools}
                for name, arguments in build_adapter_calls("mcp"):
                    with contextlib.suppress(
                        Exception
                    ):  # arguments that are refused before the tool is called
                        await model.call_tool(name, arguments)

    anyio.run(main)
    check(sandbox, [*TEXTS, *GENERATED], most=3)
    assert len(sandbox.payments) == 3


def test_a_limit_outlives_its_toolkit(sandbox: Sandbox, tmp_path: Path) -> None:
    """With a store and a run, a new toolkit, store and client for every call, one after the other or at once, count on."""
    limits: dict[str, dict[str, Any]] = {
        "payments": {"max_payments": 1},
        "money": {"max_amount": {"TSD": "1.50"}},
    }
    for run, limit in limits.items():
        before = len(sandbox.payments)

        def pay(number: int, run: str = run, limit: Any = limit) -> str:
            with connected(sandbox) as client:
                toolkit = PaymanToolkit(
                    client,
                    run_id=run,
                    store=SQLiteOperationStore(tmp_path / "store"),
                    limit=SpendingLimit(**limit),
                )
                return toolkit.pay("Test Payee", "1", "TSD", operation=f"{run}-{number}").status

        with ThreadPoolExecutor(8) as pool:
            statuses = [*pool.map(pay, range(8)), *map(pay, range(8, 16))]
        assert sorted(statuses) == ["paid", *["refused"] * 15], run
        assert len(sandbox.payments) == before + 1, run


def test_a_limit_outlives_processes(tmp_path: Path) -> None:
    """Three processes at once, and three that start when these have ended, send no more than the limit with any text."""
    texts = [*TEXTS, *GENERATED[:13]]
    with Sandbox() as sandbox:
        client = {
            "client_id": sandbox.client_id,
            "client_secret": sandbox.client_secret,
            "base_url": sandbox.base_url,
        }
        order = {"client": client, "store": str(tmp_path / "store"), "limit": 3}
        for turn in range(2):
            with ExitStack() as stack:
                processes = [stack.enter_context(closing(Forked(call_tools))) for _ in range(3)]
                for number, process in enumerate(processes):
                    calls = [
                        (name, {**arguments, "memo": text} if "memo" in arguments else arguments)
                        for at, text in enumerate(texts[number::3])
                        for name, arguments in build_calls(text, at * 3 + number + turn * len(texts))
                        if name == "payman_pay"
                    ]
                    process.order({**order, "calls": calls})
                for process in processes:
                    process.report(timeout=100)
            check(sandbox, texts, most=3)
        assert len(sandbox.payments) == 3


def test_a_limit_in_memory_says_what_it_bounds(
    client: PaymanClient, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """Without a store and a run that outlive the process, a warning says so; with both there is none."""
    limit = SpendingLimit(max_payments=1)
    PaymanToolkit(client, limit=limit)
    PaymanToolkit(client, limit=limit, run_id="monday")
    PaymanToolkit(client, limit=limit, store=SQLiteOperationStore(tmp_path / "store"))
    assert caplog.text.count("bounds this process only") == 3
    caplog.clear()
    PaymanToolkit(client, limit=limit, run_id="monday", store=SQLiteOperationStore(tmp_path / "store"))
    PaymanToolkit(client)
    assert caplog.text == ""
