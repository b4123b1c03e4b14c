from __future__ import annotations

import pytest

from payman_sdk._core.payment_types import PaymentOutcome
from scripts.documentation.marks import replace_between
from scripts.outcome_table import BEGIN, END, MANNERS, PAGE, TRUTHS, measure, table


@pytest.mark.slow
def test_no_outcome_is_better_than_the_truth() -> None:
    """However the agent answers, and however a payment ends, the client reports at most what the ledger says."""
    rows = list(measure())
    assert len(rows) == len(MANNERS) * len(TRUTHS)
    for row in rows:
        assert row.excess == 0, row
    careful = {row.truth: (row.true, row.reported) for row in rows if row.manner == "careful"}
    assert all(true is reported for true, reported in careful.values())
    assert {true for true, _ in careful.values()} == {
        PaymentOutcome.PAID,
        PaymentOutcome.AWAITING_APPROVAL,
        PaymentOutcome.REFUSED,
    }
    assert table(rows).endswith(f"0 of {len(rows)} better than the truth.")
    page = PAGE.read_text("utf-8")
    assert page == replace_between(page, BEGIN, END, table(rows)), (
        "python -m scripts.outcome_table --docs writes it anew"
    )
