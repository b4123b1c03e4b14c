from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, cast

from ..models.error_code import ErrorCode
from ..types import UNSET, Model, Unset


class RestError(Model):
    """Why a request was not carried out.

    Attributes:
        status (int | None | str | Unset): The HTTP status once more.
        timestamp (None | str | Unset): When it happened. A plain string.
        error_code (ErrorCode | None | str | Unset): The kind of error, or a word that is not listed
            here.
        message (None | str | Unset): What a developer should know about it.
    """

    __slots__ = (
        "status",
        "timestamp",
        "error_code",
        "message",
        "additional_properties",
    )
    __match_args__ = (
        "status",
        "timestamp",
        "error_code",
        "message",
    )

    status: int | None | str | Unset
    timestamp: None | str | Unset
    error_code: ErrorCode | None | str | Unset
    message: None | str | Unset
    additional_properties: dict[str, Any]

    def __init__(
        self,
        status: int | None | str | Unset = UNSET,
        timestamp: None | str | Unset = UNSET,
        error_code: ErrorCode | None | str | Unset = UNSET,
        message: None | str | Unset = UNSET,
    ) -> None:
        self.status = status
        self.timestamp = timestamp
        self.error_code = error_code
        self.message = message
        self.additional_properties = {}

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        status: int | None | str | Unset = self.status

        timestamp: None | str | Unset = self.timestamp

        error_code: None | str | Unset
        if isinstance(self.error_code, Unset):
            error_code = UNSET
        elif isinstance(self.error_code, ErrorCode):
            error_code = self.error_code.value
        else:
            error_code = self.error_code

        message: None | str | Unset = self.message

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        if status is not UNSET:
            field_dict["status"] = status
        if timestamp is not UNSET:
            field_dict["timestamp"] = timestamp
        if error_code is not UNSET:
            field_dict["errorCode"] = error_code
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
            raise TypeError(f"RestError must be an object, got {type(src_dict).__name__}")
        d = dict(src_dict)
        _status = d.pop("status", UNSET)
        if isinstance(_status, dict | list):
            raise TypeError(f"status must be int | None | str, got {type(_status).__name__}")
        status = cast("int | None | str | Unset", _status)

        _timestamp = d.pop("timestamp", UNSET)
        if isinstance(_timestamp, dict | list):
            raise TypeError(f"timestamp must be None | str, got {type(_timestamp).__name__}")
        timestamp = cast("None | str | Unset", _timestamp)

        def _parse_error_code(data: object) -> ErrorCode | None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError
                error_code_type_0 = ErrorCode(data)

                return error_code_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            if isinstance(data, dict | list):
                raise TypeError(f"errorCode must be ErrorCode | None | str, got {type(data).__name__}")
            return cast("ErrorCode | None | str | Unset", data)

        error_code = _parse_error_code(d.pop("errorCode", UNSET))

        _message = d.pop("message", UNSET)
        if isinstance(_message, dict | list):
            raise TypeError(f"message must be None | str, got {type(_message).__name__}")
        message = cast("None | str | Unset", _message)

        rest_error = cls(
            status=status,
            timestamp=timestamp,
            error_code=error_code,
            message=message,
        )
        rest_error.additional_properties = d
        return rest_error

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
