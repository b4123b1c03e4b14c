"""Flows decide, doors do.

A flow is a plain generator: it yields the steps it wants done and is sent their outcomes, or has their failure thrown
into it. It does no I/O, so every decision can be tested by stepping it. Flows compose with `yield from`. A door carries
steps out; the clock, the lock and the sockets live in doors and nowhere else.
"""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any, TypeAlias, TypeVar, assert_never, cast
from urllib.parse import urlsplit

import httpx
from attrs import field, frozen

from payman_sdk.config import is_loopback
from payman_sdk.errors import APIConnectionError, APITimeoutError, ConfigurationError

T = TypeVar("T")


@frozen
class Send:
    """Send this request and read its answer whole; the outcome is the `httpx.Response`.

    Args:
        request: What `payman_api`'s `build_request` gives: method, url, params, json, headers.
        deadline: When, on the door's clock, everything has to be over.
    """

    request: Mapping[str, Any] = field(repr=False)
    deadline: float


@frozen
class Sleep:
    """Do nothing for so many seconds."""

    seconds: float


@frozen
class Alone:
    """Run this flow under the door's lock; the outcome is what it returns."""

    flow: Generator[Step, Any, Any]


Step: TypeAlias = Send | Sleep | Alone
Flow: TypeAlias = Generator[Step, Any, T]


@frozen(kw_only=True)
class Patience:
    """How long one request may take, in seconds: to connect, and between bytes."""

    connect: float
    read: float


class Door:
    """Carries flows out with an `httpx.Client`; safe to use from several threads at once.

    Args:
        http: The connections.
        base_url: The server that requests without one of their own go to.
        patience: The limits of one request.
        clock: Seconds that only go forward.
        sleep: Waits so many seconds.
    """

    def __init__(
        self,
        http: httpx.Client,
        base_url: str,
        patience: Patience,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._http = http
        self._base_url = base_url
        self._patience = patience
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()

    def run(self, flow: Flow[T]) -> T:
        """Runs a flow to its end and returns what it returns; a failure of a step is the flow's to handle."""
        try:
            step = next(flow)
            while True:
                try:
                    outcome = self._do(step)
                except Exception as error:
                    step = flow.throw(error)
                else:
                    step = flow.send(outcome)
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            flow.close()

    def _do(self, step: Step) -> Any:
        match step:
            case Send():
                return self._send(step)
            case Sleep(seconds):
                return self._sleep(seconds)
            case Alone(flow):
                with self._lock:
                    return self.run(flow)
            case unheard:
                assert_never(unheard)

    def _send(self, step: Send) -> httpx.Response:
        if self._http.is_closed:
            raise ConfigurationError("This client has been closed.", next_step="Make a new one.")
        failure: APIConnectionError
        try:
            return self._exchange(step)
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) as error:
            failure = network_failure(error)
        # Raised out here, it carries no exception of httpx with it: those hold the request and so its secrets.
        raise failure

    def _exchange(self, step: Send) -> httpx.Response:
        timeout = timeout_of(self._patience, step.deadline - self._clock())
        to_send = addressed(step.request, self._base_url)
        answer = self._http.send(
            self._http.build_request(**to_send, timeout=timeout), stream=True, follow_redirects=False
        )
        with contextlib.closing(answer):
            answer.stream = _Punctual(cast("httpx.SyncByteStream", answer.stream), step.deadline, self._clock)
            answer.read()
        return answer


class _Punctual(httpx.SyncByteStream):
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
        self._body.close()


def own_http_client(base_url: str) -> httpx.Client:
    """The connections of a client that was given none. What is said to this machine goes through no proxy."""
    try:
        return httpx.Client(trust_env=not is_loopback(urlsplit(base_url).hostname or ""))
    except (httpx.InvalidURL, ImportError, OSError, ValueError) as error:
        raise ConfigurationError(
            f"httpx cannot be set up: {type(error).__name__}.",
            next_step="Check the environment's variables for proxies (HTTPS_PROXY, ALL_PROXY) and certificates (SSL_CERT_FILE).",
        ) from error


def addressed(request: Mapping[str, Any], base_url: str) -> dict[str, Any]:
    """The request with the whole address instead of the path alone."""
    return {**request, "url": _address(f"{base_url}{request['url']}")}


_address = functools.lru_cache(maxsize=64)(httpx.URL)
"""Parsed addresses; there are as many as servers and operations, and parsing costs more than sending the head."""


def timeout_of(patience: Patience, remaining: float) -> httpx.Timeout:
    """The limits of one request that must not outlast the deadline.

    Raises:
        APITimeoutError: The deadline is over already; nothing was sent.
    """
    if remaining <= 0:
        failure = APITimeoutError("The time for the whole ask was over before the request could be sent.")
        failure.sent = False
        raise failure
    read = min(patience.read, remaining)
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


def network_failure(error: httpx.HTTPError | httpx.StreamError | httpx.InvalidURL) -> APIConnectionError:
    """The SDK's error for a failure of httpx; `sent` says whether the server may have got the request."""
    sent = not isinstance(error, _NEVER_SENT)
    detail = str(error) or type(error).__name__
    if isinstance(error, httpx.TimeoutException):
        failure: APIConnectionError = APITimeoutError(
            f"No answer in time: {detail}." if sent else f"No connection in time: {detail}."
        )
    else:
        failure = APIConnectionError(
            f"The connection broke: {detail}." if sent else f"The server could not be reached: {detail}."
        )
    failure.sent = sent
    return failure
