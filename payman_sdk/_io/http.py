"""What httpx is asked to do for one request, and what is taken of its answer."""

from __future__ import annotations

import functools
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any, NamedTuple

import httpx

from payman_sdk._core.transmission import Transmission
from payman_sdk._io.routes import hide_query, show_query
from payman_sdk._io.streams import ACCEPTED, BoundedBody, Decompressor
from payman_sdk._secrets import reveal_for_wire
from payman_sdk._text.redaction import redact
from payman_sdk._version import __version__
from payman_sdk.errors import APITimeoutError, ConfigurationError


class Timeouts(NamedTuple):
    """How long one request may take, in seconds: to connect, and to be answered."""

    connect: float
    read: float


def resolve_url(request: Mapping[str, Any], base_url: str) -> dict[str, Any]:
    """Return the request with the whole address instead of the path alone."""
    return {**request, "url": _parse_url(f"{base_url}{request['url']}")}


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
    """Return the request, ready to be sent.

    Args:
        http: What it is sent with.
        request: What `payman_api`'s `build_request` gives.
        base_url: The server.
        timeout: The limits of the request.
        report: Gets its steps through the connections, as httpcore's `trace`.
        headers: What the program wants every request to send.

    Raises:
        ConfigurationError: It cannot be written down; nothing was sent.
    """
    sent: dict[str, Any] = {}
    try:
        sent = resolve_url(request, base_url)
        sent["headers"] = {**(headers or {}), **sent.get("headers", {})}
        for name in ("headers", "params"):
            if name in sent:
                sent[name] = reveal_for_wire(sent[name])
        sent["headers"] |= {"Accept-Encoding": ACCEPTED}
        if http.headers.get("user-agent", _HTTPX).startswith(
            _HTTPX
        ):  # a given client may call itself something else
            sent["headers"]["User-Agent"] = USER_AGENT
        built = http.build_request(**sent, timeout=timeout)
        built.stream = _RequestBody(built.content)
        built.extensions["trace"] = report
        if isinstance(http, httpx.Client):
            _attach_hooks(http, httpx.Client.send, built, _release, _read_refusal)
        else:
            _attach_hooks(http, httpx.AsyncClient.send, built, _release_async, _read_refusal_async)
        return built
    except Exception as error:
        failure = ConfigurationError(
            f"The request cannot be written down: {type(error).__name__}.",
            next_step="Check base_url, and what metadata and text hold.",
        )
        sent.clear()
    failure.sent = False
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
    """Refuse connections that are closed, or that serve in another process or event loop only.

    Raises:
        ConfigurationError: They cannot be used here; nothing was sent.
    """
    if http.is_closed:
        failure = ConfigurationError("This client has been closed.", next_step="Make a new one.")
        failure.sent = False
        raise failure
    if (check := getattr(http, "check_usable", None)) is not None:
        check()


def build_timeout(
    patience: Timeouts, remaining: float, read: float | None = None, *, hurry: float = 0.0
) -> httpx.Timeout:
    """Return the limits of one request that must not outlast the deadline, nor be silent for longer than it may.

    Args:
        patience: The limits of any request.
        remaining: Seconds until the deadline.
        read: A limit of silence that counts instead.
        hurry: The share of the time to keep back while waiting for a free connection, at most a second. If a cancellation
            enforces the deadline, the wait must end before it: only then does the error say what it waited for.

    Raises:
        APITimeoutError: The deadline has passed already; nothing was sent.
    """
    if remaining <= 0:
        failure = APITimeoutError("The time for the whole ask was over before the request could be sent.")
        failure.sent = False
        raise failure
    read = min(patience.read if read is None else read, remaining)
    pool = remaining - min(_MOST_HURRY, remaining * hurry)
    return httpx.Timeout(connect=min(patience.connect, remaining), read=read, write=read, pool=pool)


_MOST_HURRY = 1.0


def _attach_hooks(
    http: httpx.Client | httpx.AsyncClient, genuine: object, request: httpx.Request, release: Any, read: Any
) -> None:
    """Hide the query of a request from whoever watches a client; its transport gets it back.

    The SDK's own clients do that themselves. In a given client, the last hook for requests does it. That hook also shows that the
    request has reached its transport. If a hook for answers raises, httpx closes the answer and its text is lost. So if such
    hooks exist, a hook that reads the answer goes before them. These hooks handle only the SDK's own requests.
    """
    if not hasattr(http, "connections"):
        if type(http).send is not genuine or "send" in vars(http):
            return
        hooks = http.event_hooks
        if hooks["request"][-1:] != [release]:
            hooks["request"][:] = [*(hook for hook in hooks["request"] if hook is not release), release]
        if hooks["response"] and hooks["response"][0] is not read:
            hooks["response"].insert(0, read)
        if (transmission := _find_transmission(request)) is not None:
            transmission.is_held = True
    hide_query(request)


def _find_transmission(request: httpx.Request) -> Transmission | None:
    """Return what takes note of a request of the SDK; None for other requests."""
    transmission = getattr(request.extensions.get("trace"), "__self__", None)
    return transmission if isinstance(transmission, Transmission) else None


def _release(request: httpx.Request) -> None:
    if (transmission := _find_transmission(request)) is not None:
        transmission.is_held = False
        show_query(request)


async def _release_async(request: httpx.Request) -> None:
    _release(request)


def _read_refusal(answer: httpx.Response) -> None:
    if (body := _begin_refusal(answer)) is None or not isinstance(
        stream := answer.stream, httpx.SyncByteStream
    ):
        return
    decompressor = Decompressor(answer.headers.get("content-encoding", ""))
    try:
        for raw in stream:
            for piece in decompressor.feed(raw):
                body.add(piece)
    finally:
        stream.close()
    _fill(answer, body)


async def _read_refusal_async(answer: httpx.Response) -> None:
    if (body := _begin_refusal(answer)) is None or not isinstance(
        stream := answer.stream, httpx.AsyncByteStream
    ):
        return
    decompressor = Decompressor(answer.headers.get("content-encoding", ""))
    try:
        async for raw in stream:
            for piece in decompressor.feed(raw):
                body.add(piece)
    finally:
        await stream.aclose()
    _fill(answer, body)


def _begin_refusal(answer: httpx.Response) -> BoundedBody | None:
    """Return what reads the body of an answer that refuses a request of the SDK; None for others, and if it has been read."""
    transmission = _find_transmission(answer.request)
    if transmission is None:
        return None
    hide_query(answer.request)
    if answer.is_success or answer.is_stream_consumed:
        return None
    return BoundedBody(answer.headers, transmission.max_bytes)


def _fill(answer: httpx.Response, body: BoundedBody) -> None:
    """Give an answer the body that was read of it."""
    answer.headers.pop("content-encoding", None)
    answer.stream = httpx.ByteStream(body.content())
    answer.read()


def redact_response(answer: httpx.Response) -> httpx.Response:
    """Return an answer without the secrets that the server may repeat; a success stays as it is, for it may hold new ones."""
    answer.extensions.pop("reason_phrase", None)  # which `repr` would show
    if answer.is_success:
        return answer
    headers = {name: redact(answer.headers[name]) for name in _NEEDED if name in answer.headers}
    return httpx.Response(answer.status_code, headers=headers, content=redact(answer.content))


def whole(answer: httpx.Response, body: bytes) -> httpx.Response:
    """Return an answer with the body that was read of it, decompressed, and its headers but for those about the body as it came."""
    headers = [one for one in answer.headers.raw if one[0].lower() not in _OF_THE_BODY]
    read = httpx.Response(answer.status_code, headers=headers, stream=httpx.ByteStream(body))
    read.read()
    return read


_NEEDED = ("content-type", "date", "retry-after", "retry-after-ms")
_OF_THE_BODY = frozenset({b"content-encoding", b"content-length", b"transfer-encoding"})


class DeadlineStream(httpx.SyncByteStream):
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
