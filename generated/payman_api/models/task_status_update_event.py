from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._base import OpenModel
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from .metadata import Metadata
    from .task_status import TaskStatus


class TaskStatusUpdateEvent(OpenModel[Any]):
    """A task stands differently now.

    Attributes:
        id: The task's id.
        status: How a task stands.
        final: Whether the stream ends with this event.
    """

    __match_args__ = ("id", "status", "final", "metadata")
    __slots__ = __match_args__

    id: str
    status: TaskStatus
    final: bool
    metadata: Metadata | None | Unset

    def __init__(
        self, id: str, status: TaskStatus, final: bool, metadata: Metadata | None | Unset = UNSET
    ) -> None:
        self.id = id
        self.status = status
        self.final = final
        self.metadata = metadata
        self.additional_properties = {}
