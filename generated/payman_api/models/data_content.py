from __future__ import annotations

from typing import Any

from .._base import OpenModel


class DataContent(OpenModel[Any]):
    """Values for a program."""

    __match_args__ = ()
    __slots__ = __match_args__

    def __init__(self) -> None:
        self.additional_properties = {}
