"""A process whose agents are killed while they pay: after the operation is written down and sent, before its result is known.

Every agent runs in a fork of its own, so that the frameworks are imported once. It prints how each ended.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from typing import Any

from payman_sdk import AsyncPaymanClient
from payman_sdk.agents import AsyncPaymanToolkit
from payman_sdk.agents.stores.sqlite import SQLiteOperationStore
from tests.agents.frameworks import FRAMEWORKS


def die(_: object) -> None:
    """Kills this process at once."""
    os.kill(os.getpid(), signal.SIGKILL)


async def pay(framework: str, order: dict[str, Any]) -> None:
    """Has an agent pay; it dies at the first event of the task."""
    async with AsyncPaymanClient(**order["client"]) as client:
        toolkit = AsyncPaymanToolkit(client, store=SQLiteOperationStore(order["store"]))
        call = ("payman_pay", {"text": order["text"], "operation": framework})
        await FRAMEWORKS[framework](toolkit, [[call]], die)


def main() -> None:
    """Forks, and says how the forks ended."""
    import agents  # noqa: F401
    import langchain_core.language_models.fake_chat_models  # noqa: F401
    import pydantic_ai.models.function  # noqa: F401

    order = json.loads(sys.argv[1])
    ends = []
    for framework in FRAMEWORKS:
        child = os.fork()
        if child == 0:
            asyncio.run(pay(framework, order))
            os._exit(0)
        ends.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    print(json.dumps(ends))


if __name__ == "__main__":
    main()
