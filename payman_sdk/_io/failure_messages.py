"""Why a request has no answer, in words that repeat nothing of it: an address or a header may be secret."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterator
from typing import Any, cast

import httpcore
import httpx

from payman_sdk._core.transmission import Transmission
from payman_sdk._io.transport_info import TransportInfo, format_host_port, parse_host_port

_DISCREET = (httpx.TimeoutException, httpx.NetworkError, httpx.RemoteProtocolError, httpx.DecodingError)
"""What says nothing of the request, where httpx raised it."""

_LONGEST_CHAIN = 16
"""How many causes back an exception is looked at."""


def describe_failure(
    error: BaseException | None,
    transmission: Transmission,
    request: httpx.Request,
    knowledge: TransportInfo,
    *,
    sent: bool,
) -> str:
    """Return a sentence on a request without an answer: where it went, and what went wrong."""
    reason, place = (
        describe_cause(error, knowledge, transmission),
        _describe_place(request, transmission, knowledge),
    )
    if sent and is_timeout(error):
        return f"No answer in time from {place}: {reason}."
    if sent:
        return f"The connection to {place} broke: {reason}."
    is_waiting = isinstance(error, httpx.PoolTimeout) or (error is None and not transmission.was_seen)
    return (
        f"No connection to {place} was free in time."
        if is_waiting
        else f"Could not connect to {place}: {reason}."
    )


def _describe_place(request: httpx.Request, transmission: Transmission, knowledge: TransportInfo) -> str:
    """The host and port of a request, and the proxy on the way."""
    server, peer = parse_host_port(request.url), transmission.peer
    place = format_host_port(*server)
    if knowledge.proxy is not None:
        return f"{place} (via proxy {knowledge.proxy})"
    # A transport that wraps another may lead anywhere.
    return place if peer is None or peer == server else f"{place} (via {format_host_port(*peer)})"


def describe_cause(
    error: BaseException | None, knowledge: TransportInfo, transmission: Transmission | None = None
) -> str:
    """Return why there is no answer, in words that repeat nothing of the request."""
    if error is None:
        is_sent = transmission is None or transmission.sends
        return "it was not complete at the deadline" if is_sent else "timed out"
    if isinstance(error, httpx.HTTPError | OSError):
        for one in iter_causes(error):
            if (said := _get_system_message(one)) is not None:
                return said
    cause = error.__cause__
    failed = None if transmission is None else transmission.failure
    was_seen = failed is not None and (error is failed or cause is failed)
    if isinstance(error, httpx.ProxyError) and isinstance(cause, httpcore.ProxyError):
        status = str(cause)[:3]
        return f"the proxy answered {status}" if status.isdigit() else "the proxy refused"
    if (was_seen or knowledge.is_discreet) and isinstance(error, _DISCREET):
        return str(error).rstrip(".") or type(error).__name__
    return "timed out" if is_timeout(error) else type(error).__name__


def _get_system_message(error: BaseException) -> str | None:
    """What the system says of a failure, by its number: a text that comes with it may be anybody's."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return "the certificate is not trusted"
    if isinstance(error, ssl.SSLError):
        return "TLS failed"
    if isinstance(error, socket.gaierror):
        return "the name of the host cannot be resolved"
    if isinstance(error, OSError) and isinstance(error.errno, int) and error.errno > 0:
        return os.strerror(error.errno).lower()
    return None


def is_timeout(error: BaseException | None) -> bool:
    """Return whether an exception says that the time was over; None is a deadline."""
    return error is None or isinstance(error, httpx.TimeoutException | TimeoutError)


def iter_causes(error: BaseException | None) -> Iterator[BaseException]:
    """An exception, what caused it, what caused that."""
    one: Any = error  # a group of exceptions is generic, which no checker can narrow to
    for _ in range(_LONGEST_CHAIN):
        if one is None:
            return
        yield one
        if isinstance(one, BaseExceptionGroup):
            one = cast("Any", one).exceptions[0]
        else:
            one = one.__cause__ or one.__context__
