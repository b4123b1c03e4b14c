from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.artifact import Artifact
    from ..models.message import Message
    from ..models.metadata import Metadata
    from ..models.task_status import TaskStatus


T = TypeVar("T", bound="Task")


@_attrs_define
class Task:
    """One ask, from the first message to the answer.

    Attributes:
        id (str): The task's id, made by the client (`tsk-<uuid4>`).
        status (TaskStatus): How a task stands.
        session_id (None | str | Unset): The conversation it belongs to (`ses-<uuid4>`).
        artifacts (list[Artifact] | None | Unset): What has been made so far.
        history (list[Message] | None | Unset): What has been said so far, if it was asked for.
        metadata (Metadata | None | Unset):
    """

    id: str
    status: TaskStatus
    session_id: None | str | Unset = UNSET
    artifacts: list[Artifact] | None | Unset = UNSET
    history: list[Message] | None | Unset = UNSET
    metadata: Metadata | None | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.metadata import Metadata  # noqa: PLC0415

        id = self.id

        status = self.status.to_dict()

        session_id: None | str | Unset
        if isinstance(self.session_id, Unset):
            session_id = UNSET
        else:
            session_id = self.session_id

        artifacts: list[dict[str, Any]] | None | Unset
        if isinstance(self.artifacts, Unset):
            artifacts = UNSET
        elif isinstance(self.artifacts, list):
            artifacts = []
            for artifacts_type_0_item_data in self.artifacts:
                artifacts_type_0_item = artifacts_type_0_item_data.to_dict()
                artifacts.append(artifacts_type_0_item)

        else:
            artifacts = self.artifacts

        history: list[dict[str, Any]] | None | Unset
        if isinstance(self.history, Unset):
            history = UNSET
        elif isinstance(self.history, list):
            history = []
            for history_type_0_item_data in self.history:
                history_type_0_item = history_type_0_item_data.to_dict()
                history.append(history_type_0_item)

        else:
            history = self.history

        metadata: dict[str, Any] | None | Unset
        if isinstance(self.metadata, Unset):
            metadata = UNSET
        elif isinstance(self.metadata, Metadata):
            metadata = self.metadata.to_dict()
        else:
            metadata = self.metadata

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "status": status,
            }
        )
        if session_id is not UNSET:
            field_dict["sessionId"] = session_id
        if artifacts is not UNSET:
            field_dict["artifacts"] = artifacts
        if history is not UNSET:
            field_dict["history"] = history
        if metadata is not UNSET:
            field_dict["metadata"] = metadata

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.artifact import Artifact  # noqa: PLC0415
        from ..models.message import Message  # noqa: PLC0415
        from ..models.metadata import Metadata  # noqa: PLC0415
        from ..models.task_status import TaskStatus  # noqa: PLC0415

        d = dict(src_dict)
        id = d.pop("id")

        status = TaskStatus.from_dict(d.pop("status"))

        def _parse_session_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            if isinstance(data, dict | list):
                raise TypeError(f"sessionId fits no member of None | str: {type(data).__name__}")
            return cast(None | str | Unset, data)

        session_id = _parse_session_id(d.pop("sessionId", UNSET))

        def _parse_artifacts(data: object) -> list[Artifact] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            if isinstance(data, list):
                artifacts_type_0 = []
                _artifacts_type_0 = data
                for artifacts_type_0_item_data in _artifacts_type_0:
                    artifacts_type_0_item = Artifact.from_dict(artifacts_type_0_item_data)

                    artifacts_type_0.append(artifacts_type_0_item)

                return artifacts_type_0
            raise TypeError(f"artifacts fits no member of list[Artifact] | None: {type(data).__name__}")

        artifacts = _parse_artifacts(d.pop("artifacts", UNSET))

        def _parse_history(data: object) -> list[Message] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            if isinstance(data, list):
                history_type_0 = []
                _history_type_0 = data
                for history_type_0_item_data in _history_type_0:
                    history_type_0_item = Message.from_dict(history_type_0_item_data)

                    history_type_0.append(history_type_0_item)

                return history_type_0
            raise TypeError(f"history fits no member of list[Message] | None: {type(data).__name__}")

        history = _parse_history(d.pop("history", UNSET))

        def _parse_metadata(data: object) -> Metadata | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            if isinstance(data, dict):
                metadata_type_0 = Metadata.from_dict(data)

                return metadata_type_0
            raise TypeError(f"metadata fits no member of Metadata | None: {type(data).__name__}")

        metadata = _parse_metadata(d.pop("metadata", UNSET))

        task = cls(
            id=id,
            status=status,
            session_id=session_id,
            artifacts=artifacts,
            history=history,
            metadata=metadata,
        )

        task.additional_properties = d
        return task

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
