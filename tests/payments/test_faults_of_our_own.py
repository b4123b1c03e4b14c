"""Whatever fails in the SDK itself after an order may have been sent, the payment ends as one that may have been made."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from payman_sdk._core import payment_flows
from payman_sdk._core.operations import Proofs
from payman_sdk._core.stream import StreamFlow
from payman_sdk.errors import ConfigurationError, PermissionDeniedError
from payman_sdk.sandbox import HTTPError, Sandbox
from payman_sdk.types import PaymentOutcome


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


def test_a_stream_whose_result_the_sdk_fails_to_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every event was handed out, and the error says that the payment may be made."""
    events: list[object] = []
    with Sandbox() as sandbox, sandbox.client() as client:
        monkeypatch.setattr(StreamFlow, "get_result", fail)
        payment = client.pay("Test Payee", 5, "TSD", on_event=events.append)
        assert payment.outcome is PaymentOutcome.UNDETERMINED
        assert payment.error is not None and payment.error.sent is True
        assert events and len(sandbox.payments) == 1


def test_a_search_that_the_sdk_fails_at_comes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is for whoever writes a test comes out as it is."""
    with Sandbox() as sandbox, sandbox.client() as client:
        monkeypatch.setattr(payment_flows, "search_transactions", fail)
        with pytest.raises(ZeroDivisionError):
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
