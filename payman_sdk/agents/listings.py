"""Read wallets, payees and transactions by typed calls, and list them for a model in few words."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from payman_sdk._core.effects import Flow, Invoke
from payman_sdk._core.listings import sanitize_line
from payman_sdk._core.payment_types import Payee, Transaction, Wallet
from payman_sdk.agents.confirmation import BlockedByHook, format_denial
from payman_sdk.agents.results import OperationResult, frame_words
from payman_sdk.errors import ConfigurationError, PaymanError

Item: TypeAlias = Mapping[str, str | None]

_MOST = 50
"""Items that a model is shown."""
_MOST_CHARACTERS = 6000
"""Characters of a list that a model is shown; the newest or first items stay."""


def describe_wallet(wallet: Wallet) -> Item:
    """Return what a model is shown of a wallet."""
    return _clean(
        id=wallet.id, name=wallet.name, currency=wallet.currency, paytag=wallet.paytag,
        balance=wallet.balance, pending=wallet.pending,
    )  # fmt: skip


def describe_payee(payee: Payee) -> Item:
    """Return what a model is shown of a payee."""
    return _clean(id=payee.id, name=payee.name, type=payee.type, email=payee.email, paytag=payee.paytag)


def describe_transaction(one: Transaction) -> Item:
    """Return what a model is shown of a transaction."""
    return _clean(
        id=one.id, outcome=one.outcome.value, amount=one.amount, currency=one.currency,
        payee=one.payee and (one.payee.name or one.payee.id), memo=one.memo,
        created=one.created and one.created.isoformat(),
    )  # fmt: skip


def list_items(read: Callable[[], Any], describe: Callable[[Any], Item], what: str) -> Flow[OperationResult]:
    """Return a flow that reads a list.

    Args:
        read: The typed call of a client.
        describe: Returns what a model is shown of an item.
        what: What the items are.
    """
    try:
        found: Sequence[Any] = yield Invoke(read)
    except BlockedByHook as withheld:
        return OperationResult(f"Refused, nothing was sent: {format_denial(withheld.__cause__)}", "refused")
    except ConfigurationError:
        raise
    except PaymanError as error:
        said = frame_words(error.message, "The error says")
        return OperationResult(f"The {what} could not be read.\n\n{said}", "failed", None, error.task_id)
    return describe_items([describe(one) for one in found], f"{len(found)} {what}")


def describe_items(items: Sequence[Item], headline: str) -> OperationResult:
    """Return a result with items: as text for a model, in the frame of others' words, and as dicts for a program."""
    lines: list[str] = []
    length = 0
    for item in items[:_MOST]:
        line = json.dumps(
            {name: value for name, value in item.items() if value is not None}, ensure_ascii=False
        )
        length += len(line)
        if length > _MOST_CHARACTERS:
            break
        lines.append(line)
    kept = tuple(items[: len(lines)])
    left = f", of which {len(kept)} are shown" if len(kept) < len(items) else ""
    framed = frame_words("\n".join(lines), "Payman lists", max_length=2 * _MOST_CHARACTERS)
    text = f"{headline}{left}." + (f"\n\n{framed}" if framed else "")
    return OperationResult(text, "completed", items=kept)


def _clean(**members: Any) -> Item:
    """Return the members as strings of one line in which nothing hides."""
    return {name: None if value is None else sanitize_line(str(value)) for name, value in members.items()}
