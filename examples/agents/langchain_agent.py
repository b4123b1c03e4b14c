"""An agent of LangChain whose model pays an invoice twice; it is paid once. The model is a script: no key, no network."""

from collections.abc import Sequence
from typing import Any

from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool

from payman_sdk.agents import PaymanToolkit, SpendingLimit
from payman_sdk.agents.langchain import payman_tools
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


class Scripted(GenericFakeChatModel):
    """Replaces a real model, such as `init_chat_model("anthropic:claude-sonnet-4-5")` of the package langchain."""

    def bind_tools(self, tools: Sequence[Any], **options: Any) -> Runnable[Any, Any]:
        """A real model would get the tools here."""
        return self.bind(tools=tools, **options)


def script() -> Scripted:
    """Return a model that pays, plans anew, pays again with another amount, and says that it is done."""
    calls = [{"name": "payman_pay", "args": order(amount), "id": amount} for amount in AMOUNTS]
    return Scripted(
        messages=iter(
            [*(AIMessage("", tool_calls=[call]) for call in calls), AIMessage("Invoice 42 is paid.")]
        )
    )


def run(model: Scripted, tools: list[BaseTool], task: str) -> list[AnyMessage]:
    """Run the loop of an agent, as `create_agent(model, tools)` of the package langchain does."""
    thinking, by_name = model.bind_tools(tools), {tool.name: tool for tool in tools}
    messages: list[AnyMessage] = [HumanMessage(task)]
    while True:
        answer = thinking.invoke(messages)
        messages.append(answer)
        if not answer.tool_calls:
            return messages
        messages += [by_name[call["name"]].invoke(call | {"type": "tool_call"}) for call in answer.tool_calls]


def main() -> None:
    """Run the agent against a local Payman, and print what its model reads."""
    with Sandbox() as sandbox, sandbox.client() as client:  # with your own account: PaymanClient.from_env()
        store = SQLiteOperationStore("operations.sqlite3")  # so that a restart pays nothing twice
        toolkit = PaymanToolkit(
            client,
            run_id=f"invoices {sandbox.client_id}",  # with your own account: "invoices-2026-05"
            store=store,
            limit=SpendingLimit(max_payments=5, max_amount={"TSD": 100}),
        )
        for message in run(script(), payman_tools(toolkit), "Pay invoice 42."):
            if message.text:
                print(f"{message.type}: {message.text}\n")
        print(f"{len(sandbox.payments)} payment was made, {sandbox.balance('TSD')} TSD are left.")


if __name__ == "__main__":
    main()
