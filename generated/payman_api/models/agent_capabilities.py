from __future__ import annotations

from typing import Any

from .._base import OpenModel
from ..types import UNSET, Unset


class AgentCapabilities(OpenModel[Any]):
    """What the agent can do beyond answering.

    Attributes:
        streaming: Whether it answers `send_task_subscribe`.
        push_notifications: Whether it can call back.
        state_transition_history: Whether it keeps a task's earlier states.
    """

    __match_args__ = ("streaming", "push_notifications", "state_transition_history")
    __slots__ = __match_args__
    _wire = {"push_notifications": "pushNotifications", "state_transition_history": "stateTransitionHistory"}

    streaming: bool | None | Unset
    push_notifications: bool | None | Unset
    state_transition_history: bool | None | Unset

    def __init__(
        self,
        streaming: bool | None | Unset = UNSET,
        push_notifications: bool | None | Unset = UNSET,
        state_transition_history: bool | None | Unset = UNSET,
    ) -> None:
        self.streaming = streaming
        self.push_notifications = push_notifications
        self.state_transition_history = state_transition_history
        self.additional_properties = {}
