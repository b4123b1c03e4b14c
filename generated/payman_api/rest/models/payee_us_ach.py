from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Self, cast

from .. import models
from ..types import UNSET, Model, Unset

if TYPE_CHECKING:
    from ..models.contact_details import ContactDetails


class PayeeUsAch(Model):
    """A payee with a bank account in the USA.

    Attributes:
        type_ (Literal['US_ACH']):  Default: 'US_ACH'.
        account_number (str):
        routing_number (str):
        account_holder_name (None | str | Unset): The documentation has it in words; spelled as other
            members are.
        account_holder_type (None | str | Unset): The documentation has it in words; spelled as other
            members are.
        account_type (None | str | Unset): The documentation has it in words; spelled as other members
            are.
        name (None | str | Unset):
        tags (list[str] | None | Unset):
        contact_details (ContactDetails | None | Unset):
    """

    __slots__ = (
        "account_number",
        "routing_number",
        "type_",
        "account_holder_name",
        "account_holder_type",
        "account_type",
        "name",
        "tags",
        "contact_details",
        "additional_properties",
    )
    __match_args__ = (
        "account_number",
        "routing_number",
        "type_",
        "account_holder_name",
        "account_holder_type",
        "account_type",
        "name",
        "tags",
        "contact_details",
    )
    _hidden = (
        "account_number",
        "additional_properties",
    )

    account_number: str
    routing_number: str
    type_: Literal["US_ACH"]
    account_holder_name: None | str | Unset
    account_holder_type: None | str | Unset
    account_type: None | str | Unset
    name: None | str | Unset
    tags: list[str] | None | Unset
    contact_details: ContactDetails | None | Unset
    additional_properties: dict[str, Any]

    def __init__(
        self,
        account_number: str,
        routing_number: str,
        type_: Literal["US_ACH"] = "US_ACH",
        account_holder_name: None | str | Unset = UNSET,
        account_holder_type: None | str | Unset = UNSET,
        account_type: None | str | Unset = UNSET,
        name: None | str | Unset = UNSET,
        tags: list[str] | None | Unset = UNSET,
        contact_details: ContactDetails | None | Unset = UNSET,
    ) -> None:
        self.account_number = account_number
        self.routing_number = routing_number
        self.type_ = type_
        self.account_holder_name = account_holder_name
        self.account_holder_type = account_holder_type
        self.account_type = account_type
        self.name = name
        self.tags = tags
        self.contact_details = contact_details
        self.additional_properties = {}

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        if not TYPE_CHECKING:
            ContactDetails = models.ContactDetails

        type_ = self.type_

        account_number = self.account_number

        routing_number = self.routing_number

        account_holder_name: None | str | Unset = self.account_holder_name

        account_holder_type: None | str | Unset = self.account_holder_type

        account_type: None | str | Unset = self.account_type

        name: None | str | Unset = self.name

        tags: list[str] | None | Unset
        if isinstance(self.tags, Unset):
            tags = UNSET
        elif isinstance(self.tags, list):
            tags = self.tags

        else:
            tags = self.tags

        contact_details: dict[str, Any] | None | Unset
        if isinstance(self.contact_details, Unset):
            contact_details = UNSET
        elif isinstance(self.contact_details, ContactDetails):
            contact_details = self.contact_details.to_dict()
        else:
            contact_details = self.contact_details

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict["type"] = type_
        field_dict["accountNumber"] = account_number
        field_dict["routingNumber"] = routing_number
        if account_holder_name is not UNSET:
            field_dict["accountHolderName"] = account_holder_name
        if account_holder_type is not UNSET:
            field_dict["accountHolderType"] = account_holder_type
        if account_type is not UNSET:
            field_dict["accountType"] = account_type
        if name is not UNSET:
            field_dict["name"] = name
        if tags is not UNSET:
            field_dict["tags"] = tags
        if contact_details is not UNSET:
            field_dict["contactDetails"] = contact_details

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """Read it from what JSON has.

        Raises:
            AttributeError, KeyError, TypeError, ValueError: It is not as the spec has it.
        """
        if not TYPE_CHECKING:
            ContactDetails = models.ContactDetails

        if isinstance(src_dict, (list, str)):
            raise TypeError(f"PayeeUsAch must be an object, got {type(src_dict).__name__}")
        d = dict(src_dict)
        type_ = cast(Literal["US_ACH"], d.pop("type"))
        if type_ != "US_ACH":
            raise ValueError(f"type must match const 'US_ACH', got '{type_}'")

        account_number = d.pop("accountNumber")
        if not isinstance(account_number, str):
            raise TypeError(f"accountNumber must be str, got {type(account_number).__name__}")

        routing_number = d.pop("routingNumber")
        if not isinstance(routing_number, str):
            raise TypeError(f"routingNumber must be str, got {type(routing_number).__name__}")

        _account_holder_name = d.pop("accountHolderName", UNSET)
        if isinstance(_account_holder_name, dict | list):
            raise TypeError(
                f"accountHolderName must be None | str, got {type(_account_holder_name).__name__}"
            )
        account_holder_name = cast("None | str | Unset", _account_holder_name)

        _account_holder_type = d.pop("accountHolderType", UNSET)
        if isinstance(_account_holder_type, dict | list):
            raise TypeError(
                f"accountHolderType must be None | str, got {type(_account_holder_type).__name__}"
            )
        account_holder_type = cast("None | str | Unset", _account_holder_type)

        _account_type = d.pop("accountType", UNSET)
        if isinstance(_account_type, dict | list):
            raise TypeError(f"accountType must be None | str, got {type(_account_type).__name__}")
        account_type = cast("None | str | Unset", _account_type)

        _name = d.pop("name", UNSET)
        if isinstance(_name, dict | list):
            raise TypeError(f"name must be None | str, got {type(_name).__name__}")
        name = cast("None | str | Unset", _name)

        def _parse_tags(data: object) -> list[str] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            if isinstance(data, list):
                tags_type_0 = cast(list[str], data)

                return tags_type_0
            raise TypeError(f"tags must be list[str] | None, got {type(data).__name__}")

        tags = _parse_tags(d.pop("tags", UNSET))

        def _parse_contact_details(data: object) -> ContactDetails | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            if isinstance(data, dict):
                contact_details_type_0 = ContactDetails.from_dict(data)

                return contact_details_type_0
            raise TypeError(f"contactDetails must be ContactDetails | None, got {type(data).__name__}")

        contact_details = _parse_contact_details(d.pop("contactDetails", UNSET))

        payee_us_ach = cls(
            type_=type_,
            account_number=account_number,
            routing_number=routing_number,
            account_holder_name=account_holder_name,
            account_holder_type=account_holder_type,
            account_type=account_type,
            name=name,
            tags=tags,
            contact_details=contact_details,
        )
        payee_us_ach.additional_properties = d
        return payee_us_ach

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
