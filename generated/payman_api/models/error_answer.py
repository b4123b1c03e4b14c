from __future__ import annotations

from typing import Any

from .._base import OpenModel
from ..types import UNSET, Unset


class ErrorAnswer(OpenModel[Any]):
    """The body of an answer with an error status. What servers put into it differs, and nothing in it is
    promised.

    Attributes:
        error: A word, a sentence, or a JSON-RPC error.
        message: What went wrong.
    """

    __match_args__ = ("error", "message")
    __slots__ = __match_args__

    error: Any | Unset
    message: str | None | Unset

    def __init__(self, error: Any | Unset = UNSET, message: str | None | Unset = UNSET) -> None:
        self.error = error
        self.message = message
        self.additional_properties = {}
