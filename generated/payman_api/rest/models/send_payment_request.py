from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, cast

from .. import models
from ..types import UNSET, Model, Unset

if TYPE_CHECKING:
    from ..models.payment_metadata import PaymentMetadata


class SendPaymentRequest(Model):
    """What is paid. There is no idempotency key.

    Attributes:
        payee_id (str): The payee's id, `pd-…`.
        amount_decimal (float): The amount, in units of the wallet's currency. A JSON number; give no
            more decimals than the currency has.
        wallet_id (None | str | Unset): The wallet to pay from; the server chooses one if it is left
            out.
        memo (None | str | Unset): What the payment is for.
        metadata (None | PaymentMetadata | Unset):
    """

    __slots__ = (
        "payee_id",
        "amount_decimal",
        "wallet_id",
        "memo",
        "metadata",
        "additional_properties",
    )
    __match_args__ = (
        "payee_id",
        "amount_decimal",
        "wallet_id",
        "memo",
        "metadata",
    )

    payee_id: str
    amount_decimal: float
    wallet_id: None | str | Unset
    memo: None | str | Unset
    metadata: None | PaymentMetadata | Unset
    additional_properties: dict[str, Any]

    def __init__(
        self,
        payee_id: str,
        amount_decimal: float,
        wallet_id: None | str | Unset = UNSET,
        memo: None | str | Unset = UNSET,
        metadata: None | PaymentMetadata | Unset = UNSET,
    ) -> None:
        self.payee_id = payee_id
        self.amount_decimal = amount_decimal
        self.wallet_id = wallet_id
        self.memo = memo
        self.metadata = metadata
        self.additional_properties = {}

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        if not TYPE_CHECKING:
            PaymentMetadata = models.PaymentMetadata

        payee_id = self.payee_id

        amount_decimal = self.amount_decimal

        wallet_id: None | str | Unset = self.wallet_id

        memo: None | str | Unset = self.memo

        metadata: dict[str, Any] | None | Unset
        if isinstance(self.metadata, Unset):
            metadata = UNSET
        elif isinstance(self.metadata, PaymentMetadata):
            metadata = self.metadata.to_dict()
        else:
            metadata = self.metadata

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict["payeeId"] = payee_id
        field_dict["amountDecimal"] = amount_decimal
        if wallet_id is not UNSET:
            field_dict["walletId"] = wallet_id
        if memo is not UNSET:
            field_dict["memo"] = memo
        if metadata is not UNSET:
            field_dict["metadata"] = metadata

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """Read it from what JSON has.

        Raises:
            AttributeError, KeyError, TypeError, ValueError: It is not as the spec has it.
        """
        if not TYPE_CHECKING:
            PaymentMetadata = models.PaymentMetadata

        if isinstance(src_dict, (list, str)):
            raise TypeError(f"SendPaymentRequest must be an object, got {type(src_dict).__name__}")
        d = dict(src_dict)
        payee_id = d.pop("payeeId")
        if not isinstance(payee_id, str):
            raise TypeError(f"payeeId must be str, got {type(payee_id).__name__}")

        amount_decimal = d.pop("amountDecimal")
        if not isinstance(amount_decimal, int | float):
            raise TypeError(f"amountDecimal must be int | float, got {type(amount_decimal).__name__}")

        _wallet_id = d.pop("walletId", UNSET)
        if isinstance(_wallet_id, dict | list):
            raise TypeError(f"walletId must be None | str, got {type(_wallet_id).__name__}")
        wallet_id = cast("None | str | Unset", _wallet_id)

        _memo = d.pop("memo", UNSET)
        if isinstance(_memo, dict | list):
            raise TypeError(f"memo must be None | str, got {type(_memo).__name__}")
        memo = cast("None | str | Unset", _memo)

        def _parse_metadata(data: object) -> None | PaymentMetadata | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            if isinstance(data, dict):
                metadata_type_0 = PaymentMetadata.from_dict(data)

                return metadata_type_0
            raise TypeError(f"metadata must be None | PaymentMetadata, got {type(data).__name__}")

        metadata = _parse_metadata(d.pop("metadata", UNSET))

        send_payment_request = cls(
            payee_id=payee_id,
            amount_decimal=amount_decimal,
            wallet_id=wallet_id,
            memo=memo,
            metadata=metadata,
        )
        send_payment_request.additional_properties = d
        return send_payment_request

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
