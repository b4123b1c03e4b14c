from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from .._base import OpenModel
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from .metadata import Metadata


class TextPart(OpenModel[Any]):
    """Words, usually markdown.

    Attributes:
        text: The words.
    """

    __match_args__ = ("text", "type_", "metadata")
    __slots__ = __match_args__
    _wire = {"type_": "type"}

    text: str
    type_: Literal["text"]
    metadata: Metadata | None | Unset

    def __init__(
        self, text: str, type_: Literal["text"] = "text", metadata: Metadata | None | Unset = UNSET
    ) -> None:
        self.text = text
        self.type_ = type_
        self.metadata = metadata
        self.additional_properties = {}
