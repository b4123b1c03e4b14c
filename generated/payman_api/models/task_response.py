from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, cast

from .. import models
from ..types import UNSET, Model, Unset

if TYPE_CHECKING:
    from ..models.json_rpc_error import JsonRpcError
    from ..models.task import Task


class TaskResponse(Model):
    """A JSON-RPC answer. It has a result or an error; the other is null or absent.

    Attributes:
        jsonrpc (None | str | Unset): Always `2.0`.
        id (int | None | str | Unset): The id of the request.
        result (None | Task | Unset):
        error (JsonRpcError | None | Unset):
    """

    __slots__ = (
        "jsonrpc",
        "id",
        "result",
        "error",
        "additional_properties",
    )
    __match_args__ = (
        "jsonrpc",
        "id",
        "result",
        "error",
    )

    jsonrpc: None | str | Unset
    id: int | None | str | Unset
    result: None | Task | Unset
    error: JsonRpcError | None | Unset
    additional_properties: dict[str, Any]

    def __init__(
        self,
        jsonrpc: None | str | Unset = UNSET,
        id: int | None | str | Unset = UNSET,
        result: None | Task | Unset = UNSET,
        error: JsonRpcError | None | Unset = UNSET,
    ) -> None:
        self.jsonrpc = jsonrpc
        self.id = id
        self.result = result
        self.error = error
        self.additional_properties = {}

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        if not TYPE_CHECKING:
            JsonRpcError = models.JsonRpcError
            Task = models.Task

        jsonrpc: None | str | Unset = self.jsonrpc

        id: int | None | str | Unset = self.id

        result: dict[str, Any] | None | Unset
        if isinstance(self.result, Unset):
            result = UNSET
        elif isinstance(self.result, Task):
            result = self.result.to_dict()
        else:
            result = self.result

        error: dict[str, Any] | None | Unset
        if isinstance(self.error, Unset):
            error = UNSET
        elif isinstance(self.error, JsonRpcError):
            error = self.error.to_dict()
        else:
            error = self.error

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        if jsonrpc is not UNSET:
            field_dict["jsonrpc"] = jsonrpc
        if id is not UNSET:
            field_dict["id"] = id
        if result is not UNSET:
            field_dict["result"] = result
        if error is not UNSET:
            field_dict["error"] = error

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """Read it from what JSON has.

        Raises:
            AttributeError, KeyError, TypeError, ValueError: It is not as the spec has it.
        """
        if not TYPE_CHECKING:
            JsonRpcError = models.JsonRpcError
            Task = models.Task

        if isinstance(src_dict, (list, str)):
            raise TypeError(f"TaskResponse must be an object, got {type(src_dict).__name__}")
        d = dict(src_dict)
        _jsonrpc = d.pop("jsonrpc", UNSET)
        if isinstance(_jsonrpc, dict | list):
            raise TypeError(f"jsonrpc must be None | str, got {type(_jsonrpc).__name__}")
        jsonrpc = cast("None | str | Unset", _jsonrpc)

        _id = d.pop("id", UNSET)
        if isinstance(_id, dict | list):
            raise TypeError(f"id must be int | None | str, got {type(_id).__name__}")
        id = cast("int | None | str | Unset", _id)

        def _parse_result(data: object) -> None | Task | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            if isinstance(data, dict):
                result_type_0 = Task.from_dict(data)

                return result_type_0
            raise TypeError(f"result must be None | Task, got {type(data).__name__}")

        result = _parse_result(d.pop("result", UNSET))

        def _parse_error(data: object) -> JsonRpcError | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            if isinstance(data, dict):
                error_type_0 = JsonRpcError.from_dict(data)

                return error_type_0
            raise TypeError(f"error must be JsonRpcError | None, got {type(data).__name__}")

        error = _parse_error(d.pop("error", UNSET))

        task_response = cls(
            jsonrpc=jsonrpc,
            id=id,
            result=result,
            error=error,
        )
        task_response.additional_properties = d
        return task_response

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
