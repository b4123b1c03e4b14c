from __future__ import annotations

from typing import Any

from ..._base import OpenModel


class PaymentMetadata(OpenModel[Any]):
    """Whatever a program wants to keep with a payment."""

    __match_args__ = ()
    __slots__ = __match_args__

    def __init__(self) -> None:
        self.additional_properties = {}
