"""Try the mutants of what guards the money, and say which survive."""

from __future__ import annotations

import argparse
import importlib
import os
import random
import sys
import tomllib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from scripts.mutation.mutants import CORE, ROOT, Mutant, find_mutants
from scripts.mutation.session import QUIETLY, Session, begin_trial, call_in_child, has_survived

_EXPLAINED: Final = Path(__file__).with_name("survivors.txt")
_LEAST: Final = 90

_MODULES: Final = ("send", "http", "retry", "reconciliation", "stream", "accumulator", "sse", "auth")

_TESTS: Final[dict[str, list[str]]] = tomllib.loads(
    Path(__file__).with_name("tests.toml").read_text(encoding="utf-8")
)
"""The tests that notice mutants, the quickest of them, and the modules that every trial needs."""


def find_trials(name: str) -> list[Mutant]:
    """Make the mutants of a module of the core, or of all modules of a package."""
    found = sorted((CORE / name).glob("*.py")) if (CORE / name).is_dir() else [CORE / f"{name}.py"]
    return [mutant for path in found for mutant in find_mutants(path.read_text(encoding="utf-8"), path)]


Begin = Callable[[Mutant], int | None]


def run_trials(trials: list[Mutant], jobs: int, begin: Begin) -> tuple[list[int], list[int]]:
    """Try mutants, so many at once; give the numbers of those that survived, and of those that could not be tried."""
    left, running = list(reversed(range(len(trials)))), dict[int, int]()
    survived, untried = list[int](), list[int]()
    while left or running:
        while left and len(running) < jobs:
            number = left.pop()
            process = begin(trials[number])
            if process is None:
                untried.append(number)
            else:
                running[process] = number
        if running:
            process, status = os.wait()
            number = running.pop(process)
            if has_survived(status):
                survived.append(number)
                print(f"survived  {trials[number]}", file=sys.__stderr__, flush=True)
    return survived, untried


def run_session(trials: list[Mutant], jobs: int) -> tuple[list[str], list[int], list[int]]:
    """Try mutants in one session of pytest; give tests that fail while they are measured, and what `run_trials` gives."""

    def work(session: Session) -> tuple[list[int], list[int]]:
        return run_trials(trials, jobs, lambda it: session.begin(it.path, it.build_tree(), it.lines))

    session = Session(CORE, work)
    options = [*QUIETLY, "--timeout-method=thread", "--capture=no", "--no-summary"]
    status = pytest.main([*options, *_TESTS["noticing"]], plugins=[session])
    if session.result is None:
        raise RuntimeError(f"pytest tried no mutant; it ended with {status!r}")
    return session.failed, *session.result


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="scripts/mutate", description=__doc__)
    parser.add_argument("modules", nargs="*", default=_MODULES, help="modules of payman_sdk/_core")
    parser.add_argument("--sample", type=int, help="so many mutants of each module, chosen by chance")
    parser.add_argument("--seed", type=int, default=1, help="of the chance")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--list", action="store_true", help="show the mutants, and try none")
    given = parser.parse_args()

    os.chdir(ROOT)
    trials: list[Mutant] = []
    for name in given.modules:
        found = find_trials(name)
        if given.sample is not None and given.sample < len(found):
            found = random.Random(given.seed).sample(found, given.sample)  # noqa: S311 (no secret)
        trials += found
    if given.list:
        print(*trials, sep="\n")
        return 0
    explained = set(_EXPLAINED.read_text(encoding="utf-8").splitlines())
    tried = [trial for trial in trials if trial.key() not in explained]
    for name in _TESTS["preloaded"]:
        importlib.import_module(name)
    failed, survived, untried = call_in_child(lambda: run_session(tried, given.jobs), is_silent=False)
    if failed:
        print("Left out, since they fail while they are measured:", *failed, sep="\n", file=sys.stderr)
    rest = [tried[number] for number in untried]  # what runs when it is imported
    tests = (_TESTS["quickest"], _TESTS["noticing"])
    more, _ = run_trials(rest, given.jobs, lambda it: begin_trial(it.path, it.build_tree(), tests))
    escaped = [*(tried[number] for number in survived), *(rest[number] for number in more)]
    open_ends = Counter(trial.path for trial in escaped)
    every = Counter(trial.path for trial in trials)
    for path, count in every.items():
        print(
            f"{path.relative_to(ROOT)!s:48} {count - open_ends[path]:5} of {count:5} mutants noticed or explained"
        )
    share = 100 * (1 - open_ends.total() / max(1, len(trials)))
    print(f"{share:.1f} % of {len(trials)} mutants noticed or explained; at least {_LEAST} % are wanted")
    return int(share < _LEAST)


if __name__ == "__main__":
    sys.exit(main())
