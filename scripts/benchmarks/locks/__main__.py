"""Prints what `scripts/lock` makes the locks of."""

from __future__ import annotations

from scripts.benchmarks.locks import lines

print("\n".join(lines()))
