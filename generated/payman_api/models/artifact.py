from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, cast

from .. import models
from ..types import UNSET, Model, Unset

if TYPE_CHECKING:
    from ..models.data_part import DataPart
    from ..models.file_part import FilePart
    from ..models.metadata import Metadata
    from ..models.other_part import OtherPart
    from ..models.text_part import TextPart


class Artifact(Model):
    """Something the agent has made; the answer itself, or a piece of it while it is streamed.

    Attributes:
        parts (list[DataPart | FilePart | OtherPart | TextPart]):
        name (None | str | Unset): What it is called, such as `response`.
        description (None | str | Unset): What it is, such as `AI Assistant Response`.
        index (int | None | Unset): Which artifact of the task it is; absent and null mean 0. Chunks of
            one artifact have the same index. Default: 0.
        append (bool | None | Unset): Whether these parts extend the artifact with this index rather
            than begin it.
        last_chunk (bool | None | Unset): Whether the artifact is complete with these parts.
        metadata (Metadata | None | Unset):
    """

    __slots__ = (
        "parts",
        "name",
        "description",
        "index",
        "append",
        "last_chunk",
        "metadata",
        "additional_properties",
    )
    __match_args__ = (
        "parts",
        "name",
        "description",
        "index",
        "append",
        "last_chunk",
        "metadata",
    )

    parts: list[DataPart | FilePart | OtherPart | TextPart]
    name: None | str | Unset
    description: None | str | Unset
    index: int | None | Unset
    append: bool | None | Unset
    last_chunk: bool | None | Unset
    metadata: Metadata | None | Unset
    additional_properties: dict[str, Any]

    def __init__(
        self,
        parts: list[DataPart | FilePart | OtherPart | TextPart],
        name: None | str | Unset = UNSET,
        description: None | str | Unset = UNSET,
        index: int | None | Unset = 0,
        append: bool | None | Unset = UNSET,
        last_chunk: bool | None | Unset = UNSET,
        metadata: Metadata | None | Unset = UNSET,
    ) -> None:
        self.parts = parts
        self.name = name
        self.description = description
        self.index = index
        self.append = append
        self.last_chunk = last_chunk
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

        name: None | str | Unset = self.name

        description: None | str | Unset = self.description

        index: int | None | Unset = self.index

        append: bool | None | Unset = self.append

        last_chunk: bool | None | Unset = self.last_chunk

        metadata: dict[str, Any] | None | Unset
        if isinstance(self.metadata, Unset):
            metadata = UNSET
        elif isinstance(self.metadata, Metadata):
            metadata = self.metadata.to_dict()
        else:
            metadata = self.metadata

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict["parts"] = parts
        if name is not UNSET:
            field_dict["name"] = name
        if description is not UNSET:
            field_dict["description"] = description
        if index is not UNSET:
            field_dict["index"] = index
        if append is not UNSET:
            field_dict["append"] = append
        if last_chunk is not UNSET:
            field_dict["lastChunk"] = last_chunk
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
            raise TypeError(f"Artifact must be an object, got {type(src_dict).__name__}")
        d = dict(src_dict)
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

        _name = d.pop("name", UNSET)
        if isinstance(_name, dict | list):
            raise TypeError(f"name must be None | str, got {type(_name).__name__}")
        name = cast("None | str | Unset", _name)

        _description = d.pop("description", UNSET)
        if isinstance(_description, dict | list):
            raise TypeError(f"description must be None | str, got {type(_description).__name__}")
        description = cast("None | str | Unset", _description)

        _index = d.pop("index", UNSET)
        if isinstance(_index, dict | list):
            raise TypeError(f"index must be int | None, got {type(_index).__name__}")
        index = cast("int | None | Unset", _index)

        _append = d.pop("append", UNSET)
        if isinstance(_append, dict | list):
            raise TypeError(f"append must be bool | None, got {type(_append).__name__}")
        append = cast("bool | None | Unset", _append)

        _last_chunk = d.pop("lastChunk", UNSET)
        if isinstance(_last_chunk, dict | list):
            raise TypeError(f"lastChunk must be bool | None, got {type(_last_chunk).__name__}")
        last_chunk = cast("bool | None | Unset", _last_chunk)

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

        artifact = cls(
            parts=parts,
            name=name,
            description=description,
            index=index,
            append=append,
            last_chunk=last_chunk,
            metadata=metadata,
        )
        artifact.additional_properties = d
        return artifact

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
