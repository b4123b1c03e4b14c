"""Whatever fails in the SDK itself after an order may have been sent, the payment ends as one that may have been made."""

from __future__ import annotations

import builtins
import datetime as dt
import threading
from typing import Any

import pytest

from payman_sdk._core import payment_flows
from payman_sdk._core.operations import Proofs
from payman_sdk._core.stream import StreamFlow
from payman_sdk.errors import ConfigurationError, OutcomeUnknownError, PermissionDeniedError
from payman_sdk.sandbox import HTTPError, Sandbox
from payman_sdk.types import PaymentOutcome
from tests.tables import table


def fail(*_: Any, **__: Any) -> Any:
    raise ZeroDivisionError


def test_an_answer_that_the_sdk_fails_to_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The transactions show the payment all the same; where they prove another one, it is undetermined."""
    with Sandbox() as sandbox, sandbox.client() as client:
        monkeypatch.setattr(payment_flows, "read_claim", fail)
        assert client.pay("Test Payee", 5, "TSD").outcome is PaymentOutcome.PAID
        unread = client.pay("Test Payee", 6, "TSD", verify=False)
        assert unread.outcome is PaymentOutcome.PAID  # nothing was read, so that they are looked at after all
        monkeypatch.setattr(Proofs, "take", lambda *_: False)
        lost = client.pay("Test Payee", 7, "TSD")
        assert (lost.outcome, lost.reason) == (
            PaymentOutcome.UNDETERMINED,
            "Its transaction shows another payment.",
        )
        assert len(sandbox.payments) == 3


FAULTS = (
    "read_claim",
    "search_transactions",
    "prove",
    "read_moment",
    "sanitize_line",
    "Stopwatch.seconds",
)


@pytest.mark.slow
@table("part", FAULTS)
def test_whatever_fails_after_the_answer_leaves_a_payment(part: str) -> None:
    """It may be made, so that no exception may come in its place, whether it is streamed or decided."""
    place: Any = getattr(payment_flows, part.rpartition(".")[0], payment_flows)
    with Sandbox() as sandbox, sandbox.client() as client, pytest.MonkeyPatch.context() as patch:
        waits = client.pay("Test Payee", 200, "TSD")
        patch.setattr(place, part.rpartition(".")[2], fail)
        plain = client.pay("Test Payee", 5, "TSD", idempotency_key="invoice-42")
        streamed = client.pay("Test Payee", 6, "TSD", on_event=lambda _: None)
        decided = client.approve(waits)
        again = client.payment_status(plain)
        made = [one.task_id for one in sandbox.payments]
    assert [one.task_id for one in (waits, plain, streamed)] == made
    for payment in (plain, streamed, decided, again):
        assert payment.outcome in (PaymentOutcome.PAID, PaymentOutcome.UNDETERMINED)
        assert payment.task_id in made and payment.response is not None
    assert (plain.idempotency_key, again.idempotency_key) == ("invoice-42", "invoice-42")


def test_a_module_that_cannot_be_read_after_sending_is_no_exception(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that is out of file descriptors imports nothing any more; what it has ordered may be made all the same."""
    known, answered, main = builtins.__import__, list[object](), threading.get_ident()

    def refuse(name: str, *rest: Any, **named: Any) -> Any:
        importer = (rest[0] if rest else named.get("globals")) or {}
        asks = answered and threading.get_ident() == main
        if asks and str(importer.get("__name__")).startswith("payman_sdk._core"):
            raise OSError(24, "Too many open files", name)
        return known(name, *rest, **named)

    with Sandbox() as sandbox, sandbox.client() as client:
        monkeypatch.setattr(builtins, "__import__", refuse)
        payment = client.pay("Test Payee", 5, "TSD", on_task=answered.append)
        answered.clear()
        response = client.ask("send 6 TSD to Test Payee", on_task=answered.append)
        monkeypatch.undo()
        assert (payment.outcome, response.status) == (PaymentOutcome.PAID, "completed")
        assert [payment.task_id, response.task_id] == [one.task_id for one in sandbox.payments]


def test_a_stream_whose_result_the_sdk_fails_to_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every event was handed out, and the error says that it may be done, where nobody asks for a payment as well."""
    events: list[object] = []
    with Sandbox() as sandbox, sandbox.client() as client:
        monkeypatch.setattr(StreamFlow, "format_answer", fail)
        payment = client.pay("Test Payee", 5, "TSD", on_event=events.append)
        assert payment.outcome is PaymentOutcome.UNDETERMINED
        assert payment.error is not None and payment.error.sent is True
        with pytest.raises(OutcomeUnknownError) as caught:
            client.ask("send 6 TSD to Test Payee", on_message=events.append)
        with (
            client.stream("send 7 TSD to Test Payee") as stream,
            pytest.raises(OutcomeUnknownError) as unread,
        ):
            stream.result()
        ids = [payment.task_id, caught.value.task_id, unread.value.task_id]
        assert caught.value.sent is unread.value.sent is True
        assert events and ids == [one.task_id for one in sandbox.payments]


def test_a_request_that_no_cassette_holds_comes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is for whoever writes a test."""
    foreign = type("CannotOverwriteExistingRequestException", (Exception,), {"__module__": "vcr.errors"})

    def refuse(*_: Any) -> Any:
        raise foreign

    with Sandbox() as sandbox, sandbox.client() as client:
        monkeypatch.setattr(payment_flows, "search_transactions", refuse)
        with pytest.raises(foreign):
            client.pay("Test Payee", 5, "TSD")


def test_the_time_of_an_answer_may_be_any(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first moment of all has none before it."""
    with Sandbox() as sandbox, sandbox.client() as client:
        monkeypatch.setattr(payment_flows, "read_moment", lambda _: dt.datetime(1, 1, 1, tzinfo=dt.UTC))
        payment = client.pay("Test Payee", 5, "TSD")
        assert (payment.outcome, payment.ordered_at) == (PaymentOutcome.PAID, None)


def test_a_decision_that_was_not_sent_is_an_error() -> None:
    """It decides nothing; and a task that has ended takes no decision."""
    with Sandbox() as sandbox, sandbox.client() as client:
        payment = client.pay("Test Payee", 200, "TSD")
        assert payment.outcome is PaymentOutcome.AWAITING_APPROVAL
        sandbox.script([HTTPError(403)])
        with pytest.raises(PermissionDeniedError):
            client.approve(payment)
        assert client.approve(payment).outcome is PaymentOutcome.PAID
        assert payment.response is not None
        payment.response["state"] = "completed"
        with pytest.raises(ConfigurationError, match="has ended"):
            client.approve(payment)
