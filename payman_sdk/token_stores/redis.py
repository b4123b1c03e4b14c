"""A token in Redis, for many processes on many machines. Needs the extra `redis`."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from payman_sdk._core.auth.stored_token import StoredToken
from payman_sdk._core.effects import Lock
from payman_sdk._io.clock import wall_time
from payman_sdk._io.locks import LayeredLock
from payman_sdk._io.token_store_access import check_name
from payman_sdk._secrets import SecretStr, to_secret
from payman_sdk._text.logger import get_logger
from payman_sdk.errors import TokenStoreError
from payman_sdk.token_stores._redis_access import Lease, call_bounded, decode_text, escape, get_client, redis

T = TypeVar("T")

log = get_logger()

LOCK_SECONDS = 30.0
"""Seconds after which Redis frees the lock of a holder that died. A renewal must end before."""
_DAY = 24 * 3600.0
_LONGEST = 180 * _DAY
"""Seconds that a refresh token is kept. Every renewal writes it again."""


def _convert_errors(function: Callable[[], T], what: str) -> T:
    try:
        return function()
    except redis.RedisError as error:
        failure = TokenStoreError(f"{what}: {error}.", next_step=getattr(error, "next_step", ""))
    raise failure  # out here, it carries no frames of the client's with it, which hold the token


class RedisLock(LayeredLock):
    """A `Lock` between machines that expires, and between the threads of each process."""

    def __init__(self, client: redis.Redis, name: str) -> None:
        self._client = client
        self._name = name
        self._held: Lease | None = None
        self._unanswered: list[str] = []
        super().__init__()

    def _take_outer(self, timeout: float) -> bool:
        self._drop_outer()  # a thread that was interrupted may have left it behind
        take = partial(Lease.acquire, self._client, self._name, seconds=LOCK_SECONDS, timeout=timeout)
        what = f"The lock {self._name} in Redis cannot be taken"
        self._held = _convert_errors(lambda: take(unanswered=self._unanswered), what)
        return self._held is not None

    def _drop_outer(self) -> None:
        """Release the lease; an expired one is somebody else's by now and stays theirs."""
        lease, self._held = self._held, None
        try:
            if lease is not None:
                lease.release()
        except redis.RedisError as error:
            event = "The lock %s in Redis was not released; it expires within %g s: %s"
            log.warning(event, self._name, LOCK_SECONDS, error)

    def _forget_outer(self) -> None:
        self._held, self._unanswered = None, []

    def write(self, key: str, value: str, seconds: float) -> bool:
        """Write a key that expires, if the lock is still held; return whether it is."""
        return self._held is not None and self._held.write(key, value, seconds)


class RedisTokenStore:
    """Stores a token in Redis, for any number of processes and machines.

    A token with a refresh token stays for 180 days after its last change. A token without one stays until a day after it expires.

    Args:
        redis_client: A `redis.Redis`, or the URL of a server: `rediss://…`, `unix://…`, or `redis://…` for this machine.
        name: Separates the tokens of several accounts.
        allow_plaintext: Whether the tokens may cross a network unencrypted, to a server of another machine without TLS.

    Raises:
        ConfigurationError: `redis_client` is neither, or would reach another machine without TLS.

    Example:
        >>> from payman_sdk.token_stores.redis import RedisTokenStore
        >>> store = RedisTokenStore("redis://localhost:6379/0", name="shop")
    """

    def __init__(
        self, redis_client: redis.Redis | str, *, name: str = "default", allow_plaintext: bool = False
    ) -> None:
        redis_client = to_secret(redis_client)  # a URL may hold a password
        self._key = f"payman:token:{escape(check_name(name))}"
        self._client = get_client(redis_client, allow_plaintext=allow_plaintext)
        self._lock = RedisLock(self._client, f"{self._key}:lock")

    def load(self) -> StoredToken | None:
        """Return the token in Redis, or None.

        Raises:
            TokenStoreError: Redis does not answer, or the stored token is damaged.
        """
        what = f"{self._key} in Redis cannot be read"
        text = decode_text(_convert_errors(lambda: call_bounded(lambda: self._client.get(self._key)), what))
        return None if text is None else StoredToken.from_json(SecretStr(text), f"{self._key} in Redis")

    def save(self, token: StoredToken) -> None:
        """Replace the stored token.

        Args:
            token: The new token.

        Raises:
            TokenStoreError: Redis refused it, or the lock has expired and somebody else may hold it.
        """
        seconds = _LONGEST if token.refresh_token else max(0.0, token.expires_at - wall_time()) + _DAY
        what = f"{self._key} in Redis cannot be written"
        if not _convert_errors(lambda: self._lock.write(self._key, token.to_json(), seconds), what):
            raise TokenStoreError(
                f"The lock of {self._key} in Redis expired before the token could be written.",
                next_step="Another process may have renewed it; if not, authorize again.",
            )

    @property
    def lock(self) -> Lock:
        """A lock in Redis that expires."""
        return self._lock

    def __repr__(self) -> str:
        return f"<RedisTokenStore {self._key}>"
