"""A transport for tasks that the client was given; `given_transport.py` has the one for threads, and says what they share."""

from __future__ import annotations

import os
import weakref
from typing import Any

import httpx

from payman_sdk._io.event_loops import PerLoop, get_running_loop
from payman_sdk._io.forks import Renewable
from payman_sdk._io.given_transport import build_factory, build_refusal, restore_query

_WITHOUT_CONNECTIONS = (httpx.MockTransport, httpx.ASGITransport)


class AsyncUserTransport(httpx.AsyncBaseTransport):
    """A transport for tasks.

    Args:
        given: The transport, or what makes one.

    Raises:
        ConfigurationError: It is neither.
    """

    def __init__(self, given: Any) -> None:
        self._given: httpx.AsyncBaseTransport | None = None
        self._made: PerLoop[httpx.AsyncBaseTransport] | None = None
        if isinstance(given, httpx.AsyncBaseTransport):
            self._given = given
        else:
            self._made = PerLoop(build_factory(given, httpx.AsyncBaseTransport))
        self._used_in: tuple[int, weakref.ref[Any]] | None = None

    def check_usable(self) -> None:
        """See that the transport is this process's and this event loop's.

        Raises:
            ConfigurationError: It was used in another one, and is of no use here.
        """
        here = os.getpid(), weakref.ref(get_running_loop())
        if self._given is not None and self._used_in is not None and self._used_in != here:
            self._check(self._given, is_inherited=self._used_in[0] != here[0])
        self._used_in = here

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request with the transport."""
        self.check_usable()
        transport = self._made.get() if self._given is None and self._made is not None else self._given
        assert transport is not None  # noqa: S101 (it is one or the other)
        given, address = request.extensions, request.url
        try:
            restore_query(request, transport)
            return await transport.handle_async_request(request)
        finally:
            request.extensions, request.url = given, address

    async def aclose(self) -> None:
        """Close the transport; where a function made several, that of the loop that runs here, and forget the others."""
        if self._given is not None:
            await self._given.aclose()
        elif self._made is not None and (made := self._made.pop()) is not None:
            await made.aclose()

    def _check(self, transport: httpx.AsyncBaseTransport, *, is_inherited: bool) -> None:
        if isinstance(transport, (Renewable, *_WITHOUT_CONNECTIONS)):
            return
        if is_inherited:
            raise build_refusal(
                "transport was used before this process was forked; its connections belong to the parent process."
            )
        if isinstance(transport, httpx.AsyncHTTPTransport) or _is_aiohttp(transport):
            raise build_refusal(
                "transport was used in another event loop, and its connections belong to that."
            )


def _is_aiohttp(transport: object) -> bool:
    return any(kind.__module__.partition(".")[0] == "httpx_aiohttp" for kind in type(transport).__mro__)
