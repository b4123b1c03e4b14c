from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._base import OpenModel
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from .agent_authentication import AgentAuthentication
    from .agent_capabilities import AgentCapabilities
    from .agent_provider import AgentProvider
    from .agent_skill import AgentSkill


class AgentCard(OpenModel[Any]):
    """What the agent says about itself.

    Attributes:
        name: What it is called.
        url: Where it is.
        description: What it is for.
    """

    __match_args__ = (
        "name",
        "url",
        "description",
        "provider",
        "version",
        "documentation_url",
        "capabilities",
        "authentication",
        "default_input_modes",
        "default_output_modes",
        "skills",
    )
    __slots__ = __match_args__
    _wire = {
        "documentation_url": "documentationUrl",
        "default_input_modes": "defaultInputModes",
        "default_output_modes": "defaultOutputModes",
    }

    name: str
    url: str
    description: str | None | Unset
    provider: AgentProvider | None | Unset
    version: str | None | Unset
    documentation_url: str | None | Unset
    capabilities: AgentCapabilities | None | Unset
    authentication: AgentAuthentication | None | Unset
    default_input_modes: list[str] | None | Unset
    default_output_modes: list[str] | None | Unset
    skills: list[AgentSkill] | None | Unset

    def __init__(
        self,
        name: str,
        url: str,
        description: str | None | Unset = UNSET,
        provider: AgentProvider | None | Unset = UNSET,
        version: str | None | Unset = UNSET,
        documentation_url: str | None | Unset = UNSET,
        capabilities: AgentCapabilities | None | Unset = UNSET,
        authentication: AgentAuthentication | None | Unset = UNSET,
        default_input_modes: list[str] | None | Unset = UNSET,
        default_output_modes: list[str] | None | Unset = UNSET,
        skills: list[AgentSkill] | None | Unset = UNSET,
    ) -> None:
        self.name = name
        self.url = url
        self.description = description
        self.provider = provider
        self.version = version
        self.documentation_url = documentation_url
        self.capabilities = capabilities
        self.authentication = authentication
        self.default_input_modes = default_input_modes
        self.default_output_modes = default_output_modes
        self.skills = skills
        self.additional_properties = {}
