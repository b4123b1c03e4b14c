"""examples/batch-payments pays each line once, though it is killed again and again, and tells what became of each."""

from __future__ import annotations

import csv
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from filelock import FileLock

from payman_sdk.sandbox import ConnectionLost, HTTPError, RPCError, Sandbox, ScriptedResponse
from tests import programs
from tests.examples.programs import EXAMPLES, command, environment, on_a_terminal

HEAD = "number,payee,amount,memo\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A file of twelve payments of 1, 2, … 12 TSD."""
    return written(tmp_path, [f"no-{place},Test Payee,{place},tea" for place in range(1, 13)])


def written(folder: Path, lines: list[str]) -> Path:
    source = folder / "payments.csv"
    source.write_text(HEAD + "".join(f"{line}\n" for line in lines), encoding="utf-8")
    return source


def start(source: Path, sandbox: Sandbox, *options: str) -> subprocess.Popen[str]:
    return programs.Popen(
        command("batch-payments/pay.py", str(source), *options),
        cwd=source.parent,
        env=environment(sandbox),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def run(source: Path, sandbox: Sandbox, *options: str) -> tuple[int | None, str, str]:
    """Runs it to its end: exit status, stdout and stderr."""
    with start(source, sandbox, *options) as paying:
        stdout, stderr = paying.communicate(timeout=60)
    assert "Traceback" not in stderr
    return paying.returncode, stdout.strip(), stderr


def results(source: Path) -> dict[str, dict[str, str]]:
    """The result file, by number; a number in it twice is a failure."""
    target = source.with_name("payments.csv.results.csv")
    if not target.exists():
        return {}
    with target.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    by_number = {row["number"]: row for row in rows}
    assert len(by_number) == len(rows)
    return by_number


def statuses(source: Path) -> dict[str, str]:
    return {number: row["status"] for number, row in results(source).items()}


def kill_when(reached: Callable[[], bool], source: Path, sandbox: Sandbox) -> None:
    """Kills it as soon as that is so, in the middle of its work."""
    with start(source, sandbox) as paying:
        deadline = time.monotonic() + 30
        while not reached():
            assert paying.poll() is None, paying.stderr and paying.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.001)
        paying.kill()
    assert paying.returncode == -signal.SIGKILL


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_each_line_is_paid_once_though_it_is_killed(source: Path) -> None:
    """It is killed after a payment, before its answer, after a result and before its second request; then it ends its work."""
    with Sandbox(pace=0.02) as sandbox:
        kill_when(lambda: bool(sandbox.requests), source, sandbox)
        kill_when(lambda: len(sandbox.payments) >= 2, source, sandbox)
        sandbox.script([None, ConnectionLost(silent=True)])  # a payment is made, and nobody hears of it
        made = len(sandbox.payments)
        kill_when(lambda: len(sandbox.payments) >= min(made + 2, 12), source, sandbox)
        kill_when(lambda: len(results(source)) >= 7, source, sandbox)
        kill_when(lambda: len(sandbox.payments) >= 10, source, sandbox)

        assert run(source, sandbox)[:2] == (0, "12 paid")
        assert run(source, sandbox)[:2] == (0, "12 paid")
        assert sorted(payment.amount for payment in sandbox.payments) == list(range(1, 13))
        assert sandbox.balance("TSD") == 1000 - 78
        sandbox.check_invariants()
        tasks = {str(int(payment.amount)): payment.task_id for payment in sandbox.payments}
    written = results(source)
    assert len(written) == 12
    for row in written.values():
        assert row["status"] == "paid"
        assert row["task_id"] == tasks[row["amount"].partition(".")[0]]
        assert row["line"] == str(int(row["number"].removeprefix("no-")) + 1)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_the_result_file_is_whole_though_it_is_killed_while_writing(source: Path) -> None:
    """What earlier runs wrote is there after each kill: the file is replaced when the new one is complete, and not before."""
    target = source.with_name("payments.csv.results.csv")
    draft = source.with_name("payments.csv.results.csv.new")
    earlier = "".join(f"{n},old-{n},Test Payee,1.00,tea,paid,tsk-{n},Sent 1 TSD.\n" for n in range(6_000))
    target.write_text(f"line,number,payee,amount,memo,status,task_id,said\n{earlier}", encoding="utf-8")
    with Sandbox() as sandbox:
        for _ in range(2):
            draft.unlink(missing_ok=True)
            kill_when(draft.exists, source, sandbox)
            found = results(source)
            assert len([number for number in found if number.startswith("old-")]) == 6_000
            assert all(row["status"] == "paid" and row["said"] for row in found.values())
        draft.write_text("a draft that ends in the mid", encoding="utf-8")
        assert run(source, sandbox)[:2] == (0, "12 paid")
        assert len(sandbox.payments) == 12
    assert not draft.exists()
    assert len(results(source)) == 6_012


def test_a_lost_result_file_is_no_second_payment(source: Path) -> None:
    """The keys keep a line from being paid twice, and not the file: without it, the same results are learned again."""
    with Sandbox() as sandbox:
        assert run(source, sandbox)[:2] == (0, "12 paid")
        first = results(source)
        source.with_name("payments.csv.results.csv").unlink()
        assert run(source, sandbox, "--limit", "0")[:2] == (0, "12 paid")
        assert results(source) == first
        assert len(sandbox.payments) == 12


def test_bad_lines_are_reported_and_stop_nothing(tmp_path: Path) -> None:
    """Each is told with its line and what is wrong with it; the others are paid, and one with a repeated number is not."""
    source = written(
        tmp_path,
        [
            "a,Test Payee,1.00,tea",
            "b,Test Payee,twenty,tea",
            "",
            ",Test Payee,1,tea",
            "a,Test Payee,2,the number again",
            "c,,1,tea",
            "d,Test Payee,-1,tea",
            "e,Test Payee,0.00,tea",
            "f,Test Payee,1.005,tea",
            "g,Test Payee,NaN,tea",
            "h,Test Payee",
            'i,Test Payee,1,"two\nlines"',
            'j,"Test ""Payee",1,tea',
            "k,Test Payee,3.00,tea",
        ],
    )
    with Sandbox() as sandbox:
        status, stdout, stderr = run(source, sandbox)
        assert [int(payment.amount) for payment in sandbox.payments] == [1, 3]
    assert (status, stdout) == (1, "11 invalid, 2 paid")
    assert stderr.splitlines() == [
        "line 3: twenty is not an amount; write it as 12.50",
        "line 5: it has no number",
        "line 6: an earlier line has the number a",
        "line 7: the payee is not a name",
        "line 8: -1 is not an amount; write it as 12.50",
        "line 9: 0.00 is not an amount; write it as 12.50",
        "line 10: 1.005 is not an amount; write it as 12.50",
        "line 11: NaN is not an amount; write it as 12.50",
        "line 12: it has 2 cells, not 4",
        "line 13: the memo has a line break in it, or is longer than 200 characters",
        "line 15: the payee is not a name",
    ]
    target = source.with_name("payments.csv.results.csv").read_text(encoding="utf-8")
    assert "\n16,k,Test Payee,3.00,tea,paid,tsk-" in target.replace("\r\n", "\n")
    assert "\n3,b,Test Payee,twenty,tea,invalid,,twenty is not" in target.replace("\r\n", "\n")


def test_what_is_not_settled_is_settled_by_the_next_run(tmp_path: Path) -> None:
    """Lost answers are marked, and learned by the next run; so is what waited, what was busy, and what the agent broke at."""
    names = ("lost", "never", "waits", "denied", "busy", "broken", "strange", "refused", "failed")
    amounts = (1, 2, 150, 160, 3, 4, 5, 501, 6)
    source = written(
        tmp_path, [f"{name},Test Payee,{amount},tea" for name, amount in zip(names, amounts, strict=True)]
    )
    gone = [HTTPError(503, headers={"Retry-After": "0"})] * 3
    with Sandbox() as sandbox:
        sandbox.script(
            [
                *(HTTPError(500, taken=True), HTTPError(500), None),
                *(None, None),
                *gone,
                *(
                    RPCError(-32603),
                    "Done, I think.",
                    None,
                    ScriptedResponse("The bank is closed.", state="failed"),
                ),
            ]
        )
        assert run(source, sandbox)[0] == 1
        assert statuses(source) == {
            "lost": "paid",  # the client looked it up
            "never": "paid",  # it was sent again
            "waits": "waiting",
            "denied": "waiting",
            "busy": "error",
            "broken": "error",
            "strange": "unclear",
            "refused": "refused",
            "failed": "failed",
        }
        waits, denied = sandbox.pending_payments
        sandbox.approve(waits.task_id)
        sandbox.deny(denied.task_id)
        assert run(source, sandbox)[0] == 1
        assert statuses(source) == {
            **dict.fromkeys(("lost", "never", "waits", "busy", "broken"), "paid"),
            "denied": "refused",
            "strange": "unclear",
            "refused": "refused",
            "failed": "failed",
        }
        made = [int(payment.amount) for payment in sandbox.payments if payment.status == "INITIATED"]
        assert sorted(made) == [1, 2, 3, 4, 150]


def test_an_unknown_outcome_is_marked_and_settled(tmp_path: Path) -> None:
    """A server that goes away with the answer leaves an unknown line, with its task; the next run learns that it was paid."""
    source = written(tmp_path, ["a,Test Payee,1,tea", "b,Test Payee,2,tea"])
    with Sandbox() as sandbox:
        sandbox.script([ConnectionLost(silent=True)])
        with start(source, sandbox, "--timeout", "1.2") as paying:
            while not sandbox.payments:
                assert paying.poll() is None
                time.sleep(0.001)
            sandbox.stop()
            _, stderr = paying.communicate(timeout=60)
        assert paying.returncode == 1
        assert "Traceback" not in stderr
        assert statuses(source) == {"a": "unknown", "b": "unknown"}
        assert results(source)["a"]["task_id"] == sandbox.payments[0].task_id
        assert "line 2: unknown: " in stderr

        sandbox.start()
        assert run(source, sandbox)[:2] == (0, "2 paid")
        assert [int(payment.amount) for payment in sandbox.payments] == [1, 2]


def test_a_run_sends_no_more_than_its_limit(source: Path) -> None:
    """What would be more is held, and the next run goes on; what is known already counts for nothing."""
    with Sandbox() as sandbox:
        status, stdout, stderr = run(source, sandbox, "--limit", "10.50")
        assert (status, stdout) == (1, "8 held, 4 paid")
        assert (
            "line 6: held: 5.00 is more than the 0.50 that this run may still send" in stderr
            or "5 is" in stderr
        )
        assert sum(payment.amount for payment in sandbox.payments) == Decimal(10)
        assert run(source, sandbox, "--limit", "12")[:2] == (1, "6 paid, 6 held")
        assert sum(payment.amount for payment in sandbox.payments) == Decimal(21)
        assert run(source, sandbox)[:2] == (0, "12 paid")


def test_a_number_is_one_payment(source: Path) -> None:
    """A line that was changed after it was paid is a conflict, and pays nothing."""
    with Sandbox() as sandbox:
        run(source, sandbox)
        text = source.read_text(encoding="utf-8")
        source.write_text(text.replace("no-3,Test Payee,3,", "no-3,Test Payee,30,"), encoding="utf-8")
        status, stdout, stderr = run(source, sandbox)
        assert (status, stdout) == (1, "11 paid, 1 conflict")
        assert "line 4: conflict: number no-3 belongs to another payment" in stderr
        assert len(sandbox.payments) == 12


def test_it_says_why_it_cannot_begin(source: Path) -> None:
    """Without credentials, with wrong ones, beside another run, with a file of another kind: status 2, and nothing is written."""
    with Sandbox() as sandbox:
        with FileLock(source.with_name("payments.csv.results.csv.lock")):
            assert "Another run works on" in run(source, sandbox)[2]
        assert run(source, sandbox, "--results", str(source))[0] == 2
        assert source.read_text(encoding="utf-8").startswith(HEAD)
        sandbox.client_secret = "wrong"
        status, _, stderr = run(source, sandbox)
        assert status == 2
        assert "Payman issued no access token" in stderr
        assert (
            run(EXAMPLES / "batch-payments" / "README.md", sandbox, "--results", str(source) + ".r")[0] == 2
        )
        assert sandbox.payments == []
    assert statuses(source) == {}


def test_the_readme_reports_what_happens(tmp_path: Path) -> None:
    """The file that comes with the example ends as its README says."""
    source = tmp_path / "payments.csv"
    source.write_bytes((EXAMPLES / "batch-payments" / "payments.csv").read_bytes())
    with Sandbox() as sandbox:
        status, stdout, stderr = run(source, sandbox)
    readme = (EXAMPLES / "batch-payments" / "README.md").read_text(encoding="utf-8")
    reported = readme.partition("```text\n")[2].partition("```")[0].splitlines()
    assert [*(line[:60] for line in stderr.splitlines()), stdout] == [line[:60] for line in reported]
    assert status == 1


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_a_terminal_gets_a_progress_bar(source: Path) -> None:
    """Whoever looks on sees how far it is."""
    with Sandbox() as sandbox:
        line = command("batch-payments/pay.py", str(source), "--limit", "77")
        status, said = on_a_terminal(line, source.parent, sandbox)
    assert status == 1
    assert "Paying" in said
    assert "100%" in said
    assert "line 13: held: 12.00 is more than the 11.00 that this run may still send" in said
