from __future__ import annotations

from typing import Any

from ..._base import OpenModel
from ...types import UNSET, Unset


class ContactDetails(OpenModel[Any]):
    """How somebody can be reached.

    Attributes:
        phone_number: Spelled as the parameter of the search is.
        tax_id: Spelled as the parameter of the search is.
    """

    __match_args__ = ("email", "phone_number", "address", "tax_id")
    __slots__ = __match_args__
    _wire = {"phone_number": "phoneNumber", "tax_id": "taxId"}

    email: str | None | Unset
    phone_number: str | None | Unset
    address: str | None | Unset
    tax_id: str | None | Unset

    def __init__(
        self,
        email: str | None | Unset = UNSET,
        phone_number: str | None | Unset = UNSET,
        address: str | None | Unset = UNSET,
        tax_id: str | None | Unset = UNSET,
    ) -> None:
        self.email = email
        self.phone_number = phone_number
        self.address = address
        self.tax_id = tax_id
        self.additional_properties = {}
