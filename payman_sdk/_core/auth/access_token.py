"""An access token on a client's clock, and whose it is."""

from __future__ import annotations

from typing import NamedTuple, NotRequired, TypedDict

from payman_sdk._annotations import support_pydantic
from payman_sdk._core.auth.grants import Application
from payman_sdk._secrets import SecretStr


class AccessToken(NamedTuple):
    """An access token on this client's clock."""

    value: SecretStr
    lifetime: float
    expires_at: float


class TokenOwner(NamedTuple):
    """Whose token it is, and what gets the next one.

    Args:
        application: Who asks for tokens.
        base_url: The server that issues them.
        has_own_account: Whether the application acts for itself, so that its own credentials get a token. A person's
            token is never replaced by the application's: that would spend from another account.
    """

    application: Application
    base_url: str
    has_own_account: bool

    @property
    def name(self) -> str:
        """The owner as stores write it down."""
        acting = "" if self.has_own_account else " for a person"
        return f"{self.application.client_id}{acting} at {self.base_url}"


class TokenInfo(TypedDict):
    """A token, as `with_token` takes it and `get_access_token` gives it."""

    # The API's spelling.
    accessToken: str
    """What opens the API."""
    expiresIn: int
    """Seconds it still lives."""
    refreshToken: NotRequired[str]
    """What gets the next one."""


support_pydantic(TokenInfo)


def is_read_only(scope: str | None) -> bool:
    """Return whether a token of these scopes can only read; False where they are not known, or one of them is not.

    Example:
        >>> from payman_sdk._core.auth.access_token import is_read_only
        >>> is_read_only("read_balance,read_list_wallets"), is_read_only("read_balance write_send_payment"), is_read_only(None)
        (True, False, False)
    """
    from payman_api.models.scope import Scope

    reading = {one.value for one in Scope if one.value.startswith("read_")}
    names = (scope or "").replace(",", " ").split()
    return bool(names) and reading.issuperset(names)
