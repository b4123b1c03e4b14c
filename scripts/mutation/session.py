"""Trials of mutants: forks that run tests until one fails.

In one session of pytest, which collects once, the code of functions is exchanged, and only tests that execute the line of the mutant
run, the quickest first. What runs when a module is imported cannot be exchanged afterwards: such mutants are imported anew, in a
session for each.
"""

from __future__ import annotations

import ast
import gc
import math
import os
import resource
import signal
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib.machinery import SourceFileLoader
from itertools import zip_longest
from multiprocessing import get_context
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, Final

import coverage
import pytest
from attrs import define, field

_LIMITS: Final = (60.0, 300.0)
"""For how many seconds a test may compute and hang that runs on an imported mutant, before it counts as one that never ends."""

QUIETLY: Final = (
    *("-q", "--fast", "--timeout=300", "--assert=plain"),
    *("-p", "no:cacheprovider", "-p", "no:schemathesis"),
)
"""The options of every session of pytest."""


Covering = dict[str, dict[int, list[int]]]
"""The numbers of the tests that execute a line, the quickest first, by file and line."""


@define(eq=False)
class Session:
    """A plugin of pytest that tries mutants instead of running tests.

    Args:
        folder: Where the code is that is mutated.
        work: What gives the result, once the session knows which test executes what.
    """

    folder: Path
    work: Callable[[Session], Any]
    result: Any = None
    failed: list[str] = field(factory=list[str])
    covering: Covering = field(factory=dict)
    _items: list[pytest.Item] = field(factory=list[pytest.Item])
    _functions: dict[tuple[str, str, int], list[FunctionType]] = field(factory=dict)
    _seconds: list[float] = field(factory=list[float])
    _has_failed: bool = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Find out what each test executes, then try the mutants; no test runs in this process itself."""
        self._items = session.items
        gc.unfreeze()  # what is frozen is not among the objects
        self._functions = _find_functions(self.folder)
        gc.freeze()  # so that no fork copies all of it to look for garbage
        self.failed, self.covering, self._seconds = call_in_child(self._measure)
        self.result = self.work(self)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Notice a failure, of the test or of what it needs."""
        self._has_failed |= report.failed

    def begin(self, path: Path, tree: ast.Module, lines: Iterable[int]) -> int | None:
        """Fork, exchange the code of what has changed, and run tests; give the process, None where nothing can be exchanged."""
        changed = compile(tree, str(path), "exec", dont_inherit=True)
        swaps = [
            (function, code)
            for code in _walk(changed)
            for function in self._functions.get((str(path), code.co_qualname, code.co_firstlineno), ())
            if function.__code__ != code
        ]
        if not swaps or any(
            len(function.__closure__ or ()) != len(code.co_freevars) for function, code in swaps
        ):
            return None
        by_line = self.covering.get(str(path), {})
        tests = list(dict.fromkeys(number for line in lines for number in by_line.get(line, ())))
        return _fork(lambda: self._run(swaps, tests))

    def _run(self, swaps: Sequence[tuple[FunctionType, CodeType]], tests: Sequence[int]) -> int:
        for function, code in swaps:
            function.__code__ = code
        for number, following in zip_longest(tests, tests[1:]):
            item = self._items[number]
            limit_trial(3 + 3 * self._seconds[number], 20 + 10 * self._seconds[number])
            next_item = None if following is None else self._items[following]
            item.ihook.pytest_runtest_protocol(item=item, nextitem=next_item)
            if self._has_failed:
                return 1
        return 0

    def _measure(self) -> tuple[list[str], Covering, list[float]]:
        """Run all tests, and note which lines each one executes, and for how long; one that fails is left out, and named."""
        measured = coverage.Coverage(data_file=None, include=[f"{self.folder}/*"], config_file=False)
        seconds: list[float] = []
        failed: dict[int, str] = {}
        with measured.collect():
            for number, (item, following) in enumerate(zip_longest(self._items, self._items[1:])):
                measured.switch_context(str(number))
                begun = time.monotonic()
                item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
                seconds.append(time.monotonic() - begun)
                if self._has_failed:
                    failed[number] = item.nodeid
                    self._has_failed = False
        data = measured.get_data()
        found: Covering = {}
        for name in data.measured_files():
            found[name] = {
                line: sorted(
                    (int(context) for context in contexts if context and int(context) not in failed),
                    key=seconds.__getitem__,
                )
                for line, contexts in data.contexts_by_lineno(name).items()
            }
        return [*failed.values()], found, seconds


_works: list[Callable[[], Any]] = []
"""What a child has to do, for its parent cannot send it a function."""


def call_in_child(work: Callable[[], Any], *, is_silent: bool = True) -> Any:
    """Do work in a fork, so that it leaves nothing behind here, and give what it returns."""
    with ProcessPoolExecutor(1, get_context("fork"), _begin_work, (work, is_silent)) as child:
        return child.submit(_do_work).result()


def _begin_work(work: Callable[[], Any], is_silent: bool) -> None:
    _works.append(work)
    if is_silent:
        be_silent()


def _do_work() -> Any:
    return _works.pop()()


def _find_functions(folder: Path) -> dict[tuple[str, str, int], list[FunctionType]]:
    """Find the functions of a folder's modules, by file, name and line."""
    found: defaultdict[tuple[str, str, int], list[FunctionType]] = defaultdict(list)
    for each in gc.get_objects():
        if type(each) is FunctionType and each.__code__.co_filename.startswith(f"{folder}{os.sep}"):
            code = each.__code__
            found[code.co_filename, code.co_qualname, code.co_firstlineno].append(each)
    return dict(found)


def _walk(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _walk(constant)


class _Limits:
    def pytest_runtest_setup(self) -> None:
        limit_trial(*_LIMITS)


def _import_as(path: Path, code: CodeType) -> None:
    """Let this process import other code for a module that it has not imported yet."""
    get_code = SourceFileLoader.get_code

    def get_other_code(loader: SourceFileLoader, name: str) -> CodeType | None:
        return code if loader.path == str(path) else get_code(loader, name)

    pytest.MonkeyPatch().setattr(SourceFileLoader, "get_code", get_other_code)


def begin_trial(path: Path, tree: ast.Module, groups: Iterable[Sequence[str]]) -> int:
    """Fork, and try a tree in the place of a module with groups of tests until one fails; give the id of the process."""

    def try_groups() -> int:
        _import_as(path, compile(tree, str(path), "exec"))
        runs = (pytest.main([*QUIETLY, "-x", *tests], plugins=[_Limits()]) for tests in groups)
        return int(next(filter(None, runs), 0))

    return _fork(try_groups)


def _fork(work: Callable[[], int]) -> int:
    """Do work in a fork, which writes nothing and ends with the status that the work gives; give the process."""
    child = os.fork()
    if child:
        return child
    status = 3
    try:
        os.setsid()
        be_silent()
        status = work()
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
