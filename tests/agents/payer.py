"""A process that pays operations from a store that it shares with others, and reports their results.

Its order: the client's settings, the store, what to pay, in how many threads, whether to wait for a word before it begins, whether
to ask before it pays, and whether to kill itself: `before` anything is sent of a payment, though it is written down, or `after` it
was sent, before its result is known.
"""

from __future__ import annotations

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Any

from payman_sdk import PaymanClient
from payman_sdk.agents import PaymanToolkit
from payman_sdk.agents.stores.sqlite import SQLiteOperationStore


def die(_: object) -> None:
    """Kill this process at once."""
    os.kill(os.getpid(), signal.SIGKILL)


def pay_together(order: dict[str, Any], line: Connection) -> list[list[dict[str, Any]]]:
    """Pay everything in each thread, and return the results."""

    def confirm(_: object) -> bool:
        line.send("asked")
        return bool(line.recv() == "yes")

    settings: dict[str, Any] = {**order["client"], "before_send": die if order["dies"] == "before" else None}
    with PaymanClient(**settings) as client:
        store = SQLiteOperationStore(order["store"])
        toolkit = PaymanToolkit(
            client, run_id="monday", store=store, confirm=confirm if order["asks"] else None
        )
        options: dict[str, Any] = {"on_message": die} if order["dies"] == "after" else {}
        ready = threading.Barrier(order["threads"])
        if order["waits"]:
            line.send("ready")
            line.recv()

        def pay(_: int) -> list[dict[str, Any]]:
            ready.wait(timeout=60)
            return [toolkit.pay(*paid, operation=name, **options).to_dict() for name, paid in order["pays"]]

        with ThreadPoolExecutor(order["threads"]) as pool:
            return list(pool.map(pay, range(order["threads"])))
