from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._base import OpenModel
from ...types import UNSET, Unset

if TYPE_CHECKING:
    from .payment_status import PaymentStatus


class SendPaymentResponse(OpenModel[Any]):
    """What became of a payment.

    Attributes:
        status: What became of it, or a word that is not listed here.
        reference: Payman's name for the payment.
        external_reference: The name that the payment has outside Payman.
    """

    __match_args__ = ("status", "reference", "external_reference")
    __slots__ = __match_args__
    _wire = {"external_reference": "externalReference"}

    status: PaymentStatus | str
    reference: str | None | Unset
    external_reference: str | None | Unset

    def __init__(
        self,
        status: PaymentStatus | str,
        reference: str | None | Unset = UNSET,
        external_reference: str | None | Unset = UNSET,
    ) -> None:
        self.status = status
        self.reference = reference
        self.external_reference = external_reference
        self.additional_properties = {}
