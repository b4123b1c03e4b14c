"""How much the SDK adds to a bare POST: both ask the same canned-answer server, in turns, in one run.

The server is a process of its own that answers every request with the same bytes (only the JSON-RPC id is echoed), so it
does the same work for everyone. The bare side posts a body that was encoded beforehand and reads the answer as JSON. It
prints a table and asserts nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import statistics
import time
from collections.abc import Callable
from multiprocessing.connection import Connection

import httpx
from rich.console import Console
from rich.table import Table

from payman_api import ACCESS_TOKEN_HEADER, PATHS
from payman_sdk import PaymanClient

REQUEST_ID = "req-00000000-0000-4000-8000-000000000000"
ANSWER = json.dumps(
    {
        "jsonrpc": "2.0",
        "id": REQUEST_ID,
        "result": {
            "id": "tsk-00000000-0000-4000-8000-000000000000",
            "sessionId": "ses-00000000-0000-4000-8000-000000000000",
            "status": {
                "state": "COMPLETED",
                "message": {
                    "role": "agent",
                    "parts": [{"type": "text", "text": "Processing completed successfully"}],
                },
                "timestamp": "2025-06-27T16:31:41.510422505Z",
            },
            "artifacts": [
                {
                    "name": "response",
                    "description": "AI Assistant Response",
                    "parts": [
                        {"type": "text", "text": "- **TSD Wallet** `tube.tense.cask/53`: 1,000.00 TSD\n" * 5}
                    ],
                    "index": 0,
                }
            ],
            "metadata": {"agentId": "ai-1", "orgId": "org-1", "timestamp": "2025-06-27T16:31:41.510422505Z"},
        },
        "error": None,
    }
).encode()
TOKEN = b'{"accessToken":"bench","tokenType":"Bearer","expiresIn":3600,"scope":""}'


class CannedAnswers(asyncio.Protocol):
    """Answers a token request with a token, and everything else with the same task."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remembers where to write to."""
        self._transport = transport
        self._received = b""

    def data_received(self, data: bytes) -> None:
        """Answers every whole request that has come in."""
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self._received) < end + 4 + length:
                return
            request, self._received = self._received[: end + 4 + length], self._received[end + 4 + length :]
            self._answer(request)

    def _answer(self, request: bytes) -> None:
        body = TOKEN
        if PATHS["create_token"].encode() not in request[:200]:
            at = request.find(b"req-")
            body = ANSWER.replace(REQUEST_ID.encode(), request[at : at + len(REQUEST_ID)])
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        assert isinstance(self._transport, asyncio.Transport)
        self._transport.write(head + body)


def serve(port_to: Connection) -> None:
    """Serves canned answers until the process is ended."""

    async def main() -> None:
        server = await asyncio.get_running_loop().create_server(CannedAnswers, "127.0.0.1", 0)
        port_to.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


def interleaved(sides: dict[str, Callable[[], object]], rounds: int, calls: int) -> dict[str, list[float]]:
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


def one_ask(base_url: str, rounds: int, calls: int) -> Table:
    """One ask over loopback, against the same POST made with a bare `httpx.Client`."""
    with (
        httpx.Client(base_url=base_url) as bare,
        PaymanClient(client_id="bench", client_secret="bench", base_url=base_url) as client,
    ):
        # What the SDK sends, captured once, so that both sides put the same bytes on the wire.
        sent: list[httpx.Request] = []
        with (
            httpx.Client(event_hooks={"request": [sent.append]}) as watched,
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

        times = interleaved({"bare httpx.Client": post, "client.ask": ask}, rounds, calls)
    table = Table(
        title=f"One ask over loopback: {rounds} rounds of {calls} calls, in turns", title_justify="left"
    )
    for heading in ("", "median µs", "min µs", "max µs", "ratio (median, min–max)"):
        table.add_column(heading, justify="left" if not heading else "right")
    for name, measured in times.items():
        ratios = [
            mine / bare_time for mine, bare_time in zip(measured, times["bare httpx.Client"], strict=True)
        ]
        table.add_row(
            name,
            f"{statistics.median(measured):.0f}",
            f"{min(measured):.0f}",
            f"{max(measured):.0f}",
            f"{statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})",
        )
    return table


def main() -> None:
    """Starts the server, measures, prints, stops the server."""
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--rounds", type=int, default=15, help="rounds of both sides (15)")
    arguments.add_argument("--calls", type=int, default=200, help="calls of a side in a round (200)")
    options = arguments.parse_args()
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(there,), daemon=True)
    server.start()
    try:
        Console().print(one_ask(f"http://127.0.0.1:{here.recv()}", options.rounds, options.calls))
    finally:
        server.terminate()
        server.join()


if __name__ == "__main__":
    main()
