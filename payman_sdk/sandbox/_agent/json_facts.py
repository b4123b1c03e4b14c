"""Words that ask for JSON: what they mean is done, and what is known of it is put into the object that was asked for.

A member of the object is filled by its name, as a careful person would fill a form: `balance`, `currency`, `wallets`, `payee`,
`status` and the like. Where a member must be there and nothing is known by its name, the answer stays in words.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from payman_api.models.scope import Scope
from payman_sdk.sandbox._agent import agent, typed_orders
from payman_sdk.sandbox._agent.agent import AgentAnswer, AgentContext
from payman_sdk.sandbox._agent.json_answers import write
from payman_sdk.sandbox._ledger import payments

Json = dict[str, Any]

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
        shape = _fill(schema, schema, _facts(context, said.text))
    except (_UnknownError, RecursionError):
        return said
    if not isinstance(shape, dict):
        return said
    is_payment = {"status", "amount", "payee", "payment_id"} <= shape.keys()
    written = write(context.world.json_answers, cast("Json", shape), said.text, is_payment=is_payment)
    return AgentAnswer(written.text, said.waits, said.settlement, written.data, said.refusal)


def _read(text: str) -> Json | None:
    try:
        schema: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return cast("Json", schema) if isinstance(schema, dict) else None


def _facts(context: AgentContext, text: str) -> Json:
    """Return what is known, as far as the scopes of the token go."""
    facts: Json = {"text": text}
    if Scope.READ_LIST_TRANSACTIONS in context.scopes:
        facts["transactions"] = typed_orders.transaction_shapes(context, 20)
    if Scope.READ_LIST_PAYEES in context.scopes:
        facts["payees"] = typed_orders.payee_shapes(context)
    if Scope.READ_LIST_WALLETS in context.scopes:
        wallets = typed_orders.wallet_shapes(context)
        facts |= {**wallets[0], "wallets": wallets}
    payment = payments.find_by_task_number(context.tx, context.task_number)
    if payment is not None:
        facts |= typed_orders.payment_shape(context.tx, payment, text)
    return facts


def _fill(schema: Mapping[str, Any], root: Json, known: object) -> object:
    """Return what is known, in the form of a schema."""
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
