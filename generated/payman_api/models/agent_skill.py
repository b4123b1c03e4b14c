from __future__ import annotations

from typing import Any

from .._base import OpenModel
from ..types import UNSET, Unset


class AgentSkill(OpenModel[Any]):
    """Something the agent is good at.

    Attributes:
        examples: What one might ask.
    """

    __match_args__ = ("id", "name", "description", "tags", "examples", "input_modes", "output_modes")
    __slots__ = __match_args__
    _wire = {"input_modes": "inputModes", "output_modes": "outputModes"}

    id: str
    name: str
    description: str | None | Unset
    tags: list[str] | None | Unset
    examples: list[str] | None | Unset
    input_modes: list[str] | None | Unset
    output_modes: list[str] | None | Unset

    def __init__(
        self,
        id: str,
        name: str,
        description: str | None | Unset = UNSET,
        tags: list[str] | None | Unset = UNSET,
        examples: list[str] | None | Unset = UNSET,
        input_modes: list[str] | None | Unset = UNSET,
        output_modes: list[str] | None | Unset = UNSET,
    ) -> None:
        self.id = id
        self.name = name
        self.description = description
        self.tags = tags
        self.examples = examples
        self.input_modes = input_modes
        self.output_modes = output_modes
        self.additional_properties = {}
