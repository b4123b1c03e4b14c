from __future__ import annotations

from typing import Any

from .._base import OpenModel
from ..types import UNSET, Unset


class OAuthError(OpenModel[Any]):
    """Why there is no token (RFC 6749, 5.2).

    Attributes:
        error: A code, such as `invalid_client`, `invalid_grant` or `unsupported_grant_type`.
        error_description: What a developer should know about it.
        error_uri: A page about it.
    """

    __match_args__ = ("error", "error_description", "error_uri")
    __slots__ = __match_args__

    error: str
    error_description: str | None | Unset
    error_uri: str | None | Unset

    def __init__(
        self, error: str, error_description: str | None | Unset = UNSET, error_uri: str | None | Unset = UNSET
    ) -> None:
        self.error = error
        self.error_description = error_description
        self.error_uri = error_uri
        self.additional_properties = {}
