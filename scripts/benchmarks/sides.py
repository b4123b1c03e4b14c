"""What sides are made of: what one is asked to do it to, what it came to, and how to do something often or at once.

A module of sides, such as `peers/openai.py`, has `sides(target)`: by name, functions that do one thing a number of times.
This module is imported in the environments of all peers, so it needs nothing but Python.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

PATIENCE = 600.0
"""The time limit, in seconds, of clients whose own would end a long stream."""

ASKED = "list all wallets"


@dataclass(frozen=True)
class Sent:
    """A request as the SDK sends it, captured once, so that others put the same bytes on the wire."""

    path: str
    headers: dict[str, str]
    body: str

    def encoded(self) -> bytes:
        """The whole request, for those who speak to a socket."""
        body = self.body.encode()
        lines = [f"POST {self.path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@dataclass(frozen=True)
class Target:
    """The server, and what the SDK sends to it for a token, for an ask and for a stream of 3 events."""

    base_url: str
    token: Sent
    ask: Sent
    stream: Sent

    @classmethod
    def of(cls, written: str) -> Target:
        """The target that was written down as JSON."""
        base_url, *requests = json.loads(written)
        return cls(base_url, *(Sent(*request) for request in requests))

    def __str__(self) -> str:
        requests = (self.token, self.ask, self.stream)
        return json.dumps([self.base_url, *([each.path, each.headers, each.body] for each in requests)])

    def streaming(self, kind: str, events: int) -> bytes:
        """The body of the request for another stream."""
        return self.stream.body.replace("task 3", f"{kind} {events}").encode()


@dataclass
class Reading:
    """What one round of one side came to.

    Attributes:
        count: How many calls were made or events read, in all streams together; the distributions of an environment.
        characters: How many characters of text, or bytes.
        seconds: How long it took, from the first request to the last answer.
        busy: How many of these seconds the process computed; for the others it waited.
        served: How many of these seconds the server computed.
        opening: How many of these seconds it took until all streams were open.
        firsts: For streams that are left after their first event, the seconds until that was there, stream by stream.
        tokens: How many token requests the server counted.
        size: The most memory that the process has ever had, or what is installed, in bytes.
    """

    count: int = 0
    characters: int = 0
    seconds: float = 0.0
    busy: float = 0.0
    served: float = 0.0
    opening: float = 0.0
    firsts: list[float] = field(default_factory=list)
    tokens: int = 0
    size: int = 0


Side = Callable[..., Reading]
"""Does what it is named for, with the arguments that the row gives it."""


def repeated(call: Callable[[], object]) -> Side:
    """A side that makes one call after the other."""

    def side(calls: int) -> Reading:
        for _ in range(calls):
            call()
        return Reading(calls)

    return side


def at_once(runner: asyncio.Runner, call: Callable[[], Awaitable[object]]) -> Side:
    """A side that makes so many calls at once."""

    async def all_of_them(calls: int) -> None:
        await asyncio.gather(*(call() for _ in range(calls)))

    def side(calls: int) -> Reading:
        runner.run(all_of_them(calls))
        return Reading(calls)

    return side


def in_threads(base_url: str, client: Callable[[str], Callable[[], object]]) -> Side:
    """A side in which so many threads ask at once when the token has just expired.

    Args:
        base_url: The server, which gives a client id that begins with `expiring` a first token of a second.
        client: Makes a client with that id, and gives what each thread calls.
    """

    def side(threads: int) -> Reading:
        ask = client(f"expiring-{time.monotonic_ns()}")
        ask()
        time.sleep(1.1)
        before, together = counted(base_url)["tokens"], threading.Barrier(threads)
        failures: list[Exception] = []

        def one() -> None:
            together.wait()
            try:
                ask()
            except Exception as error:  # whatever it is, it is told once, by the side
                failures.append(error)

        running = [threading.Thread(target=one) for _ in range(threads)]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
        if failures:
            raise failures[0]
        return Reading(threads, tokens=int(counted(base_url)["tokens"] - before))

    return side


def counted(base_url: str) -> dict[str, float]:
    """What the server has counted so far: its `tokens` and `requests`, and the seconds that it was `busy`."""
    connection = http.client.HTTPConnection(urlsplit(base_url).netloc)
    connection.request("GET", "/counted")
    told: dict[str, float] = json.loads(connection.getresponse().read())
    connection.close()
    return told


class AllOpen:
    """Holds streams until all are open, and tells after how many seconds they were."""

    def __init__(self, streams: int) -> None:
        self._barrier = asyncio.Barrier(streams)
        self._start = time.perf_counter()
        self.after = 0.0

    async def wait(self) -> None:
        """Waits for the others."""
        await self._barrier.wait()
        self.after = self.after or time.perf_counter() - self._start


def heard(reading: Reading, event: Any) -> None:
    """Reads the new text of an event that is JSON and nothing more."""
    reading.count += 1
    if artifact := event["result"].get("artifact"):
        reading.characters += len(artifact["parts"][0]["text"])
