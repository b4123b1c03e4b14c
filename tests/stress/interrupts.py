"""Ctrl-C at random instants while the main thread uses a client: nothing may hang afterwards, and nothing foreign come out."""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import gc
import itertools
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from payman_sdk import FileTokenStore, PaymanClient
from payman_sdk.errors import PaymanError
from tests.stress.server import Server

_SLOW = 8.0
"""Seconds after which an ask that nobody interrupts counts as hung; the server answers at once."""
_LOOKS = 10
"""After so many interrupts an ask is made that nobody interrupts."""


class Interrupter:
    """Raises KeyboardInterrupt in the main thread, once in each `with` block, at a random instant.

    Args:
        seed: What chance begins with.
    """

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311 (no secret)
        self._is_armed = False
        self.longest = 0.01
        signal.signal(signal.SIGALRM, self._strike)

    def run(self, function: Callable[[], object]) -> BaseException | None:
        """Call a function and interrupt it; what it raised."""
        began = time.monotonic()
        try:
            self._is_armed = True
            signal.setitimer(signal.ITIMER_REAL, 1e-6 + self._chance.random() * 1.2 * self.longest)
            function()
        except BaseException as error:
            return error
        finally:
            self._is_armed = False
        # As long as it takes, and not as long as it once took on a busy machine.
        self.longest += (time.monotonic() - began - self.longest) / 8
        return None

    def _strike(self, *_: object) -> None:
        if self._is_armed:
            self._is_armed = False
            raise KeyboardInterrupt


class Uses:
    """What is done with a client: asks, streams, look-ups, and all of it with a token that has to be fetched first.

    Args:
        base_url: The server.
        store: A file for tokens.
    """

    def __init__(self, base_url: str, store: Path) -> None:
        self._settings: dict[str, Any] = {"client_secret": "b", "base_url": base_url, "timeout": _SLOW}
        self._numbers = itertools.count()
        self._store = store
        self.client = self._made(token_store=FileTokenStore(store))

    def one(self) -> Callable[[], object]:
        """The next use."""
        number = next(self._numbers)
        uses: list[Callable[[], object]] = [self._ask, self._stream, self._renew, self._begin]
        return uses[number % len(uses)]

    def check(self) -> None:
        """Ask, and see that the answer is to this question."""
        text = f"check {next(self._numbers)}"
        assert self.client.ask(text).text == text

    def _ask(self) -> None:
        self.check()

    def _stream(self) -> None:
        with self.client.stream("one two three") as stream:
            assert "".join(stream.text_stream) == "one two three"

    def _renew(self) -> None:
        """Ask when the token was refused, as it were: it is fetched anew, under the lock of the store."""
        tokens = self.client._connect().tokens
        if tokens._current is not None:
            tokens.forget(tokens._current)
        self.check()

    def _begin(self) -> None:
        """Make a client, use it, and close it."""
        with self._made() as client:
            client.ask("Hello!")

    def _made(self, **settings: Any) -> PaymanClient:
        return PaymanClient(client_id=f"a{next(self._numbers)}", **self._settings, **settings)


def run(tries: int, base_url: str, seed: int, *, threads: int) -> Counter[str]:
    """Interrupt so often, and count what came of it.

    Args:
        tries: How many interrupts.
        base_url: The server.
        seed: What chance begins with.
        threads: How many other threads use the same client, which nobody interrupts.
    """
    results: Counter[str] = Counter(hangs=0, foreign=0, errors=0)
    stop = threading.Event()

    def note(error: BaseException | None, seconds: float = 0.0) -> None:
        if seconds > _SLOW:
            results["hangs"] += 1
        if isinstance(error, KeyboardInterrupt):
            results["interrupted"] += 1
        elif error is None:
            results["completed"] += 1
        else:
            results["errors" if isinstance(error, PaymanError) else "foreign"] += 1
            print(repr(error), file=sys.stderr, flush=True)

    def watch(function: Callable[[], object]) -> None:
        began, failure = time.monotonic(), None
        try:
            function()
        except Exception as error:
            failure = error
        note(failure, time.monotonic() - began)

    def use_on() -> None:
        while not stop.is_set():
            watch(uses.check)

    before = _sockets()
    with tempfile.TemporaryDirectory() as folder:
        uses = Uses(base_url, Path(folder) / "token.json")
        watch(uses.check)
        others = [threading.Thread(target=use_on) for _ in range(threads)]
        for other in others:
            other.start()
        interrupter = Interrupter(seed)
        for number in range(tries):
            began = time.monotonic()
            note(interrupter.run(uses.one()), time.monotonic() - began)
            if number % _LOOKS == 0:
                watch(uses.check)
        stop.set()
        for other in others:
            other.join()
        uses.client.close()
    del uses
    gc.collect()
    results["sockets left open"] = _sockets() - before
    return results


def _sockets() -> int:
    """How many sockets this process has open."""
    folder, count = Path("/proc/self/fd"), 0
    for one in folder.iterdir() if folder.exists() else ():
        with contextlib.suppress(OSError):
            count += str(one.readlink()).startswith("socket:")
    return count


def main(arguments: list[str] | None = None) -> int:
    """Run what the command line says, and print what came of it; the exit status is 1 where something hung or came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tries", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, nargs="*", default=[0, 2])
    parser.add_argument("--schemes", choices=["http", "https"], nargs="*", default=["http", "https"])
    given, bad = parser.parse_args(arguments), 0
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    for scheme in given.schemes:
        with Server(tls=scheme == "https") as server:
            if server.authority:
                os.environ["SSL_CERT_FILE"] = server.authority
            for threads in given.threads:
                results = run(given.tries, server.base_url, given.seed, threads=threads)
                print(f"{scheme:5} {threads} other threads: {dict(results)}", flush=True)
                bad += (
                    results["hangs"] + results["foreign"] + results["errors"] + results["sockets left open"]
                )
            seen = server.report()
            print(f"{scheme:5} {seen}", flush=True)
            bad += seen["repeated"]
    print(f"{bad} hangs, foreign exceptions, errors, repeated asks and sockets left open")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
