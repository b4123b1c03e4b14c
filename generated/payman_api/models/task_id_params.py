from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._base import OpenModel
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from .metadata import Metadata


class TaskIdParams(OpenModel[Any]):
    """Which task is meant.

    Attributes:
        id: The task's id.
    """

    __match_args__ = ("id", "metadata")
    __slots__ = __match_args__

    id: str
    metadata: Metadata | None | Unset

    def __init__(self, id: str, metadata: Metadata | None | Unset = UNSET) -> None:
        self.id = id
        self.metadata = metadata
        self.additional_properties = {}
