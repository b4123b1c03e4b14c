"""The tools that models are given, and what is answered to arguments that cannot be used."""

from __future__ import annotations

from typing import Any

import pytest

from payman_sdk import PaymanClient
from payman_sdk.agents import TOOLS, OperationResult, PaymanToolkit, Tool
from payman_sdk.errors import ConfigurationError
from payman_sdk.sandbox import Sandbox

PAYMENT = "send 10 TSD to Test Payee"


@pytest.fixture
def tools(toolkit: PaymanToolkit) -> dict[str, Tool[OperationResult]]:
    return {tool.name: tool for tool in toolkit.tools}


def test_what_a_model_is_told(toolkit: PaymanToolkit) -> None:
    """Every tool has a name, a description and a schema in which every argument is described; all of it the same for every toolkit."""
    assert [tool.spec for tool in toolkit.tools] == list(TOOLS)
    assert {spec.name: (spec.moves_money, list(spec.parameters["properties"])) for spec in TOOLS} == {
        "payman_ask": (False, ["text"]),
        "payman_pay": (True, ["text", "operation"]),
        "payman_check": (False, ["operation"]),
        "payman_reply": (True, ["operation", "text"]),
    }
    for tool in toolkit.tools:
        assert tool.description.endswith(".")
        assert tool.parameters["additionalProperties"] is False
        assert tool.parameters["required"] == list(tool.parameters["properties"])
        assert all(member["description"] for member in tool.parameters["properties"].values())


def test_tools_do_what_the_toolkit_does(tools: dict[str, Tool[OperationResult]], sandbox: Sandbox) -> None:
    """A tool called with a model's arguments does what the method of the toolkit does."""
    events: list[Any] = []
    assert tools["payman_ask"].call({"text": "list all wallets"}).status == "completed"
    waits = tools["payman_pay"].call({"text": "send 200 TSD to Test Payee", "operation": "a"}, events.append)
    assert waits.status == "input-required"
    assert events
    assert tools["payman_check"].call({"operation": "a"}) == waits
    assert tools["payman_reply"].call({"operation": "a", "text": "approve"}).status == "completed"
    assert sandbox.balance("TSD") == 800


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({}, "the argument text is missing"),
        ({"text": PAYMENT}, "the argument operation is missing"),
        ({"text": PAYMENT, "operation": None}, "the argument operation is missing"),
        ({"text": 5, "operation": "a"}, "the argument text is no string but a int"),
        ({"text": [PAYMENT], "operation": "a"}, "the argument text is no string but a list"),
        ({"text": " \n", "operation": "a"}, "the argument text is blank"),
        ({"text": PAYMENT, "operation": "\t"}, "the argument operation is blank"),
        ({"text": "x" * 4001, "operation": "a"}, "the argument text has 4001 characters, and may have 4000"),
        ({"text": PAYMENT, "operation": "x" * 256}, "the argument operation has 256 characters, and may have 255"),
        ({"text": PAYMENT, "operation": "a\x00b"}, "the argument operation holds U+0000 at position 1, which cannot be seen"),
        ({"text": PAYMENT, "operation": "a\ufe0f"}, "the argument operation holds U+FE0F VARIATION SELECTOR-16 at position 1"),
        ({"text": PAYMENT, "operation": "a\u3164"}, "the argument operation holds U+3164 HANGUL FILLER at position 1"),
        ({"text": PAYMENT, "operation": "\U0001d160" * 255}, "the argument operation has 765 characters, and may have 255"),
        ({"text": "a\ud800", "operation": "a"}, "the argument text holds half a character"),
        ({"text": PAYMENT, "operation": "a", "amount": 5}, "there is no argument 'amount'"),
        ({"text": PAYMENT, "operation": "a", 5: 5}, "there is no argument '5'"),
        ("text", "the arguments are no object"),
        (None, "the arguments are no object"),
        ([PAYMENT], "the arguments are no object"),
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
        tools["payman_pay"].call({"text": PAYMENT, "operation": "a"})


def test_a_long_answer_is_cut(toolkit: PaymanToolkit, sandbox: Sandbox) -> None:
    """A model is shown the beginning of an answer that is very long, the same every time."""
    sandbox.script(["word " * 2000])
    result = toolkit.pay(PAYMENT, "a")
    assert len(result.text) < 4200
    assert result.text.endswith("word … (5,999 more characters)\n</agent-words>")
    assert toolkit.check("a") == result
