from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Self, cast

from .. import models
from ..types import UNSET, Model, Unset

if TYPE_CHECKING:
    from ..models.file_content import FileContent
    from ..models.metadata import Metadata


class FilePart(Model):
    """A file.

    Attributes:
        type_ (Literal['file']):  Default: 'file'.
        file (FileContent): A file, by its bytes or by where it is.
        metadata (Metadata | None | Unset):
    """

    __slots__ = (
        "file",
        "type_",
        "metadata",
        "additional_properties",
    )
    __match_args__ = (
        "file",
        "type_",
        "metadata",
    )

    file: FileContent
    type_: Literal["file"]
    metadata: Metadata | None | Unset
    additional_properties: dict[str, Any]

    def __init__(
        self,
        file: FileContent,
        type_: Literal["file"] = "file",
        metadata: Metadata | None | Unset = UNSET,
    ) -> None:
        self.file = file
        self.type_ = type_
        self.metadata = metadata
        self.additional_properties = {}

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        if not TYPE_CHECKING:
            FileContent = models.FileContent
            Metadata = models.Metadata

        type_ = self.type_

        file = self.file.to_dict()

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
        field_dict["file"] = file
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
            FileContent = models.FileContent
            Metadata = models.Metadata

        if isinstance(src_dict, (list, str)):
            raise TypeError(f"FilePart must be an object, got {type(src_dict).__name__}")
        d = dict(src_dict)
        type_ = cast(Literal["file"], d.pop("type"))
        if type_ != "file":
            raise ValueError(f"type must match const 'file', got '{type_}'")

        file = FileContent.from_dict(d.pop("file"))

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

        file_part = cls(
            type_=type_,
            file=file,
            metadata=metadata,
        )
        file_part.additional_properties = d
        return file_part

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
