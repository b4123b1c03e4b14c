from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, cast

from .. import models
from ..models.payee_type import PayeeType
from ..types import UNSET, Model, Unset

if TYPE_CHECKING:
    from ..models.contact_details import ContactDetails


class Payee(Model):
    """Somebody who can be paid. What is particular to a type comes as further members; account numbers are
    masked.

    Attributes:
        id (str): The payee's id, `pd-…`.
        type_ (None | PayeeType | str | Unset): How the payee is paid, or a word that is not listed
            here.
        name (None | str | Unset):
        status (None | str | Unset): The documentation names the states ACTIVE, ARCHIVED and DELETED,
            and not the member.
        tags (list[str] | None | Unset):
        contact_details (ContactDetails | None | Unset):
    """

    __slots__ = (
        "id",
        "type_",
        "name",
        "status",
        "tags",
        "contact_details",
        "additional_properties",
    )
    __match_args__ = (
        "id",
        "type_",
        "name",
        "status",
        "tags",
        "contact_details",
    )

    id: str
    type_: None | PayeeType | str | Unset
    name: None | str | Unset
    status: None | str | Unset
    tags: list[str] | None | Unset
    contact_details: ContactDetails | None | Unset
    additional_properties: dict[str, Any]

    def __init__(
        self,
        id: str,
        type_: None | PayeeType | str | Unset = UNSET,
        name: None | str | Unset = UNSET,
        status: None | str | Unset = UNSET,
        tags: list[str] | None | Unset = UNSET,
        contact_details: ContactDetails | None | Unset = UNSET,
    ) -> None:
        self.id = id
        self.type_ = type_
        self.name = name
        self.status = status
        self.tags = tags
        self.contact_details = contact_details
        self.additional_properties = {}

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        if not TYPE_CHECKING:
            ContactDetails = models.ContactDetails

        id = self.id

        type_: None | str | Unset
        if isinstance(self.type_, Unset):
            type_ = UNSET
        elif isinstance(self.type_, PayeeType):
            type_ = self.type_.value
        else:
            type_ = self.type_

        name: None | str | Unset = self.name

        status: None | str | Unset = self.status

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
        field_dict["id"] = id
        if type_ is not UNSET:
            field_dict["type"] = type_
        if name is not UNSET:
            field_dict["name"] = name
        if status is not UNSET:
            field_dict["status"] = status
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
            raise TypeError(f"Payee must be an object, got {type(src_dict).__name__}")
        d = dict(src_dict)
        id = d.pop("id")
        if not isinstance(id, str):
            raise TypeError(f"id must be str, got {type(id).__name__}")

        def _parse_type_(data: object) -> None | PayeeType | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError
                type_type_0 = PayeeType(data)

                return type_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            if isinstance(data, dict | list):
                raise TypeError(f"type must be None | PayeeType | str, got {type(data).__name__}")
            return cast("None | PayeeType | str | Unset", data)

        type_ = _parse_type_(d.pop("type", UNSET))

        _name = d.pop("name", UNSET)
        if isinstance(_name, dict | list):
            raise TypeError(f"name must be None | str, got {type(_name).__name__}")
        name = cast("None | str | Unset", _name)

        _status = d.pop("status", UNSET)
        if isinstance(_status, dict | list):
            raise TypeError(f"status must be None | str, got {type(_status).__name__}")
        status = cast("None | str | Unset", _status)

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

        payee = cls(
            id=id,
            type_=type_,
            name=name,
            status=status,
            tags=tags,
            contact_details=contact_details,
        )
        payee.additional_properties = d
        return payee

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
