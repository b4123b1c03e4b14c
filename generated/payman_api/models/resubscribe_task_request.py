from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from .._base import OpenModel

if TYPE_CHECKING:
    from .task_query_params import TaskQueryParams


class ResubscribeTaskRequest(OpenModel[Any]):
    """The body of `resubscribe_task`.

    Attributes:
        id: The request's id, made by the client (`req-<uuid4>`).
        params: Which task is meant, and how much of its history.
    """

    __match_args__ = ("id", "params", "jsonrpc", "method")
    __slots__ = __match_args__

    id: str
    params: TaskQueryParams
    jsonrpc: Literal["2.0"]
    method: Literal["tasks/resubscribe"]

    def __init__(
        self,
        id: str,
        params: TaskQueryParams,
        jsonrpc: Literal["2.0"] = "2.0",
        method: Literal["tasks/resubscribe"] = "tasks/resubscribe",
    ) -> None:
        self.id = id
        self.params = params
        self.jsonrpc = jsonrpc
        self.method = method
        self.additional_properties = {}
