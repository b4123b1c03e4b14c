"""An `httpx.Client` that the SDK was given: what its hooks say of a request, and read of an answer, for the SDK."""

from __future__ import annotations

from typing import Any

import httpx

from payman_sdk._core.http import Transmission
from payman_sdk._io.routes import hide_query, show_query
from payman_sdk._io.streams import BoundedBody, Decompressor


def attach_hooks(http: httpx.Client | httpx.AsyncClient, request: httpx.Request) -> None:
    """Hide the query of a request from whoever watches a client that was given; its transport gets it back.

    The last hook for requests gives it back. That hook also shows that the request has reached its transport. If a hook for
    answers raises, httpx closes the answer and its text is lost. So if such hooks exist, a hook that reads the answer goes
    before them. These hooks handle only the SDK's own requests.
    """
    genuine: Any
    release: Any
    read: Any
    if isinstance(http, httpx.Client):
        genuine, release, read = httpx.Client.send, _release, _read_refusal
    else:
        genuine, release, read = httpx.AsyncClient.send, _release_async, _read_refusal_async
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
    answer.headers.pop("content-encoding", None)
    answer.stream = httpx.ByteStream(body.content())
    answer.read()
