from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.json_rpc_error import JsonRpcError
    from ..models.task import Task


T = TypeVar("T", bound="TaskResponse")


@_attrs_define
class TaskResponse:
    """A JSON-RPC answer. It has a result or an error; the other is null or absent.

    Attributes:
        jsonrpc (None | str | Unset): Always `2.0`.
        id (int | None | str | Unset): The id of the request.
        result (None | Task | Unset):
        error (JsonRpcError | None | Unset):
    """

    jsonrpc: None | str | Unset = UNSET
    id: int | None | str | Unset = UNSET
    result: None | Task | Unset = UNSET
    error: JsonRpcError | None | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.json_rpc_error import JsonRpcError  # noqa: PLC0415
        from ..models.task import Task  # noqa: PLC0415

        jsonrpc: None | str | Unset
        if isinstance(self.jsonrpc, Unset):
            jsonrpc = UNSET
        else:
            jsonrpc = self.jsonrpc

        id: int | None | str | Unset
        if isinstance(self.id, Unset):
            id = UNSET
        else:
            id = self.id

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
        field_dict.update({})
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
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.json_rpc_error import JsonRpcError  # noqa: PLC0415
        from ..models.task import Task  # noqa: PLC0415

        d = dict(src_dict)

        def _parse_jsonrpc(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            if isinstance(data, dict | list):
                raise TypeError(f"jsonrpc fits no member of None | str: {type(data).__name__}")
            return cast(None | str | Unset, data)

        jsonrpc = _parse_jsonrpc(d.pop("jsonrpc", UNSET))

        def _parse_id(data: object) -> int | None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            if isinstance(data, dict | list):
                raise TypeError(f"id fits no member of int | None | str: {type(data).__name__}")
            return cast(int | None | str | Unset, data)

        id = _parse_id(d.pop("id", UNSET))

        def _parse_result(data: object) -> None | Task | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            if isinstance(data, dict):
                result_type_0 = Task.from_dict(data)

                return result_type_0
            raise TypeError(f"result fits no member of None | Task: {type(data).__name__}")

        result = _parse_result(d.pop("result", UNSET))

        def _parse_error(data: object) -> JsonRpcError | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            if isinstance(data, dict):
                error_type_0 = JsonRpcError.from_dict(data)

                return error_type_0
            raise TypeError(f"error fits no member of JsonRpcError | None: {type(data).__name__}")

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
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
