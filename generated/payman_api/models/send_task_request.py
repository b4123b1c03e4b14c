from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from .._base import OpenModel

if TYPE_CHECKING:
    from .task_send_params import TaskSendParams


class SendTaskRequest(OpenModel[Any]):
    """The body of `send_task`. Clients say `tasks/send`, as the protocol has it. Version 1.0.8 of the
    Python client wrote `tasks.send`, so a server accepts both.

    Attributes:
        id: The request's id, made by the client (`req-<uuid4>`).
        params: What is asked. Published clients send null for what they do not have.
    """

    __match_args__ = ("id", "params", "jsonrpc", "method")
    __slots__ = __match_args__

    id: str
    params: TaskSendParams
    jsonrpc: Literal["2.0"]
    method: Literal["tasks/send"]

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
