"""Whether an event costs more when many streams are read at once."""

from __future__ import annotations

from functools import partial

from rich.console import Group

from scripts.benchmarks.readers import Reader, interleaved
from scripts.benchmarks.tables import ratios, spread, table, titled

_COUNTS, _LEAST = (1, 10, 100, 1000), 50


def many(ours: Reader, rounds: int, events: int) -> Group:
    """Measures: so many streams at once with the async clients, always with as many events together."""
    # With fewer events in each, little but the opening would be measured.
    counts = [count for count in _COUNTS if events // count >= _LEAST]
    sides = {
        (side, count): partial(ours.read, side, "task", events // count, count)
        for count in counts
        for side in ("async stream", "async bytes")
    }
    readings = interleaved({f"{side} {count}": read for (side, count), read in sides.items()}, rounds)
    shown = table(
        "streams",
        "reading, µs an event (min–max)",
        "times 1 stream",
        "with opening, µs an event",
        "so bare httpx, µs an event",
    )
    for count in counts:
        measured = readings[f"async stream {count}"]
        bare = readings[f"async bytes {count}"]
        times, alone = (
            [(one.seconds - one.opening) / one.events * 1e6 for one in readings[f"async stream {number}"]]
            for number in (count, 1)
        )
        shown.add_row(
            f"{count:,}",
            spread(times),
            spread(ratios(times, alone)),
            spread([one.per_event for one in measured]),
            spread([one.per_event for one in bare]),
        )
    return titled(
        f"Many streams at once, {events:,} events in all: {rounds} rounds, in turns",
        shown,
        "async client.stream, given an httpx client that opens as many connections as it is asked for (httpx: 100).\n"
        "All streams are open before the first is read; reading ends when all are closed.",
    )
