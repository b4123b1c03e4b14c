"""What a prompt may mean: one small type for each."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class PayeeKind(StrEnum):
    """The kinds of payees [D]."""

    TEST_RAILS = "TEST_RAILS"
    US_ACH = "US_ACH"
    CRYPTO_ADDRESS = "CRYPTO_ADDRESS"
    PAYMAN_WALLET = "PAYMAN_WALLET"

    @property
    def words(self) -> str:
        """The kind as people write it."""
        words = {
            "TEST_RAILS": "Test Rails",
            "US_ACH": "US ACH",
            "CRYPTO_ADDRESS": "Crypto Address",
            "PAYMAN_WALLET": "Payman Wallet",
        }
        return words[self.value]


@dataclass(frozen=True)
class PayeeReference:
    """How a text points at a payee: a name, an id, an email or a paytag, and perhaps a kind."""

    text: str
    kind: PayeeKind | None = None


@dataclass(frozen=True)
class Reading:
    """One way to read a payment order. The amount is above zero, with at most two decimals; None is what the text omits."""

    amount: Decimal
    currency: str | None
    payee: PayeeReference
    wallet: str | None = None
    description: str | None = None


@dataclass(frozen=True)
class Pay:
    """Pay somebody.

    Attributes:
        readings: If there are several ("Bread" for "all", or "Bread for All"?), the names of the account's payees decide.
        asked: The order was put as a question, and so must be confirmed.
        rivals: Names that the amount would be a part of, if there is such a payee ("pay Room 2").
    """

    readings: tuple[Reading, ...]
    asked: bool = False
    rivals: tuple[PayeeReference, ...] = ()


@dataclass(frozen=True)
class CreatePayee:
    """Add a payee."""

    name: str
    email: str | None = None
    kind: PayeeKind = PayeeKind.TEST_RAILS


@dataclass(frozen=True)
class Approve:
    """Approve a waiting payment; `reference` is the id of a payment or task, or a payee; None is the only one that waits."""

    reference: str | None = None


@dataclass(frozen=True)
class Deny:
    """Deny a waiting payment; `reference` as for `Approve`."""

    reference: str | None = None


@dataclass(frozen=True)
class ListWallets:
    """Show all wallets and what is in them."""


@dataclass(frozen=True)
class ShowBalance:
    """Show what is in the wallet of a currency, or in all of them."""

    currency: str | None = None


@dataclass(frozen=True)
class ShowPolicy:
    """Show the limits."""


@dataclass(frozen=True)
class ListPayees:
    """Show all payees."""


@dataclass(frozen=True)
class ShowPayee:
    """Show one payee."""

    payee: PayeeReference


@dataclass(frozen=True)
class ListTransactions:
    """Show the newest transactions, `count` of them at most."""

    count: int = 10


@dataclass(frozen=True)
class ShowTransaction:
    """Show one transaction, by its own id or that of its task."""

    reference: str


@dataclass(frozen=True)
class ListRequests:
    """Show the payments that wait for approval."""


@dataclass(frozen=True)
class Greet:
    """Say hello."""


@dataclass(frozen=True)
class TestConnection:
    """Say that the connection works."""

    __test__ = False  # pytest would take the name for a test


@dataclass(frozen=True)
class Recall:
    """Say what the session was about so far."""


@dataclass(frozen=True)
class Weather:
    """Be asked for what an agent for payments does not know."""


@dataclass(frozen=True)
class Unclear:
    """Nothing that the agent is sure of: why, and whether the answer has to say that no payment was made."""

    reason: str = ""
    payment: bool = False


Intent = (
    Pay
    | CreatePayee
    | Approve
    | Deny
    | ListWallets
    | ShowBalance
    | ShowPolicy
    | ListPayees
    | ShowPayee
    | ListTransactions
    | ShowTransaction
    | ListRequests
    | Greet
    | TestConnection
    | Recall
    | Weather
    | Unclear
)
