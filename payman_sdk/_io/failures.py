"""What an exception says of its request: whether that may have been sent, and why no answer came.

Whatever is raised once a transport has a request counts as raised after sending. The exceptions: the request was watched while it
connected, or the transport is known exactly.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import httpcore

from payman_sdk._core.error_classes import is_not_recorded
from payman_sdk._core.http import Transmission
from payman_sdk._io.failure_messages import (
    UNKNOWN_TRANSPORT,
    TransportInfo,
    describe_cause,
    describe_failure,
    is_of_library,
    is_timeout,
    iter_causes,
    list_kinds,
)
from payman_sdk._io.streams import Outcome, UnreadableAnswerError, buffer_answer
from payman_sdk.errors import APIConnectionError, APITimeoutError, PaymanError

if TYPE_CHECKING:
    import httpx

    from payman_sdk._io.http import AnyRequest

_NEVER_SENT = (
    *("ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol"),
    *("LocalProtocolError", "InvalidURL"),
)
"""What the transports of httpx and httpcore raise only before they send. Others may raise it at any time."""

_UNSEEN = (httpcore.PoolTimeout, httpcore.ProxyError, httpcore.UnsupportedProtocol)
"""What httpcore raises before it sends anything, and reports no step of."""


def may_have_left(
    error: BaseException | None, transmission: Transmission, request: AnyRequest, knowledge: TransportInfo
) -> bool:
    """Return whether the server may have got a part of a request. `error` is None for a deadline; a cancellation proves no more."""
    if transmission.sends:
        return True
    if transmission.is_held:
        return False
    is_silent = not transmission.was_seen and transmission.is_watching(request.extensions)
    if not isinstance(error, Exception):
        return not (transmission.is_connecting or (is_silent and knowledge.is_watched))
    if knowledge.is_exact and transmission.was_seen:
        return False
    is_never_sent = isinstance(error, list_kinds(*_NEVER_SENT))
    if knowledge.is_exact and is_silent and is_never_sent:
        return _is_misnamed(error)
    if knowledge.is_watched and is_silent and not is_of_library(error):
        return False  # a hook before sending
    cause = error.__cause__
    if transmission.failure is not None:
        return not (error is transmission.failure or cause is transmission.failure)
    is_mapped = is_never_sent and type(error).__name__ == type(cause).__name__
    return not (is_mapped and isinstance(cause, _UNSEEN) and transmission.is_watching(request.extensions))


def map_exception(
    error: BaseException | None,
    transmission: Transmission,
    request: AnyRequest,
    knowledge: TransportInfo = UNKNOWN_TRANSPORT,
) -> APIConnectionError:
    """Return the SDK's error for a request without an answer. Arguments as for `may_have_left`, whose result `sent` is."""
    try:
        sent = may_have_left(error, transmission, request, knowledge)
        kind = APITimeoutError if is_timeout(error) else APIConnectionError
        failure = kind(describe_failure(error, transmission, request, knowledge, sent=sent), sent=sent)
        failure.is_transient = sent or not _is_final(error)
    except Exception:  # an exception may break whoever looks at it
        failure = APIConnectionError(f"The connection broke: {type(error).__name__}.", sent=True)
    return failure


def map_read_exception(
    error: BaseException | None, knowledge: TransportInfo = UNKNOWN_TRANSPORT
) -> APIConnectionError:
    """Return the SDK's error for an event stream that broke while it was read; None is the deadline."""
    if isinstance(error, UnreadableAnswerError):
        return error.failure
    try:
        if is_timeout(error):
            return APITimeoutError(f"No answer in time: {describe_cause(error, knowledge)}.", sent=True)
        return APIConnectionError(f"The connection broke: {describe_cause(error, knowledge)}.", sent=True)
    except Exception:
        return APIConnectionError(f"The connection broke: {type(error).__name__}.", sent=True)


def classify_exception(
    error: Exception, transmission: Transmission, request: AnyRequest, knowledge: TransportInfo
) -> Outcome:
    """Return what an exception in place of an answer means: the answer that it carries, or an error."""
    if is_not_recorded(error):
        transmission.sent = False
        raise error
    if isinstance(error, UnreadableAnswerError):
        return error.failure
    try:
        answer = _extract_answer(error, request)
    except Exception:  # an exception may break whoever looks at it
        answer = None
    return map_exception(error, transmission, request, knowledge) if answer is None else answer


def _extract_answer(error: Exception, request: AnyRequest) -> Outcome | None:
    """Return the answer in an exception of `raise_for_status`, if it answers this very request. An unread body is empty."""
    if isinstance(error, list_kinds("HTTPStatusError")):
        response = cast("httpx.HTTPStatusError", error).response
        if response.request is not request:
            return None
        try:
            body = response.content
        except RuntimeError:  # it has not been read
            body = b""
        return buffer_answer(response.status_code, response.headers, body)
    kind: Any = type(error)
    if kind.__name__ != "ClientResponseError" or kind.__module__ != "aiohttp.client_exceptions":
        return None
    carried: Any = error
    about, headers = carried.request_info, carried.headers
    is_ours = about.method == request.method and str(about.real_url) == str(request.url)
    # An answer that aiohttp cannot read is called 400, and has a cause.
    is_status = error.__cause__ is None and error.__context__ is None
    if headers is None or not is_status or not is_ours or carried.history:
        return None
    lowered = {name.lower(): value for name, value in headers.items()}
    return buffer_answer(carried.status, lowered, b"")


def _is_misnamed(error: Exception) -> bool:
    """Return whether a bridge calls a failure after sending one to connect.

    httpx-aiohttp 0.2 calls most failures of aiohttp a `ConnectTimeout`. Own connections use httpcore's right names.
    """
    if not isinstance(error, list_kinds("HTTPError", "InvalidURL")):
        return False
    cause = error.__cause__
    if cause is None or type(cause).__module__.partition(".")[0] in {"httpcore", "respx"}:
        return False
    names = {kind.__name__ for kind in type(cause).__mro__ if kind.__module__.startswith("aiohttp.")}
    return names.isdisjoint(_BEFORE_SENDING)


_BEFORE_SENDING = frozenset(
    {"ClientConnectorError", "ConnectionTimeoutError", "InvalidURL", "NonHttpUrlClientError"}
)
"""Exceptions of aiohttp that come before anything is sent."""


def _is_final(error: BaseException | None) -> bool:
    """Return whether TLS or the resolver of host names refused: they would again."""
    for one in iter_causes(error):
        if isinstance(one, ssl.SSLError):
            return not isinstance(one, ssl.SSLEOFError | ssl.SSLZeroReturnError | ssl.SSLSyscallError)
        if isinstance(one, socket.gaierror):
            return one.errno != socket.EAI_AGAIN
    return isinstance(error, list_kinds("UnsupportedProtocol", "InvalidURL"))


_OURS = str(Path(__file__).parent.parent)


def shorten_traceback(error: BaseException) -> None:
    """Drop the SDK's own frames at the beginning of a traceback, and of those of its causes.

    An exception has passed about twenty frames of flows. The frames below are kept: a hook's, a transport's. A foreign exception
    keeps its frames if all are of the SDK: nothing else locates it.
    """
    with contextlib.suppress(Exception):  # an exception may fail when inspected; it then passes unchanged
        for one in iter_causes(error, enters_groups=False):
            foreign = one.__traceback__
            while foreign is not None and foreign.tb_frame.f_code.co_filename.startswith(_OURS):
                foreign = foreign.tb_next
            if foreign is not None or isinstance(one, PaymanError):
                one.__traceback__ = foreign


def forget_frames(error: BaseException, handled: BaseException | None) -> None:
    """Drop the frames of what interrupted a transport, and of its causes: they hold the request with its secrets.

    `handled`, which the program was handling before, and its causes stay as they are.
    """
    with contextlib.suppress(Exception):
        for one in takewhile(lambda one: one is not handled, iter_causes(error, enters_groups=False)):
            one.__traceback__ = None


def raise_interrupt(error: BaseException, handled: BaseException | None) -> None:
    """Raise the Ctrl-C in a group of exceptions, which trio makes where it meets a transport's tasks. Arguments as for `forget_frames`."""
    group: Any = error
    one = group.subgroup(KeyboardInterrupt) if isinstance(error, BaseExceptionGroup) else None
    while inner := getattr(one, "exceptions", None):
        one = inner[0]
    if one is not None:
        forget_frames(one, handled)
        raise one from None
