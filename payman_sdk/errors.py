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
    ├── TokenStoreError                  the place where tokens are kept failed, or is not safe to use
    ├── KeyStoreError                    the place where idempotency keys are recorded failed
    ├── ResponseValidationError          an answer that is not what the protocol says
    ├── OutcomeUnknownError              the request was sent, and its outcome is undetermined
    │   └── StreamInterruptedError       a stream broke, and could neither be resumed nor followed
    ├── TaskFailedError                  the task failed; raised where the caller asked for it, and by typed reads
    ├── PaymentNotMadeError              a payment is not proven to be paid; raised by `payment.raise_unless_paid()`
    └── IdempotencyKeyReuseError         a key that names another text already (also a ValueError)

All of them carry what is known (`status_code`, `request_id`, `task_id`, `session_id`, `idempotency_key`, `response`),
show it in `str()`, can be pickled, and hold no secret. Their message is a single line without invisible characters. A server's
unchanged text is in `response`, `error`, `error_description` and `data`. If the program imports `requests`, they are also
exceptions of `requests`, which version 1 raised: see `payman_sdk._compat_requests`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from payman_sdk._compat_requests import RequestsCompatible

if TYPE_CHECKING:
    from payman_sdk._text.error_response import ErrorResponse

__all__ = [
    "APIConnectionError",
    "APIStatusError",
    "APITimeoutError",
    "AgentError",
    "AuthenticationError",
    "BadRequestError",
    "ConfigurationError",
    "ConflictError",
    "ErrorResponse",
    "IdempotencyKeyReuseError",
    "InternalAgentError",
    "InvalidJSONError",
    "InvalidParamsError",
    "InvalidRequestError",
    "KeyStoreError",
    "MethodNotFoundError",
    "NotFoundError",
    "OutcomeUnknownError",
    "PaymanError",
    "PaymentNotMadeError",
    "PermissionDeniedError",
    "PushNotificationsNotSupportedError",
    "RateLimitError",
    "ResponseValidationError",
    "ServerError",
    "StreamInterruptedError",
    "TaskFailedError",
    "TaskNotCancelableError",
    "TaskNotFoundError",
    "TokenStoreError",
    "UnprocessableEntityError",
    "UnsupportedOperationError",
]

_LONGEST_MESSAGE, _LONGEST_ID = 2000, 300
"""Characters that an error says of anything, whoever wrote it."""


class PaymanError(RequestsCompatible):
    """The root of everything the SDK raises.

    Whatever text or JSON is set on an error is redacted: where a server repeats a secret it was sent, it says `...`.

    Args:
        message: What went wrong, in a sentence.
        next_step: What the reader can do about it, in a sentence.
        status_code: The HTTP status of the answer, if there was one.
        request_id: The JSON-RPC id of the request (`req-…`).
        task_id: The id of the task (`tsk-…`).
        session_id: The id of the session (`ses-…`).
        response: The answer, if there was one.
        idempotency_key: The key that the caller gave the ask, if there was one.
        sent: False where what was asked certainly never reached the agent, True where it may have, None where the answer
            says it.

    Example:
        >>> from payman_sdk.errors import PaymanError
        >>> str(PaymanError("It broke.", task_id="tsk-1", next_step="Mend it."))
        'It broke. Mend it. [task tsk-1]'
    """

    sent: bool | None = None
    task_id: str | None = None

    def __init__(
        self,
        message: str,
        *,
        next_step: str = "",
        status_code: int | None = None,
        request_id: str | None = None,
        task_id: str | None = None,
        session_id: str | None = None,
        response: ErrorResponse | None = None,
        idempotency_key: str | None = None,
        sent: bool | None = None,
    ) -> None:
        from payman_sdk._text.redaction import redact
        from payman_sdk._text.sanitizer import sanitize

        self.message: str = sanitize(redact(message), one_line=True, max_length=_LONGEST_MESSAGE)
        self.args = (self.message,)
        super().__init__(self.message)
        self.next_step = next_step
        self.status_code = response.status_code if status_code is None and response else status_code
        self.request_id = request_id
        self.session_id = session_id
        self.response = response
        self.idempotency_key = idempotency_key
        if task_id is not None:
            self.task_id = task_id
        if sent is not None:
            self.sent = sent

    def __setattr__(self, name: str, value: Any) -> None:
        from payman_sdk._text.redaction import redact_shape

        super().__setattr__(name, redact_shape(value))

    def add_context(
        self,
        *,
        task_id: str,
        request_id: str | None = None,
        session_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> Self:
        """Note which task the error belongs to, and return the error; a key that is known already stays."""
        self.task_id, self.request_id, self.session_id = task_id, request_id, session_id
        if idempotency_key is not None:
            self.idempotency_key = idempotency_key
        return self

    def __str__(self) -> str:
        from payman_sdk._text.sanitizer import sanitize

        known = {
            "HTTP": self.status_code,
            "task": self.task_id,
            "session": self.session_id,
            "request": self.request_id,
            "key": self.idempotency_key,
        }
        ids = ", ".join(
            f"{name} {sanitize(str(value), one_line=True, max_length=_LONGEST_ID)}"
            for name, value in known.items()
            if value not in (None, "")
        )
        said = [self.message, self.next_step, f"[{ids}]" if ids else ""]
        return sanitize(" ".join(part for part in said if part), one_line=True)


class ConfigurationError(PaymanError, ValueError):
    """A setting or an argument is missing or wrong; nothing was sent."""


class APIConnectionError(PaymanError):
    """The network failed before a whole answer was there.

    `sent` is False where the request certainly never reached the server: the connection was never made. `is_transient` is
    False where another attempt would fail in the same way: a certificate that is not trusted, a host that does not exist.
    """

    _in_requests = "ConnectionError"

    sent: bool | None = True
    is_transient: bool = True


class APITimeoutError(APIConnectionError, TimeoutError):
    """No whole answer came in time."""

    _in_requests = "Timeout"


class APIStatusError(PaymanError):
    """The server answered with an HTTP error status."""

    _in_requests = "HTTPError"


class BadRequestError(APIStatusError):
    """HTTP 400."""


class AuthenticationError(APIStatusError):
    """No valid token: HTTP 401 of the API, or a refusal of the token endpoint.

    `error` and `error_description` are the server's own words (RFC 6749, section 5.2) [P].
    """

    error: str | None = None
    """The server's word for it, such as `invalid_grant`; None if it said none."""
    error_description: str | None = None
    """The server's sentence about it; None if it said none."""


class PermissionDeniedError(APIStatusError):
    """HTTP 403."""


class NotFoundError(APIStatusError):
    """HTTP 404."""


class ConflictError(APIStatusError):
    """HTTP 409."""


class UnprocessableEntityError(APIStatusError):
    """HTTP 422."""


class RateLimitError(APIStatusError):
    """HTTP 429."""


class ServerError(APIStatusError):
    """HTTP 5xx."""


class AgentError(PaymanError):
    """The agent answered with a JSON-RPC error; `code` and `data` are its own."""

    code: int | None = None
    """The code of the error, such as -32603."""
    data: Any = None
    """What the agent said beside its message; None if that was nothing."""


class InvalidJSONError(AgentError):
    """-32700: the agent could not read the request."""


class InvalidRequestError(AgentError):
    """-32600: not a JSON-RPC request."""


class MethodNotFoundError(AgentError):
    """-32601: the agent has no such method."""


class InvalidParamsError(AgentError):
    """-32602: the parameters are wrong."""


class InternalAgentError(AgentError):
    """-32603: something broke inside the agent."""


class TaskNotFoundError(AgentError):
    """-32001: the agent knows no task of this id."""


class TaskNotCancelableError(AgentError):
    """-32002: the task has ended already."""


class PushNotificationsNotSupportedError(AgentError):
    """-32003: the agent sends no push notifications."""


class UnsupportedOperationError(AgentError):
    """-32004: the agent does not do this."""


class TokenStoreError(PaymanError):
    """The place where tokens are kept cannot be read or written, or is not safe to use."""


class KeyStoreError(PaymanError):
    """The place where idempotency keys are recorded cannot be read or written; nothing was sent."""

    sent: bool | None = False


class ResponseValidationError(PaymanError):
    """The answer to a request for a token, or to a look-up, is not what the protocol says; `message` names what was got.

    An ask whose answer cannot be read does not end with it: its task is looked up.
    """


class OutcomeUnknownError(PaymanError):
    """The request was sent, and its outcome is undetermined.

    Never send the same payment again on this error: ask `client.get_task(error.task_id)` how it ended.
    """

    task_id: str = ""  # pyright: ignore[reportIncompatibleVariableOverride] # what was sent has a task
    """The id of the task (`tsk-…`)."""


class StreamInterruptedError(OutcomeUnknownError):
    """A stream broke, and the task could neither be resumed nor followed to its end.

    `partial` is what had been received until then, a `FormattedTaskResponse`. The task may still go on:
    `client.get_task(error.task_id)` returns the outcome.
    """

    partial: Any = None
    """What had been received until then."""


class TaskFailedError(PaymanError):
    """The task ended without success; raised where the caller asked for it, and by typed reads. `task` is the task as it ended."""

    task: Any = None
    """The task as it ended, a `FormattedTaskResponse`."""


class PaymentNotMadeError(PaymanError):
    """A payment is not paid, or not proven to be. `payment` says which of the two, with its reason.

    `sent` is True where it may have been paid: a payment that is undetermined, or waits for approval, is not ordered again.
    """

    payment: Any = None
    """The `Payment`."""


class IdempotencyKeyReuseError(PaymanError, ValueError):
    """The same idempotency key was used with another text. Another payment needs another key."""


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name != "ErrorResponse":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from payman_sdk._text.error_response import ErrorResponse

        globals()[name] = ErrorResponse
        return ErrorResponse

    def __dir__() -> list[str]:
        return sorted(__all__)
