"""Print what typed payments report, for each way in which an agent may answer and each way in which a payment may end.

`python -m scripts.outcome_table` prints the table, `--docs` writes it into docs/guides/payments.md; `tests/payments/test_outcomes.py` checks that no row is better than the truth.
"""

import logging
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple, get_args

from payman_sdk._client.sync import PaymanClient
from payman_sdk._core.payment_types import Payment, PaymentOutcome
from payman_sdk.sandbox import Sandbox
from payman_sdk.sandbox._ledger.environment import JsonAnswers
from scripts.documentation.marks import replace_between

PAID, AWAITING = PaymentOutcome.PAID, PaymentOutcome.AWAITING_APPROVAL
REFUSED, UNDETERMINED = PaymentOutcome.REFUSED, PaymentOutcome.UNDETERMINED

PAGE = Path(__file__).parent.parent / "docs" / "guides" / "payments.md"
BEGIN, END = "<!-- table: python -m scripts.outcome_table -->", "<!-- end of the table -->"

MANNERS: tuple[JsonAnswers, ...] = get_args(JsonAnswers)

TRUTHS = {
    "paid": ("Test Payee", Decimal(10)),
    "awaiting approval": ("Test Payee", Decimal(200)),
    "refused for funds": ("Test Payee", Decimal(450)),
    "refused for limit": ("Test Payee", Decimal(900)),
    "unknown payee": ("Nobody", Decimal(10)),
}
"""Each way in which a payment may end, and the payment that ends so."""

_RANKS = {PAID: 2, AWAITING: 1, REFUSED: 0, PaymentOutcome.FAILED: 0}


class Row(NamedTuple):
    """One payment: how the agent answered, what the ledger says, and what the client reported."""

    manner: str
    truth: str
    true: PaymentOutcome
    reported: PaymentOutcome

    @property
    def excess(self) -> int:
        """By how much the report is better than the truth; below zero, somebody might pay again. What is undetermined is neither."""
        return 0 if self.reported is UNDETERMINED else _RANKS[self.reported] - _RANKS[self.true]


def measure() -> Iterator[Row]:
    """Pay once in each way, each time from an account of its own."""
    accounts = {f"pm-test-{truth}": "secret" for truth in TRUTHS}
    for manner in MANNERS:
        with Sandbox(json_answers=manner, clients=accounts) as sandbox:
            for truth, (payee, amount) in TRUTHS.items():
                with sandbox.client(client_id=f"pm-test-{truth}", client_secret="secret") as client:
                    if truth == "refused for funds":
                        _spend(sandbox, client)
                    payment = client.pay(payee, amount, "TSD")
                yield Row(manner, truth, _true_outcome(sandbox, payment), payment.outcome)
            sandbox.check_invariants()


def _spend(sandbox: Sandbox, client: PaymanClient) -> None:
    """Leave less in the wallet than is to be paid, without reaching a limit."""
    with sandbox.service.store.transaction() as tx:
        tx.execute("UPDATE wallets SET most_per_day = 1000000, most_per_month = 1000000")
    for _ in range(2):
        client.reply(client.ask("send 300 TSD to Test Payee"), "approve")


def _true_outcome(sandbox: Sandbox, payment: Payment) -> PaymentOutcome:
    """Return how a payment ended, by the ledger."""
    made = [one for one in sandbox.payments if one.task_id == payment.task_id]
    if not made:
        return REFUSED
    return {"INITIATED": PAID, "AWAITING_APPROVAL": AWAITING, "REJECTED": REFUSED}[made[0].status]


def table(rows: list[Row]) -> str:
    """Return the rows as a table in markdown: a line for each manner, a column for each truth."""
    reported = {(row.manner, row.truth): row.reported.value.replace("_", " ") for row in rows}
    cells = {manner: " | ".join(reported[manner, truth] for truth in TRUTHS) for manner in MANNERS}
    lines = [f"| the agent answers | {' | '.join(TRUTHS)} |", f"|---|{'---|' * len(TRUTHS)}"]
    lines += [f"| `{manner}` | {several} |" for manner, several in cells.items()]
    better = sum(row.excess > 0 for row in rows)
    return "\n".join([*lines, "", f"{better} of {len(rows)} better than the truth."])


def main() -> None:
    """Print the table, and write it into the guide with `--docs`."""
    logging.disable(logging.WARNING)
    text = table(list(measure()))
    print(text)
    if sys.argv[1:] == ["--docs"]:
        PAGE.write_text(replace_between(PAGE.read_text("utf-8"), BEGIN, END, text), "utf-8")


if __name__ == "__main__":
    main()
