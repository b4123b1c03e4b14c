from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, cast

from ..types import UNSET, Model, Unset


class AgentProvider(Model):
    """Who runs the agent.

    Attributes:
        organization (None | str | Unset):
        url (None | str | Unset):
    """

    __slots__ = (
        "organization",
        "url",
        "additional_properties",
    )
    __match_args__ = (
        "organization",
        "url",
    )

    organization: None | str | Unset
    url: None | str | Unset
    additional_properties: dict[str, Any]

    def __init__(
        self,
        organization: None | str | Unset = UNSET,
        url: None | str | Unset = UNSET,
    ) -> None:
        self.organization = organization
        self.url = url
        self.additional_properties = {}

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        organization: None | str | Unset = self.organization

        url: None | str | Unset = self.url

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        if organization is not UNSET:
            field_dict["organization"] = organization
        if url is not UNSET:
            field_dict["url"] = url

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """Read it from what JSON has.

        Raises:
            AttributeError, KeyError, TypeError, ValueError: It is not as the spec has it.
        """
        if isinstance(src_dict, (list, str)):
            raise TypeError(f"AgentProvider must be an object, got {type(src_dict).__name__}")
        d = dict(src_dict)
        _organization = d.pop("organization", UNSET)
        if isinstance(_organization, dict | list):
            raise TypeError(f"organization must be None | str, got {type(_organization).__name__}")
        organization = cast("None | str | Unset", _organization)

        _url = d.pop("url", UNSET)
        if isinstance(_url, dict | list):
            raise TypeError(f"url must be None | str, got {type(_url).__name__}")
        url = cast("None | str | Unset", _url)

        agent_provider = cls(
            organization=organization,
            url=url,
        )
        agent_provider.additional_properties = d
        return agent_provider

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
