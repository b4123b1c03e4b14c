from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from .._base import OpenModel
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from .data_content import DataContent
    from .metadata import Metadata


class DataPart(OpenModel[Any]):
    """Values for a program.

    Attributes:
        data: Values for a program.
    """

    __match_args__ = ("data", "type_", "metadata")
    __slots__ = __match_args__
    _wire = {"type_": "type"}

    data: DataContent
    type_: Literal["data"]
    metadata: Metadata | None | Unset

    def __init__(
        self, data: DataContent, type_: Literal["data"] = "data", metadata: Metadata | None | Unset = UNSET
    ) -> None:
        self.data = data
        self.type_ = type_
        self.metadata = metadata
        self.additional_properties = {}
