"""What is LangChain's own: a message with an artifact, tools that are called with and without an event loop."""

from __future__ import annotations

import asyncio
import threading

import pytest

from payman_sdk import PaymanClient
from payman_sdk.agents import TOOLS, AsyncPaymanToolkit, ConfirmationRequest, PaymanToolkit
from payman_sdk.errors import ConfigurationError
from payman_sdk.sandbox import Sandbox
from tests.agents.conftest import connected_async

pytestmark = pytest.mark.slow


PAYMENT = {"payee": "Test Payee", "amount": "10", "currency": "TSD", "memo": None, "operation": "a"}
CALL = {"name": "payman_pay", "args": PAYMENT, "id": "1", "type": "tool_call"}


def test_what_a_model_is_given(toolkit: PaymanToolkit) -> None:
    """A model is given the name, the description and the schema of the toolkit, as they are."""
    from langchain_core.utils.function_calling import convert_to_openai_tool

    from payman_sdk.agents.langchain import payman_tools

    given = [convert_to_openai_tool(tool)["function"] for tool in payman_tools(toolkit)]
    assert given == [
        {"name": spec.name, "description": spec.description, "parameters": spec.parameters} for spec in TOOLS
    ]


def test_what_a_program_is_given(toolkit: PaymanToolkit) -> None:
    """The message for the model has the text, and the result as its artifact, for the program."""
    from payman_sdk.agents.langchain import payman_tools

    pay = payman_tools(toolkit)[0]
    message = pay.invoke(CALL)
    result = toolkit.pay("Test Payee", "10", "TSD", operation="a")
    assert (message.content, message.artifact) == (result.text, result.to_dict())
    assert (message.tool_call_id, message.name) == ("1", "payman_pay")
    assert asyncio.run(pay.ainvoke(CALL)) == message
    assert pay.invoke(PAYMENT) == result.text


def test_an_async_toolkit_needs_an_event_loop(sandbox: Sandbox) -> None:
    """A tool of an AsyncPaymanToolkit that is called without an event loop says what to do, and sends nothing."""
    from payman_sdk.agents.langchain import payman_tools

    async def main() -> None:
        async with connected_async(sandbox) as client:
            pay = payman_tools(AsyncPaymanToolkit(client))[0]
            with pytest.raises(ConfigurationError, match="or give a PaymanToolkit"):
                pay.invoke(CALL)

    asyncio.run(main())
    assert sandbox.requests == []


def test_callbacks_hear_of_events(toolkit: PaymanToolkit) -> None:
    """on_message can dispatch events to the callbacks of the run: it is called in the context of the tool."""
    from typing import Any

    from langchain_core.callbacks import BaseCallbackHandler, dispatch_custom_event

    from payman_sdk.agents.langchain import payman_tools

    class ReceivedStream(BaseCallbackHandler):
        def on_custom_event(self, name: str, data: Any, **options: Any) -> None:
            received.append((name, type(data).__name__))

    received: list[tuple[str, str]] = []
    pay = payman_tools(toolkit, on_message=lambda event: dispatch_custom_event("payman", event))[0]
    pay.invoke(CALL, {"callbacks": [ReceivedStream()]})
    assert ("payman", "StatusUpdate") in received
    received.clear()
    asyncio.run(
        pay.ainvoke({**CALL, "args": {**PAYMENT, "operation": "b"}}, {"callbacks": [ReceivedStream()]})
    )
    assert ("payman", "StatusUpdate") in received


def test_tools_that_block_wait_for_no_thread(client: PaymanClient, sandbox: Sandbox) -> None:
    """Sixty payments that each wait for a person at the same moment have sixty threads, and leave those of the event loop alone."""
    from payman_sdk.agents.langchain import payman_tools

    together = threading.Barrier(60)

    async def main() -> None:
        loop = asyncio.get_running_loop()

        def confirm(proposal: ConfirmationRequest) -> bool:
            together.wait(timeout=30)
            asked = asyncio.run_coroutine_threadsafe(asyncio.to_thread(lambda: True), loop)
            return asked.result(timeout=30)

        pay = payman_tools(PaymanToolkit(client, confirm=confirm))[0]
        calls = [pay.ainvoke({**PAYMENT, "operation": f"invoice-{number}"}) for number in range(60)]
        assert all(
            text.startswith(("Paid: 10.00 TSD", "The outcome of")) for text in await asyncio.gather(*calls)
        )

    asyncio.run(main())
    assert len(sandbox.payments) == 60
