"""One request of httpx: written down, sent, and what is taken of its answer."""

from __future__ import annotations

import functools
import json
import ssl
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, NamedTuple, TypeAlias, cast

import httpx

from payman_sdk._core.effects import SendRequest
from payman_sdk._core.http import BufferedResponse, HTTPResponse, Transmission
from payman_sdk._io.routes import CLIENTS, hide_query, show_query
from payman_sdk._io.streams import ACCEPTED
from payman_sdk._secrets import reveal_for_wire
from payman_sdk._text.redaction import redact
from payman_sdk._version import __version__
from payman_sdk.errors import APIConnectionError, APITimeoutError, ConfigurationError


class Timeouts(NamedTuple):
    """How long one request may take, in seconds: to connect, and to be answered."""

    connect: float
    read: float


_parse_url = functools.lru_cache(maxsize=64)(httpx.URL)
"""Parsed addresses; there are as many as servers and operations, and parsing costs more than sending the head."""


def prepare_request(
    http: httpx.Client | httpx.AsyncClient,
    request: Mapping[str, Any],
    base_url: str,
    timeout: httpx.Timeout,
    report: Callable[[str, Mapping[str, Any]], Any],
    headers: Mapping[str, str] | None = None,
) -> httpx.Request:
    """Return the request, ready to be sent, with the headers that the program wants every request to send.

    Raises:
        ConfigurationError: It cannot be written down; nothing was sent.
    """
    sent: dict[str, Any] = {}
    try:
        sent = {**request, "url": _parse_url(f"{base_url}{request['url']}")}
        sent["headers"] = {**(headers or {}), **sent.get("headers", {}), "Accept-Encoding": ACCEPTED}
        for name in ("headers", "params"):
            if name in sent:
                sent[name] = reveal_for_wire(sent[name])
        is_own = hasattr(http, "connections")
        # A given client may call itself something else.
        if is_own or http.headers.get("user-agent", _HTTPX).startswith(_HTTPX):
            sent["headers"]["User-Agent"] = USER_AGENT
        built = http.build_request(**sent, timeout=timeout)
        built.stream = _RequestBody(built.content)
        built.extensions["trace"] = report
        if not is_own:
            from payman_sdk._io.given_client import attach_hooks

            attach_hooks(http, built)
        elif built.url.query:
            hide_query(built)
        return built
    except Exception as error:
        failure = ConfigurationError(
            f"The request cannot be serialized: {type(error).__name__}.",
            next_step="Check base_url, and what metadata and text hold.",
            sent=False,
        )
        sent.clear()
    raise failure


_HTTPX = "python-httpx/"
USER_AGENT = f"paymanai-sdk/{__version__} python/{sys.version_info.major}.{sys.version_info.minor} httpx/{httpx.__version__}"
"""How the SDK names itself."""


class _RequestBody(httpx.ByteStream):
    """The body of a request. httpx gives it out with a generator, and trio objects to any that a cancellation leaves unfinished."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self._content = content

    def __aiter__(self) -> AsyncIterator[bytes]:
        return _SingleChunk(self._content)


class _SingleChunk(AsyncIterator[bytes]):
    def __init__(self, content: bytes) -> None:
        self._left: list[bytes] = [content]

    async def __anext__(self) -> bytes:
        if not self._left:
            raise StopAsyncIteration
        return self._left.pop()


def check_usable(http: httpx.Client | httpx.AsyncClient) -> None:
    """Refuse connections that are closed, or that serve in another process or event loop only; nothing was sent."""
    if http.is_closed:
        raise ConfigurationError("This client has been closed.", next_step="Create a new client.", sent=False)
    if (check := getattr(getattr(http, "way", None), "check_usable", None)) is not None:
        check()


def limit_request(
    step: SendRequest, now: float, patience: Timeouts, *, hurry: float = 0.0
) -> tuple[float, httpx.Timeout]:
    """Return when the answer to a request that is sent now must be there, and the limits that this sets to its parts.

    Args:
        step: The request.
        now: Seconds on the runner's clock.
        patience: The limits of any request.
        hurry: The share of the time to keep back while waiting for a free connection, at most a second. If a cancellation
            enforces the deadline, the wait must end before it: only then does the error say what it waited for.

    Raises:
        APITimeoutError: The deadline has passed already; nothing was sent.
    """
    until = min(step.deadline, now + (patience.read if step.patience is None else step.patience))
    left = until - now
    if left <= 0:
        failure = APITimeoutError("The timeout of the ask ended before the request could be sent.")
        failure.sent = False
        raise failure
    pool = left - min(_MOST_HURRY, left * hurry)
    return until, httpx.Timeout(left, connect=min(patience.connect, left), pool=pool)


_MOST_HURRY = 1.0


def buffer_answer(status: int, headers: httpx.Headers, body: bytes) -> BufferedResponse:
    """Return an answer with the body that was read of it, and without headers that no longer fit the body if it was decompressed.

    It is redacted unless it is a success, for that may hold new secrets.
    """
    if not 200 <= status < 300:
        headers = httpx.Headers({name: redact(headers[name]) for name in _NEEDED if name in headers})
        body = redact(body)
    elif "content-encoding" in headers:
        headers = httpx.Headers([one for one in headers.raw if one[0].lower() not in _OF_THE_BODY])
    return BufferedResponse(status, headers, body)


_NEEDED = ("content-type", "date", "retry-after", "retry-after-ms")
_OF_THE_BODY = frozenset({b"content-encoding", b"content-length", b"transfer-encoding"})


Outcome: TypeAlias = HTTPResponse | APIConnectionError
"""What came of a request: its answer, or why there is none."""


def unwrap_outcome(outcome: Outcome, transmission: Transmission) -> HTTPResponse:
    """Return the answer.

    Called outside of the handler of what a transport raised: that holds the request, which holds secrets.

    Raises:
        APIConnectionError: There is none; or it refuses a request that the transport has sent before, whose fate nobody knows.
    """
    if not isinstance(outcome, APIConnectionError):
        if transmission.sends <= 1 or outcome.is_success:
            return outcome
        outcome = APIConnectionError(
            f"The transport sent the request {transmission.sends} times. HTTP {outcome.status_code} answers the last of them.",
            sent=True,
        )
    transmission.sent = outcome.sent is not False
    raise outcome


class _BareMethods:
    """What the two clients share: what they send with and close, and the `connections`, if those lie behind it."""

    def __init__(self, way: Any, connections: Any = None) -> None:
        client: Any = super()
        client.__init__(transport=way, trust_env=False)
        self.way = way
        self.connections = connections or way
        self.bears_interrupts = getattr(way, "bears_interrupts", False)

    def build_request(self, method: str, url: httpx.URL | str, **given: Any) -> httpx.Request:
        """Return the request, with the headers that httpx always sends and none that it remembers."""
        timeout: Any = given.pop("timeout", None)
        if isinstance(timeout, float | int):
            timeout = httpx.Timeout(timeout)
        elif not isinstance(timeout, httpx.Timeout):
            timeout = cast("Any", self).timeout
        headers: dict[str, str] = {**_USUAL, **(given.pop("headers", None) or {})}
        given["extensions"] = {"timeout": timeout.as_dict()}
        if (content := given.pop("json", None)) is None:
            return httpx.Request(method, url, headers=headers, **given)
        # What httpx would do with `json`, without making all headers a second time for the two that are missing.
        body, url = _JSON.encode(content).encode(), httpx.URL(url)
        headers |= {"Host": url.netloc.decode("ascii"), "Content-Length": str(len(body))}
        request = httpx.Request(method, url, headers=headers, stream=httpx.ByteStream(body), **given)
        request.read()
        return request


class BareClient(_BareMethods, httpx.Client):
    """The connections of a client that was given none: an httpx client that sends what it is given, and nothing else.

    httpx handles authentication, redirects, cookies and hooks for every request. That takes as long as all the work of the SDK
    for an ask. Cookies would also be wrong: those of one person must not travel with another person's ask.
    """

    def send(self, request: httpx.Request, *, stream: bool = False, **_: Any) -> httpx.Response:
        if _is_for_httpx(request):
            return super().send(request, stream=stream, auth=None, follow_redirects=False)
        answer: httpx.Response = self.way.handle_request(request)
        answer.request = request
        if not stream:
            answer.read()
        return answer


class BareAsyncClient(_BareMethods, httpx.AsyncClient):
    """The same for tasks."""

    async def send(self, request: httpx.Request, *, stream: bool = False, **_: Any) -> httpx.Response:
        if _is_for_httpx(request):
            return await super().send(request, stream=stream, auth=None, follow_redirects=False)
        answer: httpx.Response = await self.way.handle_async_request(request)
        answer.request = request
        if not stream:
            await answer.aread()
        return answer


def _is_for_httpx(request: httpx.Request) -> bool:
    """Whether a client of httpx is to send it: something replaces that, or looks on and finds no query in the address."""
    if not CLIENTS.is_watched():  # so nothing replaces it either
        return False
    if CLIENTS.is_on():
        show_query(request)
        return True
    return not request.url.query


_USUAL = {"Accept": "*/*", "Connection": "keep-alive"}
"""What httpx sends with every request, beside what `prepare_request` sets."""
_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def create_untrusting_context() -> ssl.SSLContext:
    """Return a context that trusts no server, for connections without encryption."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
