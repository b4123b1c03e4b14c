"""Files and folders that only their owner can read, replace or redirect.

Modes and owners mean something on POSIX only; elsewhere nothing is checked.
"""

import contextlib
import errno
import os
import secrets
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar

from payman_sdk._io.clock import monotonic
from payman_sdk._io.forks import get_fork_lock
from payman_sdk._refusals import build_missing_error, refuse
from payman_sdk.errors import ConfigurationError


def find_user_folder(kind: Literal["config", "state"]) -> Path:
    """Return the user's folder for settings and tokens (`config`), or for records (`state`); raises ConfigurationError."""
    try:
        import platformdirs
    except ImportError as error:
        raise build_missing_error("Storing files in the user's folders needs platformdirs", "file") from error
    find = platformdirs.user_config_path if kind == "config" else platformdirs.user_state_path
    try:
        folder = find("payman", appauthor=False)
    except RuntimeError:  # older versions return a path that begins with ~ instead
        folder = Path("~")
    if not folder.is_absolute():
        raise ConfigurationError(
            "This user has no home folder for files.",
            next_step=f"Set HOME or XDG_{kind.upper()}_HOME to a folder of this user's, or name a file.",
        )
    return folder


T = TypeVar("T")

_POSIX = os.name == "posix"
_IN_USE_SECONDS = 2.0
_MOST_LINKS = 40
"""How many links a path may have; kernels have the same limit."""
_BESIDE_A_DATABASE = ("-wal", "-shm", "-journal")
"""The files that SQLite writes beside a database, with the same content."""


class PathProblem(NamedTuple):
    """Why a path is not safe to use, and what to do: two sentences, of which the first names the path."""

    problem: str
    fix: str


def find_folder_problem(folder: Path) -> PathProblem | None:
    """Return why another user can replace this folder, its content or one above it; None if nobody can. Raises OSError."""
    if not _POSIX:
        return None
    passed = list(_iter_passages(folder))
    found = (_find_passage_problem(*one, is_strict=one is passed[-1] and folder.exists()) for one in passed)
    return next(filter(None, found), None)


def make_folder(folder: Path) -> None:
    """Make a folder and its missing parents with mode 0700; raises OSError."""
    missing = [folder]
    while not missing[-1].parent.exists() and missing[-1].parent != missing[-1]:
        missing.append(missing[-1].parent)
    for one in reversed(missing):
        with contextlib.suppress(FileExistsError):
            one.mkdir(mode=0o700)
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))


def wait_while_in_use(action: Callable[[], T]) -> T:
    """Open, replace or remove a file. Windows refuses that while it is open elsewhere, so try again for two seconds."""
    end = monotonic() + _IN_USE_SECONDS
    while True:
        try:
            return action()
        except PermissionError:
            if _POSIX or monotonic() > end:
                raise
        time.sleep(0.002)


def read_file_path(path: str | os.PathLike[str] | None) -> Path:
    """Return the path of a file that a program gave, which stays that file wherever the program goes; raises ConfigurationError."""
    if not isinstance(path, str | os.PathLike) or not Path(path).name or "\0" in str(path):
        refuse("path", "is not a file", "Give the path of a file.")
    return make_absolute(path, "path")


def make_absolute(path: str | os.PathLike[str], name: str) -> Path:
    """Return a path as it is seen from the working directory of now; raises ConfigurationError."""
    try:
        return Path(path).absolute()
    except OSError:
        refuse(name, "is relative, and the working directory is gone", "Give an absolute path.")


def check_plain_name(value: object, name: str) -> str:
    """Return a name that is a part of a file's name; raises ConfigurationError."""
    given = value if isinstance(value, str) and value.isprintable() else ""
    if given[:1] in ("", ".") or given != Path(given).name:
        refuse(name, f"is {value!r}"[:200], "Give a plain name, such as 'default'.")
    return given


def replace_file(path: Path, text: str) -> None:
    """Replace a file with a text, mode 0600; it is on the disk when this returns. After OSError, the file is unchanged."""
    new = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        wait_while_in_use(lambda: new.replace(path))
    except OSError:
        with contextlib.suppress(OSError):
            new.unlink(missing_ok=True)
        raise


def find_file_problem(path: Path, *, is_private: bool = False) -> PathProblem | None:
    """Return why a file is not an ordinary file of this user, or, with `is_private`, others can write it. Raises OSError."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    if stat.S_ISLNK(status.st_mode):
        return PathProblem(f"{path} is a link.", "Replace it with a file of your own, or delete it.")
    if not stat.S_ISREG(status.st_mode):
        return PathProblem(f"{path} is not an ordinary file.", "Delete it, or use another path.")
    if not _POSIX:
        return None
    if status.st_uid != os.geteuid():
        return PathProblem(
            f"{path} belongs to another user (uid {status.st_uid}).", "Delete it, or use another path."
        )
    if is_private and status.st_mode & 0o022:
        return PathProblem(
            f"Others can write to {path} (mode {stat.S_IMODE(status.st_mode):04o}).",
            f"If you trust what is in it, run chmod 600 {path}; otherwise delete it.",
        )
    return None


def make_private_database(path: Path, *, takes_over: bool) -> PathProblem | None:
    """Create an SQLite database with mode 0600, or remove the rights of others; likewise for the files beside it.

    An existing file is never opened: closing it would release the locks that SQLite holds on it in this process. Its folder exists.
    `takes_over` accepts a file that others could write until now. Returns why it is not safe to use, or None. Raises OSError.
    """
    with get_fork_lock(), contextlib.suppress(FileExistsError):
        flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_NOFOLLOW", 0)
        os.close(os.open(path, flags, 0o600))
    for file in (path, *(path.with_name(path.name + ending) for ending in _BESIDE_A_DATABASE)):
        if problem := find_file_problem(file, is_private=not takes_over) or _restrict_mode(file):
            return problem
    return None


def prepare_private_database(path: Path) -> PathProblem | None:
    """Make the folder of a database, and its file as `make_private_database` does; a file that others could write is a problem."""
    make_folder(path.parent)
    return find_folder_problem(path.parent) or make_private_database(path, takes_over=False)


def _restrict_mode(file: Path) -> PathProblem | None:
    if not _POSIX:
        return None
    with contextlib.suppress(FileNotFoundError):
        mode = stat.S_IMODE(file.lstat().st_mode)
        if mode & 0o077:
            file.chmod(mode & 0o700)
            if file.lstat().st_mode & 0o077:  # file systems without modes
                return PathProblem(
                    f"Others can read {file} (mode {mode:04o}), and its file system keeps no other mode.",
                    "Use a folder on another file system.",
                )
    return None


def _iter_passages(folder: Path, links: int = 0) -> Iterator[tuple[Path, os.stat_result]]:
    """Yield the folders and links on a path from the root, as the kernel follows it; some again after a link."""
    path = Path.cwd() / folder
    for written in (*reversed(path.parents), path):
        # The last part alone can be a link: others would have been followed.
        step = Path(os.path.normpath(written))
        try:
            status = step.lstat()
        except FileNotFoundError:
            return
        yield step, status
        if stat.S_ISLNK(status.st_mode):
            if links == _MOST_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(step))
            target = step.parent / step.readlink()
            yield from _iter_passages(target / path.relative_to(written), links + 1)
            return


def _find_passage_problem(place: Path, status: os.stat_result, *, is_strict: bool) -> PathProblem | None:
    kind = "link" if stat.S_ISLNK(status.st_mode) else "folder"
    if status.st_uid not in {0, os.geteuid()}:
        return PathProblem(
            f"The {kind} {place} belongs to another user (uid {status.st_uid}), who can replace what is below it.",
            "Use a folder that is yours, and in folders that are yours.",
        )
    mode = stat.S_IMODE(status.st_mode)
    if kind == "link" or mode & stat.S_ISVTX or not mode & 0o022:
        return None
    if not is_strict and not mode & 0o002 and _is_exclusive_group(status):
        return None
    return PathProblem(
        f"Others can write into the folder {place} (mode {mode:04o}).",
        f"Run chmod {'700' if is_strict else 'go-w'} {place}, or use another folder.",
    )


def _is_exclusive_group(status: os.stat_result) -> bool:
    """Whether the group of a folder is the private group of its owner, which many systems create."""
    if status.st_gid == status.st_uid:
        return True
    import grp
    import pwd

    try:
        return grp.getgrgid(status.st_gid).gr_name == pwd.getpwuid(status.st_uid).pw_name
    except KeyError:
        return False
