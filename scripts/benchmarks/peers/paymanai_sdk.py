"""The client that was published before, `paymanai-sdk` 1.0.8, and the `requests` that it brings."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from scripts.benchmarks.sides import ASKED, Side, Target, in_threads, repeated

FIRST_ASK = """
import json, sys
from payman_sdk import PaymanClient
client = PaymanClient.with_credentials({"client_id": "bench", "client_secret": "bench"})
client.base_url = json.loads(sys.argv[1])[0]
assert client.ask("list all wallets")["artifacts"]
"""


def sides(target: Target) -> dict[str, Side]:
    """All sides."""
    # Imported by name: here `payman_sdk` is another package than in the checkout.
    library, requests = importlib.import_module("payman_sdk"), importlib.import_module("requests")
    sent, body = target.ask, target.ask.body.encode()
    url, session = f"{target.base_url}{sent.path}", requests.Session()

    def asking(client_id: str) -> Callable[[], object]:
        credentials = {"client_id": client_id, "client_secret": "bench"}
        client = library.PaymanClient.with_credentials(credentials)
        client.base_url = target.base_url
        return lambda: client.ask(ASKED)

    return {
        "ask": repeated(asking("bench")),
        "requests": repeated(lambda: session.post(url, data=body, headers=sent.headers).json()),
        "threads": in_threads(target.base_url, asking),
    }
