"""What an exception says of the request that it ended: whether that may have been sent, and why there is no answer.

Whatever is raised once a transport has a request counts as raised after sending. It takes knowledge to say otherwise: the request
was watched while it connected, or every line of the transport is known.
"""

from __future__ import annotations

import os
import socket
import ssl
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

import httpcore
import httpx

from payman_sdk.errors import APIConnectionError, APITimeoutError
from payman_sdk.network import without_echo
from payman_sdk.routes import Routes
from payman_sdk.transmission import Transmission

_NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
    httpx.InvalidURL,
)
"""What httpx's own transports raise before they send anything. Others may raise it whenever they like."""

_UNSEEN = (httpcore.PoolTimeout, httpcore.ProxyError, httpcore.UnsupportedProtocol)
"""What httpcore raises before it sends anything, and reports no step of."""

_DISCREET = (httpx.TimeoutException, httpx.NetworkError, httpx.RemoteProtocolError, httpx.DecodingError)
"""What says nothing of the request. Others may repeat an address or a header, and with it a secret."""

_PORTS = {"http": 80, "https": 443}

_LONGEST_CHAIN = 16
"""How many causes back an exception is looked at."""


class Knowledge(NamedTuple):
    """What is known of a transport.

    Attributes:
        is_exact: What it raises says by its class whether the request was sent.
        is_watched: It reports when it sends, so that silence means that nothing was sent.
        is_discreet: What it raises repeats nothing of the request, and nobody else has a say.
        proxy: The address of the proxy that it connects to, if any, without a user's name.
    """

    is_exact: bool = False
    is_watched: bool = False
    is_discreet: bool = False
    proxy: str | None = None


NOTHING = Knowledge()
"""What is known of a transport that anybody may have written."""


def knowledge_of(http: httpx.Client | httpx.AsyncClient, base_url: str) -> Knowledge:
    """Return what is known of the transport that reaches an address.

    Only a transport's very class is known: one that is derived from it may send twice, and raise what it likes. Transports of
    the SDK's own say `reports_sending` in their class.
    """
    transport = getattr(http, "connections", None)
    find = getattr(http, "_transport_for_url", None)  # a later httpx may not say it any more
    if transport is None and find is not None:
        transport = find(httpx.URL(base_url))
    kind = type(transport)
    is_of_httpx = kind is httpx.HTTPTransport or kind is httpx.AsyncHTTPTransport
    bridge = sys.modules.get("httpx_aiohttp")
    is_bridge = bridge is not None and kind is bridge.AiohttpTransport
    is_watched = is_of_httpx or vars(kind).get("reports_sending") is True
    is_discreet = is_watched and type(http).__module__.startswith(
        "payman_sdk."
    )  # a given client may have hooks
    return Knowledge(is_watched or is_bridge, is_watched, is_discreet, _proxy_of(transport, base_url))


def may_have_left(
    error: BaseException | None,
    transmission: Transmission,
    request: httpx.Request,
    knowledge: Knowledge,
) -> bool:
    """Return whether the server may have got a request, or a part of it.

    Args:
        error: What ended it; None for a deadline. A cancellation says no more than that.
        transmission: What was seen of it.
        request: The request.
        knowledge: What is known of its transport.
    """
    if transmission.sends:
        return True
    is_silent = not transmission.was_seen and transmission.is_watching(request.extensions)
    if not isinstance(error, Exception):
        return not (transmission.is_connecting or (is_silent and knowledge.is_watched))
    if knowledge.is_exact and (transmission.was_seen or (is_silent and isinstance(error, _NEVER_SENT))):
        return _is_misnamed(error)
    cause = error.__cause__
    if transmission.failure is not None:
        return not (error is transmission.failure or cause is transmission.failure)
    is_mapped = isinstance(error, _NEVER_SENT) and type(error).__name__ == type(cause).__name__
    return not (is_mapped and isinstance(cause, _UNSEEN) and transmission.is_watching(request.extensions))


Outcome: TypeAlias = httpx.Response | APIConnectionError
"""What came of a request: its answer, or why there is none."""


def connection_failure(
    error: BaseException | None,
    transmission: Transmission,
    request: httpx.Request,
    knowledge: Knowledge = NOTHING,
) -> APIConnectionError:
    """Return the SDK's error for a request that has no answer; `sent` says whether the server may have got it.

    Args:
        error: What ended it; None for the deadline.
        transmission: What was seen of it.
        request: The request.
        knowledge: What is known of its transport.
    """
    try:
        sent = may_have_left(error, transmission, request, knowledge)
        kind = APITimeoutError if _is_timeout(error) else APIConnectionError
        failure = kind(_message(error, transmission, request, knowledge, sent=sent), sent=sent)
        failure.is_passing = sent or not _is_final(error)
    except Exception:  # an exception may break whoever looks at it
        failure = APIConnectionError(f"The connection broke: {type(error).__name__}.", sent=True)
    return failure


def reading_failure(error: BaseException | None, knowledge: Knowledge = NOTHING) -> APIConnectionError:
    """Return the SDK's error for an event stream that broke while it was read; None is the deadline."""
    try:
        if _is_timeout(error):
            return APITimeoutError(f"No answer in time: {_reason(error, knowledge)}.", sent=True)
        return APIConnectionError(f"The connection broke: {_reason(error, knowledge)}.", sent=True)
    except Exception:
        return APIConnectionError(f"The connection broke: {type(error).__name__}.", sent=True)


def outcome_of(
    error: Exception, transmission: Transmission, request: httpx.Request, knowledge: Knowledge
) -> Outcome:
    """Return what an exception that came in place of an answer means: the answer that it carries, or an error.

    What vcrpy raises for a request that was not recorded passes: it is for whoever writes the test, and nothing was sent.
    """
    if type(error).__module__ == "vcr.errors":
        transmission.sent = False
        raise error
    try:
        answer = _answer_in(error, request)
    except Exception:  # an exception may break whoever looks at it
        answer = None
    if answer is not None:
        return without_echo(answer)
    return connection_failure(error, transmission, request, knowledge)


def answer_of(outcome: Outcome, transmission: Transmission) -> httpx.Response:
    """Return the answer.

    Called outside of the handler of what a transport raised: that holds the request, which holds secrets.

    Raises:
        APIConnectionError: There is none; or it refuses a request that the transport has sent before, whose fate nobody knows.
    """
    if isinstance(outcome, httpx.Response):
        if transmission.sends <= 1 or outcome.is_success:
            return outcome
        outcome = APIConnectionError(
            f"The transport sent the request {transmission.sends} times. HTTP {outcome.status_code} answers the last of them.",
            sent=True,
        )
    transmission.sent = outcome.sent is not False
    raise outcome


def _answer_in(error: Exception, request: httpx.Request) -> httpx.Response | None:
    """Return the answer that an exception about its status carries, as hooks and sessions with `raise_for_status` raise it.

    It has to be the answer to this very request. Where its body was not read, it is empty: the status alone counts then.
    """
    if isinstance(error, httpx.HTTPStatusError):
        response = error.response
        if getattr(response, "_request", None) is not request:
            return None
        try:
            body = response.content
        except httpx.ResponseNotRead:
            body = b""
        return _answer(response.status_code, response.headers.multi_items(), body, request)
    kind: Any = type(error)
    if kind.__name__ != "ClientResponseError" or kind.__module__ != "aiohttp.client_exceptions":
        return None
    carried: Any = error
    # An answer that aiohttp cannot read is called 400, and has a cause.
    is_status = error.__cause__ is None and error.__context__ is None and carried.headers is not None
    about = carried.request_info
    is_ours = about.method == request.method and str(about.real_url) == str(request.url)
    if not is_status or not is_ours or carried.history:
        return None
    return _answer(carried.status, list(carried.headers.items()), b"", request)


def _answer(
    status: int, headers: list[tuple[str, str]], body: bytes, request: httpx.Request
) -> httpx.Response:
    kept = [(name, value) for name, value in headers if name.lower() not in _ABOUT_BODY]
    return httpx.Response(status, headers=kept, content=body, request=request)


_ABOUT_BODY = frozenset({"content-encoding", "content-length", "transfer-encoding"})


def _message(
    error: BaseException | None,
    transmission: Transmission,
    request: httpx.Request,
    knowledge: Knowledge,
    *,
    sent: bool,
) -> str:
    reason, place = _reason(error, knowledge, transmission), _place(request, transmission, knowledge)
    if sent and _is_timeout(error):
        return f"No answer in time from {place}: {reason}."
    if sent:
        return f"The connection to {place} broke: {reason}."
    is_waiting = isinstance(error, httpx.PoolTimeout) or (error is None and not transmission.was_seen)
    return (
        f"No connection to {place} was free in time."
        if is_waiting
        else f"Could not connect to {place}: {reason}."
    )


def _place(request: httpx.Request, transmission: Transmission, knowledge: Knowledge) -> str:
    """The host and port of a request, and the proxy on the way. A user's name and the query, which may be secret, stay out."""
    url = request.url
    host = url.raw_host.decode("ascii", "replace")
    port = url.port or _PORTS.get(url.scheme, 0)
    place, proxy = _written(host, port), knowledge.proxy
    if proxy is None and transmission.peer is not None and transmission.peer != (host, port):
        proxy = _written(*transmission.peer)
    return place if proxy is None else f"{place} (via proxy {proxy})"


def _written(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _proxy_of(transport: object, base_url: str) -> str | None:
    """The proxy on the way to an address, as own connections and those of httpx know it."""
    routes = getattr(transport, "routes", None)
    proxy = routes.route(httpx.URL(base_url)).proxy if isinstance(routes, Routes) else None
    if proxy is not None:
        url = proxy.url
        return f"{url.scheme}://{_written(url.host, url.port or _PORTS.get(url.scheme, 1080))}"
    given = getattr(getattr(transport, "_pool", None), "_proxy_url", None)
    if not isinstance(given, httpcore.URL):
        return None
    return f"{given.scheme.decode()}://{_written(given.host.decode(), given.port or given.origin.port)}"


def _reason(
    error: BaseException | None, knowledge: Knowledge, transmission: Transmission | None = None
) -> str:
    """Return why there is no answer, in words that repeat nothing of the request."""
    if error is None:
        is_sent = transmission is None or transmission.sends
        return "it was not complete at the deadline" if is_sent else "timed out"
    if isinstance(error, httpx.HTTPError | OSError):
        for one in _chain(error):
            if (said := _said_by_system(one)) is not None:
                return said
    cause = error.__cause__
    failed = None if transmission is None else transmission.failure
    was_seen = failed is not None and (error is failed or cause is failed)
    if isinstance(error, httpx.ProxyError) and isinstance(cause, httpcore.ProxyError):
        status = str(cause)[:3]
        return f"the proxy answered {status}" if status.isdigit() else "the proxy refused"
    if (was_seen or knowledge.is_discreet) and isinstance(error, _DISCREET):
        return str(error).rstrip(".") or type(error).__name__
    return "timed out" if _is_timeout(error) else type(error).__name__


def _said_by_system(error: BaseException) -> str | None:
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


def _is_timeout(error: BaseException | None) -> bool:
    return error is None or isinstance(error, httpx.TimeoutException | TimeoutError)


def _is_misnamed(error: Exception) -> bool:
    """Return whether a bridge to another library calls what broke after sending a failure to connect.

    httpx-aiohttp 0.2 calls most failures of aiohttp a `ConnectTimeout`.
    """
    cause = error.__cause__
    if cause is None or type(cause).__module__.partition(".")[0] == "httpcore":
        return False
    names = {kind.__name__ for kind in type(cause).__mro__ if kind.__module__.startswith("aiohttp.")}
    return names.isdisjoint(_BEFORE_SENDING)


_BEFORE_SENDING = frozenset(
    {"ClientConnectorError", "ConnectionTimeoutError", "InvalidURL", "NonHttpUrlClientError"}
)
"""Exceptions of aiohttp that come before anything is sent."""


def _is_final(error: BaseException | None) -> bool:
    """Return whether TLS or the resolver of host names refused: they would again."""
    for one in _chain(error):
        if isinstance(one, ssl.SSLError):
            return not isinstance(one, ssl.SSLEOFError | ssl.SSLZeroReturnError | ssl.SSLSyscallError)
        if isinstance(one, socket.gaierror):
            return one.errno != socket.EAI_AGAIN
    return isinstance(error, httpx.UnsupportedProtocol | httpx.InvalidURL)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An exception, what caused it, what caused that."""
    for _ in range(_LONGEST_CHAIN):
        if error is None:
            return
        yield error
        if isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        else:
            error = error.__cause__ or error.__context__
