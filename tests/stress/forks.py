"""Forks at random instants while other threads use a client: the children must work, and share no connection with the parent."""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Literal, get_args

import httpx

from payman_sdk import AsyncPaymanClient, PaymanClient
from payman_sdk._io.transport import _load_context
from tests.stress.server import Server

Stage = Literal["first use", "in use", "connecting"]
"""What the other threads do: use a client for the first time, use it on, or make clients and connect, again and again."""

WAYS: dict[str, Callable[[], dict[str, Any]]] = {
    "own": dict,
    "transport": lambda: {"transport": httpx.HTTPTransport()},
    "maker": lambda: {"transport": httpx.HTTPTransport},
}
_HUNG = 15
"""Seconds after which a child that has not ended counts as hung; its asks have 8."""


def ask(client: PaymanClient, what: str) -> None:
    """Ask, and see that the answer is to this very question."""
    text = f"{what} of process {os.getpid()} in thread {threading.get_ident()} at {time.monotonic_ns()}"
    answer = client.ask(text, idempotency_key=text) if what == "ask" else client.stream(text).result()
    assert answer.text == text, f"{answer.text!r} answers {text!r}"


class Forker:
    """Forks, and counts what comes of the children.

    Args:
        base_url: The server.
        way: One of `WAYS`.
        stage: What the other threads do meanwhile.
        seed: What chance begins with.
    """

    def __init__(self, base_url: str, way: str, stage: Stage, seed: int = 0) -> None:
        self.results: Counter[str] = Counter()
        self._settings: dict[str, Any] = {
            "client_id": "a", "client_secret": "b", "base_url": base_url, "timeout": 8,
        }  # fmt: skip
        self._way, self._stage = WAYS[way], stage
        self._chance = random.Random(seed)  # noqa: S311 (no secret)
        self._stop, self._going = threading.Event(), threading.Event()
        self._threads: list[threading.Thread] = []
        self._client: PaymanClient | None = None

    def run(self, tries: int) -> Counter[str]:
        """Fork so many times."""
        for number in range(tries):
            if self._client is None or self._stage == "first use":
                self._begin(number)
            self._going.set()
            time.sleep(self._chance.random() * 0.02)
            what, is_async = self._chance.choice(["ask", "stream"]), self._chance.random() < 0.3
            if (pid := os.fork()) == 0:
                os._exit(self._live(what, is_async=is_async))
            self._going.clear()  # what the parent does now is none of the child's matter, and takes its time
            self.results[_end_of(pid)] += 1
            if self._stage == "first use":
                self._end()
        self._end()
        return self.results

    def _begin(self, number: int) -> None:
        _load_context.cache_clear()  # as in a fresh process: the first use reads the certificates
        self._settings["client_id"] = f"a{number}"
        self._client, self._stop = PaymanClient(**self._settings, **self._way()), threading.Event()
        for what in ("ask", "stream"):
            self._threads.append(threading.Thread(target=self._use, args=(self._client, what)))
            self._threads[-1].start()

    def _use(self, client: PaymanClient, what: str) -> None:
        while not self._stop.is_set():
            self._going.wait()
            try:
                ask(client, what)
                if self._stage == "connecting":
                    client = PaymanClient(**self._settings, **self._way())
            except Exception as error:
                print("parent:", repr(error), file=sys.stderr)
                self.results["the parent failed"] += 1
                return

    def _end(self) -> None:
        self._stop.set()
        self._going.set()
        for thread in self._threads:
            thread.join()
        self._threads.clear()
        if self._client is not None:
            self._client.close()

    def _live(self, what: str, *, is_async: bool) -> int:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(_HUNG)
        assert self._client is not None
        try:
            ask(self._client, what)
            ask(self._client, what)
            if is_async:
                asyncio.run(self._ask_on_a_loop())
        except BaseException as error:
            print("child:", repr(error), file=sys.stderr, flush=True)
            return 1
        return 0

    async def _ask_on_a_loop(self) -> None:
        async with AsyncPaymanClient(**self._settings) as client:
            await client.ask("Hello!")


def _end_of(pid: int) -> str:
    """How a child ended. One that hangs before it does anything is not ended by its own alarm."""
    end = time.monotonic() + _HUNG + 5
    while time.monotonic() < end:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return {0: "worked", 1: "failed"}.get(os.waitstatus_to_exitcode(status), "hung")
        time.sleep(0.001)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return "hung"


def main(arguments: list[str] | None = None) -> int:
    """Run what the command line says, and print what came of it; the exit status is 1 where not everything worked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tries", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--ways", choices=[*WAYS], nargs="*", default=[*WAYS])
    parser.add_argument("--stages", choices=get_args(Stage), nargs="*", default=get_args(Stage))
    parser.add_argument("--schemes", choices=["http", "https"], nargs="*", default=["http", "https"])
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PAYMAN_STATE_DIR"] = folder  # for the records of keys
        return _fork_everywhere(parser.parse_args(arguments))


def _fork_everywhere(given: argparse.Namespace) -> int:
    good = bad = 0
    for scheme in given.schemes:
        with Server(tls=scheme == "https") as server:
            if server.authority:
                os.environ["SSL_CERT_FILE"] = server.authority
            for way in given.ways:
                for stage in given.stages:
                    results = Forker(server.base_url, way, stage, given.seed).run(given.tries)
                    print(f"{scheme:5} {way:9} {stage:10} {dict(results)}", flush=True)
                    good += results["worked"]
                    bad += results.total() - results["worked"]
            seen = server.report()
            print(f"{scheme:5} {seen}", flush=True)
            bad += seen["mixed"] + seen["repeated"]
    print(f"{good} children worked; {bad} failed, hung, or shared a connection")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
