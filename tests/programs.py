"""Python programs that start in a moment: forks of a process that has imported what they import. See `launcher.py`.

They are processes like others, with streams, variables, a folder, a status and an end by a signal. What they find imported is not
theirs, so a test that asks what is imported, or how Python itself is started, starts it as usual, with `subprocess`.
"""

from __future__ import annotations

import atexit
import ctypes
import itertools
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any

ROOT = Path(__file__).parents[1]
_SUBREAPER = 36
_starting = threading.Lock()
_numbers = itertools.count()

_COMMAND = r"""#!{python} -IS
import _signal, _socket, posix, sys  # what is quick to import
own = {folder!r} + "/" + sys.argv[0].rpartition("/")[2]
arguments = sys.argv[1:] if own.startswith({folder!r} + "/python") else [own, *sys.argv[1:]]
words = [b"report", b"", posix.getcwdb(), *map(b"=".join, posix.environ.items()), b""]
words += [word.encode(sys.getfilesystemencoding(), "surrogateescape") for word in arguments]
ends = (_signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP)
_signal.pthread_sigmask(_signal.SIG_BLOCK, ends)
line = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
line.connect({address!r})
files = b"".join(file.to_bytes(4, sys.byteorder) for file in range(3))
line.sendmsg([b"\0".join(words)], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, files)])
pid = line.recv(20)
for number in ends if pid != b"no" else ():
    _signal.signal(number, lambda number, _: posix.kill(int(pid), number))
_signal.pthread_sigmask(_signal.SIG_UNBLOCK, ends)
if pid == b"no":
    posix.execv(own, [own, *sys.argv[1:]])
status = int(line.recv(20))
if status < 0:
    if status != -_signal.SIGKILL:
        _signal.signal(-status, _signal.SIG_DFL)
    posix.kill(posix.getpid(), -status)
posix._exit(status)
"""


class Popen(subprocess.Popen[Any]):
    """`subprocess.Popen`, and a fork where a program of this Python is started in no unusual way.

    Attributes:
        imported: What its programs find imported beyond what those of every launcher do.
    """

    imported: tuple[str, ...] = ()

    def _execute_child(self, *given: Any) -> None:
        args, _, preexec_fn, _, pass_fds, cwd, env, _, _, shell, *rest = given
        files, (_, *owners, umask, session, group) = rest[:6], rest[6:]
        is_usual = not (preexec_fn or pass_fds or shell or any(owners)) and (umask, group) == (-1, -1)
        if sys.platform == "linux" and is_usual and args[0] == sys.executable:
            sys.audit("subprocess.Popen", args[0], args, cwd, env)
            variables = map("=".join, (os.environ if env is None else env).items())
            settings = ("leave", "own" if session else "", os.fspath(cwd or Path.cwd()), *variables)
            inherited = [own if file == -1 else file for own, file in enumerate(files[i] for i in (0, 3, 5))]
            answer = _order(self.imported, [*settings, "", *map(os.fspath, args[1:])], inherited)
            if answer != b"no":
                self.pid, self._child_created = int(answer), True
                self._close_pipe_fds(*files)  # type: ignore[attr-defined]
                return
        super()._execute_child(*given)  # type: ignore[misc] # its arguments differ between systems


def build_run(kind: type[Popen]) -> Any:
    """Build `subprocess.run` of such programs."""
    own = FunctionType(subprocess.run.__code__, {**vars(subprocess), "Popen": kind})
    own.__kwdefaults__ = subprocess.run.__kwdefaults__
    return own


run = build_run(Popen)
"""`subprocess.run` of such a program."""


def _order(imported: tuple[str, ...], words: list[str], files: list[int]) -> bytes:
    """Order a program, and become its parent."""
    with _starting, socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as line:
        line.connect(_find_launcher(*imported))
        libc = ctypes.CDLL(None)
        libc.prctl(_SUBREAPER, 1, 0, 0, 0)  # what is left by who is between falls to this process
        try:
            socket.send_fds(line, [os.fsencode("\0".join(words))], files)
            return line.recv(20)
        finally:
            libc.prctl(_SUBREAPER, 0, 0, 0, 0)


@cache
def _start_launcher() -> str:
    """Start the launcher of this process; returns its folder."""
    folder = tempfile.mkdtemp(prefix="launcher-")
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PAYMAN_", "PYTHON"))}
    env["PYTHONPATH"] = f"{ROOT}{os.pathsep}{ROOT / 'generated'}"
    program = str(Path(__file__).with_name("launcher.py"))
    command = [sys.executable, "-W", "error", "-P", program, f"{folder}/orders"]
    launcher = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    @atexit.register
    def end() -> None:
        launcher.communicate()
        shutil.rmtree(folder)

    assert launcher.stdout is not None
    assert launcher.stdout.readline() == b"ready\n"
    return folder


@cache
def _find_launcher(*imported: str) -> str:
    """Return the address of a launcher that has imported these too: a fork of the launcher, which ends with it."""
    address = f"{_start_launcher()}/orders"
    if not imported:
        return address
    own = f"{address}{next(_numbers)}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as line:
        line.connect(address)
        line.send("\0".join(("import", own, *imported)).encode())
        assert line.recv(20) == b"ready"
    return own


def find_commands() -> Path:
    """Return a folder with `python`, `payman` and `pytest`, which are quick to start; other commands are not there."""
    own = Path(sys.executable).parent
    if sys.platform != "linux" or " " in str(own):
        return own
    folder = Path(_start_launcher(), "bin")
    if not folder.exists():
        folder.mkdir()
        for name in ("python", "python3", "payman", "pytest"):
            text = _COMMAND.format(python=sys.executable, folder=str(own), address=f"{folder.parent}/orders")
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
    return folder
