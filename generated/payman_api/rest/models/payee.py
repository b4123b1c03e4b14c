from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._base import OpenModel
from ...types import UNSET, Unset

if TYPE_CHECKING:
    from .contact_details import ContactDetails
    from .payee_type import PayeeType


class Payee(OpenModel[Any]):
    """Somebody who can be paid. What is particular to a type comes as further members; account numbers are
    masked.

    Attributes:
        id: The payee's id, `pd-…`.
        type_: How the payee is paid, or a word that is not listed here.
        status: The documentation names the states ACTIVE, ARCHIVED and DELETED, and not the member.
    """

    __match_args__ = ("id", "type_", "name", "status", "tags", "contact_details")
    __slots__ = __match_args__
    _wire = {"type_": "type", "contact_details": "contactDetails"}

    id: str
    type_: PayeeType | str | None | Unset
    name: str | None | Unset
    status: str | None | Unset
    tags: list[str] | None | Unset
    contact_details: ContactDetails | None | Unset

    def __init__(
        self,
        id: str,
        type_: PayeeType | str | None | Unset = UNSET,
        name: str | None | Unset = UNSET,
        status: str | None | Unset = UNSET,
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
