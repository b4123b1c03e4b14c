from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, cast

from ..types import UNSET, Model, Unset


class DeletePayeeResponse(Model):
    """Whether a payee was deleted.

    Attributes:
        success (bool):
        message (None | str | Unset):
    """

    __slots__ = (
        "success",
        "message",
        "additional_properties",
    )
    __match_args__ = (
        "success",
        "message",
    )

    success: bool
    message: None | str | Unset
    additional_properties: dict[str, Any]

    def __init__(
        self,
        success: bool,
        message: None | str | Unset = UNSET,
    ) -> None:
        self.success = success
        self.message = message
        self.additional_properties = {}

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        success = self.success

        message: None | str | Unset = self.message

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict["success"] = success
        if message is not UNSET:
            field_dict["message"] = message

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """Read it from what JSON has.

        Raises:
            AttributeError, KeyError, TypeError, ValueError: It is not as the spec has it.
        """
        if isinstance(src_dict, (list, str)):
            raise TypeError(f"DeletePayeeResponse must be an object, got {type(src_dict).__name__}")
        d = dict(src_dict)
        success = d.pop("success")
        if not isinstance(success, bool):
            raise TypeError(f"success must be bool, got {type(success).__name__}")

        _message = d.pop("message", UNSET)
        if isinstance(_message, dict | list):
            raise TypeError(f"message must be None | str, got {type(_message).__name__}")
        message = cast("None | str | Unset", _message)

        delete_payee_response = cls(
            success=success,
            message=message,
        )
        delete_payee_response.additional_properties = d
        return delete_payee_response

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
