"""Prints a line for each lock that `scripts/lock` makes: the peer's name, and what its lock is made of."""

from __future__ import annotations

from scripts.benchmarks.peers import PEERS

for peer in PEERS:
    print(peer.name, *peer.list_needs())
