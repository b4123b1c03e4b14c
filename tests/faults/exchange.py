"""One request and its answer, between the client and the server, and what a fault makes of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from tests.faults import http1
from tests.faults.connections import LeftError, Wire, connect, piece, rest
from tests.faults.entries import HIDDEN, Entry
from tests.faults.fault_kinds import Fault, Kind
from tests.faults.http1 import Request
from tests.faults.shapes import reshape
from tests.faults.visibility import Visibility

_PIECES = 7
"""In how many pieces an answer drips."""

Restart = Callable[[float], Awaitable[None]]
"""Stops the server, and starts it again after so many seconds."""

Step = Callable[[str, str], bool]
"""Told which step (`received`, `forwarded`, …) of which request (`send`, …) has been made; True ends it all there."""


class Exchange:
    """One request and its answer.

    Args:
        client: The connection that the request came on.
        port: Where the server is.
        request: What came.
        entry: Where it is written down.
        restart: Restarts the server.
        is_last: Asked when the answer begins: whether the connection has to be closed after it.
        frees: Called before the client can know that the server knows nothing of the task.
        visibility: Whether the server shows the task yet.
        step: Told every step of an exchange that meets no fault.
    """

    def __init__(
        self,
        client: Wire,
        port: int,
        request: Request,
        entry: Entry,
        restart: Restart,
        *,
        is_last: Callable[[], bool],
        frees: Callable[[], None],
        visibility: Visibility,
        step: Step,
    ) -> None:
        self._client, self._port = client, port
        self._request, self._entry = request, entry
        self._restart, self._frees, self._visibility, self._step = restart, frees, visibility, step
        self._asked_is_last, self._is_last = is_last, False

    async def done(self) -> bool:
        """Carries it out, and returns whether the connection can take another request.

        Raises:
            LeftError: The connection of the client has to be closed.
        """
        fault = self._entry.fault
        if self._request.looks_up and self._visibility.is_hidden():
            self._entry.note = HIDDEN
            return await self._passed(http1.unknown_task(self._request))
        if fault is None:
            return await self._relayed()
        match fault.kind:
            case Kind.REFUSED | Kind.HUNG_UP | Kind.LOST:
                self._client.end(resets=fault.resets)
                return False
            case kind if kind.status is not None:
                if fault.forwards:
                    await self._fetched()
                return await self._told(http1.refusal(kind.status, **fault.hint))
            case Kind.RESTART:
                return await self._restarted(fault)
            case Kind.LATE:
                await asyncio.sleep(fault.seconds)
                return await self._passed(await self._fetched())
            case _:
                return await self._spoiled(fault, await self._fetched())

    async def _spoiled(self, fault: Fault, answer: bytes) -> bool:
        """Tells the client an answer of the server's as the fault wants it."""
        match fault.kind:
            case Kind.ANSWER_LOST:
                self._client.end(resets=fault.resets)
                return False
            case Kind.CUT:
                await self._client.write(answer[: int(fault.share * len(answer))])
                await asyncio.sleep(0.001)  # or else a reset may overtake what has been sent
                self._client.end(resets=fault.resets)
                return False
            case Kind.SLOW:
                await asyncio.sleep(fault.seconds)
                return await self._passed(answer)
            case Kind.HTML:
                return await self._told(http1.page())
            case Kind.TRUNCATED:
                return await self._told(http1.cut_short(answer, fault.share))
            case Kind.ODD:
                return await self._passed(reshape(answer, fault.share))
            case Kind.FOREIGN:
                return await self._passed(http1.marked(answer, fault.share))
            case Kind.TWO:
                return await self._passed(answer, twice=True)
            case Kind.DRIP:
                size = len(answer) // _PIECES + 1
                return await self._dripped(answer, 0, size, fault.seconds)
            case Kind.STUCK:
                head = answer.index(http1.END_OF_HEAD) + len(http1.END_OF_HEAD)
                return await self._dripped(
                    answer, head + int(fault.share * (len(answer) - head)), 1, fault.seconds
                )
            case Kind.STUCK_HEAD:
                return await self._dripped(answer, 0, 1, fault.seconds)
            case _:
                raise AssertionError(f"{fault} spoils no answer")

    async def _told(self, answer: bytes) -> bool:
        """Tells the client an answer that is not the server's."""
        await self._client.write(self._closing(answer))
        return not self._is_last

    async def _passed(self, answer: bytes, *, twice: bool = False) -> bool:
        self._consider(answer)
        await self._client.write(self._closing(answer) * (2 if twice else 1))
        return not self._is_last

    async def _dripped(self, answer: bytes, start: int, size: int, pause: float) -> bool:
        self._consider(answer)
        answer = self._closing(answer)
        await self._client.write(answer[:start])
        for place in range(start, len(answer), size):
            await asyncio.sleep(pause)
            await self._client.write(answer[place : place + size])
        return not self._is_last

    def _consider(self, answer: bytes) -> None:
        """Notices an answer that says that the task is unknown."""
        if self._request.looks_up and http1.says_unknown_task(answer):
            self._entry.not_found = True
            self._frees()

    def _closing(self, answer: bytes) -> bytes:
        """The answer, with the word that it is the connection's last one where it is."""
        self._is_last = self._asked_is_last()
        head, mark, body = answer.partition(http1.END_OF_HEAD)
        return (http1.to_be_closed(head + mark) if self._is_last else head + mark) + body

    async def _fetched(self) -> bytes:
        """The server's answer to the request.

        Raises:
            LeftError: The server is away, or went away.
        """
        server = await self._reached()
        try:
            await server.write(self._request.alone())
            self._forwarded()
            answer = await rest(server)
        finally:
            server.end()
        if not http1.is_whole(answer):
            self._entry.note = "the server went away"
            raise LeftError
        self._taken()
        head, mark, body = answer.partition(http1.END_OF_HEAD)
        return http1.kept_open(head + mark) + body

    async def _reached(self) -> Wire:
        try:
            return await connect(self._port)
        except LeftError:
            self._entry.note = "the server is away"
            raise

    async def _relayed(self) -> bool:
        """Passes everything on as it comes."""
        server = await self._reached()
        try:
            data = self._request.alone()
            await server.write(data[: len(data) // 2])
            self._made("forwarded half")
            await server.write(data[len(data) // 2 :])
            self._forwarded()
            try:
                self._made("forwarded")
                answer = await self._passed_on(server)
            except LeftError:
                await rest(server)  # the client is gone, and the server has its request
                self._taken()
                raise
        finally:
            server.end()
        if not http1.is_whole(answer):
            self._entry.note = "the server went away"
            raise LeftError
        self._taken()
        self._made("passed")
        return not self._is_last

    async def _passed_on(self, server: Wire) -> bytes:
        try:
            head = await server.reader.readuntil(http1.END_OF_HEAD)
        except (OSError, asyncio.IncompleteReadError):
            return b""
        self._made("answered")
        head = self._closing(http1.kept_open(head))
        await self._client.write(head)
        self._made("head passed")
        answer = bytearray(head)
        while not http1.is_whole(answer) and (data := await piece(server)):
            middle = len(data) // 2 if len(answer) == len(head) else 0
            answer += data
            if http1.is_whole(answer):
                self._consider(bytes(answer))
            await self._client.write(data[:middle])
            if middle:
                self._made("half passed")
            await self._client.write(data[middle:])
        return bytes(answer)

    def _forwarded(self) -> None:
        self._entry.forwarded = True
        if self._request.sends:
            self._visibility.take()

    def _taken(self) -> None:
        self._entry.taken = True
        if self._request.sends:
            self._visibility.finish()

    def _made(self, step: str) -> None:
        if self._step(self._request.name, step):
            raise LeftError

    async def _restarted(self, fault: Fault) -> bool:
        """Restarts the server: before it has the request, when it has half of it, all of it, or has answered."""
        claimed = b""
        if fault.share >= 0.75:
            answer = await self._fetched()
            claimed = answer[: int((fault.share - 0.75) * 4 * len(answer))]
        elif fault.share >= 0.25:
            server = await self._reached()
            data = self._request.alone()
            whole = fault.share >= 0.5
            await server.write(data if whole else data[: len(data) // 2])
            if whole:
                self._forwarded()
            if fault.resets:
                await asyncio.sleep(0.002)
            server.end(resets=True)
        going = asyncio.ensure_future(self._restart(fault.seconds))
        try:
            await asyncio.sleep(0)
            await self._client.write(claimed)
            self._client.end(resets=fault.resets)
        finally:
            await going
        return False
