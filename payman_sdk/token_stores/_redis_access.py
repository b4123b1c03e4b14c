"""What all stores in Redis share: the client of the server, names of keys, how long a step may take, and locks that expire.

A lock is a key that expires and holds a value only its holder knows. Releasing or extending it compares that value and acts in one
step: by a script, or, where scripts are refused, by WATCH and MULTI. A Redis that allows neither is noticed before the lock is
relied on.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from payman_sdk._io.locks import poll
from payman_sdk._io.token_store_access import call_within, get_time_left
from payman_sdk._refusals import build_missing_error, describe_type, refuse
from payman_sdk._secrets import SecretStr
from payman_sdk._url import is_loopback

try:
    import redis as redis
    from redis.backoff import NoBackoff
    from redis.exceptions import LockNotOwnedError
    from redis.retry import Retry
except ImportError as error:
    raise build_missing_error("Stores in Redis need redis", "redis") from error

T = TypeVar("T")

_PATIENCE = 3.0
"""Seconds that a server of Redis has for a connection, and for each answer."""
_ANSWER = 6.0
"""Seconds that one step may take with any client; a program's own client may wait or retry for ever."""


def get_client(given: redis.Redis | str, *, allow_plaintext: bool = False) -> redis.Redis:
    """Return the given client, or one of the server at that URL, which waits `_PATIENCE` seconds at most for an answer.

    Raises ConfigurationError if it is neither, or would reach another machine without TLS.
    """
    client: object = given
    if isinstance(given, str):
        # An idle connection may have been closed.
        retry = Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,))
        limits: dict[str, Any] = {"socket_timeout": _PATIENCE, "socket_connect_timeout": _PATIENCE}
        with contextlib.suppress(ValueError, TypeError):  # what they say may repeat a password
            client = redis.Redis.from_url(SecretStr(given).reveal(), retry=retry, **limits)  # pyright: ignore[reportUnknownMemberType] # untyped there
    if isinstance(client, str):
        fix = "Give one such as rediss://redis.example:6379/0."
        refuse("redis_client", "is not the address of a Redis server", fix)
    if not isinstance(client, redis.Redis):
        refuse("redis_client", f"is {describe_type(given)}", "Give a redis.Redis or a URL.")
    if not allow_plaintext and (host := _find_plaintext_host(client)) is not None:
        fix = "Use rediss://, or allow it by allow_plaintext=True where the network is your own."
        refuse("redis_client", f"would send secrets unencrypted to {host}", fix)
    return client


def escape(part: str) -> str:
    """Return a text as a part of a key, which cannot end or begin with what the SDK adds to keys."""
    return part.replace("%", "%25").replace(":", "%3A")


def call_bounded(function: Callable[[], T]) -> T:
    """Call a function that asks Redis; a RedisError says that it failed or did not return within the limit."""
    return call_within(function, get_time_left(_ANSWER), late=redis.TimeoutError)


def _find_plaintext_host(client: redis.Redis) -> str | None:
    """Return the other machine that a client reaches without TLS, or None. An unknown one counts."""
    pool = client.connection_pool
    kind: Any = getattr(pool, "connection_class", None)
    known: Any = getattr(pool, "connection_kwargs", {})
    if isinstance(kind, type) and issubclass(kind, redis.SSLConnection | redis.UnixDomainSocketConnection):
        return None
    host = known.get("host", "localhost" if kind is redis.Connection else None)  # that is its default
    if not isinstance(host, str):
        return "a host that is not known"
    return None if is_loopback(host.lower()) else host


_IF_HELD = "if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end redis.call(unpack(ARGV, 2)) return 1"

_takes_scripts: WeakKeyDictionary[redis.Redis, bool] = WeakKeyDictionary()
"""Whether a client's server compares and acts by a script; else by a transaction."""


class UnsupportedError(redis.RedisError):
    """A server of Redis lacks what locks need; `next_step` says what to do."""

    next_step = (
        "Allow EVAL, or WATCH, MULTI and EXEC, for this user and in every proxy, or use another store."
    )


class Lease:
    """A lock in Redis that was taken. It ends when released, or when not extended for so many seconds. Methods raise `redis.RedisError`."""

    def __init__(self, client: redis.Redis, name: str, seconds: float, earlier: list[str]) -> None:
        self._client = client
        self._name = name
        self._milliseconds = max(1, round(seconds * 1000))
        self._value = secrets.token_hex(16)
        self._earlier = earlier

    @classmethod
    def acquire(
        cls, client: redis.Redis, name: str, *, seconds: float, timeout: float, unanswered: list[str]
    ) -> Lease | None:
        """Wait for a lock, and take it; None if somebody else holds it all that time.

        `unanswered` are values of the holder's earlier attempts that had no answer. The lock is taken over if it holds one of them;
        a failed attempt adds one.
        """
        lease = cls(client, name, seconds, unanswered)
        try:
            if not poll(lambda: call_bounded(lease._take), timeout):
                return None
        except redis.RedisError:
            unanswered.append(lease._value)
            raise
        unanswered.clear()
        try:
            if client not in _takes_scripts:
                call_bounded(lease._extend)  # finds out
        except BaseException:
            with contextlib.suppress(redis.RedisError):
                call_bounded(lambda: client.delete(name))  # taken a moment ago, and so still ours
            raise
        return lease

    def reacquire(self) -> None:
        """Let it last as long again as at its beginning; raises LockNotOwnedError."""
        if not call_bounded(self._extend):
            raise LockNotOwnedError("The lock has expired.")

    def release(self) -> None:
        """End it; a lock that is somebody else's by now stays theirs."""
        call_bounded(lambda: self._do("DEL", self._name))

    def write(self, key: str, value: str, seconds: float) -> bool:
        """Write a key that expires, if the lease has not ended; returns whether it has not."""
        return call_bounded(lambda: self._write(key, value, max(1, round(seconds * 1000))))

    def _write(self, key: str, value: str, milliseconds: int) -> bool:
        try:
            return self._do("SET", key, value, "PX", milliseconds)
        except UnsupportedError:
            # Servers and proxies that keep keys on several machines do nothing with two keys that are not on the same.
            return self._is_held(self._client) and bool(self._client.set(key, value, px=milliseconds))

    def _is_held(self, client: Any) -> bool:
        return decode_text(client.get(self._name)) == self._value

    def _take(self) -> bool:
        if self._client.set(self._name, self._value, nx=True, px=self._milliseconds):
            return True
        # It may have been taken, and the answer that said so got lost: just now, before the client of Redis asked again, or earlier.
        found = decode_text(self._client.get(self._name))
        if found not in self._earlier:
            return found == self._value
        self._value = found
        return self._extend()

    def _extend(self) -> bool:
        return self._do("PEXPIRE", self._name, self._milliseconds)

    def _do(self, command: str, key: str, *arguments: str | int) -> bool:
        """Do a command only if the lock is held; return whether it is."""
        known = _takes_scripts.get(self._client)
        refusals: list[str] = []
        for is_script in (False,) if known is False else (True, False):
            do = self._run_script if is_script else self._run_transaction
            try:
                is_held = do(command, key, *arguments)
            except redis.RedisError as error:
                if known is not None and not (refusals or isinstance(error, redis.ResponseError)):
                    raise
                refusals.append(str(error))
            else:
                _takes_scripts[self._client] = is_script
                return is_held
        self._client.get(self._name)  # raises where it is the connection that failed
        raise UnsupportedError(
            f"neither scripts ({refusals[0]}) nor transactions ({refusals[-1]}) are allowed"
        )

    def _run_script(self, command: str, key: str, *arguments: Any) -> bool:
        keys = [self._name] if key == self._name else [self._name, key]
        return bool(self._client.eval(_IF_HELD, len(keys), *keys, self._value, command, key, *arguments))

    def _run_transaction(self, *command: Any) -> bool:
        with self._client.pipeline() as untyped:  # pyright: ignore[reportUnknownMemberType] # untyped there
            pipe: Any = untyped
            pipe.watch(self._name)
            if not self._is_held(pipe):
                return False
            pipe.multi()
            pipe.execute_command(*command)
            try:
                pipe.execute()
            except redis.WatchError:  # it ended in that moment
                return False
        return True


def decode_text(found: Any) -> str | None:
    """Return what Redis gave as text, whichever way its client is set to decode."""
    return found.decode("utf-8", "replace") if isinstance(found, bytes) else found
