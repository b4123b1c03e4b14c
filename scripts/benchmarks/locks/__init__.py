"""What each peer is measured with: `<peer>.lock`, with versions and hashes; `scripts/lock` writes them."""

from __future__ import annotations

import re
from pathlib import Path

from scripts.benchmarks.peers import PEERS, Peer

_HERE = Path(__file__).parent
_ROOT = _HERE.parents[2]


def lock_of(peer: Peer) -> Path:
    """Return the lock of a peer."""
    return _HERE / f"{peer.name}.lock"


def needs_of(peer: Peer) -> list[str]:
    """Return what a lock is made of: packages with their versions, or arguments of uv for this SDK; nothing for a bare peer."""
    if peer.extras is not None:
        return ["pyproject.toml", *(["--extra", peer.extras] if peer.extras else [])]
    return [pin if "==" in pin else f"{pin}=={version_of(pin)}" for pin in peer.pins]


def version_of(package: str, lock: Path = _ROOT / "requirements-dev.lock") -> str:
    """Return the version of a package in a lock.

    Raises:
        LookupError: The lock does not hold it.
    """
    found = re.search(rf"^{re.escape(package)}==(\S+)", lock.read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise LookupError(f"{lock.name} does not hold {package}; run scripts/lock")
    return found[1]


def lines() -> list[str]:
    """Return a line for each lock: the peer's name, and what its lock is made of."""
    return [" ".join([peer.name, *needs]) for peer in PEERS if (needs := needs_of(peer))]
