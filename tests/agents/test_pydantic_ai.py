"""What is Pydantic AI's own: the toolset as its models are given it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from payman_sdk.agents import TOOLS, PaymanToolkit
from payman_sdk.sandbox import Sandbox
from tests.agents.conftest import PAYMENT, sends


@pytest.mark.slow
def test_what_a_model_is_given(toolkit: PaymanToolkit, sandbox: Sandbox) -> None:
    """A model is given the description and the schema of the toolkit as they are, under names that a program may put a prefix to."""
    from pydantic_ai import Agent
    from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart, ToolReturnPart
    from pydantic_ai.models.function import AgentInfo, FunctionModel

    from payman_sdk.agents.pydantic_ai import PaymanToolset

    given: list[tuple[str, str | None, Any]] = []
    pay = ToolCallPart(
        "my_payman_pay",
        {"payee": "Test Payee", "amount": "10", "currency": "TSD", "memo": None, "operation": "a"},
    )

    def answer(messages: list[Any], info: AgentInfo) -> ModelResponse:
        given[:] = [
            (tool.name, tool.description, tool.parameters_json_schema) for tool in info.function_tools
        ]
        [*_, last] = messages[-1].parts
        return ModelResponse(parts=[TextPart(str(last.content)) if isinstance(last, ToolReturnPart) else pay])

    agent = Agent(FunctionModel(answer), toolsets=[PaymanToolset(toolkit).prefixed("my")])
    assert asyncio.run(agent.run("Pay.")).output == toolkit.check("a").text
    assert given == [(f"my_{spec.name}", spec.description, spec.parameters) for spec in TOOLS]
    assert sends(sandbox) == [PAYMENT]


@pytest.mark.slow
def test_nothing_is_retried(toolkit: PaymanToolkit) -> None:
    """Pydantic AI is told to try no tool again: what a model did wrong is answered, and what failed is the guard's to repeat."""
    from payman_sdk.agents.pydantic_ai import PaymanToolset

    tools = asyncio.run(PaymanToolset(toolkit).get_tools(None))  # type: ignore[arg-type]
    assert {tool.max_retries for tool in tools.values()} == {0}


def test_nothing_hides_in_what_is_not_an_object(toolkit: PaymanToolkit, sandbox: Sandbox) -> None:
    """Arguments inside of arguments are never taken for them: what a hook of the program has looked at is what is carried out."""
    from payman_sdk.agents import pydantic_ai

    hidden = {
        pydantic_ai._NO_OBJECT: {
            "payee": "Test Payee",
            "amount": "10",
            "currency": "TSD",
            "memo": None,
            "operation": "a",
        }
    }
    toolset = pydantic_ai.PaymanToolset(toolkit)
    text = asyncio.run(toolset.call_tool("payman_pay", hidden, None, None))  # type: ignore[arg-type]
    assert text.startswith("Nothing was done: the arguments are not an object")
    assert sandbox.requests == []
