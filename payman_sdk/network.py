"""What httpx is asked to do for one request, and what is taken of its answer."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any, NamedTuple

import httpx

from payman_sdk.errors import APITimeoutError, ConfigurationError
from payman_sdk.redaction import redact
from payman_sdk.secrecy import reveal_for_wire
from payman_sdk.transmission import Transmission


class Patience(NamedTuple):
    """How long one request may take, in seconds: to connect, and to be answered."""

    connect: float
    read: float


def addressed(request: Mapping[str, Any], base_url: str) -> dict[str, Any]:
    """The request with the whole address instead of the path alone."""
    return {**request, "url": _address(f"{base_url}{request['url']}")}


_address = functools.lru_cache(maxsize=64)(httpx.URL)
"""Parsed addresses; there are as many as servers and operations, and parsing costs more than sending the head."""


def prepare_request(
    http: httpx.Client | httpx.AsyncClient,
    request: Mapping[str, Any],
    base_url: str,
    timeout: httpx.Timeout,
    report: Callable[[str, Mapping[str, Any]], Any],
) -> httpx.Request:
    """Return the request, ready to be sent.

    Args:
        http: What it is sent with.
        request: What `payman_api`'s `build_request` gives.
        base_url: The server.
        timeout: The limits of the request.
        report: Hears of its way through the connections, as httpcore's `trace`.

    Raises:
        ConfigurationError: It cannot be written down; nothing was sent.
    """
    sent: dict[str, Any] = {}
    try:
        sent = addressed(request, base_url)
        for name in ("headers", "params"):
            if name in sent:
                sent[name] = reveal_for_wire(sent[name])
        built = http.build_request(**sent, timeout=timeout)
        built.stream = _Content(built.content)
        built.extensions["trace"] = report
        _read_refusals_first(http)
        return built
    except Exception as error:
        failure = ConfigurationError(
            f"The request cannot be written down: {type(error).__name__}.",
            next_step="Check base_url, and what metadata and text hold.",
        )
        sent.clear()
    failure.sent = False
    raise failure


class _Content(httpx.ByteStream):
    """The body of a request. httpx gives it out with a generator, and trio objects to any that a cancellation leaves unfinished."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self._content = content

    def __aiter__(self) -> AsyncIterator[bytes]:
        return _Once(self._content)


class _Once(AsyncIterator[bytes]):
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


def timeout_of(
    patience: Patience, remaining: float, read: float | None = None, *, hurry: float = 0.0
) -> httpx.Timeout:
    """The limits of one request that must not outlast the deadline, nor be silent for longer than it may.

    Args:
        patience: The limits of any request.
        remaining: Seconds until the deadline.
        read: A limit of silence that counts instead.
        hurry: The share of the time that is kept back while waiting for a free connection, up to a second: where the deadline
            is kept by a cancellation, whoever waits has to give up by itself, for only then it says what it waited for.

    Raises:
        APITimeoutError: The deadline is over already; nothing was sent.
    """
    if remaining <= 0:
        failure = APITimeoutError("The time for the whole ask was over before the request could be sent.")
        failure.sent = False
        raise failure
    read = min(patience.read if read is None else read, remaining)
    pool = remaining - min(_MOST_HURRY, remaining * hurry)
    return httpx.Timeout(connect=min(patience.connect, remaining), read=read, write=read, pool=pool)


_MOST_HURRY = 1.0


def _read_refusals_first(http: httpx.Client | httpx.AsyncClient) -> None:
    """Have a client that was given read the answers that its hooks may raise an exception for.

    httpx closes an answer when a hook raises, and what it said is lost. So where there are hooks, one that reads goes before
    them; it looks at the SDK's own requests alone.
    """
    hooks = http.event_hooks["response"]
    reader = _read_refusal if isinstance(http, httpx.Client) else _read_refusal_async
    if hooks and hooks[0] is not reader:
        hooks.insert(0, reader)


def _read_refusal(answer: httpx.Response) -> None:
    if _is_refusal(answer):
        answer.read()


async def _read_refusal_async(answer: httpx.Response) -> None:
    if _is_refusal(answer):
        await answer.aread()


def _is_refusal(answer: httpx.Response) -> bool:
    is_ours = isinstance(getattr(answer.request.extensions.get("trace"), "__self__", None), Transmission)
    return is_ours and not answer.is_success


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
