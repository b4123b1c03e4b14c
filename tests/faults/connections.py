"""Connections of the proxy: to a client, and to the server."""

from __future__ import annotations

import asyncio
import contextlib

from tests.faults.reserved_ports import HOST, end_with_a_reset

_PIECE = 65536


class LeftError(Exception):
    """Nothing is said to the client any more: it is gone, or a fault wants it so."""


class Wire:
    """A connection, to the client or to the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self._writer = reader, writer

    async def write(self, data: bytes) -> None:
        """Sends bytes.

        Raises:
            LeftError: The other side is gone.
        """
        try:
            self._writer.write(data)
            await self._writer.drain()
        except OSError:
            raise LeftError from None
        if self._writer.is_closing():
            raise LeftError

    def end(self, *, resets: bool = False) -> None:
        """Closes the connection, by a reset where one is wanted."""
        if resets:
            end_with_a_reset(self._writer.get_extra_info("socket"))
            self._writer.transport.abort()
        else:
            self._writer.close()

    async def ended(self) -> None:
        """Waits until the connection is closed."""
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


async def connect(port: int) -> Wire:
    """A connection to the server.

    Raises:
        LeftError: There is none to be had.
    """
    try:
        return Wire(*await asyncio.open_connection(HOST, port))
    except OSError:
        raise LeftError from None


async def rest(server: Wire) -> bytes:
    """All that comes until the end."""
    pieces: list[bytes] = []
    while data := await piece(server):
        pieces.append(data)
    return b"".join(pieces)


async def piece(server: Wire) -> bytes:
    """What comes next; nothing at the end, be it what was wanted or not."""
    try:
        return await server.reader.read(_PIECE)
    except OSError:
        return b""
