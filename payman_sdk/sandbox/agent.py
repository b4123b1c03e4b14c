"""The agent: does what a prompt means for an account, and answers in markdown.

It is a conversation: a refusal is an answer too, so its task is completed and the text says that no payment was made
and why. A payment that needs a person leaves its task waiting for input.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from payman_sdk.sandbox import accounts, approvals, ledger, markdown, memory, paying, payments
from payman_sdk.sandbox.accounts import Account
from payman_sdk.sandbox.approvals import Settlement
from payman_sdk.sandbox.language import intents as intent
from payman_sdk.sandbox.language import understand
from payman_sdk.sandbox.payments import Payment
from payman_sdk.sandbox.store import Transaction
from payman_sdk.sandbox.world import World

_ABILITIES = markdown.bullets(
    (
        "list all wallets and their balances",
        "create a payee of type Test Rails called John Doe",
        "send 10 TSD to John Doe for lunch",
        "list all payees",
        "show my last 5 transactions",
    )
)


@dataclass(frozen=True)
class Context:
    """What the agent works with while it answers one message."""

    tx: Transaction
    world: World
    account: Account
    task_number: int
    session_id: str
    waiting: Payment | None
    """The payment that the task waits for, where the message continues a task."""


@dataclass(frozen=True)
class Answer:
    """What the agent says.

    Attributes:
        text: in markdown.
        waits: whether the task waits for an approval now.
        settlement: how a waiting payment ended, perhaps another task's.
    """

    text: str
    waits: bool = False
    settlement: Settlement | None = None


def answer(context: Context, text: str) -> Answer:
    """Do what the text means, and say what was done."""
    meaning = understand(text)
    if context.waiting is not None and not isinstance(meaning, intent.Approve | intent.Deny):
        what = markdown.payment(context.waiting)
        return Answer(f'This task waits for your approval; say "approve" or "deny":\n\n- {what}', waits=True)
    match meaning:
        case intent.Pay():
            paid = paying.pay(context.tx, context.world, context.account, context.task_number, meaning)
            return Answer(paid.text, waits=paid.waits)
        case intent.Approve(reference):
            return _settle(context, reference, approve=True)
        case intent.Deny(reference):
            return _settle(context, reference, approve=False)
        case intent.CreatePayee():
            return Answer(_create_payee(context, meaning))
        case intent.Unclear(reason, payment):
            return Answer(_unclear(reason, payment=payment))
        case _:
            return Answer(_tell(context, meaning))


def _settle(context: Context, reference: str | None, *, approve: bool) -> Answer:
    meant = context.waiting or approvals.meant(context.tx, context.account, context.session_id, reference)
    if isinstance(meant, str):
        return Answer(f"{meant} Nothing was changed.")
    settlement = approvals.settle(context.tx, context.world, context.account, meant, approve=approve)
    return Answer(settlement.text, settlement=settlement)


def _create_payee(context: Context, order: intent.CreatePayee) -> str:
    tx, account = context.tx, context.account
    same = [
        payee
        for payee in accounts.payees(tx, account)
        if accounts.alike(payee.name) == accounts.alike(order.name)
    ]
    for payee in same:
        if order.email is None or (payee.email or "").casefold() == order.email.casefold():
            return f"You have this payee already, so none was created:\n\n- {markdown.payee(payee)}"
    payee = accounts.add_payee(
        tx, context.world, account, name=order.name, email=order.email, kind=order.kind
    )
    text = f"Created the payee:\n\n- {markdown.payee(payee)}"
    if same:
        text += f"\n\nYou have {len(same) + 1} payees of this name now; to pay one of them, use the id or the email."
    return text


def _unclear(reason: str, *, payment: bool) -> str:
    if not reason:
        return f"I did not understand that. You can ask me things like:\n\n{_ABILITIES}"
    refusal = "No payment was made: " if payment else "Nothing was done: "
    return f"{refusal}{reason}."


def _tell(
    context: Context,
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
) -> str:
    """Answer what changes nothing."""
    tx, account = context.tx, context.account
    match question:
        case intent.ListWallets():
            return f"Here are your wallets:\n\n{_wallets(tx, account, None)}"
        case intent.ShowBalance(currency):
            there = _wallets(tx, account, currency)
            return f"Your balance:\n\n{there}" if there else f"You have no {currency} wallet."
        case intent.ShowPolicy():
            return "\n\n".join(
                f"Policy of your {wallet.currency} wallet:\n\n{markdown.policy(wallet.policy, wallet.currency)}"
                for wallet in accounts.wallets(tx, account)
            )
        case intent.ListPayees():
            return "Your payees:\n\n" + markdown.bullets(
                [markdown.payee(one) for one in accounts.payees(tx, account)]
            )
        case intent.ShowPayee(reference):
            found = accounts.match_payees(tx, account, reference).payees
            if not found:
                return f'You have no payee "{markdown.plain(reference.text)}".'
            return markdown.bullets([markdown.payee(one) for one in found])
        case intent.ListTransactions(count):
            return _transactions(
                "Your last transactions", payments.newest(tx, account, count), "no transactions yet"
            )
        case intent.ShowTransaction(reference):
            one = payments.find(tx, account, reference)
            if one is None:
                return f'You have no transaction "{markdown.plain(reference)}".'
            return f"- {markdown.payment(one)}\n- Status: {one.status}"
        case intent.ListRequests():
            return _transactions(
                "Waiting for approval", payments.waiting(tx, account), "nothing waiting for approval"
            )
        case intent.Greet():
            return f"Hello! I can help you with payments. You can ask me things like:\n\n{_ABILITIES}"
        case intent.TestConnection():
            return "The connection works."
        case intent.Recall():
            said = memory.recall(tx, account, context.session_id)
            if not said:
                return "We have not talked about anything in this session yet."
            return "Earlier in this session you said:\n\n" + markdown.bullets(
                [markdown.plain(text[:200]) for text in said]
            )
        case intent.Weather():
            return "I know nothing about the weather; I help with wallets, payees and payments."
    assert_never(question)


def _transactions(title: str, found: list[Payment], nothing: str) -> str:
    if not found:
        return f"You have {nothing}."
    return f"{title}:\n\n{markdown.bullets([markdown.payment(one) for one in found])}"


def _wallets(tx: Transaction, account: Account, currency: str | None) -> str:
    lines: list[str] = []
    for wallet in accounts.wallets(tx, account):
        if currency in (None, wallet.currency):
            balance = markdown.money(ledger.balance(tx, wallet.book), wallet.currency)
            pending = markdown.money(
                sum(
                    ledger.to_minor(payment.amount)
                    for payment in payments.waiting(tx, account)
                    if payment.currency == wallet.currency
                ),
                wallet.currency,
            )
            lines.append(f"**{wallet.currency} Wallet** – paytag `{wallet.paytag}`")
            lines.append(f"Spendable balance: {balance}")
            lines.append(f"Pending balance: {pending}")
    return markdown.bullets(lines)
