from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.task_send_params import TaskSendParams


T = TypeVar("T", bound="SendTaskStreamingRequest")


@_attrs_define
class SendTaskStreamingRequest:
    """The body of `send_task_subscribe`.

    Attributes:
        jsonrpc (Literal['2.0']):  Default: '2.0'.
        id (str): The request's id, made by the client (`req-<uuid4>`).
        method (Literal['tasks/sendSubscribe']):  Default: 'tasks/sendSubscribe'.
        params (TaskSendParams): What is asked.
    """

    id: str
    params: TaskSendParams
    jsonrpc: Literal["2.0"] = "2.0"
    method: Literal["tasks/sendSubscribe"] = "tasks/sendSubscribe"
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
        from ..models.task_send_params import TaskSendParams  # noqa: PLC0415

        d = dict(src_dict)
        jsonrpc = cast(Literal["2.0"], d.pop("jsonrpc"))
        if jsonrpc != "2.0":
            raise ValueError(f"jsonrpc must match const '2.0', got '{jsonrpc}'")

        id = d.pop("id")

        method = cast(Literal["tasks/sendSubscribe"], d.pop("method"))
        if method != "tasks/sendSubscribe":
            raise ValueError(f"method must match const 'tasks/sendSubscribe', got '{method}'")

        params = TaskSendParams.from_dict(d.pop("params"))

        send_task_streaming_request = cls(
            jsonrpc=jsonrpc,
            id=id,
            method=method,
            params=params,
        )

        send_task_streaming_request.additional_properties = d
        return send_task_streaming_request

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
