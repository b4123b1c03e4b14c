from enum import StrEnum


class PaymentStatus(StrEnum):
    """What became of a payment."""

    AWAITING_APPROVAL = "AWAITING_APPROVAL"
    INITIATED = "INITIATED"
    REJECTED = "REJECTED"
