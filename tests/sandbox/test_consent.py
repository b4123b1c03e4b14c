from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

import httpx
import pytest

from payman_sdk._client.sync import PaymanClient
from payman_sdk._core.auth.authorization import Scope, authorization_url, parse_redirect
from payman_sdk.sandbox import Sandbox
from tests.sandbox.browser import PAGE, Page, landed
from tests.sandbox.wire_client import WireClient
from tests.tables import table

_BACK = "http://127.0.0.1:8765/back"
_CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(b"verifier").digest()).decode().rstrip("=")


def _request(wire_client: WireClient, **changed: Any) -> dict[str, Any]:
    usual = {
        "response_type": "code",
        "client_id": wire_client.client_id,
        "redirect_uri": _BACK,
        "scope": "read_balance,write_send_payment",
        "state": "s-1",
        "code_challenge": _CHALLENGE,
        "code_challenge_method": "S256",
    }
    return {name: value for name, value in {**usual, **changed}.items() if value is not None}


def _ask(wire_client: WireClient, **changed: Any) -> httpx.Response:
    return wire_client.http.get(PAGE, params=_request(wire_client, **changed))


def _page(wire_client: WireClient, **changed: Any) -> Page:
    answer = _ask(wire_client, **changed)
    assert answer.status_code == 200, answer.text
    return Page(answer)


def test_person_reads_who_asks_for_what(wire_client: WireClient) -> None:
    """The page names the client, each scope in plain words, and where the browser goes; two buttons answer it."""
    page = _page(wire_client)
    assert wire_client.client_id in page.words
    assert "See how much is in your wallets" in page.words
    assert "Send payments from your wallets" in page.words
    assert "http://127.0.0.1:8765" in page.words
    assert "Add payees" not in page.words
    assert set(page.buttons) == {"allow", "deny"}
    assert page.tags.count("li") == 2


def test_every_scope_has_words(wire_client: WireClient) -> None:
    """No scope is asked for by its name alone."""
    words = _page(wire_client, scope=",".join(Scope)).words
    for scope in Scope:
        assert re.search(rf"[a-z] {scope}\b", words)


@pytest.mark.parametrize("scope", ["read_balance,read_list_payees", "read_balance read_list_payees"])
def test_scopes_are_joined_by_commas_or_spaces(wire_client: WireClient, scope: str) -> None:
    """Commas are Payman's way, spaces are OAuth's; both are understood, and one that is named twice is shown once."""
    assert _page(wire_client, scope=f"{scope},read_balance").tags.count("li") == 2


def test_allow_brings_a_code_that_works(wire_client: WireClient) -> None:
    """Allow sends the browser to the redirect URI with a code and the state; the code gets a token for what was allowed."""
    target, query = landed(_page(wire_client).press(wire_client.http, "allow"))
    assert target == _BACK
    assert set(query) == {"code", "state"}
    assert query["state"] == "s-1"
    answer = wire_client.http.post(
        "/api/oauth2/token",
        params={"grant_type": "authorization_code", "code": query["code"], "code_verifier": "verifier"},
        auth=(wire_client.client_id, wire_client.client_secret),
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["scope"] == "read_balance,write_send_payment"


def test_deny_brings_access_denied(wire_client: WireClient) -> None:
    """Deny sends the browser to the redirect URI with `access_denied`, the state and no code."""
    target, query = landed(_page(wire_client).press(wire_client.http, "deny"))
    assert target == _BACK
    assert set(query) == {"error", "error_description", "state"}
    assert (query["error"], query["state"]) == ("access_denied", "s-1")


def test_anything_but_allow_denies(wire_client: WireClient) -> None:
    """A form without a decision, or with one that is not known, allows nothing."""
    page = _page(wire_client)
    for answer in (
        wire_client.http.post(page.action, data=page.fields),
        page.press(wire_client.http, "allow", decision="Allow"),
    ):
        assert landed(answer)[1]["error"] == "access_denied"


def test_sdk_walks_through(wire_client: WireClient) -> None:
    """What the SDK sends a person to is understood, and it understands what comes back."""
    request = authorization_url(
        wire_client.client_id, _BACK, [Scope.READ_LIST_WALLETS], server=wire_client.sandbox.base_url
    )
    answer = Page(wire_client.http.get(request.url)).press(wire_client.http, "allow")
    code = parse_redirect(answer.headers["location"], state=request.state)
    with PaymanClient.with_auth_code(
        {
            "client_id": wire_client.client_id,
            "client_secret": wire_client.client_secret,
            "base_url": wire_client.sandbox.base_url,
        },
        code,
        redirect_uri=request.redirect_uri,
        code_verifier=request.code_verifier,
    ) as client:
        assert "TSD Wallet" in client.ask("list all wallets").text
        assert "`write_send_payment`" in client.ask("send 5 TSD to Test Payee").text
    assert not wire_client.payments


@table(
    "state",
    ["a b+c&d=e?f#g%20", "ünicode ✓", '"><script>alert(1)</script>', "line\r\nbreak\n", "\x00", "x" * 4000],
)
def test_state_comes_back_as_it_went(wire_client: WireClient, state: str) -> None:
    """Whatever the state is, it comes back the same, with either answer and with an error."""
    page = _page(wire_client, state=state)
    for answer in (
        page.press(wire_client.http, "allow"),
        page.press(wire_client.http, "deny"),
        _ask(wire_client, state=state, scope="nonsense"),
    ):
        assert landed(answer)[1]["state"] == state


def test_without_state_none_comes_back(wire_client: WireClient) -> None:
    """A request without a state, or with an empty one, is answered without one."""
    for state in (None, ""):
        assert set(landed(_page(wire_client, state=state).press(wire_client.http, "allow"))[1]) == {"code"}


def test_redirect_keeps_its_own_query(wire_client: WireClient) -> None:
    """Parameters that the redirect URI has already stay in it."""
    answer = _page(wire_client, redirect_uri="https://shop.example/back?shop=7").press(
        wire_client.http, "allow"
    )
    target, query = landed(answer)
    assert target == "https://shop.example/back"
    assert set(query) == {"shop", "code", "state"}


def test_page_is_kept_to_itself(wire_client: WireClient) -> None:
    """Nothing comes from elsewhere, no script runs, nobody frames it, nothing is cached, no referrer tells the address."""
    page = _page(wire_client)
    headers = page.answer.headers
    policy = dict(part.strip().partition(" ")[::2] for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["base-uri"] == "'none'"
    assert "script-src" not in policy
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert not page.foreign
    assert not {"script", "img", "link", "iframe", "a"} & set(page.tags)


def test_style_is_the_one_that_the_policy_allows(wire_client: WireClient) -> None:
    """The policy lets through the page's own style by its hash, and no other."""
    answer = _ask(wire_client)
    style = answer.text.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in answer.headers["content-security-policy"]


@table(
    ("redirect_uri", "source"),
    [
        ("https://shop.example/back", "https://shop.example"),
        ("https://Shop.example:8443/back?x=1", "https://shop.example:8443"),
        ("http://localhost:9/", "http://localhost:9"),
        ("http://[::1]:9/back", "http:"),
        ("https://a;b.example/", "https:"),
        ("com.example.shop:/back", "com.example.shop:"),
    ],
)
def test_form_may_go_on_to_the_redirect_uri(wire_client: WireClient, redirect_uri: str, source: str) -> None:
    """Browsers apply form-action to the redirect as well, so that the policy names where the answer goes, and only that."""
    policy = _ask(wire_client, redirect_uri=redirect_uri).headers["content-security-policy"]
    assert f"; form-action 'self' {source};" in policy


def test_page_is_readable_everywhere(wire_client: WireClient) -> None:
    """It has a language, a title, a heading and a width that fits a phone, and its form and list say what they are about."""
    text = _ask(wire_client).text
    assert text.startswith("<!DOCTYPE html>")
    for part in (
        '<html lang="en">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        "color-scheme: light dark",
        "prefers-color-scheme: dark",
        "<title>Allow access?",
    ):
        assert part in text
    labels = re.findall(r'aria-labelledby="(\w+)"', text)
    assert len(labels) == 2
    assert all(f'id="{label}"' in text for label in labels)


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "a\"b'c&amp;", "evil\u202eexe", "x\x00y\nz"])
def test_hostile_name_is_only_a_name(shared: Sandbox, http: httpx.Client, name: str) -> None:
    """A client's id is shown as it is: no markup, and nothing that turns the text around it or is not seen."""
    wire_client = WireClient(shared, *shared.add_client(name, "s3cret"), http)
    page = _page(wire_client)
    assert "script" not in page.tags
    for invisible in "\u202e\x00":
        assert invisible not in page.answer.text
    assert name.isprintable() is (name in page.words)
    assert landed(page.press(http, "allow"))[1]["code"]


_UNUSABLE = [
    {"client_id": None},
    {"client_id": ""},
    {"client_id": "nobody"},
    {"client_id": "<script>alert(2)</script>"},
    {"client_id": ["a", "a"]},
    {"redirect_uri": None},
    {"redirect_uri": [_BACK, _BACK]},
    *(
        {"redirect_uri": uri}
        for uri in (
            "",
            "back",
            "/back",
            "//shop.example/back",
            "shop.example/back",
            "localhost:8765/back",
            "http://shop.example/back",
            "http://127.0.0.1.shop.example/back",
            "http://localhost.shop.example/back",
            "http://10.0.0.1/back",
            "http:///back",
            "https:///back",
            "https:back",
            "https://shop.example/back#",
            "https://shop.example/back#part",
            "https://shop.example@evil.example/back",
            "https://:secret@shop.example/back",
            "https://shop.example:99999/back",
            "https://shop.example:x/back",
            "https://[::1/back",
            "https://shop.example/back\r\nX-Evil: 1",
            "https://shop.example/\\evil.example",
            "https://shöp.example/back",
            "https://shop.example/a b",
            "https://shop.example/<script>",
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            "data:text/html,hello",
            "file:///etc/passwd",
            "ftp://shop.example/back",
            "shop:",
            "https://shop.example/" + "x" * 2000,
        )
    ),
]


@pytest.mark.slow
@table("changed", _UNUSABLE, ids=lambda changed: str(changed)[:60])
def test_what_could_lead_astray_is_a_page(wire_client: WireClient, changed: dict[str, Any]) -> None:
    """An unknown client or an unusable redirect URI is a page that says so, never a redirect; nor is its form's answer."""
    for answer in (
        _ask(wire_client, **changed),
        _ask(wire_client, **changed, response_type="token", scope="nonsense"),
    ):
        assert answer.status_code == 400
        assert "location" not in answer.headers
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.headers["cache-control"] == "no-store"
        assert "form-action 'none'" in answer.headers["content-security-policy"]
        page = Page(answer)
        assert "This link does not work" in page.words
        assert not {"form", "script"} & set(page.tags)


@table(
    "uri",
    [
        "https://shop.example",
        "https://shop.example:8443/back?x=1&y=%20",
        "http://127.0.0.1/back",
        "http://127.0.0.2:65535/back",
        "http://[::1]:1/back",
        "http://LOCALHOST:8765/back",
        "com.example.shop:/back",
        "shop://back",
    ],
)
def test_usable_redirect_uris(wire_client: WireClient, uri: str) -> None:
    """https, http to this machine on any port, and an app's own scheme are good for redirects."""
    answer = _page(wire_client, redirect_uri=uri).press(wire_client.http, "allow")
    assert answer.headers["location"].startswith(f"{uri}{'&' if '?' in uri else '?'}code=")


@table(
    ("changed", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code token"}, "unsupported_response_type"),
        ({"response_type": ["code", "code"]}, "invalid_request"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": ","}, "invalid_scope"),
        ({"scope": "read_everything"}, "invalid_scope"),
        ({"scope": 'read_balance,"ü\\\n'}, "invalid_scope"),
        ({"scope": "READ_BALANCE"}, "invalid_scope"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": "s256"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge": _CHALLENGE + "="}, "invalid_request"),
        ({"code_challenge": _CHALLENGE + "\n"}, "invalid_request"),
        ({"code_challenge": [_CHALLENGE, _CHALLENGE]}, "invalid_request"),
    ],
)
def test_other_errors_go_to_the_application(
    wire_client: WireClient, changed: dict[str, Any], error: str
) -> None:
    """Where the redirect URI is in order, the application learns what is wrong, with the state."""
    answer = _ask(wire_client, **changed)
    target, query = landed(answer)
    assert target == _BACK
    assert set(query) == {"error", "error_description", "state"}
    assert (query["error"], query["state"]) == (error, "s-1")
    assert re.fullmatch(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+", query["error_description"])
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"


def test_state_that_is_there_twice_comes_back_not_at_all(wire_client: WireClient) -> None:
    """Of two states nobody knows which is meant: the error comes without one."""
    _, query = landed(_ask(wire_client, state=["a", "b"]))
    assert query == {"error": "invalid_request", "error_description": "state is given more than once"}


def test_unknown_parameters_are_ignored(wire_client: WireClient) -> None:
    """What the server does not know does not matter, even twice."""
    assert landed(_page(wire_client, prompt=["login", "none"], ticket="x").press(wire_client.http, "allow"))[
        1
    ]["code"]


def test_pkce_may_be_left_out(wire_client: WireClient) -> None:
    """Payman is not known to want PKCE, so a request without it is in order."""
    page = _page(wire_client, code_challenge=None, code_challenge_method=None)
    assert landed(page.press(wire_client.http, "allow"))[1]["code"]


def test_answer_needs_the_ticket_of_its_request(wire_client: WireClient) -> None:
    """A form that did not come from the page, or that was changed, allows nothing and redirects nowhere."""
    page, other = _page(wire_client), _page(wire_client, scope="read_balance")
    assert page.fields["ticket"] != other.fields["ticket"]
    for changed in (
        {"ticket": ""},
        {"ticket": "nonsense"},
        {"ticket": "ünicode.\x00"},
        {"ticket": "9" * 400 + ".x"},
        {"ticket": other.fields["ticket"]},
        {"ticket": page.fields["ticket"][:-1]},
        {"ticket": "9" + page.fields["ticket"]},
        {"request": ""},
        {"request": other.fields["request"]},
        {"request": page.fields["request"] + "&scope=write_create_wallet"},
    ):
        answer = page.press(wire_client.http, "allow", **changed)
        assert answer.status_code == 400, changed
        assert "location" not in answer.headers
    assert landed(page.press(wire_client.http, "allow"))[1]["code"]


def test_answer_without_a_form_is_refused(wire_client: WireClient) -> None:
    """A bare request, one in the query, and one in JSON are not the page's form."""
    page = _page(wire_client)
    fields = {**page.fields, "decision": "allow"}
    for answer in (
        wire_client.http.post(PAGE),
        wire_client.http.post(PAGE, params=fields),
        wire_client.http.post(PAGE, json=fields),
        wire_client.http.post(
            PAGE, content=b"request=%ff", headers={"content-type": "application/x-www-form-urlencoded"}
        ),
    ):
        assert answer.status_code == 400
        assert "This link does not work" in answer.text


def test_ticket_is_of_one_sandbox_and_ends() -> None:
    """A page's ticket ends after an hour, and another sandbox's is none."""
    now = [1_750_000_000.0]
    with (
        Sandbox(clients={"a": "s"}, clock=lambda: now[0]) as sandbox,
        Sandbox(clients={"a": "s"}) as other,
        httpx.Client(base_url=sandbox.base_url) as http,
        httpx.Client(base_url=other.base_url) as elsewhere,
    ):
        page = _page(WireClient(sandbox, "a", "s", http))
        assert page.press(elsewhere, "allow").status_code == 400
        now[0] += 3599
        assert page.press(http, "allow").status_code == 303
        now[0] += 1
        assert page.press(http, "allow").status_code == 400


def test_broken_query_is_a_page(wire_client: WireClient) -> None:
    """A query that is not UTF-8, or has too many parts, is a page that says so."""
    for query in ("client_id=%ff", "&".join(f"a{number}=1" for number in range(100))):
        assert wire_client.http.get(f"{PAGE}?{query}").status_code == 400


def test_other_methods_are_refused(wire_client: WireClient) -> None:
    """The page is got or posted to, nothing else."""
    assert wire_client.http.put(PAGE).status_code == 405
    assert wire_client.http.delete(PAGE).status_code == 405


def test_client_with_fixed_redirect_uris() -> None:
    """A client that is registered with redirect URIs gets no other; http ones to this machine match on any port."""
    fixed = ["https://shop.example/back", "http://127.0.0.1/back?x=1"]
    with (
        Sandbox(clients={"fixed": "s", "free": "s"}, redirect_uris={"fixed": fixed}) as sandbox,
        httpx.Client(base_url=sandbox.base_url) as http,
    ):
        wire_client = WireClient(sandbox, "fixed", "s", http)
        for uri in (*fixed, "http://127.0.0.1:8765/back?x=1"):
            assert _ask(wire_client, redirect_uri=uri).status_code == 200, uri
        for uri in (
            "https://shop.example:8443/back",
            "https://shop.example/back?x=1",
            "https://shop.example/back/",
            "https://SHOP.example/back",
            "http://127.0.0.1:8765/back",
            "http://localhost:8765/back?x=1",
            "http://[::1]:8765/back?x=1",
            "com.example.shop:/back",
            "",
        ):
            assert _ask(wire_client, redirect_uri=uri).status_code == 400, uri
        assert _ask(WireClient(sandbox, "free", "s", http), redirect_uri="shop://x").status_code == 200


def test_only_redirect_uri_may_be_left_out() -> None:
    """A client with one fixed redirect URI need not name it, and errors go there too."""
    uri = "https://shop.example/back"
    with (
        Sandbox(clients={"one": "s"}, redirect_uris={"one": [uri]}) as sandbox,
        httpx.Client(base_url=sandbox.base_url) as http,
    ):
        wire_client = WireClient(sandbox, "one", "s", http)
        assert landed(_page(wire_client, redirect_uri=None).press(http, "allow"))[0] == uri
        assert landed(_ask(wire_client, redirect_uri=None, scope="x"))[0] == uri


@pytest.mark.parametrize(
    ("redirect_uris", "said"),
    [
        ({"nobody": ["https://shop.example"]}, "redirect_uris: unknown client nobody"),
        ({"a": ["http://shop.example"]}, "redirect_uris of a: redirect_uri is plain http"),
        ({"a": "https://shop.example/#x"}, "redirect_uris of a: redirect_uri has a fragment"),
    ],
)
def test_unusable_registration_is_refused(redirect_uris: Any, said: str) -> None:
    """Redirect URIs of nobody, and ones that cannot be, are refused when the sandbox is made."""
    with pytest.raises(ValueError, match=said):
        Sandbox(clients={"a": "s"}, redirect_uris=redirect_uris)
