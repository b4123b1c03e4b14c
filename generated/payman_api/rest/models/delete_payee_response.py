from __future__ import annotations

from typing import Any

from ..._base import OpenModel
from ...types import UNSET, Unset


class DeletePayeeResponse(OpenModel[Any]):
    """Whether a payee was deleted."""

    __match_args__ = ("success", "message")
    __slots__ = __match_args__

    success: bool
    message: str | None | Unset

    def __init__(self, success: bool, message: str | None | Unset = UNSET) -> None:
        self.success = success
        self.message = message
        self.additional_properties = {}
