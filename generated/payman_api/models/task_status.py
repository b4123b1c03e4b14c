from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._base import OpenModel
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from .message import Message
    from .task_state import TaskState


class TaskStatus(OpenModel[Any]):
    """How a task stands.

    Attributes:
        message: What the agent says about it, such as `Processing completed successfully`, or what it
            needs to know.
        timestamp: Since when. A plain string; it may have nine fractional digits, or no zone.
    """

    __match_args__ = ("state", "message", "timestamp")
    __slots__ = __match_args__

    state: TaskState | str
    message: Message | None | Unset
    timestamp: str | None | Unset

    def __init__(
        self,
        state: TaskState | str,
        message: Message | None | Unset = UNSET,
        timestamp: str | None | Unset = UNSET,
    ) -> None:
        self.state = state
        self.message = message
        self.timestamp = timestamp
        self.additional_properties = {}
