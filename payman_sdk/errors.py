"""Every exception of the SDK.

    PaymanError
    ├── ConfigurationError               a setting or an argument is missing or wrong (also a ValueError)
    ├── APIConnectionError               no answer: the network failed
    │   └── APITimeoutError              no answer in time (also a TimeoutError)
    ├── APIStatusError                   an answer with an HTTP error status
    │   ├── BadRequestError              400
    │   ├── AuthenticationError          401, and every refusal of the token endpoint
    │   ├── PermissionDeniedError        403
    │   ├── NotFoundError                404
    │   ├── ConflictError                409
    │   ├── UnprocessableEntityError     422
    │   ├── RateLimitError               429
    │   └── ServerError                  5xx
    ├── AgentError                       a JSON-RPC error of the agent
    │   ├── InvalidJSONError             -32700
    │   ├── InvalidRequestError          -32600
    │   ├── MethodNotFoundError          -32601
    │   ├── InvalidParamsError           -32602
    │   ├── InternalAgentError           -32603
    │   ├── TaskNotFoundError            -32001
    │   ├── TaskNotCancelableError       -32002
    │   ├── PushNotificationsNotSupportedError  -32003
    │   └── UnsupportedOperationError    -32004
    ├── TokenStoreError                  the token store failed, or is not safe to use
    ├── KeyStoreError                    the key store failed
    ├── ResponseValidationError          an answer cannot be read
    ├── OutcomeUnknownError              the request was sent, and its outcome is undetermined
    │   └── StreamInterruptedError       a stream broke, and could neither be resumed nor followed
    ├── TaskFailedError                  the task failed; raised with `raise_on_failure`, and by typed reads
    ├── PaymentNotMadeError              a payment is not proven to be paid; raised by `payment.raise_unless_paid()`
    └── IdempotencyKeyReuseError         the key belongs to another text (also a ValueError)

All of them carry what is known (`status_code`, `request_id`, `task_id`, `session_id`, `idempotency_key`, `response`),
show it in `str()`, can be pickled, and hold no secret. Their message is a single line without invisible characters. A server's
unchanged text is in `response`, `error`, `error_description` and `data`. If the program imports `requests`, they are also
exceptions of `requests`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from payman_sdk._annotations import import_on_use
from payman_sdk._error_base import PaymanError

if TYPE_CHECKING:
    from payman_sdk._text.error_response import ErrorResponse

# fmt: off
__all__ = [
    "APIConnectionError", "APIStatusError", "APITimeoutError", "AgentError", "AuthenticationError",
    "BadRequestError", "ConfigurationError", "ConflictError", "ErrorResponse", "IdempotencyKeyReuseError",
    "InternalAgentError", "InvalidJSONError", "InvalidParamsError", "InvalidRequestError", "KeyStoreError",
    "MethodNotFoundError", "NotFoundError", "OutcomeUnknownError", "PaymanError", "PaymentNotMadeError",
    "PermissionDeniedError", "PushNotificationsNotSupportedError", "RateLimitError", "ResponseValidationError",
    "ServerError", "StreamInterruptedError", "TaskFailedError", "TaskNotCancelableError", "TaskNotFoundError",
    "TokenStoreError", "UnprocessableEntityError", "UnsupportedOperationError",
]
# fmt: on


class ConfigurationError(PaymanError, ValueError):
    """A setting or an argument is missing or wrong; nothing was sent."""


class APIConnectionError(PaymanError):
    """The network failed before a complete answer arrived.

    `sent` is False if the request certainly never reached the server, because no connection was made. `is_transient` is False if
    another attempt would fail in the same way, because of an untrusted certificate or an unknown host.
    """

    _in_requests = "ConnectionError"

    sent: bool | None = True
    is_transient: bool = True


class APITimeoutError(APIConnectionError, TimeoutError):
    """No complete answer arrived in time."""

    _in_requests = "Timeout"


class APIStatusError(PaymanError):
    """The server answered with an HTTP error status."""

    _in_requests = "HTTPError"


class BadRequestError(APIStatusError, number=400):
    """HTTP 400."""


class AuthenticationError(APIStatusError, number=401):
    """No valid token: HTTP 401 of the API, or a refusal of the token endpoint (RFC 6749, section 5.2) [P]."""

    error: str | None = None
    """The server's error code, such as `invalid_grant`, or None."""
    error_description: str | None = None
    """The server's description of the error, or None."""


class PermissionDeniedError(APIStatusError, number=403):
    """HTTP 403."""


class NotFoundError(APIStatusError, number=404):
    """HTTP 404."""


class ConflictError(APIStatusError, number=409):
    """HTTP 409."""


class UnprocessableEntityError(APIStatusError, number=422):
    """HTTP 422."""


class RateLimitError(APIStatusError, number=429):
    """HTTP 429."""


class ServerError(APIStatusError):
    """HTTP 5xx."""


class AgentError(PaymanError):
    """The agent answered with a JSON-RPC error, with its `code` and `data`."""

    code: int | None = None
    """The code of the error, such as -32603."""
    data: Any = None
    """The `data` of the error, or None."""


class InvalidJSONError(AgentError, number=-32700):
    """-32700: the agent could not read the request."""


class InvalidRequestError(AgentError, number=-32600):
    """-32600: not a JSON-RPC request."""


class MethodNotFoundError(AgentError, number=-32601):
    """-32601: the agent has no such method."""


class InvalidParamsError(AgentError, number=-32602):
    """-32602: the parameters are wrong."""


class InternalAgentError(AgentError, number=-32603):
    """-32603: something broke inside the agent."""


class TaskNotFoundError(AgentError, number=-32001):
    """-32001: the agent knows no task of this id."""


class TaskNotCancelableError(AgentError, number=-32002):
    """-32002: the task has ended already."""


class PushNotificationsNotSupportedError(AgentError, number=-32003):
    """-32003: the agent sends no push notifications."""


class UnsupportedOperationError(AgentError, number=-32004):
    """-32004: the agent does not do this."""


class TokenStoreError(PaymanError):
    """The token store cannot be read or written, or is not safe to use."""


class KeyStoreError(PaymanError):
    """The key store cannot be read or written. Nothing was sent."""

    sent: bool | None = False


class ResponseValidationError(PaymanError):
    """The answer to a token request or a look-up does not follow the protocol; `message` describes it.

    An ask with an unreadable answer does not raise this: the client looks its task up.
    """


class OutcomeUnknownError(PaymanError):
    """The request was sent, and its outcome is undetermined.

    Never send the same payment again after this error. Look the outcome up with `client.get_task(error.task_id)`.
    """

    task_id: str = ""  # pyright: ignore[reportIncompatibleVariableOverride] # what was sent has a task
    """The id of the task (`tsk-…`)."""


class StreamInterruptedError(OutcomeUnknownError):
    """A stream broke, and the task could neither be resumed nor followed to its end.

    `partial` is a `FormattedTaskResponse` with everything received so far. The task may continue:
    `client.get_task(error.task_id)` returns the outcome.
    """

    partial: Any = None
    """Everything received before the stream broke."""


class TaskFailedError(PaymanError):
    """The task ended without success. Raised with `raise_on_failure=True`, and by typed reads."""

    task: Any = None
    """The ended task, a `FormattedTaskResponse`."""


class PaymentNotMadeError(PaymanError):
    """A payment is not paid, or not proven to be. `payment` has the outcome and the reason.

    `sent` is False if it is refused or failed. Do not order an undetermined or waiting payment again.
    """

    payment: Any = None
    """The `Payment`."""


class IdempotencyKeyReuseError(PaymanError, ValueError):
    """The idempotency key was used with another text. Another payment needs another key."""


if not TYPE_CHECKING:
    __getattr__, __dir__ = import_on_use(__name__)
