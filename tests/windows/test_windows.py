"""The package on Windows, as far as a simulation can show it: what its Python lacks, and what its file system refuses."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.windows.scenarios import SCENARIOS
from tests.windows.simulation import MISSING_MODULES

ROOT = Path(__file__).parents[2]
EXPECTED = {
    "import_everything": ["True []"],
    "ask_and_pay": ["completed", "paid", "paid", "completed", "1", "AppData/Local/payman/keys.sqlite3"],
    "ask_on_event_loops": ["ProactorEventLoop", "completed", "completed", "{'completed'}"],
    "share_a_token_file": ["[] ['token.json']"],
    "hold_a_lock": ["True False", "True"],
    "log_in": ["completed"],
    "interrupt": ["completed", "completed", "completed"],
}


def run_scenarios(names: Iterable[str], home: Path) -> dict[str, list[str]]:
    """Run scenarios in one process with the code page of a Windows console, and return what each printed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PAYMAN_", "XDG_"))}
    done = subprocess.run(
        [sys.executable, "-X", "warn_default_encoding", "-m", "tests.windows.scenarios", *names],
        cwd=ROOT,
        env={**kept, "HOME": str(home), "PYTHONIOENCODING": "cp1252"},
        capture_output=True,
        encoding="cp1252",
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    parts = [part.splitlines() for part in done.stdout.split("== ")[1:]]
    return {lines[0]: lines[1:] for lines in parts}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the simulation reads /proc to know which files are open")
def test_the_package_works_on_windows(tmp_path: Path) -> None:
    """Without POSIX modules, signals and descriptors: asks, payments, streams, locks, files, a login, and Ctrl-C.

    The command writes to a console of Windows: characters that its code page lacks fail no command.
    """
    printed = run_scenarios(SCENARIOS, tmp_path)
    shown = printed.pop("run_the_command")
    assert printed == EXPECTED
    assert "Paid 10.00 TSD to Test Payee." in shown
    assert any("Zoë ?ó??" in line for line in shown), shown
    assert [line for line in shown if line.isdigit()] == ["0", "0", "0"]


def test_every_scenario_has_a_test() -> None:
    """No scenario is left out."""
    assert set(SCENARIOS) == {*EXPECTED, "run_the_command"}


def find_posix_imports(body: Iterable[ast.stmt]) -> Iterator[str]:
    """Yield the POSIX modules that a module imports whatever the system; what follows `if sys.platform …` is guarded."""
    for statement in body:
        match statement:
            case ast.Import(names):
                yield from ({name.name.partition(".")[0] for name in names} & MISSING_MODULES)
            case ast.ImportFrom(module=str(module), level=0) if module.partition(".")[0] in MISSING_MODULES:
                yield module
            case ast.If(test) if "platform" in ast.unparse(test) or "TYPE_CHECKING" in ast.unparse(test):
                if "pytest.skip" in ast.unparse(statement):
                    return
            case ast.ClassDef(body=inner) | ast.With(body=inner) | ast.If(body=inner):
                yield from find_posix_imports(inner)
            case _:
                pass


def test_no_module_needs_posix() -> None:
    """No module of the package, the tests, the scripts or the examples imports what Windows lacks without asking first."""
    found, suspicious = (
        {},
        re.compile(rf"^\s*(import|from)\b.*\b({'|'.join(MISSING_MODULES)})\b", re.MULTILINE),
    )
    for folder in ("payman_sdk", "generated", "examples", "tests", "scripts"):
        for path in (ROOT / folder).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            if suspicious.search(text) and (imported := sorted(find_posix_imports(ast.parse(text).body))):
                found[path.relative_to(ROOT).as_posix()] = imported
    assert found == {}
    assert list(find_posix_imports(ast.parse("import os\nimport fcntl, sys").body)) == ["fcntl"]
