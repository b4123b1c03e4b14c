from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.agent_authentication import AgentAuthentication
    from ..models.agent_capabilities import AgentCapabilities
    from ..models.agent_provider import AgentProvider
    from ..models.agent_skill import AgentSkill


T = TypeVar("T", bound="AgentCard")


@_attrs_define
class AgentCard:
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

    name: str
    url: str
    description: None | str | Unset = UNSET
    provider: AgentProvider | None | Unset = UNSET
    version: None | str | Unset = UNSET
    documentation_url: None | str | Unset = UNSET
    capabilities: AgentCapabilities | None | Unset = UNSET
    authentication: AgentAuthentication | None | Unset = UNSET
    default_input_modes: list[str] | None | Unset = UNSET
    default_output_modes: list[str] | None | Unset = UNSET
    skills: list[AgentSkill] | None | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.agent_authentication import AgentAuthentication  # noqa: PLC0415
        from ..models.agent_capabilities import AgentCapabilities  # noqa: PLC0415
        from ..models.agent_provider import AgentProvider  # noqa: PLC0415

        name = self.name

        url = self.url

        description: None | str | Unset
        if isinstance(self.description, Unset):
            description = UNSET
        else:
            description = self.description

        provider: dict[str, Any] | None | Unset
        if isinstance(self.provider, Unset):
            provider = UNSET
        elif isinstance(self.provider, AgentProvider):
            provider = self.provider.to_dict()
        else:
            provider = self.provider

        version: None | str | Unset
        if isinstance(self.version, Unset):
            version = UNSET
        else:
            version = self.version

        documentation_url: None | str | Unset
        if isinstance(self.documentation_url, Unset):
            documentation_url = UNSET
        else:
            documentation_url = self.documentation_url

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
        field_dict.update(
            {
                "name": name,
                "url": url,
            }
        )
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
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.agent_authentication import AgentAuthentication  # noqa: PLC0415
        from ..models.agent_capabilities import AgentCapabilities  # noqa: PLC0415
        from ..models.agent_provider import AgentProvider  # noqa: PLC0415
        from ..models.agent_skill import AgentSkill  # noqa: PLC0415

        d = dict(src_dict)
        name = d.pop("name")

        url = d.pop("url")

        def _parse_description(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            if isinstance(data, dict | list):
                raise TypeError(f"description fits no member of None | str: {type(data).__name__}")
            return cast(None | str | Unset, data)

        description = _parse_description(d.pop("description", UNSET))

        def _parse_provider(data: object) -> AgentProvider | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            if isinstance(data, dict):
                provider_type_0 = AgentProvider.from_dict(data)

                return provider_type_0
            raise TypeError(f"provider fits no member of AgentProvider | None: {type(data).__name__}")

        provider = _parse_provider(d.pop("provider", UNSET))

        def _parse_version(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            if isinstance(data, dict | list):
                raise TypeError(f"version fits no member of None | str: {type(data).__name__}")
            return cast(None | str | Unset, data)

        version = _parse_version(d.pop("version", UNSET))

        def _parse_documentation_url(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            if isinstance(data, dict | list):
                raise TypeError(f"documentationUrl fits no member of None | str: {type(data).__name__}")
            return cast(None | str | Unset, data)

        documentation_url = _parse_documentation_url(d.pop("documentationUrl", UNSET))

        def _parse_capabilities(data: object) -> AgentCapabilities | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            if isinstance(data, dict):
                capabilities_type_0 = AgentCapabilities.from_dict(data)

                return capabilities_type_0
            raise TypeError(f"capabilities fits no member of AgentCapabilities | None: {type(data).__name__}")

        capabilities = _parse_capabilities(d.pop("capabilities", UNSET))

        def _parse_authentication(data: object) -> AgentAuthentication | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            if isinstance(data, dict):
                authentication_type_0 = AgentAuthentication.from_dict(data)

                return authentication_type_0
            raise TypeError(
                f"authentication fits no member of AgentAuthentication | None: {type(data).__name__}"
            )

        authentication = _parse_authentication(d.pop("authentication", UNSET))

        def _parse_default_input_modes(data: object) -> list[str] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            if isinstance(data, list):
                default_input_modes_type_0 = cast(list[str], data)

                return default_input_modes_type_0
            raise TypeError(f"defaultInputModes fits no member of list[str] | None: {type(data).__name__}")

        default_input_modes = _parse_default_input_modes(d.pop("defaultInputModes", UNSET))

        def _parse_default_output_modes(data: object) -> list[str] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            if isinstance(data, list):
                default_output_modes_type_0 = cast(list[str], data)

                return default_output_modes_type_0
            raise TypeError(f"defaultOutputModes fits no member of list[str] | None: {type(data).__name__}")

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
            raise TypeError(f"skills fits no member of list[AgentSkill] | None: {type(data).__name__}")

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
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
