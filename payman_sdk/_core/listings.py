"""Read the agent's objects for wallets, payees and transactions [P]. What does not fit its schema is refused whole."""

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

from payman_sdk._core.formatting import build_failure, get_ids
from payman_sdk._core.json_answer import NoObjectError, find_object
from payman_sdk._core.payment_types import Payee, PaymentOutcome, Transaction, Wallet
from payman_sdk._core.task_response import FormattedTaskResponse
from payman_sdk._core.wire_json import Json, as_list, as_object
from payman_sdk._text.error_response import shorten
from payman_sdk._text.sanitizer import find_hidden, sanitize
from payman_sdk.errors import ResponseValidationError

T = TypeVar("T")

MAX_TEXT = 300
"""Characters of a text in an answer that are kept for a person to read."""

OUTCOMES = {
    "paid": PaymentOutcome.PAID,
    "initiated": PaymentOutcome.PAID,  # Payman's word for a payment that was carried out [D]
    "awaiting_approval": PaymentOutcome.AWAITING_APPROVAL,
    "refused": PaymentOutcome.REFUSED,
    "rejected": PaymentOutcome.REFUSED,  # [D]
    "failed": PaymentOutcome.FAILED,
}
"""What the statuses of payments mean; every other word is not known."""

_MOST_DIGITS = 30
_NUMBER = re.compile(rf"-?[0-9]{{1,{_MOST_DIGITS}}}(?:\.[0-9]{{1,{_MOST_DIGITS}}})?", re.ASCII)


class InvalidObjectError(ValueError):
    """An object does not match its schema; the message says where.

    Attributes:
        item: The item of the list that was left out, as the agent wrote it.
    """

    item: object = None


def outcome_of_status(status: str) -> PaymentOutcome | None:
    """Return what a status means; None for a word that is not known."""
    return OUTCOMES.get(status.casefold().replace("-", "_").replace(" ", "_"))


def read_wallets(response: FormattedTaskResponse) -> list[Wallet]:
    names = ("id", "name", "currency", "paytag", "balance", "pending")
    return _read_list(
        response, "wallets", lambda item: Wallet(**_read_members(item, *names), response=response)
    )


def read_payees(response: FormattedTaskResponse) -> list[Payee]:
    return _read_list(response, "payees", lambda item: read_payee(item, response))


def read_transactions(
    response: FormattedTaskResponse, skipped: list[InvalidObjectError] | None = None
) -> list[Transaction]:
    """Return the readable transactions; `skipped` gets the problems of the others, and one that the agent states."""
    return _read_list(response, "transactions", lambda item: _read_transaction(item, response), skipped)


def _read_transaction(item: Json, response: FormattedTaskResponse) -> Transaction:
    status = _text(item, "status")
    payee = as_object(item.get("payee"))
    if payee is None and item.get("payee") is not None:
        raise InvalidObjectError("payee is neither an object nor null")
    return Transaction(
        **_read_members(item, "id", "task_id", "amount", "currency"),
        outcome=outcome_of_status(status) or PaymentOutcome.UNDETERMINED,
        status=status,
        payee=None if payee is None else read_payee(payee, None, is_named=False),
        memo=text_or_none(item, "memo"),
        created=read_moment(item.get("created")),
        response=response,
    )


def read_payee(item: Json, response: FormattedTaskResponse | None, *, is_named: bool = True) -> Payee:
    """Return the payee in an object; without `is_named` its name may be missing; raises InvalidObjectError."""
    name = _text(item, "name") if is_named else text_or_none(item, "name")
    members = _read_members(item, "id", "type", "email", "paytag")
    return Payee(name=name or "", **members, response=response)


def read_number(item: Json, name: str) -> Decimal:
    """Return a number, written as digits or as a number of JSON; raises InvalidObjectError."""
    value = item.get(name)
    if isinstance(value, Decimal | int | float) and not isinstance(value, bool):
        try:
            number = Decimal(str(value))
            exponent = int(number.as_tuple().exponent)  # that of a number without end is a letter
            is_short = exponent >= -_MOST_DIGITS and number.adjusted() < _MOST_DIGITS
            value = format(number, "f") if is_short else ""
        except (ArithmeticError, ValueError):
            value = ""
    if not isinstance(value, str) or _NUMBER.fullmatch(value) is None:
        raise InvalidObjectError(f"{name} is not a number in digits")
    return Decimal(value)


def text_or_none(item: Json, name: str) -> str | None:
    """Return a text; None where it is null, blank or missing; raises InvalidObjectError."""
    value = item.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidObjectError(f"{name} is neither a text nor null")
    return value if value.strip() else None


def read_id(item: Json, name: str) -> str | None:
    """Return an id, one line without hidden characters; None if null, blank or missing. Raises InvalidObjectError."""
    value = text_or_none(item, name)
    if value is not None and (
        len(value) > MAX_TEXT or not value.isprintable() or find_hidden(value) is not None
    ):
        raise InvalidObjectError(f"{name} is not a printable line of at most {MAX_TEXT} characters")
    return value


def read_moment(value: object) -> dt.datetime | None:
    """Return a time with a zone; None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        from dateutil import parser

        moment = parser.isoparse(value)
    except Exception:  # the module cannot be read, say: the answer may be about money, and this is its time
        return None
    return None if moment.tzinfo is None else moment


def sanitize_line(text: str | None) -> str | None:
    """Return the agent's words as one line in which nothing hides."""
    return None if text is None else sanitize(text, one_line=True, max_length=MAX_TEXT)


def check_completed(response: FormattedTaskResponse) -> None:
    """Refuse an answer whose task has not ended well; raises TaskFailedError."""
    if response.status != "completed":
        raise build_failure(response, f"The task is {response['state']}: {shorten(response.text)}")


def unreadable(response: FormattedTaskResponse, why: str) -> ResponseValidationError:
    """Make the error for an answer that is not what was asked for."""
    return ResponseValidationError(
        f"The agent did not answer with the object that was asked for: {why}. It said: {shorten(response.text)}",
        **get_ids(response),
    )


def _read_list(
    response: FormattedTaskResponse,
    name: str,
    read: Callable[[Json], T],
    skipped: list[InvalidObjectError] | None = None,
) -> list[T]:
    """Return the list in an answer; raises TaskFailedError or ResponseValidationError."""
    check_completed(response)
    try:
        value = find_object(response, response.artifacts).value
        error = text_or_none(value, "error")
        items = value.get(name)
        if (several := as_list(items)) is not None and (error is None or skipped is not None):
            if error is not None and skipped is not None:
                skipped.append(InvalidObjectError(f"the agent says {error}"))
            found = (_read_item(item, f"{name}[{at}]", read, skipped) for at, item in enumerate(several))
            return [one for one in found if one is not None]
    except (NoObjectError, InvalidObjectError) as problem:
        raise unreadable(response, str(problem)) from None
    if error is not None and items is None:
        raise build_failure(response, f"The agent cannot list {name}: {shorten(error)}")
    raise unreadable(response, f"{name} is not a list")


def _read_item(
    item: object, place: str, read: Callable[[Json], T], skipped: list[InvalidObjectError] | None
) -> T | None:
    try:
        if (members := as_object(item)) is None:
            raise InvalidObjectError("it is not an object")
        return read(members)
    except InvalidObjectError as error:
        problem = InvalidObjectError(f"{place}: {error}")
    if skipped is None:
        raise problem
    problem.item = item
    skipped.append(problem)
    return None


def _text(item: Json, name: str) -> str:
    value = text_or_none(item, name)
    if value is None:
        raise InvalidObjectError(f"{name} is missing")
    return value


def _number_or_none(item: Json, name: str) -> Decimal | None:
    return None if item.get(name) is None else read_number(item, name)


_READERS: dict[str, Callable[[Json, str], Any]] = {
    **dict.fromkeys(("id", "task_id", "email", "paytag"), read_id),
    **dict.fromkeys(("name", "type"), text_or_none),
    **dict.fromkeys(("balance", "pending"), _number_or_none),
    "amount": read_number,
    "currency": _text,
}
"""What reads the members that several kinds of objects have."""


def _read_members(item: Json, *names: str) -> dict[str, Any]:
    return {name: _READERS[name](item, name) for name in names}
