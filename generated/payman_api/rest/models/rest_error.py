from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._base import OpenModel
from ...types import UNSET, Unset

if TYPE_CHECKING:
    from .error_code import ErrorCode


class RestError(OpenModel[Any]):
    """Why a request was not carried out.

    Attributes:
        status: The HTTP status once more.
        timestamp: When it happened. A plain string.
        error_code: The kind of error, or a word that is not listed here.
        message: What a developer should know about it.
    """

    __match_args__ = ("status", "timestamp", "error_code", "message")
    __slots__ = __match_args__
    _wire = {"error_code": "errorCode"}

    status: int | str | None | Unset
    timestamp: str | None | Unset
    error_code: ErrorCode | str | None | Unset
    message: str | None | Unset

    def __init__(
        self,
        status: int | str | None | Unset = UNSET,
        timestamp: str | None | Unset = UNSET,
        error_code: ErrorCode | str | None | Unset = UNSET,
        message: str | None | Unset = UNSET,
    ) -> None:
        self.status = status
        self.timestamp = timestamp
        self.error_code = error_code
        self.message = message
        self.additional_properties = {}
