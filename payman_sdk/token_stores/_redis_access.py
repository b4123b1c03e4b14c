"""What all stores in Redis share: the client of the server, names of keys, and how long a step may take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from payman_sdk._io.token_store_access import LateError, call_within, get_time_left
from payman_sdk._secrets import SecretStr
from payman_sdk._url import is_loopback
from payman_sdk.errors import ConfigurationError

try:
    import redis as redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry
except ImportError as error:
    raise ConfigurationError(
        "Stores in Redis need redis.", next_step="pip install 'paymanai-sdk[redis]'"
    ) from error

T = TypeVar("T")

_PATIENCE = 3.0
"""Seconds that a server of Redis has for a connection, and for each answer."""
_ANSWER = 6.0
"""Seconds that one step may take with any client; a client of the program's own may wait for ever, or try again and again."""


def get_client(given: redis.Redis | str, *, allow_plaintext: bool = False) -> redis.Redis:
    """Return the client that was given, or one of the server at that URL, which waits seconds for an answer and no longer.

    Args:
        given: A client, or a URL: `rediss://`, `unix://`, or `redis://` for this machine.
        allow_plaintext: Whether tokens may cross a network unencrypted.

    Raises:
        ConfigurationError: It is neither, or would reach another machine without TLS.
    """
    client: redis.Redis
    if isinstance(given, str):
        # An idle connection may have been closed.
        retry = Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,))
        try:
            client = redis.Redis.from_url(  # pyright: ignore[reportUnknownMemberType] # untyped there
                SecretStr(given).reveal(),
                socket_timeout=_PATIENCE,
                socket_connect_timeout=_PATIENCE,
                retry=retry,
            )
        except (ValueError, TypeError):  # what they say may repeat a password
            client = None  # type: ignore[assignment]
        if client is None:
            raise ConfigurationError(
                "redis_client is not the address of a Redis server.",
                next_step="Give one such as rediss://redis.example:6379/0.",
            )
    elif isinstance(given, redis.Redis):
        client = given
    else:
        raise ConfigurationError(
            f"redis_client is a {type(given).__name__}.", next_step="Give a redis.Redis or a URL."
        )
    if not allow_plaintext and (host := _find_plaintext_host(client)) is not None:
        raise ConfigurationError(
            f"redis_client would send secrets unencrypted to {host}.",
            next_step="Use rediss://, or allow it by allow_plaintext=True where the network is your own.",
        )
    return client


def check_name(name: object) -> str:
    """Return the name of a store, as a part of a key.

    Raises:
        ConfigurationError: It is blank, or no text.
    """
    if not isinstance(name, str) or not name.strip():
        raise ConfigurationError(
            "name is blank or not a string.", next_step="Give a name, such as 'default'."
        )
    return escape(name)


def escape(part: str) -> str:
    """Return a text as a part of a key, which can neither end in nor begin with what the SDK adds to keys."""
    return part.replace("%", "%25").replace(":", "%3A")


def call_bounded(function: Callable[[], T]) -> T:
    """Call a function that asks Redis, and wait as long as the limit on stores allows, and no longer than for any answer.

    Raises:
        RedisError: It failed, or has not returned yet.
    """
    try:
        return call_within(function, get_time_left(_ANSWER))
    except LateError as error:
        raise redis.TimeoutError(str(error)) from None


def _find_plaintext_host(client: redis.Redis) -> str | None:
    """Return the other machine that a client talks to without TLS, None where there is none. An unknown one counts."""
    pool = client.connection_pool
    kind: Any = getattr(pool, "connection_class", None)
    known: Any = getattr(pool, "connection_kwargs", {})
    if isinstance(kind, type) and issubclass(kind, redis.SSLConnection | redis.UnixDomainSocketConnection):
        return None
    host = known.get("host", "localhost" if kind is redis.Connection else None)  # that is its default
    if not isinstance(host, str):
        return "a host that is not known"
    return None if is_loopback(host.lower()) else host
