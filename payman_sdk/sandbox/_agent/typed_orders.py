"""Requests for JSON: typed orders are carried out as they are written, without reading a word of the values in them.

The result is one object, whose status is true if the agent is careful.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any, cast

from payman_api.models import Scope
from payman_sdk.sandbox._agent.agent import AgentAnswer, AgentContext
from payman_sdk.sandbox._agent.json_answers import (
    Json,
    format_transaction,
    identify_payee,
    payee_shapes,
    payment_shape,
    transaction_shapes,
    wallet_shapes,
    write,
)
from payman_sdk.sandbox._agent.language.intents import Pay, PayeeKind, PayeeReference, Reading
from payman_sdk.sandbox._ledger import accounts, ledger, payment_orders, payments
from payman_sdk.sandbox._ledger.accounts import Account
from payman_sdk.sandbox._ledger.payment_orders import Settlement
from payman_sdk.sandbox._ledger.payments import SandboxPayment
from payman_sdk.sandbox._ledger.store import Transaction

_ORDER, _SCHEMA = "ORDER: ", "SCHEMA: "
_NEEDED = {
    "pay": Scope.WRITE_SEND_PAYMENT,
    "approve": Scope.WRITE_SEND_PAYMENT,
    "deny": Scope.WRITE_SEND_PAYMENT,
    "create_payee": Scope.WRITE_CREATE_PAYEE,
    "list_wallets": Scope.READ_LIST_WALLETS,
    "list_payees": Scope.READ_LIST_PAYEES,
    "list_transactions": Scope.READ_LIST_TRANSACTIONS,
}


@dataclass(frozen=True)
class Order:
    """A typed order: what is to be done, and its values."""

    operation: str
    values: Mapping[str, Any]

    def text(self, name: str) -> str:
        """Return a value that is a text; empty where there is none."""
        value = self.values.get(name)
        return value if isinstance(value, str) else ""


def read_order(text: str) -> Order | None:
    lines = text.split("\n")
    if len(lines) != 4 or not lines[1].startswith(_ORDER) or not lines[3].startswith(_SCHEMA):
        return None
    try:
        read: object = json.loads(lines[1].removeprefix(_ORDER))
    except ValueError:
        return None
    values = cast("Json", read) if isinstance(read, dict) else {}
    if values.get("operation") not in _NEEDED:
        return None
    return Order(values["operation"], values)


def title(text: str) -> str:
    """Return a message in short: of a typed order, its action and its values."""
    order = read_order(text)
    if order is None:
        return text
    if order.operation == "pay":
        memo = f" for {order.text('memo')}" if order.text("memo") else ""
        return f"pay {order.text('amount')} {order.text('currency')} to {order.text('payee')}{memo}"
    values = [str(value) for name, value in order.values.items() if name != "operation" and value is not None]
    return " ".join([order.operation.replace("_", " "), *values])


def answer(context: AgentContext, order: Order) -> AgentAnswer:
    needed = _NEEDED[order.operation]
    if needed not in context.scopes:
        reason = f"the access token lacks the scope {needed.value}"
        return _answer_refusal(context, order, reason, waits=context.waiting is not None)
    match order.operation:
        case "pay" if context.waiting is None:
            return _pay(context, order)
        case "approve" | "deny" if context.waiting is not None:
            return _settle(context, order, context.waiting)
        case "pay" | "approve" | "deny":
            return _answer_refusal(
                context, order, "this task waits for no such decision", waits=context.waiting is not None
            )
        case "create_payee":
            return _create_payee(context, order)
        case _:
            return _list(context, order)


def answer_settlement(
    tx: Transaction, account: Account, settlement: Settlement, first_text: str, manner: str
) -> AgentAnswer | None:
    """Return the answer of a typed payment's task after a person's decision; None for any other task."""
    return None if read_order(first_text) is None else _describe_settlement(tx, account, settlement, manner)


def _describe_settlement(
    tx: Transaction, account: Account, settlement: Settlement, manner: str
) -> AgentAnswer | None:
    payment = payments.find_by_task(tx, account, settlement.task_id)
    if payment is None:
        return None
    return write(manner, payment_shape(tx, payment, settlement.text), settlement.text, is_payment=True)


def _pay(context: AgentContext, order: Order) -> AgentAnswer:
    tx, account = context.tx, context.account
    try:
        amount = Decimal(order.text("amount"))
        ledger.to_minor(amount)
    except (InvalidOperation, ValueError):
        return _answer_refusal(context, order, "this amount cannot be paid in this currency")
    reference = PayeeReference(order.text("payee"))
    if not accounts.match_payees(tx, account, reference).exact:
        return _answer_refusal(context, order, f'you have no payee "{reference.text}"')
    wallet, memo = order.text("wallet") or None, order.text("memo") or None
    reading = Reading(amount, order.text("currency"), reference, wallet, memo)
    paid = payment_orders.pay(
        tx,
        context.world,
        account,
        context.task_number,
        Pay((reading,)),
        show_balance=context.can_show_balances,
    )
    payment = payments.find_by_task_number(tx, context.task_number)
    if payment is None:
        return _answer_refusal(context, order, paid.text)
    said = write(
        context.world.json_answers, payment_shape(tx, payment, paid.text), paid.text, is_payment=True
    )
    return replace(said, waits=paid.waits)


def _settle(context: AgentContext, order: Order, waiting: SandboxPayment) -> AgentAnswer:
    wanted = order.values.get("payment_id")
    if wanted not in (None, waiting.id):
        return _answer_refusal(context, order, "this task waits for another payment", waits=True)
    tx, account = context.tx, context.account
    settlement = payment_orders.settle(tx, context.world, waiting, approve=order.operation == "approve")
    said = _describe_settlement(tx, account, settlement, context.world.json_answers)
    assert said is not None  # noqa: S101 (it was settled just now)
    return replace(said, settlement=settlement)


def _answer_refusal(context: AgentContext, order: Order, reason: str, *, waits: bool = False) -> AgentAnswer:
    reason = reason.strip()
    if order.operation == "create_payee":
        shape: Json = {"status": "refused", "payee": None, "reason": reason}
    elif order.operation.startswith("list_"):
        shape = {order.operation.removeprefix("list_"): None, "error": reason}
    elif context.waiting is not None:
        shape = payment_shape(context.tx, context.waiting, reason)
    else:
        text = order.text("payee")
        found = accounts.match_payees(context.tx, context.account, PayeeReference(text))
        payee = (
            identify_payee(found.payees[0])
            if found.exact and len(found.payees) == 1
            else _unknown_payee(text)
        )
        shape = {
            "status": "refused",
            "payment_id": None,
            "amount": order.text("amount"),
            "currency": order.text("currency"),
            "payee": payee,
            "reason": reason,
        }
    is_payment = order.operation in {"pay", "approve", "deny"}
    said = write(context.world.json_answers, shape, reason, is_payment=is_payment)
    refusal = reason if order.operation == "pay" and context.waiting is None else None
    return replace(said, waits=waits, refusal=refusal)


def _unknown_payee(text: str) -> Json:
    return {
        "name": text,
        "id": text if text.startswith("pd-") else None,
        "email": text if "@" in text else None,
        "paytag": text if "/" in text else None,
    }


def _create_payee(context: AgentContext, order: Order) -> AgentAnswer:
    tx, account = context.tx, context.account
    name, email = order.text("name"), order.text("email") or None
    same = [
        payee
        for payee in accounts.list_payees(tx, account)
        if accounts.fold_name(payee.name) == accounts.fold_name(name)
        and payee.kind.value == order.text("type")
        and (email is None or (payee.email or "").casefold() == email.casefold())
    ]
    payee = (
        same[0]
        if same
        else accounts.add_payee(
            tx, context.world, account, name=name, email=email, kind=PayeeKind(order.text("type"))
        )
    )
    shape = {
        "status": "exists" if same else "created",
        "payee": {**identify_payee(payee), "type": payee.kind.value},
        "reason": None,
    }
    return write(context.world.json_answers, shape, f"Created the payee {name}.", is_payment=False)


def _list(context: AgentContext, order: Order) -> AgentAnswer:
    what = order.operation.removeprefix("list_")
    match what:
        case "wallets":
            items = wallet_shapes(context)
        case "payees":
            query = order.text("query").casefold()
            shapes = payee_shapes(context)
            items = [
                shape
                for shape in shapes
                if any(query in str(value or "").casefold() for value in shape.values())
            ]
        case _:
            limit, skip, wallet = order.values.get("limit"), order.values.get("skip"), order.text("wallet")
            # The account has one wallet, so all of its transactions are of that.
            if wallet and not accounts.match_wallets(context.tx, context.account, wallet):
                return _answer_refusal(context, order, f'you have no wallet "{wallet}"')
            if identity := order.text("id"):
                found = payments.find(context.tx, context.account, identity)
                items = (
                    [format_transaction(context, found)] if found is not None and found.id == identity else []
                )
            else:
                count = limit if isinstance(limit, int) else 20
                items = transaction_shapes(context, count, skip if isinstance(skip, int) else 0)
    return write(
        context.world.json_answers,
        {what: items, "error": None},
        f"You have {len(items)} {what}.",
        is_payment=False,
    )
