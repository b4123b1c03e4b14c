"""A lock of the operating system on a file, which no interrupt can leave behind.

filelock stores the descriptor of an open file. An interrupt before that leaves the file open and locked: no process can take the
lock any more.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from pathlib import Path

if sys.platform != "win32":
    import fcntl

    class LockFile:  # pyright: ignore[reportRedeclaration] # one for each system
        """A lock that processes share.

        Args:
            path: The file; it is made if need be, and stays.
        """

        def __init__(self, path: Path) -> None:
            self._path = path
            self._held: io.FileIO | None = None

        def __del__(self) -> None:
            self.forget()

        def take(self) -> bool:
            """Take the lock if it is free. If this process has it already, count it as taken.

            Raises:
                NotImplementedError: The file system has no locks.
                OSError: The file cannot be opened.
            """
            if self._held is not None and not self._held.closed:
                return True
            file = io.FileIO(str(self._path), "r+", opener=_open)
            try:
                if not self._lock(file):
                    file.close()
                    return False
                self._held = file
            except BaseException:
                file.close()  # the traceback of what is raised may keep it
                raise
            return True

        def give_back(self) -> None:
            """Release the lock, if this process has it."""
            try:
                if self._held is not None and not self._held.closed:
                    # A child that was just forked has the file open, too.
                    fcntl.flock(self._held, fcntl.LOCK_UN)
            finally:
                self.forget()

        def forget(self) -> None:
            """Close the file, in a child whose parent keeps the lock."""
            if self._held is not None:
                try:
                    self._held.close()
                finally:
                    self._held = None

        def _lock(self, file: io.FileIO) -> bool:
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

    def _open(path: str, _: int) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        return os.open(path, flags, 0o600)

else:
    import filelock

    class LockFile:
        """The same on Windows."""

        def __init__(self, path: Path) -> None:
            self._path = path
            self.forget()

        def take(self) -> bool:
            """Take the lock if it is free. If this process has it already, count it as taken."""
            with contextlib.suppress(filelock.Timeout):
                self._lock.acquire(blocking=False)
                return True
            return False

        def give_back(self) -> None:
            """Release the lock, if this process has it."""
            self._lock.release(force=True)

        def forget(self) -> None:
            """Forget it without releasing it."""
            # One object is used from several threads, so it may not remember the one that acquired it.
            self._lock = filelock.FileLock(self._path, thread_local=False, mode=0o600)
