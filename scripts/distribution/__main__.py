"""`scripts/release`: builds a release, describes it, and says whether it is ready. It uploads nothing."""

from __future__ import annotations

import argparse
import datetime as dt
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from scripts.distribution.build import Checkout, IrreproducibleError, build, describe, digest
from scripts.distribution.readiness import problems, read_project

ROOT = Path(__file__).parents[2]
_READY, _FAILED, _NOT_READY = 0, 1, 2


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Make the files of a release; returns 0, 1 if that failed, 2 if they were to be written and the checkout is not ready."""
    parser = argparse.ArgumentParser(prog="scripts/release", description=__doc__)
    what = "build in a folder that is removed, and only say what keeps a release back (default)"
    parser.add_argument("--dry-run", action=argparse.BooleanOptionalAction, default=True, help=what)
    parser.add_argument("--out", type=Path, default=root / "dist", help="where to write (default: dist/)")
    parser.add_argument("--cyclonedx", type=Path, required=True, help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    checkout = Checkout(root)
    unready = list(problems(checkout, dt.datetime.now(dt.UTC).date()))
    for problem in unready:
        print(f"not ready: {problem}")
    if unready and not chosen.dry_run:
        return _NOT_READY
    try:
        with tempfile.TemporaryDirectory() as folder:
            return _make(checkout, Path(folder) if chosen.dry_run else chosen.out, chosen.cyclonedx)
    except IrreproducibleError as error:
        print(f"scripts/release: {error}", file=sys.stderr)
    except subprocess.CalledProcessError as error:
        print(f"scripts/release: {error}\n{(error.stderr or b'').decode(errors='replace')}", file=sys.stderr)
    return _FAILED


def _make(checkout: Checkout, folder: Path, cyclonedx: Path) -> int:
    files = build(checkout, folder)
    files += describe(checkout, read_project(checkout.root), files, cyclonedx)
    sums = "".join(f"{digest(file)}  {file.name}\n" for file in files)
    (folder / "SHA256SUMS").write_text(sums, "utf-8")
    print(sums, end="")
    return _READY


if __name__ == "__main__":
    sys.exit(main())
