"""A process that asks for one payment with an idempotency key, and prints what it is told as JSON.

Says `ready` when it has loaded everything, reads its order from standard input: base_url, client_id, client_secret, key,
text, streams. It is killed in the middle of that, or runs to its end.
"""

from __future__ import annotations

import json
import sys

from payman_sdk import PaymanClient
from payman_sdk.tasks import agent  # noqa: F401 (loaded now rather than with the first ask)


def main() -> None:
    """Asks, and prints what it is told."""
    print("ready", flush=True)
    order = json.loads(sys.stdin.readline())
    with PaymanClient(
        client_id=order["client_id"],
        client_secret=order["client_secret"],
        base_url=order["base_url"],
        timeout=30,
    ) as client:
        if order["streams"]:
            with client.stream(order["text"], idempotency_key=order["key"]) as stream:
                answer = stream.result()
        else:
            answer = client.ask(order["text"], idempotency_key=order["key"])
        print(json.dumps({"status": answer.status, "task_id": answer.task_id}), flush=True)


if __name__ == "__main__":
    main()
