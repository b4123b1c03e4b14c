"""Files and folders: what differs, and putting the new in the old one's place, all of it or nothing.

Everything new is brought beside the old first. Then a plan is written, old and new are moved, and the plan is removed,
which is the moment from which the new is there. Whoever finds a plan finds a swap that was cut short, by a kill or a
power failure, and moves everything back; that can be cut short, too, and done again.
"""

import contextlib
import json
import os
import shutil
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path

WORKSHOP = ".regenerating"
"""The folder, beside spec/ and generated/, in which they are swapped. Moving is atomic only within a file system."""


def files(folder: Path) -> dict[str, bytes]:
    """Read every file below a folder, by its path in it."""
    found = [it for it in sorted(folder.rglob("*")) if it.is_file() and "__pycache__" not in it.parts]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def differences(old: Mapping[str, object], new: Mapping[str, object]) -> dict[str, str]:
    """Say of every file, or whatever else has a name, how it differs if it does."""
    found = [name for name in sorted({*old, *new}) if old.get(name) != new.get(name)]
    return {it: "added" if it not in old else "removed" if it not in new else "changed" for it in found}


def is_cut_short(root: Path) -> bool:
    """Return whether an earlier swap was cut short, so that old and new are mixed."""
    return _plan(root).exists()


def swap(root: Path, coming: Mapping[str, Path | None]) -> None:
    """Put files and folders in the place of those below `root`, all of them or none.

    Args:
        root: The folder that holds them.
        coming: What comes, by the path below `root`; None where something is only removed.
    """
    workshop = root / WORKSHOP
    with _alone(root):
        undo(root)
        try:
            for name, source in coming.items():
                for folder in ("new", "old"):
                    (workshop / folder / name).parent.mkdir(parents=True, exist_ok=True)
                if source is not None:
                    copy = shutil.copytree if source.is_dir() else shutil.copyfile
                    copy(source, workshop / "new" / name)
            with undisturbed():
                draft = workshop / "draft"
                plan = {name: (root / name).exists() for name in coming}
                draft.write_text(json.dumps(plan), encoding="utf-8")
                draft.replace(_plan(root))
                for name, source in coming.items():
                    _put(root, name, comes=source is not None)
                _plan(root).unlink()
        finally:
            undo(root)


def restore(root: Path) -> bool:
    """Undo a swap that was cut short, and clear what it left; say whether there was one."""
    if not (root / WORKSHOP).exists():
        return False
    with _alone(root), undisturbed():
        return undo(root)


def undo(root: Path) -> bool:
    """Move everything back that a swap has moved; say whether there was anything to undo."""
    workshop, plan = root / WORKSHOP, _plan(root)
    unfinished = plan.exists()
    if unfinished:
        for name, existed in json.loads(plan.read_text(encoding="utf-8")).items():
            place, old, new = root / name, workshop / "old" / name, workshop / "new" / name
            if place.exists() and new.exists():
                continue  # it was not moved yet, was moved back already, or somebody has put it back by hand
            if place.exists() and (old.exists() or not existed):
                place.rename(new)
            if old.exists():
                old.rename(place)
        plan.unlink()
    shutil.rmtree(workshop, ignore_errors=True)
    return unfinished


def _plan(root: Path) -> Path:
    return root / WORKSHOP / "plan.json"


def _put(root: Path, name: str, comes: bool) -> None:
    place = root / name
    if place.exists():
        place.rename(root / WORKSHOP / "old" / name)
    if comes:
        (root / WORKSHOP / "new" / name).rename(place)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Take no notice of Ctrl-C or a request to end: they come too late, and this is over in milliseconds."""
    with contextlib.ExitStack() as restored:
        for number in (signal.SIGINT, signal.SIGTERM):
            # Signals can be looked after in the main thread only; elsewhere none disturbs.
            with contextlib.suppress(ValueError):
                restored.callback(signal.signal, number, signal.signal(number, signal.SIG_IGN))
        yield


@contextlib.contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Let no other run move anything meanwhile; where a folder cannot be locked, people have to take turns."""
    with contextlib.ExitStack() as held:
        with contextlib.suppress(ImportError):
            import fcntl

            folder = os.open(root, os.O_RDONLY)
            held.callback(os.close, folder)
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
