"""Keeping secrets out of what people and programs read by accident."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn, Self, cast

from payman_api import PATHS

if TYPE_CHECKING:
    import logging


class Secret(str):
    """A string whose `repr` shows nothing, so that tracebacks with locals and debuggers show nothing either.

    Example:
        >>> from payman_sdk.secrecy import Secret
        >>> {"token": Secret("s3cret")}
        {'token': Secret(…)}
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret(…)"

    def strip(self, chars: str | None = None, /) -> Self:
        """The secret without the white space around it, a secret still."""
        return type(self)(super().strip(chars))

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled")


_HARMLESS = frozenset({"client_id", "environment", "base_url", "name", "session_id"})


def concealed(given: Any) -> Any:
    """A copy of a mapping whose texts, but for harmless ones, show nothing in a `repr`; nothing but the type of anything else.

    Public functions put it in the place of what they were given, before anything can fail, so that the locals in a
    traceback of the SDK hold no secret that can be read.
    """
    if not isinstance(given, Mapping):
        return _emptied(given)
    members = cast("Mapping[str, Any]", given)
    return {key: value if key in _HARMLESS else as_secret(value) for key, value in members.items()}


def as_secret(value: Any) -> Any:
    """A text as a secret; of what is no text, and wrong there, no more than the type if it could hold one."""
    return Secret(value) if isinstance(value, str) else _emptied(value)


def _emptied(value: Any) -> Any:
    return type(value)() if type(value) in {str, bytes, bytearray, tuple, list, set, dict} else value


def hide_token_requests() -> None:
    """Makes httpx's log records of token requests show no query; does nothing the second time.

    Token requests carry their secrets in the query [D], and httpx logs the address of every request at INFO.
    """
    import logging

    logging.getLogger("httpx").addFilter(_hide_query)


def _hide_query(record: logging.LogRecord) -> bool:
    if isinstance(record.args, tuple):
        record.args = tuple(_without_query(argument) for argument in record.args)
    return True


def _without_query(argument: object) -> object:
    text = str(argument) if type(argument).__name__ == "URL" or isinstance(argument, str) else ""
    address, question_mark, _ = text.partition("?")
    if question_mark and address.endswith(PATHS["create_token"]):
        return f"{address}?…"
    return argument
