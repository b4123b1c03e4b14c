"""The authorization page: its address, and the answer that it sends to the redirect URI.

A person allows an application to act for their account [D]. `state` ties the answer to the request. PKCE (RFC 7636) ties the code
to the requester; Payman may ignore it [P].
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from attrs import field, frozen

from payman_api import AUTHORIZATION_SERVER
from payman_api.api.oauth import authorize
from payman_api.models import Scope
from payman_sdk._config import choose_http_hosts
from payman_sdk._refusals import describe_type, refuse
from payman_sdk._secrets import SecretStr
from payman_sdk._text.error_response import shorten
from payman_sdk._url import find_url_problem, is_loopback, read_host
from payman_sdk.errors import AuthenticationError

__all__ = ["AuthorizationRequest", "Scope", "authorization_url", "parse_redirect"]


@frozen(kw_only=True)
class AuthorizationRequest:
    """An authorization request for a person, and the values to keep until the answer arrives.

    Args:
        url: The address for the person's browser.
        state: For `parse_redirect`. Keep it in the person's session.
        code_verifier: For `with_auth_code`. Keep it secret, in the person's session.
        redirect_uri: The address of the answer, for `with_auth_code`.
    """

    url: str = field(repr=False)  # the state is in it
    state: str = field(repr=False)
    code_verifier: str = field(repr=False)
    redirect_uri: str


def authorization_url(
    client_id: str,
    redirect_uri: str,
    scopes: Iterable[Scope | str],
    *,
    state: str | None = None,
    server: str = AUTHORIZATION_SERVER,
    allow_http_hosts: Sequence[str] | None = None,
) -> AuthorizationRequest:
    """Return the address of the page on which a person allows the application to act for them.

    Args:
        client_id: The application's id.
        redirect_uri: The address for the answer: https, http to this machine, or an application's own scheme.
        scopes: The scopes to request; see `Scope`.
        state: Your own value instead of a random one. Nobody must be able to guess it.
        server: Another server of the page, such as a sandbox's `base_url`.
        allow_http_hosts: Hosts that `server` may be over plain http, beside this machine; those of PAYMAN_ALLOW_HTTP_HOSTS
            by default.

    Raises:
        ConfigurationError: An argument is missing or unusable.

    Example:
        >>> from payman_sdk import Scope, authorization_url
        >>> request = authorization_url("pm-test-1", "https://shop.example/back", [Scope.READ_BALANCE], state="s")
        >>> request.url.split("&")[0]
        'https://app.paymanai.com/oauth/authorize?response_type=code'
    """
    if not isinstance(client_id, str) or not client_id.strip():
        refuse("client_id", "is missing or blank", "Give the application's id.")
    fix = f"Leave it out, or give an address such as {AUTHORIZATION_SERVER}."
    if problem := find_url_problem(server, choose_http_hosts(allow_http_hosts), fix):
        refuse("server", *problem)
    state = secrets.token_urlsafe(32) if state is None else state
    if not isinstance(state, str) or not state or not state.isprintable():
        refuse("state", "is blank or not a string", "Leave it out; a random one is made.")
    code_verifier = SecretStr(secrets.token_urlsafe(48))
    digest = hashlib.sha256(code_verifier.reveal().encode("ascii")).digest()
    request = authorize.build_request(
        client_id=client_id,
        redirect_uri=_check_redirect(redirect_uri),
        scope=",".join(_check_scopes(scopes)),
        state=state,
        code_challenge=base64.urlsafe_b64encode(digest).decode("ascii").rstrip("="),
        code_challenge_method="S256",
    )
    params: dict[str, Any] = request["params"]
    return AuthorizationRequest(
        url=f"{server.rstrip('/')}{request['url']}?{urlencode(params, safe=',')}",
        state=state,
        code_verifier=code_verifier.reveal(),
        redirect_uri=redirect_uri,
    )


def parse_redirect(url: str, *, state: str) -> str:
    """Return the authorization code in the address of the redirect.

    Args:
        url: The requested address, or its path and query.
        state: The `state` of the `AuthorizationRequest`.

    Raises:
        ConfigurationError: `url` or `state` is not a string.
        AuthenticationError: The person or the server refused (`error`, `error_description`), or `state` does not match.

    Example:
        >>> from payman_sdk import parse_redirect
        >>> parse_redirect("https://shop.example/back?code=abc&state=s", state="s")
        'abc'
    """
    if not isinstance(state, str) or not state:
        refuse("state", "is missing or blank", "Give that of the AuthorizationRequest.")
    kind = "" if isinstance(url, str) else describe_type(url)
    url, given = SecretStr(), {} if kind else _read_parameters(url)
    if kind:
        refuse("url", f"is {kind}", "Give a string, such as str(request.url).")
    # In constant time, and before anything else in the answer is believed.
    if not hmac.compare_digest(SecretStr(given.get("state", "")).reveal().encode(), state.encode()):
        raise _build_answer_error("belongs to another request: its state differs from the one that was sent")
    if "error" in given:
        error = given["error"].reveal()
        description = SecretStr(given.get("error_description", "")).reveal() or None
        failure = AuthenticationError(
            f"The authorization was refused: {shorten(description or error)}.",
            next_step="Ask the person again.",
        )
        failure.error, failure.error_description = error, description
        raise failure
    if not given.get("code"):
        raise _build_answer_error("holds no code")
    return given["code"].reveal()


def _build_answer_error(problem: str) -> AuthenticationError:
    message = f"The answer of the authorization page {problem}."
    return AuthenticationError(message, next_step="Send the person to a new authorization_url.")


def _read_parameters(url: str) -> dict[str, SecretStr]:
    """Return the parameters that are there once; one that is there twice is as good as none."""
    try:
        query = parse_qs(urlsplit(url).query, keep_blank_values=True)
    except ValueError:
        query = {}
    return {name: SecretStr(values[0]) for name, values in query.items() if len(values) == 1}


def _check_redirect(uri: object) -> str:
    try:
        parts = urlsplit(uri if isinstance(uri, str) and uri.isprintable() and uri.encode() else "")
    except ValueError:
        parts = urlsplit("")
    if not isinstance(uri, str) or not parts.scheme or parts.scheme in _OF_BROWSERS or parts.fragment:
        fix = "Give one such as https://shop.example/back."
        refuse("redirect_uri", "must be an absolute address without a fragment", fix)
    if parts.scheme == "http" and not is_loopback(read_host(parts)):
        fix = "Use https; http is for this machine only."
        refuse("redirect_uri", "would send the code over plain http", fix)
    return uri


_OF_BROWSERS = frozenset({"javascript", "data", "file", "blob", "about", "vbscript"})
"""Schemes that a browser carries out itself."""


def _check_scopes(scopes: Iterable[Scope | str]) -> list[str]:
    if not isinstance(scopes, Iterable):
        refuse("scopes", f"is {describe_type(scopes)}", "Give a list; see Scope.")
    given = [str(scope) for scope in ([scopes] if isinstance(scopes, str) else scopes)]
    if not given:
        refuse("scopes", "is empty", "Ask for at least one; see Scope.")
    if any(not scope or "," in scope or not scope.isprintable() or " " in scope for scope in given):
        refuse("scopes", "holds something that is not a scope", f"Give a list of {', '.join(Scope)}.")
    return given
