from __future__ import annotations

import base64
import hashlib
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from payman_sdk import Scope, authorization_url, parse_redirect
from payman_sdk.errors import AuthenticationError, ConfigurationError
from tests.tables import table

BACK = "https://shop.example/back"


def test_the_address_is_the_documented_one() -> None:
    """The page's address has Payman's host and path, the parameters it documents, and scopes joined by commas."""
    request = authorization_url("pm-test-1", BACK, [Scope.READ_BALANCE, "write_send_payment"])
    parts = urlsplit(request.url)
    query = parse_qs(parts.query)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "https://app.paymanai.com/oauth/authorize"
    assert query["response_type"] == ["code"]
    assert query["client_id"] == ["pm-test-1"]
    assert query["redirect_uri"] == [BACK]
    assert query["scope"] == ["read_balance,write_send_payment"]
    assert "scope=read_balance,write_send_payment" in parts.query


def test_the_challenge_is_that_of_the_verifier() -> None:
    """The address carries the S256 challenge of the verifier that is kept, and never the verifier."""
    request = authorization_url("pm-test-1", BACK, [Scope.READ_BALANCE])
    query = parse_qs(urlsplit(request.url).query)
    digest = hashlib.sha256(request.code_verifier.encode()).digest()
    assert query["code_challenge"] == [base64.urlsafe_b64encode(digest).decode().rstrip("=")]
    assert query["code_challenge_method"] == ["S256"]
    assert 43 <= len(request.code_verifier) <= 128
    assert request.code_verifier not in request.url


def test_every_request_has_a_state_and_a_verifier_of_its_own() -> None:
    """Two requests share neither state nor verifier, and a `repr` shows neither."""
    one, two = (authorization_url("pm-test-1", BACK, [Scope.READ_BALANCE]) for _ in range(2))
    assert one.state != two.state
    assert one.code_verifier != two.code_verifier
    assert one.code_verifier not in repr(one)
    assert parse_qs(urlsplit(one.url).query)["state"] == [one.state]


def test_another_server_of_the_page() -> None:
    """The page of a sandbox has the sandbox's address."""
    url = authorization_url("pm-test-1", BACK, [Scope.READ_BALANCE], server="http://127.0.0.1:8642/").url
    assert url.startswith("http://127.0.0.1:8642/oauth/authorize?")


def test_scopes_are_those_of_payman() -> None:
    """`Scope` has the documented scopes, no more and no fewer."""
    assert set(Scope) == {
        "read_balance",
        "read_list_wallets",
        "read_list_payees",
        "read_list_transactions",
        "write_create_payee",
        "write_send_payment",
        "write_create_wallet",
    }


@table(
    ("changed", "named"),
    [
        ({"client_id": ""}, "client_id"),
        ({"client_id": " "}, "client_id"),
        ({"redirect_uri": ""}, "redirect_uri"),
        ({"redirect_uri": "/back"}, "redirect_uri"),
        ({"redirect_uri": "http://shop.example/back"}, "redirect_uri"),
        ({"redirect_uri": BACK + "#here"}, "redirect_uri"),
        ({"redirect_uri": "http://evil.example[::1]/back"}, "redirect_uri"),
        ({"redirect_uri": "http://[::1].evil.example/back"}, "redirect_uri"),
        ({"redirect_uri": "http://evil.example\\@localhost/back"}, "redirect_uri"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["a,b"]}, "scopes"),
        ({"scopes": ["a b"]}, "scopes"),
        ({"state": ""}, "state"),
        ({"server": "http://page.example"}, "server"),
        ({"server": "ftp://page.example"}, "server"),
    ],
)
def test_wrong_arguments_are_named(changed: dict[str, object], named: str) -> None:
    """A wrong argument is refused by name."""
    given = {"client_id": "pm-test-1", "redirect_uri": BACK, "scopes": ["read_balance"], **changed}
    with pytest.raises(ConfigurationError, match=rf"^{named}\b") as raised:
        authorization_url(**given)  # type: ignore[arg-type] # wrong on purpose
    assert isinstance(raised.value, ValueError)
    assert raised.value.next_step


@pytest.mark.parametrize(
    "uri", ["http://127.0.0.1:9/x", "http://localhost/x", "http://[::1]:9/x", "app.example:/back", BACK]
)
def test_usable_redirect_uris(uri: str) -> None:
    """https, this machine and an application's own scheme can be redirected to."""
    assert authorization_url("pm-test-1", uri, ["read_balance"]).redirect_uri == uri


def test_the_code_of_a_redirect() -> None:
    """The code is given for the whole address and for its path and query alone, decoded."""
    assert parse_redirect(f"{BACK}?code=a%2Fb&state=s", state="s") == "a/b"
    assert parse_redirect("/back?state=s&code=abc&more=1", state="s") == "abc"


@pytest.mark.parametrize(
    "query", ["code=abc", "code=abc&state=", "code=abc&state=t", "code=abc&state=s&state=s", "error=x"]
)
def test_an_answer_to_another_question_is_refused(query: str) -> None:
    """Without the state that was sent, nothing in the answer is believed, an error neither."""
    with pytest.raises(AuthenticationError, match="state") as raised:
        parse_redirect(f"{BACK}?{query}", state="s")
    assert raised.value.error is None
    assert "abc" not in str(raised.value)


def test_a_refusal_is_reported() -> None:
    """The server's error comes out with its own words."""
    with pytest.raises(AuthenticationError, match=r"Not today\.") as raised:
        parse_redirect(f"{BACK}?error=access_denied&error_description=Not+today&state=s", state="s")
    assert (raised.value.error, raised.value.error_description) == ("access_denied", "Not today")


@pytest.mark.parametrize("query", ["state=s", "code=&state=s", "code=a&code=b&state=s"])
def test_an_answer_without_one_code_is_refused(query: str) -> None:
    """An answer without a code, or with two, is no authorization."""
    with pytest.raises(AuthenticationError, match="no code"):
        parse_redirect(f"{BACK}?{query}", state="s")


def test_a_state_that_is_not_ascii_is_only_wrong() -> None:
    """A state of any characters is compared and refused, not stumbled over."""
    with pytest.raises(AuthenticationError, match="state"):
        parse_redirect(f"{BACK}?code=abc&state=%C3%BC", state="s")


class Address(str):
    """As a framework has one that is a text."""

    __slots__ = ()


def test_the_address_is_a_text() -> None:
    """The address object of a framework is refused as such, rather than as the answer to another request."""
    whole = f"{BACK}?code=abc&state=s"
    assert parse_redirect(Address(whole), state="s") == "abc"
    for given in (httpx.URL(whole), whole.encode(), None, {"code": "abc", "state": "s"}):
        with pytest.raises(
            ConfigurationError, match=r"url is an? \w+\. Give a string, such as str\(request\.url\)"
        ):
            parse_redirect(given, state="s")  # type: ignore[arg-type]
