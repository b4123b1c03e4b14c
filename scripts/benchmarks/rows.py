"""The rows: what is measured, whose sides are compared, and what they should reach. One row is one declaration."""

from __future__ import annotations

from scripts.benchmarks.measurement import Aim, Row, Side
from scripts.benchmarks.peers import PEERS

_PER_SECOND = {"a second": lambda reading: reading.count / reading.seconds}
_BUSY = {"CPU µs": lambda reading: reading.busy / reading.count * 1e6}
_PROCESS = {
    "ms": lambda reading: reading.seconds * 1e3,
    "CPU ms": lambda reading: reading.busy * 1e3,
    "MiB of memory": lambda reading: reading.size / 2**20,
}
_ASK = (("httpx", "httpx"), ("client.ask", "ours"), ("paymanai-sdk", "paymanai-sdk"), ("openai", "openai"))
_AIOHTTP, _EXTRA = "httpx with aiohttp", "client.ask, extra aiohttp"
_ASKS = ((_AIOHTTP, "httpx-aiohttp"), (_EXTRA, "ours-aiohttp"), *_ASK[:2], _ASK[3])
_UNTYPED = "openai.Stream, untyped"
_FRUGAL = "httpx, no certificates"


def build_rows(*, quick: bool) -> tuple[Row, ...]:
    """Return all rows, in the order in which they are measured."""
    calls, at_once, events = (50, 100, 5_000) if quick else (200, 500, 100_000)
    task = {"task": f"task {events}"}
    return (
        Row(
            name="ask",
            title="One ask, sync, over loopback",
            columns={"µs": lambda reading: reading.seconds / reading.count * 1e6, **_BUSY},
            sides=[Side(*side, "ask", {"calls": calls}, calls) for side in _ASK],
            baseline="httpx",
            aims=(
                Aim("at most 1.05 times httpx", "client.ask", "httpx", 1.05),
                Aim("ahead of the published client", "client.ask", "paymanai-sdk"),
                Aim("ahead of openai", "client.ask", "openai"),
            ),
            rounds=1 if quick else 15,
            note="Each client reads its answer.",
        ),
        Row(
            name="asks",
            title=f"{at_once} asks at once, async",
            columns={**_PER_SECOND, **_BUSY},
            sides=[Side(*side, "asks", {"calls": at_once}, at_once) for side in _ASKS],
            baseline=_AIOHTTP,
            aims=(
                Aim(f"with the extra, at least 0.9 times {_AIOHTTP}", _EXTRA, _AIOHTTP, 0.9, at_least=True),
                Aim("with the extra, at least 5 times openai", _EXTRA, "openai", 5.0, at_least=True),
            ),
            rounds=1 if quick else 5,
            note="Each with its default client. httpx has 100 connections. Whenever an answer arrives, it looks at all of them and at "
            "all waiting requests.",
        ),
        Row(
            name="stream",
            title=f"One stream of {events:,} events",
            columns={**_PER_SECOND, **_BUSY},
            sides=(
                Side("httpx, bytes only", "httpx", "bytes", task, events),
                Side("client.stream", "ours", "stream", task, events),
                Side(_UNTYPED, "openai", "stream", task, events),
            ),
            baseline="client.stream",
            aims=[
                Aim(
                    "typed and formatted, at least as fast as openai's untyped",
                    "client.stream",
                    _UNTYPED,
                    at_least=True,
                )
            ],
            rounds=1 if quick else 5,
            note="client.stream yields typed, formatted events. Bytes only shows the limit of server and socket.",
        ),
        Row(
            name="import",
            title="Import, in a process that has just begun",
            columns=_PROCESS,
            sides=[Side(peer.name, peer.name) for peer in PEERS if peer.imports],
            baseline="httpx",
            aims=[Aim("at most 0.33 times httpx", "ours", "httpx", 0.33)],
            rounds=2 if quick else 15,
            how="import",
            note="The import of the client's class as in its documentation, without the start of the interpreter. "
            "ours-aiohttp imports AsyncPaymanClient.",
        ),
        Row(
            name="first ask",
            title="A program with one ask, from its start to its end",
            columns=_PROCESS,
            sides=[
                Side(_FRUGAL, "httpx", "FIRST_ASK_WITHOUT_CERTIFICATES"),
                *(
                    Side(name, name, "FIRST_ASK")
                    for name in ("httpx", "ours", "ours-aiohttp", "paymanai-sdk")
                ),
            ],
            baseline=_FRUGAL,
            aims=(
                Aim("at most 0.95 times the same two POSTs with httpx", "ours", "httpx", 0.95),
                Aim("at most 1.0 times those of an httpx that reads no certificates", "ours", _FRUGAL),
                Aim(
                    "less than 2 MiB of memory over httpx", "ours", "httpx", plus=2.0, column="MiB of memory"
                ),
            ),
            rounds=2 if quick else 15,
            how="program",
            note="Each requests a token and then asks, over plain http. This SDK reads no certificates for plain http. An httpx client "
            "does by default, so it is measured both ways. Memory is the peak of the process.",
        ),
    )
