from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, cast

from ..types import UNSET, Model, Unset


class ContactDetails(Model):
    """How somebody can be reached.

    Attributes:
        email (None | str | Unset):
        phone_number (None | str | Unset): Spelled as the parameter of the search is.
        address (None | str | Unset):
        tax_id (None | str | Unset): Spelled as the parameter of the search is.
    """

    __slots__ = (
        "email",
        "phone_number",
        "address",
        "tax_id",
        "additional_properties",
    )
    __match_args__ = (
        "email",
        "phone_number",
        "address",
        "tax_id",
    )

    email: None | str | Unset
    phone_number: None | str | Unset
    address: None | str | Unset
    tax_id: None | str | Unset
    additional_properties: dict[str, Any]

    def __init__(
        self,
        email: None | str | Unset = UNSET,
        phone_number: None | str | Unset = UNSET,
        address: None | str | Unset = UNSET,
        tax_id: None | str | Unset = UNSET,
    ) -> None:
        self.email = email
        self.phone_number = phone_number
        self.address = address
        self.tax_id = tax_id
        self.additional_properties = {}

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        email: None | str | Unset = self.email

        phone_number: None | str | Unset = self.phone_number

        address: None | str | Unset = self.address

        tax_id: None | str | Unset = self.tax_id

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        if email is not UNSET:
            field_dict["email"] = email
        if phone_number is not UNSET:
            field_dict["phoneNumber"] = phone_number
        if address is not UNSET:
            field_dict["address"] = address
        if tax_id is not UNSET:
            field_dict["taxId"] = tax_id

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """Read it from what JSON has.

        Raises:
            AttributeError, KeyError, TypeError, ValueError: It is not as the spec has it.
        """
        if isinstance(src_dict, (list, str)):
            raise TypeError(f"ContactDetails must be an object, got {type(src_dict).__name__}")
        d = dict(src_dict)
        _email = d.pop("email", UNSET)
        if isinstance(_email, dict | list):
            raise TypeError(f"email must be None | str, got {type(_email).__name__}")
        email = cast("None | str | Unset", _email)

        _phone_number = d.pop("phoneNumber", UNSET)
        if isinstance(_phone_number, dict | list):
            raise TypeError(f"phoneNumber must be None | str, got {type(_phone_number).__name__}")
        phone_number = cast("None | str | Unset", _phone_number)

        _address = d.pop("address", UNSET)
        if isinstance(_address, dict | list):
            raise TypeError(f"address must be None | str, got {type(_address).__name__}")
        address = cast("None | str | Unset", _address)

        _tax_id = d.pop("taxId", UNSET)
        if isinstance(_tax_id, dict | list):
            raise TypeError(f"taxId must be None | str, got {type(_tax_id).__name__}")
        tax_id = cast("None | str | Unset", _tax_id)

        contact_details = cls(
            email=email,
            phone_number=phone_number,
            address=address,
            tax_id=tax_id,
        )
        contact_details.additional_properties = d
        return contact_details

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
