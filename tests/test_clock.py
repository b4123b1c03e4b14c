"""Clocks that a test freezes or moves, and the deadlines, pauses and tokens of the SDK."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import anyio
import freezegun
import pytest
import time_machine

from payman_sdk import AsyncPaymanClient, PaymanClient
from payman_sdk._io import clock, event_loops
from payman_sdk.errors import OutcomeUnknownError
from payman_sdk.sandbox import Sandbox
from payman_sdk.token_stores.memory import MemoryTokenStore
from tests.conftest import SECRET
from tests.deadlines import with_enough_time
from tests.loops import LOOPS, run_on
from tests.peer import ASK_PATH, GET_PATH, TOKEN_PATH, Peer, Request, answer, completed, rpc

pytestmark = pytest.mark.slow


SLACK = 5.0
"""Seconds that a busy machine may add."""

FREEZES: dict[str, Callable[[str], AbstractContextManager[Any]]] = {
    "freezegun": freezegun.freeze_time,
    "freezegun ticking": lambda when: freezegun.freeze_time(when, tick=True),
    "freezegun with asyncio's own time": lambda when: freezegun.freeze_time(when, real_asyncio=True),
    "time-machine": lambda when: time_machine.travel(when, tick=False),
    "time-machine ticking": time_machine.travel,
}
NOT_FOUND = rpc(error={"code": -32001, "message": "Task not found"})


def settings_for(peer: Peer, **settings: Any) -> dict[str, Any]:
    return {
        "client_id": "pm-test-1",
        "client_secret": SECRET,
        "base_url": peer.base_url,
        "max_retries": 0,
        **settings,
    }


def ask(client: PaymanClient) -> str:
    return client.ask("send 10 TSD to Test Payee").status


async def ask_async(settings: dict[str, Any]) -> str:
    async with AsyncPaymanClient(**settings) as client:
        return (await client.ask("send 10 TSD to Test Payee")).status


def test_an_ask_in_frozen_time(peer: Peer) -> None:
    """An ask that waits, is tried again and looks for its task ends as ever, whichever library freezes whatever moment."""
    peer.always(GET_PATH, NOT_FOUND)
    wrong = []
    whens = {"freezegun": ("1990-01-01", "1970-01-02")}  # to freeze anew looks through every module
    for library, freeze in FREEZES.items():
        with freeze("2030-01-01") as frozen:
            for when in ("2030-01-01", *whens.get(library, ())):
                if when != "2030-01-01":
                    frozen.move_to(when)
                for loop in ("threads", *LOOPS):
                    peer.script(ASK_PATH, answer(503), completed)
                    settings = settings_for(peer, max_retries=2, timeout=60, settle_time=0.01)
                    try:
                        if loop == "threads":
                            with PaymanClient(**settings) as client:
                                ended = ask(client)
                        else:
                            ended = run_on(loop, lambda settings=settings: ask_async(settings))
                    except Exception as error:
                        ended = repr(error)
                    if ended != "completed":
                        wrong.append((library, when, loop, ended))
    assert wrong == []


def ask_and_freeze(peer: Peer, library: str, loop: str, seconds: float) -> float:
    """Ask a server that freezes the time and never answers; return how much of its time the ask has taken."""
    freezing, frozen = FREEZES[library]("2030-01-01"), threading.Event()

    def freeze_and_wait(request: Request) -> Iterator[bytes]:
        freezing.__enter__()
        frozen.set()
        yield from peer.never(request)

    peer.unscript()
    peer.script(ASK_PATH, freeze_and_wait)
    settings = settings_for(peer, timeout=seconds, settle_time=0.01)
    began = clock.monotonic()
    try:
        with pytest.raises(OutcomeUnknownError):
            if loop == "threads":
                with PaymanClient(**settings) as client:
                    ask(client)
            else:
                run_on(loop, lambda: ask_async(settings))
        took = clock.monotonic() - began
        assert frozen.wait(60)
    finally:
        if frozen.is_set():
            freezing.__exit__(None, None, None)
    return took / seconds


def test_time_that_freezes_while_an_ask_waits(peer: Peer) -> None:
    """A deadline comes when its seconds are over, not with the freeze and not after it."""
    peer.always(GET_PATH, NOT_FOUND)
    wrong = []
    for library in ("freezegun", "time-machine"):
        for loop in ("threads", *LOOPS):
            took = with_enough_time(0.2, partial(ask_and_freeze, peer, library, loop))
            if not 0.95 <= took < 1 + SLACK / 0.2:
                wrong.append((library, loop, took))
    assert wrong == []


def test_a_pause_takes_its_time() -> None:
    """A pause that begins in frozen time takes as long as it says, also when time thaws or freezes in the middle."""

    async def pause(seconds: float, change: Callable[[], None]) -> float:
        began = clock.monotonic()
        async with anyio.create_task_group() as group:
            group.start_soon(_call_in, seconds / 2, change)
            await event_loops.sleep(seconds)
        return clock.monotonic() - began

    wrong = []
    for library, freeze in FREEZES.items():
        for backend in ("asyncio", "trio"):
            for is_frozen_at_first in (True, False):
                freezing = freeze("2030-01-01")
                if is_frozen_at_first:
                    freezing.__enter__()

                def change(freezing: Any = freezing, thaw: bool = is_frozen_at_first) -> None:
                    freezing.__exit__(None, None, None) if thaw else freezing.__enter__()

                took = anyio.run(pause, 0.05, change, backend=backend)
                if not is_frozen_at_first:
                    freezing.__exit__(None, None, None)
                if not 0.045 < took < SLACK:
                    wrong.append((library, backend, is_frozen_at_first, took))
    assert wrong == []


async def _call_in(seconds: float, call: Callable[[], None]) -> None:
    """Call something after so many seconds by a clock that nobody freezes."""
    waiting = threading.Event()
    await anyio.to_thread.run_sync(waiting.wait, seconds)
    call()


PROGRAM = """
    import contextlib, sys
    import {library}
    def freeze(when): return {freeze}
    with freeze("2030-01-01"):
        from payman_sdk.sandbox import Sandbox  # imported now, with frozen clocks wherever a default holds one
        sandbox = Sandbox(pace=0.01).start()
        print(sandbox.client(timeout=60).ask("list all wallets").status)
    client = sandbox.client(timeout=60)
    print(client.ask("list all wallets").status)
    for when in ("2031-01-01", "1990-01-01"):
        with freeze(when):
            print(client.ask("list all wallets").status)
            print(client.stream("list all wallets").result().status)
    sandbox.close()
"""


@pytest.mark.parametrize(
    ("library", "freeze"),
    [("freezegun", "freezegun.freeze_time(when)"), ("time_machine", "time_machine.travel(when, tick=False)")],
)
def test_a_program_that_freezes_time_before_it_imports_the_sdk(library: str, freeze: str) -> None:
    """What was imported in frozen time works in frozen time, after it, and when time is frozen again."""
    program = textwrap.dedent(PROGRAM).format(library=library, freeze=freeze)
    ran = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=100,
        env=os.environ,
        check=False,
    )
    assert (ran.stdout.split(), ran.stderr) == (["completed"] * 6, "")


def test_a_token_lives_no_longer_than_it_was_issued_for(peer: Peer) -> None:
    """A stored token is used if the wall clock lets it live, whoever set it back; one that has ended by it is renewed."""
    table = [
        ("its own time", None, "2026-01-01", 1),
        ("set back by years", "2030-01-01", "2026-01-01", 1),
        ("set forth by years", "2026-01-01", "2030-01-01", 2),
    ]
    wrong = []
    for what, saved, loaded, tokens in table:
        store = MemoryTokenStore()
        before = len([request for request in peer.requests if request.path == TOKEN_PATH])
        for when in (saved or loaded, loaded):
            with freezegun.freeze_time(when), PaymanClient(**settings_for(peer), token_store=store) as client:
                ask(client)
                report = client.get_access_token()
                assert report is not None
                if not 3590 < report["expiresIn"] <= 3600:
                    wrong.append((what, when, report["expiresIn"]))
        fetched = len([request for request in peer.requests if request.path == TOKEN_PATH]) - before
        if fetched != tokens:
            wrong.append((what, "tokens", fetched))
    assert wrong == []


def test_a_given_token_counts_from_now() -> None:
    """The seconds of `with_token` are counted by the same clock as what is left of them, whichever is frozen."""
    for when in ("2030-01-01", "1990-01-01"):
        with (
            freezegun.freeze_time(when),
            PaymanClient.with_token(
                "pm-test-1", {"accessToken": "a", "expiresIn": 3600}, base_url="http://127.0.0.1:9"
            ) as client,
        ):
            report = client.get_access_token()
        assert report is not None
        assert 3590 < report["expiresIn"] <= 3600, when


def test_the_sandbox_goes_on_in_frozen_time() -> None:
    """What takes time in the sandbox ends, and its dates are those that the test has frozen."""
    with (
        freezegun.freeze_time("2030-01-01"),
        Sandbox(pace=0.005) as sandbox,
        sandbox.client(timeout=60) as client,
    ):
        answered = client.ask("list all wallets")
        assert (answered.timestamp or "").startswith("2030-01-01")


def test_a_lock_that_is_held_is_waited_for_in_real_time(tmp_path: Any) -> None:
    """A store's lock is given up after its seconds, though the clock that filelock reads is frozen."""
    from payman_sdk.token_stores.file import FileLock

    held, wanted = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    assert held.acquire(timeout=0)
    with freezegun.freeze_time("2030-01-01"):
        began = clock.monotonic()
        assert not wanted.acquire(timeout=0.1)
        assert 0.09 < clock.monotonic() - began < SLACK
    held.release()
    assert wanted.acquire(timeout=0)
    wanted.release()


def test_no_library_reaches_the_clock() -> None:
    """The clock of deadlines is none of the functions that libraries replace, and goes as those do."""
    assert clock.monotonic is not time.monotonic
    assert abs(clock.monotonic() - time.monotonic()) < 1
    assert not clock.is_patched()
    with freezegun.freeze_time("2030-01-01"):
        began = clock.monotonic()
        assert clock.is_patched()
        assert clock.wall_time() == 1893456000
    assert 0 <= clock.monotonic() - began < SLACK


def test_a_scope_without_end() -> None:
    """None waits for ever, and what is over is cancelled at once."""

    async def main() -> tuple[bool, bool]:
        with event_loops.move_on_after(None) as endless:
            await anyio.lowlevel.checkpoint()
        with event_loops.move_on_after(-1) as over:
            await anyio.sleep_forever()
        return endless.cancelled_caught, over.cancelled_caught

    for backend in ("asyncio", "trio"):
        assert anyio.run(main, backend=backend) == (False, True)
