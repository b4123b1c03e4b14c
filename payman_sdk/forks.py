"""What a fork waits for, and what a child process must not inherit.

Only the thread that forks lives on in a child. A lock that another thread held in that moment is never released there, a module that
another thread was importing is never complete, and a connection is the parent's too: two who talk on one read each other's answers.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import weakref
from importlib import import_module
from typing import Protocol, runtime_checkable

_PATIENCE = 10.0
"""Seconds that a fork waits for another thread at most."""

_PACKAGES = frozenset(
    {"payman_sdk", "payman_api", "httpx", "httpcore", "h11", "anyio", "msgspec", "idna", "encodings"}
)
"""What clients import while they work."""

_LATER = (
    "payman_sdk.hooks",
    "payman_sdk.streaming.streams",
    "payman_sdk.streaming.following",
    "payman_sdk.tasks.options",
    "payman_sdk.telemetry.stats",
    "payman_api.api.tasks.cancel_task",
    "payman_api.api.tasks.get_task",
    "payman_api.api.tasks.send_task_subscribe",
    "msgspec.json",
    "encodings.idna",
)
"""What clients import only when they need it."""


@runtime_checkable
class Renewable(Protocol):
    """What is made anew in a child."""

    def begin_anew(self) -> None:
        """Have locks and connections of its own, without waiting for any that it has inherited."""
        ...


class _State:
    lock = threading.RLock()
    is_in_use = False
    is_complete = False


_renewable: weakref.WeakSet[Renewable] = weakref.WeakSet()


def no_fork() -> threading.RLock:
    """Return the lock that keeps a fork waiting: for importing, reading certificates and whatever else a child needs whole."""
    _State.is_in_use = True
    return _State.lock


def renew_after_fork(one: Renewable) -> None:
    """Have something made anew in every child, as long as it lives."""
    _renewable.add(one)


def _before() -> None:
    _State.lock.acquire(timeout=_PATIENCE)
    if _State.is_in_use and threading.active_count() > 1:
        _complete_imports()


def _complete_imports() -> None:
    """Import what other threads are importing, which waits for them, and what they may begin to import."""
    if not _State.is_complete:
        for name in _LATER:
            with contextlib.suppress(ImportError):
                import_module(name)
        _State.is_complete = True
    for name in [name for name in sys.modules if name.partition(".")[0] in _PACKAGES]:
        with contextlib.suppress(ImportError):
            import_module(name)


def _in_parent() -> None:
    with contextlib.suppress(RuntimeError):  # it was not to be had in time
        _State.lock.release()


def _in_child() -> None:
    _State.lock = threading.RLock()
    for one in list(_renewable):
        with contextlib.suppress(Exception):  # the others are made anew all the same
            one.begin_anew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
