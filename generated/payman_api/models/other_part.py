from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from ..types import Model


class OtherPart(Model):
    """A part of a kind that this document does not know. It is kept, members and all.

    Attributes:
        type_ (str): The kind.
    """

    __slots__ = (
        "type_",
        "additional_properties",
    )
    __match_args__ = ("type_",)

    type_: str
    additional_properties: dict[str, Any]

    def __init__(
        self,
        type_: str,
    ) -> None:
        self.type_ = type_
        self.additional_properties = {}

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        type_ = self.type_

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict["type"] = type_

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """Read it from what JSON has.

        Raises:
            AttributeError, KeyError, TypeError, ValueError: It is not as the spec has it.
        """
        if isinstance(src_dict, (list, str)):
            raise TypeError(f"OtherPart must be an object, got {type(src_dict).__name__}")
        d = dict(src_dict)
        type_ = d.pop("type")
        if not isinstance(type_, str):
            raise TypeError(f"type must be str, got {type(type_).__name__}")

        other_part = cls(
            type_=type_,
        )
        other_part.additional_properties = d
        return other_part

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
