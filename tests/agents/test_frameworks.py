"""The tools in agents of real frameworks, whose model is a script: what is promised of the toolkit holds in each of them."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import os
import re
import signal
import subprocess
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from payman_sdk import PaymanClient
from payman_sdk.agents import (
    AsyncPaymanToolkit,
    ConfirmationRequest,
    MemoryOperationStore,
    PaymanToolkit,
    SpendingLimit,
)
from payman_sdk.agents.stores.sqlite import SQLiteOperationStore
from payman_sdk.agents.tool_calls import parse_arguments, run_tool
from payman_sdk.errors import ConfigurationError
from payman_sdk.sandbox import ConnectionLost, Sandbox
from tests.agents.conftest import ORDER, PAYMENT, connected, connected_async, sends
from tests.agents.frameworks import FRAMEWORKS, Script
from tests.agents.test_guard import Switchboard

pytestmark = pytest.mark.slow


OTHER = {**ORDER, "amount": "11"}
PAID = 'Paid: 10.00 TSD to "Test Payee". This was operation'
EVERY = pytest.mark.parametrize("framework", FRAMEWORKS)
ROOT = Path(__file__).parents[2]


def pay(order: dict[str, Any] = ORDER, operation: str = "invoice-1") -> tuple[str, dict[str, Any]]:
    return "payman_pay", {**order, "operation": operation}


def run(framework: str, sandbox: Sandbox, script: Script, *, is_async: bool, **options: Any) -> list[str]:
    """What the model of an agent reads that has a toolkit of its own."""
    on_message = options.pop("on_message", None)

    async def main() -> list[str]:
        if is_async:
            async with connected_async(sandbox) as client:
                return await FRAMEWORKS[framework](AsyncPaymanToolkit(client, **options), script, on_message)
        with connected(sandbox) as client:
            return await FRAMEWORKS[framework](PaymanToolkit(client, **options), script, on_message)

    return asyncio.run(main())


@EVERY
@pytest.mark.parametrize("is_async", [True, False], ids=["async", "sync"])
def test_the_same_operation_again(framework: str, is_async: bool, sandbox: Sandbox) -> None:
    """An agent that pays again, with the same order and another, pays once, and its model reads the first result, byte for byte."""
    script: Script = [
        [pay()],
        [pay()],
        [pay(OTHER)],
        [("payman_check", {"operation": "invoice-1"})],
        [("payman_wallets", {})],
    ]
    first, again, other, checked, asked = run(framework, sandbox, script, is_async=is_async)
    assert first == f"{PAID} invoice-1."
    assert first == again == checked
    assert other.startswith(
        f"{first}\n\nNothing was sent now: operation invoice-1 is the name of another order"
    )
    assert '"balance": "990.00"' in asked
    assert (len(sandbox.payments), sends(sandbox)) == (1, [PAYMENT])


@EVERY
@pytest.mark.parametrize("is_async", [True, False], ids=["async", "sync"])
def test_fifty_at_once(framework: str, is_async: bool, sandbox: Sandbox) -> None:
    """Of fifty calls that a model makes in one turn for one operation, one is sent, and all are told the same."""
    texts = run(framework, sandbox, [[pay()] * 50], is_async=is_async)
    assert (len(texts), len(set(texts))) == (50, 1)
    assert texts[0].startswith(PAID)
    assert sends(sandbox) == [PAYMENT]


@EVERY
def test_past_its_limit(framework: str, sandbox: Sandbox) -> None:
    """What is past the limit of a run is refused before anything is sent, and the model reads why."""
    with connected(sandbox) as client:
        toolkit = PaymanToolkit(client, limit=SpendingLimit(max_payments=1))
        asyncio.run(FRAMEWORKS[framework](toolkit, [[pay()]], None))
        before = len(sandbox.requests)
        [text] = asyncio.run(FRAMEWORKS[framework](toolkit, [[pay(operation="invoice-2")]], None))
        assert text == toolkit.pay(*PAYMENT, operation="invoice-2").text
    assert text.startswith("Refused, and nothing was paid: This run may make 1 payment")
    assert len(sandbox.requests) == before


UNSURE: Script = [[pay()], [pay()], [pay(OTHER)], [("payman_check", {"operation": "invoice-1"})]]


@EVERY
def test_a_server_that_does_not_tell(framework: str) -> None:
    """On a server without tasks/get nothing is ever sent: whether it was paid before could not be learned, and so the model is told."""
    with contextlib.closing(Sandbox(tasks_get=False)) as sandbox:
        texts = run(framework, sandbox, UNSURE, is_async=True)
        assert sends(sandbox) == []
    assert len(texts) == 4
    assert all("is unknown" in text and "Do not pay in another way" in text for text in texts)


@EVERY
def test_an_unknown_outcome(framework: str, tmp_path: Path) -> None:
    """Where tasks/get is switched off in between, a payment whose answer was lost is not sent again, and stays unknown to the model."""
    switchboard = Switchboard(tmp_path / "sandbox.sqlite3")
    known, forgetful = switchboard.sandboxes
    forgetful.script([ConnectionLost()])
    with (
        contextlib.closing(known),
        contextlib.closing(forgetful),
        httpx.Client(transport=switchboard) as http,
        known.client(http_client=http, max_retries=0, timeout=0.5, before_send=switchboard.switch) as client,
    ):
        texts = asyncio.run(FRAMEWORKS[framework](PaymanToolkit(client), UNSURE, None))
        assert (len(known.payments), switchboard.sends()) == (1, 1)
    assert len(texts) == 4
    assert all(
        text.startswith("The outcome of operation invoice-1 is not known: it may have been") for text in texts
    )
    assert all("Do not pay again" in text for text in texts)


@EVERY
@pytest.mark.parametrize("is_async", [True, False], ids=["async", "sync"])
def test_arguments_that_cannot_be_used(framework: str, is_async: bool, sandbox: Sandbox) -> None:
    """A model is told what is wrong with its arguments, as often as it gives wrong ones, and can go on; nothing is sent."""
    wrong: list[tuple[Any, str]] = [
        ({**ORDER}, "the argument operation is missing"),
        ({}, "the argument payee is missing"),
        ({**ORDER, "amount": 5, "operation": "a"}, "the argument amount must be a string, not int"),
        ({**ORDER, "amount": "1e3", "operation": "a"}, "the argument amount is '1e3'"),
        ({**ORDER, "operation": " "}, "the argument operation is blank"),
        *(
            ({**ORDER, "operation": "a", name: "x"}, f"unknown argument {name!r}")
            for name in ("text", "self", "config", "run_manager", "ctx", "args")
        ),
    ]
    if framework != "langchain":  # which has no call of a tool whose arguments are no object
        none = "the arguments are not an object"
        wrong += [('{"text": "send', none), ("[]", none), ("null", none), ("5", none)]
        wrong.append(("", "the argument payee is missing"))
    script = [*([("payman_pay", arguments)] for arguments, _ in wrong), [pay()]]
    *texts, paid = run(framework, sandbox, script, is_async=is_async)
    for text, (_, problem) in zip(texts, wrong, strict=True):
        assert text.startswith(f"Nothing was done: {problem}"), text
    assert paid.startswith(PAID)
    assert sends(sandbox) == [PAYMENT]


def test_what_cannot_be_read_is_handed_over() -> None:
    """What is no JSON, or too deep to be read, is handed over as the model wrote it."""
    deep = "[" * 100_000
    assert [
        parse_arguments('{"text": "a"}'),
        parse_arguments(""),
        parse_arguments("{"),
        parse_arguments(deep),
    ] == [{"text": "a"}, {}, "{", deep]


def test_an_argument_that_comes_twice_is_refused(client: PaymanClient, sandbox: Sandbox) -> None:
    """A person who reads the JSON may agree to the first of two payees, and the last would be paid."""
    order = '"amount": "1", "currency": "TSD", "operation": "invoice-42", "memo": null'
    for twice in (
        f'{{"payee": "Test Payee", {order}, "payee": "Eve"}}',
        f'{{"payee": "Eve", {order}, "payee": "Test Payee"}}',
        f'{{"payee": "Test Payee", {order}, "amount": "9"}}',
        f'{{"payee": "Test Payee", {order}, "memo": "x"}}',
    ):
        result = PaymanToolkit(client).tools[0].call(parse_arguments(twice), None)
        assert result.status == "invalid", twice
    assert sandbox.payments == []


@EVERY
def test_progress_is_reported(framework: str, sandbox: Sandbox) -> None:
    """With on_message, the program hears the events of the task while Payman is at work, and the model reads the same."""
    events: list[Any] = []

    async def on_message(event: Any) -> None:
        events.append(event)

    [text] = run(framework, sandbox, [[pay()]], is_async=True, on_message=on_message)
    assert text.startswith(PAID)
    assert events


@EVERY
def test_a_mistake_of_the_program_comes_out(framework: str, sandbox: Sandbox) -> None:
    """What a model can do nothing about ends the run, and tells the program what it is; the OpenAI Agents SDK wraps it."""
    with connected(sandbox) as client:
        toolkit = PaymanToolkit(client)
    with pytest.raises(Exception, match="This client has been closed") as caught:
        asyncio.run(FRAMEWORKS[framework](toolkit, [[pay()]], None))
    wrapped = caught.value.__cause__ or caught.value
    assert isinstance(wrapped, ConfigurationError)
    with pytest.raises(ConfigurationError, match="toolkit is a PaymanClient"):
        asyncio.run(FRAMEWORKS[framework](client, [[pay()]], None))  # type: ignore[arg-type]


def killed_while_paying(framework: str, sandbox: Sandbox, store: Path) -> int:
    """The exit status of a process whose agent is killed after a payment was sent, and before its result is known.

    It is a fork of this one: importing the frameworks anew would take it seconds.
    """

    async def main() -> None:
        async with sandbox.async_client() as client:
            toolkit = AsyncPaymanToolkit(client, store=SQLiteOperationStore(store))
            await FRAMEWORKS[framework](
                toolkit, [[pay()]], lambda event: os.kill(os.getpid(), signal.SIGKILL)
            )

    importlib.import_module(f"payman_sdk.agents.{framework.replace('-', '_')}")
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # from Python 3.12: there are threads; none holds a lock here
        child = os.fork()
    if child == 0:
        try:
            signal.alarm(60)  # the end of it, whatever happens
            asyncio.run(main())
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@EVERY
def test_after_a_killed_process(framework: str, tmp_path: Path) -> None:
    """An agent's process is killed between claim and result: the next one, with another order, pays nothing and is told the first result."""
    store = tmp_path / "operations.sqlite3"
    with Sandbox() as sandbox:
        assert killed_while_paying(framework, sandbox, store) == -signal.SIGKILL
        [payment] = sandbox.payments
        written = SQLiteOperationStore(store).load(payment.task_id)
        assert written is not None
        assert (written.stage, written.answer) == ("sent", "")
        with sandbox.client() as client:
            toolkit = PaymanToolkit(client, store=SQLiteOperationStore(store))
            [text] = asyncio.run(FRAMEWORKS[framework](toolkit, [[pay(OTHER)]], None))
        assert text.startswith(PAID)
        assert "is the name of another order" in text
        assert (len(sandbox.payments), sends(sandbox)) == (1, [PAYMENT])


def test_who_is_cancelled_leaves_at_once(client: PaymanClient, sandbox: Sandbox) -> None:
    """An agent that is cancelled while a tool blocks does not wait for it; the payment goes on to its end and is written down."""
    arguments = pay(operation="a")[1]
    asked, go, ended = threading.Event(), threading.Event(), threading.Event()

    class Store(MemoryOperationStore):
        def save(self, *given: object, **options: object) -> None:
            super().save(*given, **options)  # type: ignore[arg-type]
            operation = given[0]
            if getattr(operation, "stage", None) == "ended":
                ended.set()

    def confirm(proposal: ConfirmationRequest) -> bool:
        asked.set()
        return go.wait(timeout=60)

    toolkit = PaymanToolkit(client, confirm=confirm, store=Store())

    async def main() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(run_tool, toolkit, toolkit.tools[0], arguments, None)
            await asyncio.to_thread(asked.wait, 60)
            group.cancel_scope.cancel()
        go.set()
        assert await asyncio.to_thread(ended.wait, 60)

    asyncio.run(main())
    assert toolkit.check("a").status == "paid"
    assert sends(sandbox) == [PAYMENT]


@pytest.mark.parametrize(
    ("module", "needed", "extra"),
    [
        ("langchain", "langchain_core.tools", "langchain"),
        ("openai_agents", "agents", "openai-agents"),
        ("pydantic_ai", "pydantic_ai", "pydantic-ai"),
    ],
)
def test_without_the_extra(module: str, needed: str, extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a framework is not installed, its adapter says which extra brings it."""
    monkeypatch.setitem(sys.modules, needed, None)
    monkeypatch.delitem(sys.modules, f"payman_sdk.agents.{module}", raising=False)
    with pytest.raises(ImportError, match=re.escape(f"pip install 'paymanai-sdk[{extra}]'")):
        importlib.import_module(f"payman_sdk.agents.{module}")


def test_the_core_imports_no_framework() -> None:
    """Who imports the toolkit imports no framework."""
    code = (
        "import sys, payman_sdk.agents.tool_calls, payman_sdk.agents as a; [getattr(a, name) for name in a.__all__]\n"
        "print({'agents', 'langchain_core', 'pydantic_ai', 'pydantic', 'mcp'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "set()\n"
