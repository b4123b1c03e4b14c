from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._base import OpenModel
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from .message import Message
    from .metadata import Metadata


class TaskSendParams(OpenModel[Any]):
    """What is asked. Published clients send null for what they do not have.

    Attributes:
        id: The task's id, made by the client (`tsk-<uuid4>`).
        message: What one side says to the other.
        session_id: The conversation it belongs to (`ses-<uuid4>`), made by the client. The server makes
            one if it is left out.
        accepted_output_modes: Kinds of parts that the client can read, such as `text`.
        history_length: How many messages of the history to put into the answer.
    """

    __match_args__ = ("id", "message", "session_id", "accepted_output_modes", "history_length", "metadata")
    __slots__ = __match_args__
    _wire = {
        "session_id": "sessionId",
        "accepted_output_modes": "acceptedOutputModes",
        "history_length": "historyLength",
    }

    id: str
    message: Message
    session_id: str | None | Unset
    accepted_output_modes: list[str] | None | Unset
    history_length: int | None | Unset
    metadata: Metadata | None | Unset

    def __init__(
        self,
        id: str,
        message: Message,
        session_id: str | None | Unset = UNSET,
        accepted_output_modes: list[str] | None | Unset = UNSET,
        history_length: int | None | Unset = UNSET,
        metadata: Metadata | None | Unset = UNSET,
    ) -> None:
        self.id = id
        self.message = message
        self.session_id = session_id
        self.accepted_output_modes = accepted_output_modes
        self.history_length = history_length
        self.metadata = metadata
        self.additional_properties = {}
