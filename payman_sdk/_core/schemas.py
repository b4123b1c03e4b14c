"""JSON Schemas of the objects that typed calls ask the agent for [P]."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

Schema: TypeAlias = dict[str, Any]

_TEXT: Final[Schema] = {"type": ["string", "null"]}


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": sorted(properties)}


def _describe(description: str, **schema: Any) -> Schema:
    return {"description": description, **schema}


_PAYEE_IDENTITY = _object(name=_TEXT, id=_TEXT, email=_TEXT, paytag=_TEXT)

PAYMENT: Final[Schema] = _object(
    status=_describe(
        "What really happened: paid only if the payment was made; refused if a limit, the balance, an unknown payee or "
        "a person stopped it",
        enum=["paid", "awaiting_approval", "refused", "failed"],
    ),
    payment_id=_describe("The id of the payment or transaction, null if there is none", **_TEXT),
    amount=_describe("The amount that was or would be paid, as digits such as 10.00", type="string"),
    currency=_describe("Its code", type="string"),
    payee=_describe("The payee as it is stored, null for what it lacks", **_PAYEE_IDENTITY),
    reason=_describe("Why it is not paid; null if it is paid", **_TEXT),
)
"""The outcome of a payment."""

_PAYEE = _object(
    name={"type": "string"},
    id=_TEXT,
    type=_describe("TEST_RAILS, US_ACH, CRYPTO_ADDRESS or PAYMAN_WALLET", **_TEXT),
    email=_TEXT,
    paytag=_TEXT,
)

CREATED_PAYEE: Final[Schema] = _object(
    status=_describe(
        "created; exists if the same payee was there before; refused if there is none now",
        enum=["created", "exists", "refused"],
    ),
    payee=_describe("The payee as it is stored; null if refused", anyOf=[_PAYEE, {"type": "null"}]),
    reason=_describe("Why it was refused; null otherwise", **_TEXT),
)
"""The outcome of creating a payee."""

_WALLET = _object(
    id=_TEXT,
    name=_TEXT,
    currency={"type": "string"},
    paytag=_TEXT,
    balance=_describe("What can be spent, as digits; null if you may not say", **_TEXT),
    pending=_describe("What is pending, as digits; null if you may not say", **_TEXT),
)

_TRANSACTION = _object(
    id=_TEXT,
    task_id=_describe("The id of the A2A task (tsk-…) that ordered it, null if you do not know it", **_TEXT),
    status=_describe("INITIATED, AWAITING_APPROVAL, REJECTED or another word of yours", type="string"),
    amount=_describe("Above zero, as digits", type="string"),
    currency={"type": "string"},
    payee=_describe("null for a deposit", anyOf=[_PAYEE_IDENTITY, {"type": "null"}]),
    memo=_TEXT,
    created=_describe("ISO 8601 with a time zone; null if you do not know it", **_TEXT),
)


def listing(name: str, item: Schema) -> Schema:
    """Return the schema of a list with a name, or of the reason why there is none."""
    several = _describe("null only if you may not or cannot list them", type=["array", "null"], items=item)
    return _object(**{name: several}, error=_describe("Why the list is missing; null otherwise", **_TEXT))


WALLETS: Final = listing("wallets", _WALLET)
PAYEES: Final = listing("payees", _PAYEE)
TRANSACTIONS: Final = listing("transactions", _TRANSACTION)
