from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, cast

from ..types import UNSET, Model, Unset


class ErrorAnswer(Model):
    """The body of an answer with an error status. What servers put into it differs, and nothing in it is
    promised.

    Attributes:
        error (Any | Unset): A word, a sentence, or a JSON-RPC error.
        message (None | str | Unset): What went wrong.
    """

    __slots__ = (
        "error",
        "message",
        "additional_properties",
    )
    __match_args__ = (
        "error",
        "message",
    )

    error: Any | Unset
    message: None | str | Unset
    additional_properties: dict[str, Any]

    def __init__(
        self,
        error: Any | Unset = UNSET,
        message: None | str | Unset = UNSET,
    ) -> None:
        self.error = error
        self.message = message
        self.additional_properties = {}

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        error = self.error

        message: None | str | Unset = self.message

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        if error is not UNSET:
            field_dict["error"] = error
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
            raise TypeError(f"ErrorAnswer must be an object, got {type(src_dict).__name__}")
        d = dict(src_dict)
        error = d.pop("error", UNSET)

        _message = d.pop("message", UNSET)
        if isinstance(_message, dict | list):
            raise TypeError(f"message must be None | str, got {type(_message).__name__}")
        message = cast("None | str | Unset", _message)

        error_answer = cls(
            error=error,
            message=message,
        )
        error_answer.additional_properties = d
        return error_answer

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
