"""A table: what becomes of payments, by how the server behaves and how the client is set."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from tests.faults import http1
from tests.faults.agent import PayingAgent
from tests.faults.ask_modes import end_of
from tests.faults.visibility import Manner, Showing

SCALE = 0.1
"""A second of the table takes so many seconds: pauses of the client are not scaled, and are longer than they would be."""

_AT_ONCE = 200
"""How many tries are made at the same time."""


class Server(NamedTuple):
    """How a server behaves.

    Args:
        name: The same in words.
        manner: How it shows tasks, in seconds of the table.
        work: Seconds of the table that a payment takes.
        lies: Whether the first request is answered with 401, 429 or 503 with Retry-After; or else its answer is lost, or 504 or 409.
    """

    name: str
    manner: Manner
    work: float = 0.0
    lies: bool = False


SERVERS = (
    Server("shows a task at once", Manner()),
    Server("shows it 1 s later", Manner(Showing.LATER, 1)),
    Server("shows it 5 s later", Manner(Showing.LATER, 5)),
    Server("shows it 15 s later", Manner(Showing.LATER, 15)),
    Server("flaps for 15 s", Manner(Showing.FLAPPING, 15)),
    Server("works for 5 s", Manner(), 5),
    Server("works for 5 s, shows a task when done", Manner(Showing.WHEN_DONE), 5),
    Server("refuses, shows a task at once", Manner(), lies=True),
    Server("refuses, shows it 1 s later", Manner(Showing.LATER, 1), lies=True),
    Server("refuses, shows it 15 s later", Manner(Showing.LATER, 15), lies=True),
    Server("refuses, flaps for 15 s", Manner(Showing.FLAPPING, 15), lies=True),
)
"""The rows."""

CLIENTS: Mapping[str, Mapping[str, Any]] = {
    "default": {"settle_time": 30.0},
    "settle_time=3": {"settle_time": 3.0},
    'resend="never"': {"settle_time": 30.0, "resend": "never"},
}
"""The settings of the client, in seconds of the table."""


@dataclass
class Tally:
    """What became of the tries with one server and one setting.

    Attributes:
        payments: How many were made.
        twice: How many tries were paid more than once.
        wrong: How many tries ended with a claim that was not so: nothing was done, or completed.
        unknown: How many tries ended as not known.
    """

    payments: int = 0
    twice: int = 0
    wrong: int = 0
    unknown: int = 0


def table(tries: int = 200) -> Iterator[str]:
    """Make the payments of the table, and yield its lines.

    Args:
        tries: How many for each server and setting. The server takes every second first request, and none of the others.
    """
    logging.getLogger("payman_sdk").addHandler(logging.NullHandler())
    yield "| the server | the client | payments | paid twice | wrong claims | not known |"
    yield "|---|---|---|---|---|---|"
    for server in SERVERS:
        for name, settings in CLIENTS.items():
            tally = tried(server, settings, tries)
            yield (
                f"| {server.name} | `{name}` | {tally.payments} | {tally.twice} | {tally.wrong} | {tally.unknown} |"
            )


def tried(server: Server, settings: Mapping[str, Any], tries: int) -> Tally:
    """Make tries with one server and one setting, and return what became of them."""
    manner = Manner(server.manner.showing, server.manner.seconds * SCALE)
    with PayingAgent(
        manner, work=lambda text: server.work * SCALE, takes=_takes, reply=_refusal if server.lies else _loss
    ) as agent:
        scaled = {**settings, "settle_time": settings["settle_time"] * SCALE}
        ends = asyncio.run(_ask_all(agent.url, scaled, tries))
        agent.finish()
        tally = Tally(payments=agent.payments.total())
        for text, end in ends.items():
            paid = agent.payments[text]
            tally.twice += paid > 1
            tally.wrong += (end == "not sent" and paid > 0) or (end == "completed" and paid == 0)
            tally.unknown += end in ("unknown", "unproven")
        return tally


async def _ask_all(url: str, settings: dict[str, Any], tries: int) -> dict[str, str]:
    from payman_sdk._client.async_ import AsyncPaymanClient

    ends: dict[str, str] = {}
    slots = asyncio.Semaphore(_AT_ONCE)
    given: Any = {
        "client_id": "faults",
        "client_secret": "faults",
        "base_url": url,
        "timeout": 60,
        **settings,
    }
    async with AsyncPaymanClient.with_credentials(given) as client:
        await client.get_access_token()

        async def ask(text: str) -> None:
            async with slots:
                try:
                    ends[text] = (await client.ask(text)).status
                except Exception as error:
                    ends[text] = end_of(error)

        await asyncio.gather(*(ask(f"send 10 TSD to Test Payee, try {number}") for number in range(tries)))
    return ends


def _number_of(text: str) -> int:
    return int(text.rpartition(" ")[2])


def _takes(text: str, number: int) -> bool:
    return number > 1 or _number_of(text) % 2 == 0


_REFUSALS: tuple[Callable[[], bytes], ...] = (
    lambda: http1.refusal(401),
    lambda: http1.refusal(429, retry_after="0"),
    lambda: http1.refusal(503, retry_after="0"),
)
_LOSSES: tuple[Callable[[], bytes], ...] = (
    lambda: b"",
    lambda: http1.refusal(504),
    lambda: http1.refusal(409),
)


def _refusal(text: str, number: int) -> bytes | None:
    return _REFUSALS[_number_of(text) // 2 % len(_REFUSALS)]() if number == 1 else None


def _loss(text: str, number: int) -> bytes | None:
    return _LOSSES[_number_of(text) // 2 % len(_LOSSES)]() if number == 1 else None
