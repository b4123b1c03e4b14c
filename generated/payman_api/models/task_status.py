from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, cast

from .. import models
from ..models.task_state import TaskState
from ..types import UNSET, Model, Unset

if TYPE_CHECKING:
    from ..models.message import Message


class TaskStatus(Model):
    """How a task stands.

    Attributes:
        state (str | TaskState): A state as a server may spell it: the protocol's `input-required`, or
            `INPUT_REQUIRED` as the live server has answered (it has been seen with `COMPLETED`),
            or one that is not listed.
        message (Message | None | Unset): What the agent says about it, such as `Processing completed
            successfully`, or what it needs to know.
        timestamp (None | str | Unset): Since when. A plain string; it may have nine fractional digits,
            or no zone.
    """

    __slots__ = (
        "state",
        "message",
        "timestamp",
        "additional_properties",
    )
    __match_args__ = (
        "state",
        "message",
        "timestamp",
    )

    state: str | TaskState
    message: Message | None | Unset
    timestamp: None | str | Unset
    additional_properties: dict[str, Any]

    def __init__(
        self,
        state: str | TaskState,
        message: Message | None | Unset = UNSET,
        timestamp: None | str | Unset = UNSET,
    ) -> None:
        self.state = state
        self.message = message
        self.timestamp = timestamp
        self.additional_properties = {}

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        if not TYPE_CHECKING:
            Message = models.Message

        state: str
        if isinstance(self.state, TaskState):
            state = self.state.value
        else:
            state = self.state

        message: dict[str, Any] | None | Unset
        if isinstance(self.message, Unset):
            message = UNSET
        elif isinstance(self.message, Message):
            message = self.message.to_dict()
        else:
            message = self.message

        timestamp: None | str | Unset = self.timestamp

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict["state"] = state
        if message is not UNSET:
            field_dict["message"] = message
        if timestamp is not UNSET:
            field_dict["timestamp"] = timestamp

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """Read it from what JSON has.

        Raises:
            AttributeError, KeyError, TypeError, ValueError: It is not as the spec has it.
        """
        if not TYPE_CHECKING:
            Message = models.Message

        if isinstance(src_dict, (list, str)):
            raise TypeError(f"TaskStatus must be an object, got {type(src_dict).__name__}")
        d = dict(src_dict)

        def _parse_state(data: object) -> str | TaskState:
            try:
                if not isinstance(data, str):
                    raise TypeError
                componentsschemas_task_state_on_the_wire_type_0 = TaskState(data)

                return componentsschemas_task_state_on_the_wire_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            if data is None or isinstance(data, dict | list):
                raise TypeError(f"state must be str | TaskState, got {type(data).__name__}")
            return cast("str | TaskState", data)

        state = _parse_state(d.pop("state"))

        def _parse_message(data: object) -> Message | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            if isinstance(data, dict):
                message_type_0 = Message.from_dict(data)

                return message_type_0
            raise TypeError(f"message must be Message | None, got {type(data).__name__}")

        message = _parse_message(d.pop("message", UNSET))

        _timestamp = d.pop("timestamp", UNSET)
        if isinstance(_timestamp, dict | list):
            raise TypeError(f"timestamp must be None | str, got {type(_timestamp).__name__}")
        timestamp = cast("None | str | Unset", _timestamp)

        task_status = cls(
            state=state,
            message=message,
            timestamp=timestamp,
        )
        task_status.additional_properties = d
        return task_status

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
