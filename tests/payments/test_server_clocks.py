"""When an order was made, by the clock of a server: only what came after it may prove a payment."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator, Sequence
from email.utils import format_datetime
from typing import Any

import pytest

from payman_sdk import PaymanClient
from payman_sdk._core.orders import read_order_line
from payman_sdk.types import PaymentOutcome
from tests.peer import ASK_PATH, GET_PATH, Answer, Peer, Request, json_answer, task_for
from tests.tables import table

PAID, UNDETERMINED = PaymentOutcome.PAID, PaymentOutcome.UNDETERMINED


def write(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def claim_paid(
    stamp: object, created: dt.datetime, status: str = "paid", others: Sequence[Any] = (), **headers: str
) -> Answer:
    """An agent that says that it paid, and lists a payment that names no task."""

    def answer(request: Request) -> Iterator[bytes]:
        message = request.json["params"].get("message")
        order = (
            {"operation": "pay"} if message is None else read_order_line(message["parts"][0]["text"]) or {}
        )
        payee = {"name": "Test Payee"}
        said: dict[str, Any] = {"amount": "10.00", "currency": "TSD", "payee": payee}
        if order["operation"] == "pay":
            said |= {"status": status, "payment_id": None, "reason": None}
        else:
            listed = {"id": "txn-1", "status": "INITIATED", "memo": None, "created": write(created)}
            said = {"transactions": [{**said, **listed}, *others]}
        parts = [{"type": "text", "text": json.dumps(said)}]
        state = {"state": "completed", "timestamp": stamp}
        task = task_for(request, status=state, artifacts=[{"parts": parts, "index": 0}])
        document = {"jsonrpc": "2.0", "id": request.json["id"], "result": task}
        return json_answer(document, 200, **headers)(request)

    return answer


def pay(peer: Peer, answer: Answer, **options: Any) -> PaymentOutcome:
    peer.always(ASK_PATH, answer)
    with PaymanClient(client_id="a", client_secret="b", base_url=peer.base_url, max_retries=0) as client:
        return client.pay("Test Payee", 10, "TSD", **options).outcome


STAMPS: dict[str, Callable[[dt.datetime], object]] = {
    "zero": lambda now: 0,
    "a number that is no time": lambda now: 12345.6,
    "1970": lambda now: "1970-01-01T00:00:00Z",
    "an example's": lambda now: "2025-06-27T16:31:41.510422505Z",
    "last week's": lambda now: write(now - dt.timedelta(days=7)),
    "an hour ago": lambda now: write(now - dt.timedelta(hours=1)),
}


@table("name", list(STAMPS))
def test_a_state_that_is_older_than_its_order_lets_no_old_payment_prove(name: str, peer: Peer) -> None:
    now = dt.datetime.now(dt.UTC)
    before = claim_paid(STAMPS[name](now), now - dt.timedelta(minutes=30))
    assert pay(peer, before) is UNDETERMINED
    assert pay(peer, before, idempotency_key=f"invoice of {name}") is UNDETERMINED


@pytest.mark.parametrize("ahead", [dt.timedelta(0), dt.timedelta(days=-400), dt.timedelta(hours=5)])
def test_the_clock_that_counts_is_the_servers(ahead: dt.timedelta, peer: Peer) -> None:
    """Where the server says what time it is, the clock of this machine does not matter."""
    there = dt.datetime.now(dt.UTC) + ahead
    date = format_datetime(there, usegmt=True)
    assert pay(peer, claim_paid(write(there), there, date=date)) is PAID
    assert pay(peer, claim_paid(write(there), there - dt.timedelta(hours=1), date=date)) is UNDETERMINED
    stale = claim_paid(write(there - dt.timedelta(hours=2)), there - dt.timedelta(hours=1), date=date)
    assert pay(peer, stale) is UNDETERMINED
    assert pay(peer, claim_paid(write(there), there, date="no date")) is UNDETERMINED


def test_a_key_that_was_used_before_is_proven_by_the_payment_of_then(peer: Peer) -> None:
    """The answer of a task that the agent knows already is as old as its payment."""
    then = dt.datetime.now(dt.UTC) - dt.timedelta(days=3)
    outcomes: list[PaymentOutcome] = []
    for when in (then + dt.timedelta(days=3), then):
        outcomes.append(pay(peer, claim_paid(write(when), when), idempotency_key="invoice-1"))
        peer.always(GET_PATH, claim_paid(write(then), then))
    assert outcomes == [PAID, PAID]


def test_an_earlier_call_with_the_key_may_have_made_the_payment(peer: Peer) -> None:
    """Its answer may have been lost, and the agent may not know its task; a call without a key orders nothing before it began."""
    now = dt.datetime.now(dt.UTC)
    answer = claim_paid(write(now), now - dt.timedelta(seconds=60))
    assert pay(peer, answer, idempotency_key="invoice-2") is PAID
    assert pay(peer, answer) is UNDETERMINED


def test_a_refusal_that_is_read_later_is_not_doubted_for_old_payments(peer: Peer) -> None:
    """Without the time of the order, only what was made in the time that a call has may contradict it."""
    now = dt.datetime.now(dt.UTC)
    for stamp in (write(now), "1970-01-01T00:00:00Z"):
        for made, outcome in (
            (dt.timedelta(days=30), PaymentOutcome.REFUSED),
            (dt.timedelta(0), UNDETERMINED),
        ):
            refuse = claim_paid(stamp, now - made, status="refused")
            assert pay(peer, refuse) is outcome, (stamp, made)


def test_a_row_that_cannot_be_read_hides_no_payment_and_is_named(peer: Peer) -> None:
    """What else is on its page proves nothing, and contradicts a refusal."""
    now = dt.datetime.now(dt.UTC)
    for status in ("paid", "refused"):
        answer = claim_paid(write(now), now, status=status, others=[{"id": "txn-0", "status": None}])
        peer.always(ASK_PATH, answer)
        with PaymanClient(client_id="a", client_secret="b", base_url=peer.base_url) as client:
            payment = client.pay("Test Payee", 10, "TSD")
        assert (payment.outcome, payment.transaction) == (UNDETERMINED, None)
        assert "transactions[1]: status is missing" in (payment.reason or "")
