"""A token store as the client uses it: bounded in time, and its exceptions become the SDK's.

A keyring may wait for a person, a client of Redis for a server, and neither can be stopped. So such a call runs in a thread, which
is left behind after the time for a refresh.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator
from typing import Any, TypeVar

from payman_sdk._core.auth.stored_token import StoredToken, TokenStore
from payman_sdk._core.effects import Lock
from payman_sdk._io.clock import monotonic
from payman_sdk._io.locks import HolderLock, LockHolder, adapt_lock
from payman_sdk._refusals import refuse
from payman_sdk._text.logger import get_logger
from payman_sdk.errors import PaymanError, TokenStoreError

T = TypeVar("T")


class _Limit(threading.local):
    end: float | None = None


_limit = _Limit()


class LateError(Exception):
    """A call did not return in time and is still running."""


@contextlib.contextmanager
def limit_time(seconds: float) -> Generator[None]:
    """Limit the calls to a store in the block to so many seconds, if the store can be left behind."""
    before, _limit.end = _limit.end, monotonic() + seconds
    try:
        yield
    finally:
        _limit.end = before


def get_time_left(most: float) -> float:
    """Return the seconds that a store may take: what is left of the limit, at most that many."""
    return most if _limit.end is None else max(0.0, min(most, _limit.end - monotonic()))


def check_name(name: object) -> str:
    """Return the name of a store in a database; refuse one that is blank or no text."""
    if not isinstance(name, str) or not name.strip():
        refuse("name", "is blank or not a string", "Give a name, such as 'default'.")
    return name


def call_within(function: Callable[[], T], seconds: float, *, late: type[Exception] = LateError) -> T:
    """Call a function in a thread, and wait for so many seconds; raises LateError or the class `late`."""
    # Here, because the store in memory, which most programs have, needs no thread.
    from concurrent.futures import Future, wait
    from contextvars import copy_context

    context, called, end = copy_context(), Future[T](), _limit.end

    def call() -> None:
        _limit.end = end
        try:
            called.set_result(context.run(function))
        except BaseException as error:
            called.set_exception(error)

    try:
        threading.Thread(target=call, daemon=True, name="payman-store").start()
    except RuntimeError:  # no thread can be had, as at the end of a process
        call()
    if not wait((called,), seconds).done:
        raise late(f"no answer within {seconds:.3g} s")
    return called.result()


log = get_logger()

_LOCK_ANSWER, RELEASE_ANSWER = 2.0, 1.0
"""Seconds that the place of a lock has to answer at least, and to take a lock back."""
_SILENCE = 3.0
"""Seconds after which a warning says that an ask is waiting for a lock."""


class TokenStoreAccess:
    """Calls a store, which may block and may be a program's own. Its failure is a `TokenStoreError`."""

    def __init__(self, store: TokenStore) -> None:
        self._store = store
        # The class itself has to say so: a class derived from it may block.
        self.is_in_memory = vars(type(store)).get("_is_in_memory") is True

    @property
    def name(self) -> str:
        """The store in words; what a program's own store says of itself may be a secret."""
        kind = type(self._store)
        return repr(self._store) if kind.__module__.startswith("payman_sdk.") else kind.__name__

    @property
    def lock(self) -> Lock:
        # Trying the lock of a store in memory never blocks, which the runners know.
        return self._store.lock if self.is_in_memory else _StoreLock(self._store, self.name)

    def peek(self) -> StoredToken | None:
        """Return the token of a store in memory, without waiting; None for other stores."""
        return self._store.load() if self.is_in_memory else None

    def load(self, seconds: float) -> Any:
        """Return whatever the store returns, within so many seconds if it can be left behind."""
        return self._call(self._store.load, seconds)

    def save(self, token: StoredToken, seconds: float) -> None:
        """Keep a token, within so many seconds as far as the store can be left behind."""
        self._call(lambda: self._store.save(token), seconds)

    def _call(self, function: Callable[[], T], seconds: float) -> T:
        return _call_limited(function, seconds, f"The token store {self.name} failed")


class _StoreLock:
    """The lock of a store, whose failures are ours."""

    def __init__(self, store: TokenStore, name: str) -> None:
        self._store = store
        self._name = name
        self._held: HolderLock | None = None
        self._ticket = LockHolder()

    def acquire(self, *, timeout: float) -> bool:
        """Wait so many seconds for the lock, and return whether it is held; 0 only tries."""
        self._ticket = LockHolder()
        self._ticket.held.acquire()
        return self.take(self._ticket, timeout=timeout)

    def release(self) -> None:
        """Release the lock; the next holder deals with a failure."""
        self.drop(self._ticket)

    def take(self, ticket: LockHolder, *, timeout: float) -> bool:
        """Wait so many seconds for the lock; 0 only tries. Return whether the ticket holds it now."""

        def take(seconds: float) -> bool:
            self._held = self._held or adapt_lock(self._store.lock)
            return self._held.take(ticket, timeout=seconds)

        def wait() -> bool:
            if timeout <= _SILENCE:
                return take(timeout)
            if take(_SILENCE):
                return True
            log.warning("Waiting for the lock of %s, which another renewal holds", self._name)
            return take(timeout - _SILENCE)

        what = f"The lock of the token store {self._name} failed"
        return _call_limited(wait, max(timeout, _LOCK_ANSWER), what)

    def drop(self, ticket: LockHolder) -> None:
        """Give the lock back, if the ticket holds it."""
        if self._held is None:
            return
        try:
            with limit_time(RELEASE_ANSWER):
                self._held.drop(ticket)
        except Exception as error:
            log.warning("Releasing the lock of %s failed: %s", self._name, type(error).__name__)


def _call_limited(function: Callable[[], T], seconds: float, what: str) -> T:
    try:
        with limit_time(seconds):
            return function()
    except PaymanError:
        raise
    except Exception as error:
        # What the operating system says holds no token; what others say may.
        said = f": {error}" if isinstance(error, OSError) else ""
        failure = TokenStoreError(f"{what}: {type(error).__name__}{said}.")
    raise failure  # out here, it carries no frames of the store's with it, which hold the token
