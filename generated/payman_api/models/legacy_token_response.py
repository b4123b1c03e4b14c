from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, cast

from ..types import UNSET, Model, Unset


class LegacyTokenResponse(Model):
    """An access token, in the spelling of RFC 6749, which version 1.0.2 of the Python client read.

    Attributes:
        access_token (str): What every call to the agent carries.
        token_type (None | str | Unset): How the token is used.
        expires_in (int | None | Unset): How long the token is good, in seconds.
        scope (None | str | Unset): What the token allows.
        refresh_token (None | str | Unset): Gets the next token.
    """

    __slots__ = (
        "access_token",
        "token_type",
        "expires_in",
        "scope",
        "refresh_token",
        "additional_properties",
    )
    __match_args__ = (
        "access_token",
        "token_type",
        "expires_in",
        "scope",
        "refresh_token",
    )
    _hidden = (
        "access_token",
        "refresh_token",
        "additional_properties",
    )

    access_token: str
    token_type: None | str | Unset
    expires_in: int | None | Unset
    scope: None | str | Unset
    refresh_token: None | str | Unset
    additional_properties: dict[str, Any]

    def __init__(
        self,
        access_token: str,
        token_type: None | str | Unset = UNSET,
        expires_in: int | None | Unset = UNSET,
        scope: None | str | Unset = UNSET,
        refresh_token: None | str | Unset = UNSET,
    ) -> None:
        self.access_token = access_token
        self.token_type = token_type
        self.expires_in = expires_in
        self.scope = scope
        self.refresh_token = refresh_token
        self.additional_properties = {}

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        access_token = self.access_token

        token_type: None | str | Unset = self.token_type

        expires_in: int | None | Unset = self.expires_in

        scope: None | str | Unset = self.scope

        refresh_token: None | str | Unset = self.refresh_token

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict["access_token"] = access_token
        if token_type is not UNSET:
            field_dict["token_type"] = token_type
        if expires_in is not UNSET:
            field_dict["expires_in"] = expires_in
        if scope is not UNSET:
            field_dict["scope"] = scope
        if refresh_token is not UNSET:
            field_dict["refresh_token"] = refresh_token

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """Read it from what JSON has.

        Raises:
            AttributeError, KeyError, TypeError, ValueError: It is not as the spec has it.
        """
        if isinstance(src_dict, (list, str)):
            raise TypeError(f"LegacyTokenResponse must be an object, got {type(src_dict).__name__}")
        d = dict(src_dict)
        access_token = d.pop("access_token")
        if not isinstance(access_token, str):
            raise TypeError(f"access_token must be str, got {type(access_token).__name__}")

        _token_type = d.pop("token_type", UNSET)
        if isinstance(_token_type, dict | list):
            raise TypeError(f"token_type must be None | str, got {type(_token_type).__name__}")
        token_type = cast("None | str | Unset", _token_type)

        _expires_in = d.pop("expires_in", UNSET)
        if isinstance(_expires_in, dict | list):
            raise TypeError(f"expires_in must be int | None, got {type(_expires_in).__name__}")
        expires_in = cast("int | None | Unset", _expires_in)

        _scope = d.pop("scope", UNSET)
        if isinstance(_scope, dict | list):
            raise TypeError(f"scope must be None | str, got {type(_scope).__name__}")
        scope = cast("None | str | Unset", _scope)

        _refresh_token = d.pop("refresh_token", UNSET)
        if isinstance(_refresh_token, dict | list):
            raise TypeError(f"refresh_token must be None | str, got {type(_refresh_token).__name__}")
        refresh_token = cast("None | str | Unset", _refresh_token)

        legacy_token_response = cls(
            access_token=access_token,
            token_type=token_type,
            expires_in=expires_in,
            scope=scope,
            refresh_token=refresh_token,
        )
        legacy_token_response.additional_properties = d
        return legacy_token_response

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
