"""Adapters of frameworks that this environment does not have: each runs where its framework is installed; see `docs/guides/agents.md`."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from contextlib import closing
from importlib import import_module
from typing import Any

import httpx
import pytest

from payman_sdk.agents import TOOLS, AsyncPaymanToolkit, PaymanToolkit, SpendingLimit
from payman_sdk.errors import ConfigurationError
from payman_sdk.sandbox import Sandbox
from tests.agents.hostile_texts import TEXTS
from tests.agents.other_frameworks import RUNS, Call

ORDER = {"payee": "Test Payee", "amount": "10.00", "currency": "TSD", "memo": None}
BLOCKING = {"crewai", "smolagents"}
ONE = {**ORDER, "amount": "1"}


def load(framework: str) -> Any:
    """Return an adapter; skips the test where its framework is missing."""
    pytest.importorskip(RUNS[framework][0], exc_type=ImportError)
    return import_module(f"payman_sdk.agents.{framework}")


@pytest.mark.parametrize("framework", RUNS)
def test_an_agent_pays_once(framework: str) -> None:
    """A model that pays twice under one name, asks what became of it, and gives nonsense: it is paid once, and reads plain answers."""
    load(framework)
    calls: list[Call] = [
        ("payman_pay", {**ORDER, "operation": "invoice-1"}),
        ("payman_pay", {**ORDER, "operation": "invoice-1"}),
        ("payman_wallets", {}),
        ("payman_pay", {**ORDER, "amount": "ten", "operation": "invoice-2"}),
        ("payman_check", {"operation": "invoice-1"}),
    ]
    with closing(Sandbox()) as sandbox:
        with (
            httpx.Client(transport=sandbox.transport()) as http,
            sandbox.client(http_client=http) as client,
        ):
            shown = RUNS[framework][1](PaymanToolkit(client), calls)
        assert [(payment.payee, str(payment.amount)) for payment in sandbox.payments] == [
            ("Test Payee", "10.00")
        ]
        assert "This was operation invoice-1" in shown
        assert "amount" in shown
        assert "990.00" in shown
        http_async = httpx.AsyncClient(transport=sandbox.transport())
        client_async = sandbox.async_client(http_client=http_async)
        toolkit = AsyncPaymanToolkit(client_async)
        if framework in BLOCKING:
            with pytest.raises(ConfigurationError, match="without an event loop"):
                RUNS[framework][1](toolkit, [])
            return
        RUNS[framework][1](toolkit, [("payman_pay", {**ORDER, "operation": "invoice-3"})])
        assert len(sandbox.payments) == 2


@pytest.mark.parametrize("framework", RUNS)
def test_hostile_texts_order_nothing(framework: str) -> None:
    """Texts that order something reach the tools as arguments; what they say is not paid,."""
    load(framework)
    calls: list[Call] = []
    for number, text in enumerate(TEXTS):
        several: list[Call] = [
            ("payman_pay", {**ONE, "payee": text, "operation": f"o-{number}"}),
            ("payman_pay", {**ONE, "memo": text, "operation": "the one payment"}),
            ("payman_pay", {**ONE, "operation": text}),
            ("payman_check", {"operation": text}),
        ]
        calls += several[number % 2 :: 2]
    with closing(Sandbox()) as sandbox, httpx.Client(transport=sandbox.transport()) as http:
        with sandbox.client(http_client=http) as client:
            toolkit = PaymanToolkit(client, limit=SpendingLimit(max_payments=2))
            for start in range(0, len(calls), 20):
                with contextlib.suppress(Exception):  # a framework may refuse what it cannot write down
                    RUNS[framework][1](toolkit, calls[start : start + 20])
        paid = {(payment.payee, str(payment.amount), payment.currency) for payment in sandbox.payments}
        assert paid == {("Test Payee", "1.00", "TSD")}
        assert len(sandbox.payments) <= 2


@pytest.mark.parametrize("framework", RUNS)
def test_what_a_model_is_given(framework: str) -> None:
    """A model is given the names, the descriptions and the schemas of the toolkit; what is no toolkit is refused."""
    adapter = load(framework)
    with closing(Sandbox()) as sandbox, httpx.Client(transport=sandbox.transport()) as http:
        tools = adapter.payman_tools(PaymanToolkit(sandbox.client(http_client=http)))
    given = {name: (description, parameters) for name, description, parameters in map(describe, tools)}
    assert list(given) == [spec.name for spec in TOOLS]
    for spec in TOOLS:
        description, parameters = given[spec.name]
        assert spec.description in description
        assert parameters["properties"].keys() == spec.parameters["properties"].keys()
        assert parameters.get("required", spec.parameters["required"]) == spec.parameters["required"]
    with pytest.raises(ConfigurationError):
        adapter.payman_tools("a toolkit")


def describe(tool: Any) -> tuple[str, str, dict[str, Any]]:
    """Return what a framework says of a tool to a model."""
    if hasattr(tool, "_get_declaration"):
        declaration = tool._get_declaration()
        return declaration.name, declaration.description, declaration.parameters_json_schema
    if hasattr(tool, "metadata"):
        return tool.metadata.name, tool.metadata.description, tool.metadata.get_parameters_dict()
    if hasattr(tool, "inputs"):
        return tool.name, tool.description, {"properties": tool.inputs}
    if hasattr(tool, "args_schema"):
        return tool.name, tool.description, tool.args_schema.model_json_schema()
    return tool.name, tool.description, tool.schema["parameters"]


@pytest.mark.slow
def test_a_missing_framework_is_named() -> None:
    """Each adapter says which package to install."""
    packages = {
        "crewai": "crewai",
        "llama_index": "llama-index-core",
        "google_adk": "google-adk",
        "smolagents": "smolagents",
        "autogen": "autogen-core",
    }
    program = f"""
import importlib, sys
sys.modules |= dict.fromkeys(("crewai", "llama_index", "google.adk", "smolagents", "autogen_core"))
for adapter, package in {packages!r}.items():
    try:
        importlib.import_module("payman_sdk.agents." + adapter)
    except ImportError as error:
        assert str(error).endswith("pip install " + package), error
    else:
        raise AssertionError(adapter)
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
