"""A transport that the client was given: one of httpx's or of a program's own, or a function that makes one.

A transport's connections and locks work in one process only, and for tasks in one event loop only. A given function is called
again for each. A given transport is closed in a child process before its first use there. A second event loop refuses it if it is
known not to work there.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeVar, cast

import httpx

from payman_sdk._io.forks import Renewable, defer_forks, enter_section, leave_section, renew_after_fork
from payman_sdk._io.routes import show_query
from payman_sdk._io.signals import defer_signals
from payman_sdk.errors import ConfigurationError

T = TypeVar("T", bound="httpx.BaseTransport | httpx.AsyncBaseTransport")

_CLOSING = 1.0
"""Seconds that closing an inherited transport may take: another thread of the parent may have held its lock."""


class UserTransport(httpx.BaseTransport):
    """A transport for threads.

    Args:
        given: The transport, or what makes one.

    Raises:
        ConfigurationError: It is neither.
    """

    def __init__(self, given: Any) -> None:
        self._make = (
            None if isinstance(given, httpx.BaseTransport) else build_factory(given, httpx.BaseTransport)
        )
        self._transport: httpx.BaseTransport = given if self._make is None else self._make()
        self._is_used = self._is_inherited = False
        self._parents: list[httpx.BaseTransport] = []
        renew_after_fork(self)

    @property
    def transport(self) -> httpx.BaseTransport:
        """The transport of this process."""
        return self._transport

    def check_usable(self) -> None:
        """See that the transport is this process's.

        Raises:
            ConfigurationError: It was used in the parent process, and cannot be closed here.
        """
        if self._is_inherited:
            self._renew()

    def begin_anew(self) -> None:
        """Take note that the process has been forked."""
        self._is_inherited = self._is_inherited or self._is_used

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request with the transport."""
        self.check_usable()
        transport, self._is_used = self._transport, True
        given, address = request.extensions, request.url
        enter_section()
        try:
            restore_query(request, transport)
            sections = _ForkSections(given.get("trace"))
            request.extensions = {**request.extensions, "trace": sections.note}
            answer = transport.handle_request(request)
        finally:
            leave_section()
            request.extensions, request.url = given, address
        answer.stream = _ProcessBoundBody(cast("httpx.SyncByteStream", answer.stream))
        return answer

    def close(self) -> None:
        """Close the transport."""
        if not self._is_inherited:
            with defer_signals():
                self._transport.close()

    def _renew(self) -> None:
        inherited = self._transport
        is_renewed = isinstance(inherited, Renewable) or _close_in_time(inherited.close)
        if self._make is not None:
            # What is left of the parent's connections stays as it is: to free it may wait for locks of OpenSSL's.
            self._parents.append(inherited)
            self._transport = self._make()
        elif not is_renewed:
            raise build_refusal(
                "transport was in use when this process was forked, and its locks belong to the parent process."
            )
        self._is_inherited = self._is_used = False


class _ForkSections:
    """Lets a fork come while httpcore waits for the network, where it holds no lock of its pool's, and at no other time.

    Args:
        listener: Called with the steps of httpcore, too.
    """

    def __init__(self, listener: Callable[[str, Any], object] | None) -> None:
        self._listener = listener

    def note(self, event: str, about: Any) -> None:
        """Hear of a step."""
        if self._listener is not None:
            self._listener(event, about)
        if event.endswith(".started"):
            leave_section()
        else:
            enter_section()


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
            leave_section()

    def close(self) -> None:
        if self._process == os.getpid():
            with defer_forks():
                self._body.close()

    def _next(self, pieces: Iterator[bytes]) -> bytes | None:
        if self._process != os.getpid():
            raise httpx.ReadError("the connection is the parent process's")
        return next(pieces, None)


def restore_query(request: httpx.Request, transport: object) -> None:
    """Give a request its query back, unless the transport says that it does so itself."""
    if getattr(transport, "completes_requests", False) is not True:
        show_query(request)


def check_transport(given: object, kind: type) -> None:
    """Refuse what is neither a transport nor a function that makes one, nor the name of one that there is.

    Raises:
        ConfigurationError: It is none of these, or needs an extra that is not installed.
    """
    if given == "aiohttp":
        if kind is not httpx.AsyncBaseTransport:
            raise ConfigurationError(
                "transport is 'aiohttp', which sends for AsyncPaymanClient only.",
                next_step="Leave transport out.",
            )
        if importlib.util.find_spec("httpx_aiohttp") is None:
            raise ConfigurationError(
                "transport is 'aiohttp', which needs httpx-aiohttp.",
                next_step="Install it: pip install 'paymanai-sdk[aiohttp]'.",
            )
    elif given is not None and not isinstance(given, kind) and not callable(given):
        raise _build_kind_error(given, kind)


def build_factory(given: Any, kind: type[T]) -> Callable[[], T]:
    """Return a function that makes a transport of this kind, or refuses what was given."""
    check_transport(given, kind)

    def make() -> T:
        made = given()
        if not isinstance(made, kind):
            raise _build_kind_error(made, kind)
        return made

    return make


def _build_kind_error(given: object, kind: type) -> ConfigurationError:
    # A secret is a str to whoever gave it.
    name = "str" if isinstance(given, str) else type(given).__name__
    return ConfigurationError(f"transport is a {name}.", next_step=f"Give an httpx.{kind.__name__}.")


def build_refusal(why: str) -> ConfigurationError:
    """Return the error for a transport that cannot be used here; nothing was sent."""
    return ConfigurationError(
        why,
        next_step="Pass a function that creates the transport: the client calls it in every process and event loop.",
        sent=False,
    )


def _close_in_time(close: Callable[[], object]) -> bool:
    """Call a function that may wait for a lock which nobody will ever release, and return whether it has returned."""
    has_ended = threading.Event()

    def run() -> None:
        with contextlib.suppress(Exception):
            close()
        has_ended.set()

    threading.Thread(target=run, daemon=True, name="payman-close").start()
    return has_ended.wait(_CLOSING)
