"""Connecting and waiting in event loops on sockets that belong to none of them."""

import asyncio
import os
import select
import socket
from functools import partial
from typing import Any

import anyio

from payman_sdk._io.event_loops import RealTimer, get_asyncio_loop, move_on_after
from payman_sdk._io.signals import defer_on_trio

_STAGGER = 0.25
"""Seconds until the next address of a host is tried beside an unanswered one, as in RFC 8305."""


async def find_addresses(host: str, port: int) -> list[tuple[int, Any]]:
    """Return the family and address of a host, all of them, the best first."""
    try:
        found: Any = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:  # a name, whose look-up may block
        found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(family, address) for family, _, _, _, address in found]


async def connect(addresses: list[tuple[int, Any]]) -> socket.socket:
    """Return a socket that is connected to one of the addresses; raise the first failure if none answered."""
    if len(addresses) == 1:
        return await _connect_to(*addresses[0])
    connected: list[socket.socket] = []
    failures: list[OSError] = []

    async def attempt(family: int, address: Any, ended: anyio.Event) -> None:
        try:
            connected.append(await _connect_to(family, address))
            group.cancel_scope.cancel()
        except OSError as error:
            failures.append(error)
        ended.set()

    async with anyio.create_task_group() as group:
        for family, address in addresses:
            ended = anyio.Event()
            group.start_soon(attempt, family, address, ended)
            with move_on_after(_STAGGER):
                await ended.wait()
    for late in connected[1:]:
        late.close()
    if not connected:
        raise failures[0]
    return connected[0]


@defer_on_trio
async def _connect_to(family: int, address: Any) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            sock.connect(address)
        except (BlockingIOError, InterruptedError):
            await wait_for_socket(sock, None, to_write=True)
            if error := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                raise OSError(error, os.strerror(error)) from None
    except BaseException:
        sock.close()
        raise
    return sock


async def wait_for_socket(sock: socket.socket, timeout: float | None, *, to_write: bool) -> bool:
    """Wait until a socket can be read from or written to; False after so many seconds."""
    loop = get_asyncio_loop()
    if loop is None:
        return await _wait_anywhere(sock, timeout, to_write=to_write)
    future: asyncio.Future[bool] = loop.create_future()
    add, remove = (loop.add_writer, loop.remove_writer) if to_write else (loop.add_reader, loop.remove_reader)
    descriptor = sock.fileno()
    try:
        add(descriptor, _set_result, future, True)
    except NotImplementedError:  # Windows' usual loop
        return await _wait_anywhere(sock, timeout, to_write=to_write)
    timer = RealTimer(partial(_set_result, future, False), timeout)
    try:
        timer.start()
        return await future
    finally:
        remove(descriptor)
        timer.stop()


def _set_result(future: asyncio.Future[bool], came: bool) -> None:
    if not future.done():
        future.set_result(came)


async def _wait_anywhere(sock: socket.socket, timeout: float | None, *, to_write: bool) -> bool:
    """Return the same by what anyio has for it, on trio and on Windows."""
    with move_on_after(timeout):
        await (anyio.wait_writable(sock) if to_write else anyio.wait_readable(sock))
        return True
    return False


def is_readable(sock: socket.socket) -> bool:
    """Whether there is something to read, or the other side has closed."""
    if sock.fileno() < 0:
        return True
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        return bool(poll.poll(0))
    return bool(select.select([sock], [], [], 0)[0])
