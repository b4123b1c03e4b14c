"""The rows: what is measured, whose sides are compared, and what they should reach. One row is one declaration."""

from __future__ import annotations

from scripts.benchmarks.measurement import Aim, Row, Side
from scripts.benchmarks.peers import PEERS


def build_rows(*, quick: bool) -> tuple[Row, ...]:
    """Return all rows, in the order in which they are measured."""
    builders = (_build_ask, _build_asks, _build_stream, _build_import, _build_first_ask)
    return tuple(build(quick) for build in builders)


_PER_SECOND = {"a second": lambda reading: reading.count / reading.seconds}
_BUSY = {"CPU µs": lambda reading: reading.busy / reading.count * 1e6}
_PROCESS = {
    "ms": lambda reading: reading.seconds * 1e3,
    "CPU ms": lambda reading: reading.busy * 1e3,
    "MiB of memory": lambda reading: reading.size / 2**20,
}


def _build_ask(quick: bool) -> Row:
    calls = 50 if quick else 200
    sides = (
        ("httpx", "httpx", "ask"),
        ("client.ask", "ours", "ask"),
        ("paymanai-sdk", "paymanai-sdk", "ask"),
        ("openai", "openai", "ask"),
        ("openai, untyped", "openai", "ask, untyped"),
    )
    return Row(
        name="ask",
        title="One ask, sync, over loopback",
        columns={"µs": lambda reading: reading.seconds / reading.count * 1e6, **_BUSY},
        sides=[Side(*side, {"calls": calls}, calls) for side in sides],
        baseline="httpx",
        aims=(
            Aim("at most 1.05 times httpx", "client.ask", "httpx", 1.05),
            Aim("ahead of the published client", "client.ask", "paymanai-sdk"),
            Aim("ahead of openai", "client.ask", "openai"),
        ),
        rounds=1 if quick else 15,
        note="Each client reads its answer.",
    )


def _build_asks(quick: bool) -> Row:
    calls = 100 if quick else 500
    extra, peer = "client.ask, extra aiohttp", "httpx with aiohttp"
    sides = (
        (peer, "httpx-aiohttp", "asks"),
        (f"{peer}, 1,000 connections", "httpx-aiohttp", "asks, 1,000 connections"),
        (extra, "ours-aiohttp", "asks"),
        ("client.ask", "ours", "asks"),
        ("httpx", "httpx", "asks"),
        ("httpx, 1,000 connections", "httpx", "asks, 1,000 connections"),
        ("openai", "openai", "asks"),
    )
    return Row(
        name="asks",
        title=f"{calls} asks at once, async",
        columns={**_PER_SECOND, **_BUSY},
        sides=[Side(*side, {"calls": calls}, calls) for side in sides],
        baseline=peer,
        aims=(
            Aim(f"with the extra, at least 0.9 times {peer}", extra, peer, 0.9, at_least=True),
            Aim("with the extra, at least 5 times openai", extra, "openai", 5.0, at_least=True),
        ),
        rounds=1 if quick else 5,
        note="Each with its default client. httpx has 100 connections. Whenever an answer arrives, it looks at all of them and at all "
        "waiting requests. So it is shown with 1,000 connections too, as many as this SDK has.",
    )


def _build_stream(quick: bool) -> Row:
    events = 5_000 if quick else 100_000
    ours, untyped = "client.stream", "openai.Stream, untyped"
    sides = (
        ("httpx, bytes only", "httpx", "bytes"),
        ("httpx, split, json.loads", "httpx", "bytes, json"),
        (ours, "ours", "stream"),
        (untyped, "openai", "stream"),
    )
    return Row(
        name="stream",
        title=f"One stream of {events:,} events",
        columns={**_PER_SECOND, **_BUSY},
        sides=[Side(*side, {"task": f"task {events}"}, events) for side in sides],
        baseline=ours,
        aims=[Aim("typed and formatted, at least as fast as openai's untyped", ours, untyped, at_least=True)],
        rounds=1 if quick else 5,
        note="client.stream yields typed, formatted events. Bytes only shows the limit of server and socket.",
    )


def _build_import(quick: bool) -> Row:
    return Row(
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
    )


def _build_first_ask(quick: bool) -> Row:
    frugal = "httpx, no certificates"
    peers = ("httpx", "ours", "ours-aiohttp", "paymanai-sdk")
    return Row(
        name="first ask",
        title="A program with one ask, from its start to its end",
        columns=_PROCESS,
        sides=[
            Side(frugal, "httpx", "FIRST_ASK_WITHOUT_CERTIFICATES"),
            *(Side(name, name, "FIRST_ASK") for name in peers),
        ],
        baseline=frugal,
        aims=(
            Aim("at most 0.95 times the same two POSTs with httpx", "ours", "httpx", 0.95),
            Aim("at most 1.0 times those of an httpx that reads no certificates", "ours", frugal),
            Aim("less than 2 MiB of memory over httpx", "ours", "httpx", plus=2.0, column="MiB of memory"),
        ),
        rounds=2 if quick else 15,
        how="program",
        note="Each requests a token and then asks, over plain http. This SDK reads no certificates for plain http. An httpx client does "
        "by default, so it is measured both ways. Memory is the peak of the process.",
    )
