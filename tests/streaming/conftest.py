from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import pytest

from payman_sdk import AsyncPaymanClient, FormattedTaskResponse, PaymanClient, StreamEvent
from tests.conftest import SECRET
from tests.loops import LOOPS, run_on


class ReceivedStream(NamedTuple):
    events: list[StreamEvent]
    result: FormattedTaskResponse


Prepare: TypeAlias = Callable[[int], object]


def _nothing(_: int) -> None:
    pass


class StreamListener:
    """Streams texts with a client of one kind.

    Args:
        loop: The event loop; None for threads.
    """

    def __init__(self, loop: str | None) -> None:
        self._loop = loop
        self.kind = loop or "threads"

    def one(self, server: Any, text: str, **settings: Any) -> ReceivedStream:
        """One stream to its end."""
        return self.many(server, text, 1, **settings)[0]

    def many(
        self, server: Any, text: str, count: int, prepare: Prepare = _nothing, **settings: Any
    ) -> list[ReceivedStream]:
        """So many streams of a text, one after the other; before each one, `prepare` is called with its number."""
        config = {
            "client_id": getattr(server, "client_id", "pm-test-1"),
            "client_secret": getattr(server, "client_secret", SECRET),
            "base_url": server.base_url,
            **settings,
        }
        if self._loop is None:
            return _in_a_thread(config, text, count, prepare)
        return run_on(self._loop, partial(_in_a_task, config, text, count, prepare))


def _in_a_thread(config: Any, text: str, count: int, prepare: Prepare) -> list[ReceivedStream]:
    received: list[ReceivedStream] = []
    with PaymanClient(config) as client:
        for number in range(count):
            prepare(number)
            with client.stream(text) as stream:
                received.append(ReceivedStream(list(stream), stream.result()))
    return received


async def _in_a_task(config: Any, text: str, count: int, prepare: Prepare) -> list[ReceivedStream]:
    received: list[ReceivedStream] = []
    async with AsyncPaymanClient(config) as client:
        for number in range(count):
            prepare(number)
            async with client.stream(text) as stream:
                received.append(ReceivedStream([event async for event in stream], await stream.result()))
    return received


KINDS = ["threads", *LOOPS]


@pytest.fixture(params=[None, *LOOPS], ids=KINDS)
def listener(request: pytest.FixtureRequest) -> StreamListener:
    """Streaming, by each kind of client."""
    return StreamListener(request.param)
