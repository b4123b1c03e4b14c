"""Handlers of signals that raise never spoil a transport that was given: they wait until it waits or returns."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import anyio
import httpcore
import httpx
import pytest
import trio

from payman_sdk import AsyncPaymanClient, PaymanClient
from payman_sdk._io import signals
from payman_sdk._io.signals import call_handlers, defer_signals
from tests.peer import ASK_PATH, Peer
from tests.streaming.wire import DONE, STREAM_PATH, WORKING
from tests.streaming.wire import stream as sent
from tests.test_after_sending import settings

pytestmark = [
    pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="there are no such signals here"),
    pytest.mark.slow,
]

LONG = 30.0
"""Seconds that nobody waits for."""
TRIES = 40


@pytest.fixture(autouse=True)
def usual_handlers() -> Iterator[None]:
    """The handlers that Python has, whatever runs the tests."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def press() -> None:
    """Press Ctrl-C."""
    signal.raise_signal(signal.SIGINT)


class Pressing:
    """Presses Ctrl-C before the nth line of code in some folders is run.

    Args:
        folders: The folders.
        at: The number of the line; nothing is pressed before 0.
    """

    def __init__(self, *folders: str, at: int = -1) -> None:
        self.lines = 0
        self._folders, self._at = folders, at
        self._before: Any = None

    def __enter__(self) -> Self:
        self._before = sys.gettrace()
        sys.settrace(self._enter_function)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)

    def _enter_function(self, frame: Any, event: str, argument: object) -> Any:
        return self._run_line if frame.f_code.co_filename.startswith(self._folders) else None

    def _run_line(self, frame: Any, event: str, argument: object) -> Any:
        if event == "line":
            self.lines += 1
            if self.lines == self._at:
                press()
        return self._run_line


def folder_of(module: Any) -> str:
    return str(Path(module.__file__).parent) + os.sep


def one_connection() -> httpx.Limits:
    """One that were forgotten would make the next ask wait in vain."""
    return httpx.Limits(max_connections=1)


def ask(client: PaymanClient) -> str:
    return str(client.ask("Hello!").status)


def stream(client: PaymanClient) -> str:
    with client.stream("Hello!") as opened:
        return str(opened.result().status)


@pytest.mark.parametrize("use", [ask, stream])
@pytest.mark.parametrize("given", ["transport", "http_client"])
def test_ctrl_c_at_any_line_of_a_given_transport_leaves_it_whole(
    use: Callable[[PaymanClient], str], given: str, peer: Peer
) -> None:
    """Interrupted between any two lines of httpcore: the ids come out, and the only connection serves the next ask."""
    peer.always(STREAM_PATH, sent(WORKING, DONE))
    with httpx.Client(limits=one_connection(), trust_env=False) as http:
        transport = httpx.HTTPTransport(limits=one_connection(), trust_env=False)
        options: dict[str, Any] = (
            {"http_client": http} if given == "http_client" else {"transport": transport}
        )
        with PaymanClient(**settings(peer, timeout=60, **options)) as client:
            assert ask(client) == "completed"
            with Pressing(folder_of(httpcore)) as counting:
                use(client)
            assert counting.lines > 100
            for at in range(1, counting.lines, counting.lines // TRIES):
                with Pressing(folder_of(httpcore), at=at), pytest.raises(KeyboardInterrupt) as caught:
                    use(client)
                assert getattr(caught.value, "task_id", "").startswith("tsk-"), at
                assert signal.getsignal(signal.SIGINT) is signal.default_int_handler, at
                assert use(client) == "completed", at


@pytest.mark.parametrize("is_given", [False, True])
def test_ctrl_c_at_any_line_of_an_event_loop_comes_out_on_trio(is_given: bool, peer: Peer) -> None:
    """Interrupted between any two lines of anyio, httpcore and the SDK: KeyboardInterrupt and nothing else, and the client works on."""
    folders = (folder_of(anyio), folder_of(httpcore), folder_of(signals))
    no_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts nobody, and reads nothing

    async def use(at: int) -> int:
        transport = httpx.AsyncHTTPTransport(verify=no_tls, limits=one_connection()) if is_given else None
        async with AsyncPaymanClient(**settings(peer, timeout=60, transport=transport)) as client:
            try:
                with Pressing(*folders, at=at) as counting:
                    assert (await client.ask("Hello!")).status == "completed"
            finally:
                with trio.CancelScope(shield=True):
                    assert (await client.ask("Hello!")).status == "completed"
        return counting.lines

    trio.run(use, -1)
    lines = trio.run(use, -1) * 9 // 10  # as many as come every time
    for at in range(1, lines, lines // TRIES):
        try:
            trio.run(use, at)
        except KeyboardInterrupt:
            continue
        pytest.fail(f"line {at}: the Ctrl-C was lost")


def test_ctrl_c_while_a_given_transport_waits_comes_out_at_once(peer: Peer) -> None:
    """A server that never answers: Ctrl-C ends the wait, closes the connection, and the next ask is answered."""
    main = threading.get_ident()

    def hang(request: Any) -> Iterator[bytes]:
        signal.pthread_kill(main, signal.SIGINT)
        yield from peer.never(request)

    transport = httpx.HTTPTransport(limits=one_connection(), trust_env=False)
    with PaymanClient(**settings(peer, timeout=LONG, transport=transport)) as client:
        client.get_access_token()
        began = time.monotonic()
        peer.script(ASK_PATH, hang)
        with pytest.raises(KeyboardInterrupt) as caught:
            client.ask("Hello!")
        assert "was sent" in caught.value.__notes__[0]
        assert ask(client) == "completed"
        assert time.monotonic() - began < LONG / 2


def test_a_stream_whose_closing_was_interrupted_gives_its_connection_back(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Interrupted between its first byte and its first piece, and once more before it could be closed."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    def stop_if_open(line: Any) -> None:
        if line._answer is not None and not line._answer.is_stream_consumed:
            raise KeyboardInterrupt

    transport = httpx.HTTPTransport(limits=one_connection(), trust_env=False)
    with PaymanClient(**settings(peer, timeout=60, transport=transport)) as client:
        peer.script(STREAM_PATH, sent(WORKING, then=peer.hang))
        with monkeypatch.context() as patch:
            patch.setattr("payman_sdk._io.runner.SyncRunner._read_chunk", stop)
            patch.setattr("payman_sdk._io.streams.OpenStream.close", stop_if_open)
            with contextlib.suppress(
                KeyboardInterrupt
            ):  # which keeps no exception, and so nothing that it leads to
                stream(client)
        gc.collect()
        assert ask(client) == "completed"


def acquire() -> None:
    lock = threading.Lock()
    lock.acquire()
    lock.acquire(timeout=LONG)


def receive() -> None:
    here, there = socket.socketpair()
    with here, there:
        here.settimeout(LONG)
        here.recv(1)


def swallow() -> None:
    try:
        time.sleep(LONG)
    except BaseException:
        return


def test_a_handler_is_called_where_the_code_waits() -> None:
    """Whatever it waits for, and whatever it makes of what the handler raises."""
    waits: list[Callable[[], object]] = [
        acquire, receive, swallow, lambda: time.sleep(LONG), lambda: threading.Event().wait(LONG),
    ]  # fmt: skip
    for wait in waits:
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt), defer_signals():
            press()
            wait()
        assert time.monotonic() - began < LONG / 2, wait
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler, wait


def test_code_that_neither_waits_nor_returns_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a second, which is shorter here."""
    monkeypatch.setattr(signals, "_PATIENCE", 0.05)
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt), defer_signals():
        press()
        while time.monotonic() - began < LONG:
            sum(number for number in range(9))
    assert time.monotonic() - began < LONG / 2


def test_handlers_wait_until_the_block_ends() -> None:
    """Of any signal that stops programs; one that raises nothing is called once, and all are back afterwards."""
    calls: list[int] = []

    def note(number: int, _: object) -> None:
        calls.append(number)

    def stop(number: int, _: object) -> None:
        raise SystemExit(number)

    for number, handler, raised in (
        (signal.SIGINT, signal.default_int_handler, KeyboardInterrupt),
        (signal.SIGTERM, stop, SystemExit),
        (signal.SIGUSR1, note, None),
    ):
        signal.signal(number, handler)
        steps, error = [], None
        try:
            with defer_signals(), defer_signals():
                signal.raise_signal(number)
                steps.append("went on")
                signal.raise_signal(number)
                steps.append("ended")
        except BaseException as interrupt:
            error = interrupt
        assert steps == ["went on", "ended"], number
        assert (type(error) if error else None) is raised, number
        assert signal.getsignal(number) is handler, number
    assert calls == [signal.SIGUSR1]


def test_a_place_that_can_be_left_calls_them_in_the_block() -> None:
    """Such as between two pieces of an answer."""
    with pytest.raises(KeyboardInterrupt), defer_signals():
        call_handlers()
        press()
        call_handlers()
        pytest.fail("it went on")


def test_handlers_of_others_stay() -> None:
    """One that the block sets itself, one that ignores, those of event loops, and all of them in other threads."""
    own: Any = lambda *_: None  # noqa: E731
    with defer_signals():
        signal.signal(signal.SIGINT, own)
    assert signal.getsignal(signal.SIGINT) is own
    looped: Any = type("Handler", (), {"__module__": "asyncio.unix_events", "__call__": lambda *_: None})()
    for handler in (signal.SIG_IGN, signal.SIG_DFL, looped):
        signal.signal(signal.SIGINT, handler)
        with defer_signals():
            assert signal.getsignal(signal.SIGINT) is handler
    seen: list[Any] = []

    def look() -> None:
        with defer_signals():
            seen.append(signal.getsignal(signal.SIGINT))

    signal.signal(signal.SIGINT, own)
    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [own]


def test_one_that_somebody_kept_and_put_back_passes_signals_on() -> None:
    """As if it had never been there."""
    with defer_signals():
        kept = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, kept)
    with pytest.raises(KeyboardInterrupt):
        press()
    with pytest.raises(KeyboardInterrupt), defer_signals():
        press()
        assert True
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.slow
def test_a_child_process_has_its_handlers_back() -> None:
    """A fork amid the block: what is deferred in the parent is nothing to the child."""
    with defer_signals():
        pid = os.fork()
        if pid == 0:
            is_usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
            os._exit(0 if is_usual else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


CRASHING = """
import asyncio, sys, httpx
from payman_sdk._io.async_streams import AsyncOpenStream

async def pieces():
    yield b"x"

class Body(httpx.AsyncByteStream):
    def __aiter__(self):
        return pieces()

def stop(generator):
    raise KeyboardInterrupt

stream = AsyncOpenStream()
answer = httpx.Response(200, stream=Body())
stream.open(answer, None, {})
sys.set_asyncgen_hooks(firstiter=stop)
try:
    stream.read().send(None)
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.slow
def test_ctrl_c_as_a_loop_advances_a_generator_does_not_end_the_process() -> None:
    """The default of `anext` reads a null pointer then (CPython 131670)."""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", CRASHING], capture_output=True, text=True, timeout=60, check=False, env=environ
    )
    assert (done.returncode, done.stdout) == (0, "interrupted\n"), done.stderr
