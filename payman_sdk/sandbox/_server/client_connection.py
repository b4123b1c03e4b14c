"""The connection that a request came on: what the server lets the application do with it, beyond ASGI."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any, Protocol

_EXTENSION = "payman.sandbox.line"


class Closable(Protocol):
    """What can be hung up: a transport of asyncio's, or its stand-in where no sockets exist."""

    def close(self) -> None:
        """End it after what has been sent."""
        ...

    def abort(self) -> None:
        """End it now."""
        ...


class JoinedTransport:
    """A transport of asyncio's that sends head and body of an answer in one piece; a send is much of what a short answer costs.

    The first piece of each turn of the event loop waits for the second one, or for the end of the turn.

    Args:
        transport: the one that sends.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._first: bytes | None = None

    def write(self, data: bytes) -> None:
        """Send something soon, after what was written before."""
        if self._first is None:
            self._first = data
            self._loop.call_soon(self._flush)
        else:
            first, self._first = self._first, None
            self._transport.write(first + data)

    def close(self) -> None:
        """End the connection after what was written."""
        self._flush()
        self._transport.close()

    def abort(self) -> None:
        """End the connection now; what can be sent without waiting is sent."""
        self._flush()
        self._transport.abort()

    def _flush(self) -> None:
        if self._first is not None:
            first, self._first = self._first, None
            self._transport.write(first)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


@dataclass(frozen=True)
class ClientConnection:
    """A connection.

    Attributes:
        transport: the connection itself.
        leaving: set once the server stops.
    """

    transport: Closable
    leaving: asyncio.Event

    def hang_up(self) -> None:
        """Close the connection after what has been sent, in the middle of the answer."""
        self.transport.close()

    async def hang_up_on_leaving(self) -> None:
        """Close the connection once the server stops, without waiting for a client that does not read."""
        await self.leaving.wait()
        self.transport.abort()

    def add_to_scope(self, scope: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """Return the scope of a request that came on this connection."""
        return {**scope, "extensions": {**scope.get("extensions", {}), _EXTENSION: {"line": self}}}


def find_connection(scope: MutableMapping[str, Any]) -> ClientConnection | None:
    """Return the connection of a request; None where the application runs in another server."""
    line = scope.get("extensions", {}).get(_EXTENSION, {}).get("line")
    return line if isinstance(line, ClientConnection) else None
