"""How many events of one long stream can be read in a second, by whom."""

from __future__ import annotations

import statistics
from functools import partial

from rich.console import Group

from scripts.benchmarks.canned import blocks
from scripts.benchmarks.environment import HTTPX_SSE, OPENAI
from scripts.benchmarks.readers import Reader, Reading, interleaved
from scripts.benchmarks.tables import ratios, spread, table, titled

_OURS = (
    ("httpx, iter_bytes only", "bytes", "task"),
    ("httpx, split, json.loads", "bytes, json", "task"),
    ("client.stream", "stream", "task"),
    ("client.stream, events with ids", "stream", "numbered"),
    ("async httpx, aiter_bytes only", "async bytes", "task"),
    ("async client.stream", "async stream", "task"),
)
_PEERS = (
    (f"httpx-sse {HTTPX_SSE}, json.loads", "httpx-sse", "task"),
    (f"openai.Stream {OPENAI}, untyped", "openai, untyped", "task"),
    (f"openai.Stream {OPENAI}, typed", "openai, typed", "chat"),
    (f"async httpx-sse {HTTPX_SSE}, json.loads", "async httpx-sse", "task"),
    (f"openai.AsyncStream {OPENAI}, untyped", "async openai, untyped", "task"),
)


def rates(ours: Reader, peers: Reader | None, why_no_peers: str, rounds: int, events: int) -> Group:
    """Measures: every side reads the same stream from the same server and looks at the new text of each event."""
    # Typed chunks take so long that a fifth of them tells as much.
    counts = {"task": events, "numbered": events, "chat": events // 5}
    sides = {name: partial(ours.read, side, kind, counts[kind]) for name, side, kind in _OURS}
    if peers is not None:
        sides |= {name: partial(peers.read, side, kind, counts[kind]) for name, side, kind in _PEERS}
    readings = interleaved(sides, rounds)
    task, chat = (sum(map(len, blocks(kind, events))) / events for kind in ("task", "chat"))
    shown = table("", "events/s", "µs an event (min–max)", "times client.stream (min–max)", "busy")
    kinds = {name: kind for name, _, kind in (*_OURS, *_PEERS)}
    for name, measured in readings.items():
        ours_name = "async client.stream" if "sync" in name.lower() else "client.stream"
        shown.add_row(name, *_row(measured, readings[ours_name], counts[kinds[name]]))
    if peers is None:
        for name, _, _ in _PEERS:
            shown.add_row(name, "not installed")
    return titled(
        f"One stream of {events:,} events over loopback: {rounds} rounds, in turns",
        shown,
        (why_no_peers and f"Not installed: {why_no_peers}.\n")
        + f"The same {task:.0f} bytes an event for all, but the chunks of typed openai streams are its own, of {chat:.0f} bytes, "
        f"{counts['chat']:,} of them. Async is compared with async.\n"
        "client.stream gives typed, formatted events; iter_bytes gives bytes, and so what server and socket can give.\n"
        "busy: how much of its time the reader computed; for the rest it waited, for the server or for the processor.",
    )


def _row(measured: list[Reading], measure: list[Reading], events: int) -> list[str]:
    heard = {reading.events for reading in measured}
    if heard != {events}:
        return [f"of {events} events it gave {heard}"]
    times = [reading.per_event for reading in measured]
    return [
        f"{1e6 / statistics.median(times):,.0f}",
        spread(times),
        spread(ratios(times, [reading.per_event for reading in measure])),
        f"{statistics.median(reading.busy / reading.seconds for reading in measured):.0%}",
    ]
