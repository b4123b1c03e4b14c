"""The models of requests and answers. Each is imported when it is first asked for."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .contact_details import ContactDetails
    from .delete_payee_response import DeletePayeeResponse
    from .error_code import ErrorCode
    from .payee import Payee
    from .payee_crypto_address import PayeeCryptoAddress
    from .payee_payman_wallet import PayeePaymanWallet
    from .payee_test_rails import PayeeTestRails
    from .payee_type import PayeeType
    from .payee_us_ach import PayeeUsAch
    from .payment_metadata import PaymentMetadata
    from .payment_status import PaymentStatus
    from .rest_error import RestError
    from .send_payment_request import SendPaymentRequest
    from .send_payment_response import SendPaymentResponse

_MODULES: dict[str, str] = {
    "ContactDetails": ".contact_details",
    "DeletePayeeResponse": ".delete_payee_response",
    "ErrorCode": ".error_code",
    "Payee": ".payee",
    "PayeeCryptoAddress": ".payee_crypto_address",
    "PayeePaymanWallet": ".payee_payman_wallet",
    "PayeeTestRails": ".payee_test_rails",
    "PayeeType": ".payee_type",
    "PayeeUsAch": ".payee_us_ach",
    "PaymentMetadata": ".payment_metadata",
    "PaymentStatus": ".payment_status",
    "RestError": ".rest_error",
    "SendPaymentRequest": ".send_payment_request",
    "SendPaymentResponse": ".send_payment_response",
}
__all__ = (
    "ContactDetails",
    "DeletePayeeResponse",
    "ErrorCode",
    "Payee",
    "PayeeCryptoAddress",
    "PayeePaymanWallet",
    "PayeeTestRails",
    "PayeeType",
    "PayeeUsAch",
    "PaymentMetadata",
    "PaymentStatus",
    "RestError",
    "SendPaymentRequest",
    "SendPaymentResponse",
)

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(_MODULES[name], __name__), name)
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
