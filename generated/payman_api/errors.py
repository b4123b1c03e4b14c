"""The errors that the endpoint functions raise."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import httpx


class AnswerError(Exception):
    """An answer that is not a success as the spec has it.

    Attributes:
        status_code: The status.
        content: The body, which is neither in the message nor pickled: it may hold secrets.
        headers: The headers, which are not pickled either.
        parsed: The model that the spec has for this status; None where it has none, or the body does not fit it.
    """

    _text = "The answer with status {} is not a success as the spec has it."

    def __init__(
        self,
        status_code: int,
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
        parsed: Any = None,
    ) -> None:
        super().__init__(self._text.format(status_code))
        self.status_code = status_code
        self.content = content
        self.headers: Mapping[str, str] = headers or {}
        self.parsed: Any = parsed

    def __reduce__(self) -> tuple[type[Self], tuple[int]]:
        return type(self), (self.status_code,)


class ErrorStatus(AnswerError):
    """The server answered with a status of 400 or more."""

    _text = "The server answered with status {}."


class UnexpectedStatus(AnswerError):
    """The answer has a status that the spec does not have."""

    _text = "The spec has no status {} for this operation."


class UnreadableAnswer(AnswerError):
    """The server answered with success, and the body is not as the spec has it. What was asked for may have been done."""

    _text = "The body of an answer with status {} is not as the spec has it."


def read(parse: Callable[[httpx.Response], Any], response: httpx.Response, successes: Sequence[range]) -> Any:
    """Return what `parse` makes of a success.

    Raises:
        ErrorStatus: The status is 400 or more.
        UnexpectedStatus: The status is below 400 and not one of `successes`.
        UnreadableAnswer: The body of a success is not as the spec has it.
    """
    status = response.status_code
    try:
        parsed = parse(response)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UnreadableAnswer(status, response.content, response.headers) from error
    if any(status in those for those in successes):
        return parsed
    kind = ErrorStatus if status >= 400 else UnexpectedStatus
    raise kind(status, response.content, response.headers, parsed)


__all__ = ["AnswerError", "ErrorStatus", "UnexpectedStatus", "UnreadableAnswer", "read"]
