"""Which exception an HTTP status or a JSON-RPC error code is."""

from __future__ import annotations

from payman_sdk.errors import (
    AgentError,
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    InternalAgentError,
    InvalidJSONError,
    InvalidParamsError,
    InvalidRequestError,
    MethodNotFoundError,
    NotFoundError,
    PermissionDeniedError,
    PushNotificationsNotSupportedError,
    RateLimitError,
    ServerError,
    TaskNotCancelableError,
    TaskNotFoundError,
    UnprocessableEntityError,
    UnsupportedOperationError,
)

_BY_STATUS: dict[int, type[APIStatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    422: UnprocessableEntityError,
    429: RateLimitError,
}

_BY_CODE: dict[int, type[AgentError]] = {
    -32700: InvalidJSONError,
    -32600: InvalidRequestError,
    -32601: MethodNotFoundError,
    -32602: InvalidParamsError,
    -32603: InternalAgentError,
    -32001: TaskNotFoundError,
    -32002: TaskNotCancelableError,
    -32003: PushNotificationsNotSupportedError,
    -32004: UnsupportedOperationError,
}


def find_status_class(status_code: int) -> type[APIStatusError]:
    """Return the class for an HTTP status; `APIStatusError` itself for one without a class."""
    return _BY_STATUS.get(status_code, ServerError if status_code >= 500 else APIStatusError)


def find_code_class(code: int) -> type[AgentError]:
    """Return the class for a JSON-RPC error code; `AgentError` itself for one without a class."""
    return _BY_CODE.get(code, AgentError)
