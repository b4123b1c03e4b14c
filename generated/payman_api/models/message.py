from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from .. import models
from ..types import UNSET, Model, Unset

if TYPE_CHECKING:
    from ..models.data_part import DataPart
    from ..models.file_part import FilePart
    from ..models.metadata import Metadata
    from ..models.other_part import OtherPart
    from ..models.text_part import TextPart


class Message(Model):
    """What one side says to the other.

    Attributes:
        role (str): Who speaks, `user` or `agent`. Answers have also said `assistant`.
        parts (list[DataPart | FilePart | OtherPart | TextPart]):
        metadata (Metadata | None | Unset):
    """

    __slots__ = (
        "role",
        "parts",
        "metadata",
        "additional_properties",
    )
    __match_args__ = (
        "role",
        "parts",
        "metadata",
    )

    role: str
    parts: list[DataPart | FilePart | OtherPart | TextPart]
    metadata: Metadata | None | Unset
    additional_properties: dict[str, Any]

    def __init__(
        self,
        role: str,
        parts: list[DataPart | FilePart | OtherPart | TextPart],
        metadata: Metadata | None | Unset = UNSET,
    ) -> None:
        self.role = role
        self.parts = parts
        self.metadata = metadata
        self.additional_properties = {}

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        if not TYPE_CHECKING:
            DataPart = models.DataPart
            FilePart = models.FilePart
            Metadata = models.Metadata
            OtherPart = models.OtherPart
            TextPart = models.TextPart

        role = self.role

        parts = []
        for parts_item_data in self.parts:
            parts_item: dict[str, Any]
            if isinstance(parts_item_data, TextPart):
                parts_item = parts_item_data.to_dict()
            elif isinstance(parts_item_data, FilePart):
                parts_item = parts_item_data.to_dict()
            elif isinstance(parts_item_data, DataPart):
                parts_item = parts_item_data.to_dict()
            else:
                parts_item = parts_item_data.to_dict()

            parts.append(parts_item)

        metadata: dict[str, Any] | None | Unset
        if isinstance(self.metadata, Unset):
            metadata = UNSET
        elif isinstance(self.metadata, Metadata):
            metadata = self.metadata.to_dict()
        else:
            metadata = self.metadata

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict["role"] = role
        field_dict["parts"] = parts
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
            DataPart = models.DataPart
            FilePart = models.FilePart
            Metadata = models.Metadata
            OtherPart = models.OtherPart
            TextPart = models.TextPart

        if isinstance(src_dict, (list, str)):
            raise TypeError(f"Message must be an object, got {type(src_dict).__name__}")
        d = dict(src_dict)
        role = d.pop("role")
        if not isinstance(role, str):
            raise TypeError(f"role must be str, got {type(role).__name__}")

        _parts = d.pop("parts")
        if not isinstance(_parts, list):
            raise TypeError(f"parts must be a list, got {type(_parts).__name__}")
        parts = []
        for parts_item_data in _parts:

            def _parse_parts_item(data: object) -> DataPart | FilePart | OtherPart | TextPart:
                try:
                    if not isinstance(data, dict):
                        raise TypeError
                    componentsschemas_part_type_0 = TextPart.from_dict(data)

                    return componentsschemas_part_type_0
                except (TypeError, ValueError, AttributeError, KeyError):
                    pass
                try:
                    if not isinstance(data, dict):
                        raise TypeError
                    componentsschemas_part_type_1 = FilePart.from_dict(data)

                    return componentsschemas_part_type_1
                except (TypeError, ValueError, AttributeError, KeyError):
                    pass
                try:
                    if not isinstance(data, dict):
                        raise TypeError
                    componentsschemas_part_type_2 = DataPart.from_dict(data)

                    return componentsschemas_part_type_2
                except (TypeError, ValueError, AttributeError, KeyError):
                    pass
                try:
                    if not isinstance(data, dict):
                        raise TypeError
                    componentsschemas_part_type_3 = OtherPart.from_dict(data)

                    return componentsschemas_part_type_3
                except (TypeError, ValueError, AttributeError, KeyError):
                    pass
                raise TypeError(
                    f"parts_item must be DataPart | FilePart | OtherPart | TextPart, got {type(data).__name__}"
                )

            parts_item = _parse_parts_item(parts_item_data)

            parts.append(parts_item)

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

        message = cls(
            role=role,
            parts=parts,
            metadata=metadata,
        )
        message.additional_properties = d
        return message

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
