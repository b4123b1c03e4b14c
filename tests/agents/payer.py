"""A process that pays operations from a store that it shares with others, and prints what it is told as JSON.

It reads its order from its arguments: the sandbox, the store, and what to pay. It may be told to kill itself: `before` anything is
sent of a payment, though it is written down, or `after` it was sent, before its result is known.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from payman_sdk import PaymanClient
from payman_sdk.agents import PaymanToolkit
from payman_sdk.agents.stores.sqlite import SQLiteOperationStore


def die(_: object) -> None:
    """Kills this process at once."""
    os.kill(os.getpid(), signal.SIGKILL)


def said(_: object) -> bool:
    """Asks whoever started this process."""
    print("asked", flush=True)
    return sys.stdin.readline() == "yes\n"


def main() -> None:
    """Pays, and prints what it is told."""
    order = json.loads(sys.argv[1])
    settings: dict[str, Any] = {**order["client"], "before_send": die if order["dies"] == "before" else None}
    with PaymanClient(**settings) as client:
        confirm = said if order["asks"] else None
        store = SQLiteOperationStore(order["store"])
        toolkit = PaymanToolkit(client, run_id="monday", store=store, confirm=confirm)
        options: dict[str, Any] = {"on_message": die} if order["dies"] == "after" else {}
        ready = threading.Barrier(order["threads"])
        if order["waits"]:
            print("ready", flush=True)
            sys.stdin.readline()

        def pay(_: int) -> list[dict[str, Any]]:
            ready.wait(timeout=60)
            return [toolkit.pay(*paid, operation=name, **options).to_dict() for name, paid in order["pays"]]

        with ThreadPoolExecutor(order["threads"]) as pool:
            print(json.dumps(list(pool.map(pay, range(order["threads"])))), flush=True)


if __name__ == "__main__":
    main()
