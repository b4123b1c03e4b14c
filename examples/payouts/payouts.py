"""Turn a line of a file into one typed payment with a key, on any engine."""

import csv
import os
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

from payman_sdk import PaymanClient, PaymanError
from payman_sdk.agents import Operation, OperationStore, PaymanToolkit

NUMBER = re.compile(r"[!-~]{1,100}")
COLUMNS = ["number", "payee", "amount", "currency", "memo"]
OUTCOMES = {"paid": "paid", "awaiting-approval": "waiting", "refused": "refused", "failed": "refused"}
SETTLE = float(
    os.environ.get("PAYOUTS_SETTLE", "30")
)  # seconds after which what was sent cannot arrive any more
PAUSES = [
    SETTLE / 15,
    SETTLE / 3,
    SETTLE * 4 / 3,
    SETTLE * 4,
    SETTLE * 20,
]  # before the same payment is tried again


@dataclass(frozen=True)
class Line:
    """One payout. Its number names it permanently, in this file and in others."""

    number: str
    payee: str
    amount: str
    currency: str
    memo: str

    @property
    def key(self) -> str:
        """Return the key: the same number is the same payment, on every worker, in upper and lower case."""
        return f"payout-{self.number.lower()}"


def read_lines(path: Path) -> Iterator[Line]:
    """Read the payouts of a file. A number that comes twice is an error: one of the two would not be paid.

    Numbers have plain letters, digits and signs, so that none looks like another.
    """
    seen: set[str] = set()
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file, strict=True)
        if rows.fieldnames != COLUMNS:
            raise ValueError(f"{path}: the first line has to be {','.join(COLUMNS)}")
        for row in rows:
            place = f"{path}, line {rows.line_num}"
            if None in row or None in row.values():
                raise ValueError(f"{place}: it has too few cells, or too many")
            if any("\r" in cell or "\n" in cell for cell in row.values()):
                raise ValueError(f"{place}: a cell has a line break; a quotation mark may be missing")
            line = Line(**{**row, "number": row["number"].strip()})
            if not NUMBER.fullmatch(line.number):
                raise ValueError(
                    f"{place}: the number is not 1 to 100 of A-Z, a-z, 0-9 and signs: {line.number!r:.120}"
                )
            if line.key in seen:
                raise ValueError(f"{place}: the number {line.number} comes twice")
            seen.add(line.key)
            yield line


@cache
def open_store() -> OperationStore:
    """Open the store of this process. It keeps two workers from sending the same payment."""
    place = os.environ.get("PAYOUTS_STORE", "payouts.sqlite3")
    if "://" in place or "=" in place:  # an address in any spelling must not become a file of this machine
        from payman_sdk.agents.stores.postgres import PostgresOperationStore

        return PostgresOperationStore(place)
    from payman_sdk.agents.stores.sqlite import SQLiteOperationStore

    return SQLiteOperationStore(place)


@cache
def open_toolkit() -> PaymanToolkit:
    """Make the client of this process."""
    return PaymanToolkit(PaymanClient.from_env(settle_time=SETTLE), run_id="payouts", store=open_store())


def pay(line: Line) -> dict[str, str]:
    """Pay a line once, or find its outcome. The outcome is `later` if you should make the same call again."""
    toolkit, row = open_toolkit(), {**asdict(line), "payment_id": "", "task_id": ""}
    try:
        result = toolkit.pay(
            line.payee, line.amount, line.currency, memo=line.memo or None, operation=line.key
        )
        known = open_store().load(result.task_id or "")
    except PaymanError as error:  # the line is not a payment, or the store was away
        return {**row, "outcome": "refused" if error.sent is False else "later", "reason": error.message}
    row |= {"payment_id": result.payment_id or "", "task_id": result.task_id or ""}
    if known is not None and known.payee is not None and not is_order(line, known):
        reason = (
            f"number {line.number} names another payment: {known.amount} {known.currency} to {known.payee}"
        )
        reason += f", memo {known.memo}" if known.memo else ""
        return {**row, "payment_id": "", "outcome": "refused", "reason": reason}
    outcome = OUTCOMES.get(result.status, "later")
    reason = "" if outcome == "paid" else result.reason or " ".join(result.text.split())
    return {**row, "outcome": outcome, "reason": reason}


def is_order(line: Line, known: Operation) -> bool:
    """Whether a payment is what the line orders: a number that was used before stays with its payment."""
    ordered = (
        line.payee.strip(),
        Decimal(line.amount),
        line.currency.strip().upper(),
        line.memo.strip() or None,
    )
    return ordered == (known.payee, known.amount, known.currency, known.memo)
