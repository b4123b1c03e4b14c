"""Frameworks that are too large for this environment: how each runs an agent whose model does what a script says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from importlib import import_module
from typing import Any, ClassVar, TypeAlias

Call: TypeAlias = tuple[str, dict[str, Any]]
Toolkit: TypeAlias = Any
Run: TypeAlias = Callable[[Toolkit, list[Call]], str]
"""Runs an agent whose model makes these calls, one a turn, and returns all that its model was shown."""


def run_crewai(toolkit: Toolkit, calls: list[Call]) -> str:
    from crewai import Agent, BaseLLM, Crew, Task  # type: ignore[import-not-found,unused-ignore]

    from payman_sdk.agents.crewai import payman_tools

    shown: list[str] = []
    turns = iter(calls)

    class Scripted(BaseLLM):  # type: ignore[misc,unused-ignore]
        def call(self, messages: Any, *_: Any, **__: Any) -> str:
            shown.append(str(messages))
            if (turn := next(turns, None)) is None:
                return "Thought: I now know the final answer\nFinal Answer: done"
            return f"Thought: I have to pay\nAction: {turn[0]}\nAction Input: {json.dumps(turn[1])}"

        def supports_function_calling(self) -> bool:
            return False

    agent = Agent(
        role="payer",
        goal="pay",
        backstory="pays",
        llm=Scripted(model="scripted"),
        tools=payman_tools(toolkit),
    )
    crew = Crew(agents=[agent], tasks=[Task(description="Pay.", expected_output="done", agent=agent)])
    crew.kickoff()
    return "\n".join(shown)


def run_llama_index(toolkit: Toolkit, calls: list[Call]) -> str:
    from llama_index.core.agent.workflow import FunctionAgent  # type: ignore[import-not-found,unused-ignore]
    from llama_index.core.base.llms.types import (  # type: ignore[import-not-found,unused-ignore]
        ChatMessage,
        ChatResponse,
        LLMMetadata,
    )
    from llama_index.core.llms.function_calling import (  # type: ignore[import-not-found,unused-ignore]
        FunctionCallingLLM,
    )
    from llama_index.core.llms.llm import ToolSelection  # type: ignore[import-not-found,unused-ignore]

    from payman_sdk.agents.llama_index import payman_tools

    shown: list[str] = []
    turns = iter(enumerate(calls))

    class Scripted(FunctionCallingLLM):  # type: ignore[misc,unused-ignore]
        @property
        def metadata(self) -> Any:
            return LLMMetadata(is_function_calling_model=True)

        def _prepare_chat_with_tools(
            self, tools: Any, user_msg: Any = None, chat_history: Any = None, **_: Any
        ) -> Any:
            return {"messages": [*(chat_history or []), *([user_msg] if user_msg else [])]}

        async def achat(self, messages: Any, **_: Any) -> Any:
            shown.append(str(messages))
            number, call = next(turns, (0, None))
            calling = (
                []
                if call is None
                else [ToolSelection(tool_id=str(number), tool_name=call[0], tool_kwargs=call[1])]
            )
            message = ChatMessage(role="assistant", content="done", additional_kwargs={"calling": calling})
            return ChatResponse(message=message)

        async def astream_chat(self, messages: Any, **_: Any) -> Any:
            async def stream() -> Any:
                yield await self.achat(messages)

            return stream()

        def get_tool_calls_from_response(self, response: Any, **_: Any) -> Any:
            return response.message.additional_kwargs["calling"]

        def _refuse(self, *_: Any, **__: Any) -> Any:
            raise NotImplementedError

        chat = complete = stream_chat = stream_complete = acomplete = astream_complete = _refuse

    async def main() -> None:
        await FunctionAgent(tools=payman_tools(toolkit), llm=Scripted()).run("Pay.", max_iterations=1000)

    asyncio.run(main())
    return "\n".join(shown)


def run_google_adk(toolkit: Toolkit, calls: list[Call]) -> str:
    from google.adk.agents import LlmAgent  # type: ignore[import-not-found,unused-ignore]
    from google.adk.models import BaseLlm, LlmResponse  # type: ignore[import-not-found,unused-ignore]
    from google.adk.runners import InMemoryRunner  # type: ignore[import-not-found,unused-ignore]
    from google.genai import types  # type: ignore[import-not-found,unused-ignore]

    from payman_sdk.agents.google_adk import payman_tools

    shown: list[str] = []
    turns = iter(calls)

    class Scripted(BaseLlm):  # type: ignore[misc,unused-ignore]
        async def generate_content_async(self, llm_request: Any, stream: bool = False) -> Any:
            shown.append(str(llm_request.contents))
            if (turn := next(turns, None)) is None:
                part = types.Part(text="done")
            else:
                part = types.Part(function_call=types.FunctionCall(name=turn[0], args=turn[1]))
            yield LlmResponse(content=types.Content(role="model", parts=[part]))

    async def main() -> None:
        agent = LlmAgent(name="payer", model=Scripted(model="scripted"), tools=payman_tools(toolkit))
        runner = InMemoryRunner(agent=agent, app_name="pays")
        session = await runner.session_service.create_session(app_name="pays", user_id="me")
        message = types.Content(role="user", parts=[types.Part(text="Pay.")])
        async for _ in runner.run_async(user_id="me", session_id=session.id, new_message=message):
            pass

    asyncio.run(main())
    return "\n".join(shown)


def run_smolagents(toolkit: Toolkit, calls: list[Call]) -> str:
    smolagents: Any = import_module("smolagents")
    models: Any = import_module("smolagents.models")
    from payman_sdk.agents.smolagents import payman_tools

    shown: list[str] = []
    turns = iter(enumerate(calls))

    class Scripted(smolagents.Model):  # type: ignore[misc]
        def generate(self, messages: Any, **_: Any) -> Any:
            shown.append(str(messages))
            number, call = next(turns, (0, ("final_answer", {"answer": "done"})))
            function = models.ChatMessageToolCallFunction(name=call[0], arguments=call[1])
            called = models.ChatMessageToolCall(id=str(number), type="function", function=function)
            return models.ChatMessage(role="assistant", content="", tool_calls=[called])

    agent = smolagents.ToolCallingAgent(
        tools=payman_tools(toolkit), model=Scripted(), max_steps=len(calls) + 2, verbosity_level=-1
    )
    agent.run("Pay.")
    return "\n".join(shown)


def run_autogen(toolkit: Toolkit, calls: list[Call]) -> str:
    from autogen_agentchat.agents import AssistantAgent  # type: ignore[import-not-found,unused-ignore]
    from autogen_core import FunctionCall  # type: ignore[import-not-found,unused-ignore]
    from autogen_core.models import CreateResult, RequestUsage  # type: ignore[import-not-found,unused-ignore]

    replay: Any = import_module("autogen_core.models").ChatCompletionClient
    from payman_sdk.agents.autogen import payman_tools

    shown: list[str] = []
    turns = iter(enumerate(calls))
    usage = RequestUsage(prompt_tokens=0, completion_tokens=0)

    class Scripted(replay):  # type: ignore[misc]
        model_info: ClassVar[dict[str, Any]] = {
            "vision": False, "function_calling": True, "json_output": False, "structured_output": False,
            "family": "unknown",
        }  # fmt: skip
        capabilities = model_info

        async def create(self, messages: Any, **_: Any) -> Any:
            shown.append(str(messages))
            number, call = next(turns, (0, None))
            if call is None:
                return CreateResult(finish_reason="stop", content="done", usage=usage, cached=False)
            called = FunctionCall(id=str(number), name=call[0], arguments=json.dumps(call[1]))
            return CreateResult(finish_reason="function_calls", content=[called], usage=usage, cached=False)

        def _refuse(self, *_: Any, **__: Any) -> Any:
            raise NotImplementedError

        create_stream = count_tokens = remaining_tokens = actual_usage = total_usage = _refuse

        async def close(self) -> None:
            pass

    async def main() -> None:
        agent = AssistantAgent(
            "payer",
            model_client=Scripted(),
            tools=payman_tools(toolkit),
            max_tool_iterations=len(calls) + 1,
        )
        await agent.run(task="Pay.")

    asyncio.run(main())
    return "\n".join(shown)


RUNS: dict[str, tuple[str, Run]] = {
    "crewai": ("crewai", run_crewai),
    "llama_index": ("llama_index.core", run_llama_index),
    "google_adk": ("google.adk", run_google_adk),
    "smolagents": ("smolagents", run_smolagents),
    "autogen": ("autogen_agentchat", run_autogen),
}
"""The adapters: what each needs, and how it is run."""
