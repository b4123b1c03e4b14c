from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from ..._base import OpenModel
from ...types import UNSET, Unset

if TYPE_CHECKING:
    from .contact_details import ContactDetails


class PayeePaymanWallet(OpenModel[Any]):
    """A payee with a wallet at Payman.

    Attributes:
        payman_wallet: The wallet's paytag or id.
    """

    __match_args__ = ("payman_wallet", "type_", "name", "tags", "contact_details")
    __slots__ = __match_args__
    _wire = {"payman_wallet": "paymanWallet", "type_": "type", "contact_details": "contactDetails"}

    payman_wallet: str
    type_: Literal["PAYMAN_WALLET"]
    name: str | None | Unset
    tags: list[str] | None | Unset
    contact_details: ContactDetails | None | Unset

    def __init__(
        self,
        payman_wallet: str,
        type_: Literal["PAYMAN_WALLET"] = "PAYMAN_WALLET",
        name: str | None | Unset = UNSET,
        tags: list[str] | None | Unset = UNSET,
        contact_details: ContactDetails | None | Unset = UNSET,
    ) -> None:
        self.payman_wallet = payman_wallet
        self.type_ = type_
        self.name = name
        self.tags = tags
        self.contact_details = contact_details
        self.additional_properties = {}
