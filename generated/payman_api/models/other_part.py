from __future__ import annotations

from typing import Any

from .._base import OpenModel


class OtherPart(OpenModel[Any]):
    """A part of a kind that this document does not know. It is kept, members and all.

    Attributes:
        type_: The kind.
    """

    __match_args__ = ("type_",)
    __slots__ = __match_args__
    _wire = {"type_": "type"}

    type_: str

    def __init__(self, type_: str) -> None:
        self.type_ = type_
        self.additional_properties = {}
