from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from ..types import Model


class PaymentMetadata(Model):
    """Whatever a program wants to keep with a payment."""

    __slots__ = ("additional_properties",)
    __match_args__ = ()

    additional_properties: dict[str, Any]

    def __init__(
        self,
    ) -> None:
        self.additional_properties = {}

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """Read it from what JSON has.

        Raises:
            AttributeError, KeyError, TypeError, ValueError: It is not as the spec has it.
        """
        if isinstance(src_dict, (list, str)):
            raise TypeError(f"PaymentMetadata must be an object, got {type(src_dict).__name__}")
        d = dict(src_dict)
        payment_metadata = cls()
        payment_metadata.additional_properties = d
        return payment_metadata

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
