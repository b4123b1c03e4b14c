"""What sides are made of: the target, the reading of one round, and how to do something often or at once.

The environments of all peers import this module and `clients`, so these need nothing but Python.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NamedTuple

if sys.platform != "win32":
    import resource

PATIENCE = 600.0
"""The time limit, in seconds, of clients whose default would end a long stream."""

ASKED = "list all wallets"


class Sent(NamedTuple):
    """A request as the SDK sends it, captured once, so that others put the same bytes on the wire."""

    path: str
    headers: dict[str, str]
    body: str


class Target(NamedTuple):
    """The server, and what the SDK sends to it for a token, for an ask and for a stream of 3 events."""

    base_url: str
    token: Sent
    ask: Sent
    stream: Sent

    @classmethod
    def parse(cls, text: str) -> Target:
        """Read a target that was written as JSON."""
        base_url, *requests = json.loads(text)
        return cls(base_url, *(Sent(*request) for request in requests))

    def stream_body(self, task: str) -> bytes:
        """Return the body of the request for another stream, such as `task 1000`."""
        return self.stream.body.replace("task 3", task).encode()


@dataclass
class Reading:
    """One round of one side.

    Attributes:
        count: How many calls were made or events read.
        characters: How many characters of text, or bytes.
        seconds: From the first request to the last answer.
        busy: How many seconds the process computed; in the others it waited.
        size: The most memory that the process has had, in bytes.
    """

    count: int = 0
    characters: int = 0
    seconds: float = 0.0
    busy: float = 0.0
    size: int = 0


Side = Callable[..., Reading]
"""Does what it is named for, with the arguments that the row gives it."""


def repeat(call: Callable[[], object]) -> Side:
    """Return a side that makes one call after the other."""

    def side(calls: int) -> Reading:
        for _ in range(calls):
            call()
        return Reading(calls)

    return side


def run_at_once(runner: asyncio.Runner, call: Callable[[], Awaitable[object]]) -> Side:
    """Return a side that makes all calls at once."""

    async def call_all(calls: int) -> Reading:
        await asyncio.gather(*(call() for _ in range(calls)))
        return Reading(calls)

    return lambda calls: runner.run(call_all(calls))


def measure_peak() -> int:
    """Return the most memory that this process has had, in bytes; programs run the source of this function, too."""
    try:
        # `ru_maxrss` begins, on Linux, with the peak of the process that started this one.
        with open("/proc/self/status") as status:  # noqa: PTH123 (programs would pay for pathlib)
            return int(status.read().partition("VmHWM:")[2].split()[0]) * 1024
    except (OSError, IndexError, ValueError):
        if sys.platform == "win32":
            return 0  # Python alone cannot tell there
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
