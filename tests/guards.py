"""What `--fast` runs, and what holds it to that: no processes, no browser, no sockets beyond loopback."""

from __future__ import annotations

import ipaddress
import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import pytest
from hypothesis import settings

_STARTS: Final = {
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.spawn",
    "os.startfile",
    "os.system",
    "pty.spawn",
    "subprocess.Popen",
}
"""The events of Python that say a process is started."""

_TESTS: Final = Path(__file__).parent
_SLOW_FOLDERS: Final = {"contract", "docs", "examples", "faults", "regenerate", "stress"}
"""Folders of tests that are all slow, so that `--fast` need not even import them."""

_ALL_SLOW: Final = re.compile(r"^pytestmark = .*pytest\.mark\.slow", re.MULTILINE)
"""How a file says that all its tests are slow."""

_TOGETHER: Final = {
    "tests/agents/": (
        "tests/examples/test_agents.py",
        "tests/test_annotations.py",
        "test_docstring_examples_run[payman_sdk.agents]",
        "[guides/langchain.md]",
        "[guides/openai-agents.md]",
        "[guides/pydantic-ai.md]",
    ),
    "tests/contract/": ("tests/generated/", "tests/regenerate/"),
}
"""What is moved to after which folder, so that few workers prepare what takes seconds.

Tests elsewhere that use frameworks for agents go to the worker that has imported them. Documents, clients and types are read, made
and checked once where the tests of regeneration are early in the queue of a worker, from whose end others take.
"""

_is_fast = False
T = TypeVar("T")

_watched: list[str] | None = None
"""What the test that runs has done that a fast test does not do; None where nobody watches."""


def is_forbidden(event: str, arguments: tuple[Any, ...]) -> bool:
    """Whether a fast test may not do what Python's audit event says; an address that cannot be read is beyond loopback."""
    match event, arguments:
        case "socket.connect" | "socket.sendto" | "socket.sendmsg", (_, address, *_):
            return address is not None and not _is_loopback(address[0] if address else None)
        case "socket.getaddrinfo" | "socket.gethostbyname" | "socket.gethostbyaddr", (host, *_):
            return host is not None and not _is_loopback(host)
        case _:
            return event in _STARTS


def _is_loopback(host: Any) -> bool:
    text = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    if text == "localhost" or text.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(text.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if _watched is not None and is_forbidden(event, arguments):
        _watched.append(f"{event} {arguments!r:.200}")
        raise PermissionError(f"A fast test may not do this: {_watched[-1]}. Mark it with pytest.mark.slow.")


def sample(cases: Sequence[T]) -> Sequence[T]:
    """Return every third of many cases where `--fast` is given, and all of them where it is not."""
    return cases[::3] if _is_fast else cases


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--fast`."""
    parser.addoption("--fast", action="store_true", help="leave out tests that are slow or start processes")


def pytest_configure(config: pytest.Config) -> None:
    """Begin to listen to Python's audit events, which never ends; take a quarter of the examples that are usual."""
    global _is_fast
    if config.getoption("fast"):
        _is_fast = True
        sys.addaudithook(_watch)
        settings.register_profile("fast", settings(), max_examples=25)
        settings.load_profile("fast")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the folders and files where everything is slow, so that nobody imports what they need."""
    if not config.getoption("fast"):
        return None
    ignored = collection_path.parent == _TESTS and collection_path.name in _SLOW_FOLDERS
    if collection_path.match("test_*.py"):
        ignored |= _ALL_SLOW.search(collection_path.read_text(encoding="utf-8")) is not None
    return ignored or None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Run two workers more than there are cores: many tests wait for a time to pass."""
    return (os.cpu_count() or 1) + 2


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is marked as slow; bring together what takes long to prepare."""
    for folder, names in _TOGETHER.items():
        end = max((place for place, item in enumerate(items, 1) if folder in item.nodeid), default=len(items))
        moved = {item: None for item in items[end:] if any(name in item.nodeid for name in names)}
        items[end:] = [*moved, *(item for item in items[end:] if item not in moved)]
    if config.getoption("fast"):
        left_out = list(filter(is_slow, items))
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not is_slow(item)]


def is_slow(item: pytest.Item | pytest.Collector) -> bool:
    """Whether `--fast` leaves out a test: a folder that is named on the command line is collected all the same."""
    in_tests = item.path.is_relative_to(_TESTS) and item.path.relative_to(_TESTS).parts[0] in _SLOW_FOLDERS
    return in_tests or item.get_closest_marker("slow") is not None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Watch a test from before its fixtures until after them."""
    global _watched
    _watched = [] if item.config.getoption("fast") else None
    try:
        return (yield)
    finally:
        _watched = None


@pytest.fixture(autouse=True)
def _is_as_fast_as_it_says() -> Iterator[None]:
    """Fails a test that has caught the error of what a fast test may not do."""
    yield
    assert not _watched, f"A fast test may not do this: {_watched}. Mark it with pytest.mark.slow."
