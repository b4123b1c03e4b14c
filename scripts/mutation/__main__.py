"""Try the mutants of what guards the money, and say which survive."""

from __future__ import annotations

import argparse
import os
import random
import sys
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from attrs import frozen

from scripts.mutation.mutants import Mutant, find_mutants
from scripts.mutation.trial import measure, survives

_ROOT: Final = Path(__file__).parents[2]
_CORE: Final = _ROOT / "payman_sdk" / "_core"
_EXPLAINED: Final = Path(__file__).with_name("survivors.txt")
_LEAST: Final = 90

_MODULES: Final = ("send", "http", "retry", "reconciliation", "stream", "accumulator", "sse", "auth")

_NOTICING: Final = (
    *("tests/test_types_in_frameworks.py", "tests/auth", "tests/payments", "tests/streaming", "tests/tasks"),
    *("tests/telemetry", "tests/test_after_sending.py", "tests/test_async.py", "tests/test_config.py"),
    *("tests/test_core_values.py", "tests/test_dropped_streams.py", "tests/test_redaction.py"),
    "tests/test_responses.py",
)
"""The tests among which those are chosen that execute the line of a mutant; all of them for what only an import executes."""


@frozen
class Trial:
    """A mutant, where it belongs, and how it is named where survivors are explained."""

    module: str
    path: Path
    mutant: Mutant

    def __str__(self) -> str:
        return f"{self.path.relative_to(_ROOT)}:{self.mutant}"

    def key(self) -> str:
        """Name the mutant without its line, which moves."""
        mutant = self.mutant
        return f"{self.path.relative_to(_CORE)} {mutant.statement} | {mutant.before}  ->  {mutant.after}"


def find_trials(names: Iterable[str]) -> list[Trial]:
    """Make the mutants of modules of the core, of all of a package where a name is one."""
    trials: list[Trial] = []
    for name in names:
        found = sorted((_CORE / name).glob("*.py")) if (_CORE / name).is_dir() else [_CORE / f"{name}.py"]
        for path in found:
            module = ".".join(path.relative_to(_ROOT).with_suffix("").parts)
            trials += [Trial(module, path, one) for one in find_mutants(path.read_text(encoding="utf-8"))]
    return trials


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="scripts/mutate", description=__doc__)
    parser.add_argument("modules", nargs="*", default=_MODULES, help="modules of payman_sdk/_core")
    parser.add_argument("--sample", type=int, help="so many mutants of each module, chosen by chance")
    parser.add_argument("--seed", type=int, default=1, help="of the chance")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()

    os.chdir(_ROOT)
    trials: list[Trial] = []
    for name in given.modules:
        found = find_trials([name])
        if given.sample is not None:
            found = random.Random(given.seed).sample(  # noqa: S311 (no secret)
                found, min(given.sample, len(found))
            )
        trials += found
    explained = set(_EXPLAINED.read_text(encoding="utf-8").splitlines())
    tried = [trial for trial in trials if trial.key() not in explained]
    covering = measure(_ROOT, _CORE, _NOTICING)

    def has_survived(trial: Trial) -> bool:
        by_line = covering.get(str(trial.path), {})
        tests = dict.fromkeys(test for line in trial.mutant.lines for test in by_line.get(line, ()))
        return survives(_ROOT, trial.module, trial.mutant.build_tree(), [*tests] or _NOTICING)

    escaped: list[Trial] = []
    with ThreadPoolExecutor(given.jobs) as pool:
        for trial, survived in zip(tried, pool.map(has_survived, tried), strict=True):
            if survived:
                escaped.append(trial)
                print(f"survived  {trial}", flush=True)
    open_ends = Counter(trial.path for trial in escaped)
    every = Counter(trial.path for trial in trials)
    for path, count in every.items():
        print(
            f"{path.relative_to(_ROOT)!s:48} {count - open_ends[path]:5} of {count:5} mutants noticed or explained"
        )
    share = 100 * (1 - open_ends.total() / max(1, len(trials)))
    print(f"{share:.1f} % of {len(trials)} mutants noticed or explained; at least {_LEAST} % are wanted")
    return int(share < _LEAST)


if __name__ == "__main__":
    sys.exit(main())
