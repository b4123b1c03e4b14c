"""How well the agent writes JSON: as a careful one, or with one of the faults of language models."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from payman_sdk.sandbox._agent.agent import AgentAnswer

_CHATTER = "Sure, here is what you asked for:\n\n```json\n{}\n```\n\nLet me know if there is anything else!"
_INVENTED = "txn-00000000-0000-4000-8000-000000000000"


def write(manner: str, shape: Mapping[str, Any], prose: str, *, is_payment: bool) -> AgentAnswer:
    """Answer with an object as the agent's manner has it.

    Args:
        manner: one of `JsonAnswers`.
        shape: the object, which is true.
        prose: the same in words.
        is_payment: whether it is about a payment; only then is anything in it changed.
    """
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
