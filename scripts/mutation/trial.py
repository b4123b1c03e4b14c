"""Which tests execute which lines, and whether one of them notices a mutant."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from coverage import CoverageData

_LIMIT = 600
"""After so many seconds, a trial counts as one that never ends, which is noticed."""
_OPTIONS = (
    *("-q", "--fast", "--timeout=60", "--timeout-method=thread", "--assert=plain"),
    *("-p", "no:cacheprovider", "-p", "no:schemathesis"),
)
Covering = dict[str, dict[int, list[str]]]
"""The tests that execute a line, by file and line; first those that execute little, which are quick and tell most."""


def run_pytest(
    root: Path, *arguments: str, limit: float | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run pytest in a folder."""
    command = [sys.executable, "-m", "pytest", *_OPTIONS, *arguments]
    known = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])}
    return subprocess.run(
        command, cwd=root, env=known | environment, capture_output=True, text=True, timeout=limit, check=False
    )


def measure(root: Path, folder: Path, tests: Sequence[str]) -> Covering:
    """Run tests, and return which of them execute which line of a folder.

    Raises:
        RuntimeError: One fails, so nothing can be said of mutants.
    """
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "coverage"
        options = [f"--cov={folder}", "--cov-context=test", "--cov-report="]
        done = run_pytest(root, *options, *tests, COVERAGE_FILE=str(file))
        if done.returncode:
            raise RuntimeError(f"The tests fail without a mutant:\n{done.stdout}{done.stderr}")
        data = CoverageData(str(file))
        data.read()
        lines = {name: data.contexts_by_lineno(name) for name in data.measured_files()}
    breadth = Counter(it for by_line in lines.values() for contexts in by_line.values() for it in contexts)
    return {
        name: {
            line: list(
                dict.fromkeys(it.rpartition("|")[0] for it in sorted(contexts, key=breadth.__getitem__) if it)
            )
            for line, contexts in by_line.items()
        }
        for name, by_line in lines.items()
    }


def survives(root: Path, module: str, tree: ast.Module, tests: Sequence[str]) -> bool:
    """Return whether all tests pass with a tree in the place of a module; also if there is no test."""
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "mutant.py"
        file.write_text(ast.unparse(tree), "utf-8")
        plugin = ("-x", "-p", "scripts.mutation.plugin", "-p", "no:cov")
        try:
            done = run_pytest(root, *plugin, *tests, limit=_LIMIT, MUTANT=f"{module}={file}")
        except subprocess.TimeoutExpired:
            return False
    return done.returncode in (0, 5)
