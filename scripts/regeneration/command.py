"""Write generated/ anew from spec/, and say what the change means.

Exit status: 0 done, or a check found the same API; 1 a check found another one; 2 it could not be done, and nothing was
changed; 130 interrupted.
"""

import argparse
import contextlib
import os
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.regeneration import RegenerationError, folders, reporting
from scripts.regeneration.sources import PRIMARY
from scripts.regeneration.work import prepare

DIFFERENT, FAILED, INTERRUPTED = 1, 2, 130
_WORDS = {"added": "is missing", "removed": "is not from the spec", "changed": "is not what the spec gives"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Regenerate, or check; give the exit status."""
    options = _parser().parse_args(arguments)
    try:
        found = _run(options)
    except KeyboardInterrupt:
        print("scripts/regenerate: interrupted.\nNothing was changed.", file=sys.stderr)
        return INTERRUPTED
    except (RegenerationError, OSError) as error:
        print(f"scripts/regenerate: {error}\nNothing was changed.", file=sys.stderr)
        return FAILED
    except Exception:  # a mistake of this program's; whoever mends it needs to see where
        traceback.print_exc()
        print("scripts/regenerate: stopped by a mistake of its own.\nNothing was changed.", file=sys.stderr)
        return FAILED
    # From here on everything is in its place, whatever becomes of who reads this.
    if options.check and not _is_thorough(options):
        return _verdict(found.files)
    for line in reporting.terminal(found):
        print(line)
    return DIFFERENT if options.check and reporting.is_different(found) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/regenerate", description=__doc__)
    what = "change nothing; fail if generated/ is not what spec/, or the document given by --from, makes it"
    parser.add_argument("--check", action="store_true", help=what)
    what = "take this API document (YAML or JSON), corrected by spec/overlays/, in place of the one in spec/"
    parser.add_argument("--from", dest="source", metavar="FILE_OR_URL", help=what)
    what = "which document --from takes the place of: spec/NAME.openapi.yaml (default: %(default)s)"
    parser.add_argument("--document", default=PRIMARY, metavar="NAME", help=what)
    what = "write what has changed, and what it means, as Markdown, too"
    parser.add_argument("--report", type=Path, metavar="FILE", help=what)
    root, what = Path(__file__).parents[2], "the folder that holds spec/, generated/ and payman_sdk/"
    parser.add_argument("--root", type=Path, default=root, help=what)
    return parser


def _is_thorough(options: argparse.Namespace) -> bool:
    # A plain check is a question of yes or no, asked for every submission.
    return not options.check or options.source is not None or options.report is not None


def _run(options: argparse.Namespace) -> reporting.Findings:
    root, report = options.root.resolve(), options.report
    if report is not None and not (report.parent.is_dir() and not report.is_dir()):
        raise RegenerationError(f"{report} cannot be written: it is a folder, or is in none.")
    if options.document != PRIMARY and options.source is None:
        raise RegenerationError("--document says which document --from takes the place of; give --from, too.")
    cut_short = "an earlier run was cut short"
    if options.check and folders.is_cut_short(root):
        raise RegenerationError(f"{cut_short}; run scripts/regenerate, which puts everything back first.")
    if not options.check and folders.restore(root):
        print(f"scripts/regenerate: {cut_short}; everything is back as it was.", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="payman-") as scratch, contextlib.ExitStack() as unfinished:
        found, coming = prepare(root, Path(scratch), options.source, _is_thorough(options), options.document)
        # Beside its place, so that if it cannot be written nothing is done, and if nothing is done there is none.
        draft = None if report is None else report.with_name(f".{report.name}.{os.getpid()}")
        if draft is not None:
            unfinished.callback(draft.unlink, missing_ok=True)
            draft.write_text(reporting.markdown(found), encoding="utf-8")
        with folders.undisturbed():
            if not options.check and coming:
                folders.swap(root, coming)
            if draft is not None:
                draft.replace(report)
    return found


def _verdict(found: Mapping[str, str]) -> int:
    """Name every file that differs; give the exit status of a check."""
    for name, kind in found.items():
        print(f"{name} {_WORDS[kind]}", file=sys.stderr)
    if found:
        print("Run scripts/regenerate.", file=sys.stderr)
    return DIFFERENT if found else 0
