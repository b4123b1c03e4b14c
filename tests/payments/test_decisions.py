from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import httpx
from attrs import evolve

from payman_sdk._core.accumulator import TaskAccumulator
from payman_sdk._core.formatting import format_task
from payman_sdk._core.orders import PaymentOrder
from payman_sdk._core.payment_types import Payee, PaymentOutcome, Transaction
from payman_sdk._core.payments import Verdict, is_same_payee, prove, read_claim
from payman_sdk._core.requests import AskRequest
from payman_sdk._core.rpc import read_answer
from payman_sdk._core.transaction_search import Search
from payman_sdk.agents import SpendingLimit
from payman_sdk.agents.stores.operation import Operation, RunTotals
from payman_sdk.errors import PaymanError
from payman_sdk.types import Artifact, FormattedTaskResponse

PAID, AWAITING = PaymentOutcome.PAID, PaymentOutcome.AWAITING_APPROVAL
REFUSED, FAILED = PaymentOutcome.REFUSED, PaymentOutcome.FAILED
UNDETERMINED = PaymentOutcome.UNDETERMINED

ORDER = PaymentOrder("Test Payee", Decimal("10.00"), "TSD")
PAYEE = {"name": "Test Payee", "id": "pd-1", "email": None, "paytag": "a.b.c/10"}
OBJECT = {
    "status": "paid",
    "payment_id": "txn-1",
    "amount": "10.00",
    "currency": "TSD",
    "payee": PAYEE,
    "reason": None,
}


def response(state: str, *parts: str | dict[str, Any], message: str | None = None) -> FormattedTaskResponse:
    shapes = [
        {"type": "text", "text": part} if isinstance(part, str) else {"type": "data", "data": part}
        for part in parts
    ]
    return FormattedTaskResponse(
        state=state,
        status="",
        status_message=message,
        artifacts=[Artifact(parts=[shape]) for shape in shapes],
    )


CLAIMS: tuple[tuple[str, dict[str, Any], PaymentOutcome], ...] = (
    ("completed", {}, PAID),
    ("completed", {"status": "INITIATED"}, PAID),
    ("completed", {"status": "refused", "reason": "no money"}, REFUSED),
    ("completed", {"status": "REJECTED", "reason": "no money"}, REFUSED),
    ("completed", {"status": "failed", "reason": "broken"}, FAILED),
    ("completed", {"status": "awaiting_approval"}, AWAITING),
    ("completed", {"status": "awaiting-approval", "reason": "above the threshold"}, AWAITING),
    ("completed", {"amount": 10}, PAID),
    ("completed", {"amount": 10.0}, PAID),
    ("completed", {"amount": "10"}, PAID),
    ("completed", {"payee": {"name": "TEST  payee"}}, PAID),
    ("completed", {"payee": {"name": "Ｔest Payee"}}, PAID),  # noqa: RUF001 (NFKC)
    ("completed", {"payee": {"name": "Te\u017ft Payee"}}, UNDETERMINED),  # a long s
    ("completed", {"currency": "tsd"}, PAID),
    ("completed", {"payment_id": None}, PAID),
    ("completed", {"reason": " "}, PAID),
    ("completed", {"amount": "10.01"}, UNDETERMINED),
    ("completed", {"amount": "1000"}, UNDETERMINED),
    ("completed", {"amount": "-10.00"}, UNDETERMINED),
    ("completed", {"amount": "10.00 TSD"}, UNDETERMINED),
    ("completed", {"amount": "1e1"}, UNDETERMINED),
    ("completed", {"amount": True}, UNDETERMINED),
    ("completed", {"amount": None}, UNDETERMINED),
    ("completed", {"amount": float("nan")}, UNDETERMINED),
    ("completed", {"amount": float("inf")}, UNDETERMINED),
    ("completed", {"amount": Decimal("1E-999999")}, UNDETERMINED),
    ("completed", {"amount": ["10.00"]}, UNDETERMINED),
    ("completed", {"currency": "USD"}, UNDETERMINED),
    ("completed", {"currency": None}, UNDETERMINED),
    ("completed", {"payee": {"name": "Test Payee 2"}}, UNDETERMINED),
    ("completed", {"payee": {"name": "Теst Payee"}}, UNDETERMINED),  # noqa: RUF001 (letters that look alike)
    ("completed", {"payee": {"name": "Test\u200b Payee"}}, UNDETERMINED),
    ("completed", {"payee": {"id": "Test Payee"}}, UNDETERMINED),
    ("completed", {"payee": {"name": "Eve", "id": "Test Payee"}}, UNDETERMINED),
    ("completed", {"payee": {"name": 5}}, UNDETERMINED),
    ("completed", {"payee": "Test Payee"}, UNDETERMINED),
    ("completed", {"payee": None}, UNDETERMINED),
    ("completed", {"status": "completed"}, UNDETERMINED),
    ("completed", {"status": "success"}, UNDETERMINED),
    ("completed", {"status": "not paid"}, UNDETERMINED),
    ("completed", {"status": ["paid"]}, UNDETERMINED),
    ("completed", {"status": None}, UNDETERMINED),
    ("completed", {"status": True}, UNDETERMINED),
    ("completed", {"reason": "insufficient funds"}, UNDETERMINED),
    ("completed", {"reason": 5}, UNDETERMINED),
    ("completed", {"payment_id": 5}, UNDETERMINED),
    ("completed", {"payment_id": "txn\u202e"}, UNDETERMINED),
    ("input-required", {"status": "awaiting_approval"}, AWAITING),
    ("auth-required", {"status": "awaiting_approval"}, AWAITING),
    ("input-required", {}, UNDETERMINED),
    ("input-required", {"status": "refused", "reason": "no"}, UNDETERMINED),
    ("working", {}, UNDETERMINED),
    ("submitted", {"status": "refused", "reason": "no"}, UNDETERMINED),
    ("unknown", {}, UNDETERMINED),
    ("on_hold", {}, UNDETERMINED),
    ("failed", {}, UNDETERMINED),
    ("failed", {"status": "failed"}, FAILED),
    ("failed", {"status": "refused"}, FAILED),
    ("failed", {"amount": "99"}, UNDETERMINED),
    ("failed", {"status": "awaiting_approval"}, AWAITING),
    ("rejected", {"status": "awaiting_approval"}, AWAITING),
    ("canceled", {"status": "awaiting_approval"}, FAILED),
    ("canceled", {"status": "paid"}, UNDETERMINED),
    ("rejected", {"status": "refused"}, REFUSED),
)


def test_claims_that_contradict_anything_are_undetermined() -> None:
    """The object, the order and the state of the task have to agree, whether it comes as text or as data."""
    for state, changes, expected in CLAIMS:
        value = {**OBJECT, **changes}
        claim = read_claim(response(state, value), ORDER)
        assert claim.outcome is expected, (state, changes, claim)
        assert (claim.reason is None) <= (expected in {PAID, AWAITING, FAILED, REFUSED}), (state, changes)
        if not any(isinstance(one, Decimal | float) for one in changes.values()):
            assert read_claim(response(state, f"Well:\n{json.dumps(value)}"), ORDER).outcome is expected


def test_an_object_that_says_two_things_is_undetermined() -> None:
    """A member with two values, in a data part as in a text, in a whole answer as in a stream."""
    once = json.dumps({**OBJECT, "status": "refused", "reason": "no"})
    others = {
        "status": '"paid"',
        "amount": '"99.00"',
        "currency": '"USD"',
        "payee": '{"name": "Eve"}',
        "payment_id": '"txn-2"',
        "reason": "5",
    }
    twice = [once.replace(f'"{name}": ', f'"{name}": {other}, "{name}": ') for name, other in others.items()]
    for value, outcome in ((once, REFUSED), *((one, UNDETERMINED) for one in twice)):
        body = (
            '{"jsonrpc": "2.0", "id": "req-1", "result": {"id": "tsk-1", "status": {"state": "completed"}, '
            f'"artifacts": [{{"parts": [{{"type": "data", "data": {value}}}]}}]}}}}'
        )
        stream = TaskAccumulator(AskRequest("pay", "tsk-1", "req-1", "ses-1"))
        stream.add_event(body)
        _, task = read_answer(httpx.Response(200, content=body.encode()), "req-1", "tsk-1")
        for one in (task, stream.build_task()):
            read = format_task(one, request_id="req-1", session_id="ses-1")
            assert read_claim(read, ORDER).outcome is outcome, value
        assert read_claim(response("completed", value), ORDER).outcome is outcome


def test_answers_without_one_whole_object_are_undetermined() -> None:
    """Prose is not read, however clear it is; a failed task needs no object."""
    for parts in (
        ("Paid 10 TSD to Test Payee.",),
        (),
        (OBJECT, {**OBJECT, "status": "refused"}),
        ('{"status": "paid"',),
    ):
        for state in ("completed", "input-required"):
            claim = read_claim(response(state, *parts), ORDER)
            assert claim.outcome is UNDETERMINED, (state, parts)
            assert claim.reason
    assert read_claim(response("failed", "It broke.", message="It\x1b[2K broke."), ORDER) == Verdict(
        FAILED, r"It\x1b[2K broke."
    )
    assert read_claim(response("rejected"), ORDER).outcome is REFUSED
    for members in ({}, {"status": "paid"}, {**OBJECT, "payee": {}}):
        assert read_claim(response("completed", members), ORDER).outcome is UNDETERMINED


def test_what_a_task_said_while_it_waited_does_not_contradict_its_end() -> None:
    """Servers that return every artifact of a task show that it waited, and then how it ended; in one artifact they contradict."""
    waited = {**OBJECT, "status": "awaiting_approval"}
    assert read_claim(response("completed", waited, OBJECT), ORDER).outcome is PAID
    assert (
        read_claim(response("completed", {**waited, "amount": "99.00"}, OBJECT), ORDER).outcome
        is UNDETERMINED
    )
    assert read_claim(response("completed", OBJECT, waited), ORDER).outcome is UNDETERMINED
    both = f"{json.dumps(waited)} {json.dumps(OBJECT)}"
    assert read_claim(response("completed", both), ORDER).outcome is UNDETERMINED


def test_payees_are_compared_by_what_they_were_ordered_by() -> None:
    """An id is no name, and an email no id."""
    for ordered, payee, expected in (
        ("pd-1", {"id": "pd-1"}, PAID),
        ("pd-1", {"name": "pd-1"}, UNDETERMINED),
        ("pd-1", {"id": "pd-2", "name": "Test Payee"}, UNDETERMINED),
        ("a@example.com", {"email": "A@Example.com"}, PAID),
        ("a@example.com", {"name": "a@example.com"}, UNDETERMINED),
        ("a.b.c/10", {"paytag": "a.b.c/10"}, PAID),
        ("Zo\u00eb 2", {"name": "ZOE\u0308  \uff12"}, PAID),
        ("\u30ac", {"name": "\uff76\uff9e"}, PAID),
        ("Room 2", {"name": "Room \u00b2"}, UNDETERMINED),
        ("Room 2", {"name": "Room \u2461"}, UNDETERMINED),
        ("Room VIII", {"name": "Room \u2167"}, UNDETERMINED),
        ("Room 1/2", {"name": "Room \u00bd"}, UNDETERMINED),
        ("R Bank", {"name": "\u211d Bank"}, UNDETERMINED),
        ("Bank TM", {"name": "Bank \u2122"}, UNDETERMINED),
        ("a.b.c/10", {"paytag": "a.b.c/11"}, UNDETERMINED),
    ):
        order = ORDER._replace(payee=ordered)
        assert read_claim(response("completed", {**OBJECT, "payee": payee}), order).outcome is expected, (
            ordered,
            payee,
        )


NOW = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
TASK = "tsk-1"
TX = Transaction(
    id="txn-1",
    outcome=PAID,
    status="INITIATED",
    amount=Decimal("10.00"),
    currency="TSD",
    payee=Payee(name="Test Payee", id="pd-1"),
    created=NOW,
    task_id=TASK,
)
UNLINKED = evolve(TX, task_id=None)
CLAIM = Verdict(PAID, None, "txn-1")

PROOFS: tuple[tuple[str, Verdict, list[Transaction], PaymentOutcome], ...] = (
    ("the task's own", CLAIM, [TX], PAID),
    ("the task's own, whatever the answer was", Verdict(UNDETERMINED, "prose"), [TX], PAID),
    ("the task's own, approved since", Verdict(AWAITING), [TX], PAID),
    ("the task's own, though refused", Verdict(REFUSED, "no"), [TX], UNDETERMINED),
    ("the task's own, though failed", Verdict(FAILED, "no"), [TX], UNDETERMINED),
    ("the task's own of another amount", CLAIM, [evolve(TX, amount=Decimal(11))], UNDETERMINED),
    ("the task's own to another payee", CLAIM, [evolve(TX, payee=Payee(name="Eve"))], UNDETERMINED),
    ("the task's own in another currency", CLAIM, [evolve(TX, currency="USD")], UNDETERMINED),
    ("two of the task", CLAIM, [TX, evolve(TX, id="txn-2")], UNDETERMINED),
    ("the task's own, refused", CLAIM, [evolve(TX, outcome=REFUSED)], UNDETERMINED),
    ("the task's own, refused as said", Verdict(REFUSED, "no"), [evolve(TX, outcome=REFUSED)], REFUSED),
    ("the task's own, waiting as said", Verdict(AWAITING), [evolve(TX, outcome=AWAITING)], AWAITING),
    ("the task's own, denied since", Verdict(AWAITING), [evolve(TX, outcome=REFUSED)], REFUSED),
    ("the task's own, failed since", Verdict(AWAITING), [evolve(TX, outcome=FAILED)], FAILED),
    ("the task's own, waiting", CLAIM, [evolve(TX, outcome=AWAITING)], UNDETERMINED),
    (
        "the task's own, waiting, prose",
        Verdict(UNDETERMINED, "prose"),
        [evolve(TX, outcome=AWAITING)],
        UNDETERMINED,
    ),
    ("the task's own, unknown word", CLAIM, [evolve(TX, outcome=UNDETERMINED)], UNDETERMINED),
    ("nothing", CLAIM, [], UNDETERMINED),
    ("nothing, refused", Verdict(REFUSED, "no"), [], REFUSED),
    ("nothing, waiting in an ended task", Verdict(AWAITING), [], UNDETERMINED),
    ("another task's", CLAIM, [evolve(TX, task_id="tsk-2")], UNDETERMINED),
    ("no task's, named", CLAIM, [UNLINKED], PAID),
    ("no task's, unnamed", Verdict(PAID), [UNLINKED], PAID),
    ("no task's, for prose", Verdict(UNDETERMINED, "prose"), [UNLINKED], UNDETERMINED),
    ("no task's, another id", CLAIM, [evolve(UNLINKED, id="txn-2")], UNDETERMINED),
    ("no task's, without an id", Verdict(PAID), [evolve(UNLINKED, id=None)], UNDETERMINED),
    ("no task's, older", CLAIM, [evolve(UNLINKED, created=NOW - dt.timedelta(hours=1))], UNDETERMINED),
    ("no task's, undated", CLAIM, [evolve(UNLINKED, created=None)], UNDETERMINED),
    ("no task's, another amount", CLAIM, [evolve(UNLINKED, amount=Decimal(1))], UNDETERMINED),
    ("no task's, two that fit", Verdict(PAID), [UNLINKED, evolve(UNLINKED, id="txn-2")], UNDETERMINED),
    ("no task's, taken", Verdict(PAID), [evolve(UNLINKED, id="txn-taken")], UNDETERMINED),
    ("no task's, though refused", Verdict(REFUSED, "no", "txn-1"), [UNLINKED], UNDETERMINED),
    ("no task's, though refused, unnamed", Verdict(REFUSED, "no"), [UNLINKED], UNDETERMINED),
    (
        "no task's, waiting, though refused",
        Verdict(REFUSED, "no", "txn-1"),
        [evolve(UNLINKED, outcome=AWAITING)],
        UNDETERMINED,
    ),
    (
        "no task's, waiting, though failed, unnamed",
        Verdict(FAILED, "no"),
        [evolve(UNLINKED, outcome=AWAITING)],
        UNDETERMINED,
    ),
    (
        "no task's, unknown word, though failed",
        Verdict(FAILED, "no", "txn-1"),
        [evolve(UNLINKED, outcome=UNDETERMINED)],
        UNDETERMINED,
    ),
    (
        "no task's, refused as said",
        Verdict(REFUSED, "no", "txn-1"),
        [evolve(UNLINKED, outcome=FAILED)],
        REFUSED,
    ),
    (
        "no task's, older, though refused",
        Verdict(REFUSED, "no"),
        [evolve(UNLINKED, created=NOW - dt.timedelta(hours=1))],
        REFUSED,
    ),
    ("no task's, taken, though refused", Verdict(REFUSED, "no"), [evolve(UNLINKED, id="txn-taken")], REFUSED),
    ("another task's, though refused", Verdict(REFUSED, "no"), [evolve(TX, task_id="tsk-2")], REFUSED),
    ("no task's, waiting", Verdict(AWAITING), [evolve(UNLINKED, outcome=AWAITING)], AWAITING),
    ("the task's own in capitals", CLAIM, [evolve(TX, task_id="TSK-1")], PAID),
    (
        "the task's own in capitals, though refused",
        Verdict(REFUSED),
        [evolve(TX, task_id="TSK-1")],
        UNDETERMINED,
    ),
    *(
        (
            f"the task's own as {said!a}, though refused",
            Verdict(REFUSED),
            [evolve(TX, task_id=said)],
            UNDETERMINED,
        )
        for said in (
            " tsk-1 ",
            "`tsk-1`",
            "tsk-\u200b1",
            "tsk\u20111",
            "tsk-\uff11",
            "task tsk-1 of 2026",
            "1",
            "tsk-…",
        )
    ),
    ("the task's own in other signs", CLAIM, [evolve(TX, task_id=" tsk-1 ")], UNDETERMINED),
    ("a word for no task, though refused", Verdict(REFUSED), [evolve(TX, task_id="null")], UNDETERMINED),
    ("a word for no task, though failed", Verdict(FAILED), [evolve(TX, task_id="unavailable")], UNDETERMINED),
    ("a word for no task", CLAIM, [evolve(TX, task_id="null")], UNDETERMINED),
    ("another kind of task, though refused", Verdict(REFUSED), [evolve(TX, task_id="9f1c-77d2")], REFUSED),
    (
        "no task's, of a payee without a name, though refused",
        Verdict(REFUSED),
        [evolve(UNLINKED, payee=Payee(name="", id="pd-1"))],
        UNDETERMINED,
    ),
    ("no task's, of no payee, though failed", Verdict(FAILED), [evolve(UNLINKED, payee=None)], UNDETERMINED),
    ("no task's, of no payee", Verdict(PAID), [evolve(UNLINKED, payee=None)], UNDETERMINED),
    (
        "no task's, of another payee, refused",
        Verdict(REFUSED),
        [evolve(UNLINKED, payee=Payee(name="Eve"))],
        REFUSED,
    ),
)


def test_only_transactions_prove_that_something_is_paid() -> None:
    """A transaction of the task proves it; one of no task supports what the agent says; everything else proves nothing."""
    for what, claim, transactions, expected in PROOFS:
        verdict = prove(
            claim,
            ORDER,
            Search(transactions, is_whole=True),
            task_id=TASK,
            since=NOW - dt.timedelta(seconds=5),
            is_taken=lambda one: one == "txn-taken",
        )
        assert verdict.outcome is expected, (what, verdict)
        assert (verdict.outcome is UNDETERMINED) <= (verdict.reason is not None), what
    at: dict[str, Any] = {"task_id": TASK, "is_taken": lambda _: False}
    assert prove(CLAIM, ORDER, Search([UNLINKED], True), since=None, **at).outcome is UNDETERMINED
    memos = ORDER._replace(memo="coffee")
    assert (
        prove(CLAIM, memos, Search([evolve(TX, memo="tea")], True), since=NOW, **at).outcome is UNDETERMINED
    )


SHOWN = evolve(TX, id="txn-9")
REJECTED, WAITING = (
    evolve(SHOWN, outcome=REFUSED, status="REJECTED"),
    evolve(SHOWN, outcome=AWAITING, status="ON_HOLD"),
)
SEPARATE = evolve(REJECTED, task_id=None, outcome=PAID)

OTHERS: dict[str, Any] = {"amount": Decimal(1), "currency": "USD", "payee": Payee(name="Eve"), "memo": "tea"}

WHOLE: tuple[tuple[str, Verdict, Transaction, Verdict], ...] = (
    ("paid, under another id", CLAIM, SHOWN, Verdict(PAID, None, "txn-9", SHOWN)),
    ("paid, whatever was said", Verdict(AWAITING, "above a threshold"), SHOWN, Verdict(PAID, None, "txn-9", SHOWN)),
    ("denied, with a reason", Verdict(AWAITING, "no money"), REJECTED, Verdict(REFUSED, "no money", "txn-9", REJECTED)),
    ("denied, without one", Verdict(AWAITING), REJECTED, Verdict(REFUSED, "REJECTED", "txn-9", REJECTED)),
    ("refused as said", Verdict(REFUSED, "no"), REJECTED, Verdict(REFUSED, "no", "txn-9", REJECTED)),
    ("refused, said to have failed", Verdict(FAILED, "no"), REJECTED, Verdict(FAILED, "no", "txn-9", REJECTED)),
    (
        "waiting, said to be paid",
        CLAIM,
        WAITING,
        Verdict(UNDETERMINED, "The agent says that it is paid, and lists it as ON_HOLD.", "txn-9"),
    ),
    (
        "refused, said to be paid",
        CLAIM,
        REJECTED,
        Verdict(UNDETERMINED, "The agent says that it is paid, and lists it as REJECTED.", "txn-9"),
    ),
    *(
        (
            f"another {name}",
            CLAIM,
            evolve(SHOWN, **{name: value}),
            Verdict(UNDETERMINED, f"The transaction of this payment has another {name}.", "txn-9"),
        )
        for name, value in OTHERS.items()
    ),
    ("no task's", Verdict(PAID), UNLINKED, Verdict(PAID, None, "txn-1", UNLINKED)),
    (
        "no task's, said to be refused",
        Verdict(REFUSED, "no"),
        SEPARATE,
        Verdict(UNDETERMINED, "The agent says that it is refused, and lists it as REJECTED."),
    ),
    (
        "no task's, named, of another amount, said to be refused",
        Verdict(REFUSED, "no", "txn-9"),
        evolve(SEPARATE, amount=Decimal(1)),
        Verdict(UNDETERMINED, "The agent says that it is refused, and lists it as REJECTED.", "txn-9"),
    ),
    (
        "no task's, unnamed, of another amount, said to be refused",
        Verdict(REFUSED, "no"),
        evolve(SEPARATE, id=None, amount=Decimal(1)),
        Verdict(REFUSED, "no"),
    ),
)  # fmt: skip


def test_a_verdict_names_what_shows_it() -> None:
    """The id and the transaction are those that were listed, and the reason says what differs."""
    order = ORDER._replace(memo="coffee")
    for what, claim, one, expected in WHOLE:
        found = Search([one], is_whole=True)
        at: dict[str, Any] = {"task_id": TASK, "since": NOW, "is_taken": lambda _: False}
        assert prove(claim, order, found, **at) == expected, what


def test_a_failed_task_keeps_what_its_object_says() -> None:
    """The reason of the object stands before that of the task, unless the object says something else than the task."""
    for state, changes, message, expected in (
        ("rejected", {"status": "refused", "reason": "no money"}, "It failed.", Verdict(REFUSED, "no money", "txn-1")),
        ("failed", {"status": "failed", "reason": "broken"}, None, Verdict(FAILED, "broken", "txn-1")),
        ("failed", {"status": "refused", "reason": None}, "It failed.", Verdict(FAILED, "It failed.", "txn-1")),
        ("canceled", {"status": "awaiting_approval", "reason": "a limit"}, "Denied.", Verdict(FAILED, "Denied.", "txn-1")),
    ):  # fmt: skip
        assert read_claim(response(state, {**OBJECT, **changes}, message=message), ORDER) == expected, changes


def test_an_answer_is_read_from_what_is_new() -> None:
    """What a task held before the reply is no answer to it."""
    for old, new, expected in (
        (OBJECT, {**OBJECT, "status": "refused", "reason": "denied"}, REFUSED),
        ({**OBJECT, "status": "refused", "reason": "denied"}, OBJECT, PAID),
        (OBJECT, None, UNDETERMINED),
    ):
        both = response("completed", old, *([] if new is None else [new]))
        both.new_artifacts = both.artifacts[1:]
        assert read_claim(both, ORDER).outcome is expected, (old, new)


PAYEES: tuple[tuple[str, str, dict[str, Any], bool], ...] = (
    ("an id", "pd-aB3dE", {"id": "pd-aB3dE"}, True),
    ("an id in another case", "pd-aB3dE", {"id": "pd-Ab3De"}, False),
    ("an email in another case", "ada@example.org", {"email": "Ada@Example.org"}, True),
    ("a paytag", "tube.tense.cask/53", {"paytag": "tube.tense.cask/53"}, True),
    ("a paytag in another case", "tube.tense.cask/53", {"paytag": "Tube.tense.cask/53"}, False),
    ("a name in another case", "Ada Example", {"name": "ADA  example"}, True),
    ("ß for ss", "Masse AG", {"name": "Maße AG"}, False),
    ("a ligature", "fina", {"name": "\ufb01na"}, False),
)


def test_ids_are_compared_exactly_and_names_without_case() -> None:
    """Ids and paytags exactly; names without case and spaces. Limits compare in the same way."""
    for what, ordered, given, is_same in PAYEES:
        order = ORDER._replace(payee=ordered)
        assert is_same_payee(order, Payee(**{"name": "", **given})) is is_same, what
        limit = SpendingLimit(allowed_payees=[ordered])
        operation = Operation(task_id="tsk-1", account="a", payee=next(iter(given.values())))
        assert (limit.refusal(operation, RunTotals()) is None) is is_same, what


def test_a_refusal_is_contradicted_by_another_spelling() -> None:
    """What is too unlike for a proof may be the payment all the same."""
    at: dict[str, Any] = {"task_id": TASK, "is_taken": lambda _: False, "since": NOW}
    spellings: tuple[tuple[PaymentOrder, dict[str, Any]], ...] = (
        (ORDER._replace(payee="pd-aB3dE"), {"payee": Payee(name="", id="pd-Ab3De")}),
        (ORDER._replace(payee="tube.tense.cask/53"), {"payee": Payee(name="", paytag="Tube.tense.cask/53")}),
        (ORDER._replace(payee="Masse AG"), {"payee": Payee(name="Maße AG")}),
        (ORDER._replace(payee="fina"), {"payee": Payee(name="\ufb01na")}),
        (ORDER._replace(memo="STRASSE"), {"memo": "straße"}),
    )
    for order, changes in spellings:
        found = Search([evolve(UNLINKED, **changes)], is_whole=True)
        assert prove(Verdict(REFUSED, "no"), order, found, **at).outcome is UNDETERMINED, changes
        assert prove(Verdict(FAILED, "no"), order, found, **at).outcome is UNDETERMINED, changes
        assert prove(CLAIM, order, found, **at).outcome is UNDETERMINED, changes


def test_what_has_shown_a_payment_counts_on_where_it_is_not_listed() -> None:
    """Unless it is listed otherwise now, or the agent says that it is not paid."""
    at: dict[str, Any] = {"task_id": TASK, "is_taken": lambda _: False, "since": NOW}
    for shown in (TX, UNLINKED):
        cases: tuple[tuple[Verdict, list[Transaction], PaymentOutcome], ...] = (
            (CLAIM, [], PAID),
            (Verdict(UNDETERMINED, "prose"), [], PAID),
            (CLAIM, [evolve(shown, outcome=FAILED)], UNDETERMINED),
            (Verdict(REFUSED, "no"), [], UNDETERMINED),
        )
        for claim, transactions, expected in cases:
            verdict = prove(claim, ORDER, Search(transactions), shown=shown, **at)
            assert verdict.outcome is expected, (shown, claim)
    nameless, other = evolve(UNLINKED, id=None), evolve(UNLINKED, id=None, amount=Decimal(1))
    assert prove(CLAIM, ORDER, Search([other]), shown=nameless, **at).outcome is PAID
    capital = evolve(TX, task_id="tsk-ABC")
    assert prove(CLAIM, ORDER, Search([capital]), **at | {"task_id": "tsk-ABC"}).outcome is PAID


def test_a_refusal_is_contradicted_by_whatever_may_be_the_payment() -> None:
    """Whatever part of the lists could be read, and whatever id the agent names: somebody who pays again would pay twice."""
    problem = PaymanError("The list ended.")
    partly, unread = Search([UNLINKED], problem=problem), Search([], problem=problem, others=[UNLINKED])
    undated = Search([evolve(UNLINKED, created=None)], is_whole=True)
    at: dict[str, Any] = {"task_id": TASK, "is_taken": lambda _: False}
    for name in (None, "txn-1", "req-9"):
        for found in (Search([UNLINKED], is_whole=True), partly, unread, undated):
            for outcome in (REFUSED, FAILED):
                claim = Verdict(outcome, "no", name)
                assert prove(claim, ORDER, found, since=NOW, **at).outcome is UNDETERMINED, (name, found)
                assert prove(claim, ORDER, found, since=None, **at).outcome is UNDETERMINED, (name, found)
        later = NOW + dt.timedelta(days=1)
        for found in (Search([], problem=problem), Search([evolve(UNLINKED, id="txn-0")], is_whole=True)):
            assert prove(Verdict(REFUSED, "no", name), ORDER, found, since=later, **at).outcome is REFUSED
    own = Search([], problem=problem, others=[TX])
    assert prove(Verdict(REFUSED, "no"), ORDER, own, since=NOW, **at).outcome is UNDETERMINED
    # What is left of a list that cannot be read proves nothing.
    assert prove(CLAIM, ORDER, own, since=NOW, **at).outcome is UNDETERMINED
