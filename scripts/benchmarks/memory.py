"""What memory a stream takes from a caller who keeps none of its events."""

from __future__ import annotations

import sys

from rich.console import Group

from scripts.benchmarks.canned import text_size
from scripts.benchmarks.readers import Reader, Reading
from scripts.benchmarks.tables import table, titled


def memory(base_url: str, few: int, many: int) -> Group:
    """Measures: a short stream and a long one, each in a fresh process."""
    short, long = _read(base_url, few), _read(base_url, many)
    text = text_size(many) - text_size(few)
    shown = table("", "MB")
    shown.add_row(f"{few:,} events", _mb(short.peak))
    shown.add_row(f"{many:,} events", _mb(long.peak))
    shown.add_row("difference", _mb(long.peak - short.peak))
    shown.add_row("of which the answer's own text", _mb(text))
    return titled(
        "Peak memory of a process that reads a stream with client.stream and keeps nothing",
        shown,
        "The stream keeps the answer's text for stream.result(), once, in UTF-8.",
    )


def _read(base_url: str, events: int) -> Reading:
    with Reader(sys.executable, "ours", base_url) as fresh:
        return fresh.read("stream", "task", events)


def _mb(size: int) -> str:
    return f"{size / 1e6:.1f}"
