from __future__ import annotations

from typing import Any

from .._base import OpenModel
from ..types import UNSET, Unset


class AgentAuthentication(OpenModel[Any]):
    """How a client makes itself known."""

    __match_args__ = ("schemes", "credentials")
    __slots__ = __match_args__
    _hidden = ("credentials", "additional_properties")

    schemes: list[str] | None | Unset
    credentials: str | None | Unset

    def __init__(
        self, schemes: list[str] | None | Unset = UNSET, credentials: str | None | Unset = UNSET
    ) -> None:
        self.schemes = schemes
        self.credentials = credentials
        self.additional_properties = {}
