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


class Artifact(OpenModel[Any]):
    """Something the agent has made; the answer itself, or a piece of it while it is streamed.

    Attributes:
        name: What it is called, such as `response`.
        description: What it is, such as `AI Assistant Response`.
        index: Which artifact of the task it is; absent and null mean 0. Chunks of one artifact have the
            same index.
        append: Whether these parts extend the artifact with this index rather than begin it.
        last_chunk: Whether the artifact is complete with these parts.
    """

    __match_args__ = ("parts", "name", "description", "index", "append", "last_chunk", "metadata")
    __slots__ = __match_args__
    _wire = {"last_chunk": "lastChunk"}

    parts: list[TextPart | FilePart | DataPart | OtherPart]
    name: str | None | Unset
    description: str | None | Unset
    index: int | None | Unset
    append: bool | None | Unset
    last_chunk: bool | None | Unset
    metadata: Metadata | None | Unset

    def __init__(
        self,
        parts: list[TextPart | FilePart | DataPart | OtherPart],
        name: str | None | Unset = UNSET,
        description: str | None | Unset = UNSET,
        index: int | None | Unset = 0,
        append: bool | None | Unset = UNSET,
        last_chunk: bool | None | Unset = UNSET,
        metadata: Metadata | None | Unset = UNSET,
    ) -> None:
        self.parts = parts
        self.name = name
        self.description = description
        self.index = index
        self.append = append
        self.last_chunk = last_chunk
        self.metadata = metadata
        self.additional_properties = {}
