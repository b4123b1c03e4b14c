"""An HTTP response as flows see it: whatever carries requests out returns something of this shape."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol


class HTTPResponse(Protocol):
    """A response whose body has been read, or an event stream that is still open; an `httpx.Response` is one."""

    @property
    def status_code(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers; look-ups ignore case."""
        ...

    @property
    def content(self) -> bytes:
        """The body, decompressed."""
        ...

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        ...


class RedactedResponse(NamedTuple):
    """A response whose body was replaced.

    Attributes:
        status_code: The HTTP status.
        headers: The headers that are still needed, in lower case.
        content: The body.
    """

    status_code: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status_code < 300


def is_event_stream(response: HTTPResponse) -> bool:
    """Return whether a response is a stream of server-sent events, and of nothing else."""
    media_type = response.headers.get("content-type", "")
    return response.is_success and media_type.partition(";")[0].strip().lower() == "text/event-stream"


def parse_json_object(response: HTTPResponse) -> dict[str, Any] | None:
    """Return the JSON object in the body of a response; None where the body is something else."""
    try:
        body: object = json.loads(response.content)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None  # pyright: ignore[reportUnknownVariableType]
