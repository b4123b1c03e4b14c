"""A token in a file that only its owner can read. Needs the extra `file`."""

import contextlib
import errno
import glob
import io
import os
import stat
import sys
from pathlib import Path

from payman_sdk._core.auth.stored_token import StoredToken
from payman_sdk._core.effects import Lock
from payman_sdk._io import private_files
from payman_sdk._io.locks import LayeredLock, poll
from payman_sdk._refusals import build_missing_error
from payman_sdk._secrets import SecretStr
from payman_sdk.errors import TokenStoreError

try:
    import filelock as filelock
    import platformdirs as platformdirs  # missing, too, where the extra is not installed
except ImportError as error:
    raise build_missing_error(f"FileTokenStore needs {error.name}", "file") from error

_POSIX = os.name == "posix"


def _open_directly(path: str, flags: int) -> int:
    """Open a file without following a link or waiting at a pipe; a new one is its owner's alone."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0), 0o600)


class FileLock(LayeredLock):
    """A `Lock` between processes, on a lock file, and between the threads of each. The file is made if need be, and stays.

    The operating system releases it when its holder dies. It refuses a file system without locks.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        super().__init__()

    def _take_outer(self, timeout: float) -> bool:
        try:
            # The owner of another file could hold the lock for ever.
            if problem := private_files.find_file_problem(self._path):
                raise TokenStoreError(problem.problem, next_step=problem.fix)
            return poll(self._try_outer, timeout, longest_pause=0.01)
        except NotImplementedError:
            raise TokenStoreError(
                f"The file system of {self._path} has no locks.",
                next_step="Use a folder on another file system.",
            ) from None
        except OSError as error:
            raise TokenStoreError(f"The lock {self._path} cannot be taken: {error}.") from error

    if sys.platform != "win32":
        # filelock stores the descriptor of an open file. An interrupt before that would leave the file open and locked for good.
        _file: io.FileIO | None = None

        def __del__(self) -> None:
            self._forget_outer()

        def _try_outer(self) -> bool:
            """Take the lock if it is free. If this process has it already, count it as taken."""
            if self._file is not None:
                return True
            file = io.FileIO(str(self._path), "a+", opener=_open_directly)
            try:
                if self._lock_file(file):
                    self._file = file
            finally:
                if self._file is not file:
                    file.close()  # the traceback of what is raised may keep it
            return self._file is file

        def _drop_outer(self) -> None:
            import fcntl

            try:
                if self._file is not None:
                    # A child that was just forked has the file open, too.
                    fcntl.flock(self._file, fcntl.LOCK_UN)
            finally:
                self._forget_outer()

        def _forget_outer(self) -> None:
            file, self._file = self._file, None
            if file is not None:
                file.close()

        def _lock_file(self, file: io.FileIO) -> bool:
            import fcntl

            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            except OSError as error:
                if error.errno in (errno.ENOSYS, errno.ENOTSUP):
                    raise NotImplementedError from error
                raise
            with contextlib.suppress(FileNotFoundError):
                return os.path.samestat(os.fstat(file.fileno()), os.lstat(self._path))
            return False  # removed in the meantime

    else:

        def _try_outer(self) -> bool:
            with contextlib.suppress(filelock.Timeout):
                self._outer.acquire(blocking=False)
                return True
            return False

        def _drop_outer(self) -> None:
            self._outer.release(force=True)

        def _forget_outer(self) -> None:
            # One object is used from several threads, so it may not remember the one that acquired it.
            self._outer = filelock.FileLock(self._path, thread_local=False, mode=0o600)


class FileTokenStore:
    """Stores a token in a file, for any number of processes on one machine.

    The store writes the file in one step, with mode 0600, in a folder of mode 0700. It refuses a file that is a link, belongs to
    another user or is readable by others. It also refuses any parent folder that another user could replace.

    Args:
        path: The file. The default is `<name>.json` in the user's state folder.
        name: Separates the files of several accounts.

    Raises:
        ConfigurationError: The name is not a plain file name, or the path is missing and the user has no home folder.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None, *, name: str = "default") -> None:
        private_files.check_plain_name(name, "name")
        usual = private_files.find_user_folder("config") / "tokens" / f"{name}.json" if path is None else None
        self.path = usual or private_files.read_file_path(path)
        self._lock: FileLock | None = None

    def load(self) -> StoredToken | None:
        """Return the token in the file, None without a file.

        Raises:
            TokenStoreError: The file is unsafe, damaged or unreadable.
        """
        try:
            self._check_place()
            with private_files.wait_while_in_use(
                lambda: open(self.path, "rb", opener=_open_directly)
            ) as file:
                # Another file may have come to its place since. Modes and owners say nothing on other systems.
                status = os.fstat(file.fileno())
                if _POSIX and (status.st_mode & 0o077 or status.st_uid != os.geteuid()):
                    raise TokenStoreError(
                        f"The token file {self.path} can be read by others (mode {stat.S_IMODE(status.st_mode):04o}).",
                        next_step=f"If you trust what is in it, run chmod 600 {self.path}; otherwise delete it.",
                    )
                content = SecretStr(file.read().decode("utf-8", "replace"))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise TokenStoreError(f"The token file {self.path} cannot be read: {error}.") from error
        return StoredToken.from_json(content, f"The token file {self.path}")

    def save(self, token: StoredToken) -> None:
        """Replace the file in one step. The token is on the disk when this returns.

        Args:
            token: The new token.

        Raises:
            TokenStoreError: The file could not be written. The old file is unchanged.
        """
        try:
            self._make_folder()
            self._remove_unfinished()
            private_files.replace_file(self.path, token.to_json())
            self._sync_folder()
        except OSError as error:
            raise TokenStoreError(f"The token file {self.path} cannot be written: {error}.") from error

    @property
    def lock(self) -> Lock:
        """The lock beside the file.

        Raises:
            TokenStoreError: Its folder cannot be made.
        """
        if self._lock is None:
            try:
                self._make_folder()
            except OSError as error:
                raise TokenStoreError(f"The folder {self.path.parent} cannot be made: {error}.") from error
            self._lock = FileLock(self.path.with_name(f"{self.path.name}.lock"))
        return self._lock

    def __repr__(self) -> str:
        # Its path may have been refused; a traceback may show it all the same.
        return f"FileTokenStore({str(getattr(self, 'path', ''))!r})"

    def _make_folder(self) -> None:
        private_files.make_folder(self.path.parent)
        self._check_place()

    def _check_place(self) -> None:
        if problem := private_files.find_folder_problem(self.path.parent):
            raise TokenStoreError(problem.problem, next_step=problem.fix)
        if problem := private_files.find_file_problem(self.path):
            raise TokenStoreError(f"The token file {problem.problem}", next_step=problem.fix)

    def _remove_unfinished(self) -> None:
        """Remove files of writers that were killed; only one writes at a time."""
        with contextlib.suppress(OSError):
            for file in self.path.parent.glob(f".{glob.escape(self.path.name)}.{'[0-9a-f]' * 16}"):
                file.unlink(missing_ok=True)

    def _sync_folder(self) -> None:
        if _POSIX:  # elsewhere a folder cannot be opened, and the replacement is durable without it
            descriptor = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            except OSError as error:
                if error.errno not in {errno.EINVAL, errno.ENOTSUP}:  # this file system never syncs folders
                    raise
            finally:
                os.close(descriptor)
