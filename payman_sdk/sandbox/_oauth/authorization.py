"""The authorization endpoint of OAuth 2.0: what a person is asked, and where the browser goes with the answer.

Nobody signs in: the person's account is that of the client. If a request does not prove where the answer may go, the server shows
an error page. Any other error goes to the redirect URI (RFC 6749, section 4.1.2.1). PKCE (S256) is optional for a client with a
secret, because Payman is not known to require it. Otherwise it is required: nothing else ties the code to the client (RFC 9700,
section 2.1.1).
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files

from payman_api import PATHS
from payman_sdk._text.sanitizer import sanitize
from payman_sdk.sandbox._ledger.store import Transaction
from payman_sdk.sandbox._oauth import clients
from payman_sdk.sandbox._oauth.clients import OAuthError
from payman_sdk.sandbox._oauth.grants import IN_WORDS, Scopes
from payman_sdk.sandbox._oauth.token_endpoint import parse_requested_scopes

_KNOWN = (
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
)
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


class UnanswerableError(Exception):
    """The request does not prove who asks and where the answer goes; the text is for the person who sees it."""


@dataclass(frozen=True)
class Redirect:
    """Where the browser is sent. The address may hold a code, and so is in no `repr`."""

    location: str

    def __repr__(self) -> str:
        return "Redirect(…)"


@dataclass(frozen=True)
class Question:
    """A client's request for scopes, and where the answer goes; the parameters are the known ones of the request."""

    client_id: str
    redirect_uri: str
    scopes: Scopes
    challenge: str | None
    parameters: Mapping[str, str]

    def make_redirect(self, **answer: str) -> Redirect:
        return _build_redirect(self.redirect_uri, self.parameters.get("state"), answer)


@dataclass(frozen=True)
class Consent:
    """A question to show, and the request and ticket that must come back with the answer.

    The request is form-encoded, because a form would change its line breaks.
    """

    question: Question
    request: str
    ticket: str


def parse_request(tx: Transaction, parameters: Sequence[tuple[str, str]]) -> Question | Redirect:
    """Return the question of a request, or the redirect that says what is wrong; raises UnanswerableError."""
    # RFC 6749, section 3.1: no parameter twice, one without a value is as good as none, unknown ones are ignored.
    said = [(name, value) for name, value in parameters if name in _KNOWN and value]
    given, names = dict(said), [name for name, _ in said]
    repeated = [name for name in given if names.count(name) > 1]
    for name in ("client_id", "redirect_uri"):
        if name in repeated:
            raise UnanswerableError(f"{name} is given more than once")
    client_id = given.get("client_id")
    client = None if client_id is None else clients.find(tx, client_id)
    if client_id is None or client is None:
        raise UnanswerableError(
            "client_id is missing" if client_id is None else "client_id is not known here"
        )
    redirect_uri = _choose_redirect_uri(given.get("redirect_uri"), clients.list_redirects(tx, client_id))
    try:
        if repeated:
            raise OAuthError("invalid_request", f"{repeated[0]} is given more than once")
        _check_response_type(given.get("response_type"))
        challenge = _check_challenge(given.get("code_challenge"), given.get("code_challenge_method"))
        if challenge is None and client.is_public:
            raise OAuthError(
                "invalid_request",
                "code_challenge is missing; a client without a secret must use PKCE (S256)",
            )
        asked = parse_requested_scopes(given.get("scope"))
        if asked is None:
            raise OAuthError("invalid_scope", "scope is missing; name what is asked for, joined by commas")
    except OAuthError as refusal:
        state = None if "state" in repeated else given.get("state")
        return _build_redirect(
            redirect_uri, state, {"error": refusal.error, "error_description": refusal.description}
        )
    return Question(client_id, redirect_uri, asked, challenge, given)


def sign_ticket(request: str, key: bytes, expires: int) -> str:
    """Return what only the page of this request has, so that no other page can answer in the person's name.

    It ends at a time in seconds since 1970.
    """
    return f"{expires}.{hmac.new(key, f'{expires}.{request}'.encode(), hashlib.sha256).hexdigest()}"


def is_valid_ticket(value: str, request: str, key: bytes, now: float) -> bool:
    expires = value.partition(".")[0]
    if not re.fullmatch(r"[0-9]{1,15}", expires) or int(expires) <= now:
        return False
    return hmac.compare_digest(value.encode(), sign_ticket(request, key, int(expires)).encode())


def _choose_redirect_uri(asked: str | None, registered: Sequence[str]) -> str:
    if asked is None:
        if len(registered) == 1:
            return registered[0]
        raise UnanswerableError("redirect_uri is missing")
    try:
        clients.check_redirect(asked)
    except ValueError as unusable:
        raise UnanswerableError(str(unusable)) from None
    if registered and not clients.is_registered_redirect(asked, registered):
        raise UnanswerableError("redirect_uri is not one that the application is registered with")
    return asked


def _check_response_type(asked: str | None) -> None:
    if asked is None:
        raise OAuthError("invalid_request", "response_type is missing; it must be code")
    if asked != "code":
        raise OAuthError("unsupported_response_type", f"response_type must be code, not {asked[:80]!r}")


def _check_challenge(challenge: str | None, method: str | None) -> str | None:
    if challenge is None:
        if method is not None:
            raise OAuthError("invalid_request", "code_challenge_method is there without a code_challenge")
        return None
    if method != "S256":
        # Without a method RFC 7636 means plain, which hides nothing.
        raise OAuthError("invalid_request", "code_challenge_method must be S256")
    if not is_challenge(challenge):
        raise OAuthError("invalid_request", "code_challenge is not the base64url of a SHA-256 digest")
    return challenge


def is_challenge(value: str) -> bool:
    """Whether it can be a challenge of S256: 43 characters of base64url."""
    return _CHALLENGE.fullmatch(value) is not None


def _build_redirect(redirect_uri: str, state: str | None, answer: Mapping[str, str]) -> Redirect:
    return Redirect(
        clients.add_parameters(redirect_uri, {**answer, **({} if state is None else {"state": state})})
    )


# The pages need neither scripts nor anything from elsewhere.

_LONGEST = 300
"""Characters of a name, and of what is wrong."""

_STYLE = files("payman_sdk.sandbox._web").joinpath("static", "page.css").read_text("utf-8")
_STYLE_SOURCE = f"'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"


def build_page_headers(question: Question | None = None) -> Mapping[str, str]:
    """Return the headers of a page; one with a question may send its form here, and on to the redirect URI."""
    # Browsers look at form-action again when the form's answer redirects.
    targets = "'none'" if question is None else f"'self' {clients.format_csp_source(question.redirect_uri)}"
    return {
        "Content-Security-Policy": (
            f"default-src 'none'; style-src {_STYLE_SOURCE}; form-action {targets}; "
            "frame-ancestors 'none'; base-uri 'none'"
        ),
        "X-Frame-Options": "DENY",  # for browsers that do not know frame-ancestors
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }


def render_consent_page(consent: Consent) -> str:
    question = consent.question
    client, target = (
        _escape_name(question.client_id),
        _escape_name(clients.format_origin(question.redirect_uri)),
    )
    asked = "\n".join(f"<li>{IN_WORDS[scope]} <code>{scope}</code></li>" for scope in question.scopes)
    return _render_document(
        "Allow access?",
        f"""<h1 id="question">Allow <b>{client}</b> to act for your account?</h1>
<p id="asked">It asks to:</p>
<ul aria-labelledby="asked">
{asked}
</ul>
<p>Either way you go on to <b>{target}</b>.</p>
<form method="post" action="{escape(PATHS["authorize"])}" aria-labelledby="question" class="decide">
<input type="hidden" name="request" value="{escape(consent.request)}">
<input type="hidden" name="ticket" value="{escape(consent.ticket)}">
<button type="submit" name="decision" value="deny">Deny</button>
<button type="submit" name="decision" value="allow" class="yes">Allow</button>
</form>
<p class="soft">This is a Payman sandbox: your account is the application's own, and its money exists nowhere else.</p>""",
    )


def render_error_page(reason: str) -> str:
    return _render_document(
        "This link does not work",
        f"""<h1>This link does not work</h1>
<p>What is wrong: {escape(sanitize(reason, one_line=True, max_length=_LONGEST))}.</p>
<p>Nothing was allowed. Go back to the application and try again. If that does not help, report it to the application's developers.</p>""",
    )


def _escape_name(name: str) -> str:
    """Return somebody's name, which can neither be markup nor turn the text around it."""
    return f"<bdi>{escape(sanitize(name, one_line=True, max_length=_LONGEST))}</bdi>"


def _render_document(title: str, content: str) -> str:
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} – Payman sandbox</title>
<style>{_STYLE}</style>
</head>
<body>
<main class="question">
<section>
{content}
</section>
</main>
</body>
</html>
"""
