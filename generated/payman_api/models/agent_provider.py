from __future__ import annotations

from typing import Any

from .._base import OpenModel
from ..types import UNSET, Unset


class AgentProvider(OpenModel[Any]):
    """Who runs the agent."""

    __match_args__ = ("organization", "url")
    __slots__ = __match_args__

    organization: str | None | Unset
    url: str | None | Unset

    def __init__(self, organization: str | None | Unset = UNSET, url: str | None | Unset = UNSET) -> None:
        self.organization = organization
        self.url = url
        self.additional_properties = {}
