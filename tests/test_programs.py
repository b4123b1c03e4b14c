"""Programs that start as forks are what programs are that Python starts."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import programs

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="there is a launcher on Linux only"),
]

NAMES = "import os, sys; print(__name__, sys.argv, sys.path[0], os.getcwd(), sorted(sys.orig_argv[1:]))"
ENDING = """
import socket, weakref

class Left:
    def __init__(self, name): self.name = name
    def __del__(self): print("gone", describe(self), __name__)

def describe(left): return left.name

left = Left("one")
if __name__ == "__main__":
    import ending
    weakref.finalize(left, print, "finalized")
    raise SystemExit(4)
left = [left, socket.socket()]
left.append(left)
"""
PROGRAMS: dict[str, tuple[list[str], dict[str, Any]]] = {
    "what it is": (["-c", NAMES, "a", "b"], {"cwd": "/"}),
    "a file": (["{folder}/program.py", "a"], {}),
    "a module": (["-m", "program", "a"], {"cwd": "{folder}"}),
    "no such module": (["-m", "nothing"], {}),
    "a status": (["-c", "raise SystemExit(7)"], {}),
    "a sentence for a status": (["-c", "raise SystemExit('It was wrong: \\u00e9.')"], {}),
    "an error": (["-c", "1 / 0"], {}),
    "an interrupt": (["-c", "raise KeyboardInterrupt"], {}),
    "a signal": (["-c", "import os; os.kill(os.getpid(), 9)"], {}),
    "no reader": (["-c", "import os; os.close(1); print(1)"], {}),
    "input": (["-c", "print(input().upper())"], {"input": "h\u00e9"}),
    "variables": (["-c", "import os; print(sorted(os.environ))"], {"env": {"A": "1", "PATH": "/"}}),
    "an encoding": (["-c", "print('\\u00e9')"], {"env": {"PYTHONIOENCODING": "ascii:replace"}}),
    "no buffer": (["-c", "import os; print(1); os.write(1, b'2'); os._exit(0)"], {"env": {"PYTHONUNBUFFERED": "1"}}),
    "a buffer": (["-c", "import os; print(1); os.write(1, b'2'); os._exit(0)"], {"env": {}}),
    "warnings": (["-W", "ignore::UserWarning", "-c", "import sys, warnings; print(warnings.filters, sys.warnoptions); warnings.warn('x')"], {}),
    "warnings of the variable": (["-c", "import warnings; warnings.warn('x')"], {"env": {"PYTHONWARNINGS": "error"}}),
    "its last words": (["-c", "import atexit; atexit.register(print, 'last')"], {}),
    "what it left open": (["-c", "import socket; s = socket.socket(); s.s = s"], {"env": {"PYTHONWARNINGS": "always"}}),
    "what goes at its end": (["{folder}/ending.py"], {"env": {"PYTHONWARNINGS": "always"}}),
    "a thread that goes on": (["-c", "import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()"], {}),
    "a thread": (["-c", "import threading, time; threading.Thread(target=lambda: (time.sleep(.05), print('end'))).start()"], {}),
    "open files": (["-c", "import os; print(sorted(os.listdir('/proc/self/fd'))[:4])"], {}),
    "a session": (["-c", "import os; print(os.getsid(0) == os.getpid(), os.getppid() == {pid})"], {"start_new_session": True}),
    "another language": (["-c", "import sys; print(sys.stdout.encoding, sys.getfilesystemencoding())"], {"env": {"LC_ALL": "C"}}),
    "an option that nobody listed": (["-X", "utf8=0", "-c", "import sys; print(sys.flags.utf8_mode)"], {}),
    "what a site begins with": (["-c", "import sys; print(sys.dont_write_bytecode)"], {"env": {"PYTHONPATH": f"{programs.ROOT}:{{folder}}/site"}}),
    "a variable that nobody listed": (["-c", "import sys; print(sys.flags.optimize)"], {"env": {"PYTHONOPTIMIZE": "2"}}),
}  # fmt: skip


NO_FORKS = ["another language", "an option that nobody listed", "a variable that nobody listed"]


def test_a_fork_is_what_python_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names, streams, variables, status, warnings and the end are the same, whatever the program does."""
    language = {name: value for name, value in os.environ.items() if name.startswith(("LANG", "LC_"))}
    order, answers = programs._order, list[bytes]()

    def listen(*given: Any) -> bytes:
        answers.append(order(*given))
        return answers[-1]

    monkeypatch.setattr(programs, "_order", listen)
    (tmp_path / "program.py").write_text(NAMES, encoding="utf-8")
    (tmp_path / "ending.py").write_text(ENDING, encoding="utf-8")
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text("import sys; sys.dont_write_bytecode = 'so it is'")
    for name, (arguments, settings) in PROGRAMS.items():
        places = {"{folder}": str(tmp_path), "{pid}": str(os.getpid())}

        def fill(text: Any, places: dict[str, str] = places) -> Any:
            if isinstance(text, dict):
                return {name: fill(value, places) for name, value in text.items()}
            for place, value in places.items() if isinstance(text, str) else ():
                text = text.replace(place, value)
            return text

        given = {key: fill(value) for key, value in settings.items()}
        if "env" in given:
            given["env"] = language | given["env"]
        command = [sys.executable, *map(fill, arguments)]
        ends = []
        for start in (subprocess.run, programs.run):
            done = start(command, capture_output=True, encoding="utf-8", check=False, timeout=60, **given)
            words = [
                re.sub("^(<sys>:0|sys:1): ", "", line)  # where Python 3.13 says that it was, as it ended
                for line in done.stderr.splitlines()
                if not line.startswith(("  File", "    "))
            ]
            ends.append((done.returncode, done.stdout, words))
        assert ends[0] == ends[1], name
        assert (answers.pop() == b"no") == (name in NO_FORKS), name


def test_a_fork_is_a_child_that_can_be_ended() -> None:
    """Its number is that of the program: a signal reaches it, and its end is known at once."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with programs.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
            assert process.poll() is None
            process.send_signal(number)
            assert process.wait(30) == -number


def test_a_fork_may_find_more_imported() -> None:
    """What a class of programs names is there, in these alone; all else is as in other forks, a signal included."""

    class Popen(programs.Popen):
        imported = ("mailbox",)

    code = "import sys, warnings; print('mailbox' in sys.modules, warnings.filters, sys.argv)"
    with Popen([sys.executable, "-c", code, "a"], stdout=subprocess.PIPE, text=True) as process:
        found = process.communicate(timeout=30)[0]
    other: str = programs.run([sys.executable, "-c", code, "a"], stdout=subprocess.PIPE, text=True).stdout
    assert (found[:5], other[:5]) == ("True ", "False")
    assert found[4:] == other[5:]
    with Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        process.kill()
        assert process.wait(30) == -signal.SIGKILL


def test_commands_are_forks_with_the_same_end() -> None:
    """In a shell: statuses, pipes, signals, and what no fork can do."""
    lines = {
        "payman --version": "payman 2.0.0.dev0\n",
        "python -c 'raise SystemExit(3)' || echo $?": "3\n",
        "echo a | python -c 'print(input())' | cat": "a\n",
        "echo 'print(5)' | python": "5\n",
        "python -c 'import os; os.kill(os.getpid(), 9)' || echo $?": "137\n",
    }
    env = {**os.environ, "PATH": f"{programs.find_commands()}{os.pathsep}{os.environ['PATH']}"}
    for line, said in lines.items():
        done = subprocess.run(
            ["bash", "-c", line], env=env, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.stdout == said, (line, done)
    command = [str(programs.find_commands() / "python"), "-c", "print(1, flush=True); input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"1\n"
        process.terminate()
        assert process.wait(30) == -signal.SIGTERM
        assert process.stdout.read() == b""
