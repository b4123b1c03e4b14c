"""Who a client acts for: the application's own account, or a person who gave a token; and the tokens that follow from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from payman_sdk._annotations import NamedTuple
from payman_sdk._config import Config
from payman_sdk._refusals import describe_type, refuse
from payman_sdk._secrets import SecretStr

if TYPE_CHECKING:
    from payman_sdk._core.auth.grants import TokenOwner
    from payman_sdk._core.auth.stored_token import TokenStore

_CENTURY = 3.2e9
_EITHER = "Give accessToken and expiresIn (seconds), or refreshToken."


class InitialToken(NamedTuple):
    """A token that a client is given to begin with; `access_token` is None where there is only a refresh token."""

    access_token: SecretStr | None
    lifetime: float
    refresh_token: SecretStr | None
    scope: str | None = None


class Credentials(NamedTuple):
    """Who a client acts for.

    With `has_own_account`, the client credentials grant gets a token. `given` is a first token, for an empty store. Without a
    store, clients with the application's own account share one in this process. A client that acts for a person shares its token
    with nobody.
    """

    config: Config
    has_own_account: bool
    given: InitialToken | None = None
    store: TokenStore | None = None

    @property
    def owner(self) -> TokenOwner:
        """Whose tokens they are."""
        from payman_sdk._core.auth.grants import TokenOwner

        config = self.config
        return TokenOwner(config.client_id, config.client_secret, config.base_url, self.has_own_account)


def read_token_info(token_info: Mapping[str, Any] | None) -> InitialToken:
    """Return a token in camelCase or snake_case; raises ConfigurationError, which repeats no value."""
    if not isinstance(token_info, Mapping):
        refuse("token_info", f"is {describe_type(token_info)}", _EITHER)
    access_token = _read_text(token_info, "accessToken", "access_token")
    refresh_token = _read_text(token_info, "refreshToken", "refresh_token")
    seconds = _get_either(token_info, "expiresIn", "expires_in")
    if access_token is None and refresh_token is None:
        refuse("token_info", "holds no token", _EITHER)
    if access_token is None or (seconds is None and refresh_token is not None):
        return InitialToken(access_token=None, lifetime=0.0, refresh_token=refresh_token)
    if isinstance(seconds, str) and seconds.isdecimal() and len(seconds) < 10:
        seconds = int(SecretStr(seconds).reveal())
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < _CENTURY:
        problem = "is missing" if seconds is None else "is not a number of seconds"
        refuse("token_info's expiresIn", problem, _EITHER)
    scope = token_info.get("scope")
    # It was wrapped with the rest, and need not be secret.
    scope = SecretStr(scope).reveal() if isinstance(scope, str) else None
    return InitialToken(access_token, float(seconds), refresh_token, scope)


def check_code(auth_code: object) -> SecretStr:
    """Return an authorization code; raises ConfigurationError if it is missing, blank, or not text that can be sent."""
    if not isinstance(auth_code, str) or not auth_code.strip():
        refuse("auth_code", "is missing or blank", "Give the code that came to your redirect_uri.")
    if "://" in SecretStr(auth_code).reveal():
        refuse("auth_code", "is an address", "Give the code in it, which parse_redirect returns.")
    code: SecretStr = check_parameter(SecretStr(auth_code), "auth_code")
    return code


def check_parameter(value: Any, name: str) -> Any:
    """Return what goes along with a code, None for None; a secret stays one. Raises ConfigurationError."""
    if value is None:
        return None
    text = value.strip() if isinstance(value, str) else ""
    if not text or not value.isascii() or not text.isprintable():
        refuse(name, "cannot be sent as text", "Give it as it came, or leave it out.")
    return text


def _get_either(given: Mapping[str, Any], camel: str, snake: str) -> object:
    value = given.get(camel)
    return cast("object", given.get(snake) if value is None else value)


def _read_text(given: Mapping[str, Any], camel: str, snake: str) -> SecretStr | None:
    value = _get_either(given, camel, snake)
    if value is None:
        return None
    if not isinstance(value, str):
        refuse(f"token_info's {camel}", f"is {describe_type(value)}", "Give a string.")
    if not value.isascii() or not value.isprintable():
        refuse(f"token_info's {camel}", "cannot be sent in a header", "Check how it was stored.")
    return SecretStr(value.strip()) if value.strip() else None
