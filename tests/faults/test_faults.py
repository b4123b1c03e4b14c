from __future__ import annotations

import ctypes
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import httpcore
import pytest

from payman_sdk import PaymanClient
from payman_sdk._io.clock import monotonic
from payman_sdk._io.http import OwnConnections
from payman_sdk.errors import OutcomeUnknownError
from tests import programs
from tests.faults import Kind, Settings, run
from tests.faults.__main__ import main
from tests.faults.ask_modes import WAYS, Ask
from tests.faults.conftest import LEAVES_CONNECTIONS
from tests.faults.invariants import breaches, counted, held
from tests.faults.reports import report
from tests.faults.stall_detector import Pulse
from tests.tables import table

pytestmark = LEAVES_CONNECTIONS
PROGRAM = (sys.executable, "-m", "tests.faults")
PLAN = Settings(seed=7341, asks=64, workers=24, patience=0.4)
"""Of 9000 seeds, that whose first answers are lost in the most ways: behind 401, 408, 409, 503, 504, a web page and others."""
UNDISTURBED = Settings(asks=32, rate=0.0, patience=60, timeout=60)
"""Nothing goes wrong, however slow the machine is."""


def test_an_ask_happens_once_however_the_network_fails() -> None:
    """Asks in all ways, with all faults: nothing is paid twice, nothing untrue is reported, all learn their end."""
    outcome = run(replace(PLAN, timeout=20, settle_time=2))
    assert held(outcome), report(outcome)
    counts = counted(outcome)
    assert [counts[str(way)].asks for way in WAYS] == [8] * 8
    assert sum(counts[str(way)].again for way in WAYS if way.keyed) == 16
    # How many, a busy machine decides; that there were any shows that the promise was put to the test.
    assert counts["all"].ends["completed"] > 0
    assert len(outcome.faults) > 1


def test_an_ask_happens_once_where_tasks_cannot_be_looked_up() -> None:
    """Without `tasks/get`, what is not known is told as such, and still nothing is paid twice or told wrongly."""
    outcome = run(replace(PLAN, timeout=8, reconciles=False))
    assert held(outcome), report(outcome)
    assert any(case.claimed.end == "unknown" for case in outcome.cases)


def test_without_faults_everything_is_done() -> None:
    """Where nothing goes wrong, every ask is done, told so, and found done by whoever asks again."""
    outcome = run(UNDISTURBED)
    assert {(case.claimed.end, len(case.payments)) for case in outcome.cases} == {("completed", 1)}
    assert {claimed.end for case in outcome.cases for claimed in case.again} == {"completed"}
    assert "The promise held." in report(outcome)


@pytest.fixture
def blunder(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., Any]], None]:
    """Makes the client for threads break the promise: `ask` is what is given, and gets the true one first."""
    true_ask = PaymanClient.ask

    def broken(ask: Callable[..., Any]) -> None:
        def instead(client: PaymanClient, text: str, **options: Any) -> Any:
            return ask(lambda **more: true_ask(client, text, **options, **more))

        monkeypatch.setattr(PaymanClient, "ask", instead)

    return broken


BY_THREAD = [number for number in range(16) if Ask(3, number).way in WAYS[:2]]
"""The asks that the broken client makes: `ask` with the client for threads."""
BLUNDERS = Settings(
    seed=3, asks=16, only=BY_THREAD, workers=16, kinds=[Kind.ANSWER_LOST], rate=0.9, timeout=2
)
Blunder = Callable[[Callable[..., Any]], None]


def breaches_of(settings: Settings) -> Counter[str]:
    """The promises that were broken to those who asked with the broken client."""
    outcome = run(settings)
    assert ("The promise was broken." in report(outcome)) is not held(outcome)
    return Counter(name for case in outcome.cases for name in breaches(case, settings))


def is_found_out(name: str, prepare: Callable[[float], None]) -> bool:
    """Whether a broken client is found out, in more time where a busy machine lets no ask get so far as to be lost."""
    for scale in (1.0, 4.0, 16.0):
        prepare(scale)
        if breaches_of(replace(BLUNDERS, timeout=2 * scale, patience=0.3 * scale))[name]:
            return True
    return False


def test_a_client_that_asks_anew_is_found_out(blunder: Blunder) -> None:
    """A client that takes a lost answer for a lost ask, and asks anew, pays twice, and that is noticed."""

    def ask(once: Callable[..., Any], scale: float) -> Any:
        try:
            return once(timeout=0.3 * scale)
        except OutcomeUnknownError:
            return once()

    assert is_found_out("twice", lambda scale: blunder(partial(ask, scale=scale)))


def test_a_client_that_gives_up_is_found_out(blunder: Blunder) -> None:
    """A client that says "undetermined" with time left, though the server knows the task, is found out."""
    assert is_found_out("early", lambda scale: blunder(lambda once: once(timeout=0.3 * scale)))


def test_a_client_that_sends_blindly_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that sends the same task again without asking how it stands is found out, though the sandbox forgives it."""
    true_send = OwnConnections.send

    def send_again(http: OwnConnections, request: httpcore.Request, **options: Any) -> Any:
        try:
            return true_send(http, request, **options)
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError):
            return true_send(http, request, **options)

    monkeypatch.setattr(OwnConnections, "send", send_again)
    assert is_found_out("blind", lambda _: None)


def test_a_client_that_makes_things_up_is_found_out(blunder: Blunder) -> None:
    """A client that says that something failed, though it is not known, or that it is done, though it is not, is found out."""

    def fail(once: Callable[..., Any]) -> Any:
        answer = once()
        answer["status"] = "failed"
        return answer

    blunder(fail)
    assert breaches_of(replace(UNDISTURBED, only=BY_THREAD))["paid"] == 4


def test_a_client_that_breaks_down_is_found_out(blunder: Blunder) -> None:
    """What is no answer and no error of the SDK is an end that nobody can do anything with."""
    blunder(lambda once: once().no_such_thing)
    assert breaches_of(replace(UNDISTURBED, only=BY_THREAD))["other"] == 4


def test_a_client_that_takes_its_time_is_found_out() -> None:
    """Who is told after the deadline is counted, with how much too late it was."""
    outcome = run(Settings(asks=8, rate=1.0, kinds=[Kind.LIMITED_MS], timeout=0.3))
    case = outcome.cases[0]
    late = Settings(asks=8, timeout=case.claimed.seconds - 0.3)
    assert "late" in breaches(case, late)
    assert "late" not in breaches(case, outcome.settings)


def test_time_in_which_the_process_is_paused_is_not_the_clients() -> None:
    """Only what lies between the two moments counts, and only where the process could not run."""

    def stand_still(seconds: float) -> tuple[float, float]:
        # A function of C that is called in this way sleeps without letting another thread run.
        began = monotonic()
        if sys.platform == "win32":
            ctypes.PyDLL("kernel32").Sleep(int(seconds * 1000))
        else:
            ctypes.PyDLL(None).usleep(int(seconds * 1_000_000))
        return began, monotonic()

    with Pulse() as pulse:
        began, ended = stand_still(0.3)
        time.sleep(0.05)
        all_of_it = pulse.stalled(began - 10, ended + 10)
        assert all_of_it > 0.2
        assert pulse.stalled(began - 10, began - 5) == 0
        middle = (began + ended) / 2
        assert 0 < pulse.stalled(middle, ended) < all_of_it


def test_the_program_says_whether_the_promise_held() -> None:
    """It prints a table, the faults and a verdict, and ends with status 0."""
    done = programs.run(
        [
            *PROGRAM,
            "--asks",
            "16",
            "--kinds",
            "500,cut,late",
            "--seed",
            "1",
            "--seed",
            "2",
            "--settle-time",
            "0.5",
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "sync plain no key" in done.stdout
    assert done.stdout.count("The promise held.") == 2
    assert "The promise held in 2 of 2 runs." in done.stdout


def test_the_program_ends_with_status_1_where_the_promise_was_broken(
    blunder: Blunder, capsys: pytest.CaptureFixture[str]
) -> None:
    """The check can fail: then the report shows whom the promise was broken to, with what it takes to see it again."""
    blunder(lambda once: once() and once())
    assert main(["--asks", "16", "--rate", "0", "--seed", "7"]) == 1
    said = capsys.readouterr().out
    assert "ask 0 (sync plain no key), seed 7: twice" in said
    assert "reported: completed after" in said
    assert "The promise was broken." in said


def test_the_program_shows_its_plan(capsys: pytest.CaptureFixture[str]) -> None:
    """`--plan` shows which requests of which asks meet which faults, and asks nothing."""
    assert main(["--plan", "--asks", "23", "--seed", "1", "--only", "10", "22"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "seed 1",
        "ask 10: 1 cut at 30%, reset; 2 409-taken; 3 502, forwarded; 7 429-date",
        "ask 22: 1 409-taken; 2 slow (387 ms)",
    ]


@table(
    ("arguments", "complaint"),
    [
        (["--asks", "0"], "--asks: 0 is not from 1 to 90000"),
        (["--asks", "many"], "--asks: many is not from 1 to 90000"),
        (["--asks", "1.5"], "--asks: 1.5 is not a whole number"),
        (["--seed", "x"], "--seed: invalid int value: 'x'"),
        (["--workers", "-1"], "--workers: -1 is not from 1"),
        (["--rate", "1.5"], "--rate: 1.5 is not from 0 to 1"),
        (["--timeout", "0"], "--timeout: 0 is not from 0.01 to 3600"),
        (["--patience", "nan"], "--patience: nan is not from 0.01 to 3600"),
        (["--kinds", "cut,flood"], "--kinds: cut,flood is not one or several of refused, hung-up"),
        (["--asks", "8", "--only", "8"], "--only: 8 is not from 0 to 7"),
        (["--nonsense"], "unrecognized arguments: --nonsense"),
    ],
)
def test_the_program_refuses_arguments_that_make_no_sense(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It ends with status 2 and names the argument and what it may be."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert complaint in capsys.readouterr().err
