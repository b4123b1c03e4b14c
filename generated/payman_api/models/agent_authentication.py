from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="AgentAuthentication")


@_attrs_define
class AgentAuthentication:
    """How a client makes itself known.

    Attributes:
        schemes (list[str] | None | Unset):
        credentials (None | str | Unset):
    """

    schemes: list[str] | None | Unset = UNSET
    credentials: None | str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        schemes: list[str] | None | Unset
        if isinstance(self.schemes, Unset):
            schemes = UNSET
        elif isinstance(self.schemes, list):
            schemes = self.schemes

        else:
            schemes = self.schemes

        credentials: None | str | Unset
        if isinstance(self.credentials, Unset):
            credentials = UNSET
        else:
            credentials = self.credentials

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if schemes is not UNSET:
            field_dict["schemes"] = schemes
        if credentials is not UNSET:
            field_dict["credentials"] = credentials

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)

        def _parse_schemes(data: object) -> list[str] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            if isinstance(data, list):
                schemes_type_0 = cast(list[str], data)

                return schemes_type_0
            raise TypeError(f"schemes fits no member of list[str] | None: {type(data).__name__}")

        schemes = _parse_schemes(d.pop("schemes", UNSET))

        def _parse_credentials(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            if isinstance(data, dict | list):
                raise TypeError(f"credentials fits no member of None | str: {type(data).__name__}")
            return cast(None | str | Unset, data)

        credentials = _parse_credentials(d.pop("credentials", UNSET))

        agent_authentication = cls(
            schemes=schemes,
            credentials=credentials,
        )

        agent_authentication.additional_properties = d
        return agent_authentication

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
