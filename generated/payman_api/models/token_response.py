from __future__ import annotations

from typing import Any

from .._base import OpenModel
from ..types import UNSET, Unset


class TokenResponse(OpenModel[Any]):
    """An access token, as the server answers today.

    Attributes:
        access_token: What every call to the agent carries.
        token_type: How the token is used. The agent's endpoints have a header of their own for it,
            whatever this says.
        expires_in: How long the token is good, in seconds.
        scope: What the token allows, scopes joined by commas.
        refresh_token: Gets the next token. One in the answer to a refresh replaces the one that was
            used; if there is none, the old one stays good.
    """

    __match_args__ = ("access_token", "token_type", "expires_in", "scope", "refresh_token")
    __slots__ = __match_args__
    _hidden = ("access_token", "refresh_token", "additional_properties")
    _wire = {
        "access_token": "accessToken",
        "token_type": "tokenType",
        "expires_in": "expiresIn",
        "refresh_token": "refreshToken",
    }

    access_token: str
    token_type: str | None | Unset
    expires_in: int | None | Unset
    scope: str | None | Unset
    refresh_token: str | None | Unset

    def __init__(
        self,
        access_token: str,
        token_type: str | None | Unset = UNSET,
        expires_in: int | None | Unset = UNSET,
        scope: str | None | Unset = UNSET,
        refresh_token: str | None | Unset = UNSET,
    ) -> None:
        self.access_token = access_token
        self.token_type = token_type
        self.expires_in = expires_in
        self.scope = scope
        self.refresh_token = refresh_token
        self.additional_properties = {}
