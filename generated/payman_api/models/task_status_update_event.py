from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from .. import models
from ..types import UNSET, Model, Unset

if TYPE_CHECKING:
    from ..models.metadata import Metadata
    from ..models.task_status import TaskStatus


class TaskStatusUpdateEvent(Model):
    """A task stands differently now.

    Attributes:
        id (str): The task's id.
        status (TaskStatus): How a task stands.
        final (bool): Whether the stream ends with this event.
        metadata (Metadata | None | Unset):
    """

    __slots__ = (
        "id",
        "status",
        "final",
        "metadata",
        "additional_properties",
    )
    __match_args__ = (
        "id",
        "status",
        "final",
        "metadata",
    )

    id: str
    status: TaskStatus
    final: bool
    metadata: Metadata | None | Unset
    additional_properties: dict[str, Any]

    def __init__(
        self,
        id: str,
        status: TaskStatus,
        final: bool,
        metadata: Metadata | None | Unset = UNSET,
    ) -> None:
        self.id = id
        self.status = status
        self.final = final
        self.metadata = metadata
        self.additional_properties = {}

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        if not TYPE_CHECKING:
            Metadata = models.Metadata
            TaskStatus = models.TaskStatus

        id = self.id

        status = self.status.to_dict()

        final = self.final

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
        field_dict["final"] = final
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
            Metadata = models.Metadata
            TaskStatus = models.TaskStatus

        if isinstance(src_dict, (list, str)):
            raise TypeError(f"TaskStatusUpdateEvent must be an object, got {type(src_dict).__name__}")
        d = dict(src_dict)
        id = d.pop("id")
        if not isinstance(id, str):
            raise TypeError(f"id must be str, got {type(id).__name__}")

        status = TaskStatus.from_dict(d.pop("status"))

        final = d.pop("final")
        if not isinstance(final, bool):
            raise TypeError(f"final must be bool, got {type(final).__name__}")

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

        task_status_update_event = cls(
            id=id,
            status=status,
            final=final,
            metadata=metadata,
        )
        task_status_update_event.additional_properties = d
        return task_status_update_event

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
