"""What httpx is asked to do for one request, and what its failures mean."""

from __future__ import annotations

import functools
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import httpx

from payman_sdk.errors import APIConnectionError, APITimeoutError
from payman_sdk.redaction import redact
from payman_sdk.secrecy import reveal_for_wire


class Patience(NamedTuple):
    """How long one request may take, in seconds: to connect, and to be answered."""

    connect: float
    read: float


def addressed(request: Mapping[str, Any], base_url: str) -> dict[str, Any]:
    """The request with the whole address instead of the path alone."""
    return {**request, "url": _address(f"{base_url}{request['url']}")}


_address = functools.lru_cache(maxsize=64)(httpx.URL)
"""Parsed addresses; there are as many as servers and operations, and parsing costs more than sending the head."""


def request_of(
    http: httpx.Client | httpx.AsyncClient, request: Mapping[str, Any], base_url: str, timeout: httpx.Timeout
) -> httpx.Request:
    """The request, ready to be sent.

    Raises:
        httpx.LocalProtocolError: A host or a header cannot be written down; the same error while sending may mean anything.
    """
    sent = addressed(request, base_url)
    for name in ("headers", "params"):
        if name in sent:
            sent[name] = reveal_for_wire(sent[name])
    try:
        return http.build_request(**sent, timeout=timeout)
    except UnicodeError:
        sent.clear()
    raise httpx.LocalProtocolError("a host or a header cannot be written down")


def timeout_of(patience: Patience, remaining: float, read: float | None = None) -> httpx.Timeout:
    """The limits of one request that must not outlast the deadline, nor be silent for longer than it may.

    Raises:
        APITimeoutError: The deadline is over already; nothing was sent.
    """
    if remaining <= 0:
        failure = APITimeoutError("The time for the whole ask was over before the request could be sent.")
        failure.sent = False
        raise failure
    read = min(patience.read if read is None else read, remaining)
    return httpx.Timeout(connect=min(patience.connect, remaining), read=read, write=read, pool=remaining)


_NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
    httpx.InvalidURL,
)

FAILURES = (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, UnicodeError)
"""What comes out of httpx when a request fails."""


_DISCREET = (httpx.TimeoutException, httpx.NetworkError, httpx.RemoteProtocolError, httpx.DecodingError)


def network_failure(error: Exception) -> APIConnectionError:
    """The SDK's error for a failure of httpx; `sent` says whether the server may have got the request."""
    sent = not isinstance(error, _NEVER_SENT) or _is_misnamed(error)
    # Others may repeat an address or a header, and with it a secret.
    detail = (str(error).rstrip(".") if isinstance(error, _DISCREET) else "") or type(error).__name__
    if isinstance(error, httpx.TimeoutException):
        failure: APIConnectionError = APITimeoutError(
            f"No answer in time: {detail}." if sent else f"No connection in time: {detail}."
        )
    else:
        failure = APIConnectionError(
            f"The connection broke: {detail}." if sent else f"The server could not be reached: {detail}."
        )
    failure.sent, failure.is_passing = sent, not _is_final(error)
    return failure


_BEFORE_SENDING = frozenset(
    {"ClientConnectorError", "ConnectionTimeoutError", "InvalidURL", "NonHttpUrlClientError"}
)
"""Exceptions of aiohttp that come before anything is sent."""


def _is_misnamed(error: Exception) -> bool:
    """Whether a transport of aiohttp calls what broke after the request was sent a failure to connect, as httpx-aiohttp 0.2 does."""
    names = {
        kind.__name__ for kind in type(error.__cause__).__mro__ if kind.__module__.startswith("aiohttp.")
    }
    return bool(names) and names.isdisjoint(_BEFORE_SENDING)


def _is_final(error: BaseException | None) -> bool:
    """Whether TLS or the resolver of host names refused: they would again."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return not isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError | ssl.SSLSyscallError)
        if isinstance(error, socket.gaierror):
            return error.errno != socket.EAI_AGAIN
        error = error.__cause__ or error.__context__
    return isinstance(error, httpx.UnsupportedProtocol | httpx.InvalidURL)


def without_echo(answer: httpx.Response) -> httpx.Response:
    """An answer without the secrets that the server may repeat; a success stays as it is, for it may hold new ones."""
    answer.extensions.pop("reason_phrase", None)  # which `repr` would show
    if answer.is_success:
        return answer
    headers = [
        (name, redact(value)) for name, value in answer.headers.multi_items() if name not in _ABOUT_BODY
    ]
    return httpx.Response(answer.status_code, headers=headers, content=redact(answer.content))


_ABOUT_BODY = frozenset({"content-encoding", "content-length", "transfer-encoding"})


class Punctual(httpx.SyncByteStream):
    """A body that stops at the deadline: a server that drips must not hold the caller longer."""

    def __init__(self, body: httpx.SyncByteStream, deadline: float, clock: Callable[[], float]) -> None:
        self._body = body
        self._deadline = deadline
        self._clock = clock

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._body:
            if self._clock() > self._deadline:
                raise httpx.ReadTimeout("the answer was not complete at the deadline")
            yield piece

    def close(self) -> None:
        """Lets the connection go."""
        self._body.close()


def is_event_stream(answer: httpx.Response) -> bool:
    """Whether an answer is a stream of server-sent events, and of nothing else."""
    media_type: str = answer.headers.get("content-type", "")
    return answer.is_success and media_type.partition(";")[0].strip().lower() == "text/event-stream"


async def read_whole(answer: httpx.Response) -> httpx.Response:
    """Reads a streamed answer to its end.

    A compressed body is decoded afterwards: an exception amid reading leaves httpx's generators unfinished, which trio objects to.
    """
    if "content-encoding" not in answer.headers:
        await answer.aread()
        return answer
    body = b"".join([piece async for piece in answer.aiter_raw()])
    return httpx.Response(answer.status_code, headers=answer.headers, content=body, request=answer.request)
