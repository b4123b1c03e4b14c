from __future__ import annotations

from typing import Any

from .._base import OpenModel


class Metadata(OpenModel[Any]):
    """Whatever either side wants to note. The live server notes `timestamp`, `agentId` (`ai-…`) and
    `orgId` (`org-…`) on its tasks.
    """

    __match_args__ = ()
    __slots__ = __match_args__

    def __init__(self) -> None:
        self.additional_properties = {}
