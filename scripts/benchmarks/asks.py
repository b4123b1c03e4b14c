"""One ask over loopback, against the same POST made with a bare `httpx.Client`."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import httpx
from rich.console import Group

from payman_api import ACCESS_TOKEN_HEADER, PATHS
from payman_sdk import PaymanClient
from scripts.benchmarks.tables import ratios, spread, table, titled


def one_ask(base_url: str, rounds: int, calls: int) -> Group:
    """Measures. The bare side posts a body that was encoded beforehand and reads the answer as JSON."""
    with (
        httpx.Client(base_url=base_url, trust_env=False) as bare,
        PaymanClient(client_id="bench", client_secret="bench", base_url=base_url) as client,
    ):
        # What the SDK sends, captured once, so that both sides put the same bytes on the wire.
        sent: list[httpx.Request] = []
        with (
            httpx.Client(event_hooks={"request": [sent.append]}, trust_env=False) as watched,
            PaymanClient(
                client_id="bench", client_secret="bench", base_url=base_url, http_client=watched
            ) as once,
        ):
            once.ask("list all wallets")
        body = sent[-1].content
        headers = {"Content-Type": "application/json", ACCESS_TOKEN_HEADER: "bench"}

        def post() -> object:
            return bare.post(PATHS["send_task"], content=body, headers=headers).json()

        def ask() -> object:
            return client.ask("list all wallets")

        times = _in_turns({"bare httpx.Client": post, "client.ask": ask}, rounds, calls)
    shown = table("", "median µs", "min µs", "max µs", "ratio (median, min–max)")
    for name, measured in times.items():
        shown.add_row(
            name,
            *(f"{figure(measured):.0f}" for figure in (statistics.median, min, max)),
            spread(ratios(measured, times["bare httpx.Client"])),
        )
    return titled(f"One ask over loopback: {rounds} rounds of {calls} calls, in turns", shown)


def _in_turns(sides: dict[str, Callable[[], object]], rounds: int, calls: int) -> dict[str, list[float]]:
    """Microseconds a call, by side and round; the sides take turns, so that a change of the machine's pace hits all."""
    for call in sides.values():
        for _ in range(calls):
            call()
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, call in sides.items():
            start = time.perf_counter()
            for _ in range(calls):
                call()
            times[name].append((time.perf_counter() - start) / calls * 1e6)
    return times
