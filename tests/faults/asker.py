"""Asks for one payment with an idempotency key: what a process does that is killed in the middle of it, or runs to its end."""

from __future__ import annotations

import os
from typing import Any

from payman_sdk import PaymanClient
from payman_sdk._core import operations  # noqa: F401 (loaded now rather than with the first ask)


def ask(order: dict[str, Any]) -> dict[str, Any]:
    """Asks as it is ordered to (base_url, client_id, client_secret, key, text, streams), and says what it is told."""
    if "state_folder" in order:
        os.environ["PAYMAN_STATE_DIR"] = order["state_folder"]
    with PaymanClient(
        client_id=order["client_id"],
        client_secret=order["client_secret"],
        base_url=order["base_url"],
        timeout=30,
        settle_time=order.get("settle_time", 30.0),
    ) as client:
        if order["streams"]:
            with client.stream(order["text"], idempotency_key=order["key"]) as stream:
                answer = stream.result()
        else:
            answer = client.ask(order["text"], idempotency_key=order["key"])
        return {"status": answer.status, "task_id": answer.task_id}
