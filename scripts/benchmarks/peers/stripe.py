"""`stripe`: a payment intent, over the `requests` that it brings."""

from __future__ import annotations

import importlib
from typing import Any

from scripts.benchmarks.sides import ASKED, Side, Target, repeated

_INTENT: dict[str, Any] = {"amount": 1000, "currency": "usd", "description": ASKED}


def sides(target: Target) -> dict[str, Side]:
    """All sides."""
    library = importlib.import_module("stripe")
    client = library.StripeClient("bench", base_addresses={"api": target.base_url}, max_network_retries=0)
    return {"ask": repeated(lambda: client.v1.payment_intents.create(_INTENT))}
