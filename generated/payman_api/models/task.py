from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, cast

from .. import models
from ..types import UNSET, Model, Unset

if TYPE_CHECKING:
    from ..models.artifact import Artifact
    from ..models.message import Message
    from ..models.metadata import Metadata
    from ..models.task_status import TaskStatus


class Task(Model):
    """One ask, from the first message to the answer.

    Attributes:
        id (str): The task's id, made by the client (`tsk-<uuid4>`).
        status (TaskStatus): How a task stands.
        session_id (None | str | Unset): The conversation it belongs to (`ses-<uuid4>`).
        artifacts (list[Artifact] | None | Unset): What has been made so far.
        history (list[Message] | None | Unset): What has been said so far, if it was asked for.
        metadata (Metadata | None | Unset):
    """

    __slots__ = (
        "id",
        "status",
        "session_id",
        "artifacts",
        "history",
        "metadata",
        "additional_properties",
    )
    __match_args__ = (
        "id",
        "status",
        "session_id",
        "artifacts",
        "history",
        "metadata",
    )

    id: str
    status: TaskStatus
    session_id: None | str | Unset
    artifacts: list[Artifact] | None | Unset
    history: list[Message] | None | Unset
    metadata: Metadata | None | Unset
    additional_properties: dict[str, Any]

    def __init__(
        self,
        id: str,
        status: TaskStatus,
        session_id: None | str | Unset = UNSET,
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

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        if not TYPE_CHECKING:
            Artifact = models.Artifact
            Message = models.Message
            Metadata = models.Metadata
            TaskStatus = models.TaskStatus

        id = self.id

        status = self.status.to_dict()

        session_id: None | str | Unset = self.session_id

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
        field_dict["id"] = id
        field_dict["status"] = status
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
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """Read it from what JSON has.

        Raises:
            AttributeError, KeyError, TypeError, ValueError: It is not as the spec has it.
        """
        if not TYPE_CHECKING:
            Artifact = models.Artifact
            Message = models.Message
            Metadata = models.Metadata
            TaskStatus = models.TaskStatus

        if isinstance(src_dict, (list, str)):
            raise TypeError(f"Task must be an object, got {type(src_dict).__name__}")
        d = dict(src_dict)
        id = d.pop("id")
        if not isinstance(id, str):
            raise TypeError(f"id must be str, got {type(id).__name__}")

        status = TaskStatus.from_dict(d.pop("status"))

        _session_id = d.pop("sessionId", UNSET)
        if isinstance(_session_id, dict | list):
            raise TypeError(f"sessionId must be None | str, got {type(_session_id).__name__}")
        session_id = cast("None | str | Unset", _session_id)

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
            raise TypeError(f"artifacts must be list[Artifact] | None, got {type(data).__name__}")

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
            raise TypeError(f"history must be list[Message] | None, got {type(data).__name__}")

        history = _parse_history(d.pop("history", UNSET))

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
