from enum import StrEnum


class PaymentStatus(StrEnum):
    AWAITING_APPROVAL = "AWAITING_APPROVAL"
    INITIATED = "INITIATED"
    REJECTED = "REJECTED"

    def __str__(self) -> str:
        return str(self.value)
