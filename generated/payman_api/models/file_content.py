from __future__ import annotations

from typing import Any

from .._base import OpenModel
from ..types import UNSET, Unset


class FileContent(OpenModel[Any]):
    """A file, by its bytes or by where it is.

    Attributes:
        name: The file's name.
        mime_type: Its media type.
        bytes_: Its content in base64. Either this or `uri`.
        uri: Where it is. Either this or `bytes`.
    """

    __match_args__ = ("name", "mime_type", "bytes_", "uri")
    __slots__ = __match_args__
    _wire = {"mime_type": "mimeType", "bytes_": "bytes"}

    name: str | None | Unset
    mime_type: str | None | Unset
    bytes_: str | None | Unset
    uri: str | None | Unset

    def __init__(
        self,
        name: str | None | Unset = UNSET,
        mime_type: str | None | Unset = UNSET,
        bytes_: str | None | Unset = UNSET,
        uri: str | None | Unset = UNSET,
    ) -> None:
        self.name = name
        self.mime_type = mime_type
        self.bytes_ = bytes_
        self.uri = uri
        self.additional_properties = {}
