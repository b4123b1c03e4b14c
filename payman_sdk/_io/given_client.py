"""What a client of httpx does for the SDK: it builds a request, and its hooks report progress and read the answer."""

import functools
from collections.abc import Mapping
from typing import Any, Final, cast

import httpx

from payman_sdk._core.http import Transmission
from payman_sdk._io.http import SDK_AGENT, USUAL, RequestBody
from payman_sdk._io.routes import get_clients
from payman_sdk._io.streams import BoundedBody, Decompressor

TARGET: Final = "target"
"""The extension of httpx and httpcore that holds what goes into the request line."""
_HTTPX = "python-httpx/"
_USER_AGENT = f"{SDK_AGENT} httpx/{httpx.__version__}"


_parse_url = functools.lru_cache(maxsize=64)(httpx.URL)
"""Parsed addresses; there are as many as servers and operations, and parsing costs more than sending."""


def build_for(
    http: httpx.Client | httpx.AsyncClient,
    *,
    is_own: bool = False,
    timeout: Mapping[str, float],
    report: Any,
    **sent: Any,
) -> httpx.Request:
    """Return the request that a client builds of keywords, ready to be sent, which reports its steps.

    The SDK's own client serves watchers of httpx, and has no hooks. Whoever replaces it gets the query.
    """
    # A given client may call itself something else.
    if is_own or http.headers.get("user-agent", _HTTPX).startswith(_HTTPX):
        sent["headers"]["User-Agent"] = _USER_AGENT
    sent["url"] = _parse_url(sent["url"])
    built = http.build_request(**sent, timeout=httpx.Timeout(**timeout))
    built.stream = _HttpxBody(built.content)
    built.extensions["trace"] = report
    if not is_own:
        attach_hooks(http, built)
    elif not get_clients().is_on():
        hide_query(built)
    return built


def build_bare(
    *, method: str, url: str, headers: Mapping[str, str], timeout: Any, report: Any, **sent: Any
) -> httpx.Request:
    """Return the request that a given transport sends, without a client."""
    headers = {**USUAL, **headers, "User-Agent": _USER_AGENT}
    extensions = {"timeout": timeout, "trace": report}
    built = httpx.Request(method, _parse_url(url), headers=headers, extensions=extensions, **sent)
    built.stream = _HttpxBody(built.read())
    hide_query(built)
    return built


class _HttpxBody(RequestBody, httpx.ByteStream):
    """The body of a request, of a type that httpx accepts."""


def hide_query(request: httpx.Request) -> None:
    """Take the query out of the address of a request; `show_query` puts it back."""
    if request.url.query:
        request.extensions = {**request.extensions, TARGET: request.url.raw_path}
        request.url = request.url.copy_with(query=None)


def show_query(request: httpx.Request) -> httpx.Request:
    """Restore a request's query, for those that act as a server: mocks and recordings."""
    extensions = dict(request.extensions)
    target = extensions.pop(TARGET, None)
    if target is not None:
        request.extensions, request.url = extensions, request.url.copy_with(raw_path=target)
    return request


def attach_hooks(http: httpx.Client | httpx.AsyncClient, request: httpx.Request) -> None:
    """Hide the query of a request from whoever watches a given client; its transport gets it back.

    The last request hook restores it, and shows that the request has reached its transport. If an answer hook raises, httpx drops
    the text, so a first hook reads it. Both handle only the SDK's requests.
    """
    way: tuple[Any, Any, Any] = httpx.AsyncClient.send, _release_async, _read_refusal_async
    if isinstance(http, httpx.Client):
        way = httpx.Client.send, _release, _read_refusal
    genuine, release, read = way
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
    if (body := _begin_refusal(answer)) is None:
        return
    stream = cast("httpx.SyncByteStream", answer.stream)
    decompressor = Decompressor(answer.headers.get("content-encoding", ""))
    try:
        for raw in stream:
            for piece in decompressor.feed(raw):
                body.add(piece)
    finally:
        stream.close()
    _fill(answer, body)


async def _read_refusal_async(answer: httpx.Response) -> None:
    if (body := _begin_refusal(answer)) is None:
        return
    stream = cast("httpx.AsyncByteStream", answer.stream)
    decompressor = Decompressor(answer.headers.get("content-encoding", ""))
    try:
        async for raw in stream:
            for piece in decompressor.feed(raw):
                body.add(piece)
    finally:
        await stream.aclose()
    _fill(answer, body)


def _begin_refusal(answer: httpx.Response) -> BoundedBody | None:
    """Return what reads the body of a refusal of the SDK's request; None for others, and if it has been read."""
    transmission = _find_transmission(answer.request)
    if transmission is None:
        return None
    hide_query(answer.request)
    if answer.is_success or answer.is_stream_consumed:
        return None
    return BoundedBody(answer.headers, transmission.max_bytes)


def _fill(answer: httpx.Response, body: BoundedBody) -> None:
    answer.headers.pop("content-encoding", None)
    answer.stream = httpx.ByteStream(body.content())
    answer.read()
