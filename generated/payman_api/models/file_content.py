from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, cast

from ..types import UNSET, Model, Unset


class FileContent(Model):
    """A file, by its bytes or by where it is.

    Attributes:
        name (None | str | Unset): The file's name.
        mime_type (None | str | Unset): Its media type.
        bytes_ (None | str | Unset): Its content in base64. Either this or `uri`.
        uri (None | str | Unset): Where it is. Either this or `bytes`.
    """

    __slots__ = (
        "name",
        "mime_type",
        "bytes_",
        "uri",
        "additional_properties",
    )
    __match_args__ = (
        "name",
        "mime_type",
        "bytes_",
        "uri",
    )

    name: None | str | Unset
    mime_type: None | str | Unset
    bytes_: None | str | Unset
    uri: None | str | Unset
    additional_properties: dict[str, Any]

    def __init__(
        self,
        name: None | str | Unset = UNSET,
        mime_type: None | str | Unset = UNSET,
        bytes_: None | str | Unset = UNSET,
        uri: None | str | Unset = UNSET,
    ) -> None:
        self.name = name
        self.mime_type = mime_type
        self.bytes_ = bytes_
        self.uri = uri
        self.additional_properties = {}

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        name: None | str | Unset = self.name

        mime_type: None | str | Unset = self.mime_type

        bytes_: None | str | Unset = self.bytes_

        uri: None | str | Unset = self.uri

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        if name is not UNSET:
            field_dict["name"] = name
        if mime_type is not UNSET:
            field_dict["mimeType"] = mime_type
        if bytes_ is not UNSET:
            field_dict["bytes"] = bytes_
        if uri is not UNSET:
            field_dict["uri"] = uri

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """Read it from what JSON has.

        Raises:
            AttributeError, KeyError, TypeError, ValueError: It is not as the spec has it.
        """
        if isinstance(src_dict, (list, str)):
            raise TypeError(f"FileContent must be an object, got {type(src_dict).__name__}")
        d = dict(src_dict)
        _name = d.pop("name", UNSET)
        if isinstance(_name, dict | list):
            raise TypeError(f"name must be None | str, got {type(_name).__name__}")
        name = cast("None | str | Unset", _name)

        _mime_type = d.pop("mimeType", UNSET)
        if isinstance(_mime_type, dict | list):
            raise TypeError(f"mimeType must be None | str, got {type(_mime_type).__name__}")
        mime_type = cast("None | str | Unset", _mime_type)

        _bytes_ = d.pop("bytes", UNSET)
        if isinstance(_bytes_, dict | list):
            raise TypeError(f"bytes must be None | str, got {type(_bytes_).__name__}")
        bytes_ = cast("None | str | Unset", _bytes_)

        _uri = d.pop("uri", UNSET)
        if isinstance(_uri, dict | list):
            raise TypeError(f"uri must be None | str, got {type(_uri).__name__}")
        uri = cast("None | str | Unset", _uri)

        file_content = cls(
            name=name,
            mime_type=mime_type,
            bytes_=bytes_,
            uri=uri,
        )
        file_content.additional_properties = d
        return file_content

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
