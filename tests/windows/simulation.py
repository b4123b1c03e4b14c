"""A Windows for the package: its modules see what Python has there, and nothing that only POSIX has.

`simulate_windows()` replaces what modules of `payman_sdk` and `payman_api` import. The standard library and other packages stay as they
are. What it cannot show: how the system itself behaves beyond the rules that are written down here.
"""

from __future__ import annotations

import asyncio
import builtins
import errno
import os
import pathlib
import select
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any, NoReturn

MISSING_MODULES = frozenset(
    {"fcntl", "grp", "pty", "pwd", "readline", "resource", "syslog", "termios", "tty", "posix", "curses"}
)
"""Modules that Python for Windows does not have."""

_MISSING_NAMES: dict[ModuleType, frozenset[str]] = {
    os: frozenset(
        {
            "O_CLOEXEC",
            "O_DIRECTORY",
            "O_NOFOLLOW",
            "O_NONBLOCK",
            "chown",
            "chroot",
            "fchdir",
            "fchmod",
            "fchown",
        }
        | {
            "fork",
            "forkpty",
            "getegid",
            "geteuid",
            "getgid",
            "getpgid",
            "getpgrp",
            "getsid",
            "getuid",
            "killpg",
        }
        | {
            "lchown",
            "mkfifo",
            "mknod",
            "nice",
            "openpty",
            "pathconf",
            "posix_fallocate",
            "posix_spawn",
            "pread",
        }
        | {
            "pwrite",
            "register_at_fork",
            "sched_getaffinity",
            "sendfile",
            "setgid",
            "setpgid",
            "setsid",
            "setuid",
        }
        | {"statvfs", "sync", "sysconf", "tcgetpgrp", "ttyname", "uname", "wait", "waitid", "WNOHANG"}
    ),
    sys: frozenset({"abiflags", "setdlopenflags", "getdlopenflags"}),
    signal: frozenset(
        {
            "SIGALRM",
            "SIGBUS",
            "SIGCHLD",
            "SIGCONT",
            "SIGHUP",
            "SIGKILL",
            "SIGPIPE",
            "SIGPROF",
            "SIGQUIT",
            "SIGSTOP",
        }
        | {
            "SIGTSTP",
            "SIGUSR1",
            "SIGUSR2",
            "SIGVTALRM",
            "SIGWINCH",
            "alarm",
            "getitimer",
            "pause",
            "pthread_kill",
        }
        | {"pthread_sigmask", "setitimer", "siginterrupt", "sigpending", "sigtimedwait", "sigwait"}
    ),
    socket: frozenset({"AF_UNIX", "SO_REUSEPORT", "MSG_DONTWAIT", "MSG_NOSIGNAL", "send_fds", "recv_fds"}),
    select: frozenset({"poll", "epoll", "kqueue", "POLLIN", "POLLOUT"}),
}
_OTHER_VALUES: dict[ModuleType, Mapping[str, object]] = {os: {"name": "nt"}, sys: {"platform": "win32"}}
_SHARING_VIOLATION = "The process cannot access the file because it is being used by another process"


class _WindowsModule(ModuleType):
    """A module of the standard library without what Windows lacks."""

    def __init__(self, module: ModuleType) -> None:
        super().__init__(module.__name__)
        self.__dict__.update(_real=module, _missing=_MISSING_NAMES[module], **_OTHER_VALUES.get(module, {}))

    def __getattr__(self, name: str) -> Any:
        if name in self.__dict__["_missing"]:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r} on Windows", name=name)
        return getattr(self.__dict__["_real"], name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self.__dict__["_real"], name, value)

    def __dir__(self) -> list[str]:
        return [name for name in dir(self.__dict__["_real"]) if name not in self.__dict__["_missing"]]


class ProactorEventLoop(asyncio.SelectorEventLoop):
    """The usual loop of Windows: it watches no descriptors and takes no handlers of signals."""


def _refuse(*_: object) -> NoReturn:
    raise NotImplementedError


for _name in ("add_reader", "add_writer", "add_signal_handler"):
    setattr(ProactorEventLoop, _name, _refuse)


def simulate_windows() -> None:
    """Show the package a Windows from now on. Call it before the package is imported, in a process for this alone."""
    assert "payman_sdk" not in sys.modules
    asyncio.ProactorEventLoop = ProactorEventLoop  # type: ignore[attr-defined]
    os.environ["LOCALAPPDATA"] = str(pathlib.Path.home() / "AppData" / "Local")
    _replace_imports()
    _forbid_changes_of_open_files()


def _replace_imports() -> None:
    replaced = {module.__name__: _WindowsModule(module) for module in _MISSING_NAMES}
    real_import = builtins.__import__

    def import_as_on_windows(
        name: str,
        globals: Mapping[str, object] | None = None,  # noqa: A002 # its name there
        locals: Mapping[str, object] | None = None,  # noqa: A002
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        importer = str((globals or {}).get("__name__", "")).partition(".")[0]
        if level == 0 and importer in {"payman_sdk", "payman_api"}:
            if name.partition(".")[0] in MISSING_MODULES:
                raise ModuleNotFoundError(f"No module named {name!r} on Windows", name=name)
            if name in replaced:
                if missing := set(fromlist or ()) & _MISSING_NAMES[sys.modules[name]]:
                    raise ImportError(f"cannot import {', '.join(sorted(missing))} from {name!r} on Windows")
                return replaced[name]
        return real_import(name, globals, locals, fromlist or (), level)

    builtins.__import__ = import_as_on_windows


def _forbid_changes_of_open_files() -> None:
    """Have files that this process has open neither replaced nor renamed nor removed: Python opens them without that right."""

    def guard(name: str) -> None:
        change = getattr(os, name)

        def change_closed(*paths: Any, **options: Any) -> Any:
            for path in paths:
                if _is_open(path):
                    raise PermissionError(errno.EACCES, _SHARING_VIOLATION, str(path))
            return change(*paths, **options)

        setattr(os, name, change_closed)

    for name in ("replace", "rename", "unlink", "remove"):
        guard(name)


def _is_open(path: Any) -> bool:
    wanted = os.path.realpath(path)
    for descriptor in pathlib.Path("/proc/self/fd").iterdir():
        try:
            if str(descriptor.readlink()) == wanted:
                return True
        except FileNotFoundError:  # the one that lists them
            continue
    return False
