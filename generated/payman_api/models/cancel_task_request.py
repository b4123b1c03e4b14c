from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.task_id_params import TaskIdParams


T = TypeVar("T", bound="CancelTaskRequest")


@_attrs_define
class CancelTaskRequest:
    """The body of `cancel_task`.

    Attributes:
        jsonrpc (Literal['2.0']):  Default: '2.0'.
        id (str): The request's id, made by the client (`req-<uuid4>`).
        method (Literal['tasks/cancel']):  Default: 'tasks/cancel'.
        params (TaskIdParams): Which task is meant.
    """

    id: str
    params: TaskIdParams
    jsonrpc: Literal["2.0"] = "2.0"
    method: Literal["tasks/cancel"] = "tasks/cancel"
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        jsonrpc = self.jsonrpc

        id = self.id

        method = self.method

        params = self.params.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "jsonrpc": jsonrpc,
                "id": id,
                "method": method,
                "params": params,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.task_id_params import TaskIdParams  # noqa: PLC0415

        d = dict(src_dict)
        jsonrpc = cast(Literal["2.0"], d.pop("jsonrpc"))
        if jsonrpc != "2.0":
            raise ValueError(f"jsonrpc must match const '2.0', got '{jsonrpc}'")

        id = d.pop("id")

        method = cast(Literal["tasks/cancel"], d.pop("method"))
        if method != "tasks/cancel":
            raise ValueError(f"method must match const 'tasks/cancel', got '{method}'")

        params = TaskIdParams.from_dict(d.pop("params"))

        cancel_task_request = cls(
            jsonrpc=jsonrpc,
            id=id,
            method=method,
            params=params,
        )

        cancel_task_request.additional_properties = d
        return cancel_task_request

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
