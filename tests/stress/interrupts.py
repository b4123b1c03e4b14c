"""Ctrl-C at random instants while the main thread uses clients: nothing may hang afterwards, and nothing foreign come out.

`python -m tests.stress.interrupts --interrupts 5000` prints what came of so many: with and without TLS, alone and beside other threads.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import faulthandler
import gc
import itertools
import os
import queue
import random
import signal
import ssl
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import anyio
import httpx

import payman_sdk
from payman_sdk import AsyncPaymanClient, FileTokenStore, PaymanClient
from payman_sdk.errors import PaymanError
from payman_sdk.types import FormattedTaskResponse
from tests.stress.server import Server

_SLOW = 8.0
"""Seconds after which an ask that nobody interrupts counts as hung; the server answers at once."""
_LOOKS = 10
"""After so many interrupts asks are made that nobody interrupts."""
_SDK = str(Path(payman_sdk.__file__).parent)
_BAD = ("hangs", "foreign", "errors", "nameless", "sockets left open")


Run: TypeAlias = Callable[[Coroutine[Any, Any, None]], object]


class Interrupter:
    """Presses Ctrl-C while a function runs, once, at a random instant.

    Args:
        seed: What chance begins with.
    """

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311 (no secret)
        self._usual: dict[str, float] = {}
        self._lock = threading.Lock()
        self._round = 0
        self._strikes: queue.SimpleQueue[tuple[int, float]] = queue.SimpleQueue()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        # Not an alarm: its handler would be deferred itself.
        threading.Thread(target=self._strike, args=(threading.get_ident(),), daemon=True).start()

    @contextlib.contextmanager
    def armed(self, name: str) -> Iterator[None]:
        """Interrupt the block."""
        usual, began = self._usual.get(name, 0.005), time.monotonic()
        try:
            self._strikes.put((self._round, self._chance.random() * 1.2 * usual))
            yield
        finally:
            with self._lock:
                self._round += 1
            os.getppid()  # a strike that is on its way arrives when a system call returns, at the latest
        # As long as it takes, and not as long as it once took on a busy machine.
        self._usual[name] = usual + (time.monotonic() - began - usual) / 8

    def _strike(self, main: int) -> None:
        while True:
            number, seconds = self._strikes.get()
            time.sleep(seconds)
            with self._lock:
                if number == self._round:
                    signal.pthread_kill(
                        main, signal.SIGINT
                    )  # which asyncio and trio handle in their own ways


class Uses:
    """What is done with clients: asks, streams, look-ups, in threads and in loops, and with a token that has to be fetched first.

    Args:
        base_url: The server.
        store: A file for tokens.
        interrupter: Interrupts them.
    """

    def __init__(self, base_url: str, store: Path, interrupter: Interrupter) -> None:
        self._interrupter = interrupter
        self._settings: dict[str, Any] = {"client_secret": "b", "base_url": base_url, "timeout": _SLOW}
        self._numbers, self._name = itertools.count(), f"{time.monotonic_ns():x}"
        self._clients = itertools.count()
        self.text = ""
        self.client = PaymanClient(**self._for_client(), token_store=FileTokenStore(store))
        self.tasks = AsyncPaymanClient(**self._for_client())
        # One connection: a single one that was forgotten makes the next ask hang.
        one, trusted = httpx.Limits(max_connections=1), _trusted()
        self._http = httpx.Client(limits=one, verify=trusted, trust_env=False)
        way = httpx.HTTPTransport(verify=trusted, limits=one)
        self._given = [
            PaymanClient(**self._for_client(), transport=way),
            PaymanClient(**self._for_client(), http_client=self._http),
        ]
        self._given_tasks = AsyncPaymanClient(
            **self._for_client(), transport=lambda: httpx.AsyncHTTPTransport(verify=trusted)
        )
        plain = [self._ask, self._stream, self._renew, self._begin, self._tell]
        for client in self._given:
            plain += [partial(self._ask, client), partial(self._stream, client)]
        loops: list[Run] = [asyncio.run, _run_on_trio]
        self._all: list[Callable[[], object]] = [partial(self._interrupted, use) for use in plain]
        self._all += [
            partial(self._interrupted_on, loop, use)
            for loop in loops
            for use in (
                self._ask_async,
                self._stream_async,
                partial(self._ask_async, self._given_tasks),
                partial(self._stream_async, self._given_tasks),
            )
        ]

    def one(self) -> Callable[[], object]:
        """The next use, which asks `text`."""
        number = next(self._numbers)
        self.text = f"{self._name} use {number} one two three"
        return self._all[number % len(self._all)]

    def _interrupted(self, use: Callable[[], None]) -> None:
        with self._interrupter.armed(str(use)):
            use()

    def _interrupted_on(self, run: Run, use: Callable[[], Awaitable[None]]) -> None:
        """Interrupt a coroutine. Loops that are interrupted while they begin or end leave even what is the process's spoilt."""

        async def main() -> None:
            with self._interrupter.armed(f"{run.__name__} {use}"):
                await use()

        run(main())

    def checks(self) -> list[Callable[[], object]]:
        """Asks with every client, which see that the answer is to their own question."""
        return [
            self.check,
            *(partial(self._see, client, f"given {number}") for number, client in enumerate(self._given)),
            *(
                partial(_run_later, run, self._see_async, client, f"{run.__name__} {time.monotonic_ns()}")
                for run in (asyncio.run, _run_on_trio)
                for client in (self.tasks, self._given_tasks)
            ),
        ]

    def check(self) -> None:
        """Ask, and see that the answer is to this question."""
        self._see(self.client, f"check {time.monotonic_ns()} {threading.get_ident()}")

    def close(self) -> None:
        """Close the clients."""
        for client in (self.client, *self._given):
            client.close()
        self._http.close()
        for tasks in (self.tasks, self._given_tasks):
            asyncio.run(tasks.close())

    def _see(self, client: PaymanClient, text: str) -> None:
        self._compare(client.ask(text), text)

    async def _see_async(self, client: AsyncPaymanClient, text: str) -> None:
        self._compare(await client.ask(text), text)

    def _compare(self, answer: FormattedTaskResponse, text: str) -> None:
        if text == self.text:
            self.text = ""  # from here on, nobody need say which ask it was
        assert answer.text == text, f"{answer.text!r} answers {text!r}"

    async def _ask_async(self, client: AsyncPaymanClient | None = None) -> None:
        await self._see_async(client or self.tasks, self.text)

    async def _stream_async(self, client: AsyncPaymanClient | None = None) -> None:
        async with (client or self.tasks).stream(self.text) as stream:
            pieces = [piece async for piece in stream.text_stream]
            text = "".join(pieces)
            assert text == self.text
            self._compare(await stream.result(), text)

    def _ask(self, client: PaymanClient | None = None) -> None:
        self._see(client or self.client, self.text)

    def _stream(self, client: PaymanClient | None = None) -> None:
        with (client or self.client).stream(self.text) as stream:
            pieces = list(stream.text_stream)
            text = "".join(pieces)
            assert text == self.text
            self._compare(stream.result(), text)

    def _tell(self) -> None:
        text = self.text
        answer = self.client.ask(text, on_message=lambda message: None)
        self._compare(answer, text)
        self._compare(self.client.get_task(answer.task_id), text)

    def _renew(self) -> None:
        """Ask when the token was refused, as it were: it is fetched anew, under the lock of the store."""
        tokens = self.client._connect().tokens
        if tokens._current is not None:
            tokens.invalidate(tokens._current)
        self._ask()

    def _begin(self) -> None:
        """Make a client, use it, and close it."""
        with PaymanClient(**self._for_client()) as client:
            self._see(client, self.text)

    def _for_client(self) -> dict[str, Any]:
        return {**self._settings, "client_id": f"a{next(self._clients)}"}


def _run_later(run: Run, use: Callable[..., Coroutine[Any, Any, None]], *given: object) -> None:
    run(use(*given))


def _trusted() -> ssl.SSLContext | bool:
    file = os.environ.get("SSL_CERT_FILE")
    return True if file is None else ssl.create_default_context(cafile=file)


def _run_on_trio(main: Coroutine[Any, Any, None]) -> None:
    async def run() -> None:
        await main

    anyio.run(run, backend="trio")


class Results:
    """What came of interrupts."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter(dict.fromkeys(_BAD, 0))
        self._without_ids: list[str] = []
        self._traces: dict[str, str] = {}

    def note(self, error: BaseException | None, seconds: float, text: str = "") -> None:
        """Count one use."""
        if seconds > _SLOW:
            self.counts["hangs"] += 1
            print(
                f"{seconds:.1f} seconds: {text or 'an ask that nobody interrupted'}",
                file=sys.stderr,
                flush=True,
            )
        if isinstance(error, KeyboardInterrupt):
            self.counts["interrupted"] += 1
            if not _has_ids(error) and _is_in(_SDK, error):
                self._without_ids.append(text)
                self._traces[text] = "".join(traceback.format_exception(error))
        elif error is None:
            self.counts["completed"] += 1
        elif not _is_in(_SDK, error) and not isinstance(error, AssertionError):
            self.counts[f"{type(error).__name__} of the loop's own"] += 1
        else:
            kind = "errors of interrupted asks" if text else "errors"
            self.counts[kind if isinstance(error, PaymanError) else "foreign"] += 1
            traceback.print_exception(error)

    def watch(self, function: Callable[[], object]) -> None:
        """Do something that nobody interrupts."""
        began, failure = time.monotonic(), None
        try:
            function()
        except Exception as error:
            failure = error
        self.note(failure, time.monotonic() - began)

    def compare(self, texts: set[str]) -> None:
        """Count the interrupts that did not say which ask they left, though the server got it."""
        self.counts["without ids, nothing sent"] += len(set(self._without_ids) - texts)
        for text in texts.intersection(self._without_ids):
            print("without ids:", self._traces[text], file=sys.stderr, flush=True)
        self.counts["nameless"] += len(texts.intersection(self._without_ids))

    def note_lost(self, lost: sys.UnraisableHookArgs) -> None:
        """Count an interrupt that Python itself kept from coming out, by where that was."""
        if isinstance(lost.exc_value, KeyboardInterrupt):
            what = getattr(lost.object, "__qualname__", type(lost.object).__qualname__)
            self.counts[f"lost in {what}"] += 1
        else:
            sys.__unraisablehook__(lost)


def run(interrupts: int, server: Server, seed: int, *, threads: int) -> Counter[str]:
    """Interrupt so often, and count what came of it.

    Args:
        interrupts: How many.
        server: The server.
        seed: What chance begins with.
        threads: How many other threads use the same client, which nobody interrupts.
    """
    results, before = Results(), _sockets()
    hook, sys.unraisablehook = sys.unraisablehook, results.note_lost
    try:
        with tempfile.TemporaryDirectory() as folder:
            uses = Uses(server.base_url, Path(folder) / "token.json", Interrupter(seed))
            _interrupt(uses, results, interrupts, threads)
            del uses
        gc.collect()
    finally:
        sys.unraisablehook = hook
    results.compare(server.texts())
    results.counts["sockets left open"] = _sockets() - before
    return results.counts


def _interrupt(uses: Uses, results: Results, interrupts: int, threads: int) -> None:
    stop = threading.Event()

    def use_on() -> None:
        while not stop.is_set():
            results.watch(uses.check)

    results.watch(uses.check)
    others = [threading.Thread(target=use_on) for _ in range(threads)]
    for other in others:
        other.start()
    for number in range(interrupts):
        use, began = uses.one(), time.monotonic()
        error: BaseException | None = None
        try:
            use()
        except BaseException as raised:
            error = raised
        results.note(error, time.monotonic() - began, uses.text)
        if number % _LOOKS == 0:
            for check in uses.checks():
                results.watch(check)
    stop.set()
    for other in others:
        other.join()
    uses.close()


def _has_ids(error: BaseException | None) -> bool:
    """Whether an exception, or what it came from, names an ask."""
    while error is not None:
        if hasattr(error, "task_id"):
            return True
        error = error.__cause__ or error.__context__
    return False


def _is_in(folder: str, error: BaseException | None) -> bool:
    """Whether an exception, or what it came from, went through code in a folder."""
    while error is not None:
        if any(frame.filename.startswith(folder) for frame in traceback.extract_tb(error.__traceback__)):
            return True
        error = error.__cause__ or error.__context__
    return False


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
    parser.add_argument("--interrupts", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, nargs="*", default=[0, 2])
    parser.add_argument("--schemes", choices=["http", "https"], nargs="*", default=["http", "https"])
    given, bad, done = parser.parse_args(arguments), 0, 0
    each = -(-given.interrupts // (len(given.schemes) * len(given.threads)))
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    for scheme in given.schemes:
        with Server(tls=scheme == "https") as server:
            if server.authority:
                os.environ["SSL_CERT_FILE"] = server.authority
            for threads in given.threads:
                counts = run(each, server, given.seed, threads=threads)
                done += each
                print(f"{scheme:5} {threads} other threads: {dict(counts)}", flush=True)
                bad += sum(counts[name] for name in _BAD)
            seen = server.report()
            print(f"{scheme:5} {seen}", flush=True)
            bad += seen["repeated"]
    print(
        f"{done} interrupts; {bad} hangs, foreign exceptions, errors, unnamed or repeated asks, sockets left open"
    )
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
