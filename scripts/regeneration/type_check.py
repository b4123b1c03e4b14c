"""Checking the types of `payman_sdk` against a client that is not in its place yet."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

# The SDK is installed editable. What the client to come does not have any more, mypy would find in the client at hand.
_MYPY = """
import sys
from pathlib import Path
from mypy.__main__ import console_entry
sys.path[:] = [folder for folder in sys.path if not any((Path(folder) / name).is_dir() for name in ("payman_api", "payman_sdk"))]
console_entry()
"""


class Fault(NamedTuple):
    """A line that does not fit the client."""

    file: str
    line: int
    message: str
    code: str = ""

    def __str__(self) -> str:
        """One line of a report."""
        return f"{self.file}:{self.line}: {self.message}" + (f" [{self.code}]" if self.code else "")


def new_type_faults(root: Path, present: Path, fresh: Path, scratch: Path) -> list[Fault]:
    """Say which lines of `payman_sdk` do not fit the fresh client, and do fit the present one.

    What the type checker remembers of the client to come must not get into what it knows of the client at hand: a module
    that it once did not find it goes on missing. So there is a memory for each set of modules, and the client to come is
    looked at with a copy, which is thrown away.

    Args:
        root: The folder with `payman_sdk` and the settings of the type checker.
        present: The folder with the client at hand.
        fresh: The folder with the client to come.
        scratch: A folder to work in.
    """
    memories = Path(os.environ.get("MYPY_CACHE_DIR") or root / ".mypy_cache")
    cache = memories / f"regeneration-{_modules(present)}"
    before = type_faults(root, present, scratch / "before", cache)
    if cache.is_dir():
        shutil.copytree(cache, scratch / "cache")
    after = type_faults(root, fresh, scratch / "after", scratch / "cache")
    return sorted({*after} - {fault for fault in before if fault.line})


def _modules(generated: Path) -> str:
    names = sorted(path.relative_to(generated).as_posix() for path in generated.rglob("*.py"))
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:12]


def type_faults(root: Path, generated: Path, view: Path, cache: Path) -> list[Fault]:
    """Check the types of `payman_sdk` against a client that lies in another folder.

    The type checker is shown a folder in which everything is where it should be, so the work tree is not touched.

    Args:
        root: The folder with `payman_sdk` and the settings of the type checker.
        generated: The folder with the client.
        view: The folder that the type checker is shown; it does not exist yet.
        cache: Where the type checker remembers what it has seen.
    """
    view.mkdir()
    (view / "generated").symlink_to(generated)
    for name in ("payman_sdk", "pyproject.toml"):
        (view / name).symlink_to(root / name)
    arguments = ["-c", _MYPY, "--output", "json", "payman_sdk", "generated/payman_api"]
    done = run(arguments, "", view, MYPY_CACHE_DIR=str(cache), MYPYPATH="")
    found = parsed(done.stdout)
    # 1 is for errors; at more than 1 it has given up, at a syntax error for instance, and has not looked at the rest.
    if done.returncode > 1 or (done.returncode and not found):
        said = str(found[0]) if found else (done.stderr or done.stdout).strip()
        found.append(Fault("payman_sdk", 0, f"its types could not be checked: {said}"))
    return found


def run(
    arguments: list[str], path: Path | str, folder: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder, with a certain path."""
    known = {**os.environ, **environment, "PYTHONPATH": str(path), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-P", *arguments]
    return subprocess.run(command, cwd=folder, env=known, capture_output=True, text=True, check=False)


def parsed(output: str) -> list[Fault]:
    """Read what `mypy --output json` says: an object a line, of which notes are no errors."""
    said = (json.loads(line) for line in output.splitlines() if line.startswith("{"))
    errors = [(it, it["message"].partition("\n")[0]) for it in said if it["severity"] == "error"]
    return [Fault(it["file"], it["line"], message, it["code"] or "") for it, message in errors]
