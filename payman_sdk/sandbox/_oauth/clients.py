"""Confidential clients, which have a secret, and public ones; their redirect URIs, and how they are connected.

Usable redirect URIs are https, http to this machine, and an app's own scheme (RFC 8252); never with a fragment (RFC 6749, section
3.1.2).
"""

import base64
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote_plus, urlencode, urlsplit

from payman_sdk._url import is_loopback, read_host
from payman_sdk.sandbox._ledger.environment import SandboxEnvironment
from payman_sdk.sandbox._ledger.store import Transaction
from payman_sdk.sandbox._oauth import grants
from payman_sdk.sandbox._oauth.grants import Scopes

# RFC 6749, sections 4.1.2.1 and 5.2, allows no others in a description.
_UNSPEAKABLE = re.compile(r"[^\x20-\x21\x23-\x5b\x5d-\x7e]")


class OAuthError(Exception):
    """An error of RFC 6749, sections 4.1.2.1 and 5.2; `status` is that of its HTTP answer."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        description = _UNSPEAKABLE.sub("?", description)
        super().__init__(f"{error}: {description}")
        self.error, self.description, self.status = error, description, status


class ReuseError(OAuthError):
    """A single-use code or token came a second time. Its grant is revoked, and that must be saved."""


@dataclass(frozen=True)
class Client:
    """A client that is registered; a public one has no secret."""

    id: str
    is_public: bool


def find(tx: Transaction, client_id: str) -> Client | None:
    row = tx.execute("SELECT id, secret IS NULL AS public FROM clients WHERE id = ?", (client_id,)).fetchone()
    return None if row is None else Client(row["id"], bool(row["public"]))


def find_first(tx: Transaction) -> tuple[str, str] | None:
    row = tx.execute(
        "SELECT id, secret FROM clients WHERE secret IS NOT NULL ORDER BY rowid LIMIT 1"
    ).fetchone()
    return None if row is None else (row["id"], row["secret"])


def register_redirects(tx: Transaction, client_id: str, uris: Iterable[str]) -> None:
    """Replace the redirect URIs of a client; with none, it may use any usable one. Raises ValueError."""
    if find(tx, client_id) is None:
        raise ValueError(f"redirect_uris: unknown client {client_id}")
    tx.execute("DELETE FROM redirect_uris WHERE client_id = ?", (client_id,))
    for uri in dict.fromkeys([uris] if isinstance(uris, str) else uris):
        try:
            check_redirect(uri)
        except ValueError as unusable:
            raise ValueError(f"redirect_uris of {client_id}: {unusable}") from None
        tx.execute("INSERT INTO redirect_uris VALUES (?, ?)", (client_id, uri))


def list_redirects(tx: Transaction, client_id: str) -> list[str]:
    rows = tx.execute("SELECT uri FROM redirect_uris WHERE client_id = ? ORDER BY rowid", (client_id,))
    return [row["uri"] for row in rows]


def authenticate(tx: Transaction, authorization: str | None, client_id: str | None) -> Client:
    """Return who asks: by Basic, or, without a header, the public client that is named; raises OAuthError."""
    if authorization:
        client = Client(_authenticate_basic(tx, authorization), is_public=False)
        if client_id not in (None, client.id):
            raise OAuthError("invalid_request", "client_id is not the client of the Authorization header")
        return client
    named = None if client_id is None else find(tx, client_id)
    if named is None or not named.is_public:
        raise OAuthError(
            "invalid_client",
            "an Authorization header with the client's id and secret is missing; "
            "only a public client sends its client_id alone",
            401,
        )
    return named


def _authenticate_basic(tx: Transaction, authorization: str) -> str:
    refusal = OAuthError("invalid_client", "the client is unknown or its secret is wrong", status=401)
    scheme, _, encoded = authorization.partition(" ")
    try:
        client_id, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except ValueError:
        raise refusal from None
    if scheme.casefold() != "basic" or not colon:
        raise refusal
    # RFC 6749, section 2.3.1, has both parts form-encoded; most clients leave them as they are.
    for name, key in ((client_id, secret), (unquote_plus(client_id), unquote_plus(secret))):
        row = tx.execute("SELECT secret FROM clients WHERE id = ?", (name,)).fetchone()
        known = None if row is None else row["secret"]
        # Compared in any case, so that an unknown client takes as long as a wrong secret.
        same = hmac.compare_digest(key.encode(), (known or "").encode())
        if known is not None and same:
            return name
    raise refusal


_LONGEST = 2000
# The characters of RFC 3986, of which none can break out of a header.
_CHARACTERS = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=%]+")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:.")
# No app's own, but the browser's: some run or show what is in the URI.
_BROWSERS = frozenset(
    "about blob chrome data file filesystem ftp ftps intent javascript jar mailto resource tel vbscript view-source ws wss".split()  # noqa: SIM905 (words read better as words)
)
_HOST = re.compile(r"[A-Za-z0-9.\-]+")


def check_redirect(uri: str) -> None:
    """Refuse a redirect URI that no browser should be sent to with a code; raises ValueError."""
    if len(uri) > _LONGEST:
        raise ValueError(f"redirect_uri is longer than {_LONGEST} characters")
    if "#" in uri:
        raise ValueError("redirect_uri has a fragment; leave out the # and what follows it")
    if not _CHARACTERS.fullmatch(uri) or not _SCHEME.match(uri):
        raise ValueError("redirect_uri is not an absolute URI such as https://shop.example/back")
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        raise ValueError("redirect_uri has no proper host and port") from None
    if parts.username is not None or parts.password is not None:
        raise ValueError("redirect_uri has a user in it; leave out the @ and what is before it")
    match parts.scheme:
        case "https" if read_host(parts):
            return
        case "http" if is_loopback(read_host(parts)):
            return
        case "http":
            raise ValueError("redirect_uri is plain http; use https, or http to 127.0.0.1, ::1 or localhost")
        case "https" | "localhost":
            raise ValueError("redirect_uri has no scheme or no host; write it as https://shop.example/back")
        case scheme if scheme in _BROWSERS:
            raise ValueError(
                f"redirect_uri cannot begin with {scheme}: use https or a scheme of the app's own"
            )
        case _:
            return


def is_registered_redirect(uri: str, registered: Iterable[str]) -> bool:
    """Return whether it is a registered one: the same, or, to this machine, the same but for the port (RFC 8252)."""
    return any(
        uri == own or (_strip_port(uri) is not None and _strip_port(uri) == _strip_port(own))
        for own in registered
    )


def add_parameters(uri: str, parameters: Mapping[str, str]) -> str:
    joint = "?" if "?" not in uri else "" if uri.endswith(("?", "&")) else "&"
    return f"{uri}{joint}{urlencode(parameters)}"


def format_origin(uri: str) -> str:
    """Where it leads, for people to read: scheme, host and port, or an app's scheme."""
    parts = urlsplit(uri)
    if parts.scheme not in ("http", "https") or parts.hostname is None:
        return f"{parts.scheme}:"
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{'' if parts.port is None else f':{parts.port}'}"


def format_csp_source(uri: str) -> str:
    """Return its target as a source of a Content-Security-Policy, which has no IPv6 addresses."""
    parts = urlsplit(uri)
    if parts.scheme in ("http", "https") and _HOST.fullmatch(parts.hostname or ""):
        return format_origin(uri)
    return f"{parts.scheme}:"


def _strip_port(uri: str) -> tuple[str | None, str, str] | None:
    parts = urlsplit(uri)
    if parts.scheme != "http" or not is_loopback(read_host(parts)):
        return None
    return parts.hostname, parts.path, parts.query


@dataclass(frozen=True)
class ClientAuthorization:
    """One way in which a client is connected: by consents of people, or by its own credentials (`by_credentials`).

    Each is revoked as a whole. A revoked consent can be given again; revoked credentials need to be allowed again.

    `scopes` are all that its tokens may allow, in the order of the API. `tokens` counts valid access and refresh tokens.
    `redirect_uris` are those of consents.
    """

    by_credentials: bool
    scopes: Scopes
    tokens: int
    redirect_uris: tuple[str, ...] = ()
    revoked: bool = False


def list_authorizations(
    tx: Transaction, world: SandboxEnvironment, client_id: str
) -> list[ClientAuthorization]:
    """Return the connections that have a valid token, and the credentials that were revoked."""
    rows = tx.execute(
        "SELECT g.by_credentials, g.scope, g.redirect_uri, COUNT(*) AS tokens FROM grants g "
        "JOIN tokens t ON t.grant_number = g.number WHERE g.client_id = ? AND NOT g.revoked AND NOT t.spent "
        "AND t.expires > ? AND t.kind <> 'code' GROUP BY g.by_credentials, g.scope, g.redirect_uri",
        (client_id, world.now()),
    ).fetchall()
    found: list[ClientAuthorization] = []
    for by_credentials in (False, True):
        several = [row for row in rows if bool(row["by_credentials"]) is by_credentials]
        revoked = by_credentials and is_barred(tx, client_id)
        if several or revoked:
            allowed = {scope for row in several for scope in grants.parse_scopes(row["scope"])}
            found.append(
                ClientAuthorization(
                    by_credentials,
                    tuple(scope for scope in grants.EVERY if scope in allowed),
                    sum(row["tokens"] for row in several),
                    tuple(sorted({row["redirect_uri"] for row in several if row["redirect_uri"]})),
                    revoked,
                )
            )
    return found


def revoke_authorization(tx: Transaction, client_id: str, *, by_credentials: bool) -> None:
    tx.execute(
        "UPDATE grants SET revoked = 1 WHERE client_id = ? AND by_credentials = ?",
        (client_id, by_credentials),
    )
    if by_credentials:
        tx.execute("UPDATE clients SET barred = 1 WHERE id = ?", (client_id,))


def allow_credentials(tx: Transaction, client_id: str) -> None:
    tx.execute("UPDATE clients SET barred = 0 WHERE id = ?", (client_id,))


def is_barred(tx: Transaction, client_id: str) -> bool:
    """Whether the client's own credentials are good for nothing."""
    return bool(tx.execute("SELECT barred FROM clients WHERE id = ?", (client_id,)).fetchone()["barred"])
