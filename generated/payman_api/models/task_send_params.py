from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, cast

from .. import models
from ..types import UNSET, Model, Unset

if TYPE_CHECKING:
    from ..models.message import Message
    from ..models.metadata import Metadata


class TaskSendParams(Model):
    """What is asked. Published clients send null for what they do not have.

    Attributes:
        id (str): The task's id, made by the client (`tsk-<uuid4>`).
        message (Message): What one side says to the other.
        session_id (None | str | Unset): The conversation it belongs to (`ses-<uuid4>`), made by the
            client. The server makes one if it is left out.
        accepted_output_modes (list[str] | None | Unset): Kinds of parts that the client can read, such
            as `text`.
        history_length (int | None | Unset): How many messages of the history to put into the answer.
        metadata (Metadata | None | Unset):
    """

    __slots__ = (
        "id",
        "message",
        "session_id",
        "accepted_output_modes",
        "history_length",
        "metadata",
        "additional_properties",
    )
    __match_args__ = (
        "id",
        "message",
        "session_id",
        "accepted_output_modes",
        "history_length",
        "metadata",
    )

    id: str
    message: Message
    session_id: None | str | Unset
    accepted_output_modes: list[str] | None | Unset
    history_length: int | None | Unset
    metadata: Metadata | None | Unset
    additional_properties: dict[str, Any]

    def __init__(
        self,
        id: str,
        message: Message,
        session_id: None | str | Unset = UNSET,
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

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        if not TYPE_CHECKING:
            Message = models.Message
            Metadata = models.Metadata

        id = self.id

        message = self.message.to_dict()

        session_id: None | str | Unset = self.session_id

        accepted_output_modes: list[str] | None | Unset
        if isinstance(self.accepted_output_modes, Unset):
            accepted_output_modes = UNSET
        elif isinstance(self.accepted_output_modes, list):
            accepted_output_modes = self.accepted_output_modes

        else:
            accepted_output_modes = self.accepted_output_modes

        history_length: int | None | Unset = self.history_length

        metadata: dict[str, Any] | None | Unset
        if isinstance(self.metadata, Unset):
            metadata = UNSET
        elif isinstance(self.metadata, Metadata):
            metadata = self.metadata.to_dict()
        else:
            metadata = self.metadata

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict["id"] = id
        field_dict["message"] = message
        if session_id is not UNSET:
            field_dict["sessionId"] = session_id
        if accepted_output_modes is not UNSET:
            field_dict["acceptedOutputModes"] = accepted_output_modes
        if history_length is not UNSET:
            field_dict["historyLength"] = history_length
        if metadata is not UNSET:
            field_dict["metadata"] = metadata

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """Read it from what JSON has.

        Raises:
            AttributeError, KeyError, TypeError, ValueError: It is not as the spec has it.
        """
        if not TYPE_CHECKING:
            Message = models.Message
            Metadata = models.Metadata

        if isinstance(src_dict, (list, str)):
            raise TypeError(f"TaskSendParams must be an object, got {type(src_dict).__name__}")
        d = dict(src_dict)
        id = d.pop("id")
        if not isinstance(id, str):
            raise TypeError(f"id must be str, got {type(id).__name__}")

        message = Message.from_dict(d.pop("message"))

        _session_id = d.pop("sessionId", UNSET)
        if isinstance(_session_id, dict | list):
            raise TypeError(f"sessionId must be None | str, got {type(_session_id).__name__}")
        session_id = cast("None | str | Unset", _session_id)

        def _parse_accepted_output_modes(data: object) -> list[str] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            if isinstance(data, list):
                accepted_output_modes_type_0 = cast(list[str], data)

                return accepted_output_modes_type_0
            raise TypeError(f"acceptedOutputModes must be list[str] | None, got {type(data).__name__}")

        accepted_output_modes = _parse_accepted_output_modes(d.pop("acceptedOutputModes", UNSET))

        _history_length = d.pop("historyLength", UNSET)
        if isinstance(_history_length, dict | list):
            raise TypeError(f"historyLength must be int | None, got {type(_history_length).__name__}")
        history_length = cast("int | None | Unset", _history_length)

        def _parse_metadata(data: object) -> Metadata | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            if isinstance(data, dict):
                metadata_type_0 = Metadata.from_dict(data)

                return metadata_type_0
            raise TypeError(f"metadata must be Metadata | None, got {type(data).__name__}")

        metadata = _parse_metadata(d.pop("metadata", UNSET))

        task_send_params = cls(
            id=id,
            message=message,
            session_id=session_id,
            accepted_output_modes=accepted_output_modes,
            history_length=history_length,
            metadata=metadata,
        )
        task_send_params.additional_properties = d
        return task_send_params

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
