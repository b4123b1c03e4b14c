from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.faults.table import CLIENTS, SERVERS, Tally, tried

TRIES = 12
SHOWN_LATE = SERVERS[3]
REFUSES_AND_SHOWN_LATE = SERVERS[9]
ENDS = [
    (SHOWN_LATE, "default", Tally(payments=TRIES)),
    (SHOWN_LATE, 'resend="never"', Tally(payments=TRIES // 2, unknown=TRIES // 2)),
    (REFUSES_AND_SHOWN_LATE, "default", Tally(payments=TRIES + TRIES // 2, twice=TRIES // 2)),
    (REFUSES_AND_SHOWN_LATE, 'resend="never"', Tally(payments=TRIES // 2, unknown=TRIES)),
]
"""Servers and settings, and what becomes of the payments: a second payment is seen where there is one."""


def test_the_table_says_what_becomes_of_payments() -> None:
    """Late look-ups are survived; with a refusal that lies they are the risk that remains, unless nothing is sent again."""
    with ThreadPoolExecutor(len(ENDS)) as pool:
        found = list(pool.map(lambda row: (row[0], row[1], tried(row[0], CLIENTS[row[1]], TRIES)), ENDS))
    assert found == ENDS
