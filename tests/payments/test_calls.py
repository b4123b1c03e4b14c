from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from functools import partial
from typing import Any

import anyio
import pytest
from attrs import evolve

from payman_sdk import PaymanClient
from payman_sdk._core.payment_types import Payee, Payment, PaymentOutcome
from payman_sdk._core.requests import derive_task_id
from payman_sdk.errors import (
    APIConnectionError,
    APIStatusError,
    ConfigurationError,
    IdempotencyKeyReuseError,
    OutcomeUnknownError,
    PaymanError,
    PaymentNotMadeError,
    ResponseValidationError,
    TaskFailedError,
    TaskNotFoundError,
)
from payman_sdk.sandbox import ConnectionLost, HTTPError, RPCError, Sandbox, ScriptedResponse
from tests.deadlines import with_enough_time
from tests.loops import LOOPS, run_on

PAID, AWAITING = PaymentOutcome.PAID, PaymentOutcome.AWAITING_APPROVAL
REFUSED, UNDETERMINED = PaymentOutcome.REFUSED, PaymentOutcome.UNDETERMINED

READS: tuple[Callable[[PaymanClient], list[Any]], ...] = (
    lambda client: client.wallets(),
    lambda client: client.payees(),
    lambda client: client.transactions(),
)


def operations(sandbox: Sandbox) -> list[str | None]:
    return [request.operation for request in sandbox.requests if request.operation != "create_token"]


def test_a_payment_has_what_was_ordered_and_what_came_of_it() -> None:
    with Sandbox() as sandbox, sandbox.client() as client:
        payment = client.pay(
            "test payee", "10", "TSD", memo="coffee", wallet="TSD", idempotency_key="invoice-42"
        )
        made = sandbox.payments[0]
    assert payment.raise_unless_paid() is payment
    assert (payment.outcome, payment.is_paid, payment.reason) == (PAID, True, None)
    assert (payment.payment_id, payment.task_id) == (made.id, made.task_id)
    assert (payment.amount, payment.currency, payment.payee) == (Decimal("10.00"), "TSD", "test payee")
    assert (payment.memo, payment.wallet, payment.idempotency_key) == ("coffee", "TSD", "invoice-42")
    assert made.description == "coffee"
    assert payment.response is not None
    assert payment.session_id == payment.response.session_id == client.get_session_id()
    assert payment.transaction is not None
    assert payment.transaction.id == made.id


def test_a_refusal_in_a_completed_task_is_a_refusal() -> None:
    with Sandbox() as sandbox, sandbox.client() as client:
        payment = client.pay("Test Payee", 900, "TSD")
        assert payment.response is not None
        assert (payment.response.status, payment.outcome) == ("completed", REFUSED)
        with pytest.raises(
            PaymentNotMadeError, match=r"900.00 TSD to Test Payee .* refused: .* limit of"
        ) as raised:
            payment.raise_unless_paid()
        assert (raised.value.payment, raised.value.sent, raised.value.task_id) == (
            payment,
            False,
            payment.task_id,
        )
        waiting = client.pay("Test Payee", 200, "TSD")
        with pytest.raises(PaymentNotMadeError, match="awaiting approval") as raised:
            waiting.raise_unless_paid()
        assert raised.value.sent is True


def test_a_payment_is_ordered_in_the_session_and_checked_in_another() -> None:
    """A conversation pays in its own session; the look at the transactions neither uses it nor is told to the hooks of the user."""
    reported: list[Any] = []
    with Sandbox() as sandbox, sandbox.client(before_send=reported.append, on_task=reported.append) as client:
        conversation = client.conversation()
        payment = conversation.pay("Test Payee", 1, "TSD")
        assert payment.session_id == conversation.get_session_id()
        assert {one.task_id for one in reported} == {payment.task_id}
        sent = [one for one in reported if hasattr(one, "text")]
        assert len(sent) == 1
        assert '"amount": "1.00"' in sent[0].text
        assert operations(sandbox) == ["send_task", "send_task"]
        changed = conversation.pay("Test Payee", 1, "TSD", new_session=True, verify=False)
        assert changed.session_id == conversation.get_session_id() != payment.session_id
        assert operations(sandbox) == ["send_task"] * 3


class BlockedError(Exception):
    pass


def test_what_keeps_an_order_from_being_sent_is_raised() -> None:
    """Unusable options, a guard, a refusal of the server or no connection: nothing was sent, and that is an error."""

    def block(_: object) -> None:
        raise BlockedError

    with Sandbox() as sandbox, sandbox.client(max_retries=0) as client:
        with pytest.raises(BlockedError):
            client.pay("Test Payee", 1, "TSD", before_send=block)
        unusable: Any = ({"timeout": -1}, {"verify": 1}, {"on_event": 1})
        for options in unusable:
            with pytest.raises(ConfigurationError):
                client.pay("Test Payee", 1, "TSD", **options)
        no_options: Any = ({"raise_on_failure": True}, {"on_message": print})
        for unknown in no_options:
            with pytest.raises(TypeError, match="unexpected keyword argument"):
                client.pay("Test Payee", 1, "TSD", **unknown)

        async def awaited(_: object) -> None:
            pass

        with pytest.raises(ConfigurationError, match="on_event is a coroutine function"):
            client.pay("Test Payee", 1, "TSD", on_event=awaited)
        assert operations(sandbox) == []
        refusals: list[HTTPError | RPCError] = [HTTPError(400), HTTPError(403), RPCError(-32602)]
        for failure in refusals:
            sandbox.script([failure])
            with pytest.raises(PaymanError) as refused:
                client.pay("Test Payee", 1, "TSD")
            assert refused.value.sent is False, failure
        sandbox.stop()
        with pytest.raises(APIConnectionError) as unreachable:
            client.pay("Test Payee", 1, "TSD")
        assert unreachable.value.sent is False
        assert sandbox.payments == []


LOST: tuple[ConnectionLost | HTTPError, ...] = (
    ConnectionLost(),
    ConnectionLost(taken=False),
    HTTPError(502, taken=True),
    HTTPError(503, taken=True, headers={"Retry-After": "0"}),
    HTTPError(409, taken=True),
    HTTPError(401, taken=True),
)


@pytest.mark.parametrize("is_streamed", [False, True])
def test_an_answer_that_was_lost_is_looked_up(is_streamed: bool) -> None:
    """A typed payment has the safety of an ask: whatever becomes of the answer, it is made once, and its outcome learned."""
    with Sandbox() as sandbox, sandbox.client() as client:
        events: list[Any] = []
        for number, mishap in enumerate(LOST):
            sandbox.script([mishap])
            payment = client.pay("Test Payee", 1, "TSD", on_event=events.append if is_streamed else None)
            assert payment.outcome is PAID, mishap
            assert len(sandbox.payments) == number + 1, mishap
        assert bool(events) is is_streamed


def test_an_outcome_that_stays_unknown_is_a_result() -> None:
    """What an ask raises as `OutcomeUnknownError` is a payment that is undetermined, with the error and the ids."""
    with Sandbox(tasks_get=False) as sandbox, sandbox.client(max_retries=0) as client:
        sandbox.script([ConnectionLost()])
        payment = client.pay("Test Payee", 1, "TSD")
        assert payment.outcome is UNDETERMINED
        assert isinstance(payment.error, OutcomeUnknownError)
        assert payment.task_id == sandbox.payments[0].task_id
        assert payment.response is None
        assert payment.reason
        with pytest.raises(PaymentNotMadeError) as raised:
            payment.raise_unless_paid()
        assert raised.value.sent is True
        with pytest.raises(ConfigurationError, match="does not wait for approval"):
            client.approve(payment)


def test_a_key_pays_once() -> None:
    """The same key is the same payment, also after it was approved elsewhere; with other arguments it is refused."""
    with Sandbox() as sandbox, sandbox.client() as client:
        first = client.pay("Test Payee", "200", "TSD", idempotency_key="a")
        assert (first.outcome, client.pay("Test Payee", 200, "TSD", idempotency_key="a").outcome) == (
            AWAITING,
            AWAITING,
        )
        sandbox.approve(str(first.task_id))
        again = client.pay("Test Payee", Decimal("200.0"), "TSD", idempotency_key="a")
        assert (again.outcome, again.payment_id) == (PAID, first.payment_id)
        with pytest.raises(IdempotencyKeyReuseError):
            client.pay("Test Payee", 201, "TSD", idempotency_key="a")
        assert len(sandbox.payments) == 1


def test_payments_that_wait_are_approved_and_denied() -> None:
    with Sandbox() as sandbox, sandbox.client() as client:
        events: list[Any] = []
        waiting = client.pay("Test Payee", 200, "TSD", on_event=events.append)
        assert (waiting.outcome, client.payment_status(waiting).outcome) == (AWAITING, AWAITING)
        approved = client.approve(waiting, on_event=events.append)
        assert (approved.outcome, approved.payment_id) == (PAID, waiting.payment_id)
        assert client.payment_status(waiting).outcome is PAID
        assert client.payment_status(str(waiting.task_id)).outcome is PAID
        assert {event["type"] for event in events} == {"status_update", "artifact_update"}
        other = client.pay("Test Payee", 200, "TSD")
        denied = client.deny(other)
        assert denied.outcome is REFUSED
        assert denied.reason is not None
        assert denied.reason.startswith("Denied")
        assert client.payment_status(other).outcome is REFUSED
        for ended in (approved, denied):
            with pytest.raises(ConfigurationError, match="does not wait for approval"):
                client.approve(ended)
        canceled = client.pay("Test Payee", 200, "TSD")
        client.cancel_task(str(canceled.task_id))
        assert client.payment_status(canceled).outcome is PaymentOutcome.FAILED
        assert sandbox.balance("TSD") == Decimal("800.00")


def test_whatever_has_a_task_id_names_its_task() -> None:
    """A payment, an error, an object of the program's; what has none is refused briefly, and says what to pass."""
    with Sandbox() as sandbox, sandbox.client() as client:
        waiting = [client.pay("Test Payee", "200", "TSD") for _ in range(5)]
        assert sandbox.approve(waiting[0]).task_id == waiting[0].task_id
        assert client.wait(waiting[0], timeout=10).state == "completed"
        assert client.get_task(waiting[0]).task_id == waiting[0].task_id
        assert client.reply(waiting[1], "approve").session_id == waiting[1].session_id
        assert client.cancel_task(waiting[2]).state == "canceled"
        sandbox.deny(sandbox.pending_payments[0])
        assert client.payment_status(waiting[3]).outcome is REFUSED
        sandbox.deny(waiting[4].response or {})
        error = PaymanError("It broke.", task_id=waiting[4].task_id)
        assert client.get_task(error).task_id == waiting[4].task_id
        unusable: list[Any] = [
            evolve(waiting[0], task_id=None),
            PaymanError("It broke."),
            object(),
            None,
            5,
            {},
            [],
            "",
        ]
        calls: list[Callable[[Any], object]] = [client.get_task, client.wait, client.cancel_task]
        calls += [lambda task: client.reply(task, "approve"), sandbox.approve, sandbox.deny]
        for call in calls:
            for task in unusable:
                with pytest.raises(ConfigurationError, match=r"^task_id is ") as caught:
                    call(task)
                assert len(str(caught.value)) < 300
        with pytest.raises(
            ConfigurationError, match=r"payment is a str\..* pass client\.payment_status\(task_id\)"
        ):
            client.approve("tsk-1")  # type: ignore[arg-type]


def test_a_reply_that_was_lost_is_undetermined_or_known() -> None:
    with Sandbox() as sandbox, sandbox.client() as client:
        waiting = client.pay("Test Payee", 200, "TSD")
        sandbox.script([ConnectionLost()])
        assert client.approve(waiting).outcome is PAID
        other = client.pay("Test Payee", 200, "TSD")
        sandbox.script([ConnectionLost(taken=False)])
        lost = client.approve(other)
        assert (lost.outcome, lost.task_id, lost.payment_id) == (
            UNDETERMINED,
            other.task_id,
            other.payment_id,
        )
        assert client.payment_status(lost).outcome is AWAITING


def test_the_status_of_what_is_not_a_payment_is_not_guessed() -> None:
    with Sandbox() as sandbox, sandbox.client() as client:
        response = client.ask("send 10 TSD to Test Payee")
        with pytest.raises(ConfigurationError, match=r"not of client\.pay"):
            client.payment_status(response)
        with pytest.raises(TaskNotFoundError):
            client.payment_status("tsk-nobody")
        no_task = Payment(outcome=UNDETERMINED, amount=Decimal(1), currency="TSD", payee="Test Payee")
        with pytest.raises(ConfigurationError, match="no task id"):
            client.payment_status(no_task)


def test_scripted_words_are_not_payment() -> None:
    """An agent that says it paid, in JSON or in words, is not believed without a transaction; `verify=False` believes JSON."""
    claim = (
        '{"status": "paid", "payment_id": "txn-1", "amount": "5.00", "currency": "TSD", '
        '"payee": {"name": "Test Payee", "id": null, "email": null, "paytag": null}, "reason": null}'
    )
    with Sandbox() as sandbox, sandbox.client() as client:
        sandbox.script([claim, None, claim, "Sent 5 TSD to Test Payee.", None])
        payment = client.pay("Test Payee", 5, "TSD")
        assert payment.outcome is UNDETERMINED
        assert payment.reason == "The agent says that it is paid, and no transaction shows it."
        assert client.pay("Test Payee", 5, "TSD", verify=False).outcome is PAID
        assert client.pay("Test Payee", 5, "TSD", verify=False).outcome is UNDETERMINED
        sandbox.script([ScriptedResponse(claim, state="input-required")])
        assert client.pay("Test Payee", 5, "TSD").outcome is UNDETERMINED
        assert sandbox.remaining_script == 0


def test_transactions_that_cannot_be_read_prove_nothing() -> None:
    """When the look at them fails, the payment is undetermined, with the reason; a refusal stays one."""
    with Sandbox() as sandbox, sandbox.client(max_retries=0) as client:
        sandbox.script([None, HTTPError(500)])
        payment = client.pay("Test Payee", 5, "TSD")
        assert (payment.outcome, type(payment.error)) == (UNDETERMINED, type(payment.error))
        assert isinstance(payment.error, APIStatusError)
        assert payment.reason is not None
        assert "The transactions could not be read" in payment.reason
        assert client.payment_status(payment).outcome is PAID
        sandbox.script([None, HTTPError(500)])
        assert client.pay("Test Payee", 900, "TSD").outcome is REFUSED
        sandbox.script([None, ConnectionLost(silent=True)])
        began = time.monotonic()
        pay = partial(client.pay, "Test Payee", 5, "TSD")
        assert with_enough_time(0.5, lambda seconds: pay(timeout=seconds)).outcome is UNDETERMINED
        assert time.monotonic() - began < 100  # the time of an ask is 300


REFUSAL = (
    '{"status": "refused", "payment_id": null, "amount": "5.00", "currency": "TSD", "reason": "the limit", '
    '"payee": {"name": "Test Payee", "id": null, "email": null, "paytag": null}}'
)


def list_of(*rows: object, error: str | None = None) -> str:
    return json.dumps({"transactions": rows, "error": error})


CONTRARY_LISTS: tuple[tuple[str, Callable[[dict[str, Any]], str]], ...] = (
    ("the payee as a text", lambda row: list_of({**row, "payee": "Test Payee"})),
    ("an amount with a comma", lambda row: list_of({**row, "amount": "5,00"})),
    ("an id that is a number", lambda row: list_of({**row, "id": 5})),
    ("a memo that is a list", lambda row: list_of({**row, "memo": []})),
    ("no status", lambda row: list_of({**row, "status": None})),
    ("an item that is null", lambda row: list_of(None)),
    ("a text for a row", lambda row: list_of(row["task_id"])),
    ("an error beside it", lambda row: list_of(row, error="older ones are missing")),
    ("a list alone", lambda row: json.dumps([row])),
    ("two objects", lambda row: list_of(row) + list_of()),
    ("another name of the list", lambda row: json.dumps({"payments": [row]})),
    ("half an object", lambda row: list_of(row)[:-4]),
    ("half an object of no task", lambda row: list_of({**row, "task_id": None})[:-4]),
    ("words with the task", lambda row: f"I found {row['task_id'].upper()}, which was paid."),
)
HARMLESS_LISTS: tuple[tuple[str, Callable[[dict[str, Any]], str]], ...] = (
    ("nothing", lambda row: list_of()),
    ("words", lambda row: "I cannot list them."),
    ("an error", lambda row: json.dumps({"transactions": None, "error": "not now"})),
    ("an odd row of another task", lambda row: list_of({**row, "task_id": f"tsk-{'0' * 36}", "memo": 5})),
    ("an odd row of long ago", lambda row: list_of({**row, "task_id": None, "memo": 5, "created": "2020-01-01T00:00:00Z"})),
)  # fmt: skip


def test_a_refusal_stands_only_where_nothing_unread_may_be_the_payment() -> None:
    """Somebody who is refused pays again; a row, or a list, that cannot be read may say that it is paid already."""
    with Sandbox() as sandbox, sandbox.client(max_retries=0) as client:
        for expected, lists in ((UNDETERMINED, CONTRARY_LISTS), (REFUSED, HARMLESS_LISTS)):
            for what, write in lists:
                row = {
                    "id": "txn-1",
                    "task_id": derive_task_id(sandbox.client_id, what),
                    "status": "INITIATED",
                    "amount": "5.00",
                    "currency": "TSD",
                    "memo": None,
                    "payee": {"name": "Test Payee", "id": None, "email": None, "paytag": None},
                    "created": dt.datetime.now(dt.UTC).isoformat(),
                }
                sandbox.script([REFUSAL, write(row)])
                payment = client.pay("Test Payee", 5, "TSD", idempotency_key=what)
                assert payment.outcome is expected, (what, payment.reason)
                assert sandbox.remaining_script == 0, what


@pytest.mark.slow
def test_a_person_may_take_time_to_allow_a_payment() -> None:
    """The time of the guard is neither that of the payment nor that of the look at the transactions."""

    def think(_: object) -> None:
        time.sleep(2.1)

    with Sandbox() as sandbox, sandbox.client(before_send=think) as client:
        payment = client.pay("Test Payee", 5, "TSD", timeout=2)
        assert payment.outcome is PAID
        made = dt.datetime.fromtimestamp(sandbox.payments[0].created / 1e9, dt.UTC)
        assert payment.ordered_at is not None
        assert made - payment.ordered_at < dt.timedelta(seconds=2.1)


def test_one_transaction_proves_one_payment() -> None:
    """Where transactions name no task, two equal payments need two of them, and an older one proves nothing."""
    claim = (
        '{"status": "paid", "payment_id": null, "amount": "5.00", "currency": "TSD", '
        '"payee": {"name": "Test Payee", "id": null, "email": null, "paytag": null}, "reason": null}'
    )
    with Sandbox(json_answers="unlinked") as sandbox, sandbox.client() as client:
        assert client.pay("Test Payee", 5, "TSD").outcome is PAID
        sandbox.script([claim])
        assert client.pay("Test Payee", 5, "TSD").outcome is UNDETERMINED
        assert client.pay("Test Payee", 5, "TSD").outcome is PAID
        assert len(sandbox.payments) == 2


@pytest.mark.parametrize("key", [None, "invoice-42"])
def test_one_transaction_proves_one_payment_of_all_clients(key: str | None) -> None:
    """Web programs make a client for every request; what has proven a payment of the one proves none of the other."""
    with Sandbox(json_answers="unlinked") as sandbox:
        with sandbox.client() as client:
            made = client.pay("Test Payee", 5, "TSD")
        assert made.outcome is PAID
        claim = {
            "status": "paid",
            "amount": "5.00",
            "currency": "TSD",
            "reason": None,
            "payee": {"name": "Test Payee", "id": None, "email": None, "paytag": None},
        }
        for payment_id in (None, made.payment_id):
            sandbox.script([json.dumps({**claim, "payment_id": payment_id})])
            with sandbox.client() as client:
                options: Any = {} if key is None else {"idempotency_key": f"{key} {payment_id}"}
                assert client.pay("Test Payee", 5, "TSD", **options).outcome is UNDETERMINED
        assert len(sandbox.payments) == 1


def test_threads_pay_the_same_at_the_same_time() -> None:
    with Sandbox() as sandbox, sandbox.client() as client:
        with ThreadPoolExecutor(8) as threads:
            payments = list(threads.map(lambda _: client.pay("Test Payee", 1, "TSD"), range(16)))
        assert {payment.outcome for payment in payments} == {PAID}
        assert {payment.payment_id for payment in payments} == {made.id for made in sandbox.payments}
        assert len(sandbox.payments) == 16


def test_what_a_callback_raises_comes_out_and_the_payment_goes_on() -> None:
    def stop(_: object) -> None:
        raise BlockedError

    with Sandbox() as sandbox, sandbox.client() as client:
        with pytest.raises(BlockedError) as raised:
            client.pay("Test Payee", 1, "TSD", on_event=stop)
        assert sandbox.payments[0].task_id in raised.value.__notes__[0]
        assert raised.value.task_id == sandbox.payments[0].task_id  # type: ignore[attr-defined]


def test_lists_are_typed() -> None:
    with Sandbox() as sandbox, sandbox.client() as client:
        ada = client.create_payee(
            "Ada Lovelace", "TEST_RAILS", email="ada@example.com", idempotency_key="ada"
        )
        assert client.create_payee("Ada Lovelace", "TEST_RAILS", email="ada@example.com") == ada
        assert (ada.name, ada.type, ada.email) == ("Ada Lovelace", "TEST_RAILS", "ada@example.com")
        assert [payee.name for payee in client.payees()] == ["Test Payee", "Ada Lovelace"]
        assert client.payees("ada@") == [ada]
        assert client.payees("nobody") == []
        for payee in (ada, ada.id, ada.email, ada.paytag, "ada lovelace"):
            assert payee is not None
            assert client.pay(payee, 1, "TSD").outcome is PAID, payee
        waiting = client.pay(Payee(name="Test Payee"), 200, "TSD", memo="rent")
        wallet = client.wallets()[0]
        assert (wallet.currency, wallet.balance, wallet.pending) == (
            "TSD",
            Decimal("995.00"),
            Decimal("200.00"),
        )
        assert client.pay("Test Payee", 1, "TSD", wallet=wallet).outcome is PAID
        for name in ("TSD", "tsd", wallet.name, wallet.paytag, wallet.id):
            assert len(client.transactions(2, name)) == 2, name
            assert "limit of 500.00" in str(client.pay("Test Payee", 900, "TSD", wallet=name).reason)
        with pytest.raises(TaskFailedError, match='you have no wallet "EUR"'):
            client.transactions(2, "EUR")
        assert "no wallet" in str(client.pay("Test Payee", 1, "TSD", wallet="EUR").reason)
        newest = client.transactions(2)
        assert [(one.outcome, one.amount, one.memo) for one in newest] == [
            (PAID, Decimal(1), None),
            (AWAITING, Decimal(200), "rent"),
        ]
        assert (newest[1].id, newest[1].task_id) == (waiting.payment_id, waiting.task_id)
        assert all(one.created is not None and one.created.tzinfo is not None for one in newest)
        bank = client.create_payee(
            "Bank",
            "US_ACH",
            account_holder_name="Ada Lovelace",
            account_holder_type="individual",
            account_number="12345678",
            routing_number="021000021",
            account_type="checking",
        )
        assert client.pay(bank, 1, "TSD").outcome is REFUSED


def test_reads_are_repeated_at_once() -> None:
    """They change nothing, so nothing has to settle, and no task is looked up; what fails for good is raised."""
    with Sandbox() as sandbox, sandbox.client(settle_time=600) as client:
        for number, read in enumerate(READS):
            for mishap in (
                ConnectionLost(),
                ConnectionLost(taken=False),
                HTTPError(502),
                HTTPError(503),
                RPCError(-32603),
                "words",
            ):
                sandbox.script([mishap])
                assert isinstance(read(client), list), (number, mishap)
            sandbox.script([HTTPError(403)])
            with pytest.raises(APIStatusError):
                read(client)
            sandbox.script([ScriptedResponse("It broke.", state="failed")])
            with pytest.raises(TaskFailedError, match="It broke"):
                read(client)
            sandbox.script(["words"] * 3)
            with pytest.raises(ResponseValidationError, match="words"):
                read(client)
            sandbox.script(['{"wallets": null, "payees": null, "transactions": null, "error": "Not today."}'])
            with pytest.raises(TaskFailedError, match="Not today"):
                read(client)
        assert set(operations(sandbox)) == {"send_task"}


ODD_LISTS = (
    '{"wallets": 5, "error": null}',
    '{"wallets": [5], "error": null}',
    '{"wallets": [{}], "error": null}',
    '{"wallets": [{"currency": 5}], "error": null}',
    '{"wallets": [{"currency": "TSD", "balance": "1,000"}], "error": null}',
    '{"wallets": [{"currency": "TSD", "balance": true}], "error": null}',
    '{"wallets": [], "error": "Not today."}',
    '{"wallets": [], "error": 5}',
    '{"wallets": []} {"wallets": []}, {"a": 1}',
    "{}",
)


def test_lists_that_are_odd_are_not_read_in_part() -> None:
    with Sandbox() as sandbox, sandbox.client(max_retries=0) as client:
        for odd in ODD_LISTS:
            sandbox.script([odd])
            with pytest.raises(ResponseValidationError):
                client.wallets()
        sandbox.script(['{"wallets": [{"currency": "TSD"}]}'])
        assert client.wallets()[0].balance is None


def test_a_payee_that_may_be_there_is_an_unknown_outcome() -> None:
    with Sandbox() as sandbox, sandbox.client() as client:
        shape = '{"status": "created", "payee": {"name": "Eve", "type": "TEST_RAILS"}, "reason": null}'
        for odd in ("Created Ada.", shape, '{"status": "made"}', '{"status": "created", "payee": null}'):
            sandbox.script([odd])
            with pytest.raises(OutcomeUnknownError) as unknown:
                client.create_payee("Ada", "TEST_RAILS")
            assert (unknown.value.sent, unknown.value.task_id is None) == (True, False), odd
        ada = '{"status": "created", "payee": {"name": "Ada"}, "reason": null}'
        unfinished = ("working", "submitted", "unknown", "input-required", "auth-required")
        states = [(state, text) for state in unfinished for text in ("One moment.", ada)]
        for state, text in [*states, ("failed", ada), ("canceled", ada), ("rejected", ada + '{"a": 1}')]:
            sandbox.script([ScriptedResponse(text, state=state)])
            with pytest.raises(OutcomeUnknownError):
                client.create_payee("Ada", "TEST_RAILS", timeout=2)
        refused = '{"status": "refused", "payee": null, "reason": "Not today."}'
        for state, text in (("completed", refused), ("rejected", refused), ("failed", "Not today.")):
            sandbox.script([ScriptedResponse(text, state=state)])
            with pytest.raises(TaskFailedError, match="Not today"):
                client.create_payee("Ada", "TEST_RAILS")


def test_the_status_of_a_payee_is_read_in_any_case() -> None:
    """As that of a payment: Payman writes its own in capitals."""
    with Sandbox() as sandbox, sandbox.client() as client:
        for status in ("created", "CREATED", "Exists"):
            sandbox.script([f'{{"status": "{status}", "payee": {{"name": "Ada"}}, "reason": null}}'])
            assert client.create_payee("Ada", "TEST_RAILS").name == "Ada"
        sandbox.script(['{"status": "REFUSED", "payee": null, "reason": "Not today."}'])
        with pytest.raises(TaskFailedError, match="Not today"):
            client.create_payee("Ada", "TEST_RAILS")


def test_a_token_without_the_scope_is_refused() -> None:
    with Sandbox() as sandbox:
        token = sandbox.issue_token(scopes=["write_send_payment"])
        with PaymanClient.with_token(sandbox.client_id, token, base_url=sandbox.base_url) as client:
            with pytest.raises(TaskFailedError, match="lacks the scope read_list_wallets"):
                client.wallets()
            payment = client.pay("Test Payee", 1, "TSD")
            assert payment.outcome is UNDETERMINED
            assert payment.reason is not None
            assert "read_list_transactions" in payment.reason
            assert client.pay("Test Payee", 1, "TSD", verify=False).outcome is PAID
        token = sandbox.issue_token(scopes=["read_list_transactions"])
        with PaymanClient.with_token(sandbox.client_id, token, base_url=sandbox.base_url) as client:
            assert client.pay("Test Payee", 1, "TSD").outcome is REFUSED
            with pytest.raises(TaskFailedError, match="write_create_payee"):
                client.create_payee("Ada", "TEST_RAILS")


@pytest.mark.parametrize("loop", LOOPS)
def test_all_of_it_works_in_event_loops(loop: str) -> None:
    async def main() -> None:
        events: list[Any] = []

        async def take(event: Any) -> None:
            events.append(event)

        async with sandbox.async_client() as client:
            payment = await client.pay("Test Payee", 200, "TSD", on_event=take)
            assert payment.outcome is AWAITING
            assert events
            assert (await client.payment_status(payment)).outcome is AWAITING
            assert (await client.approve(payment, on_event=events.append)).outcome is PAID
            conversation = client.conversation()
            assert (
                await conversation.deny(await conversation.pay("Test Payee", 200, "TSD"))
            ).outcome is REFUSED
            ada = await client.create_payee("Ada Lovelace", "TEST_RAILS")
            assert (await client.pay(ada, 1, "TSD")).outcome is PAID
            assert (await client.wallets())[0].balance == Decimal("799.00")
            assert await client.payees("lovelace") == [ada]
            assert len(await client.transactions(10)) == 3

            async def fail(_: object) -> None:
                raise BlockedError

            with pytest.raises(BlockedError) as raised:
                await client.pay("Test Payee", 1, "TSD", on_event=fail)
            assert raised.value.__notes__

    with Sandbox() as sandbox:
        run_on(loop, main)


@pytest.mark.parametrize("loop", LOOPS)
def test_an_interruption_while_transactions_are_read_names_the_payment(loop: str) -> None:
    """Whoever cancels after the payment was made learns its task, and not that of the look."""
    errors: list[BaseException] = []

    async def main() -> None:
        async with sandbox.async_client() as client:

            async def pay() -> None:
                try:
                    await client.pay("Test Payee", 1, "TSD")
                except BaseException as error:
                    errors.append(error)
                    raise

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(pay)
                while len(operations(sandbox)) < 2:  # noqa: ASYNC110 (the sandbox is in another thread)
                    await anyio.sleep(0.005)
                tasks.cancel_scope.cancel()

    with Sandbox() as sandbox:
        sandbox.script([None, ConnectionLost(silent=True)])
        run_on(loop, main)
        assert [getattr(error, "task_id", None) for error in errors] == [sandbox.payments[0].task_id]
