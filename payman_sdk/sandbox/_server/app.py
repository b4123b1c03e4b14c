"""The sandbox over HTTP: routes, headers and status codes, and nothing else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route

from payman_api import ACCESS_TOKEN_HEADER, PATHS
from payman_sdk.sandbox._agent import tasks
from payman_sdk.sandbox._agent.serialization import Json
from payman_sdk.sandbox._agent.task_watcher import Watch
from payman_sdk.sandbox._oauth import consent
from payman_sdk.sandbox._oauth.authorization import Redirect, UnanswerableError
from payman_sdk.sandbox._oauth.errors import OAuthError
from payman_sdk.sandbox._oauth.oauth_service import Authority
from payman_sdk.sandbox._server.request_body import body_of, form_of, parameters
from payman_sdk.sandbox._server.request_log import RequestLog, Watched
from payman_sdk.sandbox._server.service import ForbiddenError, Service, UnauthorizedError
from payman_sdk.sandbox._server.stream_faults import StreamFault, StreamFaults
from payman_sdk.sandbox._server.streaming import EventStream, NoAnswer, attend, until_told
from payman_sdk.sandbox._web.origins import HEADERS, PAGE
from payman_sdk.sandbox._web.pages import create_pages
from payman_sdk.sandbox._web.security import Guarded
from payman_sdk.sandbox.scripting import HTTPFailure, Lost, Mishap, NotTakenError, RPCFailure

Endpoint = Callable[[Request], Awaitable[Response]]


def create_app(service: Service, authority: Authority, faults: StreamFaults, log: RequestLog) -> Starlette:
    """The sandbox as an ASGI application."""

    def post(path: str, endpoint: Endpoint) -> Route:
        return Route(path, endpoint, methods=["POST"])

    return Starlette(
        routes=[
            post(PATHS["create_token"], _token(authority)),
            Route(PATHS["authorize"], _ask(authority)),
            post(PATHS["authorize"], _decide(authority)),
            post(PATHS["send_task"], _call(service, "tasks/send")),
            post(PATHS["get_task"], _call(service, "tasks/get")),
            post(PATHS["cancel_task"], _call(service, "tasks/cancel")),
            post(PATHS["send_task_subscribe"], _stream(service, faults)),
            post(PATHS["resubscribe_task"], _resubscribe(service, faults)),
            post("/sandbox/tasks/{task_id:path}/approve", _settle(service, approve=True)),
            post("/sandbox/tasks/{task_id:path}/deny", _settle(service, approve=False)),
            Route(PATHS["get_agent_card"], _agent_card),
            Route("/", _to_page),
            Route(PAGE, _to_page),
            Route(f"{PAGE}/identity", _identity),
            Mount(PAGE, app=create_pages(service, faults)),
        ],
        middleware=[Middleware(Watched, log=log), Middleware(Guarded)],
        exception_handlers={
            HTTPException: _http_error,
            ClientDisconnect: _gone,
            OAuthError: _oauth_error,
            UnanswerableError: _unanswerable,
            UnauthorizedError: _unauthorized,
            ForbiddenError: _forbidden,
            NotTakenError: _not_taken,
            tasks.UnknownTaskError: _unknown_task,
            tasks.EndedTaskError: _ended_task,
        },
    )


def _token(authority: Authority) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        given = parameters(request.scope["query_string"], await form_of(request))
        token = await run_in_threadpool(authority.token, request.headers.get("authorization"), given)
        return JSONResponse(token.as_json(), headers={"Cache-Control": "no-store", "Pragma": "no-cache"})

    return endpoint


def _ask(authority: Authority) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        asked = await run_in_threadpool(authority.ask, _legible(request.scope["query_string"]))
        if isinstance(asked, Redirect):
            return _redirect(asked)
        return HTMLResponse(consent.page(asked), headers=consent.headers(asked.question))

    return endpoint


def _decide(authority: Authority) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        return _redirect(await run_in_threadpool(authority.decide, _legible(await form_of(request))))

    return endpoint


def _redirect(redirect: Redirect) -> Response:
    # 303: whatever the method was, the browser gets the redirect URI.
    return Response(status_code=303, headers={**consent.headers(), "Location": redirect.location})


def _legible(encoded: bytes) -> list[tuple[str, str]]:
    read = parameters(encoded)
    if read is None:
        raise UnanswerableError("the parameters are not form-encoded")
    return read


def _call(service: Service, method: str) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        body = await body_of(request)
        token = request.headers.get(ACCESS_TOKEN_HEADER)
        return await _whole(request, await run_in_threadpool(service.call, token, method, body))

    return endpoint


def _stream(service: Service, faults: StreamFaults) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        body = await body_of(request)
        token = request.headers.get(ACCESS_TOKEN_HEADER)
        return await _events(request, await run_in_threadpool(service.stream, token, body), faults)

    return endpoint


def _resubscribe(service: Service, faults: StreamFaults) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        body = await body_of(request)
        token, last = request.headers.get(ACCESS_TOKEN_HEADER), request.headers.get("last-event-id")
        return await _events(request, await run_in_threadpool(service.resubscribe, token, body, last), faults)

    return endpoint


async def _whole(request: Request, answer: Json | Watch) -> Response:
    """One JSON-RPC answer, once its task has been told; or what goes wrong with it."""
    if not isinstance(answer, Watch):
        return JSONResponse(answer)
    watch = answer
    spoiled = _spoiled(watch.mishap)
    if spoiled is not None:
        return spoiled
    if watch.seconds(to_the_end=True) > 0:
        await attend(request.scope, request.receive, lambda: until_told(watch))
    return JSONResponse(watch.answer())


async def _events(request: Request, answer: Json | Watch, faults: StreamFaults) -> Response:
    """A stream, or what the next fault makes of it; an error is no stream."""
    if not isinstance(answer, Watch):
        return JSONResponse(answer)
    spoiled = _spoiled(answer.mishap)
    if spoiled is not None:
        return spoiled
    fault = answer.mishap if isinstance(answer.mishap, StreamFault) else faults.take()
    if fault is not None and fault.as_json:
        return await _whole(request, answer)
    if fault is not None and fault.status is not None:
        return _failure(fault.status, "stream_fault", "break_streams() asked for this status")
    return EventStream(answer, fault)


def _spoiled(mishap: Mishap | RPCFailure | None) -> Response | None:
    """What the client gets instead of an answer; None if it gets the answer."""
    match mishap:
        case HTTPFailure(status, body=None, headers=headers):
            return _failure(status, "scripted", "script() asked for this status", dict(headers))
        case HTTPFailure(status, body=str(text), headers=headers):
            return PlainTextResponse(text, status, dict(headers))
        case HTTPFailure(status, body=document, headers=headers):
            return JSONResponse(document, status, dict(headers))
        case Lost(silent=silent):
            return NoAnswer(silent=silent)
        case _:
            return None


def _not_taken(_: Request, scripted: Exception) -> Response:
    assert isinstance(scripted, NotTakenError)  # noqa: S101 (it is registered for these)
    spoiled = _spoiled(scripted.failure)
    assert spoiled is not None  # noqa: S101 (JSON-RPC errors are answers by then)
    return spoiled


def _settle(service: Service, *, approve: bool) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        token, task_id = request.headers.get(ACCESS_TOKEN_HEADER), request.path_params["task_id"]
        return JSONResponse(await run_in_threadpool(service.settle, token, task_id, approve=approve))

    return endpoint


async def _to_page(_: Request) -> Response:
    return Response(status_code=303, headers={**HEADERS, "Location": f"{PAGE}/"})


async def _identity(request: Request) -> Response:
    """What the command asks before it takes a server on this machine for a sandbox; the guards let no other Host through."""
    server = request.scope.get("server")
    said = {"server": "payman_sdk.sandbox", "port": server[1] if server else None}
    return JSONResponse(said, headers=dict(HEADERS))


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


def _unanswerable(_: Request, failure: Exception) -> Response:
    return HTMLResponse(consent.error_page(str(failure)), 400, consent.headers())


def _unauthorized(_: Request, __: Exception) -> Response:
    return _failure(
        401,
        "invalid_token",
        f"the {ACCESS_TOKEN_HEADER} header is missing, or its token unknown, revoked or expired",
    )


def _forbidden(_: Request, failure: Exception) -> Response:
    return _failure(403, "insufficient_scope", str(failure))


def _unknown_task(_: Request, __: Exception) -> Response:
    return _failure(404, "task_not_found", "the account has no such task")


def _ended_task(_: Request, failure: Exception) -> Response:
    return _failure(409, "task_ended", str(failure))
