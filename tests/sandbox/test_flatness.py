"""What a transaction costs in a store in memory, however much there is."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

import pytest

from payman_sdk.sandbox._ledger.store import Store


@pytest.mark.slow
def test_a_transaction_takes_as_long_in_a_large_store() -> None:
    """Beside 200,000 rows it takes little longer than in an empty store; in SQLite's `:memory:` it would take a multiple."""
    draw = random.Random(1)  # noqa: S311 (chance, not a secret)

    def make_rows(count: int) -> Iterator[tuple[str]]:
        return ((f"{draw.getrandbits(128):032x}{'-' * 64}",) for _ in range(count))

    small, large = Store(), Store()
    insert = "INSERT INTO accounts VALUES (?, 'ai-1', 1)"
    with large.transaction() as tx:
        tx.executemany(insert, make_rows(200_000))
    took: dict[Store, list[float]] = {small: [], large: []}
    for _ in range(20):
        for store, times in took.items():
            rows = list(make_rows(200))
            began = time.perf_counter()
            for first in range(0, 200, 20):
                with store.transaction() as tx:
                    tx.executemany(insert, rows[first : first + 20])
            times.append(time.perf_counter() - began)
    small.close()
    large.close()
    assert min(took[large]) < 3.5 * min(took[small])
