from __future__ import annotations

import contextlib
import gc
import itertools
import os
import shutil
import signal
import ssl
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import certifi
import pytest
from hypothesis import settings

import payman_sdk
from payman_sdk import PaymanClient, _config
from payman_sdk._client.connection import PROVEN
from payman_sdk._core import retry
from payman_sdk._core.auth import rotation
from payman_sdk._secrets import sent_secrets
from payman_sdk.token_stores.memory import forget_shared_stores
from tests.guards import (  # noqa: F401 (hooks and a fixture that pytest finds here)
    _is_as_fast_as_it_says,
    pytest_addoption,
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_ignore_collect,
    pytest_runtest_protocol,
    pytest_xdist_auto_num_workers,
)
from tests.peer import Peer
from tests.reports import pytest_terminal_summary  # noqa: F401

SECRET = "peer-client-secret"

# The SDK imports most of itself when it is first used. Here that would be in threads, and pytest compiles what they import, which
# Python 3.11 does not always survive when two do it at once.
for _name in payman_sdk.__all__:
    getattr(payman_sdk, _name)
for _module in (
    "_client.async_task_stream",
    "_core.operations",
    "_io.async_pool",
    "_io.async_runner",
    "_io.pool",
    "_io.runner",
):
    import_module(f"payman_sdk.{_module}")

# A program that is started in the background may be told to ignore Ctrl-C, and what it starts ignores it too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _find_memory() -> str | None:
    """Return a folder in memory that has room and where programs may be started; None where there is none."""
    folder = Path("/dev/shm")  # noqa: S108 # files in it have names that nobody guesses
    if not os.access(folder, os.W_OK) or os.statvfs(folder).f_flag & os.ST_NOEXEC:
        return None
    return str(folder.resolve()) if shutil.disk_usage(folder).free > 2 << 30 else None


# A commit waits up to 15 ms for a disk, and for nothing in memory. No test asks what a loss of power leaves.
if "TMPDIR" not in os.environ and (_memory := _find_memory()):
    os.environ["TMPDIR"] = tempfile.tempdir = _memory

# The same examples in every run, however slow the machine is.
settings.register_profile("payman", derandomize=True, deadline=None, database=None, max_examples=60)
settings.load_profile("payman")


# Collecting makes much that lasts and little garbage: looking for it, again and again, would take a fifth of the time.
gc.disable()


_OF_RECORDINGS = {
    "block_network",
    "disable_recording",
    "record_mode",
    "vcr",
    "vcr_cassette_dir",
    "vcr_markers",
}
"""The fixtures that pytest-recording makes for every test, and what they need."""


def pytest_collection_finish(session: pytest.Session) -> None:
    """What is there before the first test is no garbage in any: it need not be looked through again and again.

    Who records nothing needs no fixtures for it, which take a quarter of the time of a test that does little.
    """
    unneeded = _OF_RECORDINGS | (
        {"_is_as_fast_as_it_says"} if not session.config.getoption("--fast") else set()
    )
    for item in [] if session.config.getoption("--block-network", False) else session.items:
        records = any(item.get_closest_marker(name) for name in ("block_network", "vcr"))
        if isinstance(item, pytest.Function) and not records:
            item.fixturenames[:] = [name for name in item.fixturenames if name not in unneeded]
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)  # most of what a test makes goes without being looked for
    gc.enable()


def pytest_runtest_logfinish() -> None:
    """Neither is what tests import, and what lasts of them: after a thousand, looking through it would take half a second."""
    global _full_collections
    if gc.get_count()[2] or gc.get_stats()[2]["collections"] != _full_collections:
        gc.collect()
        gc.freeze()
        _full_collections = gc.get_stats()[2]["collections"]


_full_collections = 0


@pytest.fixture(scope="session", autouse=True)
def _usual_certificates_are_read_once() -> Iterator[None]:
    """Clients that trust the usual authorities share what was read of them; it takes 20 ms for each of a thousand clients."""
    create = ssl.create_default_context

    @cache
    def create_usual() -> ssl.SSLContext:
        return create(cafile=certifi.where())

    def create_default_context(*arguments: Any, **given: Any) -> ssl.SSLContext:
        is_usual = not arguments and given == {"cafile": certifi.where()}
        return create_usual() if is_usual else create(*arguments, **given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl, "create_default_context", create_default_context)
        yield


# In one fixture, and without names that are looked up for each test: fixtures take longer than a test that does little.
@pytest.fixture(autouse=True)
def _nothing_from_elsewhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """What is set, recorded, shared or imported outside of a test changes nothing in it, and it nothing outside.

    The variables and the recorded keys are those of whoever runs the tests. Clients of one test find no token of another's,
    though the system gives the same port again, nor redact its secrets. Errors are of the SDK's own classes, whichever library
    of another test has imported `requests` before.
    """
    for name in filter(_is_setting, list(os.environ)):
        monkeypatch.delenv(name)
    monkeypatch.setenv("PAYMAN_STATE_DIR", str(tmp_path_factory.getbasetemp() / f"state-{next(_numbers)}"))
    forget_shared_stores()
    PROVEN.clear()
    sent_secrets.clear()
    if "requests" in sys.modules:
        _hidden[:] = _hidden or [sys.modules["requests"]]
        # With its parts: a library that imports it anew, in a test, would get one that has none.
        for name in _find_parts(len(sys.modules)):
            monkeypatch.delitem(sys.modules, name, raising=False)


_numbers = itertools.count()


@cache
def _is_setting(name: str) -> bool:
    return name.startswith(("PAYMAN_", "SSL_CERT_")) or name.lower().endswith(("_proxy", "_ca_bundle"))


_hidden: list[ModuleType] = []


def imported() -> ModuleType:
    """`requests`, one and the same however often it is hidden and shown again; imported, but not left where others see it."""
    if not _hidden:
        _hidden.append(import_module("requests"))
        del sys.modules["requests"]
    return _hidden[0]


@lru_cache(maxsize=1)
def _find_parts(_: int) -> list[str]:
    """Look through the modules, which are thousands, only when some have been imported since the last time."""
    return [name for name in sys.modules if name == "requests" or name.startswith("requests.")]


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is waited between two attempts is a hundredth of the usual; where it is tested, nobody waits for it."""
    monkeypatch.setattr(retry, "_FIRST", 0.005)
    monkeypatch.setattr(retry, "_FIRST_LOOK", 0.0025)
    monkeypatch.setattr(_config, "_DEFAULT_SETTLE_TIME", 0.02)
    monkeypatch.setattr(rotation, "_PAUSES", (0.05, 600.0))


@pytest.fixture
def peer() -> Iterator[Peer]:
    with Peer() as peer:
        yield peer


Connect = Callable[..., PaymanClient]


@pytest.fixture
def connect(peer: Peer) -> Iterator[Connect]:
    """Makes clients of the peer, with any settings, and closes them."""
    with contextlib.ExitStack() as stack:

        def made(**settings: Any) -> PaymanClient:
            given: dict[str, Any] = {
                "client_id": "pm-test-1",
                "client_secret": SECRET,
                "base_url": peer.base_url,
                "max_retries": 0,  # tests of retries say so
                **settings,
            }
            return stack.enter_context(PaymanClient(**given))

        yield made


@pytest.fixture
def client(connect: Connect) -> PaymanClient:
    return connect()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The address of a real PostgreSQL."""
    from tests import postgres_server

    programs = postgres_server.find_programs()
    if postgres_server.NAMED:
        yield postgres_server.NAMED
    elif programs is None:
        pytest.skip(postgres_server.MISSING)
    else:
        with postgres_server.Server(programs) as server:
            yield server.address
