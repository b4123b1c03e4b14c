"""A token in the keyring of the operating system. Needs the extra `keyring`.

An entry on Windows holds 1,280 characters. A longer token is split over several entries, which an entry under the store's own name
lists. A new token is written into the unused one of two sets and read again; then writing that one entry activates it.
"""

import contextlib
import hashlib
import json
import threading
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from payman_sdk._core.auth.stored_token import StoredToken
from payman_sdk._core.effects import Lock
from payman_sdk._core.wire_json import parse_object
from payman_sdk._io.clock import monotonic
from payman_sdk._io.locks import ThreadLock
from payman_sdk._io.private_files import check_plain_name
from payman_sdk._io.token_store_access import LateError, call_within, get_time_left
from payman_sdk._refusals import build_missing_error
from payman_sdk._secrets import SecretStr
from payman_sdk.errors import TokenStoreError

try:
    import filelock as filelock  # the lock is a file
    import keyring
    import keyring.errors
    import platformdirs as platformdirs
except ImportError as error:
    raise build_missing_error(f"KeyringTokenStore needs {error.name}", "keyring") from error

T = TypeVar("T")

_PATIENCE = 30.0
"""Seconds that a keyring has to answer; it may have to ask a person for a password."""
_SIZES = (1200, 500, 120)
"""Characters of an entry. Where a keyring does not take the first, the next is tried."""
_MOST_PARTS = 4096
_TRIES = 5
"""How often a token is read that is being replaced at that moment."""


class _EntryIndex(NamedTuple):
    """Which set of entries (`a` or `b`) holds a token, in how many parts, and the SHA-256 of the whole."""

    set: str
    parts: int
    digest: str


class KeyringTokenStore:
    """Stores a token in the operating system's keyring, for the processes of one user on one machine.

    Keyrings have no locks, so the lock is a file in the user's state folder, without a token. A keyring may wait for a person to
    unlock it. If it does not answer within 30 seconds, or before the ask ends, the store raises `TokenStoreError`.

    Args:
        name: Separates the tokens of several accounts.
        service: The service name under which the keyring lists them.

    Raises:
        ConfigurationError: The name or the service is not a plain file name.
    """

    def __init__(self, name: str = "default", *, service: str = "payman") -> None:
        self._name = check_plain_name(name, "name")
        self._service = check_plain_name(service, "service")
        from payman_sdk.token_stores.file import FileTokenStore

        self._calls = _GuardedCalls(FileTokenStore(name=f"{service}-{name}").lock)
        # No name of a store is the name of a part of another's.
        self._entry = name.replace("%", "%25").replace("#", "%23")

    def load(self) -> StoredToken | None:
        """Return the token in the keyring, or None.

        Raises:
            TokenStoreError: The keyring does not answer, or the stored token is damaged.
        """
        found = self._call_keyring(self._read, "read")
        return None if found is None else StoredToken.from_json(found, self._where)

    def save(self, token: StoredToken) -> None:
        """Replace the stored token. If that fails, the old token is unchanged.

        Args:
            token: The new token.

        Raises:
            TokenStoreError: The keyring refused the token.
        """
        self._call_keyring(lambda: self._write(token.to_json()), "written")

    @property
    def lock(self) -> Lock:
        """A lock file in the user's usual place for such files."""
        return self._calls

    def __repr__(self) -> str:
        return f"KeyringTokenStore({self._name!r}, service={self._service!r})"

    @property
    def _where(self) -> str:
        return f"The keyring entry {self._service}/{self._name}"

    def _call_keyring(self, function: Callable[[], T], done: str) -> T:
        try:
            return self._calls.call(function, get_time_left(_PATIENCE))
        except Exception as error:  # backends raise what they like
            is_late = isinstance(error, LateError)
            fix = "Unlock the keyring, or keep the token in another store." if is_late else ""
            failure = TokenStoreError(f"{self._where} cannot be {done}: {error}.", next_step=fix)
        raise failure  # out here, it carries no frames of the keyring's with it, which hold the token

    def _read(self) -> SecretStr | None:
        """Return the text of the token, or that of an index whose parts do not fit. No exception has a token in its frames."""
        text: str | None = None
        index: _EntryIndex | None = None
        for _ in range(_TRIES):
            text = self._get(self._entry)
            before, index = index, _parse_index(text)
            if index is None or index == before:  # it is a token, or nobody is replacing it
                break
            whole = "".join(self._get(name) or "" for name in self._name_parts(index.set, index.parts))
            if _compute_digest(whole) == index.digest:
                return SecretStr(whole)
        return None if text is None else SecretStr(text)

    def _write(self, text: str) -> None:
        before = _parse_index(self._get(self._entry))
        self._write_new(text, "b" if before is not None and before.set == "a" else "a")
        # From here on the new token is in use, whatever becomes of the rest.
        for entry in self._name_parts(before.set, before.parts) if before is not None else ():
            try:
                keyring.delete_password(self._service, entry)
            except Exception:
                with contextlib.suppress(Exception):  # keyrings that cannot remove can at least overwrite
                    self._set(entry, "-")

    def _write_new(self, text: str, unused: str) -> None:
        """Write a token and read it again: whole, or, if the keyring cannot keep that, in parts of the unused set."""
        failures: list[Exception] = []
        for size in (_SIZES[0], *(size for size in _SIZES[1:] if size < len(text))):
            parts = [text[start : start + size] for start in range(0, len(text), size)]
            names = self._name_parts(unused, len(parts)) if len(parts) > 1 else [self._entry]
            try:
                for name, part in zip(names, parts, strict=True):
                    self._set(name, part)
                    if self._get(name) != part and len(text) > _SIZES[-1]:
                        raise ValueError("it did not return the stored text")
            except (keyring.errors.InitError, keyring.errors.KeyringLocked, keyring.errors.NoKeyringError):
                raise  # it is locked, or there is none
            except Exception as error:
                failures.append(error)
            else:
                if len(parts) > 1:
                    index = {"payman_parts": len(parts), "set": unused, "sha256": _compute_digest(text)}
                    self._set(self._entry, json.dumps(index))
                return
        raise failures[0]

    def _name_parts(self, set_: str, count: int) -> list[str]:
        return [f"{self._entry}#{set_}{number}" for number in range(count)]

    def _get(self, entry: str) -> str | None:
        return keyring.get_password(self._service, entry)

    def _set(self, entry: str, text: str) -> None:
        keyring.set_password(self._service, entry, text)


class _GuardedCalls:
    """Calls to the keyring, one after the other, and the lock around them.

    The lock is released once the keyring has ended its work: a late write must not replace a newer token.
    """

    def __init__(self, lock: Lock) -> None:
        self._lock = lock
        self._busy = ThreadLock()

    def call(self, function: Callable[[], T], seconds: float) -> T:
        """Call a function as `call_within` does, once a call that was left behind has ended."""

        def call_alone() -> T:
            try:
                return function()
            finally:
                self._busy.release()

        end = monotonic() + seconds
        if not self._busy.acquire(timeout=seconds):
            raise LateError(f"no answer within {seconds:.3g} s")
        return call_within(call_alone, max(0.0, end - monotonic()))

    def acquire(self, *, timeout: float) -> bool:
        """Wait so many seconds for the lock, and return whether it is held; 0 only tries."""
        return self._lock.acquire(timeout=timeout)

    def release(self) -> None:
        """Release the lock, in a thread if a call was left behind."""

        def release_when_idle(timeout: float) -> bool:
            if is_idle := self._busy.acquire(timeout=timeout):
                self._busy.release()
                self._lock.release()
            return is_idle

        if not release_when_idle(0):
            late = threading.TIMEOUT_MAX
            threading.Thread(target=release_when_idle, args=(late,), daemon=True, name="payman-store").start()


def _parse_index(text: str | None) -> _EntryIndex | None:
    """Return the index in an entry; None for a token, and for anything else."""
    members = parse_object(text or "") or {}
    parts, set_, digest = (members.get(name) for name in ("payman_parts", "set", "sha256"))
    if type(parts) is int and 0 < parts <= _MOST_PARTS and set_ in ("a", "b") and isinstance(digest, str):
        return _EntryIndex(set_, parts, digest)
    return None


def _compute_digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
