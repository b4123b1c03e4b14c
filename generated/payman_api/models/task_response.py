from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._base import OpenModel
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from .json_rpc_error import JsonRpcError
    from .task import Task


class TaskResponse(OpenModel[Any]):
    """A JSON-RPC answer. It has a result or an error; the other is null or absent.

    Attributes:
        jsonrpc: Always `2.0`.
        id: The id of the request.
    """

    __match_args__ = ("jsonrpc", "id", "result", "error")
    __slots__ = __match_args__

    jsonrpc: str | None | Unset
    id: str | int | None | Unset
    result: Task | None | Unset
    error: JsonRpcError | None | Unset

    def __init__(
        self,
        jsonrpc: str | None | Unset = UNSET,
        id: str | int | None | Unset = UNSET,
        result: Task | None | Unset = UNSET,
        error: JsonRpcError | None | Unset = UNSET,
    ) -> None:
        self.jsonrpc = jsonrpc
        self.id = id
        self.result = result
        self.error = error
        self.additional_properties = {}
