"""What the agent says, in markdown: wallets, payees, payments and policies as people read them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence

from payman_sdk.sandbox._ledger.accounts import PayeeAccount, Policy
from payman_sdk.sandbox._ledger.ledger import to_decimal
from payman_sdk.sandbox._ledger.payments import Payment

_STATUS = {"INITIATED": "initiated", "AWAITING_APPROVAL": "awaiting approval", "REJECTED": "rejected"}


def escape(text: str) -> str:
    """Somebody's words, so that markdown shows them as they are."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(text.split()))


def format_money(minor: int, currency: str) -> str:
    """Return an amount in minor units, such as `1,000.00 TSD`."""
    return f"{to_decimal(minor):,} {currency}"


def format_amount(payment: Payment) -> str:
    """Return what a payment is about, such as `100.00 TSD`."""
    return f"{payment.amount:,} {payment.currency}"


def format_moment(nanoseconds: int) -> str:
    """Return a time to the minute, in UTC."""
    return f"{dt.datetime.fromtimestamp(nanoseconds // 1_000_000_000, dt.UTC):%Y-%m-%d %H:%M} UTC"


def format_payee(one: PayeeAccount) -> str:
    """Return a payee on one line."""
    email = f", {escape(one.email)}" if one.email else ""
    return f"**{escape(one.name)}** ({one.kind.words}{email}) – id `{one.id}`, paytag `{one.paytag}`"


def format_payment(one: Payment) -> str:
    """Return a payment on one line."""
    about = f" – {escape(one.description)}" if one.description else ""
    return f"{format_moment(one.created)}: **{format_amount(one)}** to **{escape(one.payee)}**, {_STATUS[one.status]}{about} (`{one.id}`)"


def format_policy(one: Policy, currency: str) -> str:
    """Return a policy as a list."""
    return format_bullets(
        (
            f"Approval needed above: {format_money(one.approval_above, currency)}",
            f"At most per transaction: {format_money(one.most_per_transaction, currency)}",
            f"At most per day: {format_money(one.most_per_day, currency)}",
            f"At most per month: {format_money(one.most_per_month, currency)}",
        )
    )


def format_bullets(lines: Sequence[str]) -> str:
    """Return a list."""
    return "\n".join(f"- {line}" for line in lines)
