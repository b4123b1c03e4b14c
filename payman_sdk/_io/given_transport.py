"""A transport that the client was given, or a function that makes one for each process and event loop.

A given transport is closed in a child process before its first use there. A second event loop refuses it if it cannot work there.
"""

import contextlib
import os
import ssl
import threading
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Literal, NoReturn, TypeAlias, TypeVar, cast

import httpx

from payman_sdk._io.forks import Renewable, defer_forks, enter_section, leave_section, renew_after_fork
from payman_sdk._io.given_client import build_bare, show_query
from payman_sdk._io.http import OwnConnections
from payman_sdk._io.signals import defer_signals
from payman_sdk._refusals import describe_type, refuse
from payman_sdk.errors import ConfigurationError

Transport: TypeAlias = (
    httpx.BaseTransport
    | httpx.AsyncBaseTransport
    | Callable[[], httpx.BaseTransport]
    | Callable[[], httpx.AsyncBaseTransport]
    | Literal["aiohttp"]
)
"""A transport of httpx, a function that makes one, or `aiohttp`, for the extra of this name."""
Verify: TypeAlias = ssl.SSLContext | str | os.PathLike[str] | bool
"""Whom to trust: a context, or a file of certificates; True for the certificates of the environment."""

T = TypeVar("T", bound="httpx.BaseTransport | httpx.AsyncBaseTransport")

_CLOSING = 1.0
"""Seconds for closing an inherited transport: a thread of the parent may have held its lock."""


class UserTransport(httpx.BaseTransport):
    """A transport for threads: that of this process, given or made by what was given."""

    sends_itself = False
    build_request = staticmethod(build_bare)

    def __init__(self, given: Any) -> None:
        is_transport = isinstance(given, httpx.BaseTransport)
        self._make = None if is_transport else _build_factory(given, httpx.BaseTransport)
        self.transport: httpx.BaseTransport = given if self._make is None else self._make()
        self._is_used = self._is_inherited = False
        self._parents: list[httpx.BaseTransport] = []
        renew_after_fork(self)

    def check_usable(self) -> None:
        """Refuse a transport of the parent process that cannot be closed here."""
        if self._is_inherited:
            self._renew()

    def begin_anew(self) -> None:
        """Take note that the process has been forked."""
        self._is_inherited = self._is_inherited or self._is_used

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.check_usable()
        transport, self._is_used = self.transport, True
        given, address = request.extensions, request.url
        enter_section()
        try:
            _restore_query(request, transport)
            note = partial(_note_section, given.get("trace"))
            request.extensions = {**request.extensions, "trace": note}
            answer = transport.handle_request(request)
        finally:
            leave_section()
            request.extensions, request.url = given, address
        answer.request = request  # where no client of httpx says so
        answer.stream = _ProcessBoundBody(cast("httpx.SyncByteStream", answer.stream))
        return answer

    send = handle_request

    def close(self) -> None:
        if not self._is_inherited:
            with defer_signals():
                self.transport.close()

    def _renew(self) -> None:
        inherited = self.transport
        is_renewed = isinstance(inherited, Renewable) or _close_in_time(inherited.close)
        if self._make is not None:
            # The parent's connections are kept: to free them may wait for locks of OpenSSL's.
            self._parents.append(inherited)
            self.transport = self._make()
        elif not is_renewed:
            _refuse("in use when this process was forked, and its locks belong to the parent process")
        self._is_inherited = self._is_used = False


class AsyncUserTransport(httpx.AsyncBaseTransport):
    """The same for tasks."""

    sends_itself = False
    build_request = staticmethod(build_bare)

    def __init__(self, given: Any) -> None:
        # Here, because an event loop takes a while to import, which programs with threads do not need.
        from payman_sdk._io.event_loops import PerLoop, get_running_loop

        self._get_loop = get_running_loop
        self.transport = given if isinstance(given, httpx.AsyncBaseTransport) else None
        self._made = PerLoop(_build_factory(given, httpx.AsyncBaseTransport))
        self._used_in: tuple[int, weakref.ref[Any]] | None = None

    def check_usable(self) -> None:
        """Have a transport for this process and event loop, or refuse a given one that is useless here."""
        here = os.getpid(), weakref.ref(self._get_loop())
        if self.transport is None:
            self._made.get()
        elif self._used_in is not None and self._used_in != here:
            self._check(self.transport, is_inherited=self._used_in[0] != here[0])
        self._used_in = here

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.check_usable()
        transport = self._made.get() if self.transport is None else self.transport
        given, address = request.extensions, request.url
        try:
            _restore_query(request, transport)
            answer = await transport.handle_async_request(request)
        finally:
            request.extensions, request.url = given, address
        answer.request = request
        return answer

    send = handle_async_request

    async def aclose(self) -> None:
        """Close the transport; if a function made several, close this loop's, and forget the others."""
        if self.transport is not None:
            await self.transport.aclose()
        elif (made := self._made.pop()) is not None:
            await made.aclose()

    def _check(self, transport: httpx.AsyncBaseTransport, *, is_inherited: bool) -> None:
        if isinstance(transport, (Renewable, httpx.MockTransport, httpx.ASGITransport)):
            return
        if is_inherited:
            _refuse("used before this process was forked; its connections belong to the parent process")
        is_aiohttp = any(kind.__module__.startswith("httpx_aiohttp") for kind in type(transport).__mro__)
        if isinstance(transport, httpx.AsyncHTTPTransport) or is_aiohttp:
            _refuse("used in another event loop, and its connections belong to that")


def _note_section(listener: Callable[[str, Any], object] | None, event: str, about: Any) -> None:
    """Let a fork come only while httpcore waits for the network, where it holds no lock of its pool's."""
    if listener is not None:
        listener(event, about)
    leave_section() if event.endswith(".started") else enter_section()


class _ProcessBoundBody(httpx.SyncByteStream):
    """A body that is read in the process that asked for it, and in no child."""

    def __init__(self, body: httpx.SyncByteStream) -> None:
        self._body = body
        self._process = os.getpid()

    def __iter__(self) -> Iterator[bytes]:
        pieces = iter(self._body)
        try:
            while (piece := self._next(pieces)) is not None:
                yield piece
        finally:
            del pieces  # httpcore notes the end of a body that is left, too: a section begins there
            leave_section()

    def close(self) -> None:
        if self._process == os.getpid():
            with defer_forks():
                self._body.close()

    def _next(self, pieces: Iterator[bytes]) -> bytes | None:
        if self._process != os.getpid():
            raise httpx.ReadError("the connection is the parent process's")
        return next(pieces, None)


def _restore_query(request: httpx.Request, transport: object) -> None:
    """Give a request its query back, unless the transport does so itself."""
    if getattr(transport, "completes_requests", False) is not True:
        show_query(request)


def check_kind(value: object, kind: type, name: str) -> None:
    """Refuse what is not of this kind, such as a client for the other runner."""
    if not isinstance(value, (kind, OwnConnections)):
        refuse(name, f"is {describe_type(value)}", f"Give an httpx.{kind.__name__}.")


def _build_factory(given: Any, kind: type[T]) -> Callable[[], T]:
    """Return a function that makes a transport of this kind, or refuse it."""
    if given == "aiohttp":
        refuse("transport", "is 'aiohttp', which sends for AsyncPaymanClient only", "Leave transport out.")
    if not callable(given):
        check_kind(given, kind, "transport")

    def make() -> T:
        made = given()
        check_kind(made, kind, "transport")
        return cast("T", made)

    return make


def _refuse(why: str) -> NoReturn:
    """Raise the error for a transport that cannot be used here; nothing was sent."""
    raise ConfigurationError(
        f"transport was {why}.",
        next_step="Pass a function that creates the transport: the client calls it in every process and event loop.",
        sent=False,
    )


def _close_in_time(close: Callable[[], object]) -> bool:
    """Call a function that may wait forever, and return whether it has returned."""
    has_ended = threading.Event()

    def run() -> None:
        with contextlib.suppress(Exception):
            close()
        has_ended.set()

    threading.Thread(target=run, daemon=True, name="payman-close").start()
    return has_ended.wait(_CLOSING)
