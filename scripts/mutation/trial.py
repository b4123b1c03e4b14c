"""The trial of a mutant: a fork that imports it in the place of its module and runs tests until one fails."""

from __future__ import annotations

import ast
import contextlib
import importlib.abc
import importlib.machinery
import math
import os
import resource
import signal
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest
from attrs import frozen

_LIMITS: Final = (60.0, 300.0)
"""For how many seconds a test may compute and hang that runs on an imported mutant, before it counts as one that never ends."""

QUIETLY: Final = (
    *("-q", "--fast", "--timeout=300", "--assert=plain"),
    *("-p", "no:cacheprovider", "-p", "no:schemathesis"),
)
"""The options of every session of pytest."""


@frozen
class _Importer(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports a tree in the place of a module."""

    name: str
    tree: ast.Module
    path: Path

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        is_mine = fullname == self.name
        return importlib.machinery.ModuleSpec(fullname, self, origin=str(self.path)) if is_mine else None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.tree, str(self.path), "exec"), module.__dict__)  # noqa: S102 (a mutant of our own code) # nosec B102


class _Limits:
    def pytest_runtest_setup(self) -> None:
        limit_trial(*_LIMITS)


def begin_trial(module: str, path: Path, tree: ast.Module, groups: Iterable[Sequence[str]]) -> int:
    """Fork, and try a tree in the place of a module with groups of tests until one fails; give the id of the process."""
    child = os.fork()
    if child:
        return child
    status = 3
    try:
        os.setsid()
        be_silent()
        sys.meta_path.insert(0, _Importer(module, tree, path))
        with contextlib.suppress(SystemExit):
            runs = (pytest.main([*QUIETLY, "-x", *tests], plugins=[_Limits()]) for tests in groups)
            status = int(next(filter(None, runs), 0))
    finally:
        os._exit(status)


def limit_trial(computing: float, hanging: float) -> None:
    """Let this process, the trial of a mutant, compute and live for no more than so many seconds from now."""
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(time.process_time() + computing), most))
    signal.alarm(math.ceil(hanging))


def be_silent() -> None:
    """Let this process write nothing."""
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)


def has_survived(status: int) -> bool:
    """Whether all tests passed; a process that was killed, or could not even begin, has been noticed."""
    return os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0
