from enum import StrEnum


class PayeeType(StrEnum):
    """How a payee is paid."""

    CRYPTO_ADDRESS = "CRYPTO_ADDRESS"
    PAYMAN_WALLET = "PAYMAN_WALLET"
    TEST_RAILS = "TEST_RAILS"
    US_ACH = "US_ACH"
