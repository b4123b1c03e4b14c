"""Return to a pool of httpcore the connections that a stopped request has left behind.

If a task is cancelled while httpcore gives it a connection or takes one back, that connection has no owner and counts for ever
(httpcore 1.0). No public API of httpx shows that, so this code uses private attributes. If a later httpx or httpcore lacks them,
nothing is repaired.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, cast

import anyio
import httpcore
import httpx

_DEEPEST = 3
"""How many transports may be wrapped in each other."""


async def repair_pools(http: httpx.AsyncClient, extensions: Mapping[str, Any]) -> None:
    """Close what belongs to no request any more, and let those who wait have its place.

    Args:
        http: The client whose request was stopped.
        extensions: The extensions of that request, by which httpcore's own are recognized.
    """
    for pool in _iter_pools(http):
        with contextlib.suppress(AttributeError, ValueError):
            stray = _remove_orphans(pool, extensions)
            with anyio.CancelScope(shield=True):
                await pool._close_connections(stray)


def _remove_orphans(pool: Any, extensions: Mapping[str, Any]) -> list[Any]:
    """Take out the connections that belong to nobody, at once, so that no cancellation comes between."""
    for request in [one for one in pool._requests if one.request.extensions is extensions]:
        pool._requests.remove(request)
    held = {id(request.connection) for request in pool._requests}
    stray = [one for one in pool._connections if id(one) not in held and not _is_in_order(one)]
    for connection in stray:
        pool._connections.remove(connection)
    return [*stray, *pool._assign_requests_to_connections()]


def _is_in_order(connection: httpcore.AsyncConnectionInterface) -> bool:
    """Whether the pool itself knows what to do with a connection."""
    return connection.is_idle() or connection.is_closed() or connection.has_expired()


def _iter_pools(holder: object, depth: int = _DEEPEST) -> Iterator[Any]:
    """Yield the pools of a client or a transport, and of the transports in it."""
    values: list[Any] = list(getattr(holder, "__dict__", {}).values())
    for value in values:
        held: list[Any] = list(cast("dict[str, Any]", value).values()) if isinstance(value, dict) else [value]
        for one in held:
            if isinstance(one, httpcore.AsyncConnectionPool):
                yield one
            elif isinstance(one, httpx.AsyncBaseTransport) and depth:
                yield from _iter_pools(one, depth - 1)
