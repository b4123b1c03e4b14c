from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Self, cast

from .. import models
from ..types import Model

if TYPE_CHECKING:
    from ..models.task_id_params import TaskIdParams


class CancelTaskRequest(Model):
    """The body of `cancel_task`.

    Attributes:
        jsonrpc (Literal['2.0']):  Default: '2.0'.
        id (str): The request's id, made by the client (`req-<uuid4>`).
        method (Literal['tasks/cancel']):  Default: 'tasks/cancel'.
        params (TaskIdParams): Which task is meant.
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
    params: TaskIdParams
    jsonrpc: Literal["2.0"]
    method: Literal["tasks/cancel"]
    additional_properties: dict[str, Any]

    def __init__(
        self,
        id: str,
        params: TaskIdParams,
        jsonrpc: Literal["2.0"] = "2.0",
        method: Literal["tasks/cancel"] = "tasks/cancel",
    ) -> None:
        self.id = id
        self.params = params
        self.jsonrpc = jsonrpc
        self.method = method
        self.additional_properties = {}

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        if not TYPE_CHECKING:
            TaskIdParams = models.TaskIdParams

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
            TaskIdParams = models.TaskIdParams

        if isinstance(src_dict, (list, str)):
            raise TypeError(f"CancelTaskRequest must be an object, got {type(src_dict).__name__}")
        d = dict(src_dict)
        jsonrpc = cast(Literal["2.0"], d.pop("jsonrpc"))
        if jsonrpc != "2.0":
            raise ValueError(f"jsonrpc must match const '2.0', got '{jsonrpc}'")

        id = d.pop("id")
        if not isinstance(id, str):
            raise TypeError(f"id must be str, got {type(id).__name__}")

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
