from enum import StrEnum


class PayeeType(StrEnum):
    CRYPTO_ADDRESS = "CRYPTO_ADDRESS"
    PAYMAN_WALLET = "PAYMAN_WALLET"
    TEST_RAILS = "TEST_RAILS"
    US_ACH = "US_ACH"

    def __str__(self) -> str:
        return str(self.value)
