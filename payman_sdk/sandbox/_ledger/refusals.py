"""Why a payment is not made."""

from __future__ import annotations


class RefusedError(Exception):
    """The payment is not made; the text says why, as the end of a sentence."""


class InsufficientFundsError(RefusedError):
    """There is less in the wallet than is to be paid."""


class LimitError(RefusedError):
    """The wallet's policy forbids the payment."""
