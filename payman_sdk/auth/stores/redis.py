"""A token in Redis, for many processes on many machines. Needs the extra `redis`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from payman_sdk.auth.stores import StoredToken
from payman_sdk.errors import ConfigurationError, TokenStoreError
from payman_sdk.flows import Lock
from payman_sdk.locks import ThreadLock
from payman_sdk.secrecy import Secret, as_secret

try:
    import redis
except ImportError as error:
    raise ConfigurationError(
        "Keeping tokens in Redis needs redis.", next_step="pip install 'paymanai-sdk[redis]'"
    ) from error

if TYPE_CHECKING:
    from redis.lock import Lock as HeldLock

T = TypeVar("T")

LOCK_SECONDS = 30.0
"""After so many seconds Redis frees the lock of a holder that died. A renewal has to be over before that."""


class RedisLock:
    """A `Lock` between machines that expires, and between the threads of each process."""

    def __init__(self, client: redis.Redis, name: str) -> None:
        self._client = client
        self._name = name
        self._threads = ThreadLock()
        self._held: HeldLock | None = None

    def acquire(self, *, timeout: float) -> bool:
        """Waits so many seconds for the lock; 0 only tries. Returns whether it is held now."""
        end = time.monotonic() + timeout
        if not self._threads.acquire(timeout=timeout):
            return False
        try:
            lock = self._client.lock(self._name, timeout=LOCK_SECONDS, sleep=0.01, thread_local=False)
            left = end - time.monotonic()
            taken = lock.acquire(blocking=left > 0, blocking_timeout=left if left > 0 else None)
        except BaseException as error:
            self._threads.release()
            if not isinstance(error, redis.RedisError):
                raise
            raise TokenStoreError(f"The lock {self._name} in Redis cannot be taken: {error}.") from error
        if taken:
            self._held = lock
        else:
            self._threads.release()
        return bool(taken)

    def release(self) -> None:
        """Gives the lock back; one that has expired is somebody else's by now and stays theirs."""
        lock, self._held = self._held, None
        try:
            if lock is not None:
                lock.release()
        except redis.RedisError:
            pass  # it expires by itself
        finally:
            self._threads.release()

    def is_ours(self) -> bool:
        """Whether the lock is held and has not expired."""
        return self._held is not None and bool(self._held.owned())


class RedisTokenStore:
    """Keeps a token in Redis, for any number of processes and machines.

    Args:
        redis_client: A `redis.Redis`, or the URL of a server (`rediss://…`).
        name: Tells the tokens of several accounts apart.

    Example:
        >>> from payman_sdk.auth.stores.redis import RedisTokenStore
        >>> store = RedisTokenStore("redis://localhost:6379/0", name="shop")
    """

    def __init__(self, redis_client: redis.Redis | str, *, name: str = "default") -> None:
        self._key = f"payman:token:{name}"
        redis_client = as_secret(redis_client)  # a URL may hold a password
        self._client = client_of(redis_client)
        self._lock = RedisLock(self._client, f"{self._key}:lock")

    def load(self) -> StoredToken | None:
        """The token in Redis, None if there is none.

        Raises:
            TokenStoreError: Redis cannot be asked, or what it holds is damaged.
        """
        found = self._asked(lambda: self._client.get(self._key), "read")
        text = found.decode("utf-8", "replace") if isinstance(found, bytes) else found
        return None if text is None else StoredToken.from_json(Secret(text), f"{self._key} in Redis")

    def save(self, token: StoredToken) -> None:
        """Keeps a token in place of the one before.

        Raises:
            TokenStoreError: Redis refuses, or the lock has expired and may be somebody else's.
        """
        if not self._asked(self._lock.is_ours, "locked"):
            raise TokenStoreError(
                f"The lock of {self._key} in Redis expired before the token could be written.",
                next_step="Another process may have renewed it; if not, authorize again.",
            )
        self._asked(lambda: self._client.set(self._key, token.to_json()), "written")

    def _asked(self, function: Callable[[], T], done: str) -> T:
        failure: TokenStoreError
        try:
            return function()
        except redis.RedisError as error:
            failure = TokenStoreError(f"{self._key} in Redis cannot be {done}: {error}.")
        raise failure  # out here, it carries no frames of the client's with it, which hold the token

    @property
    def lock(self) -> Lock:
        """A lock in Redis that expires."""
        return self._lock

    def __repr__(self) -> str:
        return f"<RedisTokenStore {self._key}>"


def client_of(given: redis.Redis | str) -> redis.Redis:
    """The client that was given, or one of the server at that URL, which does not wait for ever for a server that does not answer.

    Raises:
        ConfigurationError: It is neither.
    """
    if isinstance(given, str):
        try:
            return redis.Redis.from_url(given, socket_timeout=5, socket_connect_timeout=5)  # pyright: ignore[reportUnknownMemberType] # untyped there
        except ValueError as error:
            raise ConfigurationError(f"redis_client is no address of a Redis server: {error}.") from None
    if not isinstance(given, redis.Redis):
        raise ConfigurationError(
            f"redis_client is a {type(given).__name__}.", next_step="Give a redis.Redis or a URL."
        )
    return given
