"""What a fork waits for, and what a child process must not inherit.

Only the forking thread exists in the child. A lock that another thread held is never released there, and an import never completes.
Two processes on one connection would read each other's answers.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
import weakref
from collections.abc import Generator
from importlib import import_module
from typing import Protocol, runtime_checkable

from payman_sdk._io.clock import monotonic
from payman_sdk._weak_call import WeakCall

_PATIENCE = 10.0
"""Seconds that a fork waits for another thread at most."""

_SHORT_PATIENCE = 0.5
"""Seconds that a fork waits for transports that it knows little of, and they for it."""

_MOMENT = 0.0002

# fmt: off
_PACKAGES = frozenset({
    "payman_sdk", "payman_api", "anyio", "asyncio", "attr", "certifi", "concurrent", "contextvars", "dateutil",
    "datetime", "difflib", "dotenv", "email", "encodings", "filelock", "h11", "hashlib", "http", "httpcore", "httpx", "idna",
    "inspect", "ipaddress", "json", "keyring", "logging", "msgspec", "opentelemetry", "platformdirs",
    "psycopg", "random", "redis", "select", "selectors", "sniffio", "ssl", "stringprep", "trio",
    "urllib", "uuid",
})
"""What clients import while they are made and while they work."""

_LATER = (
    "payman_sdk._client.task_stream", "payman_sdk._core.exchange", "payman_sdk._core.hook_payloads",
    "payman_sdk._core.options", "payman_sdk._core.stream", "payman_sdk._core.task_normalization",
    "payman_sdk._io.given_client", "payman_sdk._io.key_store", "payman_sdk._io.signals",
    "payman_sdk._telemetry.settings",
    "payman_api.api.tasks.cancel_task", "payman_api.api.tasks.get_task",
    "payman_api.api.tasks.send_task_subscribe", "payman_api.models.data_content",
    "payman_api.models.error_answer", "payman_api.models.file_content",
    "payman_api.models.get_task_request", "payman_api.models.json_rpc_error",
    "payman_api.models.oauth_error", "payman_api.models.send_task_streaming_request",
    "payman_api.models.task_query_params", "payman_api.models.task_stream_response",
    "email.utils", "msgspec.json", "encodings.idna", "encodings.utf_16_le",
)
# fmt: on
"""What clients import only when they need it."""


@runtime_checkable
class Renewable(Protocol):
    """An object that a child creates again."""

    def begin_anew(self) -> None:
        """Have new locks and connections, without waiting for any that it has inherited."""


class _ForkState:
    lock = threading.RLock()
    is_forking = False
    is_in_use = False
    is_complete = False


# Who is gone leaves it by code that is not Python's, in which an interrupt would be lost; a WeakSet's is Python's.
_renewable: set[weakref.ref[Renewable]] = set()
_inside: set[int] = set()
"""The threads that may hold a lock which nobody can renew. An interrupted one may be left in it until it enters again."""


def get_fork_lock() -> threading.RLock:
    """Return the lock that keeps a fork waiting: for imports, reading certificates and other work that a child needs whole."""
    return _ForkState.lock


def expect_forks() -> None:
    """Take note that clients are made, so that a fork looks out for what they import."""
    if not _ForkState.is_in_use:
        import logging as logging  # what is registered last comes first, and nobody may wait here who holds the lock of logging

        _register()
        _ForkState.is_in_use = True


def renew_after_fork(one: Renewable) -> None:
    """Create an object again in every child, as long as it lives."""
    _renewable.add(weakref.ref(one, _renewable.discard))


class StepLock:
    """A lock around short steps, `with steps.lock:`. A child has a free one, and a signal's handler may enter it again."""

    def __init__(self) -> None:
        self.begin_anew()
        renew_after_fork(self)

    def begin_anew(self) -> None:
        """Be free in a child: a thread that was inside lives on in the parent, and would hold the lock for ever."""
        self.lock = threading.RLock()


def enter_section() -> None:
    """Begin something short that no fork should interrupt, such as taking the lock of a given transport."""
    me, end = threading.get_ident(), monotonic() + _SHORT_PATIENCE
    _inside.add(me)
    while _ForkState.is_forking and monotonic() < end:
        _inside.discard(me)
        time.sleep(_MOMENT)
        _inside.add(me)


def leave_section() -> None:
    """End it."""
    _inside.discard(threading.get_ident())


@contextlib.contextmanager
def defer_forks() -> Generator[None]:
    """Do something as `enter_section` says."""
    enter_section()
    try:
        yield
    finally:
        leave_section()


def _before_fork() -> None:
    _ForkState.lock.acquire(timeout=_PATIENCE)
    # It is registered twice, and waits once.
    if not _ForkState.is_in_use or _ForkState.is_forking or threading.active_count() == 1:
        return
    _complete_imports()
    _ForkState.is_forking, end = True, monotonic() + _SHORT_PATIENCE
    while _inside - {threading.get_ident()} and monotonic() < end:
        time.sleep(_MOMENT)


def _complete_imports() -> None:
    """Import what other threads are importing, which waits for them, and may import next."""
    if not _ForkState.is_complete:
        for name in _LATER:
            with contextlib.suppress(ImportError):
                import_module(name)
        _ForkState.is_complete = True
    for name in [name for name in sys.modules if name.partition(".")[0] in _PACKAGES]:
        with contextlib.suppress(ImportError):
            import_module(name)


def _resume_parent() -> None:
    _ForkState.is_forking = False
    with contextlib.suppress(RuntimeError):  # it was not to be had in time
        _ForkState.lock.release()


def _reset_child() -> None:
    _ForkState.lock, _ForkState.is_forking = threading.RLock(), False
    _inside.clear()
    for entry in _renewable.copy():
        with contextlib.suppress(Exception):  # still create the others
            if (one := entry()) is not None:
                one.begin_anew()


def _register() -> None:
    if hasattr(os, "register_at_fork"):
        before, in_parent, in_child = map(WeakCall, (_before_fork, _resume_parent, _reset_child))
        os.register_at_fork(before=before, after_in_parent=in_parent, after_in_child=in_child)


_register()
