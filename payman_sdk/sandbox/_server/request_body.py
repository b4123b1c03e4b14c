"""What comes in a request: its body, whole and not too large, and the fields of a form."""

from __future__ import annotations

from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request

LARGEST_BODY = 1024 * 1024
"""The largest body that is read, in bytes."""


async def read_body(request: Request) -> bytes:
    """Return the request's body, or a 413 if it is too large.

    What is too much is read and thrown away, up to a point: a client that is cut off while it sends sees no answer.
    """
    body, length = bytearray(), 0
    async for chunk in request.stream():
        length += len(chunk)
        if length <= LARGEST_BODY:
            body += chunk
        elif length > 32 * LARGEST_BODY:
            break
    if length > LARGEST_BODY:
        raise HTTPException(413, f"the body is larger than {LARGEST_BODY} bytes")
    return bytes(body)


async def read_form(request: Request) -> bytes:
    """Return the body, where it is a form's."""
    body = await read_body(request)
    kind = request.headers.get("content-type", "").lower()
    return body if kind.startswith("application/x-www-form-urlencoded") else b""


def parse_parameters(*encoded: bytes) -> list[tuple[str, str]] | None:
    """Form-encoded parameters; None if they cannot be read."""
    try:
        return [
            pair
            for text in encoded
            for pair in parse_qsl(
                text.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=50
            )
        ]
    except ValueError:
        return None
