from __future__ import annotations

from typing import Any

from .._base import OpenModel
from ..types import UNSET, Unset


class JsonRpcError(OpenModel[Any]):
    """Why there is no result. The codes: -32700 parse error, -32600 invalid request, -32601 method not
    found, -32602 invalid params, -32603 internal error,
    -32001 task not found, -32002 task cannot be canceled, -32003 push notifications not supported,
    -32004 unsupported operation. Other servers have other codes.

    Attributes:
        code: What kind of error it is.
        message: What a developer should know about it.
        data: More about it, of any kind.
    """

    __match_args__ = ("code", "message", "data")
    __slots__ = __match_args__

    code: int
    message: str | None | Unset
    data: Any | Unset

    def __init__(self, code: int, message: str | None | Unset = UNSET, data: Any | Unset = UNSET) -> None:
        self.code = code
        self.message = message
        self.data = data
        self.additional_properties = {}
