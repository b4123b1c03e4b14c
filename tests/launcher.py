"""The process that programs of tests are forks of: it has imported what they import, and done nothing else.

An order is a packet with three open files and with words: whether to `leave` the program to who ordered it or to `report` its end,
whether it has a session of its own, its folder, its variables, an empty word, and the arguments of Python. The answer is the number
of the process, or `no` for what is not known to go as Python itself would do it.

The order to `import` names an address and modules. The answer is `ready` when a fork, which has imported them too, serves there.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import io
import os
import runpy
import select
import signal
import socket
import ssl
import sys
import threading
import types
import warnings
import weakref
from contextlib import suppress
from functools import cache
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import NoReturn

import typer.main

_PRELOADED = (
    *("pytest", "httpx", "encodings.idna", "rich.console", "rich.markdown", "rich.live", "rich.progress", "typer", "dotenv"),
    *("filelock", "platformdirs", "dateutil.parser", "uvicorn", "uvicorn.protocols.http.h11_impl", "uvicorn.lifespan.on"),
    *("starlette.applications", "jinja2", "anyio._backends._asyncio"),
    *("payman_sdk._client.sync", "payman_sdk._client.task_stream", "payman_sdk._core.operations", "payman_sdk._core.auth.tokens"),
    *(f"payman_sdk._core.{name}" for name in ("listings", "payment_flows", "stream", "transaction_search")),
    *(f"payman_sdk._io.{name}" for name in ("async_pool", "async_runner", "key_store", "pool", "runner", "transport")),
    *("payman_sdk._telemetry.observer", "payman_sdk._cli.main", "payman_sdk._cli.context"),
    *("payman_sdk.token_stores.file", "payman_sdk.token_stores.memory", "payman_sdk.sandbox._server.server"),
)  # fmt: skip

_ABSENT = (
    "requests",
    "yaml",
    "httpx_aiohttp",
    "IPython",
    "opentelemetry.instrumentation",
    "typer.rich_utils",
)
"""Whether the program has imported these is seen by others, or they read variables when they are imported."""

_UNDERSTOOD = {
    "PYTHONPATH",
    "PYTHONWARNINGS",
    "PYTHONUNBUFFERED",
    "PYTHONIOENCODING",
    "PYTHONDONTWRITEBYTECODE",
}
_ROOT = str(Path(__file__).parents[1])
_loaded: list[str] = []
_count_of_filters = len(warnings.filters)


def _preload() -> None:
    """Import what every program finds imported."""
    atexit.register(_keep_modules)
    for name in _PRELOADED:
        import_module(name)
    # The commands are the same in every program; Typer would read the signatures of all of them anew.
    typer.main.get_command = cache(typer.main.get_command)
    typer.main.get_command(import_module("payman_sdk._cli.context").app)
    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # with the first one, OpenSSL reads its settings
    for name in ("anyio", "payman_sdk"):  # pytest warns if what has a plugin for it is imported before it
        sys.modules[name].__doc__ = "PYTEST_DONT_REWRITE"
    assert [name for name in _ABSENT if name in sys.modules] == []
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _remember()


def _remember() -> None:
    """Remember what is there, which no program has brought."""
    _loaded[:] = [name for name in sys.modules if name not in ("__main__", "sys", "builtins")]
    assert threading.active_count() == 1, threading.enumerate()
    gc.freeze()


def _keep_modules() -> None:
    """Let the end of a program be the end of what is its own: to take apart what was there before it takes longer than it ran."""
    kept = [module for name in _loaded if (module := sys.modules.pop(name, None)) is not None]
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(kept))


# As Python does: what only a module holds goes while the others have their names. It is one line of `sys`, where Python warns too.
_TAKE_APART = compile(
    "modules.clear(); collect(); [vars(one).clear() for find in left if (one := find())]; collect()",
    "sys",
    "exec",
)


def _end(status: int) -> NoReturn:
    """End as Python does after a program, and leave what was there before it: to take that apart takes longer than it ran."""
    threading._shutdown()  # type: ignore[attr-defined] # waits for threads
    atexit.unregister(_keep_modules)
    atexit._run_exitfuncs()
    with suppress(Exception):  # what cannot be written, and threads that go on, are left to Python
        _flush_streams()
        assert threading.active_count() == 1
        modules = [
            sys.modules.pop(name)
            for name in ["__main__", *islice(reversed(sys.modules), len(sys.modules) - len(_loaded) - 3)]
        ]
        left = [weakref.ref(module) for module in modules]
        sys.modules["tracemalloc"] = None  # type: ignore[assignment] # Python's own last warnings do not name it
        exec(_TAKE_APART, {"__name__": "sys", "modules": modules, "collect": gc.collect, "left": left})  # noqa: S102
        _flush_streams()
        os._exit(status)
    raise SystemExit(status)


def _flush_streams() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and not stream.closed:
            stream.flush()


def _wait_for_order(listener: socket.socket) -> list[str]:
    """Serve until standard input ends; return the order in the fork that is to become a program."""
    while 0 not in select.select([listener.fileno(), 0], [], [])[0]:
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        line, _ = listener.accept()
        packet, files, _, _ = socket.recv_fds(line, 1 << 20, 3)
        order = os.fsdecode(packet).split("\0")
        if order[0] == "import":
            if os.fork() == 0:
                listener.close()
                listener = _listen(order[1])
                for name in order[2:]:
                    import_module(name)
                _remember()
                line.send(b"ready")
            line.close()
            continue
        ours, theirs = socket.socketpair()
        if not _is_understood(order):
            line.send(b"no")
        elif (between := os.fork()) == 0:
            ours.close()
            if (program := os.fork()) == 0:
                for place, file in enumerate(files):
                    os.dup2(file, place)
                if order[0] == "leave":
                    theirs.recv(1)  # ends when its parent is who ordered it
                for file in (*files, *(one.detach() for one in (theirs, line, listener))):
                    os.close(file)
                return order
            (theirs if order[0] == "leave" else line).send(str(program).encode())
            if order[0] == "report":
                line.send(str(os.waitstatus_to_exitcode(os.waitpid(program, 0)[1])).encode())
            os._exit(0)
        elif order[0] == "leave":
            os.waitpid(between, 0)  # from now on, the program is a child of who ordered it
            line.send(ours.recv(20))
        for file in (*files, *(one.detach() for one in (ours, theirs, line))):
            os.close(file)
    os._exit(0)


def _listen(address: str) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(address)
    listener.listen(64)
    return listener


def _is_understood(order: list[str]) -> bool:
    """Whether Python would find the same language and the same modules, and is given no option that is not known here."""
    words = order[3:]
    end = words.index("")
    variables, arguments = dict(word.split("=", 1) for word in words[:end]), words[end + 1 :]
    while arguments[:1] == ["-W"]:
        del arguments[:2]
    if not arguments or (arguments[0].startswith("-") and arguments[0] not in {"-c", "-m"}):
        return False
    path = variables.get("PYTHONPATH", _ROOT).split(os.pathsep)
    unknown = {name for name in variables if name.startswith(("PYTHON", "COVERAGE"))} - _UNDERSTOOD
    language = {name: value for name, value in variables.items() if name.startswith(("LANG", "LC_"))}
    ours = {name: value for name, value in os.environ.items() if name.startswith(("LANG", "LC_"))}
    return not unknown and language == ours and path[0] == _ROOT


def _set_up(order: list[str]) -> list[str]:
    """Give the process what Python would have given it; returns the arguments of Python without the options."""
    _, session, folder, *words = order
    end = words.index("")
    os.environ.clear()
    os.environ.update(dict(word.split("=", 1) for word in words[:end]))
    arguments = words[end + 1 :]
    sys.orig_argv = [sys.executable, *arguments]
    if session:
        os.setsid()
    os.chdir(folder)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.warnoptions = [word for word in os.environ.get("PYTHONWARNINGS", "").split(",") if word]
    while arguments[0] == "-W":
        sys.warnoptions.append(arguments[1])
        del arguments[:2]
    added = warnings.filters[: len(warnings.filters) - _count_of_filters]
    usual = warnings.filters[len(added) + 1 :]  # after that of the launcher, for which a warning is an error
    warnings.resetwarnings()
    warnings.filters[:] = usual  # type: ignore[index] # typeshed has a sequence
    for option in sys.warnoptions:
        warnings._setoption(option)  # type: ignore[attr-defined] # what Python does with them
    warnings.filters[:0] = added  # type: ignore[index]
    _open_streams(os.environ.get("PYTHONIOENCODING", ""), is_buffered=not os.environ.get("PYTHONUNBUFFERED"))
    path = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:0] = [str(Path(entry).absolute()) for entry in path if entry]
    if any(Path(entry, "sitecustomize.py").exists() for entry in path if entry):
        sys.modules.pop("sitecustomize", None)
        import_module("sitecustomize")
    return arguments


def _open_streams(given: str, *, is_buffered: bool) -> None:
    """Open the standard streams as Python does, in the encoding that is given."""
    encoding, _, errors = given.partition(":")
    for place, name in enumerate(("stdin", "stdout", "stderr")):
        raw = io.FileIO(place, "w" if place else "r", closefd=False)
        stream = io.TextIOWrapper(
            io.BufferedReader(raw) if place == 0 else io.BufferedWriter(raw) if is_buffered else raw,
            encoding or sys.__stdout__.encoding,  # type: ignore[union-attr]
            "backslashreplace" if place == 2 else errors or "strict",
            line_buffering=place == 2 or raw.isatty(),
            write_through=place > 0 and not is_buffered,
        )
        stream.mode = "w" if place else "r"  # type: ignore[misc]
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def _run(arguments: list[str]) -> None:
    """Run a program as Python does: -c CODE, -m MODULE, or a file."""
    main = types.ModuleType("__main__")
    sys.modules["__main__"] = main
    match arguments:
        case ["-c", code, *rest]:
            sys.argv[:] = ["-c", *rest]
            sys.path.insert(0, "")
            exec(compile(code, "<string>", "exec", dont_inherit=True), vars(main))  # noqa: S102 # what the order says
        case ["-m", module, *rest]:
            sys.argv[:] = ["-m", *rest]
            sys.path.insert(0, str(Path.cwd()))
            runpy._run_module_as_main(module)  # type: ignore[attr-defined] # what Python does
        case [file, *rest]:
            sys.argv[:] = [file, *rest]
            sys.path.insert(0, str(Path(file).resolve().parent))
            main.__file__ = file
            exec(compile(Path(file).read_bytes(), file, "exec", dont_inherit=True), vars(main))  # noqa: S102


if __name__ == "__main__":
    _preload()
    _listener = _listen(sys.argv[1])
    os.write(1, b"ready\n")
    _order = _wait_for_order(_listener)
    try:
        _run(_set_up(_order))
    except SystemExit as end:
        if not isinstance(end.code, int | None):
            raise
        status = end.code or 0
    else:
        status = 0
    _end(status)
