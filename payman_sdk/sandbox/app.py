"""The sandbox over HTTP: routes, headers and status codes, and nothing else."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from payman_api import ACCESS_TOKEN_HEADER, PATHS
from payman_sdk.sandbox import tasks
from payman_sdk.sandbox.oauth import OAuthError
from payman_sdk.sandbox.service import Service, UnauthorizedError
from payman_sdk.sandbox.wire import Json

LARGEST_BODY = 1024 * 1024
"""The largest body that is read, in bytes."""

Endpoint = Callable[[Request], Awaitable[Response]]


def create_app(service: Service) -> Starlette:
    """The sandbox as an ASGI application."""

    def post(path: str, endpoint: Endpoint) -> Route:
        return Route(path, endpoint, methods=["POST"])

    return Starlette(
        routes=[
            post(PATHS["create_token"], _token(service)),
            post(PATHS["send_task"], _call(service, "tasks/send")),
            post(PATHS["get_task"], _call(service, "tasks/get")),
            post(PATHS["cancel_task"], _call(service, "tasks/cancel")),
            post(PATHS["send_task_subscribe"], _stream(service)),
            post("/sandbox/tasks/{task_id:path}/approve", _settle(service, approve=True)),
            post("/sandbox/tasks/{task_id:path}/deny", _settle(service, approve=False)),
            Route(PATHS["get_agent_card"], _agent_card),
        ],
        exception_handlers={
            HTTPException: _http_error,
            ClientDisconnect: _gone,
            OAuthError: _oauth_error,
            UnauthorizedError: _unauthorized,
            tasks.UnknownTaskError: _unknown_task,
            tasks.EndedTaskError: _ended_task,
        },
    )


def _token(service: Service) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        body = await _body(request)
        form = (
            body
            if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
            else b""
        )
        try:
            parameters = [
                pair
                for query in (request.scope["query_string"], form)
                for pair in parse_qsl(
                    query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=50
                )
            ]
        except ValueError:
            raise OAuthError("invalid_request", "the parameters are not form-encoded") from None
        token = await run_in_threadpool(service.token, request.headers.get("authorization"), parameters)
        return JSONResponse(token.as_json(), headers={"Cache-Control": "no-store", "Pragma": "no-cache"})

    return endpoint


def _call(service: Service, method: str) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        body = await _body(request)
        token = request.headers.get(ACCESS_TOKEN_HEADER)
        return JSONResponse(await run_in_threadpool(service.call, token, method, body))

    return endpoint


def _stream(service: Service) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        body = await _body(request)
        answer = await run_in_threadpool(service.stream, request.headers.get(ACCESS_TOKEN_HEADER), body)
        if isinstance(answer, dict):
            return JSONResponse(answer)
        headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
        return StreamingResponse(_events(answer), media_type="text/event-stream", headers=headers)

    return endpoint


async def _events(answers: Iterator[Json]) -> AsyncIterator[bytes]:
    for answer in answers:
        yield b"data: " + json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


def _settle(service: Service, *, approve: bool) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        token, task_id = request.headers.get(ACCESS_TOKEN_HEADER), request.path_params["task_id"]
        return JSONResponse(await run_in_threadpool(service.settle, token, task_id, approve=approve))

    return endpoint


async def _agent_card(request: Request) -> Response:
    """The agent card of A2A 0.1 [P]."""
    skills = {
        "payments": "Send money to payees within the wallet's policy",
        "payees": "Create and look up payees",
        "wallets": "Show wallets, balances, limits and transactions",
    }
    return JSONResponse(
        {
            "name": "Payman sandbox",
            "description": "A local Payman: moves test dollars between wallets and payees that exist nowhere else.",
            "url": str(request.base_url).rstrip("/"),
            "version": "1.0.0",
            "capabilities": {"streaming": True, "pushNotifications": False, "stateTransitionHistory": False},
            "authentication": {"schemes": ["OAuth2"]},
            "defaultInputModes": ["text"],
            "defaultOutputModes": ["text"],
            "skills": [
                {"id": name, "name": name.capitalize(), "description": description, "tags": ["payman"]}
                for name, description in skills.items()
            ],
        }
    )


async def _body(request: Request) -> bytes:
    """The request's body, or a 413 if it is too large.

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


def _failure(status: int, error: str, description: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": error, "error_description": description}, status, headers)


def _http_error(_: Request, failure: Exception) -> Response:
    assert isinstance(failure, HTTPException)  # noqa: S101 (it is registered for these)
    name = {404: "not_found", 405: "method_not_allowed", 413: "content_too_large"}.get(
        failure.status_code, "http_error"
    )
    return _failure(failure.status_code, name, failure.detail, dict(failure.headers or {}))


def _gone(_: Request, __: Exception) -> Response:
    """The client left while it sent: nobody reads this answer, and nothing is wrong with the sandbox."""
    return _failure(400, "incomplete", "the body ended early")


def _oauth_error(_: Request, failure: Exception) -> Response:
    assert isinstance(failure, OAuthError)  # noqa: S101 (it is registered for these)
    headers = {"Cache-Control": "no-store", "Pragma": "no-cache"}
    if failure.status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="Payman sandbox"'
    return _failure(failure.status, failure.error, failure.description, headers)


def _unauthorized(_: Request, __: Exception) -> Response:
    return _failure(
        401, "invalid_token", f"the {ACCESS_TOKEN_HEADER} header is missing, or its token unknown or expired"
    )


def _unknown_task(_: Request, __: Exception) -> Response:
    return _failure(404, "task_not_found", "the account has no such task")


def _ended_task(_: Request, failure: Exception) -> Response:
    return _failure(409, "task_ended", str(failure))
