"""What a payout is, whatever engine carries it out: a line of a file, one typed payment with a key, one outcome."""

import csv
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

from payman_sdk import PaymanClient, PaymanError
from payman_sdk.agents import OperationResult, PaymanToolkit

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
    """One payout. Its number names it for ever, in this file and in others."""

    number: str
    payee: str
    amount: str
    currency: str
    memo: str

    @property
    def key(self) -> str:
        """The same number is the same payment, whichever worker makes it."""
        return f"payout-{self.number}"


def read_lines(path: Path) -> Iterator[Line]:
    """Read the payouts of a file. A number that comes twice is an error: one of the two would not be paid."""
    seen: set[str] = set()
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        if rows.fieldnames != COLUMNS:
            raise ValueError(f"{path}: the first line has to be {','.join(COLUMNS)}")
        for row in rows:
            if None in row or None in row.values() or not row["number"].strip() or row["number"] in seen:
                raise ValueError(f"{path}, line {rows.line_num}: a cell or the number is missing, or not new")
            seen.add(row["number"])
            yield Line(**row)


@cache
def open_toolkit() -> PaymanToolkit:
    """Make the client and the store of this process. The store keeps two workers from sending the same payment."""
    client = PaymanClient.from_env(settle_time=SETTLE)
    place = os.environ.get("PAYOUTS_STORE", "payouts.sqlite3")
    if place.startswith("postgresql://"):
        from payman_sdk.agents.stores.postgres import PostgresOperationStore

        return PaymanToolkit(client, run_id="payouts", store=PostgresOperationStore(place))
    from payman_sdk.agents.stores.sqlite import SQLiteOperationStore

    return PaymanToolkit(client, run_id="payouts", store=SQLiteOperationStore(place))


def pay(line: Line) -> dict[str, str]:
    """Pay a line once, or learn what became of it. The outcome is `later` if the same call should be made again."""
    toolkit, row = open_toolkit(), {**asdict(line), "payment_id": "", "task_id": ""}
    try:
        result = toolkit.pay(
            line.payee, line.amount, line.currency, memo=line.memo or None, operation=line.key
        )
    except PaymanError as error:  # the line is not a payment; nothing was sent
        return {**row, "outcome": "refused", "reason": error.message}
    row |= {"payment_id": result.payment_id or "", "task_id": result.task_id or ""}
    if result.payee is not None and not is_order(line, result):
        reason = (
            f"number {line.number} names another payment: {result.amount} {result.currency} to {result.payee}"
        )
        return {**row, "payment_id": "", "outcome": "refused", "reason": reason}
    outcome = OUTCOMES.get(result.status, "later")
    reason = "" if outcome == "paid" else result.reason or " ".join(result.text.split())
    return {**row, "outcome": outcome, "reason": reason}


def is_order(line: Line, result: OperationResult) -> bool:
    """Whether a result is about the payment that the line orders: a number that was used before stays with its payment."""
    ordered = (line.payee.strip(), Decimal(line.amount), line.currency.strip().upper())
    return ordered == (result.payee, Decimal(result.amount or 0), result.currency)
