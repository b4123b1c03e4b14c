"""Agents of real frameworks whose model is a script: it calls tools, turn after turn, and writes down what it reads.

Frameworks are imported by the functions that need them: it takes them seconds.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

from payman_sdk.agents import AsyncPaymanToolkit, PaymanToolkit

Call: TypeAlias = tuple[str, Any]
"""The name of a tool, and its arguments: an object, or the text that a model wrote instead of one."""
Script: TypeAlias = list[list[Call]]
"""The calls of every turn; those of one turn are made at the same time."""
Run: TypeAlias = Callable[[PaymanToolkit | AsyncPaymanToolkit, Script, Any], Coroutine[Any, Any, list[str]]]


def called_with(call: Call) -> tuple[str, str]:
    """A call as a model writes it."""
    name, arguments = call
    return name, arguments if isinstance(arguments, str) else json.dumps(arguments)


async def langchain(
    toolkit: PaymanToolkit | AsyncPaymanToolkit, script: Script, on_message: Any = None
) -> list[str]:
    """Runs an agent of LangChain: the loop that `create_agent` is, of its core's own parts."""
    from collections.abc import Sequence

    from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
    from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolCall, ToolMessage
    from langchain_core.tools import BaseTool

    from payman_sdk.agents.langchain import payman_tools

    class Scripted(GenericFakeChatModel):
        def bind_tools(self, tools: Sequence[Any], **options: Any) -> Any:
            return self.bind(tools=tools, **options)

    tools: dict[str, BaseTool] = {tool.name: tool for tool in payman_tools(toolkit, on_message=on_message)}
    answers = [
        AIMessage("", tool_calls=[ToolCall(name=name, args=arguments, id=f"{turn}-{at}") for at, (name, arguments) in enumerate(calls)])
        for turn, calls in enumerate(script)
    ]  # fmt: skip
    model = Scripted(messages=iter([*answers, AIMessage("done")])).bind_tools(list(tools.values()))
    messages: list[BaseMessage] = [HumanMessage("Pay what is due.")]
    while True:
        answer = await model.ainvoke(messages)
        messages.append(answer)
        if not answer.tool_calls:
            break
        if isinstance(toolkit, AsyncPaymanToolkit):
            tasks = [tools[call["name"]].ainvoke({**call, "type": "tool_call"}) for call in answer.tool_calls]
            messages += await asyncio.gather(*tasks)
        elif len(answer.tool_calls) == 1:
            [call] = answer.tool_calls
            messages.append(tools[call["name"]].invoke({**call, "type": "tool_call"}))
        else:
            [name] = {call["name"] for call in answer.tool_calls}
            given: list[Any] = [{**call, "type": "tool_call"} for call in answer.tool_calls]
            messages += await asyncio.to_thread(tools[name].batch, given)
    return [str(message.content) for message in messages if isinstance(message, ToolMessage)]


async def openai_agents(
    toolkit: PaymanToolkit | AsyncPaymanToolkit, script: Script, on_message: Any = None
) -> list[str]:
    """Runs an agent of the OpenAI Agents SDK."""
    from agents import Agent, Model, ModelResponse, RunConfig, Runner, Usage
    from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText

    from payman_sdk.agents.openai_agents import payman_tools

    read: list[str] = []

    class Scripted(Model):
        def __init__(self) -> None:
            self.turn = 0

        async def get_response(self, *given: Any, **options: Any) -> ModelResponse:
            items = given[1] if len(given) > 1 else options["input"]
            read[:] = [
                str(item["output"]) for item in items
                if isinstance(item, dict) and item.get("type") == "function_call_output"
            ]  # fmt: skip
            output: list[Any]
            if self.turn == len(script):
                said = ResponseOutputText(text="done", type="output_text", annotations=[])
                output = [
                    ResponseOutputMessage(id="end", content=[said], role="assistant", status="completed", type="message")
                ]  # fmt: skip
            else:
                output = [
                    ResponseFunctionToolCall(
                        name=name, arguments=arguments, call_id=f"{self.turn}-{at}", type="function_call"
                    )
                    for at, (name, arguments) in enumerate(map(called_with, script[self.turn]))
                ]
            self.turn += 1
            return ModelResponse(output=output, usage=Usage(), response_id=None)

        def stream_response(self, *given: Any, **options: Any) -> Any:
            raise NotImplementedError

    agent = Agent(name="Payer", model=Scripted(), tools=list(payman_tools(toolkit, on_message=on_message)))
    config = RunConfig(tracing_disabled=True)  # it would be sent to OpenAI
    await Runner.run(agent, "Pay what is due.", run_config=config, max_turns=100)
    return read


async def pydantic_ai(
    toolkit: PaymanToolkit | AsyncPaymanToolkit, script: Script, on_message: Any = None
) -> list[str]:
    """Runs an agent of Pydantic AI."""
    from pydantic_ai import Agent
    from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart, ToolReturnPart
    from pydantic_ai.models.function import FunctionModel

    from payman_sdk.agents.pydantic_ai import PaymanToolset

    turns = iter(enumerate(script))
    read: list[str] = []

    def answer(messages: list[Any], _: Any) -> ModelResponse:
        parts = [part for message in messages for part in message.parts]
        read[:] = [str(part.content) for part in parts if isinstance(part, ToolReturnPart)]
        turn, calls = next(turns, (0, []))
        if not calls:
            return ModelResponse(parts=[TextPart("done")])
        written = enumerate(map(called_with, calls))
        return ModelResponse(
            parts=[
                ToolCallPart(name, arguments, tool_call_id=f"{turn}-{at}")
                for at, (name, arguments) in written
            ]
        )

    await Agent(FunctionModel(answer), toolsets=[PaymanToolset(toolkit, on_message=on_message)]).run(
        "Pay what is due."
    )
    return read


FRAMEWORKS: dict[str, Run] = {
    "langchain": langchain, "openai-agents": openai_agents, "pydantic-ai": pydantic_ai,
}  # fmt: skip
