"""How long it takes until the first event is there, from a server that sends it at once and then waits."""

from __future__ import annotations

from functools import partial

from rich.console import Group

from scripts.benchmarks.readers import Reader, interleaved
from scripts.benchmarks.tables import spread, table, titled

_STREAMS = 5
"""How many streams of one side are read before it is the other's turn."""


def first_event(ours: Reader, rounds: int) -> Group:
    """Measures: from the call to the first event, or to the first bytes; a new connection each time for both."""
    names = ("bytes, first", "stream, first", "async bytes, first", "async stream, first")
    readings = interleaved({name: partial(ours.read, name, "paused", 1, _STREAMS) for name in names}, rounds)
    times = {
        name: [seconds * 1e3 for one in measured for seconds in one.firsts]
        for name, measured in readings.items()
    }
    shown = table("", "bare httpx, ms (min–max)", "client.stream, ms (min–max)", "difference, ms (min–max)")
    for name, bare, stream in (("sync", *names[:2]), ("async", *names[2:])):
        added = [mine - theirs for mine, theirs in zip(times[stream], times[bare], strict=True)]
        shown.add_row(name, spread(times[bare]), spread(times[stream]), spread(added))
    return titled(
        f"Time to the first event: {rounds * _STREAMS} streams of each side, in turns",
        shown,
        "The difference is taken stream by stream, and its median is shown.",
    )
