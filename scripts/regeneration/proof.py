"""The gate: a generated client is put in place only if it passes mypy --strict and does what its document says."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from scripts.regeneration import RegenerationError, trial
from scripts.regeneration.documents import Document, shorten
from scripts.regeneration.operations import Operations
from scripts.regeneration.samples import class_trials, operation_trials
from scripts.regeneration.sources import Package
from scripts.regeneration.type_check import parsed, run

_MOST = 10
_REPLAYED = ("tests/recorded", "tests/contract/test_examples_in_the_sdk.py")


def prove(fresh: Path, documents: Mapping[Package, Document], scratch: Path) -> None:
    """Try a candidate.

    Args:
        fresh: The folder that holds it.
        documents: What its packages are made from.
        scratch: A folder to work in.

    Raises:
        RegenerationError: It does not work; the message says what, and where that is in the document.
    """
    trials: list[dict[str, Any]] = []
    places: dict[str, str] = {}
    for package, document in documents.items():
        api, folder = Operations(document), package.folder
        found = [*class_trials(api), *operation_trials(api)]
        trials += [{**each, "package": folder.replace("/", ".")} for each in found]
        places |= {f"{folder}/models/{it.module}.py": it.pointer for it in api.schemas.classes.values()}
        places |= {f"{folder}/api/{it.tag}/{it.name}.py": it.pointer for it in api.found}
    for file in sorted(fresh.rglob("*.py")):
        path = file.relative_to(fresh).as_posix()
        name = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        trials.append({"import": name, "place": places.get(path, "")})
    problems = [*find_type_problems(fresh, places), *try_out(fresh, trials, scratch)]
    if problems:
        more = [f"… and {len(problems) - _MOST} more."] if len(problems) > _MOST else []
        said = ["The client that the document gives does not work:", *problems[:_MOST], *more]
        raise RegenerationError("\n".join(said))


def find_type_problems(fresh: Path, places: Mapping[str, str]) -> Iterator[str]:
    """Check the candidate's types."""
    cache = os.environ.get("MYPY_CACHE_DIR") or fresh.parent / ".mypy_cache"
    options = ["--strict", "--output", "json", "--config-file", str(Path(__file__).with_suffix(".ini"))]
    options += ["--cache-dir", str(cache)]
    done = run(["-m", "mypy", *options, "payman_api"], fresh, fresh)
    found = parsed(done.stdout)
    for fault in found:
        yield f"{fault.file}: {shorten(fault.message)} (at #{places.get(fault.file, '')})"
    if done.returncode > 1 or (done.returncode and not found):
        yield f"Its types cannot be checked: {shorten(done.stderr or done.stdout)}"


def try_out(fresh: Path, trials: list[dict[str, Any]], scratch: Path) -> Iterator[str]:
    """Use the candidate."""
    given = scratch / "trials.json"
    given.write_text(json.dumps(trials), encoding="utf-8")
    done = run([str(Path(trial.__file__)), str(given)], fresh, scratch)
    for line in done.stdout.splitlines():
        found = json.loads(line)
        yield f"{found['what']}: {shorten(found['said'], 400)} (at #{found['place']})"
    if done.returncode:
        yield f"It cannot be used: {shorten(done.stderr, 600)}"


def replay(root: Path, fresh: Path) -> None:
    """Play the cassettes and the contract's examples against the SDK with the candidate in the place of its client.

    Raises:
        RegenerationError: One of them does not play.
    """
    tests = [name for name in _REPLAYED if (root / name).exists()]
    if not tests:
        return
    options = ["-q", "-x", "-p", "no:cacheprovider", "--no-header"]
    done = run(["-m", "pytest", *options, *tests], f"{fresh}{os.pathsep}{root}", root)
    if done.returncode:
        failures = (line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR")))
        said = shorten(next(failures, done.stdout + done.stderr), 400)
        raise RegenerationError(f"The client that the document gives does not play what was recorded: {said}")
