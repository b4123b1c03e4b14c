from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, cast

from .. import models
from ..types import UNSET, Model, Unset

if TYPE_CHECKING:
    from ..models.metadata import Metadata


class TaskQueryParams(Model):
    """Which task is meant, and how much of its history.

    Attributes:
        id (str): The task's id.
        history_length (int | None | Unset): How many messages of the history to put into the answer.
        metadata (Metadata | None | Unset):
    """

    __slots__ = (
        "id",
        "history_length",
        "metadata",
        "additional_properties",
    )
    __match_args__ = (
        "id",
        "history_length",
        "metadata",
    )

    id: str
    history_length: int | None | Unset
    metadata: Metadata | None | Unset
    additional_properties: dict[str, Any]

    def __init__(
        self,
        id: str,
        history_length: int | None | Unset = UNSET,
        metadata: Metadata | None | Unset = UNSET,
    ) -> None:
        self.id = id
        self.history_length = history_length
        self.metadata = metadata
        self.additional_properties = {}

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        if not TYPE_CHECKING:
            Metadata = models.Metadata

        id = self.id

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
            Metadata = models.Metadata

        if isinstance(src_dict, (list, str)):
            raise TypeError(f"TaskQueryParams must be an object, got {type(src_dict).__name__}")
        d = dict(src_dict)
        id = d.pop("id")
        if not isinstance(id, str):
            raise TypeError(f"id must be str, got {type(id).__name__}")

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

        task_query_params = cls(
            id=id,
            history_length=history_length,
            metadata=metadata,
        )
        task_query_params.additional_properties = d
        return task_query_params

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
