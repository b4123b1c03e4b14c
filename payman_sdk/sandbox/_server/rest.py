"""The REST API over HTTP: routes, headers and status codes, and nothing else."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from payman_api.rest import ACCESS_TOKEN_HEADER, PATHS, SERVERS
from payman_sdk.sandbox._server.request_log import parse_parameters, read_body
from payman_sdk.sandbox._server.rest_service import ErrorCode, RestError, RestService
from payman_sdk.sandbox._server.streaming import respond_mishap

BASE_PATH = urlsplit(SERVERS["LIVE"]).path
"""Where the REST API is, below the sandbox's address."""
_STATUS: dict[ErrorCode, int] = {
    "invalid_payload": 400,
    "insufficient_funds": 400,
    "validation_error": 400,
    "not_authorized": 401,
    "not_allowed": 403,
    "entity_not_found": 404,
}


class _RestResponse(Response):
    media_type = "application/vnd.payman.v1+json"

    def __init__(self, content: object, status: int = 200) -> None:
        super().__init__(json.dumps(content).encode(), status)


def create_routes(service: RestService) -> list[Route]:
    """Return the routes of the REST API."""

    def route(
        operation: str, method: str, act: Callable[[Request, str | None], Awaitable[Response]]
    ) -> Route:
        async def endpoint(request: Request) -> Response:
            try:
                return await act(request, request.headers.get(ACCESS_TOKEN_HEADER))
            except RestError as error:
                return _respond_error(error, service.moment)

        return Route(BASE_PATH + PATHS[operation], endpoint, methods=[method])

    async def pay(request: Request, secret: str | None) -> Response:
        paid = await run_in_threadpool(service.pay, secret, await read_body(request))
        return respond_mishap(paid.mishap) or _RestResponse(paid.answer)

    async def create_payee(request: Request, secret: str | None) -> Response:
        return _RestResponse(await run_in_threadpool(service.create_payee, secret, await read_body(request)))

    async def delete_payee(request: Request, secret: str | None) -> Response:
        return _RestResponse(await run_in_threadpool(service.delete_payee, secret, request.path_params["id"]))

    async def search_payees(request: Request, secret: str | None) -> Response:
        query = parse_parameters(request.scope["query_string"])
        if query is None:
            raise RestError("invalid_payload", "the query cannot be read")
        return _RestResponse(await run_in_threadpool(service.search_payees, secret, dict(query)))

    async def read_balance(request: Request, secret: str | None) -> Response:
        return _RestResponse(
            await run_in_threadpool(service.read_balance, secret, request.path_params["currency"])
        )

    return [
        route("send_direct_payment", "POST", pay),
        route("create_payee", "POST", create_payee),
        route("delete_payee", "DELETE", delete_payee),
        route("search_payees", "GET", search_payees),
        route("get_spendable_balance", "GET", read_balance),
    ]


def _respond_error(error: RestError, moment: int) -> Response:
    status = _STATUS[error.code]
    at = dt.datetime.fromtimestamp(moment // 1_000_000_000, dt.UTC).isoformat()
    return _RestResponse(
        {"status": status, "timestamp": at, "errorCode": error.code, "message": str(error)}, status
    )
