"""An ASGI application on a loopback socket, served by its own thread, and the connection of each request."""

import asyncio
import os
import socket
import sys
import threading
from collections.abc import MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol, cast

import uvicorn
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from payman_sdk._io.clock import monotonic

_EXTENSION = "payman.sandbox.line"


def keep_real_time(loop: asyncio.BaseEventLoop) -> None:
    """Have a loop of asyncio read the real clock, for all timers of whatever runs on it."""
    vars(loop)["time"] = monotonic


def _new_real_time_loop() -> asyncio.AbstractEventLoop:
    loop: asyncio.BaseEventLoop
    if sys.platform == "win32":
        loop = asyncio.ProactorEventLoop()
    else:
        loop = asyncio.SelectorEventLoop()
    keep_real_time(loop)
    return loop


class Closable(Protocol):
    """A transport of asyncio's, or its substitute where no sockets exist."""

    def close(self) -> None:
        """End it after what has been sent."""
        ...

    def abort(self) -> None: ...


class JoinedTransport:
    """A transport of asyncio's that sends head and body of an answer together; a send is much of a short answer's cost.

    The first piece of each turn of the event loop waits for the second one, or for the end of the turn.
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
    """A connection; `leaving` is set once the server stops."""

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
        return {**scope, "extensions": {**scope.get("extensions", {}), _EXTENSION: {"line": self}}}


def find_connection(scope: MutableMapping[str, Any]) -> ClientConnection | None:
    """Return the connection of a request; None where the application runs in another server."""
    line = scope.get("extensions", {}).get(_EXTENSION, {}).get("line")
    return line if isinstance(line, ClientConnection) else None


_LAST_PORT = 65535
_PATIENCE = 3  # seconds that a running request gets when the server stops
_TURNS = 5  # of the event loop, and some to spare, until a connection that was accepted has its protocol


def check_port(port: int) -> None:
    """Refuse a port that cannot be served on; raises ValueError."""
    if isinstance(port, bool) or not isinstance(port, int) or not 0 <= port <= _LAST_PORT:
        raise ValueError(
            f"port must be a whole number from 0 to {_LAST_PORT} (0 picks a free one), not {port!r}"
        )


def _make_protocol(leaving: asyncio.Event) -> type[H11Protocol]:
    """HTTP/1.1 whose application gets the connection of a request."""

    class ConnectionProtocol(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's own
            joined = JoinedTransport(transport)
            super().connection_made(cast("asyncio.Transport", joined))
            app, line = self.app, ClientConnection(joined, leaving)

            async def call_app(scope: Scope, receive: Receive, send: Send) -> None:
                await app(line.add_to_scope(scope), receive, send)

            self.app = call_app

    return ConnectionProtocol


class _Server(uvicorn.Server):
    """A server that reports when it is ready, and that a stop wakes, without polling ten times a second."""

    def __init__(self, config: uvicorn.Config, leaving: asyncio.Event) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._leave = leaving

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.ready.set()
        await self._leave.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End as uvicorn does; if nothing runs any more, without its pause of a tenth of a second."""
        for sock in sockets or []:
            with suppress(NotImplementedError):  # on Windows
                asyncio.get_running_loop().remove_reader(sock)
        for _ in range(
            _TURNS
        ):  # asyncio forgets what it has just accepted, and leaves it open, if its server is closed now
            await asyncio.sleep(0)
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        end = asyncio.get_running_loop().time() + 0.1
        while self.server_state.connections or self.server_state.tasks:
            if asyncio.get_running_loop().time() > end:
                await super().shutdown(sockets)
                return
            await asyncio.sleep(0.001)
        for sock in sockets or []:
            sock.close()
        for server in self.servers:
            await server.wait_closed()

    def request_stop(self) -> None:
        """Stop serving; called from another thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._leave.set)


class ServerThread:
    """An application that is served until `stop()`. Raises OSError, naming a port that is taken or not allowed."""

    def __init__(self, app: Starlette, host: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        # asyncio turns Nagle's algorithm off only for sockets that name their protocol; with it on, an answer takes 40 ms.
        self._socket = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            if os.name == "posix":  # elsewhere the option lets two servers share a port
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind((host, port))
            self._socket.listen(2048)
        except OSError as error:
            self._socket.close()
            said = f"cannot serve on port {port}: {error.strerror}"
            fix = "use another port, 0 for a free one" if port else "check the address of host"
            raise OSError(error.errno, f"{said}; {fix}") from None
        self.port: int = self._socket.getsockname()[1]
        leaving = asyncio.Event()
        config = uvicorn.Config(
            app,
            http=_make_protocol(leaving),
            loop="asyncio",
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            # Longer than clients keep idle connections, so that none is closed while they take it up again.
            timeout_keep_alive=120,
            timeout_graceful_shutdown=_PATIENCE,
        )
        self._server = _Server(config, leaving)
        self._thread = threading.Thread(target=self._run, name=f"payman-sandbox-{self.port}", daemon=True)
        self._failure: BaseException | None = None
        self._thread.start()
        self._server.ready.wait()
        if self._failure is not None:
            self.stop()
            raise RuntimeError("the sandbox's server did not start") from self._failure

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=_new_real_time_loop) as runner:
                runner.run(self._server.serve(sockets=[self._socket]))
        except BaseException as failure:
            self._failure = failure
        finally:
            self._server.ready.set()

    def stop(self) -> None:
        """Stop serving: refuse new connections, cut off slow streams, give other requests a moment, and end the thread."""
        self._server.request_stop()
        self._thread.join()
        self._socket.close()
