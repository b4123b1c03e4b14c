"""What is the OpenAI Agents SDK's own: the tools as its models are given them."""

from __future__ import annotations

from payman_sdk.agents import TOOLS, PaymanToolkit


def test_what_a_model_is_given(toolkit: PaymanToolkit) -> None:
    """A model is given the name, the description and the schema of the toolkit, as they are; a tool has no time limit of its own."""
    from payman_sdk.agents.openai_agents import payman_tools

    given = payman_tools(toolkit)
    assert [(tool.name, tool.description, tool.params_json_schema) for tool in given] == [
        (spec.name, spec.description, spec.parameters) for spec in TOOLS
    ]
    assert {(tool.strict_json_schema, tool.timeout_seconds, tool.needs_approval) for tool in given} == {
        (False, None, False)
    }
