"""The base of every exception of the SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from payman_sdk._annotations import LazyModule
from payman_sdk._compat_requests import create_error

if TYPE_CHECKING:
    from payman_sdk._text import error_response
else:
    error_response = LazyModule("payman_sdk._text.error_response")

_LONGEST_MESSAGE, _LONGEST_ID = 2000, 300
"""Maximum characters of a message and of an id in an error."""
_WITHOUT_TEXT = {type(None), bool, int, float}
"""Types of values that hold no secret; every other value is looked through."""

CLASSES: dict[tuple[Any, int], Any] = {}
"""The classes for an HTTP status, and for a code of the agent's errors, each with the class that it is derived from."""


class PaymanError(Exception):
    """The base class of all errors of the SDK.

    Text and JSON in an error are redacted: if a server repeats a secret that it was sent, the error shows `...`.

    Args:
        message: What went wrong, in a sentence.
        next_step: What to do about it, in a sentence.
        status_code: The HTTP status of the answer, if there was one.
        request_id: The JSON-RPC id of the request (`req-…`).
        task_id: The id of the task (`tsk-…`).
        session_id: The id of the session (`ses-…`).
        response: The answer, if there was one.
        idempotency_key: The key that the caller passed, if any.
        sent: False if certainly nothing was done, True if it may have been done, None if neither is proven.

    Example:
        >>> from payman_sdk.errors import PaymanError
        >>> str(PaymanError("It broke.", task_id="tsk-1", next_step="Try again."))
        'It broke. Try again. [task tsk-1]'
    """

    __module__ = "payman_sdk.errors"
    _in_requests = "RequestException"
    """Which exception of `requests` it is as well. A `Timeout` is a `ReadTimeout` or `ConnectTimeout` by the keyword `sent`."""

    sent: bool | None = None
    task_id: str | None = None

    def __init_subclass__(cls, *, number: int | None = None, **more: Any) -> None:
        super().__init_subclass__(**more)
        if number is not None:
            CLASSES[cls.__base__, number] = cls

    def __new__(cls, *args: Any, **known: Any) -> Self:
        return create_error(cls, args, known.get("sent"))

    def __init__(
        self,
        message: str,
        *,
        next_step: str = "",
        status_code: int | None = None,
        request_id: str | None = None,
        task_id: str | None = None,
        session_id: str | None = None,
        response: error_response.ErrorResponse | None = None,
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

    def __reduce__(self) -> tuple[Any, ...]:
        attributes = vars(self)
        return create_error, (type(self), self.args, attributes.get("sent")), attributes

    def __setattr__(self, name: str, value: Any) -> None:
        if type(value) not in _WITHOUT_TEXT:
            from payman_sdk._text.redaction import redact_shape

            value = redact_shape(value)
        super().__setattr__(name, value)

    def add_context(
        self,
        *,
        task_id: str,
        request_id: str | None = None,
        session_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> Self:
        """Record the task that the error belongs to, and return the error.

        Args:
            task_id: The id of the task (`tsk-…`).
            request_id: The id of the request (`req-…`).
            session_id: The id of the session (`ses-…`).
            idempotency_key: The key of the ask. None keeps the present one.
        """
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
