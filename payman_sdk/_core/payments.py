"""Decide how a payment ended, from the agent's answer, the order and the transactions.

`PAID` requires a completed task with one object that says so, and a transaction. Both match the order. A contradiction is
`UNDETERMINED`. Prose is never interpreted, and absence proves nothing.
"""

import datetime as dt
import unicodedata
from collections.abc import Callable
from typing import NamedTuple

from payman_sdk._core import listings
from payman_sdk._core.arguments import kind_of_reference
from payman_sdk._core.json_answer import FoundObject, NoObjectError, find_objects
from payman_sdk._core.orders import PaymentOrder
from payman_sdk._core.payment_types import Payee, PaymentOutcome, Transaction
from payman_sdk._core.task_reader import is_same_task
from payman_sdk._core.task_response import FormattedTaskResponse, Phase, get_phase, is_resting
from payman_sdk._core.transaction_search import Search, is_foreign
from payman_sdk._core.wire_json import Json, as_object

PAID, AWAITING = PaymentOutcome.PAID, PaymentOutcome.AWAITING_APPROVAL
REFUSED, FAILED = PaymentOutcome.REFUSED, PaymentOutcome.FAILED
UNDETERMINED = PaymentOutcome.UNDETERMINED

_EXACT = frozenset({"id", "paytag"})
"""References to payees that may differ in case alone."""


class Verdict(NamedTuple):
    """How a payment ended, and why it is not paid or unknown; the id is the agent's, the transaction shows it."""

    outcome: PaymentOutcome
    reason: str | None = None
    payment_id: str | None = None
    transaction: Transaction | None = None


def read_claim(response: FormattedTaskResponse, order: PaymentOrder) -> Verdict:
    """Return what the answer to an order says; `UNDETERMINED` unless that is whole and agrees with the order."""
    state = str(response["state"])
    phase = get_phase(state)
    if not is_resting(state):
        return Verdict(UNDETERMINED, f"The task is still {state}.")
    try:
        claim = _read_newest_object(response, order)
    except (NoObjectError, listings.InvalidObjectError) as problem:
        return Verdict(UNDETERMINED, f"The agent's answer cannot be relied on: {problem}.")
    if phase is Phase.FAILED:
        if claim is not None and claim.outcome is PAID:
            return _contradict(claim, f"that its task is {state}")
        if claim is not None and claim.outcome is AWAITING and state != "canceled":
            return claim  # somebody may still approve it
        outcome = REFUSED if state == "rejected" else FAILED
        said = claim.reason if claim is not None and claim.outcome in {REFUSED, FAILED} else None
        reason = said or listings.sanitize_line(response.status_message)
        return Verdict(outcome, reason, None if claim is None else claim.payment_id)
    if claim is None:
        waiting = "" if phase is Phase.COMPLETED else f" The task is {state}."
        return Verdict(UNDETERMINED, f"The agent's answer holds no JSON object.{waiting}")
    if phase is not Phase.COMPLETED and claim.outcome is not AWAITING:
        return _contradict(claim, f"that its task is {state}")
    return claim


def prove(
    claim: Verdict,
    order: PaymentOrder,
    found: Search,
    *,
    task_id: str,
    since: dt.datetime | None,
    is_taken: Callable[[str], bool],
    shown: Transaction | None = None,
) -> Verdict:
    """Return how a payment ended whose task has ended, given what the transactions show.

    A transaction belongs to the payment if it names the payment's task. One that names no task may only support the agent's word.
    Then it was made since the order, has an id, is the only one that fits, and has proven no other payment. Any that fits may
    contradict it, and a refusal also what may be older.

    `since` is its earliest possible time by the server's clock, or None; `is_taken` says whether an id has proven another payment.
    A transaction that has `shown` this payment before still counts when the list lacks it.
    """
    is_refused = claim.outcome in {REFUSED, FAILED}
    transactions = [*found.transactions, *(found.others if is_refused else ())]
    own = [one for one in transactions if is_same_task(one.task_id, task_id)]
    if shown is not None and not own:
        own = [one for one in transactions if one.id == shown.id is not None] or [shown]
    if len(own) > 1:
        return Verdict(UNDETERMINED, f"{len(own)} transactions name its task.", claim.payment_id)
    if own:
        return _compare(claim, order, own[0])
    if claim.outcome is UNDETERMINED:
        return claim
    possible = [one for one in transactions if not is_foreign(one.task_id, task_id)]
    unused = [one for one in possible if one.id is None or not is_taken(one.id)]
    if is_refused:
        # What is not known of a transaction may be as it was ordered.
        may_be = [one for one in unused if mismatch(order, one, is_certain=False) is None]
        may_be = [one for one in may_be if _was_made_since(since, one) is not False]
        named = [one for one in possible if one.id == claim.payment_id is not None]
        contrary = [one for one in (*named, *may_be) if one.outcome not in {REFUSED, FAILED}]
        if contrary:
            return _contradict(claim, _describe_listed(contrary[0]))
        return _contradict(claim, "lists a transaction that cannot be read") if found.may_hide_one else claim
    fitting = [one for one in unused if one.task_id is None and one.id is not None]
    fitting = [one for one in fitting if mismatch(order, one) is None]
    # Without an id, only one of all that were made since may be it.
    if claim.payment_id is not None or not found.is_whole:
        fitting = [one for one in fitting if one.id == claim.payment_id]
    fitting = [one for one in fitting if one.outcome is claim.outcome and _was_made_since(since, one)]
    if len(fitting) == 1:
        return claim._replace(payment_id=fitting[0].id, transaction=fitting[0])
    what = "no transaction shows it" if not fitting else f"{len(fitting)} transactions may be it"
    return _contradict(claim, what)


def _was_made_since(since: dt.datetime | None, one: Transaction) -> bool | None:
    """Return whether it was made since a time, None where that is unknown."""
    return None if since is None or one.created is None else one.created >= since


def _compare(claim: Verdict, order: PaymentOrder, own: Transaction) -> Verdict:
    """Return how a payment ended, given the transaction of its task."""
    problem = mismatch(order, own)
    if problem is not None:
        return Verdict(UNDETERMINED, f"The transaction of this payment has another {problem}.", own.id)
    if own.outcome is PAID and claim.outcome not in {REFUSED, FAILED}:
        return Verdict(PAID, None, own.id, own)
    if claim.outcome is AWAITING and own.outcome in {REFUSED, FAILED}:
        return Verdict(own.outcome, claim.reason or listings.sanitize_line(own.status), own.id, own)
    if own.outcome is claim.outcome or (claim.outcome is FAILED and own.outcome is REFUSED):
        return claim._replace(payment_id=own.id, transaction=own)
    if claim.outcome is UNDETERMINED:
        return claim
    return _contradict(claim._replace(payment_id=own.id), _describe_listed(own))


def mismatch(order: PaymentOrder, one: Transaction, *, is_certain: bool = True) -> str | None:
    """Return how a transaction differs from an order; None if it fits, or may fit unless that must be certain.

    If it need not be certain, case, ß and ss, and whatever looks alike make no difference, and what is unknown fits.
    """
    if one.amount != order.amount:
        return "amount"
    if fold(one.currency) != fold(order.currency):
        return "currency"
    said: str | None = getattr(one.payee, order.payee_kind, None)
    may_be_same = not is_certain and (not said or _fold_widely(said) == _fold_widely(order.payee))
    if not may_be_same and not is_same_payee(order, one.payee):
        return "payee"
    compared = fold if is_certain else _fold_widely
    if order.memo is not None and one.memo is not None and compared(one.memo) != compared(order.memo):
        return "memo"
    return None


def is_same_payee(order: PaymentOrder, payee: Payee | None) -> bool:
    """Return whether a payee is the one that was ordered, by that by which it was ordered."""
    if payee is None:
        return False
    said: str | None = getattr(payee, order.payee_kind)
    is_exact = order.payee_kind in _EXACT
    return said is not None and (said == order.payee if is_exact else fold(said) == fold(order.payee))


def normalize_reference(text: str) -> str:
    """Return a reference to a payee for comparison: ids and paytags exactly, an email or a name as `fold` does."""
    folded = fold(text)
    return text.strip() if kind_of_reference(folded) in _EXACT else folded


def fold(text: str) -> str:
    """Return a text without case, width and spaces; look-alikes such as 2 and ² stay different."""
    narrow = (
        unicodedata.normalize("NFKC", one) if unicodedata.decomposition(one)[:3] in ("<wi", "<na") else one
        for one in text
    )
    # `casefold` would make ß and ss the same, which can be two names.
    return " ".join(unicodedata.normalize("NFC", "".join(narrow)).lower().split())


def _fold_widely(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _read_newest_object(response: FormattedTaskResponse, order: PaymentOrder) -> Verdict | None:
    """Return what the one object of the newest turn says of a payment; None without one.

    The old object of a task that waited is left out. Raises NoObjectError or InvalidObjectError.
    """
    artifacts = response.artifacts if response.new_artifacts is None else response.new_artifacts
    found = find_objects(response, artifacts)
    found = [one for one in found if one.artifact == found[-1].artifact or not _is_awaiting(one, order)]
    if len(found) > 1:
        raise NoObjectError(f"it holds {len(found)} different JSON objects")
    return _read_object(found[0].value, order) if found else None


def _is_awaiting(one: FoundObject, order: PaymentOrder) -> bool:
    try:
        return _read_object(one.value, order).outcome is AWAITING
    except listings.InvalidObjectError:
        return False


def _read_object(value: Json, order: PaymentOrder) -> Verdict:
    """Return what an object says of a payment.

    Raises InvalidObjectError: not of the schema, contradictory, or about another payment.
    """
    status, payee = value.get("status"), as_object(value.get("payee"))
    outcome = listings.outcome_of_status(status) if isinstance(status, str) else None
    if outcome is None:
        raise listings.InvalidObjectError("its status is not one of the words that were asked for")
    payment_id = listings.read_id(value, "payment_id")
    reason = listings.sanitize_line(listings.text_or_none(value, "reason"))
    currency = value.get("currency")
    if payee is None or not isinstance(currency, str):
        raise listings.InvalidObjectError("its payee or its currency is missing")
    if listings.read_number(value, "amount") != order.amount:
        raise listings.InvalidObjectError("it is about another amount")
    if fold(currency) != fold(order.currency):
        raise listings.InvalidObjectError("it is about another currency")
    if not is_same_payee(order, listings.read_payee(payee, None, is_named=False)):
        raise listings.InvalidObjectError("it is about another payee")
    if outcome is PAID and reason is not None:
        raise listings.InvalidObjectError(f"it says that it is paid, and why it is not: {reason}")
    return Verdict(outcome, reason, payment_id)


def _describe_listed(one: Transaction) -> str:
    return f"lists it as {listings.sanitize_line(one.status)}"


def _contradict(claim: Verdict, what: str) -> Verdict:
    """Return that a claim is not to be believed, because of what else the agent says."""
    said = claim.outcome.value.replace("_", " ")
    return Verdict(UNDETERMINED, f"The agent says that it is {said}, and {what}.", claim.payment_id)
