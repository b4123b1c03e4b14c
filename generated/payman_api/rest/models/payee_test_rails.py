from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from ..._base import OpenModel
from ...types import UNSET, Unset

if TYPE_CHECKING:
    from .contact_details import ContactDetails


class PayeeTestRails(OpenModel[Any]):
    """A payee for test dollars."""

    __match_args__ = ("name", "type_", "tags", "contact_details")
    __slots__ = __match_args__
    _wire = {"type_": "type", "contact_details": "contactDetails"}

    name: str
    type_: Literal["TEST_RAILS"]
    tags: list[str] | None | Unset
    contact_details: ContactDetails | None | Unset

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
