"""The client that was published before, `paymanai-sdk` 1.0.8."""

from __future__ import annotations

import importlib

from scripts.benchmarks import sides

FIRST_ASK = """
import json, sys
from payman_sdk import PaymanClient
client = PaymanClient.with_credentials({"client_id": "bench", "client_secret": "bench"})
client.base_url = json.loads(sys.argv[1])[0]
assert client.ask("list all wallets")["artifacts"]
"""


def build_sides(target: sides.Target) -> dict[str, sides.Side]:
    """Return all sides."""
    # Imported by name: here `payman_sdk` is another package than in the checkout.
    library = importlib.import_module("payman_sdk")
    client = library.PaymanClient.with_credentials({"client_id": "bench", "client_secret": "bench"})
    client.base_url = target.base_url
    return {"ask": sides.repeat(lambda: client.ask(sides.ASKED))}
