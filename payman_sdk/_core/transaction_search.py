"""Look for the transaction that shows a payment: among the newest, then by its id, then in older ones.

The agent reads words [P], so it may list too few, the same again, or nothing. A missing transaction proves nothing.
"""

import datetime as dt
from typing import NamedTuple
from unicodedata import normalize

from payman_sdk._core.effects import Flow, Stopwatch
from payman_sdk._core.error_classes import is_not_recorded
from payman_sdk._core.json_answer import NoObjectError, find_objects
from payman_sdk._core.listings import InvalidObjectError, read_moment, read_transactions, unreadable
from payman_sdk._core.operations import Operations
from payman_sdk._core.options import CallOptions
from payman_sdk._core.orders import transactions_text
from payman_sdk._core.payment_types import Transaction
from payman_sdk._core.requests import generate_id
from payman_sdk._core.task_reader import is_same_task
from payman_sdk._core.task_response import FormattedTaskResponse
from payman_sdk._core.wire_json import as_object
from payman_sdk.errors import APITimeoutError, PaymanError, ResponseValidationError

PAGE = 50
"""Transactions that are asked for at once."""
_MOST_PAGES = 10
_SHORTEST_ID = 8
"""Characters that an id of a task has, if it is not of the SDK."""


class Search(NamedTuple):
    """The transactions that were listed.

    Attributes:
        transactions: Those of whole lists.
        is_whole: Whether they are all since the order.
        problem: Why a list could not be read.
        others: Its readable transactions.
        may_hide_one: Whether its unreadable ones may include that of the payment.
    """

    transactions: list[Transaction]
    is_whole: bool = False
    problem: PaymanError | None = None
    others: list[Transaction] = []  # noqa: RUF012 (nobody changes it)
    may_hide_one: bool = False


def search_transactions(
    agent: Operations,
    task_id: str,
    payment_id: str | None,
    since: dt.datetime | None,
    options: CallOptions,
    clock: Stopwatch,
) -> Flow[Search]:
    """Return the newest transactions, and older ones until they show the payment or are older than its order.

    `since` is the earliest time, by the server's clock, of the payment.
    """
    known: list[Transaction] = []
    timeout = options.timeout
    asked: list[tuple[int, str | None]] = [(page * PAGE, None) for page in range(_MOST_PAGES)]
    if payment_id is not None:
        asked.insert(1, (0, payment_id))
    for skip, wanted in asked:
        text = transactions_text(PAGE, None, skip=skip, payment_id=wanted)
        left = timeout - clock.seconds()
        if left <= 0:
            return Search(known, problem=APITimeoutError("The timeout ended before all were listed."))
        options = options._replace(timeout=left)
        skipped: list[InvalidObjectError] = []
        answer: FormattedTaskResponse | None = None
        try:
            # Read out here, an answer that cannot be read is not asked for again.
            answer = yield from agent.read(text, generate_id("ses"), options, lambda one: one)
            listed = read_transactions(answer, skipped)
        except PaymanError as error:
            return Search(known, problem=error, may_hide_one=_may_hide(answer, error, task_id))
        except Exception as fault:
            if is_not_recorded(fault):
                raise
            problem = PaymanError(f"The SDK failed with {type(fault).__name__}.")
            return Search(known, problem=problem, may_hide_one=True)
        if skipped:
            may_hide_one = any(_may_be_of(one.item, task_id, since) for one in skipped)
            return Search(known, False, unreadable(answer, str(skipped[0])), listed, may_hide_one)
        ids = {one.id for one in known}
        new = [one for one in listed if wanted in (None, one.id) and (one.id is None or one.id not in ids)]
        # Rows that are alike are one transaction if they have an id.
        known += {(one, one.id is None and at): one for at, one in enumerate(new)}.values()
        if any(is_same_task(one.task_id, task_id) or one.id == payment_id is not None for one in new):
            return Search(known)
        reached = since is not None and any(one.created is not None and one.created < since for one in listed)
        if wanted is None and (len(listed) < PAGE or reached):
            return Search(known, is_whole=True)
        # Nothing new.
        if wanted is None and all(one.id is None for one in new):
            break
    return Search(known)


def is_foreign(said: str | None, task_id: str) -> bool:
    """Return whether a value is the id of another task; a word such as `null` is not, nor is this id in other signs."""
    ids = normalize("NFKC", f"{said}\n{task_id}").casefold()
    one, other = "".join(sign for sign in ids if sign.isalnum() or sign == "\n").rsplit("\n", 1)
    if said is None or one in other or other in one:
        return False
    return said.casefold().startswith("tsk-") or (len(said) >= _SHORTEST_ID and any(map(str.isdigit, said)))


def _may_be_of(item: object, task_id: str, since: dt.datetime | None) -> bool:
    """Return whether a listed item that cannot be read may be the transaction of a payment."""
    members = as_object(item) or {}
    said, created = members.get("task_id"), read_moment(members.get("created"))
    if isinstance(said, str) and is_foreign(said, task_id):
        return False
    return since is None or created is None or created >= since


def _may_hide(answer: FormattedTaskResponse | None, error: PaymanError, task_id: str) -> bool:
    """Return whether an answer that is not a list may show the transaction of a task."""
    if answer is None:
        return False
    if task_id.casefold() in f"{answer.artifacts} {answer.status_message}".casefold():
        return True
    try:
        return isinstance(error, ResponseValidationError) and bool(find_objects(answer, answer.artifacts))
    except NoObjectError:
        return True
