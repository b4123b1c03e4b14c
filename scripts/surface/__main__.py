"""Check tests/public_api.txt and tests/payman_api.txt against the code, the first against the last release too, or write them anew."""

import argparse
import os
import sys
from collections.abc import Iterable
from difflib import ndiff
from pathlib import Path

from scripts.regeneration.folders import files
from scripts.regeneration.names import names
from scripts.surface.comparing import breakages
from scripts.surface.facts import Fact
from scripts.surface.history import Baseline, NoBaselineError, baseline, next_version
from scripts.surface.reading import UnreadableError, facts_of

RECORD = "python -m scripts.surface --record"
FILE, GENERATED = "tests/public_api.txt", "tests/payman_api.txt"
_AT_MOST = 30
_SHALLOW_BY_DEFAULT = ("GITHUB_ACTIONS", "GITLAB_CI")


def main(arguments: list[str] | None = None) -> int:
    """Checks or records; gives the exit status: 0 fine, 1 something is to be done, 2 nothing could be said."""
    parser = argparse.ArgumentParser(prog="python -m scripts.surface", description=__doc__)
    what = f"write {FILE} anew; what breaks is checked all the same"
    parser.add_argument("--record", action="store_true", help=what)
    here = Path(__file__).parents[2]
    parser.add_argument("--root", type=Path, default=here, help="the folder that holds payman_sdk/")
    options = parser.parse_args(arguments)
    root: Path = options.root
    try:
        facts = facts_of(root)
    except UnreadableError as error:
        _warn(f"scripts.surface: {error}")
        return 2
    own = (str(fact) for fact in facts if not fact.home)
    records = {FILE: _write_lines("What users of payman_sdk may rely on, one fact a line", own)}
    if (root / "generated").is_dir():  # its names as `scripts/regenerate` compares them
        found = (f"{name}: {what}" for name, what in sorted(names(files(root / "generated")).items()))
        records[GENERATED] = _write_lines("The public names of payman_api, one a line", found)
    for name, text in records.items() if options.record else ():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    differing = [name for name, text in records.items() if not _is_up_to_date(root / name, name, text)]
    try:
        before = baseline(root)
    except NoBaselineError as reason:
        print(f"Nothing to compare the public surface with: {reason}.")
        return 1 if differing else 0
    if not _is_enough(before):
        return 2
    return 0 if _is_announced(root, before, facts) and not differing else 1


def _write_lines(what: str, lines: Iterable[str]) -> str:
    """The text of a record."""
    return f"# {what}. Written by `{RECORD}`.\n" + "".join(f"{line}\n" for line in lines)


def _is_enough(before: Baseline) -> bool:
    """Says what is compared with, and whether that will do.

    Where every check begins with a clone that has no history by default, and could be told to fetch it, everything would pass.
    """
    is_refused = before.is_shallow and any(os.environ.get(name) == "true" for name in _SHALLOW_BY_DEFAULT)
    what = "not compared with anything" if is_refused else f"compared with {before.name}"
    shallow = ": this clone is shallow, so releases may be missing. Get them: git fetch --tags --unshallow"
    _warn(f"scripts.surface: {what}{shallow if before.is_shallow else '.'}")
    return not is_refused


def _is_up_to_date(file: Path, name: str, text: str) -> bool:
    """Says what is different between record and code."""
    recorded = file.read_text(encoding="utf-8") if file.exists() else ""
    if recorded == text:
        return True
    differences = ndiff(recorded.splitlines(), text.splitlines())
    changes = [line for line in differences if line.startswith(("-", "+"))]
    rest = [f"… and {len(changes) - _AT_MOST} more"] if len(changes) > _AT_MOST else []
    _warn(f"{name} is not what the code says:", *changes[:_AT_MOST], *rest)
    _warn(f"If that is meant, run `{RECORD}` and commit {name}.")
    return False


def _is_announced(root: Path, before: Baseline, facts: list[Fact]) -> bool:
    """Says what breaks, and whether the changelog announces a version that may."""
    broken = breakages(before.facts, facts)
    if not broken:
        return True
    changelog = root / "CHANGELOG.md"
    coming = next_version(changelog.read_text(encoding="utf-8") if changelog.exists() else "")
    was, is_next = (".".join(map(str, it)) if it else "no version" for it in (before.version, coming))
    major = before.version[0] + 1
    if coming and coming[0] >= major:
        print(f"Since {before.name} this breaks, as {is_next} may:", *broken, sep="\n  ")
        return True
    _warn(f"Programs written for {was} break; compared with {before.name}:", *broken)
    advice = "Keep what was there, perhaps beside the new, or announce a major version"
    _warn(f"CHANGELOG.md announces {is_next}. {advice}: ## [Unreleased]: {major}.0.0")
    return False


def _warn(text: str, *items: object) -> None:
    """Print a text to standard error, and each item in a line below it."""
    print(text, *items, sep="\n  ", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
