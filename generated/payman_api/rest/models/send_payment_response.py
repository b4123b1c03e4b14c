from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, cast

from ..models.payment_status import PaymentStatus
from ..types import UNSET, Model, Unset


class SendPaymentResponse(Model):
    """What became of a payment.

    Attributes:
        status (PaymentStatus | str): What became of it, or a word that is not listed here.
        reference (None | str | Unset): Payman's name for the payment.
        external_reference (None | str | Unset): The name that the payment has outside Payman.
    """

    __slots__ = (
        "status",
        "reference",
        "external_reference",
        "additional_properties",
    )
    __match_args__ = (
        "status",
        "reference",
        "external_reference",
    )

    status: PaymentStatus | str
    reference: None | str | Unset
    external_reference: None | str | Unset
    additional_properties: dict[str, Any]

    def __init__(
        self,
        status: PaymentStatus | str,
        reference: None | str | Unset = UNSET,
        external_reference: None | str | Unset = UNSET,
    ) -> None:
        self.status = status
        self.reference = reference
        self.external_reference = external_reference
        self.additional_properties = {}

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        status: str
        if isinstance(self.status, PaymentStatus):
            status = self.status.value
        else:
            status = self.status

        reference: None | str | Unset = self.reference

        external_reference: None | str | Unset = self.external_reference

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict["status"] = status
        if reference is not UNSET:
            field_dict["reference"] = reference
        if external_reference is not UNSET:
            field_dict["externalReference"] = external_reference

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """Read it from what JSON has.

        Raises:
            AttributeError, KeyError, TypeError, ValueError: It is not as the spec has it.
        """
        if isinstance(src_dict, (list, str)):
            raise TypeError(f"SendPaymentResponse must be an object, got {type(src_dict).__name__}")
        d = dict(src_dict)

        def _parse_status(data: object) -> PaymentStatus | str:
            try:
                if not isinstance(data, str):
                    raise TypeError
                status_type_0 = PaymentStatus(data)

                return status_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            if data is None or isinstance(data, dict | list):
                raise TypeError(f"status must be PaymentStatus | str, got {type(data).__name__}")
            return cast("PaymentStatus | str", data)

        status = _parse_status(d.pop("status"))

        _reference = d.pop("reference", UNSET)
        if isinstance(_reference, dict | list):
            raise TypeError(f"reference must be None | str, got {type(_reference).__name__}")
        reference = cast("None | str | Unset", _reference)

        _external_reference = d.pop("externalReference", UNSET)
        if isinstance(_external_reference, dict | list):
            raise TypeError(f"externalReference must be None | str, got {type(_external_reference).__name__}")
        external_reference = cast("None | str | Unset", _external_reference)

        send_payment_response = cls(
            status=status,
            reference=reference,
            external_reference=external_reference,
        )
        send_payment_response.additional_properties = d
        return send_payment_response

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
