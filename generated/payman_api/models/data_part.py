from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Self, cast

from .. import models
from ..types import UNSET, Model, Unset

if TYPE_CHECKING:
    from ..models.data_content import DataContent
    from ..models.metadata import Metadata


class DataPart(Model):
    """Values for a program.

    Attributes:
        type_ (Literal['data']):  Default: 'data'.
        data (DataContent): Values for a program.
        metadata (Metadata | None | Unset):
    """

    __slots__ = (
        "data",
        "type_",
        "metadata",
        "additional_properties",
    )
    __match_args__ = (
        "data",
        "type_",
        "metadata",
    )

    data: DataContent
    type_: Literal["data"]
    metadata: Metadata | None | Unset
    additional_properties: dict[str, Any]

    def __init__(
        self,
        data: DataContent,
        type_: Literal["data"] = "data",
        metadata: Metadata | None | Unset = UNSET,
    ) -> None:
        self.data = data
        self.type_ = type_
        self.metadata = metadata
        self.additional_properties = {}

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        if not TYPE_CHECKING:
            DataContent = models.DataContent
            Metadata = models.Metadata

        type_ = self.type_

        data = self.data.to_dict()

        metadata: dict[str, Any] | None | Unset
        if isinstance(self.metadata, Unset):
            metadata = UNSET
        elif isinstance(self.metadata, Metadata):
            metadata = self.metadata.to_dict()
        else:
            metadata = self.metadata

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict["type"] = type_
        field_dict["data"] = data
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
            DataContent = models.DataContent
            Metadata = models.Metadata

        if isinstance(src_dict, (list, str)):
            raise TypeError(f"DataPart must be an object, got {type(src_dict).__name__}")
        d = dict(src_dict)
        type_ = cast(Literal["data"], d.pop("type"))
        if type_ != "data":
            raise ValueError(f"type must match const 'data', got '{type_}'")

        data = DataContent.from_dict(d.pop("data"))

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

        data_part = cls(
            type_=type_,
            data=data,
            metadata=metadata,
        )
        data_part.additional_properties = d
        return data_part

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
