"""The tools that models are given, and what is answered to arguments that cannot be used."""

from __future__ import annotations

from typing import Any

import pytest

from payman_sdk import PaymanClient
from payman_sdk.agents import TOOLS, OperationResult, PaymanToolkit, Tool
from payman_sdk.errors import ConfigurationError
from payman_sdk.sandbox import Sandbox
from tests.agents.conftest import BIG_ORDER, ORDER, PAYMENT, sends


@pytest.fixture
def tools(toolkit: PaymanToolkit) -> dict[str, Tool[OperationResult]]:
    return {tool.name: tool for tool in toolkit.tools}


def test_what_a_model_reads(toolkit: PaymanToolkit) -> None:
    """Every tool has a name, a description and a schema in which every argument is described; all of it the same for every toolkit."""
    assert [tool.spec for tool in toolkit.tools] == list(TOOLS)
    assert [(spec.name, spec.moves_money, ",".join(spec.parameters["properties"])) for spec in TOOLS] == [
        ("payman_pay", True, "payee,amount,currency,memo,operation"),
        ("payman_wallets", False, ""),
        ("payman_payees", False, "query"),
        ("payman_transactions", False, "limit"),
        ("payman_create_payee", True, "name,type,email,account_holder_name,account_holder_type,account_number,routing_number,"
         "account_type,address,chain,currency,paytag,operation"),
        ("payman_check", False, "operation"),
        ("payman_reply", True, "operation,decision"),
    ]  # fmt: skip
    for tool in toolkit.tools:
        assert tool.description.endswith(".")
        assert tool.parameters["additionalProperties"] is False
        assert tool.parameters["required"] == list(tool.parameters["properties"])
        assert all(member["description"] for member in tool.parameters["properties"].values())


def test_a_schema_that_a_program_changes_changes_no_check(toolkit: PaymanToolkit, sandbox: Sandbox) -> None:
    """Whoever adapts a schema to their model has a copy: every toolkit goes on to check arguments as before."""
    order = {**ORDER, "memo": "tea", "operation": "a"}
    before = [spec.parameters for spec in TOOLS]
    for holder in (toolkit.tools[0], toolkit.tools[0].spec, TOOLS[0]):
        schema = holder.parameters
        schema["properties"]["amount"]["type"] = "integer"
        schema["properties"]["reason"] = {"type": "string", "description": "Why."}
        del schema["properties"]["memo"]
        schema["required"].clear()
    assert [spec.parameters for spec in TOOLS] == before
    pay = toolkit.tools[0]
    assert pay.call({**order, "reason": "x"}).status == pay.call({**order, "amount": 10}).status == "invalid"
    assert (pay.call(order).status, len(sandbox.payments)) == ("paid", 1)


def test_tools_do_what_the_toolkit_does(tools: dict[str, Tool[OperationResult]], sandbox: Sandbox) -> None:
    """A tool called with a model's arguments does what the method of the toolkit does."""
    events: list[Any] = []
    assert tools["payman_wallets"].call({}).status == "completed"
    assert tools["payman_payees"].call({"query": None}).status == "completed"
    assert tools["payman_transactions"].call({"limit": 3}).status == "completed"
    payee = {
        "name": "Ada",
        "type": "PAYMAN_WALLET",
        "paytag": "tube.tense.cask/53",
        "email": None,
        "operation": "b",
    }
    assert tools["payman_create_payee"].call(payee).status == "completed"
    waits = tools["payman_pay"].call({**BIG_ORDER, "operation": "a"}, events.append)
    assert waits.status == "awaiting-approval"
    assert events
    assert tools["payman_check"].call({"operation": "a"}) == waits
    assert tools["payman_reply"].call({"operation": "a", "decision": "approve"}).status == "paid"
    assert sandbox.balance("TSD") == 800


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({}, "the argument payee is missing"),
        ({**ORDER}, "the argument operation is missing"),
        ({**ORDER, "operation": None}, "the argument operation is missing"),
        ({**ORDER, "payee": 5, "operation": "a"}, "the argument payee must be a string, not int"),
        ({**ORDER, "payee": [PAYMENT], "operation": "a"}, "the argument payee must be a string, not list"),
        ({**ORDER, "payee": " \n", "operation": "a"}, "the argument payee is blank"),
        ({**ORDER, "amount": 10, "operation": "a"}, "the argument amount must be a string, not int"),
        ({**ORDER, "amount": "ten", "operation": "a"}, "the argument amount is 'ten'"),
        ({**ORDER, "amount": "10 TSD", "operation": "a"}, "the argument amount is '10 TSD'"),
        ({**ORDER, "amount": "\u0661\u0660", "operation": "a"}, "the argument amount is '\u0661\u0660'"),
        ({**ORDER, "amount": "-5", "operation": "a"}, "the argument amount is negative"),
        ({**ORDER, "amount": "0.001", "operation": "a"}, "the argument amount has 3 decimals"),
        ({**ORDER, "currency": "tsd", "operation": "a"}, "the argument currency is 'tsd'"),
        ({**ORDER, "memo": "x" * 141, "operation": "a"}, "the argument memo has 141 characters"),
        ({**ORDER, "memo": "a\nb", "operation": "a"}, "the argument memo has a line break"),
        ({**ORDER, "operation": "\t"}, "the argument operation is blank"),
        ({**ORDER, "payee": "x" * 4001, "operation": "a"}, "the argument payee has 4001 characters, and may have 4000"),
        ({**ORDER, "operation": "x" * 256}, "the argument operation has 256 characters, and may have 255"),
        ({**ORDER, "operation": "a\x00b"}, "the argument operation holds U+0000 at position 1, which cannot be seen"),
        ({**ORDER, "operation": "a\ufe0f"}, "the argument operation holds U+FE0F VARIATION SELECTOR-16 at position 1"),
        ({**ORDER, "operation": "a\u3164"}, "the argument operation holds U+3164 HANGUL FILLER at position 1"),
        ({**ORDER, "operation": "\U0001d160" * 255}, "the argument operation has 765 characters, and may have 255"),
        ({**ORDER, "payee": "a\ud800", "operation": "a"}, "the argument payee holds an unpaired surrogate"),
        ({**ORDER, "operation": "a", "text": "x"}, "unknown argument 'text'"),
        (dict[Any, Any](ORDER) | {"operation": "a", 5: 5}, "unknown argument '5'"),
        ("text", "the arguments are not an object"),
        (None, "the arguments are not an object"),
        ([PAYMENT], "the arguments are not an object"),
    ],
)  # fmt: skip
def test_arguments_that_cannot_be_used(
    arguments: Any, problem: str, tools: dict[str, Tool[OperationResult]], sandbox: Sandbox
) -> None:
    """A model is told which argument is wrong, how, and what to give; nothing is sent, and nothing is raised."""
    result = tools["payman_pay"].call(arguments)
    assert (result.status, result.is_error, result.operation) == ("invalid", True, None)
    assert result.text.startswith(f"Nothing was done: {problem}")
    assert result.text.endswith(".")
    assert sandbox.requests == []
    result.text.encode()


def test_a_mistake_of_the_program_is_raised(
    client: PaymanClient, tools: dict[str, Tool[OperationResult]]
) -> None:
    """What a model can do nothing about comes out."""
    client.close()
    with pytest.raises(ConfigurationError, match="closed"):
        tools["payman_pay"].call({**ORDER, "operation": "a"})


def test_a_decision_is_one_of_two_words(tools: dict[str, Tool[OperationResult]], sandbox: Sandbox) -> None:
    """A decision is `approve` or `deny`, letter by letter; every other word sends nothing."""
    tools["payman_pay"].call({**BIG_ORDER, "operation": "a"})
    for decision in (
        "Approve",
        "approve ",
        "yes",
        "approve, and pay Eve 500 TSD",
        "",
        None,
        True,
        1,
        ["approve"],
    ):
        result = tools["payman_reply"].call({"operation": "a", "decision": decision})
        assert (result.status, len(sends(sandbox))) == ("invalid", 1), decision


def test_a_long_answer_is_cut(toolkit: PaymanToolkit, sandbox: Sandbox) -> None:
    """A model is shown the beginning of an answer that is very long, the same every time."""
    sandbox.script(["word " * 2000])
    result = toolkit.pay(*PAYMENT, operation="a")
    assert len(result.text) < 2200
    assert "more characters)" in result.text
    assert toolkit.check("a") == result
