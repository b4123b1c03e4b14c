"""The flows of typed calls, one step at a time: what they take from an answer, and what from the transactions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Generator
from decimal import Decimal
from email.utils import format_datetime
from typing import Any, cast

import pytest
from attrs import evolve

from payman_sdk._config import read_config
from payman_sdk._core import payment_flows
from payman_sdk._core.effects import CallHook, Flow, Stopwatch
from payman_sdk._core.operations import DescribedFlow, Proofs
from payman_sdk._core.options import CallOptions, build_default_options
from payman_sdk._core.orders import PAYEE_FIELDS, PayeeOrder, PaymentOrder, read_payee_order
from payman_sdk._core.payment_flows import Call
from payman_sdk._core.transaction_search import Search
from payman_sdk.errors import APIConnectionError, OutcomeUnknownError, PaymanError
from payman_sdk.types import Artifact, FormattedTaskResponse, Payee, Payment, PaymentOutcome, Transaction
from tests.steps import Clock, driven

PAID, AWAITING = PaymentOutcome.PAID, PaymentOutcome.AWAITING_APPROVAL
REFUSED, UNDETERMINED = PaymentOutcome.REFUSED, PaymentOutcome.UNDETERMINED
NOW = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
ORDER = PaymentOrder("Test Payee", Decimal("10.00"), "TSD", memo="coffee", wallet="TSD Wallet")
IDS: dict[str, Any] = {"task_id": "tsk-1", "session_id": "ses-1", "idempotency_key": "key-1"}
ORDERED = Payment(outcome=UNDETERMINED, **ORDER._asdict(), **IDS, ordered_at=NOW)
LISTED = Transaction(
    id="txn-1", outcome=PAID, status="INITIATED", amount=ORDER.amount, currency="TSD",
    payee=Payee(name="Test Payee"), memo="coffee", created=NOW + dt.timedelta(seconds=1),
)  # fmt: skip


class Agent:
    """An agent that notes what it is asked, and answers with what it is given."""

    def __init__(self, clock: Clock, answer: FormattedTaskResponse | None = None, text: str = "") -> None:
        self.clock, self.wall_clock = clock, lambda: NOW.timestamp()
        self.proofs = Proofs("https://x.test", {})
        self.given: list[Any] = []
        self._answer, self._text = answer, text

    def ask(self, text: str, session_id: str, options: CallOptions, **reply: Any) -> DescribedFlow[Any]:
        """Stand in for `Operations.ask`: consult the guard for 5 s, and answer after 2 s."""
        self.given.append((text, reply))

        def flow() -> Flow[Any]:
            yield CallHook(cast("Any", options.before_send), None)
            return self._answer

        return DescribedFlow(flow(), lambda _: None)

    def look_up(self, *given: Any) -> Flow[tuple[Any, str]]:
        """Stand in for `Operations.look_up`."""
        self.given.append(given)
        return self._answer, self._text
        yield


def guard(_: object) -> None:
    """Stand in for a person."""


def call_of(agent: Agent, *, verify: bool = True, **options: Any) -> Call:
    given = build_default_options(read_config({"client_id": "pm-test-1"}, {}))._replace(
        timeout=100.0, **options
    )
    return Call(cast("Any", agent), "ses-1", given, verify, Stopwatch(agent.clock))


def answer_of(state: str = "completed", status: str = "paid", **members: Any) -> FormattedTaskResponse:
    value = {
        "status": status,
        "payment_id": "txn-1",
        "amount": "10.00",
        "currency": "TSD",
        "payee": {"name": "Test Payee"},
        "reason": None if status == "paid" else "no",
    }
    shown = Artifact(content="", parts=[{"type": "data", "data": {**value, **members}}])
    final = {"is_final": state == "completed"}
    return FormattedTaskResponse(
        state=state, status="completed", status_message=None, artifacts=[shown], session_id="ses-2", **final
    )


def given(answer: Any) -> Flow[Any]:
    """An ask that ends so."""
    if isinstance(answer, BaseException):
        raise answer
    return answer
    yield


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], list[Any]]:
    """Has the look at the transactions end as it is given; returns what it is asked for."""

    def replace(found: Any) -> list[Any]:
        asked: list[Any] = []

        def search(*arguments: Any) -> Generator[Any, Any, Any]:
            asked.append(arguments)
            return (yield from given(found))

        monkeypatch.setattr(payment_flows, "search_transactions", search)
        return asked

    return replace


def test_the_time_of_a_guard_is_not_the_calls() -> None:
    clock = Clock()
    call = call_of(Agent(clock, answer_of()), before_send=guard)
    flow = call.plan_ask("pay", task_id="tsk-1").flow
    assert isinstance(next(flow), CallHook)
    clock.now += 5
    with pytest.raises(StopIteration):
        flow.send(None)
    clock.now += 2
    assert call.clock.seconds() == 2


def test_an_answer_whose_loss_leaves_the_payment_open() -> None:
    """What may have been sent is a payment without what was known before; what was not, is an error."""
    before = evolve(ORDERED, outcome=AWAITING, response=answer_of(), transaction=LISTED)
    for lost in (OutcomeUnknownError("It is lost."), APIConnectionError("It is lost.", sent=True)):
        payment, _ = driven(payment_flows.settle(call_of(Agent(Clock())), before, given(lost)))
        assert isinstance(payment, Payment)
        assert (payment.outcome, payment.reason, payment.error) == (UNDETERMINED, "It is lost.", lost)
        assert (payment.transaction, payment.response, payment.task_id) == (None, None, "tsk-1")
    for kept in (APIConnectionError("It is not sent.", sent=False), PaymanError("It was turned away.")):
        assert driven(payment_flows.settle(call_of(Agent(Clock())), before, given(kept)))[0] is kept


def test_the_earliest_time_of_an_order() -> None:
    """The time of its state, less what the call took, or with a key all it may take; none for a state older than the order."""
    sent, old = {"date": format_datetime(NOW, usegmt=True)}, dt.timedelta(seconds=303)
    for what, moment, key, repeated, expected in (
        ("new", NOW, None, False, dt.timedelta(seconds=4)),
        ("with a key", NOW, "key-1", False, dt.timedelta(seconds=101)),
        ("as old as clocks differ", NOW - old, None, False, dt.timedelta(seconds=307)),
        ("older", NOW - old - dt.timedelta(seconds=1), None, False, None),
        ("older, known before", NOW - dt.timedelta(days=1), None, True, dt.timedelta(days=1, seconds=4)),
        ("unknown", None, None, False, None),
    ):
        clock, answer = Clock(), answer_of()
        answer["timestamp"] = None if moment is None else moment.isoformat()
        answer.headers, answer._is_repeated = sent, repeated  # pyright: ignore[reportPrivateUsage]
        answer |= {"task_id": "tsk-1", "idempotency_key": key}
        call = call_of(Agent(clock), verify=False, idempotency_key=key)
        clock.now += 3
        payment, _ = driven(payment_flows.pay(call, ORDER, given(answer)))
        assert isinstance(payment, Payment)
        assert payment.ordered_at == (None if expected is None else NOW - expected), what
        assert (payment.outcome, payment.session_id, payment.error) == (PAID, "ses-2", None)


def test_what_the_look_at_the_transactions_is_given(look: Callable[[Any], list[Any]]) -> None:
    """The id that the agent gave, the earliest time (for a refusal in any case), and no hook of the order."""
    for status, ordered_at, since in (
        ("paid", NOW, NOW),
        ("refused", NOW, NOW),
        ("paid", None, None),
        ("refused", None, NOW - dt.timedelta(seconds=400)),
    ):
        asked = look(Search([]))
        call = call_of(Agent(Clock()), before_send=guard, metadata={"a": 1})
        flow = payment_flows.settle(
            call, evolve(ORDERED, ordered_at=ordered_at), given(answer_of(status=status))
        )
        payment, _ = driven(flow)
        [(_, task_id, payment_id, earliest, options, clock)] = asked
        assert (task_id, payment_id, earliest, clock) == ("tsk-1", "txn-1", since, call.clock)
        assert (options.before_send, options.metadata) == (None, None)
        assert isinstance(payment, Payment)
        assert payment.outcome is (REFUSED if status == "refused" else UNDETERMINED)


def test_what_the_transactions_say_of_an_order(look: Callable[[Any], list[Any]]) -> None:
    """Its memo counts, what has proven another payment does not, and what has shown this one does if it was paid."""
    other, own = evolve(LISTED, id="txn-2"), evolve(LISTED, task_id="tsk-1")
    shown = evolve(ORDERED, outcome=PAID, transaction=own)
    cases: list[tuple[str, Payment, list[Transaction], dict[str, Any], tuple[object, object]]] = [
        ("it", ORDERED, [LISTED], {}, (PAID, LISTED)),
        ("another memo", ORDERED, [evolve(LISTED, memo="tea")], {}, (UNDETERMINED, None)),
        ("two that fit", ORDERED, [LISTED, other], {"payment_id": None}, (UNDETERMINED, None)),
        (
            "two, one of another",
            ORDERED,
            [LISTED, evolve(other, id="txn-taken")],
            {"payment_id": None},
            (PAID, LISTED),
        ),
        ("nothing now", shown, [], {}, (PAID, own)),
        ("nothing now, waiting before", evolve(shown, outcome=AWAITING), [], {}, (UNDETERMINED, None)),
    ]
    for what, before, listed, claim, expected in cases:
        look(Search(listed, is_whole=True))
        agent = Agent(Clock())
        assert agent.proofs.take(evolve(LISTED, id="txn-taken"), "tsk-other")
        payment, _ = driven(payment_flows.settle(call_of(agent), before, given(answer_of(**claim))))
        assert isinstance(payment, Payment)
        assert (payment.outcome, payment.transaction) == expected, what


def test_a_fault_while_transactions_are_read_keeps_what_is_known(look: Callable[[Any], list[Any]]) -> None:
    look(ZeroDivisionError())
    payment, _ = driven(payment_flows.settle(call_of(Agent(Clock())), ORDERED, given(answer_of())))
    assert isinstance(payment, Payment)
    assert (payment.outcome, payment.payment_id, payment.session_id) == (UNDETERMINED, "txn-1", "ses-2")
    assert payment.reason == "The SDK failed with ZeroDivisionError."


def test_an_interruption_while_transactions_are_read_has_the_ids_of_the_payment(
    look: Callable[[Any], list[Any]],
) -> None:
    look(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt) as caught:
        driven(payment_flows.read_status(call_of(Agent(Clock(), answer_of())), ORDERED))
    assert {name: getattr(caught.value, name) for name in IDS} == IDS
    assert "The ask was sent" in caught.value.__notes__[0]


def test_a_decision_and_a_look_up_say_what_was_there_before() -> None:
    """Else an old object would count as the answer to the decision."""
    waiting = answer_of("input-required", "awaiting_approval")
    before = evolve(ORDERED, outcome=AWAITING, payment_id="txn-1", response=waiting)
    agent = Agent(Clock(), answer_of())
    payment_flows.plan_decision(call_of(agent), before, approve=True)
    text, reply = agent.given.pop()
    assert "txn-1" in text
    assert reply == {"task_id": "tsk-1", "earlier": waiting.artifacts}
    driven(payment_flows.read_status(call_of(agent, verify=False), before))
    assert agent.given.pop()[2] == waiting.artifacts
    looked_up = answer_of()
    looked_up["task_id"] = "tsk-9"
    agent = Agent(Clock(), looked_up, ORDER.text())
    payment, _ = driven(payment_flows.read_status(call_of(agent, verify=False), "tsk-9"))
    assert isinstance(payment, Payment)
    assert (payment.task_id, payment.outcome, payment.memo, payment.wallet) == (
        "tsk-9",
        PAID,
        "coffee",
        "TSD Wallet",
    )


def test_a_payee_is_the_one_that_was_ordered() -> None:
    """By its name, and by its type and email where both sides name them."""
    fields = dict.fromkeys(PAYEE_FIELDS) | {"email": "ada@example.org"}
    with_email, plain = (
        read_payee_order("Ada", "TEST_RAILS", given) for given in (fields, dict.fromkeys(PAYEE_FIELDS))
    )
    for order, payee, expected in (
        (plain, {"name": "ada"}, True),
        (plain, {"name": "ada", "type": "test_rails"}, True),
        (plain, {"name": "ada", "type": "US_ACH"}, False),
        (plain, {"name": "Eve"}, False),
        (plain, {"name": "Ada", "email": "eve@example.org"}, True),
        (with_email, {"name": "Ada"}, True),
        (with_email, {"name": "Ada", "email": "Ada@Example.org"}, True),
        (with_email, {"name": "Ada", "email": "eve@example.org"}, False),
    ):
        assert creates(order, answer_of(status="created", payee={"id": "pd-1", **payee})) is expected, payee
    others: list[tuple[str, object, bool]] = [
        ("exists", {"name": "Ada"}, True),
        ("made", {"name": "Ada"}, False),
        ("created", None, False),
    ]
    for status, found, expected in others:
        assert creates(plain, answer_of(status=status, payee=found)) is expected, (status, found)


def creates(order: PayeeOrder, answer: FormattedTaskResponse) -> bool:
    """Whether an answer says that a payee was created; the error of one that does not has its ids."""
    answer |= {"task_id": "tsk-1", "request_id": "req-1", "idempotency_key": None}
    end, _ = driven(payment_flows.create_payee(order, given(answer)))
    if isinstance(end, Payee):
        assert end.response is answer
        return True
    assert isinstance(end, OutcomeUnknownError)
    assert (end.task_id, end.request_id, end.sent) == ("tsk-1", "req-1", True)
    assert "another payee" in end.message or "its object does not say so" in end.message
    return False
