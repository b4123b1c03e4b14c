"""Try the mutants of what guards the money, and say which survive.

mutmut makes and tries them, by its settings in pyproject.toml, in `mutants/`: `mutmut show` and `mutmut browse` read that afterwards.
It mutates what functions do. It leaves out constants of modules and classes, functions with decorators such as properties, and
lines with a text of several words.
"""

import argparse
import os
import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
SURVIVORS: Final = Path(__file__).with_name("survivors.txt")
_MODULES: Final = ("send", "http", "retry", "reconciliation", "stream", "accumulator", "sse", "auth")
MUTMUT: Final = Path(sys.executable).with_name("mutmut")
_NOTICED: Final = {"killed", "timeout", "segfault", "suspicious"}
_LEAST: Final = 90


def try_mutants(root: Path, patterns: Sequence[str], jobs: int) -> dict[str, str]:
    """Make the mutants of a project anew, try those whose names match, and return how each fared.

    Raises:
        subprocess.CalledProcessError: The tests fail without a mutant, or no name matches.
    """
    shutil.rmtree(root / "mutants", ignore_errors=True)
    subprocess.run([MUTMUT, "run", "--max-children", str(jobs), *patterns], cwd=root, check=True)
    results = re.findall(r"^ +(\S+): (.+)$", _read(root, "results", "--all", "true"), re.MULTILINE)
    return {name: status for name, status in results if status != "not checked"}


def describe_mutant(root: Path, name: str) -> str:
    """Return the function of a mutant, and what is changed there; its number would move with the code."""
    changes = re.findall(r"^([-+])(?!--|\+\+)\s*(.*)$", _read(root, "show", name), re.MULTILINE)
    old, new = (" ".join(line for sign, line in changes if sign == wanted) for wanted in "-+")
    function = re.sub(r"\bx[_ǁ]|__mutmut_\d+$", "", name).replace("ǁ", ".")
    return f"{function}: {old}  ->  {new}"


def _read(root: Path, *arguments: str) -> str:
    return subprocess.check_output([MUTMUT, *arguments], cwd=root, encoding="utf-8")


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="scripts/mutate", description=__doc__)
    parser.add_argument("modules", nargs="*", default=_MODULES, help="modules of payman_sdk/_core")
    parser.add_argument("--tenths", type=int, default=10, help="of the mutants, chosen by chance")
    parser.add_argument("--seed", type=int, default=1, help="of the chance")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args(arguments)

    # Names end in the number of the mutant.
    last_digits = random.Random(given.seed).sample("0123456789", given.tenths)  # noqa: S311 (no secret)
    patterns = [f"payman_sdk._core.{name}.*[{''.join(last_digits)}]" for name in given.modules]
    explained = SURVIVORS.read_text(encoding="utf-8").splitlines()
    every, open_ends = Counter[str](), Counter[str]()
    for name, status in try_mutants(root, patterns, given.jobs).items():
        module = name.rpartition(".")[0]
        every[module] += 1
        if status not in _NOTICED and (described := describe_mutant(root, name)) not in explained:
            open_ends[module] += 1
            print(f"{status}  {described}", f"# mutmut show {name}", sep="\n")
    for module, count in every.items():
        print(f"{module:48} {count - open_ends[module]:5} of {count:5} mutants noticed or explained")
    share = 100 * (1 - open_ends.total() / max(1, every.total()))
    print(f"{share:.1f} % of {every.total()} mutants noticed or explained; at least {_LEAST} % are wanted")
    return int(share < _LEAST)


if __name__ == "__main__":
    sys.exit(main())
