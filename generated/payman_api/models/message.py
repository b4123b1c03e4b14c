from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._base import OpenModel
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from .data_part import DataPart
    from .file_part import FilePart
    from .metadata import Metadata
    from .other_part import OtherPart
    from .text_part import TextPart


class Message(OpenModel[Any]):
    """What one side says to the other.

    Attributes:
        role: Who speaks, `user` or `agent`. Answers have also said `assistant`.
    """

    __match_args__ = ("role", "parts", "metadata")
    __slots__ = __match_args__

    role: str
    parts: list[TextPart | FilePart | DataPart | OtherPart]
    metadata: Metadata | None | Unset

    def __init__(
        self,
        role: str,
        parts: list[TextPart | FilePart | DataPart | OtherPart],
        metadata: Metadata | None | Unset = UNSET,
    ) -> None:
        self.role = role
        self.parts = parts
        self.metadata = metadata
        self.additional_properties = {}
