from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._base import OpenModel
from ...types import UNSET, Unset

if TYPE_CHECKING:
    from .payment_metadata import PaymentMetadata


class SendPaymentRequest(OpenModel[Any]):
    """What is paid. It has no idempotency key.

    Attributes:
        payee_id: The payee's id, `pd-…`.
        amount_decimal: The amount, in units of the wallet's currency. A JSON number; give no more
            decimals than the currency has.
        wallet_id: The wallet to pay from; the server chooses one if it is left out.
        memo: What the payment is for.
    """

    __match_args__ = ("payee_id", "amount_decimal", "wallet_id", "memo", "metadata")
    __slots__ = __match_args__
    _wire = {"payee_id": "payeeId", "amount_decimal": "amountDecimal", "wallet_id": "walletId"}

    payee_id: str
    amount_decimal: float
    wallet_id: str | None | Unset
    memo: str | None | Unset
    metadata: PaymentMetadata | None | Unset

    def __init__(
        self,
        payee_id: str,
        amount_decimal: float,
        wallet_id: str | None | Unset = UNSET,
        memo: str | None | Unset = UNSET,
        metadata: PaymentMetadata | None | Unset = UNSET,
    ) -> None:
        self.payee_id = payee_id
        self.amount_decimal = amount_decimal
        self.wallet_id = wallet_id
        self.memo = memo
        self.metadata = metadata
        self.additional_properties = {}
