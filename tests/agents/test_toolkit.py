"""What the toolkit's operations do, and what a model is told of them."""

from __future__ import annotations

import functools
import json
import socket
from typing import Any

import anyio
import httpx
import pytest

from payman_sdk import PaymanClient
from payman_sdk.agents import (
    AsyncPaymanToolkit,
    ConfirmationRequest,
    MemoryOperationStore,
    OperationResult,
    PaymanToolkit,
    read_only_asks,
)
from payman_sdk.errors import ConfigurationError
from payman_sdk.sandbox import HTTPError, RPCError, Sandbox, ScriptedResponse
from tests.agents.conftest import connected, connected_async, sends

PAYMENT = "send 10 TSD to Test Payee"
BIG = "send 200 TSD to Test Payee"


# --- ask


def test_an_ask_reads(toolkit: PaymanToolkit, sandbox: Sandbox) -> None:
    """What only reads is asked, and the agent's answer is told."""
    result = toolkit.ask("list all wallets")
    assert (result.status, result.is_error, result.operation) == ("completed", False, None)
    assert "1,000.00 TSD" in result.text
    assert sends(sandbox) == ["list all wallets"]


@pytest.mark.parametrize(
    "text", [PAYMENT, "approve", "create a payee named Al", "überweise 5 an Bob", "who is Bob"]
)
def test_an_ask_that_may_move_money_is_refused(text: str, toolkit: PaymanToolkit, sandbox: Sandbox) -> None:
    """What may move money, or is not understood, is not sent, and the model is told to use pay."""
    result = toolkit.ask(text)
    assert (result.status, result.is_error) == ("refused", True)
    assert "use pay" in result.text
    assert sandbox.requests == []


def read_only(sandbox: Sandbox, http: httpx.Client) -> PaymanClient:
    """A client of the same account, connected with read scopes only."""
    token = sandbox.issue_token(
        scopes=["read_balance", "read_list_wallets", "read_list_payees", "read_list_transactions"]
    )
    return PaymanClient.with_token(
        {"client_id": sandbox.client_id, "base_url": "https://sandbox.invalid"}, token, http_client=http
    )


def test_a_reader_asks(sandbox: Sandbox, client: PaymanClient) -> None:
    """With a reader, asks go through it, and payments through the other client."""
    with connected(sandbox) as reader:
        toolkit = PaymanToolkit(client, reader=reader)
        assert toolkit.ask("list all wallets").status == "completed"
        assert toolkit.pay(PAYMENT, "invoice-1").status == "completed"
        sessions = [one.session_id for one in sandbox.requests if one.operation == "send_task"]
        assert sessions == [reader.get_session_id(), client.get_session_id()]


# --- pay, check, reply


def test_a_payment_is_made_and_told(toolkit: PaymanToolkit, sandbox: Sandbox) -> None:
    """A payment is made, and the result says so in the agent's words, in few facts that JSON can hold."""
    result = toolkit.pay(PAYMENT, "invoice-1")
    [payment] = sandbox.payments
    assert result.as_dict() == {
        "text": result.text,
        "status": "completed",
        "operation": "invoice-1",
        "task_id": payment.task_id,
    }
    assert "Sent **10.00 TSD**" in result.text
    assert json.loads(json.dumps(result.as_dict())) == result.as_dict()
    assert str(result) == result.text


def test_the_same_operation_is_told_the_same(toolkit: PaymanToolkit, sandbox: Sandbox) -> None:
    """However often it is paid and checked, it is paid once, and every result is the same, byte for byte."""
    first = toolkit.pay(PAYMENT, "invoice-1")
    again = [
        toolkit.pay(f" {PAYMENT}\n", "invoice-1 "),
        toolkit.check("invoice-1"),
        toolkit.pay(PAYMENT, "invoice-1"),
    ]
    assert [one.as_dict() for one in again] == [first.as_dict()] * 3
    assert len(sandbox.payments) == 1
    assert sends(sandbox) == [PAYMENT]


@pytest.mark.parametrize("is_shared", [True, False])
def test_in_other_words_nothing_more_is_paid(is_shared: bool, client: PaymanClient, sandbox: Sandbox) -> None:
    """Another text under the same name pays nothing and is told so, behind the first result; also where the store knows nothing of it."""
    store = MemoryOperationStore()
    first = PaymanToolkit(client, store=store).pay(PAYMENT, "invoice-1")
    toolkit = PaymanToolkit(client, store=store if is_shared else None)
    other = toolkit.pay("send 500 TSD to Somebody Else", "invoice-1")
    assert other.text.startswith(first.text)
    assert (other.status, other.task_id) == ("completed", first.task_id)
    assert "Nothing was sent for the words given now" in other.text
    assert "that has NOT been paid" in other.text
    assert sends(sandbox) == [PAYMENT]
    assert toolkit.pay("send 500 TSD to Somebody Else", "invoice-1").as_dict() == other.as_dict()


def test_the_first_words_are_told(toolkit: PaymanToolkit) -> None:
    """Who asks in other words is told which words the operation stands for."""
    toolkit.pay(PAYMENT, "invoice-1")
    assert f'"{PAYMENT}"' in toolkit.pay("send 11 TSD to Test Payee", "invoice-1").text


@pytest.mark.parametrize("name", [" invoice-42\n", "invoice\u201142", "invoice\u201042"])
def test_names_that_look_the_same(name: str, toolkit: PaymanToolkit, sandbox: Sandbox) -> None:
    """White space around a name, and hyphens that look like the usual one, make no other operation."""
    first = toolkit.pay(PAYMENT, "invoice-42")
    assert toolkit.pay(PAYMENT, name) == toolkit.check(name) == first
    assert sends(sandbox) == [PAYMENT]


def test_an_operation_that_nobody_knows(toolkit: PaymanToolkit, sandbox: Sandbox) -> None:
    """Checking a name that was never paid finds nothing, and sends nothing."""
    result = toolkit.check("invoice-9")
    assert (result.status, result.is_error) == ("not-found", True)
    assert toolkit.reply("invoice-9", "approve").status == "not-found"
    assert sends(sandbox) == []


def test_another_store_finds_what_was_paid(client: PaymanClient) -> None:
    """What this store knows nothing of, Payman still tells by the name."""
    first = PaymanToolkit(client).pay(PAYMENT, "invoice-1")
    assert PaymanToolkit(client).check("invoice-1").as_dict() == first.as_dict()
    assert PaymanToolkit(client).pay(PAYMENT, "invoice-1").as_dict() == first.as_dict()


def test_an_approval_is_given_once(toolkit: PaymanToolkit, sandbox: Sandbox) -> None:
    """A payment that waits is approved by a reply; the same reply again is told what came of it, and is not sent."""
    waits = toolkit.pay(BIG, "invoice-1")
    assert (waits.status, waits.is_error) == ("input-required", False)
    assert toolkit.pay(BIG, "invoice-1").as_dict() == waits.as_dict()
    done = toolkit.reply("invoice-1", "approve")
    again = toolkit.reply("invoice-1", "Approve ")
    assert (done.status, again.status) == ("completed", "completed")
    assert "was not sent again" in again.text
    assert sends(sandbox) == [BIG, "approve"]
    assert sandbox.balance("TSD") == 800
    assert toolkit.check("invoice-1").as_dict() == toolkit.pay(BIG, "invoice-1").as_dict() == done.as_dict()


def test_the_same_reply_never_answers_the_next_question(toolkit: PaymanToolkit, sandbox: Sandbox) -> None:
    """A task that waits again after a reply takes the same words for a repetition, and others as an answer."""
    sandbox.script(
        [
            ScriptedResponse("First approval?", state="input-required"),
            ScriptedResponse("And the second?", state="input-required"),
        ]
    )
    toolkit.pay(BIG, "invoice-1")
    assert "And the second?" in toolkit.reply("invoice-1", "approve").text
    sandbox.script([ScriptedResponse("Done.")])
    repeated = toolkit.reply("invoice-1", "approve")
    assert (repeated.status, sends(sandbox)) == ("input-required", [BIG, "approve"])
    assert toolkit.reply("invoice-1", "approve the second").status == "completed"


def test_a_payment_that_was_decided_elsewhere(toolkit: PaymanToolkit, sandbox: Sandbox) -> None:
    """What somebody decided in the dashboard is told, and a reply to it is not sent."""
    waits = toolkit.pay(BIG, "invoice-1")
    sandbox.approve(waits.task_id or "")
    assert toolkit.check("invoice-1").status == "completed"
    late = toolkit.reply("invoice-1", "approve")
    assert "The reply was not sent" in late.text
    assert sends(sandbox) == [BIG]


def test_a_task_is_replied_to_by_its_id(client: PaymanClient, toolkit: PaymanToolkit) -> None:
    """A task that waits can be named by its id, whoever asked for it."""
    waits = client.ask(BIG)
    assert toolkit.check(waits.task_id).status == "input-required"
    assert toolkit.reply(waits.task_id, "deny").status == "completed"


def test_the_id_of_a_task_is_no_name(toolkit: PaymanToolkit, sandbox: Sandbox) -> None:
    """Who gives a task's id as the name of a payment is told so: it could not be checked under it."""
    task_id = toolkit.pay(PAYMENT, "invoice-1").task_id or ""
    result = toolkit.pay(PAYMENT, task_id)
    assert (result.status, "no name of an operation" in result.text) == ("invalid", True)
    assert sends(sandbox) == [PAYMENT]


@pytest.mark.parametrize("state", ["failed", "canceled"])
def test_a_payment_that_fails(state: str, toolkit: PaymanToolkit, sandbox: Sandbox) -> None:
    """A task that ends without success is told as failed, every time, and is not sent again."""
    sandbox.script([ScriptedResponse("No such luck.", state=state)])
    results = [toolkit.pay(PAYMENT, "invoice-1") for _ in range(2)]
    assert [(one.status, one.is_error) for one in results] == [("failed", True)] * 2
    assert "No such luck." in results[0].text
    assert results[0] == results[1]
    assert sends(sandbox) == [PAYMENT]


# --- what goes wrong


def test_an_error_of_the_agent(toolkit: PaymanToolkit, sandbox: Sandbox) -> None:
    """What the agent refuses has failed, and may be tried again; after an error of its own it may have been carried out."""
    sandbox.script([RPCError(-32602, "no"), RPCError(-32603)])
    result = toolkit.pay(PAYMENT, "invoice-1")
    assert (result.status, result.operation) == ("failed", "invoice-1")
    assert "nothing was paid" in result.text
    assert [toolkit.pay(PAYMENT, "invoice-1").status for _ in range(2)] == ["unknown"] * 2
    assert len(sends(sandbox)) == 2


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_refusal_of_the_server(status: int, toolkit: PaymanToolkit, sandbox: Sandbox) -> None:
    """What the server refused is told as that, and the operation can be tried again."""
    sandbox.script([HTTPError(status)])
    assert toolkit.pay(PAYMENT, "invoice-1").status == "refused"
    assert toolkit.pay(PAYMENT, "invoice-1").status == "completed"


def test_payman_cannot_be_reached(sandbox: Sandbox) -> None:
    """Where nothing could be sent, the model may try the same operation again."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        nowhere = httpx.URL(f"http://127.0.0.1:{listener.getsockname()[1]}")

    class Astray(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            request.url = nowhere
            return super().handle_request(request)

    store = MemoryOperationStore()
    with sandbox.client(transport=Astray(), max_retries=0, timeout=0.1) as nobody:
        offline = PaymanToolkit(nobody, store=store)
        result = offline.pay(PAYMENT, "invoice-1")
        assert (result.status, result.is_error) == ("not-sent", True)
        assert "Nothing was sent" in result.text
        assert "tried again with the same operation, invoice-1" in result.text
        assert offline.check("invoice-1").status == "unknown"
        assert offline.ask("list all wallets").status == "failed"
    with connected(sandbox) as client:
        assert PaymanToolkit(client, store=store).pay(PAYMENT, "invoice-1").status == "completed"


def test_a_store_that_fails(client: PaymanClient, sandbox: Sandbox) -> None:
    """Where nothing can be written down, nothing is sent."""

    class Broken(MemoryOperationStore):
        def save(self, operation: object) -> None:
            raise OSError("the disk is full")

    result = PaymanToolkit(client, store=Broken()).pay(PAYMENT, "invoice-1")
    assert (result.status, sends(sandbox)) == ("not-sent", [])
    assert "the disk is full" in result.text


def test_mistakes_of_the_program(client: PaymanClient, sandbox: Sandbox) -> None:
    """What no toolkit can be made of, and a client that is closed, are errors of the program."""

    async def confirm(proposal: ConfirmationRequest) -> bool:
        return True

    wrong: list[dict[str, Any]] = [
        {"client": None}, {"client": sandbox.async_client(http_client=httpx.AsyncClient())},
        {"reader": 5}, {"run_id": ""}, {"run_id": 5}, {"confirm": confirm}, {"confirm": 5}, {"limit": 5}, {"store": object()},
    ]  # fmt: skip
    for given in wrong:
        with pytest.raises(ConfigurationError):
            PaymanToolkit(**{"client": client, **given})
    toolkit = PaymanToolkit(client)
    for operation in ("", " ", "x" * 256, "a\nb", None, 5):
        with pytest.raises(ConfigurationError, match="operation"):
            toolkit.pay(PAYMENT, operation)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="text"):
        toolkit.pay(" ", "invoice-1")
    with pytest.raises(ConfigurationError, match="on_message"):
        toolkit.pay(PAYMENT, "invoice-1", on_message=confirm)
    with pytest.raises(ConfigurationError, match="coroutine"):
        PaymanToolkit(client, confirm=functools.partial(lambda call, proposal: call(proposal), confirm)).pay(
            PAYMENT, "x"
        )
    client.close()
    with pytest.raises(ConfigurationError, match="closed"):
        toolkit.pay(PAYMENT, "invoice-1")
    assert sends(sandbox) == []


def test_a_store_of_another_account(client: PaymanClient) -> None:
    """Operations of another client in the same store are not taken for one's own."""
    store = MemoryOperationStore()
    PaymanToolkit(client, store=store).pay(PAYMENT, "invoice-1")
    [task_id] = store._operations
    store._operations[task_id] = store._operations[task_id].__class__(
        task_id=task_id, account="somebody else"
    )
    with pytest.raises(ConfigurationError, match="of its own"):
        PaymanToolkit(client, store=store).pay(PAYMENT, "invoice-1")


# --- as it happens


def test_events_are_told_where_they_are_wanted(toolkit: PaymanToolkit, sandbox: Sandbox) -> None:
    """With on_message an operation is streamed, and without it is not; the results are of the same kind."""
    events: list[Any] = []
    assert toolkit.pay(PAYMENT, "invoice-1", on_message=events.append).status == "completed"
    assert toolkit.ask("list all wallets", on_message=events.append).status == "completed"
    assert toolkit.pay("send 200 TSD to Test Payee", "invoice-2").status == "input-required"
    assert toolkit.reply("invoice-2", "approve", on_message=events.append).status == "completed"
    assert {event.type for event in events} == {"status_update", "artifact_update"}
    operations = [one.operation for one in sandbox.requests if one.text]
    assert operations == ["send_task_subscribe", "send_task_subscribe", "send_task", "send_task_subscribe"]


def test_what_on_message_raises_comes_out(toolkit: PaymanToolkit, sandbox: Sandbox) -> None:
    """It comes out unchanged, and the operation can be settled: it was sent, and is not sent again."""

    def stop(event: object) -> None:
        raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        toolkit.pay(PAYMENT, "invoice-1", on_message=stop)
    assert toolkit.pay(PAYMENT, "invoice-1").status == "completed"
    assert len(sends(sandbox)) == 1


# --- on an event loop


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_the_same_on_an_event_loop(loop: str, sandbox: Sandbox) -> None:
    """The asynchronous toolkit does the same, and awaits what is a coroutine function."""
    heard: list[Any] = []

    async def confirm(proposal: ConfirmationRequest) -> bool:
        heard.append(proposal.text)
        return True

    async def on_message(event: Any) -> None:
        heard.append(event.type)

    async def main() -> list[OperationResult]:
        async with connected_async(sandbox) as client:
            toolkit = AsyncPaymanToolkit(client, confirm=confirm)
            return [
                await toolkit.ask("list all wallets"),
                await toolkit.ask(PAYMENT),
                await toolkit.pay(BIG, "invoice-1", on_message=on_message),
                await toolkit.pay("other words", "invoice-1"),
                await toolkit.reply("invoice-1", "approve"),
                await toolkit.check("invoice-1"),
                await toolkit.tools[2].call({"operation": "invoice-1"}),
                await toolkit.tools[2].call({}),
            ]

    results = anyio.run(main, backend=loop)
    assert [one.status for one in results] == [
        "completed", "refused", "input-required", "input-required", "completed", "completed", "completed", "invalid",
    ]  # fmt: skip
    assert heard[0] == BIG
    assert heard[-1] == "approve"
    assert "status_update" in heard
    assert sandbox.balance("TSD") == 800


def test_both_toolkits_have_the_same_methods() -> None:
    """Nothing can be done with one that cannot be done with the other."""
    import inspect

    for name in ("__init__", "ask", "pay", "check", "reply"):
        sync, asynchronous = (getattr(one, name) for one in (PaymanToolkit, AsyncPaymanToolkit))
        assert list(inspect.signature(sync).parameters) == list(inspect.signature(asynchronous).parameters)


def test_a_payment_sneaked_through_ask_is_stopped_by_the_scopes(
    sandbox: Sandbox, client: PaymanClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were the words to deceive the toolkit, a reader that is connected with read scopes only moves no money."""
    monkeypatch.setattr(read_only_asks, "may_move_money", lambda text: False)
    with httpx.Client(transport=sandbox.transport()) as http, read_only(sandbox, http) as reader:
        toolkit = PaymanToolkit(client, reader=reader)
        for text in (PAYMENT, "create a payee named Al"):
            result = toolkit.ask(text)
            assert "the access token lacks the scope" in result.text
        assert toolkit.ask("list all wallets").status == "completed"
    assert sandbox.payments == []
