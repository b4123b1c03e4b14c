"""Where operations are written down, so that each is carried out once, whoever asks for it and however often.

A store keeps records and gives locks. `MemoryOperationStore` is the default; the others live in modules of their own:
`payman_sdk.agents.stores.sqlite` (extra `file`) and `payman_sdk.agents.stores.redis` (extra `redis`).
"""

from __future__ import annotations

import datetime as dt
import json
import math
import threading
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal, Protocol, Self, TypeAlias, get_args
from weakref import WeakValueDictionary

from attrs import asdict, evolve, field, frozen

from payman_sdk._core.effects import Lock
from payman_sdk._io.locks import ThreadLock
from payman_sdk.errors import PaymanError

Stage: TypeAlias = Literal["open", "sent", "ended"]
"""`open`: certainly not carried out, so any order may be sent under its name. `sent`: it may have been sent. `ended`: its end is known."""

_STATUSES = (
    None, "paid", "awaiting-approval", "refused", "failed", "working", "unknown", "completed", "input-required",
)  # fmt: skip
"""What `Operation.status` may be."""


class OperationStoreError(PaymanError):
    """The place where operations are written down cannot be read or written."""


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
        """Return the record as JSON text."""
        amount = None if self.amount is None else str(self.amount)
        return json.dumps({**asdict(self), "amount": amount}, ensure_ascii=False)

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


class OperationStore(Protocol):
    """Keeps operations. Methods may block; the asynchronous toolkit calls them in a worker thread.

    Whatever a store raises counts as a failure of the store: nothing is sent then. A store never answers with less than it was given:
    where it may have lost records, it raises.

    A store that several machines share may have two more methods, which are used where they exist. `now()` returns the time in seconds
    since 1970 by one clock for all; without it, each machine's own clock counts. `claim(operation, run_id, counted)` saves an operation
    as `save` does, and raises if the run does not count exactly `counted` operations any more, in one step; without it, the lock of
    the run alone keeps two from counting at once.
    """

    def load(self, task_id: str) -> Operation | None:
        """Return the operation with that task id, None if there is none."""
        ...

    def save(self, operation: Operation) -> None:
        """Keep an operation in place of the one with the same task id; it is kept for good when this returns."""
        ...

    def list_by_run(self, run_id: str) -> Sequence[Operation]:
        """All operations that count in a run."""
        ...

    def lock(self, name: str) -> Lock:
        """Return the lock of that name, among all who share the store. It is held as long as an operation is under way.

        It has to come free when its holder dies, and not before its holder lets it go. A lock that can be lost, as one in Redis can,
        leaves a small risk that two send the same operation; the store says so.
        """
        ...


class MemoryOperationStore:
    """Keeps operations in memory, for the toolkits of one process that are given the same store.

    Example:
        >>> from payman_sdk.agents import MemoryOperationStore
        >>> MemoryOperationStore().list_by_run("monday")
        []
    """

    def __init__(self) -> None:
        self._operations: dict[str, Operation] = {}
        self._locks: WeakValueDictionary[str, ThreadLock] = WeakValueDictionary()
        self._guard = threading.Lock()

    def load(self, task_id: str) -> Operation | None:
        """Return the operation with that task id, None if there is none."""
        return self._operations.get(task_id)

    def save(self, operation: Operation) -> None:
        """Keep an operation in place of the one with the same task id."""
        with self._guard:
            self._operations[operation.task_id] = operation

    def list_by_run(self, run_id: str) -> list[Operation]:
        """Return the operations that count in a run."""
        with self._guard:
            return [one for one in self._operations.values() if run_id in one.runs]

    def lock(self, name: str) -> Lock:
        """Return the lock of that name."""
        with self._guard:
            lock = self._locks.get(name)
            if lock is None:
                lock = self._locks[name] = ThreadLock()
            return lock

    def __repr__(self) -> str:
        return f"<MemoryOperationStore of {len(self._operations)} operations>"
