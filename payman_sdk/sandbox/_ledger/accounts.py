"""An account: who it is, its wallet with its policy, and its payees.

A new account has what Payman gives a developer [D]: a wallet with 1000 TSD and a paytag, a test payee and a policy.
"""

import unicodedata
from dataclasses import astuple, dataclass
from decimal import Decimal
from typing import Any

from payman_sdk.sandbox._agent.language.intents import PayeeKind, PayeeReference
from payman_sdk.sandbox._ledger import ledger
from payman_sdk.sandbox._ledger.environment import SandboxEnvironment
from payman_sdk.sandbox._ledger.store import Transaction

CURRENCY = "TSD"
_FIRST_BALANCE = Decimal(1000)


@dataclass(frozen=True)
class Account:
    """The organization that one client id acts for."""

    id: str
    client_id: str
    agent_id: str


@dataclass(frozen=True)
class Policy:
    """What a wallet may pay without being asked, and at most, in minor units.

    Days and months are those of UTC; only payments that were carried out count.
    """

    approval_above: int = 100_00
    most_per_transaction: int = 500_00
    most_per_day: int = 1_000_00
    most_per_month: int = 10_000_00


@dataclass(frozen=True)
class WalletAccount:
    """Money of an account, in one currency."""

    id: str
    book: str
    currency: str
    paytag: str
    policy: Policy


@dataclass(frozen=True)
class PayeeAccount:
    """Somebody whom an account may pay."""

    id: str
    book: str
    name: str
    email: str | None
    kind: PayeeKind
    paytag: str


def open_account(tx: Transaction, world: SandboxEnvironment, client_id: str, secret: str | None) -> Account:
    """Register a client, public without a secret. A new one gets an account, a known one the secret."""
    account = find_account(tx, client_id)
    if account is not None:
        tx.execute("UPDATE clients SET secret = ? WHERE id = ?", (secret, client_id))
        return account
    account = Account(world.new_id("org"), client_id, world.new_id("ai"))
    tx.execute(
        "INSERT INTO accounts (id, agent_id, created) VALUES (?, ?, ?)",
        (account.id, account.agent_id, world.now()),
    )
    tx.execute(
        "INSERT INTO clients (id, secret, account_id) VALUES (?, ?, ?)", (client_id, secret, account.id)
    )
    _furnish(tx, world, account)
    return account


def _furnish(tx: Transaction, world: SandboxEnvironment, account: Account) -> None:
    wallet = _open_wallet(tx, world, account)
    issuer = ledger.open_book(tx, f"issuer-{CURRENCY}", "issuer", CURRENCY)
    ledger.post(
        tx,
        source=issuer,
        target=wallet.book,
        amount=ledger.to_minor(_FIRST_BALANCE),
        memo="First balance",
        moment=world.now(),
    )
    add_payee(tx, world, account, name="Test Payee", email=None, kind=PayeeKind.TEST_RAILS)


_SELECT = "SELECT a.id, c.id AS client_id, a.agent_id FROM clients c JOIN accounts a ON a.id = c.account_id"


def find_account(tx: Transaction, client_id: str) -> Account | None:
    row = tx.execute(f"{_SELECT} WHERE c.id = ?", (client_id,)).fetchone()
    return None if row is None else Account(*row)


def load_account(tx: Transaction, identity: str) -> Account | None:
    row = tx.execute(f"{_SELECT} WHERE a.id = ?", (identity,)).fetchone()
    return None if row is None else Account(*row)


def list_accounts(tx: Transaction) -> list[Account]:
    """Every account, in the order in which their clients were registered."""
    return [Account(*row) for row in tx.execute(f"{_SELECT} ORDER BY c.rowid")]


def _open_wallet(tx: Transaction, world: SandboxEnvironment, account: Account) -> WalletAccount:
    identity = world.new_id("wlt")
    policy = Policy()
    wallet = WalletAccount(
        identity,
        ledger.open_book(tx, identity, "wallet", CURRENCY),
        CURRENCY,
        _make_paytag(tx, world),
        policy,
    )
    tx.execute(
        "INSERT INTO wallets VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (wallet.id, account.id, wallet.book, wallet.currency, wallet.paytag, *astuple(policy)),
    )
    return wallet


def _make_paytag(tx: Transaction, world: SandboxEnvironment) -> str:
    while True:
        paytag = world.new_paytag()
        taken = "SELECT 1 FROM wallets WHERE paytag = :tag UNION ALL SELECT 1 FROM payees WHERE paytag = :tag"
        if tx.execute(taken, {"tag": paytag}).fetchone() is None:
            return paytag


def list_wallets(tx: Transaction, account: Account) -> list[WalletAccount]:
    return [
        _read_wallet(row) for row in tx.execute("SELECT * FROM wallets WHERE account_id = ?", (account.id,))
    ]


def match_wallets(tx: Transaction, account: Account, reference: str) -> list[WalletAccount]:
    """Return the wallets that a currency, a paytag, an id or a name means."""
    wanted = fold_name(reference).removesuffix(" wallet")
    return [
        one for one in list_wallets(tx, account) if wanted in (one.currency.casefold(), one.paytag, one.id)
    ]


def load_wallet(tx: Transaction, identity: str) -> WalletAccount:
    return _read_wallet(tx.execute("SELECT * FROM wallets WHERE id = ?", (identity,)).fetchone())


def set_policy(tx: Transaction, identity: str, policy: Policy) -> None:
    """Give a wallet another policy; payments that wait are judged by it when they are approved."""
    tx.execute(
        "UPDATE wallets SET approval_above = ?, most_per_transaction = ?, most_per_day = ?, most_per_month = ? "
        "WHERE id = ?",
        (*astuple(policy), identity),
    )


def _read_wallet(row: Any) -> WalletAccount:
    policy = Policy(
        row["approval_above"], row["most_per_transaction"], row["most_per_day"], row["most_per_month"]
    )
    return WalletAccount(row["id"], row["book_id"], row["currency"], row["paytag"], policy)


def add_payee(
    tx: Transaction,
    world: SandboxEnvironment,
    account: Account,
    *,
    name: str,
    email: str | None,
    kind: PayeeKind,
) -> PayeeAccount:
    identity = world.new_id("pd")
    book = ledger.open_book(tx, identity, "payee", CURRENCY)
    payee = PayeeAccount(identity, book, name, email, kind, _make_paytag(tx, world))
    tx.execute(
        "INSERT INTO payees (id, account_id, book_id, name, email, kind, paytag) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (payee.id, account.id, book, name, email, kind, payee.paytag),
    )
    return payee


def list_payees(tx: Transaction, account: Account) -> list[PayeeAccount]:
    return [
        _read_payee(row)
        for row in tx.execute("SELECT * FROM payees WHERE account_id = ? ORDER BY number", (account.id,))
    ]


def find_payee(tx: Transaction, account: Account, identity: str) -> PayeeAccount | None:
    return next((payee for payee in list_payees(tx, account) if payee.id == identity), None)


def delete_payee(tx: Transaction, payee: PayeeAccount) -> bool:
    """Delete a payee whom no payment is about; say whether that was so."""
    if tx.execute("SELECT 1 FROM payments WHERE payee_id = ?", (payee.id,)).fetchone() is not None:
        return False
    tx.execute("DELETE FROM payees WHERE id = ?", (payee.id,))
    tx.execute("DELETE FROM books WHERE id = ?", (payee.book,))
    return True


def load_payee(tx: Transaction, identity: str) -> PayeeAccount:
    return _read_payee(tx.execute("SELECT * FROM payees WHERE id = ?", (identity,)).fetchone())


def _read_payee(row: Any) -> PayeeAccount:
    kind = PayeeKind(row["kind"])
    return PayeeAccount(row["id"], row["book_id"], row["name"], row["email"], kind, row["paytag"])


@dataclass(frozen=True)
class PayeeMatches:
    """The payees that a reference may mean: one is an answer, several are a question.

    `exact`: the id, paytag, email or whole name agrees, not only some words of the name.
    """

    payees: tuple[PayeeAccount, ...]
    exact: bool


def match_payees(tx: Transaction, account: Account, reference: PayeeReference) -> PayeeMatches:
    """Return the payees of an id, paytag, email or whole name, else those whose name begins or ends with the words."""
    known = [payee for payee in list_payees(tx, account) if reference.kind in (None, payee.kind)]
    wanted = fold_name(reference.text)
    exact = tuple(
        payee
        for payee in known
        if wanted in (payee.id, payee.paytag, fold_name(payee.email or ""), fold_name(payee.name)) and wanted
    )
    if exact:
        return PayeeMatches(exact, exact=True)
    loose = tuple(
        payee
        for payee in known
        if wanted
        and (fold_name(payee.name).startswith(wanted + " ") or fold_name(payee.name).endswith(" " + wanted))
    )
    return PayeeMatches(loose, exact=False)


def fold_name(name: str) -> str:
    """Return a name without case, spaces, and punctuation around it.

    Letters of different scripts that look the same stay different: a payee is paid under its own name only.
    """
    return " ".join(unicodedata.normalize("NFC", name).casefold().split()).strip(" .,;:!\"'")


_KEPT_TABLES = frozenset({"accounts", "clients", "redirect_uris"})


def reset_accounts(tx: Transaction, world: SandboxEnvironment) -> None:
    """Delete tasks, money, payees and tokens, and furnish every account again. Clients keep secrets and redirect URIs."""
    tx.execute("PRAGMA defer_foreign_keys = ON")  # checked at the commit, so that the order does not matter
    tables = [row["name"] for row in tx.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for table in tables:
        if table not in _KEPT_TABLES:
            tx.execute(f'DELETE FROM "{table}"')  # noqa: S608 # nosec B608 # a name of the schema
    tx.execute("UPDATE clients SET barred = 0")
    for account in list_accounts(tx):
        _furnish(tx, world, account)
