from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Self, cast

from .. import models
from ..types import UNSET, Model, Unset

if TYPE_CHECKING:
    from ..models.contact_details import ContactDetails


class PayeeTestRails(Model):
    """A payee for test dollars.

    Attributes:
        type_ (Literal['TEST_RAILS']):  Default: 'TEST_RAILS'.
        name (str):
        tags (list[str] | None | Unset):
        contact_details (ContactDetails | None | Unset):
    """

    __slots__ = (
        "name",
        "type_",
        "tags",
        "contact_details",
        "additional_properties",
    )
    __match_args__ = (
        "name",
        "type_",
        "tags",
        "contact_details",
    )

    name: str
    type_: Literal["TEST_RAILS"]
    tags: list[str] | None | Unset
    contact_details: ContactDetails | None | Unset
    additional_properties: dict[str, Any]

    def __init__(
        self,
        name: str,
        type_: Literal["TEST_RAILS"] = "TEST_RAILS",
        tags: list[str] | None | Unset = UNSET,
        contact_details: ContactDetails | None | Unset = UNSET,
    ) -> None:
        self.name = name
        self.type_ = type_
        self.tags = tags
        self.contact_details = contact_details
        self.additional_properties = {}

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        if not TYPE_CHECKING:
            ContactDetails = models.ContactDetails

        type_ = self.type_

        name = self.name

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
            raise TypeError(f"PayeeTestRails must be an object, got {type(src_dict).__name__}")
        d = dict(src_dict)
        type_ = cast(Literal["TEST_RAILS"], d.pop("type"))
        if type_ != "TEST_RAILS":
            raise ValueError(f"type must match const 'TEST_RAILS', got '{type_}'")

        name = d.pop("name")
        if not isinstance(name, str):
            raise TypeError(f"name must be str, got {type(name).__name__}")

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

        payee_test_rails = cls(
            type_=type_,
            name=name,
            tags=tags,
            contact_details=contact_details,
        )
        payee_test_rails.additional_properties = d
        return payee_test_rails

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
