"""`httpx2` alone, as `httpx`."""

from __future__ import annotations

from scripts.benchmarks.peers.httpx import sides_of
from scripts.benchmarks.sides import Side, Target


def sides(target: Target) -> dict[str, Side]:
    """All sides."""
    return sides_of("httpx2", target)
