"""`scripts/soak` in small."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import postgres_server
from tests.soak.run import soak


@pytest.mark.slow
@pytest.mark.timeout(300)  # a busy machine starts processes slowly
def test_a_fleet_that_is_killed_pays_each_line_once(tmp_path: Path) -> None:
    """Each line is paid once and reported as it ended, though workers, the database and the network fail."""
    programs = postgres_server.find_programs()
    if programs is None:
        pytest.skip(postgres_server.MISSING)
    # What the database loses is handed over again after 25 times `settle`.
    with postgres_server.Server(programs) as server:
        found = soak(
            tmp_path, server, payments=12, workers=2, kills=2, rate=0.03, seed=1, seconds=240, settle=0.5
        )
    assert (found.wrong, found.kills) == ([], {"worker": 1, "database": 1})
    assert found.outcomes["paid"] >= 11
