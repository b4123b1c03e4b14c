"""Responses that several endpoints share: errors, and what goes wrong because a test asked for it."""

from __future__ import annotations

from starlette.responses import JSONResponse, PlainTextResponse, Response

from payman_sdk.sandbox._server.streaming import NoAnswer
from payman_sdk.sandbox.scripting import ConnectionLost, HTTPError, Mishap, RPCError


def make_failure(
    status: int, error: str, description: str, headers: dict[str, str] | None = None
) -> Response:
    """Return an error as OAuth and the agent write it."""
    return JSONResponse({"error": error, "error_description": description}, status, headers)


def respond_mishap(mishap: Mishap | RPCError | None) -> Response | None:
    """Return what the client gets instead of an answer; None if it gets the answer."""
    match mishap:
        case HTTPError(status, body=None, headers=headers):
            return make_failure(status, "scripted", "script() asked for this status", dict(headers))
        case HTTPError(status, body=str(text), headers=headers):
            return PlainTextResponse(text, status, dict(headers))
        case HTTPError(status, body=document, headers=headers):
            return JSONResponse(document, status, dict(headers))
        case ConnectionLost(silent=silent):
            return NoAnswer(silent=silent)
        case _:
            return None
