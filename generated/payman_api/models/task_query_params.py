from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._base import OpenModel
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from .metadata import Metadata


class TaskQueryParams(OpenModel[Any]):
    """Which task is meant, and how much of its history.

    Attributes:
        id: The task's id.
        history_length: How many messages of the history to put into the answer.
    """

    __match_args__ = ("id", "history_length", "metadata")
    __slots__ = __match_args__
    _wire = {"history_length": "historyLength"}

    id: str
    history_length: int | None | Unset
    metadata: Metadata | None | Unset

    def __init__(
        self, id: str, history_length: int | None | Unset = UNSET, metadata: Metadata | None | Unset = UNSET
    ) -> None:
        self.id = id
        self.history_length = history_length
        self.metadata = metadata
        self.additional_properties = {}
