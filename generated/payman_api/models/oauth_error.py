from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, cast

from ..types import UNSET, Model, Unset


class OAuthError(Model):
    """Why there is no token (RFC 6749, 5.2).

    Attributes:
        error (str): A code, such as `invalid_client`, `invalid_grant` or `unsupported_grant_type`.
        error_description (None | str | Unset): What a developer should know about it.
        error_uri (None | str | Unset): A page about it.
    """

    __slots__ = (
        "error",
        "error_description",
        "error_uri",
        "additional_properties",
    )
    __match_args__ = (
        "error",
        "error_description",
        "error_uri",
    )

    error: str
    error_description: None | str | Unset
    error_uri: None | str | Unset
    additional_properties: dict[str, Any]

    def __init__(
        self,
        error: str,
        error_description: None | str | Unset = UNSET,
        error_uri: None | str | Unset = UNSET,
    ) -> None:
        self.error = error
        self.error_description = error_description
        self.error_uri = error_uri
        self.additional_properties = {}

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        error = self.error

        error_description: None | str | Unset = self.error_description

        error_uri: None | str | Unset = self.error_uri

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict["error"] = error
        if error_description is not UNSET:
            field_dict["error_description"] = error_description
        if error_uri is not UNSET:
            field_dict["error_uri"] = error_uri

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """Read it from what JSON has.

        Raises:
            AttributeError, KeyError, TypeError, ValueError: It is not as the spec has it.
        """
        if isinstance(src_dict, (list, str)):
            raise TypeError(f"OAuthError must be an object, got {type(src_dict).__name__}")
        d = dict(src_dict)
        error = d.pop("error")
        if not isinstance(error, str):
            raise TypeError(f"error must be str, got {type(error).__name__}")

        _error_description = d.pop("error_description", UNSET)
        if isinstance(_error_description, dict | list):
            raise TypeError(f"error_description must be None | str, got {type(_error_description).__name__}")
        error_description = cast("None | str | Unset", _error_description)

        _error_uri = d.pop("error_uri", UNSET)
        if isinstance(_error_uri, dict | list):
            raise TypeError(f"error_uri must be None | str, got {type(_error_uri).__name__}")
        error_uri = cast("None | str | Unset", _error_uri)

        oauth_error = cls(
            error=error,
            error_description=error_description,
            error_uri=error_uri,
        )
        oauth_error.additional_properties = d
        return oauth_error

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
