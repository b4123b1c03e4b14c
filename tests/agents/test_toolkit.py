"""What the toolkit's operations do, and what a model is told of them."""

from __future__ import annotations

import asyncio
import functools
import json
import socket
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
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
    SpendingLimit,
)
from payman_sdk.agents.stores import Operation
from payman_sdk.agents.stores.sqlite import SQLiteOperationStore
from payman_sdk.errors import (
    ConfigurationError,
    OutcomeUnknownError,
    PaymanError,
    ServerError,
    TaskFailedError,
)
from payman_sdk.sandbox import HTTPError, RPCError, Sandbox, ScriptedResponse
from tests.agents.conftest import BIG, PAYMENT, connected, connected_async, read_sent, sends

# --- reading and free words


def test_lists_are_read_by_typed_calls(toolkit: PaymanToolkit, sandbox: Sandbox) -> None:
    """Lists come as items for the program and as framed lines for the model; nothing is changed."""
    toolkit.pay(*PAYMENT, operation="invoice-1")
    wallets, payees, transactions = toolkit.wallets(), toolkit.payees("test"), toolkit.transactions(5)
    assert [one.status for one in (wallets, payees, transactions)] == ["completed"] * 3
    assert [(one["currency"], one["balance"]) for one in wallets.items or ()] == [("TSD", "990.00")]
    assert [one["name"] for one in payees.items or ()] == ["Test Payee"]
    assert [(one["amount"], one["outcome"]) for one in transactions.items or ()] == [("10.00", "paid")]
    assert '> {"id": ' in wallets.text
    assert json.loads(json.dumps(wallets.to_dict())) == wallets.to_dict()
    assert sends(sandbox) == [PAYMENT]


def test_a_payee_is_created_once(client: PaymanClient, sandbox: Sandbox) -> None:
    """A payee is created once for a name, after a confirmation that shows its fields; the name is then no other order's."""
    shown: list[list[str]] = []
    toolkit = PaymanToolkit(client, confirm=lambda request: shown.append(request.as_lines()) or True)  # type: ignore[func-returns-value]
    first, again = (
        toolkit.create_payee("Ada", "TEST_RAILS", operation="payee-1", email="ada@example.com")
        for _ in range(2)
    )
    assert (first.status, first.to_dict()) == ("completed", again.to_dict())
    assert (first.items or ({},))[0].get("name") == "Ada"
    assert shown[0] == [
        'Action: "create payee"', 'Payee: "Ada"', 'Type: "TEST_RAILS"', 'Email: "ada@example.com"', 'Operation: "payee-1"',
    ]  # fmt: skip
    assert toolkit.create_payee("Eve", "TEST_RAILS", operation="payee-1").status == "refused"
    toolkit.pay(*PAYMENT, operation="invoice-1")
    assert toolkit.create_payee("Eve", "TEST_RAILS", operation="invoice-1").status == "refused"
    allowed = PaymanToolkit(client, limit=SpendingLimit(allowed_payees=["Test Payee"]))
    assert allowed.create_payee("Test Payee", "TEST_RAILS", operation="payee-2").status == "refused"
    assert (
        PaymanToolkit(client, confirm=lambda _: False).create_payee("Eve", "TEST_RAILS", operation="x").status
        == "refused"
    )
    assert [order for order in sends(sandbox) if "Eve" in order] == []


def test_only_a_proven_refusal_of_a_payee_is_called_one(
    client: PaymanClient, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A payee whose task is at work, waits, or may have succeeded may still be created, whatever class the error has."""
    toolkit = PaymanToolkit(client)
    ends = [
        ("no", "failed"),
        ("no", "rejected"),
        ("no", "canceled"),
        ('{"status": "refused", "reason": "no"}', "completed"),
    ]
    for number, (words, state) in enumerate(ends):
        sandbox.script([ScriptedResponse(words, state=state)])
        assert toolkit.create_payee("Ada", "TEST_RAILS", operation=f"a{number}").status == "refused", state

    def fail(error: PaymanError, *_: object, **__: object) -> None:
        raise error

    for error, task in (
        (TaskFailedError("It waits."), SimpleNamespace(is_final=False)),
        (TaskFailedError("It has ended.", sent=True), SimpleNamespace(is_final=True)),
        (TaskFailedError("What task?"), None),
        (OutcomeUnknownError("It is at work.", sent=True), None),
    ):
        if isinstance(error, TaskFailedError):
            error.task = task
        monkeypatch.setattr(client, "create_payee", partial(fail, error))
        result = toolkit.create_payee("Ada", "TEST_RAILS", operation="b")
        assert (result.status, result.is_error, "not known" in result.text) == ("unknown", False, True)


def test_free_words_are_refused_unless_bounded(client: PaymanClient, sandbox: Sandbox) -> None:
    """Words are sent after a person confirmed exactly them, and without a limit; nothing looks at what they say."""
    asked: list[str | None] = []
    confirm = lambda request: asked.append(request.text) or request.text == "list all wallets"  # type: ignore[func-returns-value] # noqa: E731
    limited = {"confirm": confirm, "limit": SpendingLimit(max_payments=9)}
    for options in ({}, limited):
        toolkit = PaymanToolkit(client, **options)  # type: ignore[arg-type]
        assert "payman_ask" not in {tool.name for tool in toolkit.tools}
        assert toolkit.ask("list all wallets").status == "refused"
    toolkit = PaymanToolkit(client, confirm=confirm)
    assert toolkit.tools[-1].name == "payman_ask"
    assert [toolkit.ask(text).status for text in ("list all wallets", "list all payees")] == [
        "completed",
        "refused",
    ]
    assert asked == [*sends(sandbox), "list all payees"] == ["list all wallets", "list all payees"]


def read_only(sandbox: Sandbox, http: httpx.Client) -> PaymanClient:
    """A client of the same account, connected with read scopes only."""
    scopes = ["read_balance", "read_list_wallets", "read_list_payees", "read_list_transactions"]
    token = {**sandbox.issue_token(scopes=scopes), "scope": ",".join(scopes)}
    return PaymanClient.with_token(
        {"client_id": sandbox.client_id, "base_url": "https://sandbox.invalid"}, token, http_client=http
    )


def test_a_reader_asks(sandbox: Sandbox, client: PaymanClient) -> None:
    """With a reader, asks go through it, and payments through the other client."""
    with connected(sandbox) as reader:
        toolkit = PaymanToolkit(client, reader=reader)
        assert toolkit.wallets().status == "completed"
        assert toolkit.pay(*PAYMENT, operation="invoice-1").status == "paid"
        sessions = [one.session_id for one in sandbox.requests if one.operation == "send_task"]
        assert sessions[:2] == [reader.get_session_id(), client.get_session_id()]


# --- pay, check, reply


def test_a_payment_is_made_and_reported(toolkit: PaymanToolkit, sandbox: Sandbox) -> None:
    """A payment is made, and the result says so in few facts that JSON can hold."""
    result = toolkit.pay(*PAYMENT, operation="invoice-1")
    [payment] = sandbox.payments
    assert result.to_dict() == {
        "text": result.text,
        "status": "paid",
        "operation": "invoice-1",
        "task_id": payment.task_id,
        "payee": "Test Payee",
        "amount": "10.00",
        "currency": "TSD",
        "reason": None,
        "payment_id": payment.id,
        "items": None,
    }
    assert result.text == 'Paid: 10.00 TSD to "Test Payee". This was operation invoice-1.'
    assert json.loads(json.dumps(result.to_dict())) == result.to_dict()
    assert str(result) == result.text


def test_the_same_operation_is_reported_the_same(toolkit: PaymanToolkit, sandbox: Sandbox) -> None:
    """However often it is paid and checked, it is paid once, and every result is the same, byte for byte."""
    first = toolkit.pay(*PAYMENT, operation="invoice-1")
    again = [
        toolkit.pay("Test Payee", 10, "TSD", operation="invoice-1 "),
        toolkit.check("invoice-1"),
        toolkit.pay(*PAYMENT, operation="invoice-1"),
    ]
    assert [one.to_dict() for one in again] == [first.to_dict()] * 3
    assert len(sandbox.payments) == 1
    assert sends(sandbox) == [PAYMENT]


@pytest.mark.parametrize("is_shared", [True, False])
def test_another_order_under_a_name_pays_nothing(
    is_shared: bool, client: PaymanClient, sandbox: Sandbox
) -> None:
    """Another order under the same name pays nothing and is told so, behind the first result; also where the store knows nothing of it."""
    store = MemoryOperationStore()
    first = PaymanToolkit(client, store=store).pay(*PAYMENT, operation="invoice-1")
    toolkit = PaymanToolkit(client, store=store if is_shared else None)
    other = toolkit.pay("Somebody Else", "500", "TSD", operation="invoice-1")
    assert other.text.startswith(first.text)
    assert (other.status, other.task_id) == ("paid", first.task_id)
    assert "is the name of another order: 10.00 TSD to" in other.text
    assert "What was ordered now has NOT been paid" in other.text
    assert sends(sandbox) == [PAYMENT]
    assert toolkit.pay("Somebody Else", "500", "TSD", operation="invoice-1").to_dict() == other.to_dict()


def test_every_part_of_an_order_counts(toolkit: PaymanToolkit, sandbox: Sandbox) -> None:
    """Another payee, amount, currency or memo is another order."""
    toolkit.pay(*PAYMENT, operation="invoice-1", memo="coffee")
    others: list[tuple[tuple[str, str, str], str | None]] = [
        (("Test payee", "10", "TSD"), "coffee"), (("Test Payee", "10.01", "TSD"), "coffee"),
        (("Test Payee", "10", "USD"), "coffee"), (PAYMENT, None), (PAYMENT, "Coffee"),
    ]  # fmt: skip
    for order, memo in others:
        result = toolkit.pay(*order, operation="invoice-1", memo=memo)
        assert '10.00 TSD to "Test Payee", memo "coffee"' in result.text, (order, memo)
    assert sends(sandbox) == [PAYMENT]


@pytest.mark.parametrize("name", [" invoice-42\n", "invoice\u201142", "invoice\u201042"])
def test_names_that_look_the_same(name: str, toolkit: PaymanToolkit, sandbox: Sandbox) -> None:
    """White space around a name, and hyphens that look like the usual one, make no other operation."""
    first = toolkit.pay(*PAYMENT, operation="invoice-42")
    assert toolkit.pay(*PAYMENT, operation=name) == toolkit.check(name) == first
    assert sends(sandbox) == [PAYMENT]


def test_an_operation_that_nobody_knows(toolkit: PaymanToolkit, sandbox: Sandbox) -> None:
    """Checking a name that was never paid finds nothing, and sends nothing."""
    result = toolkit.check("invoice-9")
    assert (result.status, result.is_error) == ("not-found", True)
    assert toolkit.reply("invoice-9", "approve").status == "not-found"
    assert sends(sandbox) == []


def test_another_store_finds_what_was_paid(client: PaymanClient) -> None:
    """What this store knows nothing of, Payman still tells by the name."""
    first = PaymanToolkit(client).pay(*PAYMENT, operation="invoice-1")
    assert PaymanToolkit(client).check("invoice-1").to_dict() == first.to_dict()
    assert PaymanToolkit(client).pay(*PAYMENT, operation="invoice-1").to_dict() == first.to_dict()


def test_an_approval_is_given_once(toolkit: PaymanToolkit, sandbox: Sandbox) -> None:
    """A payment that waits is approved by a reply; the same reply again is told what came of it, and is not sent."""
    waits = toolkit.pay(*BIG, operation="invoice-1")
    assert (waits.status, waits.is_error) == ("awaiting-approval", False)
    assert toolkit.pay(*BIG, operation="invoice-1").to_dict() == waits.to_dict()
    done = toolkit.reply("invoice-1", "approve")
    again = toolkit.reply("invoice-1", "approve")
    assert (done.status, again.status) == ("paid", "paid")
    assert "was not sent again" in again.text
    assert sends(sandbox) == [BIG, "approve"]
    assert sandbox.balance("TSD") == 800
    assert (
        toolkit.check("invoice-1").to_dict()
        == toolkit.pay(*BIG, operation="invoice-1").to_dict()
        == done.to_dict()
    )


def test_a_payment_that_was_decided_elsewhere(toolkit: PaymanToolkit, sandbox: Sandbox) -> None:
    """What somebody decided in the dashboard is told, and a reply to it is not sent."""
    waits = toolkit.pay(*BIG, operation="invoice-1")
    sandbox.approve(waits.task_id or "")
    assert toolkit.check("invoice-1").status == "paid"
    late = toolkit.reply("invoice-1", "approve")
    assert "The decision was not sent" in late.text
    assert sends(sandbox) == [BIG]


def test_a_task_is_replied_to_by_its_id(client: PaymanClient, toolkit: PaymanToolkit) -> None:
    """A payment that waits can be named by the id of its task, whoever ordered it; a task of free words takes no decision."""
    waits = client.pay(*BIG)
    assert toolkit.check(waits.task_id or "").status == "awaiting-approval"
    assert toolkit.reply(waits.task_id or "", "deny").status == "refused"
    words = client.ask("send 200 TSD to Test Payee")
    assert toolkit.check(words.task_id).status == "input-required"
    assert "does not wait for one" in toolkit.reply(words.task_id, "approve").text


def test_the_id_of_a_task_is_not_a_name(toolkit: PaymanToolkit, sandbox: Sandbox) -> None:
    """Who gives a task's id as the name of a payment is told so: it could not be checked under it."""
    task_id = toolkit.pay(*PAYMENT, operation="invoice-1").task_id or ""
    result = toolkit.pay(*PAYMENT, operation=task_id)
    assert (result.status, "no name of an operation" in result.text) == ("invalid", True)
    assert sends(sandbox) == [PAYMENT]


@pytest.mark.parametrize("state", ["failed", "canceled"])
def test_a_payment_that_fails(state: str, toolkit: PaymanToolkit, sandbox: Sandbox) -> None:
    """A task that ends without success is told as failed, every time, and is not sent again."""
    sandbox.script([ScriptedResponse("No such luck.", state=state)])
    results = [toolkit.pay(*PAYMENT, operation="invoice-1") for _ in range(2)]
    assert [(one.status, one.is_error) for one in results] == [("failed", True)] * 2
    assert results[0].reason in {"Processing failed", "Canceled"}
    assert results[0] == results[1]
    assert sends(sandbox) == [PAYMENT]


# --- what goes wrong


def test_an_error_of_the_agent(toolkit: PaymanToolkit, sandbox: Sandbox) -> None:
    """What the agent refuses has failed, and may be tried again; after an error of its own it may have been carried out."""
    sandbox.script([RPCError(-32602, "no"), RPCError(-32603)])
    result = toolkit.pay(*PAYMENT, operation="invoice-1")
    assert (result.status, result.operation) == ("failed", "invoice-1")
    assert "nothing was paid" in result.text
    assert [toolkit.pay(*PAYMENT, operation="invoice-1").status for _ in range(2)] == ["unknown"] * 2
    assert len(sends(sandbox)) == 2


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_refusal_of_the_server(status: int, toolkit: PaymanToolkit, sandbox: Sandbox) -> None:
    """What the server refused is told as that, and the operation can be tried again."""
    sandbox.script([HTTPError(status)])
    assert toolkit.pay(*PAYMENT, operation="invoice-1").status == "refused"
    assert toolkit.pay(*PAYMENT, operation="invoice-1").status == "paid"


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
        result = offline.pay(*PAYMENT, operation="invoice-1")
        assert (result.status, result.is_error) == ("not-sent", True)
        assert "Nothing was sent" in result.text
        assert "tried again with the same operation, invoice-1" in result.text
        assert offline.check("invoice-1").status == "unknown"
        assert offline.wallets().status == "failed"
    with connected(sandbox) as client:
        assert PaymanToolkit(client, store=store).pay(*PAYMENT, operation="invoice-1").status == "paid"


def test_a_store_that_fails(client: PaymanClient, sandbox: Sandbox) -> None:
    """Where nothing can be written down, nothing is sent."""

    class Broken(MemoryOperationStore):
        def save(self, operation: object) -> None:
            raise OSError("the disk is full")

    result = PaymanToolkit(client, store=Broken()).pay(*PAYMENT, operation="invoice-1")
    assert (result.status, sends(sandbox)) == ("not-sent", [])
    assert "the disk is full" in result.text


def test_mistakes_of_the_program(client: PaymanClient, sandbox: Sandbox) -> None:
    """What no toolkit can be made of, and a client that is closed, are errors of the program."""

    async def confirm(proposal: ConfirmationRequest) -> bool:
        return True

    class Confirm:
        async def __call__(self, proposal: ConfirmationRequest) -> bool:
            return True

    wrong: list[dict[str, Any]] = [
        {"client": None}, {"client": sandbox.async_client(http_client=httpx.AsyncClient())},
        {"reader": 5}, {"run_id": ""}, {"run_id": 5}, {"confirm": confirm}, {"confirm": Confirm()}, {"confirm": 5}, {"limit": 5}, {"store": object()},
        {"run_id": " \n"}, {"run_id": "x" * 256}, {"run_id": "a\ud800"}, {"run_id": b"monday"},
        {"store": MemoryOperationStore}, {"store": SQLiteOperationStore},
    ]  # fmt: skip
    for given in wrong:
        with pytest.raises(ConfigurationError, match=next(iter(given))):
            PaymanToolkit(**{"client": client, **given})
    with pytest.raises(ConfigurationError, match="Give an AsyncPaymanClient"):
        AsyncPaymanToolkit(client)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="store is the class SQLiteOperationStore"):
        PaymanToolkit(client, store=SQLiteOperationStore)  # type: ignore[arg-type]
    toolkit = PaymanToolkit(client)
    for operation in ("", " ", "x" * 256, "a\nb", None, 5):
        with pytest.raises(ConfigurationError, match="operation"):
            toolkit.pay(*PAYMENT, operation=operation)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="payee"):
        toolkit.pay(" ", "1", "TSD", operation="invoice-1")
    with pytest.raises(ConfigurationError, match="decision"):
        toolkit.reply("invoice-1", "yes")  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="on_message"):
        toolkit.pay(*PAYMENT, operation="invoice-1", on_message=confirm)
    with pytest.raises(ConfigurationError, match="coroutine"):
        PaymanToolkit(client, confirm=functools.partial(lambda call, proposal: call(proposal), confirm)).pay(
            *PAYMENT, operation="x"
        )
    client.close()
    with pytest.raises(ConfigurationError, match="closed"):
        toolkit.pay(*PAYMENT, operation="invoice-1")
    assert sends(sandbox) == []


def test_a_store_of_another_account(client: PaymanClient) -> None:
    """Operations of another client in the same store are not taken for one's own."""
    store = MemoryOperationStore()
    task_id = PaymanToolkit(client, store=store).pay(*PAYMENT, operation="invoice-1").task_id
    assert task_id is not None
    store.save(Operation(task_id=task_id, account="somebody else"))
    with pytest.raises(ConfigurationError, match="Give every account its own store"):
        PaymanToolkit(client, store=store).pay(*PAYMENT, operation="invoice-1")


def test_an_application_and_a_person_are_two_accounts(client: PaymanClient, sandbox: Sandbox) -> None:
    """What the application did is not reported to a person whom it acts for, nor the other way round; nothing more is sent."""
    with httpx.Client(transport=sandbox.transport()) as http:
        config = {"client_id": sandbox.client_id, "base_url": client._config.base_url}
        person = PaymanClient.with_token(config, sandbox.issue_token(), http_client=http)
        for name, first, second in (("rent", client, person), ("wage", person, client)):
            store = MemoryOperationStore()
            PaymanToolkit(first, store=store).pay(*PAYMENT, operation=name)
            sent, other = sends(sandbox), PaymanToolkit(second, store=store)
            for call in (
                partial(other.pay, *PAYMENT),
                other.check,
                partial(other.reply, decision="approve"),
                partial(other.create_payee, "Ada", "TEST_RAILS"),
            ):
                with pytest.raises(ConfigurationError, match="Give every account its own store"):
                    call(operation=name)
            assert sends(sandbox) == sent


# --- as it happens


def test_events_are_reported_where_they_are_wanted(toolkit: PaymanToolkit, sandbox: Sandbox) -> None:
    """With on_message an operation is streamed, and without it is not; the results are of the same kind."""
    events: list[Any] = []
    assert toolkit.pay(*PAYMENT, operation="invoice-1", on_message=events.append).status == "paid"
    assert toolkit.pay(*BIG, operation="invoice-2").status == "awaiting-approval"
    assert toolkit.reply("invoice-2", "approve", on_message=events.append).status == "paid"
    assert {event.type for event in events} == {"status_update", "artifact_update"}
    kinds = [one.operation for one in sandbox.requests if one.text and read_sent(one.text) is not None]
    assert kinds == ["send_task_subscribe", "send_task", "send_task_subscribe"]


def test_what_on_message_raises_comes_out(toolkit: PaymanToolkit, sandbox: Sandbox) -> None:
    """It comes out unchanged, and the operation can be settled: it was sent, and is not sent again."""

    def stop(event: object) -> None:
        raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        toolkit.pay(*PAYMENT, operation="invoice-1", on_message=stop)
    assert toolkit.pay(*PAYMENT, operation="invoice-1").status == "paid"
    assert len(sends(sandbox)) == 1


# --- on an event loop


def test_an_error_of_the_sdk_that_a_hook_raises_comes_out(sandbox: Sandbox) -> None:
    """What a hook raises comes out of every call, even if the SDK raises the same class itself."""

    def fail(about: object) -> None:
        raise ServerError("the metrics are down")

    def check(toolkit: PaymanToolkit, *calls: Callable[[], OperationResult]) -> None:
        for call in calls:
            with pytest.raises(ServerError, match="the metrics are down"):
                call()

    with connected(sandbox) as client:
        toolkit = PaymanToolkit(client, confirm=lambda request: True)
        check(toolkit, lambda: toolkit.ask("list all wallets", on_message=fail))
    with connected(sandbox, on_task=fail) as client:
        toolkit = PaymanToolkit(client, confirm=lambda request: True)
        create = partial(toolkit.create_payee, "Ada", "TEST_RAILS", operation="payee-ada")
        check(toolkit, partial(toolkit.ask, "list all wallets"), create)
    with connected(sandbox, on_retry=fail, max_retries=1) as client:
        toolkit = PaymanToolkit(client, confirm=lambda request: True)
        create = partial(toolkit.create_payee, "Bob", "TEST_RAILS", operation="payee-bob")
        for call in (
            partial(toolkit.ask, "hello"),
            create,
            toolkit.wallets,
            toolkit.payees,
            toolkit.transactions,
        ):
            sandbox.script([HTTPError(429, headers={"Retry-After": "0"})])
            check(toolkit, call)


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_the_same_on_an_event_loop(loop: str, sandbox: Sandbox) -> None:
    """The asynchronous toolkit does the same, and awaits what is a coroutine function."""
    received: list[Any] = []

    async def confirm(proposal: ConfirmationRequest) -> bool:
        received.append(proposal.action)
        return proposal.action != "ask"

    async def on_message(event: Any) -> None:
        received.append(event.type)

    async def main() -> list[OperationResult]:
        async with connected_async(sandbox) as client:
            toolkit = AsyncPaymanToolkit(client, confirm=confirm)
            return [
                await toolkit.wallets(),
                await toolkit.ask("list all wallets"),
                await toolkit.pay(*BIG, operation="invoice-1", on_message=on_message),
                await toolkit.pay("Test Payee", "11", "TSD", operation="invoice-1"),
                await toolkit.reply("invoice-1", "approve"),
                await toolkit.check("invoice-1"),
                await toolkit.tools[5].call({"operation": "invoice-1"}),
                await toolkit.tools[5].call({}),
            ]

    results = anyio.run(main, backend=loop)
    assert [one.status for one in results] == [
        "completed", "refused", "awaiting-approval", "awaiting-approval", "paid", "paid", "paid", "invalid",
    ]  # fmt: skip
    assert received[:2] == ["ask", "pay"]
    assert received[-1] == "approve"
    assert "status_update" in received
    assert sandbox.balance("TSD") == 800


def test_a_loop_that_is_closed_amid_an_operation_holds_it_no_longer(sandbox: Sandbox) -> None:
    """Even if its task is never cancelled and still referenced; another loop then does the operation."""
    store, loop, asked = MemoryOperationStore(), asyncio.new_event_loop(), asyncio.Event()

    async def confirm(proposal: ConfirmationRequest) -> bool:
        asked.set()
        await asyncio.sleep(600)
        return False

    async def pay(**options: Any) -> OperationResult:
        client = sandbox.async_client(transport=sandbox.transport)
        toolkit = AsyncPaymanToolkit(client, run_id="r", store=store, **options)
        return await toolkit.pay("Test Payee", "11", "TSD", operation="invoice-1")

    left = loop.create_task(pay(confirm=confirm))
    loop.run_until_complete(asked.wait())
    loop.close()
    assert asyncio.run(pay(confirm=lambda proposal: True)).status == "paid"
    assert not left.done()


def test_both_toolkits_have_the_same_methods() -> None:
    """Nothing can be done with one that cannot be done with the other."""
    import inspect

    names = ("__init__", "pay", "wallets", "payees", "transactions", "create_payee", "check", "reply", "ask")
    for name in names:
        sync, asynchronous = (getattr(one, name) for one in (PaymanToolkit, AsyncPaymanToolkit))
        assert list(inspect.signature(sync).parameters) == list(inspect.signature(asynchronous).parameters)


def test_free_words_with_a_token_that_only_reads(sandbox: Sandbox, client: PaymanClient) -> None:
    """A reader that is connected with read scopes only may be asked anything, also in a run with a limit; it moves no money."""
    with httpx.Client(transport=sandbox.transport()) as http, read_only(sandbox, http) as reader:
        toolkit = PaymanToolkit(client, reader=reader, limit=SpendingLimit(max_payments=0))
        assert toolkit.tools[-1].name == "payman_ask"
        for text in ("send 10 TSD to Test Payee", "create a payee named Al"):
            result = toolkit.ask(text)
            assert "the access token lacks the scope" in result.text
        assert toolkit.wallets().status == "completed"
    assert sandbox.payments == []
