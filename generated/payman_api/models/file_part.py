from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from .._base import OpenModel
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from .file_content import FileContent
    from .metadata import Metadata


class FilePart(OpenModel[Any]):
    """A file.

    Attributes:
        file: A file, by its bytes or by where it is.
    """

    __match_args__ = ("file", "type_", "metadata")
    __slots__ = __match_args__
    _wire = {"type_": "type"}

    file: FileContent
    type_: Literal["file"]
    metadata: Metadata | None | Unset

    def __init__(
        self, file: FileContent, type_: Literal["file"] = "file", metadata: Metadata | None | Unset = UNSET
    ) -> None:
        self.file = file
        self.type_ = type_
        self.metadata = metadata
        self.additional_properties = {}
