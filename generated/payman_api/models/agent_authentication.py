from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, cast

from ..types import UNSET, Model, Unset


class AgentAuthentication(Model):
    """How a client makes itself known.

    Attributes:
        schemes (list[str] | None | Unset):
        credentials (None | str | Unset):
    """

    __slots__ = (
        "schemes",
        "credentials",
        "additional_properties",
    )
    __match_args__ = (
        "schemes",
        "credentials",
    )
    _hidden = (
        "credentials",
        "additional_properties",
    )

    schemes: list[str] | None | Unset
    credentials: None | str | Unset
    additional_properties: dict[str, Any]

    def __init__(
        self,
        schemes: list[str] | None | Unset = UNSET,
        credentials: None | str | Unset = UNSET,
    ) -> None:
        self.schemes = schemes
        self.credentials = credentials
        self.additional_properties = {}

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        schemes: list[str] | None | Unset
        if isinstance(self.schemes, Unset):
            schemes = UNSET
        elif isinstance(self.schemes, list):
            schemes = self.schemes

        else:
            schemes = self.schemes

        credentials: None | str | Unset = self.credentials

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        if schemes is not UNSET:
            field_dict["schemes"] = schemes
        if credentials is not UNSET:
            field_dict["credentials"] = credentials

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """Read it from what JSON has.

        Raises:
            AttributeError, KeyError, TypeError, ValueError: It is not as the spec has it.
        """
        if isinstance(src_dict, (list, str)):
            raise TypeError(f"AgentAuthentication must be an object, got {type(src_dict).__name__}")
        d = dict(src_dict)

        def _parse_schemes(data: object) -> list[str] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            if isinstance(data, list):
                schemes_type_0 = cast(list[str], data)

                return schemes_type_0
            raise TypeError(f"schemes must be list[str] | None, got {type(data).__name__}")

        schemes = _parse_schemes(d.pop("schemes", UNSET))

        _credentials = d.pop("credentials", UNSET)
        if isinstance(_credentials, dict | list):
            raise TypeError(f"credentials must be None | str, got {type(_credentials).__name__}")
        credentials = cast("None | str | Unset", _credentials)

        agent_authentication = cls(
            schemes=schemes,
            credentials=credentials,
        )
        agent_authentication.additional_properties = d
        return agent_authentication

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
