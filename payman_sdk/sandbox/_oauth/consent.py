"""The pages of the authorization endpoint, as HTML that needs neither scripts nor anything from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from html import escape

from payman_api import PATHS
from payman_sdk._text.sanitizer import sanitize
from payman_sdk.sandbox._oauth import clients
from payman_sdk.sandbox._oauth.authorization import Question
from payman_sdk.sandbox._oauth.oauth_service import Consent
from payman_sdk.sandbox._oauth.scopes import IN_WORDS

_LONGEST = 300
"""Characters of a name, and of what is wrong."""

_STYLE = """
:root { color-scheme: light dark; --ink: #16181d; --soft: #565d6b; --paper: #fff; --ground: #f1f3f7;
  --line: #868d9b; --accent: #1d4ed8; --on-accent: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #eceef3; --soft: #aab1c0; --paper: #1b1e26; --ground: #101218; --line: #757d8e;
    --accent: #9db8ff; --on-accent: #0c1327; }
}
* { box-sizing: border-box; }
body { margin: 0; padding: 1rem; background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
main { max-width: 30rem; margin: 8vh auto 0; padding: 1.5rem; background: var(--paper); border-radius: 0.75rem; }
h1 { margin: 0 0 1rem; font-size: 1.375rem; line-height: 1.25; }
ul { padding-left: 1.25rem; }
li { margin: 0.375rem 0; }
code { font-size: 0.8125rem; color: var(--soft); }
small { display: block; margin-top: 1rem; font-size: 0.875rem; color: var(--soft); }
form { display: flex; flex-wrap: wrap; gap: 0.75rem; margin-top: 1.5rem; }
button { flex: 1 1 8rem; min-height: 2.75rem; padding: 0.5rem 1rem; font: inherit; font-weight: 600; cursor: pointer;
  color: var(--ink); background: transparent; border: 1px solid var(--line); border-radius: 0.5rem; }
button[value=allow] { color: var(--on-accent); background: var(--accent); border-color: var(--accent); }
button:focus-visible { outline: 3px solid var(--ink); outline-offset: 3px; }
"""
_STYLE_SOURCE = f"'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"


def build_headers(question: Question | None = None) -> Mapping[str, str]:
    """Return the headers of a page; the one with a question may send its form here, and on to the redirect URI."""
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


def render_page(consent: Consent) -> str:
    """Return the page that asks a person for consent."""
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
<form method="post" action="{escape(PATHS["authorize"])}" aria-labelledby="question">
<input type="hidden" name="request" value="{escape(consent.request)}">
<input type="hidden" name="ticket" value="{escape(consent.ticket)}">
<button type="submit" name="decision" value="deny">Deny</button>
<button type="submit" name="decision" value="allow">Allow</button>
</form>
<small>This is a Payman sandbox: your account is the application's own, and its money exists nowhere else.</small>""",
    )


def render_error_page(reason: str) -> str:
    """Return the page for a request that may be answered nowhere else."""
    return _render_document(
        "This link does not work",
        f"""<h1>This link does not work</h1>
<p>What is wrong: {escape(sanitize(reason, one_line=True, max_length=_LONGEST))}.</p>
<p>Nothing was allowed. Go back to the application and try again. If that does not help, report it to the application's developers.</p>""",
    )


def _escape_name(name: str) -> str:
    """Somebody's name for something, which can neither be markup nor turn the text around it."""
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
<main>
{content}
</main>
</body>
</html>
"""
