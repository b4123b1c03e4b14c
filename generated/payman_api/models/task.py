from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._base import OpenModel
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from .artifact import Artifact
    from .message import Message
    from .metadata import Metadata
    from .task_status import TaskStatus


class Task(OpenModel[Any]):
    """One ask, from the first message to the answer.

    Attributes:
        id: The task's id, made by the client (`tsk-<uuid4>`).
        status: How a task stands.
        session_id: The conversation it belongs to (`ses-<uuid4>`).
        artifacts: What has been made so far.
        history: What has been said so far, if it was asked for.
    """

    __match_args__ = ("id", "status", "session_id", "artifacts", "history", "metadata")
    __slots__ = __match_args__
    _wire = {"session_id": "sessionId"}

    id: str
    status: TaskStatus
    session_id: str | None | Unset
    artifacts: list[Artifact] | None | Unset
    history: list[Message] | None | Unset
    metadata: Metadata | None | Unset

    def __init__(
        self,
        id: str,
        status: TaskStatus,
        session_id: str | None | Unset = UNSET,
        artifacts: list[Artifact] | None | Unset = UNSET,
        history: list[Message] | None | Unset = UNSET,
        metadata: Metadata | None | Unset = UNSET,
    ) -> None:
        self.id = id
        self.status = status
        self.session_id = session_id
        self.artifacts = artifacts
        self.history = history
        self.metadata = metadata
        self.additional_properties = {}
