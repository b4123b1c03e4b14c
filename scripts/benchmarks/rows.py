"""The rows: what is measured, whose sides are compared, and what is aimed at. One row is one declaration."""

from __future__ import annotations

from scripts.benchmarks.canned import text_size
from scripts.benchmarks.judging import Aim
from scripts.benchmarks.peers import PEERS
from scripts.benchmarks.row import (
    MIB,
    How,
    Row,
    Side,
    a_second,
    mib,
    micros,
    micros_busy,
    millis,
    millis_busy,
    served,
)


def rows(*, quick: bool) -> tuple[Row, ...]:
    """All rows, in the order in which they are measured."""
    return (
        _one_ask(quick),
        _asks_at_once(quick),
        _stream(quick),
        _import(quick),
        _first_ask(quick),
        _tokens(quick),
        _memory(quick),
        _installed(),
        _first_event(quick),
        _many_streams(quick),
    )


_SDKS = ("paymanai-sdk", "openai", "anthropic", "stripe", "a2a-sdk")
_BUSY = {"CPU µs": micros_busy, "server %": served}


def _one_ask(quick: bool) -> Row:
    calls = 50 if quick else 200

    def side(label: str, peer: str, does: str = "ask") -> Side:
        return Side(label, peer, does, {"calls": calls}, calls)

    return Row(
        name="ask",
        title="One ask, sync, over loopback",
        unit="µs",
        value=micros,
        measure="httpx",
        sides=(
            side("socket", "floor", "ask, socket"),
            side("http.client", "floor", "ask, http.client"),
            side("httpx2", "httpx2"),
            side("httpx", "httpx"),
            side("client.ask", "ours"),
            side("requests", "paymanai-sdk", "requests"),
            side("paymanai-sdk", "paymanai-sdk"),
            side("openai", "openai"),
            side("openai, untyped", "openai", "ask, untyped"),
            side("anthropic", "anthropic"),
            side("stripe", "stripe"),
            side("a2a-sdk", "a2a-sdk"),
        ),
        aims=(
            Aim(says="at most 1.05 times httpx", mine="client.ask", of=("httpx",), times=1.05),
            Aim(says="ahead of every SDK", mine="client.ask", of=_SDKS, times=1.0),
        ),
        rounds=3 if quick else 15,
        also=_BUSY,
        note="Each client reads its answer: httpx, requests and http.client as JSON, the SDKs through their own API. The socket reads "
        "bytes alone, so it shows the cost of server and loopback. a2a-sdk has an async client only: one call after the other.",
        drawn=True,
    )


def _asks_at_once(quick: bool) -> Row:
    calls = 100 if quick else 500

    def side(label: str, peer: str, does: str = "asks") -> Side:
        return Side(label, peer, does, {"calls": calls}, calls)

    return Row(
        name="asks",
        title=f"{calls} asks at once, async",
        unit="a second",
        value=a_second,
        measure="httpx with aiohttp",
        sides=(
            side("sockets", "floor"),
            side("aiohttp", "aiohttp"),
            side("httpx with aiohttp", "httpx-aiohttp"),
            side("httpx with aiohttp, 1,000 connections", "httpx-aiohttp", "asks, unlimited"),
            side("client.ask, extra aiohttp", "ours-aiohttp", "asks, aiohttp"),
            side("client.ask", "ours"),
            side("httpx2", "httpx2"),
            side("httpx", "httpx"),
            side("httpx, no limit", "httpx", "asks, unlimited"),
            side("openai", "openai"),
            side("anthropic", "anthropic"),
            side("a2a-sdk", "a2a-sdk"),
        ),
        aims=(
            Aim(
                says="with the extra, at least 0.9 times httpx with aiohttp",
                mine="client.ask, extra aiohttp",
                of=("httpx with aiohttp",),
                times=0.9,
                at_least=True,
            ),
            Aim(
                says="with the extra, at least 5 times openai",
                mine="client.ask, extra aiohttp",
                of=("openai",),
                times=5.0,
                at_least=True,
            ),
        ),
        rounds=2 if quick else 5,
        also=_BUSY,
        note="Each with its default client. httpx has 100 connections. Whenever an answer arrives, it looks at all of them and at all "
        "waiting requests, so a row without the limit is shown too. The sockets are 100 connections, each used again as soon as it has "
        "answered.",
        more_is_better=True,
        drawn=True,
    )


def _stream(quick: bool) -> Row:
    events = 5_000 if quick else 100_000

    def side(label: str, peer: str, does: str, kind: str = "task", measure: str = "") -> Side:
        # Typed chunks take so long that a fifth of them tells as much.
        count = events // 5 if kind == "chat" else events
        return Side(label, peer, does, {"kind": kind, "events": count}, count, measure)

    return Row(
        name="stream",
        title=f"One stream of {events:,} events",
        unit="events a second",
        value=a_second,
        measure="client.stream",
        sides=(
            side("httpx, bytes only", "httpx", "bytes"),
            side("httpx, split, json.loads", "httpx", "bytes, json"),
            side("client.stream", "ours", "stream"),
            side("client.stream, events with ids", "ours", "stream", "numbered"),
            side("httpx-sse, json.loads", "httpx-sse", "stream"),
            side("openai.Stream, untyped", "openai", "stream, untyped"),
            side("openai.Stream, typed", "openai", "stream, typed", "chat"),
            *(
                side(label, peer, does, measure="async client.stream")
                for label, peer, does in (
                    ("async httpx, bytes only", "httpx", "async bytes"),
                    ("async client.stream", "ours", "async stream, own connections"),
                    ("async client.stream, extra aiohttp", "ours-aiohttp", "async stream, aiohttp"),
                    ("async httpx-sse, json.loads", "httpx-sse", "async stream"),
                    ("openai.AsyncStream, untyped", "openai", "async stream, untyped"),
                )
            ),
        ),
        aims=(
            Aim(
                says="typed and formatted, at least as fast as openai.Stream untyped",
                mine="client.stream",
                of=("openai.Stream, untyped",),
                times=1.0,
                at_least=True,
            ),
        ),
        rounds=2 if quick else 5,
        also=_BUSY,
        note="client.stream yields typed, formatted events. Bytes only shows the limit of server and socket. The typed openai stream "
        "has its own chunks, of about the same size, a fifth as many. Async is compared with async.",
        more_is_better=True,
        drawn=True,
    )


def _import(quick: bool) -> Row:
    return Row(
        name="import",
        title="Import, in a process that has just begun",
        unit="ms",
        value=millis,
        measure="httpx",
        sides=tuple(Side(peer.name, peer.name) for peer in PEERS if peer.imports),
        aims=(Aim(says="at most a third of httpx", mine="ours", of=("httpx",), times=0.33),),
        rounds=1 if quick else 15,
        how=How.IMPORT,
        also={"CPU ms": millis_busy, "memory, MiB": mib},
        note="The import of the client's class as in its documentation, without the start of the interpreter. "
        "ours-aiohttp imports AsyncPaymanClient.",
        drawn=True,
    )


def _first_ask(quick: bool) -> Row:
    frugal = "httpx, no certificates"
    return Row(
        name="first ask",
        title="A program with one ask, from its start to its end",
        unit="ms",
        value=millis,
        measure=frugal,
        sides=(
            Side(frugal, "httpx", "FIRST_ASK_WITHOUT_CERTIFICATES"),
            *(Side(name, name, "FIRST_ASK") for name in ("httpx", "ours", "ours-aiohttp", "paymanai-sdk")),
        ),
        aims=(
            Aim(
                says="at most 0.95 times the same two POSTs with httpx",
                mine="ours",
                of=("httpx",),
                times=0.95,
            ),
            Aim(
                says="at most 1.0 times those of an httpx that reads no certificates",
                mine="ours",
                of=(frugal,),
                times=1.0,
            ),
            Aim(
                says="less than 2 MiB of memory over httpx",
                mine="ours",
                of=("httpx",),
                times=1.0,
                plus=2.0,
                value=mib,
                unit="MiB",
            ),
        ),
        rounds=2 if quick else 15,
        how=How.PROGRAM,
        also={"CPU ms": millis_busy, "memory, MiB": mib},
        note="Each requests a token and then asks, over plain http. This SDK reads no certificates for plain http. An httpx client does "
        "by default, so it is measured both ways. Memory is the peak of the process.",
    )


def _tokens(quick: bool) -> Row:
    threads = 200 if quick else 1_000
    return Row(
        name="tokens",
        title="Threads that ask at once when the token has expired",
        unit="token requests",
        value=lambda reading: reading.tokens,
        sides=(
            Side(f"client.ask, {threads:,} threads", "ours", "threads", {"threads": threads}, threads),
            Side("paymanai-sdk, 50 threads", "paymanai-sdk", "threads", {"threads": 50}, 50),
        ),
        aims=(Aim(says="1 request for all threads", mine=f"client.ask, {threads:,} threads", plus=1.0),),
        rounds=1 if quick else 3,
        warm=False,
        note="Counted by the server.",
    )


def _memory(quick: bool) -> Row:
    few, many = 1_000, 20_000 if quick else 1_000_000
    kinds = {"brief": "of one letter", "task": "of some six words"}

    def label(kind: str, events: int) -> str:
        return f"{events:,} events {kinds[kind]}"

    def own(kind: str) -> float:
        return 2 * (text_size(kind, many) - text_size(kind, few)) / MIB

    return Row(
        name="memory",
        title="Memory of a process that reads a stream with client.stream and keeps nothing",
        unit="MiB",
        value=mib,
        sides=tuple(
            Side(label(kind, events), "ours", "stream", {"kind": kind, "events": events}, events)
            for kind in kinds
            for events in (few, many)
        ),
        aims=tuple(
            Aim(
                says=f"{kinds[kind]}: constant (1 MiB), but for {own(kind):.1f} MiB of the answer's own text, twice",
                mine=label(kind, many),
                of=(label(kind, few),),
                times=1.0,
                plus=own(kind) + 1.0,
            )
            for kind in kinds
        ),
        how=How.FRESH,
        warm=False,
        rounds=1 if quick else 3,
        note="Every event has the whole text so far, so the reader has one while the next one is made; nothing else is kept.",
    )


def _installed() -> Row:
    return Row(
        name="installed",
        title="What is installed",
        unit="distributions",
        value=lambda reading: reading.count,
        sides=tuple(Side(peer.name, peer.name) for peer in PEERS if peer.imports),
        aims=(Aim(says="at most 11 distributions", mine="ours", plus=11.0),),
        how=How.INSTALLED,
        warm=False,
        also={"MiB": mib},
        note="With all dependencies, and with the bytecode that pip compiles.",
    )


def _first_event(quick: bool) -> Row:
    def side(label: str, peer: str, does: str, measure: str = "") -> Side:
        return Side(label, peer, does, {"kind": "paused", "events": 1, "streams": 5}, 5, measure)

    return Row(
        name="first event",
        title="Time to the first event of a stream, each on a new connection",
        unit="ms",
        value=lambda reading: sum(reading.firsts) / len(reading.firsts) * 1e3,
        measure="httpx",
        sides=(
            side("httpx", "httpx", "bytes, first"),
            side("client.stream", "ours", "stream, first"),
            side("async httpx", "httpx", "async bytes, first", "async httpx"),
            side("async client.stream", "ours", "async stream, first", "async httpx"),
        ),
        rounds=3 if quick else 20,
        note="The mean of 5 streams a round. The server sends one event at once and then waits. httpx: its first bytes.",
    )


def _many_streams(quick: bool) -> Row:
    events = 25_000 if quick else 500_000
    # With fewer events in each, little but the opening would be measured.
    counts = [count for count in (1, 10, 100, 1000) if events // count >= 50]

    def side(label: str, peer: str, count: int) -> Side:
        arguments = {"kind": "task", "events": events // count, "streams": count}
        does = "async stream" if peer == "ours" else "async bytes"
        return Side(f"{label}, {count:,}", peer, does, arguments, events, f"{label}, 1")

    return Row(
        name="many streams",
        title=f"Many streams at once, async, {events:,} events in all",
        unit="µs an event",
        value=lambda reading: (reading.seconds - reading.opening) / reading.count * 1e6,
        sides=tuple(
            side(label, peer, count)
            for label, peer in (("client.stream", "ours"), ("httpx, bytes only", "httpx"))
            for count in counts
        ),
        how=How.FRESH,
        warm=False,
        rounds=1 if quick else 3,
        also={"with opening": micros, "memory, MiB": mib, "server %": served},
        note="All streams are open before the first is read. Both use an httpx client without a limit on connections "
        "(httpx: 100). Compared with one stream of the same kind.",
    )
