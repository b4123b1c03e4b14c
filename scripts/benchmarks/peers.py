"""Who is measured: each peer has a separate environment under `.bench/`, and sides in `sides.py`.

To add one: a line below, its lock by `scripts/lock`, a function that builds its sides, and these in the rows of `rows.toml`. Run as a
program, it prints a line for each lock that `scripts/lock` makes: the peer's name, and what its lock is made of.
"""

import re
from pathlib import Path
from typing import NamedTuple

_BENCHMARKS = Path(__file__).parent


class Peer(NamedTuple):
    """Somebody who is measured.

    Attributes:
        name: The folder of its environment.
        client: What builds its sides, among `sides.BUILDERS`.
        pins: What pip installs; one without a version is held at the version in `requirements-dev.lock`.
        imports: The statement whose time is its import time.
        extras: For this SDK itself, which is built from the checkout: the extras, `""` for none.
    """

    name: str
    client: str
    pins: tuple[str, ...] = ()
    imports: str = ""
    extras: str | None = None

    @property
    def lock(self) -> Path:
        """The versions and hashes that it is measured with; `scripts/lock` writes them."""
        return _BENCHMARKS / "locks" / f"{self.name}.lock"

    def list_needs(self) -> list[str]:
        """Return what its lock is made of: packages with their versions, or arguments of uv for this SDK."""
        if self.extras is not None:
            return ["pyproject.toml", *(["--extra", self.extras] if self.extras else [])]
        return [pin if "==" in pin else f"{pin}=={read_version(pin)}" for pin in self.pins]


def read_version(package: str, lock: Path = _BENCHMARKS.parents[1] / "requirements-dev.lock") -> str:
    """Return the version of a package in a lock.

    Raises:
        LookupError: The lock does not hold it.
    """
    found = re.search(rf"^{re.escape(package)}==(\S+)", lock.read_text("utf-8"), re.MULTILINE)
    if found is None:
        raise LookupError(f"{lock.name} does not hold {package}; run scripts/lock")
    return found[1]


PEERS = (
    Peer("ours", "ours", imports="from payman_sdk import PaymanClient", extras=""),
    Peer("ours-aiohttp", "ours", imports="from payman_sdk import AsyncPaymanClient", extras="aiohttp"),
    Peer("httpx", "httpx", ("httpx",), "import httpx"),
    Peer("httpx-aiohttp", "httpx", ("httpx", "httpx-aiohttp", "aiohttp==3.14.5"), "import httpx_aiohttp"),
    Peer("paymanai-sdk", "published", ("paymanai-sdk==1.0.8",), "from payman_sdk import PaymanClient"),
    Peer("openai", "openai", ("openai==3.57.0",), "from openai import OpenAI"),
)

if __name__ == "__main__":
    for peer in PEERS:
        print(peer.name, *peer.list_needs())
