"""What is the OpenAI Agents SDK's own: the tools as its models are given them."""

from __future__ import annotations

from copy import deepcopy

import pytest

from payman_sdk.agents import TOOLS, PaymanToolkit


@pytest.mark.slow
def test_what_a_model_is_given(toolkit: PaymanToolkit) -> None:
    """A model is given the name, the description and the schema of the toolkit, as they are, in the strict mode of OpenAI; a tool has no time limit of its own."""
    from payman_sdk.agents.openai_agents import payman_tools

    given = payman_tools(toolkit)
    assert [(tool.name, tool.description, tool.params_json_schema) for tool in given] == [
        (spec.name, spec.description, spec.parameters) for spec in TOOLS
    ]
    assert {(tool.strict_json_schema, tool.timeout_seconds, tool.needs_approval) for tool in given} == {
        (True, None, False)
    }


@pytest.mark.slow
def test_schemas_fit_the_strict_mode() -> None:
    """Every member is required, none may be added, and what may be missing may be null."""
    from agents.strict_schema import ensure_strict_json_schema

    from payman_sdk.agents.tools import ASK

    for spec in (*TOOLS, ASK):
        assert ensure_strict_json_schema(deepcopy(spec.parameters)) == spec.parameters, spec.name
        for name, member in spec.parameters["properties"].items():
            assert set(member) <= {"type", "enum", "description"}, (spec.name, name)
