from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from ..._base import OpenModel
from ...types import UNSET, Unset

if TYPE_CHECKING:
    from .contact_details import ContactDetails


class PayeeUsAch(OpenModel[Any]):
    """A payee with a bank account in the USA.

    Attributes:
        account_holder_name: The documentation has it in words; spelled as other members are.
        account_holder_type: The documentation has it in words; spelled as other members are.
        account_type: The documentation has it in words; spelled as other members are.
    """

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
    __slots__ = __match_args__
    _hidden = ("account_number", "additional_properties")
    _wire = {
        "account_number": "accountNumber",
        "routing_number": "routingNumber",
        "type_": "type",
        "account_holder_name": "accountHolderName",
        "account_holder_type": "accountHolderType",
        "account_type": "accountType",
        "contact_details": "contactDetails",
    }

    account_number: str
    routing_number: str
    type_: Literal["US_ACH"]
    account_holder_name: str | None | Unset
    account_holder_type: str | None | Unset
    account_type: str | None | Unset
    name: str | None | Unset
    tags: list[str] | None | Unset
    contact_details: ContactDetails | None | Unset

    def __init__(
        self,
        account_number: str,
        routing_number: str,
        type_: Literal["US_ACH"] = "US_ACH",
        account_holder_name: str | None | Unset = UNSET,
        account_holder_type: str | None | Unset = UNSET,
        account_type: str | None | Unset = UNSET,
        name: str | None | Unset = UNSET,
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
