from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Self, cast

from .. import models
from ..types import Model

if TYPE_CHECKING:
    from ..models.task_send_params import TaskSendParams


class SendTaskRequest(Model):
    """The body of `send_task`. Clients say `tasks/send`, as the protocol has it. Version 1.0.8 of the
    Python client wrote `tasks.send`, so a server accepts both.

    Attributes:
        jsonrpc (Literal['2.0']):  Default: '2.0'.
        id (str): The request's id, made by the client (`req-<uuid4>`).
        method (Literal['tasks/send']):  Default: 'tasks/send'.
        params (TaskSendParams): What is asked. Published clients send null for what they do not have.
    """

    __slots__ = (
        "id",
        "params",
        "jsonrpc",
        "method",
        "additional_properties",
    )
    __match_args__ = (
        "id",
        "params",
        "jsonrpc",
        "method",
    )

    id: str
    params: TaskSendParams
    jsonrpc: Literal["2.0"]
    method: Literal["tasks/send"]
    additional_properties: dict[str, Any]

    def __init__(
        self,
        id: str,
        params: TaskSendParams,
        jsonrpc: Literal["2.0"] = "2.0",
        method: Literal["tasks/send"] = "tasks/send",
    ) -> None:
        self.id = id
        self.params = params
        self.jsonrpc = jsonrpc
        self.method = method
        self.additional_properties = {}

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        if not TYPE_CHECKING:
            TaskSendParams = models.TaskSendParams

        jsonrpc = self.jsonrpc

        id = self.id

        method = self.method

        params = self.params.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict["jsonrpc"] = jsonrpc
        field_dict["id"] = id
        field_dict["method"] = method
        field_dict["params"] = params

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """Read it from what JSON has.

        Raises:
            AttributeError, KeyError, TypeError, ValueError: It is not as the spec has it.
        """
        if not TYPE_CHECKING:
            TaskSendParams = models.TaskSendParams

        if isinstance(src_dict, (list, str)):
            raise TypeError(f"SendTaskRequest must be an object, got {type(src_dict).__name__}")
        d = dict(src_dict)
        jsonrpc = cast(Literal["2.0"], d.pop("jsonrpc"))
        if jsonrpc != "2.0":
            raise ValueError(f"jsonrpc must match const '2.0', got '{jsonrpc}'")

        id = d.pop("id")
        if not isinstance(id, str):
            raise TypeError(f"id must be str, got {type(id).__name__}")

        method = cast(Literal["tasks/send"], d.pop("method"))
        if method != "tasks/send":
            raise ValueError(f"method must match const 'tasks/send', got '{method}'")

        params = TaskSendParams.from_dict(d.pop("params"))

        send_task_request = cls(
            jsonrpc=jsonrpc,
            id=id,
            method=method,
            params=params,
        )
        send_task_request.additional_properties = d
        return send_task_request

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
