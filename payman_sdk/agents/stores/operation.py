"""An operation as a store keeps it, and how it is written down."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Literal, Self, TypeAlias, get_args

from attrs import asdict, evolve, field, frozen

from payman_sdk.errors import PaymanError

Stage: TypeAlias = Literal["open", "sent", "ended"]
"""`open`: certainly not carried out, so any order may be sent under its name. `sent`: it may have been sent. `ended`: its end is known."""

_STATUSES = (
    None, "paid", "awaiting-approval", "refused", "failed", "working", "unknown", "completed", "input-required",
)  # fmt: skip
"""What `Operation.status` may be."""


class OperationStoreError(PaymanError):
    """The place where operations are written down cannot be read or written."""


class TotalsChangedError(OperationStoreError):
    """Another process has counted in the run meanwhile, so nothing was written."""


def _convert_texts(given: Iterable[str]) -> tuple[str, ...]:
    return tuple(given)


@frozen(kw_only=True)
class Operation:
    """An operation as a store keeps it.

    Args:
        task_id: The id of its task, which is its key.
        account: Whose it is: the client's id and server.
        name: The name that it was given; None for a task that was only replied to.
        payee: Who is paid; None where the order is not known, as for the next three.
        amount: How much.
        currency: The code of its currency.
        memo: What it is for.
        stage: How far it has come.
        runs: The runs that it was sent in. It counts there until it is known not to have happened.
        status: Its newest known status; None if there is none.
        reason: Why it is not paid, as far as that is known.
        payment_id: Its id at Payman.
        answer: The agent's newest answer.
        ordered_at: The earliest time it can have been made, by the server's clock, in ISO 8601.
        session_id: The session that it belongs to.
        replies: The decisions that were sent for it.
        is_replying: Whether the last reply may not have arrived.
        sent_at: When it was sent last, in seconds since 1970 by the store's clock; None if it never was, or that is not recorded.
    """

    task_id: str
    account: str
    name: str | None = None
    payee: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    memo: str | None = None
    stage: Stage = "open"
    runs: tuple[str, ...] = field(default=(), converter=_convert_texts)
    status: str | None = None
    reason: str | None = None
    payment_id: str | None = None
    answer: str = ""
    ordered_at: str | None = None
    session_id: str | None = None
    replies: tuple[str, ...] = field(default=(), converter=_convert_texts)
    is_replying: bool = False
    sent_at: float | None = None

    @property
    def counts(self) -> bool:
        """Whether it counts as a payment: it may have been made, or may still be."""
        return self.stage != "ended" or self.status not in {"refused", "failed"}

    def reopened(self) -> Operation:
        """Return the same, certain not to have been carried out: it counts nowhere."""
        return evolve(
            self,
            stage="open",
            runs=(),
            status=None,
            reason=None,
            payment_id=None,
            answer="",
            ordered_at=None,
            sent_at=None,
        )

    def to_json(self) -> str:
        """Return the record as JSON text in ASCII, which every place can hold."""
        amount = None if self.amount is None else str(self.amount)
        return json.dumps({**asdict(self), "amount": amount})

    @classmethod
    def from_json(cls, text: str | bytes, where: str) -> Self:
        """Read what `to_json` has written, and nothing else.

        Records of earlier versions have no `sent_at`; what they call sent counts as sent when it is read.

        Raises:
            OperationStoreError: It is something else; `where` names the place.
        """
        try:
            members: dict[str, Any] = {"sent_at": None, **json.loads(text)}
            if members.keys() == _KINDS.keys() and _is_sound(members):
                if members["amount"] is not None:
                    members["amount"] = Decimal(members["amount"])
                return cls(**members)
        except (ValueError, TypeError, ArithmeticError, RecursionError):
            pass
        raise OperationStoreError(
            f"{where} holds a damaged operation.", next_step="Find out from Payman what was paid."
        )


_OPTIONAL = (
    "name", "payee", "amount", "currency", "memo", "status", "reason", "payment_id", "ordered_at", "session_id",
)  # fmt: skip
_KINDS: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("task_id", "account", "stage", "answer"), (str,)),
    **dict.fromkeys(_OPTIONAL, (str, type(None))),
    **dict.fromkeys(("runs", "replies"), (list,)),
    "is_replying": (bool,),
    "sent_at": (int, float, type(None)),
}
"""The members of a record, and what each may be in JSON."""


def _is_sound(members: Mapping[str, Any]) -> bool:
    """Whether members that were read can be those of an operation. A damaged one must not pass for an operation that counts less."""
    amount, sent_at = members["amount"], members["sent_at"]
    return (
        all(isinstance(members[name], kinds) for name, kinds in _KINDS.items())
        and all(isinstance(one, str) for name in ("runs", "replies") for one in members[name])
        and members["stage"] in get_args(Stage)
        and members["status"] in _STATUSES
        and (amount is None) == (members["currency"] is None) == (members["payee"] is None)
        and (
            members["ordered_at"] is None
            or dt.datetime.fromisoformat(members["ordered_at"]).tzinfo is not None
        )
        and (amount is None or (Decimal(amount).is_finite() and Decimal(amount) > 0))
        and (sent_at is None or (not isinstance(sent_at, bool) and sent_at >= 0 and math.isfinite(sent_at)))
    )
