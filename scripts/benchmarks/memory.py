"""What memory a stream takes from a caller who keeps none of its events."""

from __future__ import annotations

import sys

from rich.console import Group

from scripts.benchmarks.canned import text_size
from scripts.benchmarks.readers import Reader, Reading
from scripts.benchmarks.tables import table, titled

_KINDS = {"brief": "one letter an event", "task": "some six words an event"}


def memory(base_url: str, few: int, many: int) -> Group:
    """Measures: a short stream and a long one of each kind, each in a fresh process."""
    shown = table("", f"{few:,} events, MiB", f"{many:,} events, MiB", "difference", "the answer's own text")
    for kind, what in _KINDS.items():
        short, long = _read(base_url, kind, few), _read(base_url, kind, many)
        text = text_size(kind, many) - text_size(kind, few)
        shown.add_row(what, _mb(short.peak), _mb(long.peak), _mb(long.peak - short.peak), _mb(text))
    return titled(
        "Peak memory of a process that reads a stream with client.stream and keeps nothing",
        shown,
        "The stream keeps the answer's text for stream.result(), once, in UTF-16.",
    )


def _read(base_url: str, kind: str, events: int) -> Reading:
    with Reader(sys.executable, "ours", base_url) as fresh:
        return fresh.read("stream", kind, events)


def _mb(size: int) -> str:
    return f"{size / 2**20:.1f}"
