from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, cast

from .. import models
from ..types import UNSET, Model, Unset

if TYPE_CHECKING:
    from ..models.agent_authentication import AgentAuthentication
    from ..models.agent_capabilities import AgentCapabilities
    from ..models.agent_provider import AgentProvider
    from ..models.agent_skill import AgentSkill


class AgentCard(Model):
    """What the agent says about itself.

    Attributes:
        name (str): What it is called.
        url (str): Where it is.
        description (None | str | Unset): What it is for.
        provider (AgentProvider | None | Unset):
        version (None | str | Unset):
        documentation_url (None | str | Unset):
        capabilities (AgentCapabilities | None | Unset):
        authentication (AgentAuthentication | None | Unset):
        default_input_modes (list[str] | None | Unset):
        default_output_modes (list[str] | None | Unset):
        skills (list[AgentSkill] | None | Unset):
    """

    __slots__ = (
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
        "additional_properties",
    )
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

    name: str
    url: str
    description: None | str | Unset
    provider: AgentProvider | None | Unset
    version: None | str | Unset
    documentation_url: None | str | Unset
    capabilities: AgentCapabilities | None | Unset
    authentication: AgentAuthentication | None | Unset
    default_input_modes: list[str] | None | Unset
    default_output_modes: list[str] | None | Unset
    skills: list[AgentSkill] | None | Unset
    additional_properties: dict[str, Any]

    def __init__(
        self,
        name: str,
        url: str,
        description: None | str | Unset = UNSET,
        provider: AgentProvider | None | Unset = UNSET,
        version: None | str | Unset = UNSET,
        documentation_url: None | str | Unset = UNSET,
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

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        if not TYPE_CHECKING:
            AgentAuthentication = models.AgentAuthentication
            AgentCapabilities = models.AgentCapabilities
            AgentProvider = models.AgentProvider
            AgentSkill = models.AgentSkill

        name = self.name

        url = self.url

        description: None | str | Unset = self.description

        provider: dict[str, Any] | None | Unset
        if isinstance(self.provider, Unset):
            provider = UNSET
        elif isinstance(self.provider, AgentProvider):
            provider = self.provider.to_dict()
        else:
            provider = self.provider

        version: None | str | Unset = self.version

        documentation_url: None | str | Unset = self.documentation_url

        capabilities: dict[str, Any] | None | Unset
        if isinstance(self.capabilities, Unset):
            capabilities = UNSET
        elif isinstance(self.capabilities, AgentCapabilities):
            capabilities = self.capabilities.to_dict()
        else:
            capabilities = self.capabilities

        authentication: dict[str, Any] | None | Unset
        if isinstance(self.authentication, Unset):
            authentication = UNSET
        elif isinstance(self.authentication, AgentAuthentication):
            authentication = self.authentication.to_dict()
        else:
            authentication = self.authentication

        default_input_modes: list[str] | None | Unset
        if isinstance(self.default_input_modes, Unset):
            default_input_modes = UNSET
        elif isinstance(self.default_input_modes, list):
            default_input_modes = self.default_input_modes

        else:
            default_input_modes = self.default_input_modes

        default_output_modes: list[str] | None | Unset
        if isinstance(self.default_output_modes, Unset):
            default_output_modes = UNSET
        elif isinstance(self.default_output_modes, list):
            default_output_modes = self.default_output_modes

        else:
            default_output_modes = self.default_output_modes

        skills: list[dict[str, Any]] | None | Unset
        if isinstance(self.skills, Unset):
            skills = UNSET
        elif isinstance(self.skills, list):
            skills = []
            for skills_type_0_item_data in self.skills:
                skills_type_0_item = skills_type_0_item_data.to_dict()
                skills.append(skills_type_0_item)

        else:
            skills = self.skills

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict["name"] = name
        field_dict["url"] = url
        if description is not UNSET:
            field_dict["description"] = description
        if provider is not UNSET:
            field_dict["provider"] = provider
        if version is not UNSET:
            field_dict["version"] = version
        if documentation_url is not UNSET:
            field_dict["documentationUrl"] = documentation_url
        if capabilities is not UNSET:
            field_dict["capabilities"] = capabilities
        if authentication is not UNSET:
            field_dict["authentication"] = authentication
        if default_input_modes is not UNSET:
            field_dict["defaultInputModes"] = default_input_modes
        if default_output_modes is not UNSET:
            field_dict["defaultOutputModes"] = default_output_modes
        if skills is not UNSET:
            field_dict["skills"] = skills

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """Read it from what JSON has.

        Raises:
            AttributeError, KeyError, TypeError, ValueError: It is not as the spec has it.
        """
        if not TYPE_CHECKING:
            AgentAuthentication = models.AgentAuthentication
            AgentCapabilities = models.AgentCapabilities
            AgentProvider = models.AgentProvider
            AgentSkill = models.AgentSkill

        if isinstance(src_dict, (list, str)):
            raise TypeError(f"AgentCard must be an object, got {type(src_dict).__name__}")
        d = dict(src_dict)
        name = d.pop("name")
        if not isinstance(name, str):
            raise TypeError(f"name must be str, got {type(name).__name__}")

        url = d.pop("url")
        if not isinstance(url, str):
            raise TypeError(f"url must be str, got {type(url).__name__}")

        _description = d.pop("description", UNSET)
        if isinstance(_description, dict | list):
            raise TypeError(f"description must be None | str, got {type(_description).__name__}")
        description = cast("None | str | Unset", _description)

        def _parse_provider(data: object) -> AgentProvider | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            if isinstance(data, dict):
                provider_type_0 = AgentProvider.from_dict(data)

                return provider_type_0
            raise TypeError(f"provider must be AgentProvider | None, got {type(data).__name__}")

        provider = _parse_provider(d.pop("provider", UNSET))

        _version = d.pop("version", UNSET)
        if isinstance(_version, dict | list):
            raise TypeError(f"version must be None | str, got {type(_version).__name__}")
        version = cast("None | str | Unset", _version)

        _documentation_url = d.pop("documentationUrl", UNSET)
        if isinstance(_documentation_url, dict | list):
            raise TypeError(f"documentationUrl must be None | str, got {type(_documentation_url).__name__}")
        documentation_url = cast("None | str | Unset", _documentation_url)

        def _parse_capabilities(data: object) -> AgentCapabilities | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            if isinstance(data, dict):
                capabilities_type_0 = AgentCapabilities.from_dict(data)

                return capabilities_type_0
            raise TypeError(f"capabilities must be AgentCapabilities | None, got {type(data).__name__}")

        capabilities = _parse_capabilities(d.pop("capabilities", UNSET))

        def _parse_authentication(data: object) -> AgentAuthentication | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            if isinstance(data, dict):
                authentication_type_0 = AgentAuthentication.from_dict(data)

                return authentication_type_0
            raise TypeError(f"authentication must be AgentAuthentication | None, got {type(data).__name__}")

        authentication = _parse_authentication(d.pop("authentication", UNSET))

        def _parse_default_input_modes(data: object) -> list[str] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            if isinstance(data, list):
                default_input_modes_type_0 = cast(list[str], data)

                return default_input_modes_type_0
            raise TypeError(f"defaultInputModes must be list[str] | None, got {type(data).__name__}")

        default_input_modes = _parse_default_input_modes(d.pop("defaultInputModes", UNSET))

        def _parse_default_output_modes(data: object) -> list[str] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            if isinstance(data, list):
                default_output_modes_type_0 = cast(list[str], data)

                return default_output_modes_type_0
            raise TypeError(f"defaultOutputModes must be list[str] | None, got {type(data).__name__}")

        default_output_modes = _parse_default_output_modes(d.pop("defaultOutputModes", UNSET))

        def _parse_skills(data: object) -> list[AgentSkill] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            if isinstance(data, list):
                skills_type_0 = []
                _skills_type_0 = data
                for skills_type_0_item_data in _skills_type_0:
                    skills_type_0_item = AgentSkill.from_dict(skills_type_0_item_data)

                    skills_type_0.append(skills_type_0_item)

                return skills_type_0
            raise TypeError(f"skills must be list[AgentSkill] | None, got {type(data).__name__}")

        skills = _parse_skills(d.pop("skills", UNSET))

        agent_card = cls(
            name=name,
            url=url,
            description=description,
            provider=provider,
            version=version,
            documentation_url=documentation_url,
            capabilities=capabilities,
            authentication=authentication,
            default_input_modes=default_input_modes,
            default_output_modes=default_output_modes,
            skills=skills,
        )
        agent_card.additional_properties = d
        return agent_card

    @property
    def additional_keys(self) -> list[str]:
        """The names of the members that the spec does not have."""
        return list(self.additional_properties)

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
