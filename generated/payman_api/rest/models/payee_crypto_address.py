from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from ..._base import OpenModel
from ...types import UNSET, Unset

if TYPE_CHECKING:
    from .contact_details import ContactDetails


class PayeeCryptoAddress(OpenModel[Any]):
    """A payee with a crypto address."""

    __match_args__ = ("address", "chain", "currency", "type_", "name", "tags", "contact_details")
    __slots__ = __match_args__
    _wire = {"type_": "type", "contact_details": "contactDetails"}

    address: str
    chain: str
    currency: str
    type_: Literal["CRYPTO_ADDRESS"]
    name: str | None | Unset
    tags: list[str] | None | Unset
    contact_details: ContactDetails | None | Unset

    def __init__(
        self,
        address: str,
        chain: str,
        currency: str,
        type_: Literal["CRYPTO_ADDRESS"] = "CRYPTO_ADDRESS",
        name: str | None | Unset = UNSET,
        tags: list[str] | None | Unset = UNSET,
        contact_details: ContactDetails | None | Unset = UNSET,
    ) -> None:
        self.address = address
        self.chain = chain
        self.currency = currency
        self.type_ = type_
        self.name = name
        self.tags = tags
        self.contact_details = contact_details
        self.additional_properties = {}
