"""An agent of Pydantic AI whose model pays an invoice twice; it is paid once. The model is a script: no key, no network."""

import asyncio
from collections.abc import Callable

from pydantic_ai import Agent
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from payman_sdk.agents import AsyncPaymanToolkit, SpendingLimit
from payman_sdk.agents.pydantic_ai import PaymanToolset
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


def script() -> Callable[[list[ModelMessage], AgentInfo], ModelResponse]:
    """Return a replacement of a real model: it pays, plans anew, pays again with another amount, and says that it is done."""
    amounts = iter(AMOUNTS)

    def answer(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        for amount in amounts:
            return ModelResponse([ToolCallPart("payman_pay", order(amount))])
        return ModelResponse([TextPart("Invoice 42 is paid.")])

    return answer


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
            agent = Agent(FunctionModel(script()), toolsets=[PaymanToolset(toolkit)])
            result = await agent.run("Pay invoice 42.")
        for message in result.all_messages():
            for part in message.parts:
                if isinstance(part, ToolReturnPart):
                    print(f"tool: {part.content}\n")
        print(f"agent: {result.output}\n")
        print(f"{len(sandbox.payments)} payment was made, {sandbox.balance('TSD')} TSD are left.")


if __name__ == "__main__":
    asyncio.run(main())
