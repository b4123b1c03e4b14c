"""A proxy on loopback between clients and a server, in a thread. It lets go wrong what a plan says.

Every ask gets a line, which is a port: so its requests can be counted and its connections refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any, Self

from payman_sdk._io.clock import monotonic
from tests.faults import http1
from tests.faults.connections import LeftError, Wire
from tests.faults.entries import Entry
from tests.faults.exchange import Exchange, Step
from tests.faults.fault_kinds import Fault, Kind
from tests.faults.http1 import Request
from tests.faults.plan import Faults
from tests.faults.reserved_ports import HOST, Port, end_with_a_reset
from tests.faults.visibility import Visibility

_LONGEST_END = 5.0  # seconds that requests under way get when the proxy ends


def _goes_on(name: str, step: str) -> bool:
    return False


class Line:
    """The way of one ask through the proxy. Made by `FaultProxy.line`.

    Attributes:
        ask: the number of the ask.
        url: what the client takes for the server.
        entries: what became of its requests so far, in order.
    """

    def __init__(self, proxy: FaultProxy, ask: int, *, looks_up_first: bool, step: Step) -> None:
        self.ask = ask
        self.entries: list[Entry] = []
        self._proxy, self._step = proxy, step
        self._may_send = not looks_up_first
        self._visibility = Visibility(proxy.plan.manner(ask), monotonic)
        self._port = Port()
        self.url = f"http://{HOST}:{self._port.number}"
        self._listener: socket.socket | None = None
        self._idle: set[Wire] = set()
        self._is_open = True
        # Not listening until the proxy's thread says so, a first request can be refused as well.
        if (first := self._upcoming()) is None or first.kind is not Kind.REFUSED:
            self._listener = self._port.listener()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Takes no more requests; those under way come to their end."""
        self._proxy.soon(self.shut)

    def shut(self) -> None:
        """Does what `close` says, in the proxy's thread."""
        if self._is_open:
            self._is_open = False
            self._deafen()
            self._port.close()
            for connection in self._idle:
                connection.end()
            self._proxy.forget(self)

    def admit(self) -> None:
        """Takes connections, or refuses them for a while where that is the next request's fault."""
        if not self._is_open:
            return
        fault = self._upcoming()
        if fault is not None and fault.kind is Kind.REFUSED:
            self._note("connection", fault)
            self._deafen()
            self._proxy.later(fault.seconds, self.admit)
            return
        if self._listener is None:
            self._listener = self._port.listener()
        self._proxy.loop.add_reader(self._listener.fileno(), self._accept, self._listener)

    def _deafen(self) -> None:
        if self._listener is not None:
            self._proxy.loop.remove_reader(self._listener.fileno())
            self._listener.close()
            self._listener = None

    def _accept(self, listener: socket.socket) -> None:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._proxy.begin(self._serve(connection))

    def _upcoming(self) -> Fault | None:
        # The first request is for a token; of later ones that is known when they are read.
        number = len(self.entries)
        return self._proxy.plan.fault(self.ask, number, for_token=number == 0)

    def _note(self, name: str, fault: Fault | None) -> Entry:
        entry = Entry(len(self.entries), name, fault)
        self.entries.append(entry)
        if fault is not None:
            self._proxy.faults[fault.kind] += 1
        return entry

    async def _serve(self, connection: socket.socket) -> None:
        fault = self._upcoming()
        if fault is not None and fault.kind.is_about_connections:
            self._note("connection", fault)
            if fault.resets:
                end_with_a_reset(connection)
            connection.close()
            self.admit()
            return
        client = Wire(*await asyncio.open_connection(sock=connection))
        try:
            if self._step("", "accepted"):
                return
            while self._is_open and await self._served(client):
                pass
        except LeftError:
            pass
        finally:
            client.end()
            self.admit()
            await client.ended()

    async def _served(self, client: Wire) -> bool:
        """Serves one request; returns whether the connection can take another one."""
        self._idle.add(client)
        try:
            request = await self._read(client)
        except (OSError, asyncio.IncompleteReadError):
            return False
        finally:
            self._idle.discard(client)
        number = len(self.entries)
        fault = self._proxy.plan.fault(self.ask, number, for_token=request.name == "token")
        entry = self._note(request.name, fault)
        if request.sends:
            entry.blind, self._may_send = not self._may_send, False
        return await Exchange(
            client,
            self._proxy.port,
            request,
            entry,
            self._proxy.restart,
            is_last=self._is_last,
            frees=self._free,
            visibility=self._visibility,
            step=self._step,
        ).done()

    def _free(self) -> None:
        self._may_send = True

    def _is_last(self) -> bool:
        """Whether the next request is to be refused: then it needs a connection of its own, and finds nobody listening."""
        fault = self._upcoming()
        if fault is None or fault.kind is not Kind.REFUSED:
            return False
        self._deafen()
        return True

    async def _read(self, client: Wire) -> Request:
        head = await client.reader.readuntil(http1.END_OF_HEAD)
        request = Request(head)
        self._made(request, "head received")
        body = await client.reader.readexactly(request.length // 2)
        self._made(request, "half received")
        body += await client.reader.readexactly(request.length - len(body))
        self._made(request, "received")
        return Request(head, body)

    def _made(self, request: Request, step: str) -> None:
        if self._step(request.name, step):
            raise LeftError


class FaultProxy:
    """Stands between clients and a server, and lets go wrong what a plan says.

    Args:
        port: Where the server is, on loopback.
        plan: Which request meets which fault.
        restart: Stops the server, and starts it again after so many seconds.

    Attributes:
        faults: how often each kind has come up.

    Example:
        >>> from payman_sdk.sandbox import Sandbox
        >>> from tests.faults import FaultProxy, Kind, Plan
        >>> plan = Plan(seed=1, rate=0.5, kinds=[Kind.LIMITED_MS])
        >>> with Sandbox() as sandbox, FaultProxy(int(sandbox.base_url.rpartition(":")[2]), plan) as proxy:
        ...     with proxy.line(ask=1) as line, sandbox.client(base_url=line.url) as client:
        ...         print(client.get_access_token()["expiresIn"] > 3000)
        True
    """

    def __init__(self, port: int, plan: Faults, restart: Callable[[float], None] | None = None) -> None:
        self.port, self.plan = port, plan
        self.faults: Counter[Kind] = Counter()
        self.loop = asyncio.new_event_loop()
        self._restart = restart
        self._restarting = asyncio.Lock()
        self._lines: set[Line] = set()
        self._under_way: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._run, name="payman-faults", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def line(self, ask: int, *, looks_up_first: bool = False, step: Step = _goes_on) -> Line:
        """A line for an ask; any thread may make one.

        Args:
            ask: The number of the ask, from which its faults follow.
            looks_up_first: Whether the ask has to learn that its task is unknown before it sends anything.
            step: Told every step of the requests that meet no fault, in the proxy's thread; it returns True where the
                client is gone and nothing goes on.
        """
        line = Line(self, ask, looks_up_first=looks_up_first, step=step)
        self._lines.add(line)
        self.soon(line.admit)
        return line

    def close(self) -> None:
        """Ends the proxy. Requests under way come to their end, late ones too: after that, the server gets none."""
        if not self._thread.is_alive():
            return
        asyncio.run_coroutine_threadsafe(self._end(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    def settle(self) -> None:
        """Waits until nothing is under way on lines that have been closed: what was late has arrived by then."""
        asyncio.run_coroutine_threadsafe(self._settled(), self.loop).result()

    def soon(self, call: Callable[[], None]) -> None:
        """Has something done in the proxy's thread, unless that has ended."""
        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(call)

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Has something done in the proxy's thread, called from there."""
        self.loop.call_later(seconds, call)

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Begins to serve a connection, in the proxy's thread."""
        task = self.loop.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    def forget(self, line: Line) -> None:
        """Takes a line off the list of those to be closed."""
        self._lines.discard(line)

    async def restart(self, seconds: float) -> None:
        """Restarts the server, one restart at a time."""
        if self._restart is not None:
            async with self._restarting:
                await asyncio.to_thread(self._restart, seconds)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    async def _end(self) -> None:
        for line in list(self._lines):
            line.shut()
        for task in await self._settled():
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        await self.loop.shutdown_default_executor()

    async def _settled(self) -> set[asyncio.Task[None]]:
        """Waits for what is under way, and returns what takes too long."""
        if not self._under_way:
            return set()
        _, late = await asyncio.wait(self._under_way, timeout=_LONGEST_END)
        return late
