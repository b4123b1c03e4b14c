"""The MCP server on its own: who is asked, and what it says where something is not there."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import anyio
import httpx
import pytest
from mcp import Client, MCPError
from mcp_types import (
    ClientCapabilities,
    ElicitationCapability,
    ElicitResult,
    FormElicitationCapability,
    InputRequiredResult,
    TextResourceContents,
    UrlElicitationCapability,
)

from payman_sdk import AsyncPaymanClient
from payman_sdk.agents import ConfirmationRequest
from payman_sdk.agents.mcp import CannotAskError, elicit, mcp_server
from payman_sdk.agents.mcp.served_tools import can_ask
from payman_sdk.agents.tools import CREATE_PAYEE
from payman_sdk.errors import ConfigurationError
from payman_sdk.sandbox import Sandbox
from tests.agents.conftest import ORDER, sends
from tests.agents.mcp_tour import YES, Person, served, text_of
from tests.tables import table

pytestmark = pytest.mark.slow


MODES = ("legacy", "2026-07-28")


# --- who is asked


@pytest.mark.parametrize("mode", MODES)
def test_a_client_that_cannot_ask_moves_no_money(mode: str, sandbox: Sandbox) -> None:
    """Where nobody can be shown what is sent, nothing is, and the model is told what the user can do; reading goes on."""

    async def main() -> tuple[str, str]:
        async with served(sandbox) as server, Client(server, mode=mode) as client:
            paid = await client.call_tool("payman_pay", {**ORDER, "operation": "invoice-1"})
            asked = await client.call_tool("payman_wallets", {})
            return text_of(paid), asked.structured_content["status"]

    reported, asked = anyio.run(main)
    assert reported.startswith(
        "Refused, and nothing was paid: it was not agreed to (this client cannot ask the user;"
    )
    assert (asked, sandbox.payments) == ("completed", [])


def test_a_client_has_to_show_forms() -> None:
    """One that names no kind of elicitation shows forms, as there was nothing else once; one that only opens pages does not."""
    form, url = FormElicitationCapability(), UrlElicitationCapability()
    able = [
        ElicitationCapability(),
        ElicitationCapability(form=form),
        ElicitationCapability(form=form, url=url),
    ]
    assert [can_ask(ClientCapabilities(elicitation=one)) for one in able] == [True] * 3
    assert not can_ask(ClientCapabilities(elicitation=ElicitationCapability(url=url)))
    assert not can_ask(ClientCapabilities())
    assert not can_ask(None)


@pytest.mark.parametrize("mode", MODES)
def test_without_confirmation_nobody_is_asked(mode: str, sandbox: Sandbox) -> None:
    """A server that was made without confirm pays at once."""

    async def main() -> Any:
        async with served(sandbox, confirm=None) as server, Client(server, mode=mode) as client:
            return (
                await client.call_tool("payman_pay", {**ORDER, "operation": "invoice-1"})
            ).structured_content

    assert anyio.run(main)["status"] == "paid"
    assert len(sandbox.payments) == 1


@pytest.mark.parametrize("mode", MODES)
def test_the_client_that_calls_is_asked(mode: str, sandbox: Sandbox) -> None:
    """Of two clients that pay at the same moment, each is shown its own payment, and the answer of one decides nothing for the other."""

    async def main() -> list[tuple[str, list[str]]]:
        both_asked = [anyio.Event(), anyio.Event()]

        async def pay(number: int) -> None:
            person = Person([YES if number else ElicitResult(action="decline")])

            async def answer(context: Any, params: Any) -> ElicitResult:
                both_asked[number].set()
                await both_asked[1 - number].wait()
                return await person(context, params)

            async with Client(server, mode=mode, elicitation_callback=answer) as client:
                result = await client.call_tool("payman_pay", {**ORDER, "operation": f"invoice-{number}"})
            seen[number] = (result.structured_content["status"], person.shown)

        seen: dict[int, tuple[str, list[str]]] = {}
        async with served(sandbox) as server, anyio.create_task_group() as group:
            group.start_soon(pay, 0)
            group.start_soon(pay, 1)
        return [seen[0], seen[1]]

    (declined, shown_first), (accepted, shown_second) = anyio.run(main)
    assert (declined, accepted, len(sandbox.payments)) == ("refused", "paid", 1)
    assert [len(shown_first), len(shown_second)] == [1, 1]
    assert "\n\nOperation: `invoice-0`\n\n" in shown_first[0]
    assert "\n\nOperation: `invoice-1`\n\n" in shown_second[0]


def test_a_yes_counts_for_its_question_only(sandbox: Sandbox) -> None:
    """A yes that comes back with other arguments, with a state that was made up, or with none, pays nothing."""

    async def main() -> list[object]:
        async def call(arguments: dict[str, Any], state: str | None) -> object:
            try:
                return await client.session.call_tool(
                    "payman_pay",
                    arguments,
                    input_responses={"confirm": YES},
                    request_state=state,
                    allow_input_required=True,
                )
            except MCPError as error:
                return error

        first = {**ORDER, "operation": "invoice-1"}
        more = {
            "payee": "Test Payee",
            "amount": "90",
            "currency": "TSD",
            "memo": None,
            "operation": "invoice-1",
        }
        async with (
            served(sandbox) as server,
            Client(server, mode=MODES[1], elicitation_callback=Person()) as client,
        ):
            asked = await client.session.call_tool("payman_pay", first, allow_input_required=True)
            assert isinstance(asked, InputRequiredResult)
            assert asked.request_state
            assert "Test Payee" not in asked.request_state
            answers = [
                await call(more, asked.request_state),
                await call(first, "made up"),
                await call(first, None),
            ]
            assert not sandbox.payments
            await call(first, asked.request_state)
            return answers

    others, made_up, stateless = anyio.run(main)
    assert isinstance(others, MCPError)
    assert isinstance(made_up, MCPError)
    assert isinstance(stateless, InputRequiredResult)  # it is asked again
    assert len(sandbox.payments) == 1


def test_an_answer_counts_once(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that repeats a call with a used answer is asked again, whether that was a yes or a no."""
    monkeypatch.setattr("payman_sdk.agents.mcp.server_mcp2._MOST", 2)
    words = {"text": "send 5 TSD to Test Payee"}
    payee = {**dict.fromkeys(CREATE_PAYEE.parameters["properties"]), "name": "Ada", "type": "TEST_RAILS"}
    cases: list[tuple[str, dict[str, Any], ElicitResult]] = [
        ("payman_ask", words, YES),
        ("payman_create_payee", {**payee, "operation": "ada"}, YES),
        ("payman_ask", words, ElicitResult(action="decline")),
    ]

    async def main() -> None:
        results: list[object] = []

        async def call(tool: str, arguments: dict[str, Any], state: str, answer: ElicitResult = YES) -> None:
            given: dict[str, Any] = {"confirm": answer}
            result = await client.session.call_tool(
                tool, arguments, input_responses=given, request_state=state, allow_input_required=True
            )
            results.append(result)

        async def ask(tool: str, arguments: dict[str, Any]) -> str:
            asked = await client.session.call_tool(tool, arguments, allow_input_required=True)
            assert isinstance(asked, InputRequiredResult)
            return asked.request_state or ""

        async with (
            served(sandbox) as server,
            Client(server, mode=MODES[1], elicitation_callback=Person()) as client,
        ):
            for tool, arguments, answer in cases:
                state = await ask(tool, arguments)
                results.clear()
                async with anyio.create_task_group() as group:
                    group.start_soon(call, tool, arguments, state, answer)
                    group.start_soon(call, tool, arguments, state, answer)
                await call(tool, arguments, state)
                assert sum(isinstance(one, InputRequiredResult) for one in results) == 2, (tool, answer)
            # Where more questions are open than the server remembers, the answer to the oldest is not valid.
            oldest, _, newest = [await ask("payman_ask", words) for _ in range(3)]
            await call("payman_ask", words, oldest)
            assert isinstance(results[-1], InputRequiredResult)
            await call("payman_ask", words, newest)

    anyio.run(main)
    assert sends(sandbox) == [words["text"], ("Ada", "TEST_RAILS"), words["text"]]


def test_nobody_can_be_asked_outside_of_a_call() -> None:
    """The confirm of MCP refuses where there is no client to ask."""
    with pytest.raises(CannotAskError, match="outside of a call"):
        anyio.run(elicit, ConfirmationRequest(action="pay", operation="invoice-1"))


def test_a_question_that_nobody_answers_is_not_a_yes(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that shows a question and never answers holds an operation for a while only; nothing is sent."""
    monkeypatch.setattr("payman_sdk.agents.mcp.served_tools.PATIENCE", 0.01)

    async def never(context: Any, params: Any) -> ElicitResult:
        await anyio.sleep_forever()
        raise AssertionError

    async def main() -> str:
        async with (
            served(sandbox) as server,
            Client(server, mode="legacy", elicitation_callback=never) as client,
        ):
            return text_of(await client.call_tool("payman_pay", {**ORDER, "operation": "invoice-1"}))

    assert "(the user did not answer in time)" in anyio.run(main)
    assert sandbox.requests == []


@pytest.mark.parametrize("mode", MODES)
def test_a_person_is_not_asked_about_what_they_cannot_see(mode: str, sandbox: Sandbox) -> None:
    """Words that hide are refused without a question, and so is what is too long for one."""

    async def main() -> list[str]:
        person = Person([])
        async with (
            served(sandbox) as server,
            Client(server, mode=mode, elicitation_callback=person) as client,
        ):
            numbers = ("\u05d0 10 \u05d1", "\u0645 500")  # shown in another order than they are written
            orders = [{**ORDER, "payee": payee, "operation": "invoice-1"} for payee in numbers]
            reported = [text_of(await client.call_tool("payman_pay", order)) for order in orders]
        assert person.shown == []
        return reported

    for reported in anyio.run(main):
        assert "a person has to confirm it, and cannot be shown it whole" in reported
    assert sandbox.requests == []


# --- what is not there


def answering(answer: Callable[[], httpx.Response]) -> AsyncPaymanClient:
    """A client of a server that answers everything in one way."""
    http = httpx.AsyncClient(transport=httpx.MockTransport(lambda request: answer()))
    return AsyncPaymanClient(client_id="an-id", client_secret="a-secret", http_client=http)


def _unreachable() -> httpx.Response:
    raise httpx.ConnectError("refused")


@table(
    ("answer", "said"),
    [
        (
            lambda: httpx.Response(404, text="<html>"),
            "Payman gives no agent card here: it answered with status 404.",
        ),
        (
            lambda: httpx.Response(200, text="<html>"),
            "Payman gives no agent card here: its answer is not an agent card.",
        ),
        (
            lambda: httpx.Response(200, json=["a"]),
            "Payman gives no agent card here: its answer is not an agent card.",
        ),
        (
            lambda: httpx.Response(200, text="[" * 100_000),
            "Payman gives no agent card here: its answer is not an agent card.",
        ),
        (
            lambda: httpx.Response(200, json={"a": "x" * 300_000}),
            "Payman gives no agent card here: its answer is not an agent card.",
        ),
        (_unreachable, "The agent card cannot be fetched now."),
    ],
)
def test_a_card_that_is_not_there_says_so(answer: Callable[[], httpx.Response], said: str) -> None:
    """Where the server gives no card the resource is a sentence, and no error."""

    async def main() -> TextResourceContents:
        async with Client(mcp_server(answering(answer))) as client:
            [card] = (await client.read_resource("payman://agent-card")).contents
        assert isinstance(card, TextResourceContents)
        return card

    card = anyio.run(main)
    assert card.mime_type == "text/plain"
    assert card.text.startswith(said)


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the official SDK, importing the server says what to install."""
    for name in list(sys.modules):
        if name.startswith("payman_sdk.agents.mcp"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "mcp.server", None)
    with pytest.raises(ConfigurationError, match=r"paymanai-sdk\[mcp\]"):
        import payman_sdk.agents.mcp  # noqa: F401
