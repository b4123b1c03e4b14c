"""Answers in JSON: facts of the account in the shapes of typed calls, as correct as the agent is set to be.

Words may ask for JSON too. They are carried out, and known facts fill the members of that name. If a required member has no known
value, the answer stays in words.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, cast

from payman_api.models import Scope
from payman_sdk.sandbox._agent import agent
from payman_sdk.sandbox._agent.agent import AgentAnswer, AgentContext
from payman_sdk.sandbox._ledger import accounts, ledger, payments
from payman_sdk.sandbox._ledger.accounts import PayeeAccount
from payman_sdk.sandbox._ledger.environment import to_datetime
from payman_sdk.sandbox._ledger.payments import SandboxPayment
from payman_sdk.sandbox._ledger.store import Transaction

Json = dict[str, Any]

_STATUSES = {"INITIATED": "paid", "AWAITING_APPROVAL": "awaiting_approval", "REJECTED": "refused"}
_SCHEMA = "\nSCHEMA: "
_SYNONYMS = {
    "amount": ("amount", "total", "price"),
    "balance": ("balance", "spendable", "available"),
    "created": ("created", "date", "timestamp"),
    "memo": ("memo", "description", "note"),
    "name": ("name", "payee"),
    "payment_id": ("payment_id", "transaction_id", "id"),
    "text": ("text", "answer", "message", "summary"),
}
"""Other names under which something that is known may be asked for."""
_CHATTER = "Sure, here is what you asked for:\n\n```json\n{}\n```\n\nLet me know if there is anything else!"
_INVENTED = "txn-00000000-0000-4000-8000-000000000000"


class _UnknownError(Exception):
    """A member must be there, and nothing is known by its name."""


def answer(context: AgentContext, text: str) -> AgentAnswer:
    """Do what a text means; as JSON where it asks for that."""
    words, found, schema_text = text.rpartition(_SCHEMA)
    schema = _read(schema_text) if found else None
    if schema is None:
        return agent.answer_prompt(context, text)
    said = agent.answer_prompt(context, words.rpartition("\n")[0].strip())
    try:
        shape = _fill(schema, schema, _list_facts(context, said.text))
    except (_UnknownError, RecursionError):
        return said
    if not isinstance(shape, dict):
        return said
    is_payment = {"status", "amount", "payee", "payment_id"} <= shape.keys()
    written = write(context.world.json_answers, cast("Json", shape), said.text, is_payment=is_payment)
    return replace(said, text=written.text, data=written.data)


def _read(text: str) -> Json | None:
    try:
        schema: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return cast("Json", schema) if isinstance(schema, dict) else None


def _list_facts(context: AgentContext, text: str) -> Json:
    """Return what is known, as far as the scopes of the token go."""
    facts: Json = {"text": text}
    if Scope.READ_LIST_TRANSACTIONS in context.scopes:
        facts["transactions"] = transaction_shapes(context, 20)
    if Scope.READ_LIST_PAYEES in context.scopes:
        facts["payees"] = payee_shapes(context)
    if Scope.READ_LIST_WALLETS in context.scopes:
        wallets = wallet_shapes(context)
        facts |= {**wallets[0], "wallets": wallets}
    payment = payments.find_by_task_number(context.tx, context.task_number)
    if payment is not None:
        facts |= payment_shape(context.tx, payment, text)
    return facts


def _fill(schema: Mapping[str, Any], root: Json, known: object) -> object:
    schema = _resolve_reference(schema, root)
    for one in schema.get("anyOf", ()):
        try:
            return _fill(one, root, known)
        except _UnknownError:
            continue
    names = schema.get("type")
    kinds: list[object] = cast("list[object]", names) if isinstance(names, list) else [names]
    if "object" in kinds and isinstance(known, dict):
        return _fill_object(schema, root, cast("Json", known))
    if "array" in kinds and isinstance(known, list):
        return [_fill(schema.get("items", {}), root, item) for item in cast("list[object]", known)]
    if isinstance(known, dict):  # of a payee, the name is asked for
        known = cast("Json", known).get("name")
    if "null" in kinds and known is None:
        return None
    if "string" in kinds and isinstance(known, str):
        return known
    if "number" in kinds and isinstance(known, str):
        try:
            return float(known)
        except ValueError:
            raise _UnknownError from None
    if known in schema.get("enum", ()) or (names is None and "enum" not in schema and "anyOf" not in schema):
        return known
    raise _UnknownError


def _fill_object(schema: Mapping[str, Any], root: Json, known: Json) -> Json:
    filled: Json = {}
    for name, member in schema.get("properties", {}).items():
        names = [name, *(fact for fact, words in _SYNONYMS.items() if name in words)]
        try:
            found = next((known[fact] for fact in names if fact in known), None)
            filled[name] = _fill(member, root, found)
        except _UnknownError:
            if name in schema.get("required", ()):
                raise
    return filled


def _resolve_reference(schema: Mapping[str, Any], root: Json) -> Mapping[str, Any]:
    reference = schema.get("$ref")
    if not isinstance(reference, str):
        return schema
    found: Any = root
    for part in reference.split("/")[1:]:
        found = cast("Json", found).get(part) if isinstance(found, dict) else None
    return cast("Json", found) if isinstance(found, dict) else {}


def write(manner: str, shape: Mapping[str, Any], prose: str, *, is_payment: bool) -> AgentAnswer:
    """Answer with a true object in the agent's manner: only what is about a payment is changed."""
    if is_payment:
        shape = _change_shape(manner, dict(shape))
    text = json.dumps(shape, ensure_ascii=False)
    match manner:
        case "prose":
            return AgentAnswer(prose)
        case "data_part":
            return AgentAnswer(prose, data=shape)
        case "fenced":
            return AgentAnswer(_CHATTER.format(text))
        case "truncated":
            return AgentAnswer(text[: len(text) * 2 // 3])
        case "two_objects" if is_payment:
            example = json.dumps({**shape, "status": "paid", "reason": None}, ensure_ascii=False)
            return AgentAnswer(f"{text}\n\nA payment that is made looks like this:\n\n{example}")
        case _:
            return AgentAnswer(text)


def _change_shape(manner: str, shape: dict[str, Any]) -> dict[str, Any]:
    match manner:
        case "other_amount":
            shape["amount"] = str(Decimal(shape["amount"]) + 1)
        case "other_payee":
            shape["payee"] = {"name": "Eve", "id": "pd-eve", "email": "eve@example.com", "paytag": "a.b.c/10"}
        case "unknown_status":
            shape["status"] = "done"
        case "paid_with_reason":
            shape |= {"status": "paid", "reason": shape["reason"] or "Paid."}
        case "claims_paid":
            shape |= {"status": "paid", "reason": None, "payment_id": shape["payment_id"] or _INVENTED}
        case "claims_refused":
            shape |= {"status": "refused", "reason": "It was not possible.", "payment_id": None}
        case _:
            pass
    return shape


def payment_shape(tx: Transaction, payment: SandboxPayment, text: str) -> Json:
    """Return the result of a payment in the words of typed calls; the text says why it is not paid."""
    return {
        "status": _STATUSES[payment.status],
        "payment_id": payment.id,
        "amount": str(payment.amount),
        "currency": payment.currency,
        "payee": identify_payee(accounts.load_payee(tx, payment.payee_id)),
        "reason": None if payment.status == "INITIATED" else text.split("\n")[0],
    }


def identify_payee(payee: PayeeAccount) -> Json:
    return {"name": payee.name, "id": payee.id, "email": payee.email, "paytag": payee.paytag}


def wallet_shapes(context: AgentContext) -> list[Json]:
    return [_wallet(context, wallet) for wallet in accounts.list_wallets(context.tx, context.account)]


def payee_shapes(context: AgentContext) -> list[Json]:
    return [
        {**identify_payee(payee), "type": payee.kind.value}
        for payee in accounts.list_payees(context.tx, context.account)
    ]


def transaction_shapes(context: AgentContext, count: int, skip: int = 0) -> list[Json]:
    """Return the newest transactions of the account, as they are listed, after leaving out so many."""
    newest = payments.list_newest(context.tx, context.account, count, skip)
    return [format_transaction(context, one) for one in newest]


def _wallet(context: AgentContext, wallet: accounts.WalletAccount) -> Json:
    pending = payments.sum_waiting(context.tx, context.account, wallet.currency)
    shown = context.can_show_balances
    return {
        "id": wallet.id,
        "name": f"{wallet.currency} Wallet",
        "currency": wallet.currency,
        "paytag": wallet.paytag,
        "balance": str(ledger.to_decimal(ledger.read_balance(context.tx, wallet.book))) if shown else None,
        "pending": str(ledger.to_decimal(pending)) if shown else None,
    }


def format_transaction(context: AgentContext, payment: SandboxPayment) -> Json:
    return {
        "id": payment.id,
        "task_id": None if context.world.json_answers == "unlinked" else payment.task_id,
        "status": payment.status,
        "amount": str(payment.amount),
        "currency": payment.currency,
        "payee": identify_payee(accounts.load_payee(context.tx, payment.payee_id)),
        "memo": payment.description,
        "created": to_datetime(payment.created).isoformat(),
    }
