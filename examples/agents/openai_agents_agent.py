"""An agent of the OpenAI Agents SDK whose model pays an invoice twice; it is paid once. The model is a script."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from agents import Agent, Model, ModelResponse, RunConfig, Runner, Usage
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText

from payman_sdk.agents import AsyncPaymanToolkit, SpendingLimit
from payman_sdk.agents.openai_agents import payman_tools
from payman_sdk.agents.stores.sqlite import SQLiteOperationStore
from payman_sdk.sandbox import Sandbox

AMOUNTS = ["10.00", "12.00"]


def order(amount: str) -> dict[str, str | None]:
    """Return the arguments of a payment, as a model writes them."""
    return {
        "payee": "Test Payee",
        "amount": amount,
        "currency": "TSD",
        "memo": None,
        "operation": "invoice-42",
    }


class Scripted(Model):
    """Replaces a real model: it pays, plans anew, pays again with another amount, and says that it is done."""

    def __init__(self) -> None:
        calls = [json.dumps(order(amount)) for amount in AMOUNTS]
        self._outputs: list[Any] = [
            ResponseFunctionToolCall(name="payman_pay", arguments=call, call_id=call, type="function_call")
            for call in calls
        ]

    async def get_response(self, *given: Any, **options: Any) -> ModelResponse:
        """A real model would get the tools here."""
        output = self._outputs.pop(0) if self._outputs else build_message("Invoice 42 is paid.")
        return ModelResponse(output=[output], usage=Usage(), response_id=None)

    def stream_response(self, *given: Any, **options: Any) -> AsyncIterator[Any]:
        """Refuse: this agent does not stream."""
        raise NotImplementedError


def build_message(text: str) -> ResponseOutputMessage:
    """Return a text as the last message of a model."""
    content = [ResponseOutputText(text=text, type="output_text", annotations=[])]
    return ResponseOutputMessage(
        id="last", content=content, role="assistant", status="completed", type="message"
    )


async def main() -> None:
    """Run the agent against a local Payman, and print what its model reads."""
    with Sandbox() as sandbox:
        async with sandbox.async_client() as client:  # with your own account: AsyncPaymanClient.from_env()
            store = SQLiteOperationStore("operations.sqlite3")  # so that a restart pays nothing twice
            toolkit = AsyncPaymanToolkit(
                client,
                run_id=f"invoices {sandbox.client_id}",  # with your own account: "invoices-2026-05"
                store=store,
                limit=SpendingLimit(max_payments=5, max_amount={"TSD": 100}),
            )
            agent = Agent(name="Bookkeeper", model=Scripted(), tools=list(payman_tools(toolkit)))
            offline = RunConfig(tracing_disabled=True)  # a real run may send its traces to OpenAI
            result = await Runner.run(agent, "Pay invoice 42.", run_config=offline)
        for item in result.new_items:
            if item.type == "tool_call_output_item":
                print(f"tool: {item.output}\n")
        print(f"agent: {result.final_output}\n")
        print(f"{len(sandbox.payments)} payment was made, {sandbox.balance('TSD')} TSD are left.")


if __name__ == "__main__":
    asyncio.run(main())
