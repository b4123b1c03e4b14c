"""What the agent says, in markdown: wallets, payees, payments and policies, and the answers to questions. It changes nothing."""

import re
from collections.abc import Sequence
from typing import assert_never

from payman_api.models import Scope
from payman_sdk.sandbox._agent.language import intents as intent
from payman_sdk.sandbox._ledger import accounts, ledger, payments
from payman_sdk.sandbox._ledger.accounts import Account, PayeeAccount, Policy, WalletAccount
from payman_sdk.sandbox._ledger.environment import to_datetime
from payman_sdk.sandbox._ledger.ledger import to_decimal
from payman_sdk.sandbox._ledger.payments import SandboxPayment
from payman_sdk.sandbox._ledger.store import Transaction

_STATUS = {"INITIATED": "initiated", "AWAITING_APPROVAL": "awaiting approval", "REJECTED": "rejected"}


def escape(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(text.split()))


def format_money(minor: int, currency: str) -> str:
    """Return an amount in minor units, such as `1,000.00 TSD`."""
    return f"{to_decimal(minor):,} {currency}"


def format_amount(payment: SandboxPayment) -> str:
    return f"{payment.amount:,} {payment.currency}"


def format_moment(nanoseconds: int) -> str:
    """Return a time to the minute, in UTC."""
    return f"{to_datetime(nanoseconds):%Y-%m-%d %H:%M} UTC"


def format_payee(one: PayeeAccount) -> str:
    email = f", {escape(one.email)}" if one.email else ""
    return f"**{escape(one.name)}** ({one.kind.words}{email}) – id `{one.id}`, paytag `{one.paytag}`"


def format_payment(one: SandboxPayment) -> str:
    about = f" – {escape(one.description)}" if one.description else ""
    return f"{format_moment(one.created)}: **{format_amount(one)}** to **{escape(one.payee)}**, {_STATUS[one.status]}{about} (`{one.id}`)"


def format_policy(one: Policy, currency: str) -> str:
    return format_bullets(
        (
            f"Approval needed above: {format_money(one.approval_above, currency)}",
            f"At most per transaction: {format_money(one.most_per_transaction, currency)}",
            f"At most per day: {format_money(one.most_per_day, currency)}",
            f"At most per month: {format_money(one.most_per_month, currency)}",
        )
    )


def format_bullets(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


_REMEMBERED = 20
"""Messages of a session that are recalled."""

ABILITIES = format_bullets(
    (
        "list all wallets and their balances",
        "create a payee of type Test Rails called John Doe",
        "send 10 TSD to John Doe for lunch",
        "list all payees",
        "show my last 5 transactions",
    )
)
"""What the agent can be asked, as examples."""


def answer_question(
    tx: Transaction,
    account: Account,
    session_id: str,
    question: intent.ListWallets
    | intent.ShowBalance
    | intent.ShowPolicy
    | intent.ListPayees
    | intent.ShowPayee
    | intent.ListTransactions
    | intent.ShowTransaction
    | intent.ListRequests
    | intent.Greet
    | intent.TestConnection
    | intent.Recall
    | intent.Weather,
    *,
    show_balances: bool,
) -> str:
    match question:
        case intent.ListWallets():
            return _list_wallets(tx, account, show_balances=show_balances)
        case intent.ShowBalance(currency):
            there = _format_wallets(tx, account, currency)
            return f"Your balance:\n\n{there}" if there else f"You have no {currency} wallet."
        case intent.ShowPolicy():
            return "\n\n".join(
                f"Policy of your {wallet.currency} wallet:\n\n{format_policy(wallet.policy, wallet.currency)}"
                for wallet in accounts.list_wallets(tx, account)
            )
        case intent.ListPayees():
            return "Your payees:\n\n" + format_bullets(
                [format_payee(one) for one in accounts.list_payees(tx, account)]
            )
        case intent.ShowPayee(reference):
            found = accounts.match_payees(tx, account, reference).payees
            if not found:
                return f'You have no payee "{escape(reference.text)}".'
            return format_bullets([format_payee(one) for one in found])
        case intent.ListTransactions(count):
            return _format_transactions(
                "Your last transactions", payments.list_newest(tx, account, count), "no transactions yet"
            )
        case intent.ShowTransaction(reference):
            one = payments.find(tx, account, reference)
            if one is None:
                return f'You have no transaction "{escape(reference)}".'
            return f"- {format_payment(one)}\n- Status: {one.status}"
        case intent.ListRequests():
            return _format_transactions(
                "Waiting for approval", payments.list_waiting(tx, account), "nothing waiting for approval"
            )
        case intent.Greet():
            return f"Hello! I can help you with payments. You can ask me things like:\n\n{ABILITIES}"
        case intent.TestConnection():
            return "The connection works."
        case intent.Recall():
            said = _recall(tx, account, session_id)
            if not said:
                return "We have not talked about anything in this session yet."
            return "Earlier in this session you said:\n\n" + format_bullets(
                [escape(text[:200]) for text in said]
            )
        case intent.Weather():
            return "I know nothing about the weather; I help with wallets, payees and payments."
    assert_never(question)


def _format_transactions(title: str, found: list[SandboxPayment], nothing: str) -> str:
    if not found:
        return f"You have {nothing}."
    return f"{title}:\n\n{format_bullets([format_payment(one) for one in found])}"


def _list_wallets(tx: Transaction, account: Account, *, show_balances: bool) -> str:
    title = "Here are your wallets"
    if show_balances:
        return f"{title}:\n\n{_format_wallets(tx, account, None)}"
    lines = format_bullets([_format_wallet(one) for one in accounts.list_wallets(tx, account)])
    return f"{title}; for balances the access token lacks the scope `{Scope.READ_BALANCE}`:\n\n{lines}"


def _format_wallet(one: WalletAccount) -> str:
    return f"**{one.currency} Wallet** – paytag `{one.paytag}`"


def _format_wallets(tx: Transaction, account: Account, currency: str | None) -> str:
    lines: list[str] = []
    for wallet in accounts.list_wallets(tx, account):
        if currency in (None, wallet.currency):
            balance = format_money(ledger.read_balance(tx, wallet.book), wallet.currency)
            pending = format_money(payments.sum_waiting(tx, account, wallet.currency), wallet.currency)
            lines.append(_format_wallet(wallet))
            lines.append(f"Spendable balance: {balance}")
            lines.append(f"Pending balance: {pending}")
    return format_bullets(lines)


def _recall(tx: Transaction, account: Account, session_id: str) -> list[str]:
    """Return what the account's user said in the session, oldest first, the newest twenty at most."""
    found = tx.execute(
        "SELECT m.text FROM messages m JOIN tasks t ON t.number = m.task_number "
        "WHERE t.account_id = ? AND t.session_id = ? AND m.role = 'user' ORDER BY m.number DESC LIMIT ?",
        (account.id, session_id, _REMEMBERED),
    ).fetchall()
    return [row["text"] for row in reversed(found)]
