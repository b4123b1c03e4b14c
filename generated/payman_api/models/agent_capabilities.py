from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, cast

from ..types import UNSET, Model, Unset


class AgentCapabilities(Model):
    """What the agent can do beyond answering.

    Attributes:
        streaming (bool | None | Unset): Whether it answers `send_task_subscribe`.
        push_notifications (bool | None | Unset): Whether it can call back.
        state_transition_history (bool | None | Unset): Whether it keeps a task's earlier states.
    """

    __slots__ = (
        "streaming",
        "push_notifications",
        "state_transition_history",
        "additional_properties",
    )
    __match_args__ = (
        "streaming",
        "push_notifications",
        "state_transition_history",
    )

    streaming: bool | None | Unset
    push_notifications: bool | None | Unset
    state_transition_history: bool | None | Unset
    additional_properties: dict[str, Any]

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

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        streaming: bool | None | Unset = self.streaming

        push_notifications: bool | None | Unset = self.push_notifications

        state_transition_history: bool | None | Unset = self.state_transition_history

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        if streaming is not UNSET:
            field_dict["streaming"] = streaming
        if push_notifications is not UNSET:
            field_dict["pushNotifications"] = push_notifications
        if state_transition_history is not UNSET:
            field_dict["stateTransitionHistory"] = state_transition_history

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """Read it from what JSON has.

        Raises:
            AttributeError, KeyError, TypeError, ValueError: It is not as the spec has it.
        """
        if isinstance(src_dict, (list, str)):
            raise TypeError(f"AgentCapabilities must be an object, got {type(src_dict).__name__}")
        d = dict(src_dict)
        _streaming = d.pop("streaming", UNSET)
        if isinstance(_streaming, dict | list):
            raise TypeError(f"streaming must be bool | None, got {type(_streaming).__name__}")
        streaming = cast("bool | None | Unset", _streaming)

        _push_notifications = d.pop("pushNotifications", UNSET)
        if isinstance(_push_notifications, dict | list):
            raise TypeError(
                f"pushNotifications must be bool | None, got {type(_push_notifications).__name__}"
            )
        push_notifications = cast("bool | None | Unset", _push_notifications)

        _state_transition_history = d.pop("stateTransitionHistory", UNSET)
        if isinstance(_state_transition_history, dict | list):
            raise TypeError(
                f"stateTransitionHistory must be bool | None, got {type(_state_transition_history).__name__}"
            )
        state_transition_history = cast("bool | None | Unset", _state_transition_history)

        agent_capabilities = cls(
            streaming=streaming,
            push_notifications=push_notifications,
            state_transition_history=state_transition_history,
        )
        agent_capabilities.additional_properties = d
        return agent_capabilities

    @property
    def additional_keys(self) -> list[str]:
        """The names of the members that the spec does not have."""
        return list(self.additional_properties)

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
