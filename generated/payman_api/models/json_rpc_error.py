from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, cast

from ..types import UNSET, Model, Unset


class JsonRpcError(Model):
    """Why there is no result. The codes: -32700 parse error, -32600 invalid request, -32601 method not
    found, -32602 invalid params, -32603 internal error,
    -32001 task not found, -32002 task cannot be canceled, -32003 push notifications not supported,
    -32004 unsupported operation. Other servers have other codes.

    Attributes:
        code (int): What kind of error it is.
        message (None | str | Unset): What a developer should know about it.
        data (Any | Unset): More about it, of any kind.
    """

    __slots__ = (
        "code",
        "message",
        "data",
        "additional_properties",
    )
    __match_args__ = (
        "code",
        "message",
        "data",
    )

    code: int
    message: None | str | Unset
    data: Any | Unset
    additional_properties: dict[str, Any]

    def __init__(
        self,
        code: int,
        message: None | str | Unset = UNSET,
        data: Any | Unset = UNSET,
    ) -> None:
        self.code = code
        self.message = message
        self.data = data
        self.additional_properties = {}

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        code = self.code

        message: None | str | Unset = self.message

        data = self.data

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict["code"] = code
        if message is not UNSET:
            field_dict["message"] = message
        if data is not UNSET:
            field_dict["data"] = data

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """Read it from what JSON has.

        Raises:
            AttributeError, KeyError, TypeError, ValueError: It is not as the spec has it.
        """
        if isinstance(src_dict, (list, str)):
            raise TypeError(f"JsonRpcError must be an object, got {type(src_dict).__name__}")
        d = dict(src_dict)
        code = d.pop("code")
        if not isinstance(code, int):
            raise TypeError(f"code must be int, got {type(code).__name__}")

        _message = d.pop("message", UNSET)
        if isinstance(_message, dict | list):
            raise TypeError(f"message must be None | str, got {type(_message).__name__}")
        message = cast("None | str | Unset", _message)

        data = d.pop("data", UNSET)

        json_rpc_error = cls(
            code=code,
            message=message,
            data=data,
        )
        json_rpc_error.additional_properties = d
        return json_rpc_error

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
