"""What pages show of an account: plain data, from a transaction. Templates decide nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Self, TypeVar

from payman_sdk.sandbox._agent import markdown, tasks, typed_orders
from payman_sdk.sandbox._ledger import accounts, ledger, payments
from payman_sdk.sandbox._ledger.accounts import Account, PayeeAccount, WalletAccount
from payman_sdk.sandbox._ledger.environment import SandboxEnvironment
from payman_sdk.sandbox._ledger.ledger import LedgerRow
from payman_sdk.sandbox._ledger.payments import SandboxPayment
from payman_sdk.sandbox._ledger.store import Transaction
from payman_sdk.sandbox._oauth import clients, grants
from payman_sdk.sandbox._oauth.clients import ClientAuthorization
from payman_sdk.sandbox._oauth.grants import IN_WORDS, Scopes

ON_A_PAGE = 50
_T = TypeVar("_T")


@dataclass(frozen=True)
class ListPage(Generic[_T]):
    """One page of a long list: its items, its number from 1, the last page's number, and the total."""

    items: Sequence[_T]
    number: int
    last: int
    total: int

    @classmethod
    def load(cls, total: int, wanted: int, fetch: Callable[[int], Sequence[_T]]) -> Self:
        """Return the page nearest to the wanted one; `fetch` returns its items, after leaving out so many."""
        last = max(1, -(-total // ON_A_PAGE))
        number = min(max(wanted, 1), last)
        return cls(fetch((number - 1) * ON_A_PAGE), number, last, total)


@dataclass(frozen=True)
class WalletView:
    """A wallet: what is in it, what waits for approval, and its paytag."""

    id: str
    currency: str
    balance: str
    paytag: str
    pending: str


@dataclass(frozen=True)
class PaymentView:
    """A payment."""

    id: str
    task: int
    created: int
    payee: str
    amount: str
    about: str
    status: str
    outcome: str


@dataclass(frozen=True)
class PolicyField:
    """One amount of a policy in a form: `text` is its content, `error` what is wrong with it."""

    name: str
    label: str
    hint: str
    text: str
    error: str | None = None


@dataclass(frozen=True)
class RefusalShown:
    """A payment that was ordered and not made."""

    task: int
    text: str
    reason: str
    moment: int


_STATUS = {"INITIATED": "Paid", "AWAITING_APPROVAL": "Waits for approval", "REJECTED": "Rejected"}
OUTCOMES = {"INITIATED": "paid", "AWAITING_APPROVAL": "waits", "REJECTED": "refused"}
"""What a payment's status means, as style sheets call it."""

POLICY = {
    "approval_above": ("Approval needed above", "A payment of more than this waits for you."),
    "most_per_transaction": ("At most per transaction", "A payment of more than this is refused."),
    "most_per_day": ("At most per day", "All payments of a day (UTC) together."),
    "most_per_month": ("At most per month", "All payments of a month (UTC) together."),
}
"""The amounts of a policy: what they are called, and what they do."""


def view_wallets(tx: Transaction, account: Account) -> list[WalletView]:
    return [
        WalletView(
            one.id,
            one.currency,
            markdown.format_money(ledger.read_balance(tx, one.book), one.currency),
            one.paytag,
            markdown.format_money(payments.sum_waiting(tx, account, one.currency), one.currency),
        )
        for one in accounts.list_wallets(tx, account)
    ]


def view_pending(tx: Transaction, account: Account) -> ListPage[PaymentView]:
    found = payments.list_waiting(tx, account)
    return ListPage([view_payment(tx, account, one) for one in found[:ON_A_PAGE]], 1, 1, len(found))


def view_transactions(tx: Transaction, account: Account, wanted: int) -> ListPage[PaymentView]:
    def fetch(after: int) -> list[PaymentView]:
        found = payments.list_newest(tx, account, ON_A_PAGE, after)
        return [view_payment(tx, account, one) for one in found]

    return ListPage[PaymentView].load(payments.count(tx, account), wanted, fetch)


def view_refusals(tx: Transaction, account: Account) -> ListPage[RefusalShown]:
    found, total = payments.refusals(tx, account, ON_A_PAGE)
    return ListPage([_refusal(tx, account, one) for one in found], 1, 1, total)


def _refusal(tx: Transaction, account: Account, one: payments.Refusal) -> RefusalShown:
    asked = tasks.find_by_number(tx, account, one.task_number).history[0].text
    return RefusalShown(one.task_number, typed_orders.title(asked), one.reason, one.moment)


def entries(tx: Transaction, account: Account, wanted: int) -> ListPage[LedgerRow]:
    """Return a page of the ledger, as far as it is the account's, newest first."""
    _, total = ledger.rows_of(tx, account.id, 0)
    return ListPage[LedgerRow].load(
        total, wanted, lambda after: ledger.rows_of(tx, account.id, ON_A_PAGE, after)[0]
    )


def view_payees(tx: Transaction, account: Account, wanted: int) -> ListPage[PayeeAccount]:
    everybody = accounts.list_payees(tx, account)
    return ListPage[PayeeAccount].load(
        len(everybody), wanted, lambda after: everybody[after : after + ON_A_PAGE]
    )


def view_payment(tx: Transaction, account: Account, one: SandboxPayment) -> PaymentView:
    return PaymentView(
        one.id,
        tasks.find_number(tx, account, one.task_id),
        one.created,
        one.payee,
        markdown.format_amount(one),
        one.description or "",
        _STATUS[one.status],
        OUTCOMES[one.status],
    )


def view_policy(wallet: WalletAccount) -> list[PolicyField]:
    return [
        PolicyField(name, *words, str(ledger.to_decimal(getattr(wallet.policy, name))))
        for name, words in POLICY.items()
    ]


_MOST_TARGETS = 5


@dataclass(frozen=True)
class AppView:
    """A connection of the account's app, with scopes in words, some redirect URIs, and how many tokens are valid."""

    kind: str
    how: str
    scopes: Sequence[tuple[str, str]]
    targets: Sequence[str]
    tokens: int
    revoked: bool


_HOW = {"consent": "By consent", "credentials": "By its own credentials"}


def list_apps(tx: Transaction, world: SandboxEnvironment, account: Account) -> list[AppView]:
    return [_view_authorization(one) for one in clients.list_authorizations(tx, world, account.client_id)]


def find_scopes(tx: Transaction, world: SandboxEnvironment, account: Account, kind: str) -> Scopes:
    """Return what an ask of that kind may do: as one of the connections may, or everything."""
    for one in clients.list_authorizations(tx, world, account.client_id):
        if _find_kind(one) == kind and one.scopes:
            return one.scopes
    return grants.EVERY


def _view_authorization(one: ClientAuthorization) -> AppView:
    kind = _find_kind(one)
    targets = sorted({clients.format_origin(uri) for uri in one.redirect_uris})[:_MOST_TARGETS]
    allowed = [(scope.value, IN_WORDS[scope]) for scope in one.scopes]
    return AppView(kind, _HOW[kind], allowed, targets, one.tokens, one.revoked)


def _find_kind(one: ClientAuthorization) -> str:
    return "credentials" if one.by_credentials else "consent"
