from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from .._base import OpenModel

if TYPE_CHECKING:
    from .task_id_params import TaskIdParams


class CancelTaskRequest(OpenModel[Any]):
    """The body of `cancel_task`.

    Attributes:
        id: The request's id, made by the client (`req-<uuid4>`).
        params: Which task is meant.
    """

    __match_args__ = ("id", "params", "jsonrpc", "method")
    __slots__ = __match_args__

    id: str
    params: TaskIdParams
    jsonrpc: Literal["2.0"]
    method: Literal["tasks/cancel"]

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
