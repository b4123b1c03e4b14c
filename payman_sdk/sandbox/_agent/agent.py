"""The agent: does what a prompt means for an account, and answers in markdown.

A refusal is an answer too: its task is completed, and the text says that no payment was made and why. A payment that needs a person
leaves its task waiting for input.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from payman_api.models import Scope
from payman_sdk.sandbox._agent import markdown
from payman_sdk.sandbox._agent.language import intents as intent
from payman_sdk.sandbox._agent.language import understand
from payman_sdk.sandbox._ledger import accounts, payment_orders
from payman_sdk.sandbox._ledger.accounts import Account
from payman_sdk.sandbox._ledger.environment import SandboxEnvironment
from payman_sdk.sandbox._ledger.payment_orders import Settlement
from payman_sdk.sandbox._ledger.payments import SandboxPayment
from payman_sdk.sandbox._ledger.store import Transaction
from payman_sdk.sandbox._oauth.grants import Scopes


@dataclass(frozen=True)
class AgentContext:
    """What the agent works with while it answers one message."""

    tx: Transaction
    world: SandboxEnvironment
    account: Account
    scopes: Scopes
    task_number: int
    session_id: str
    waiting: SandboxPayment | None
    """The payment that the task waits for, where the message continues a task."""

    @property
    def can_show_balances(self) -> bool:
        return Scope.READ_BALANCE in self.scopes


@dataclass(frozen=True)
class AgentAnswer:
    """What the agent says in markdown, or as an object; a settlement is how a waiting payment ended, perhaps another task's."""

    text: str
    waits: bool = False
    settlement: Settlement | None = None
    data: Mapping[str, Any] | None = None
    refusal: str | None = None


def answer_prompt(context: AgentContext, text: str) -> AgentAnswer:
    meaning = understand(text)
    refusal = find_refusal(meaning, context.scopes)
    if refusal is not None:
        is_order = isinstance(meaning, intent.Pay)
        return AgentAnswer(refusal, waits=context.waiting is not None, refusal=refusal if is_order else None)
    if context.waiting is not None:
        return _continue(context, context.waiting, meaning)
    match meaning:
        case intent.Pay():
            paid = payment_orders.pay(
                context.tx,
                context.world,
                context.account,
                context.task_number,
                meaning,
                show_balance=context.can_show_balances,
            )
            return AgentAnswer(paid.text, waits=paid.waits, refusal=paid.text if paid.refused else None)
        case intent.Approve(reference):
            return _decide(context, reference, approve=True)
        case intent.Deny(reference):
            return _decide(context, reference, approve=False)
        case intent.CreatePayee():
            return AgentAnswer(_create_payee(context, meaning))
        case intent.Unclear(reason, payment):
            text = _explain_unclear(reason, payment=payment)
            return AgentAnswer(text, refusal=text if payment else None)
        case question:
            return AgentAnswer(
                markdown.answer_question(
                    context.tx,
                    context.account,
                    context.session_id,
                    question,
                    show_balances=context.can_show_balances,
                )
            )


def _continue(context: AgentContext, waiting: SandboxPayment, meaning: intent.Intent) -> AgentAnswer:
    """Read a yes or a no to the payment of a task that waits; nothing else counts."""
    match meaning:
        case intent.Approve(reference) | intent.Deny(reference) if payment_orders.is_reference_to(
            reference, waiting
        ):
            return _settle(context, waiting, approve=isinstance(meaning, intent.Approve))
        case _:
            what = markdown.format_payment(waiting)
            return AgentAnswer(
                f'This task waits for your approval; say "approve" or "deny":\n\n- {what}', waits=True
            )


def _decide(context: AgentContext, reference: str | None, *, approve: bool) -> AgentAnswer:
    meant = payment_orders.resolve_payment(context.tx, context.account, context.session_id, reference)
    if isinstance(meant, str):
        return AgentAnswer(f"{meant} Nothing was changed.")
    return _settle(context, meant, approve=approve)


def _settle(context: AgentContext, payment: SandboxPayment, *, approve: bool) -> AgentAnswer:
    settlement = payment_orders.settle(context.tx, context.world, payment, approve=approve)
    return AgentAnswer(settlement.text, settlement=settlement)


def _create_payee(context: AgentContext, order: intent.CreatePayee) -> str:
    tx, account = context.tx, context.account
    same = [
        payee
        for payee in accounts.list_payees(tx, account)
        if accounts.fold_name(payee.name) == accounts.fold_name(order.name)
    ]
    for payee in same:
        if order.email is None or (payee.email or "").casefold() == order.email.casefold():
            return f"You have this payee already, so none was created:\n\n- {markdown.format_payee(payee)}"
    payee = accounts.add_payee(
        tx, context.world, account, name=order.name, email=order.email, kind=order.kind
    )
    text = f"Created the payee:\n\n- {markdown.format_payee(payee)}"
    if same:
        text += f"\n\nYou have {len(same) + 1} payees of this name now; to pay one of them, use the id or the email."
    return text


def _explain_unclear(reason: str, *, payment: bool) -> str:
    if not reason:
        return f"I did not understand that. You can ask me things like:\n\n{markdown.ABILITIES}"
    refusal = "No payment was made: " if payment else "Nothing was done: "
    return f"{refusal}{reason}."


_NEEDED: dict[type[intent.Intent], Scope] = {
    intent.Pay: Scope.WRITE_SEND_PAYMENT,
    intent.Approve: Scope.WRITE_SEND_PAYMENT,
    intent.Deny: Scope.WRITE_SEND_PAYMENT,
    intent.CreatePayee: Scope.WRITE_CREATE_PAYEE,
    intent.ShowBalance: Scope.READ_BALANCE,
    intent.ListWallets: Scope.READ_LIST_WALLETS,
    intent.ShowPolicy: Scope.READ_LIST_WALLETS,
    intent.ListPayees: Scope.READ_LIST_PAYEES,
    intent.ShowPayee: Scope.READ_LIST_PAYEES,
    intent.ListTransactions: Scope.READ_LIST_TRANSACTIONS,
    intent.ShowTransaction: Scope.READ_LIST_TRANSACTIONS,
    intent.ListRequests: Scope.READ_LIST_TRANSACTIONS,
}
"""Anything else needs no scope: it reveals nothing of the account and changes nothing."""


def find_refusal(meaning: intent.Intent, scopes: Scopes) -> str | None:
    needed = _NEEDED.get(type(meaning))
    if needed is None or needed in scopes:
        return None
    match meaning:
        case intent.Pay() | intent.Approve() | intent.Deny():
            outcome = "No payment was made"
        case intent.CreatePayee():
            outcome = "No payee was created"
        case _:
            outcome = "I cannot say that"
    return f"{outcome}: the access token lacks the scope `{needed}`."
