"""The sandbox over HTTP: routes, headers and status codes, and nothing else."""

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route

from payman_api import ACCESS_TOKEN_HEADER, PATHS
from payman_sdk.sandbox._agent import tasks
from payman_sdk.sandbox._agent.serialization import Json, TaskWatcher
from payman_sdk.sandbox._oauth.authorization import (
    Redirect,
    UnanswerableError,
    build_page_headers,
    render_consent_page,
    render_error_page,
)
from payman_sdk.sandbox._oauth.clients import OAuthError
from payman_sdk.sandbox._oauth.oauth_service import OAuthService
from payman_sdk.sandbox._server.request_log import (
    RecordingMiddleware,
    RequestLog,
    parse_parameters,
    read_body,
    read_form,
)
from payman_sdk.sandbox._server.rest import RestService, create_routes
from payman_sdk.sandbox._server.service import ForbiddenError, Service, UnauthorizedError
from payman_sdk.sandbox._server.stream_faults import StreamFault, StreamFaults
from payman_sdk.sandbox._server.streaming import (
    EventStream,
    attend,
    make_failure,
    respond_mishap,
    wait_for_end,
)
from payman_sdk.sandbox._web.origins import HEADERS, PAGE
from payman_sdk.sandbox._web.pages import create_pages
from payman_sdk.sandbox._web.security import NetworkAccess, SecurityMiddleware
from payman_sdk.sandbox.scripting import NotTakenError

Endpoint = Callable[[Request], Awaitable[Response]]


def create_app(
    service: Service,
    authority: OAuthService,
    faults: StreamFaults,
    log: RequestLog,
    access: NetworkAccess | None = None,
) -> Starlette:
    def post(path: str, endpoint: Endpoint) -> Route:
        return Route(path, endpoint, methods=["POST"])

    return Starlette(
        routes=[
            post(PATHS["create_token"], _make_token(authority)),
            Route(PATHS["authorize"], _ask(authority)),
            post(PATHS["authorize"], _decide(authority)),
            post(PATHS["send_task"], _call(service, "tasks/send")),
            post(PATHS["get_task"], _call(service, "tasks/get")),
            post(PATHS["cancel_task"], _call(service, "tasks/cancel")),
            post(PATHS["send_task_subscribe"], _call(service, "tasks/sendSubscribe", faults)),
            post(PATHS["resubscribe_task"], _call(service, "tasks/resubscribe", faults)),
            post("/sandbox/tasks/{task_id:path}/approve", _settle(service, approve=True)),
            post("/sandbox/tasks/{task_id:path}/deny", _settle(service, approve=False)),
            Route(PATHS["get_agent_card"], _show_agent_card),
            *create_routes(RestService(service.store, service.world, service.script)),
            Route("/", _redirect_to_page),
            Route(PAGE, _redirect_to_page),
            Route(f"{PAGE}/identity", _show_identity),
            Mount(PAGE, app=create_pages(service, faults)),
        ],
        middleware=[Middleware(RecordingMiddleware, log=log), Middleware(SecurityMiddleware, access=access)],
        exception_handlers={
            HTTPException: _handle_http_error,
            # The client left while it sent: nobody reads this answer, and nothing is wrong with the sandbox.
            ClientDisconnect: _fail_with(400, "incomplete", "the body ended early"),
            OAuthError: _handle_oauth_error,
            UnanswerableError: _handle_unanswerable,
            UnauthorizedError: _fail_with(
                401,
                "invalid_token",
                f"the {ACCESS_TOKEN_HEADER} header is missing, or its token unknown, revoked or expired",
            ),
            ForbiddenError: _fail_with(403, "insufficient_scope"),
            NotTakenError: _handle_not_taken,
            tasks.UnknownTaskError: _fail_with(404, "task_not_found", "the account has no such task"),
            tasks.EndedTaskError: _fail_with(409, "task_ended"),
        },
    )


def _make_token(authority: OAuthService) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        given = parse_parameters(request.scope["query_string"], await read_form(request))
        token = await authority.store.run(
            authority.answer_token_request, request.headers.get("authorization"), given
        )
        return JSONResponse(token.as_json(), headers={"Cache-Control": "no-store", "Pragma": "no-cache"})

    return endpoint


def _ask(authority: OAuthService) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        asked = await authority.store.run(authority.ask, _decode_parameters(request.scope["query_string"]))
        if isinstance(asked, Redirect):
            return _send_redirect(asked)
        return HTMLResponse(render_consent_page(asked), headers=build_page_headers(asked.question))

    return endpoint


def _decide(authority: OAuthService) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        return _send_redirect(
            await authority.store.run(authority.decide, _decode_parameters(await read_form(request)))
        )

    return endpoint


def _send_redirect(redirect: Redirect) -> Response:
    # 303: whatever the method was, the browser gets the redirect URI.
    return Response(status_code=303, headers={**build_page_headers(), "Location": redirect.location})


def _decode_parameters(encoded: bytes) -> list[tuple[str, str]]:
    read = parse_parameters(encoded)
    if read is None:
        raise UnanswerableError("the parameters are not form-encoded")
    return read


def _call(service: Service, method: str, faults: StreamFaults | None = None) -> Endpoint:
    """Return the endpoint of a JSON-RPC method; with faults, its answer is a stream."""

    async def endpoint(request: Request) -> Response:
        body = await read_body(request)
        token, last = request.headers.get(ACCESS_TOKEN_HEADER), request.headers.get("last-event-id")
        answer = await service.store.run(service.call, token, method, body, last)
        if faults is None:
            return await _respond_whole(request, answer)
        return await _respond_stream(request, answer, faults)

    return endpoint


async def _respond_whole(request: Request, answer: Json | TaskWatcher) -> Response:
    """Return one JSON-RPC answer once its task's end is due, or the fault of the answer."""
    if not isinstance(answer, TaskWatcher):
        return JSONResponse(answer)
    watch = answer
    spoiled = respond_mishap(watch.mishap)
    if spoiled is not None:
        return spoiled
    if watch.compute_delay(to_the_end=True) > 0:
        await attend(request.scope, request.receive, lambda: wait_for_end(watch))
    return JSONResponse(watch.build_answer())


async def _respond_stream(request: Request, answer: Json | TaskWatcher, faults: StreamFaults) -> Response:
    """Return a stream, or what the next fault makes of it; an error is not a stream."""
    if not isinstance(answer, TaskWatcher):
        return JSONResponse(answer)
    spoiled = respond_mishap(answer.mishap)
    if spoiled is not None:
        return spoiled
    fault = answer.mishap if isinstance(answer.mishap, StreamFault) else faults.take()
    if fault is not None and fault.as_json:
        return await _respond_whole(request, answer)
    if fault is not None and fault.status is not None:
        return make_failure(fault.status, "stream_fault", "inject_stream_faults() asked for this status")
    return EventStream(answer, fault)


def _handle_not_taken(_: Request, scripted: Exception) -> Response:
    assert isinstance(scripted, NotTakenError)  # noqa: S101 (it is registered for these)
    spoiled = respond_mishap(scripted.failure)
    assert spoiled is not None  # noqa: S101 (JSON-RPC errors are answers by then)
    return spoiled


def _settle(service: Service, *, approve: bool) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        token, task_id = request.headers.get(ACCESS_TOKEN_HEADER), request.path_params["task_id"]
        return JSONResponse(await service.store.run(service.settle, token, task_id, approve=approve))

    return endpoint


async def _redirect_to_page(_: Request) -> Response:
    return Response(status_code=303, headers={**HEADERS, "Location": f"{PAGE}/"})


async def _show_identity(request: Request) -> Response:
    """Return the proof that a local server is a sandbox, which the command asks for; the guards let no other Host through."""
    server = request.scope.get("server")
    said = {"server": "payman_sdk.sandbox", "port": server[1] if server else None}
    return JSONResponse(said, headers=dict(HEADERS))


async def _show_agent_card(request: Request) -> Response:
    """Return the agent card of A2A 0.1 [P]."""
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


def _handle_http_error(_: Request, failure: Exception) -> Response:
    assert isinstance(failure, HTTPException)  # noqa: S101 (it is registered for these)
    name = {404: "not_found", 405: "method_not_allowed", 413: "content_too_large"}.get(
        failure.status_code, "http_error"
    )
    return make_failure(failure.status_code, name, failure.detail, dict(failure.headers or {}))


def _handle_oauth_error(_: Request, failure: Exception) -> Response:
    assert isinstance(failure, OAuthError)  # noqa: S101 (it is registered for these)
    headers = {"Cache-Control": "no-store", "Pragma": "no-cache"}
    if failure.status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="Payman sandbox"'
    return make_failure(failure.status, failure.error, failure.description, headers)


def _handle_unanswerable(_: Request, failure: Exception) -> Response:
    return HTMLResponse(render_error_page(str(failure)), 400, build_page_headers())


def _fail_with(
    status: int, error: str, description: str | None = None
) -> Callable[[Request, Exception], Response]:
    """Return a handler of exceptions; without a description, what is raised says why."""
    return lambda _, failure: make_failure(status, error, description or str(failure))
