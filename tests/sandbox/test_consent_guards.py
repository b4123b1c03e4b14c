"""Who reaches the consent page, and which clients may leave PKCE out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from payman_sdk._client.sync import PaymanClient
from payman_sdk._core.auth.authorization import Scope, authorization_url, parse_redirect
from payman_sdk.sandbox import Sandbox
from tests.sandbox.browser import PAGE, Page, landed
from tests.sandbox.till import CHALLENGE, VERIFIER, Till, refused, till

BACK = "http://127.0.0.1:8765/back"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(clients={"shop": "s3cret"}, public_clients=["app"]) as sandbox:
        yield sandbox
    sandbox.close()


@pytest.fixture
def http(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=sandbox.base_url) as http:
        yield http


def question(**changed: Any) -> dict[str, Any]:
    usual = {
        "response_type": "code",
        "client_id": "shop",
        "redirect_uri": BACK,
        "scope": "read_balance",
        "state": "s-1",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return {name: value for name, value in {**usual, **changed}.items() if value is not None}


def test_the_page_is_there_under_own_names_only(sandbox: Sandbox, http: httpx.Client) -> None:
    """Neither the question nor a decision is taken under a name that somebody else may have led to this machine."""
    port = sandbox.base_url.rpartition(":")[2]
    page = Page(http.get(PAGE, params=question()))
    wrong: list[str] = []
    for host, is_ours in {
        f"127.0.0.1:{port}": True,
        f"localhost:{port}": True,
        f"LOCALHOST:{port}": True,
        f"[::1]:{port}": True,
        f"evil.example:{port}": False,
        "evil.example": False,
        "127.0.0.1": False,
        "127.0.0.1:1": False,
        f"127.0.0.1.evil.example:{port}": False,
        f"localhost.evil.example:{port}": False,
        f"localhost.:{port}": False,
        f"0.0.0.0:{port}": False,
        f"10.0.0.1:{port}": False,
        f"evil@127.0.0.1:{port}": False,
        f"sandbox.invalid:{port}": False,
        f"2130706433:{port}": False,
    }.items():
        headers = {"Host": host}
        shown = http.get(PAGE, params=question(), headers=headers)
        decided = http.post(page.action, data={**page.fields, "decision": "allow"}, headers=headers)
        if is_ours is not ((shown.status_code, decided.status_code) == (200, 303)):
            wrong.append(host)
        if not is_ours and (
            {shown.status_code, decided.status_code} != {403}
            or "ticket" in shown.text
            or "location" in decided.headers
        ):
            wrong.append(f"{host}: {shown.status_code} {decided.status_code}")
    assert wrong == []


def test_a_decision_comes_from_the_page_itself(sandbox: Sandbox, http: httpx.Client) -> None:
    """A decision that another page sends is not taken, ticket or not; the question is shown wherever a person comes from."""
    own = sandbox.base_url
    page = Page(http.get(PAGE, params=question()))
    wrong: list[str] = []
    for origin, site, is_taken in (
        (None, None, True),  # a program without a browser
        (own, None, True),
        (own, "same-origin", True),
        (None, "same-origin", True),
        ("null", "same-origin", True),  # the page's own form: it sends no referrer
        ("null", None, False),
        ("null", "cross-site", False),  # a frame in a sandbox of somebody else's
        ("null", "same-site", False),
        ("null", "none", False),
        ("https://evil.example", None, False),
        ("https://evil.example", "cross-site", False),
        ("https://evil.example", "same-origin", False),
        (own, "cross-site", False),
        (own, "same-site", False),
        (own, "none", False),
        (None, "cross-site", False),
        (None, "none", False),
        (None, "same-site", False),
        (own.replace("http:", "https:"), None, False),
        (own.replace("127.0.0.1", "localhost"), None, False),
        (f"{own}.evil.example", None, False),
        (f"{own}/", None, False),
        (f"{own}, https://evil.example", None, False),
        ("http://127.0.0.1:1", "same-site", False),
        ("", "same-origin", False),
    ):
        said = {"Origin": origin, "Sec-Fetch-Site": site}
        headers = {name: value for name, value in said.items() if value is not None}
        answer = http.post(page.action, data={**page.fields, "decision": "allow"}, headers=headers)
        if (answer.status_code == 303) is not is_taken or (not is_taken and answer.status_code != 403):
            wrong.append(f"{origin} {site}: {answer.status_code}")
        if http.get(PAGE, params=question(), headers=headers).status_code != 200:
            wrong.append(f"{origin} {site}: not shown")
    assert wrong == []


def test_a_request_inside_the_process_has_no_address() -> None:
    """Without a socket there cannot be a browser, so any name will do."""
    with Sandbox(clients={"shop": "s3cret"}) as sandbox:
        for base_url in ("https://sandbox.invalid", "http://testserver", "http://127.0.0.1:8642"):
            with httpx.Client(base_url=base_url, transport=sandbox.transport()) as http:
                page = Page(http.get(PAGE, params=question()))
                assert landed(page.press(http, "allow"))[1]["code"]
        with httpx.Client(base_url="http://testserver", transport=sandbox.transport()) as http:
            answer = http.post(PAGE, data=page.fields, headers={"Origin": "https://evil.example"})
            assert answer.status_code == 403


# PKCE


def test_a_public_client_has_to_use_pkce(http: httpx.Client) -> None:
    """Without a challenge, or with one that hides nothing, a client without a secret gets an error and no question."""
    wrong: list[str] = []
    for client_id, challenge, method, is_asked in (
        ("app", CHALLENGE, "S256", True),
        ("app", None, None, False),
        ("app", "", "", False),
        ("app", None, "S256", False),
        ("app", CHALLENGE, None, False),
        ("app", CHALLENGE, "plain", False),
        ("app", CHALLENGE, "s256", False),
        ("app", VERIFIER[:-1], "S256", False),
        ("app", f"{CHALLENGE}=", "S256", False),
        ("app", [CHALLENGE, CHALLENGE], "S256", False),
        ("shop", None, None, True),
        ("shop", CHALLENGE, "S256", True),
    ):
        answer = http.get(
            PAGE, params=question(client_id=client_id, code_challenge=challenge, code_challenge_method=method)
        )
        if is_asked and answer.status_code != 200:
            wrong.append(f"{client_id} {challenge} {method}: not asked")
        if not is_asked and (answer.status_code, landed(answer)[1]["error"]) != (303, "invalid_request"):
            wrong.append(f"{client_id} {challenge} {method}: asked")
    assert wrong == []


def test_a_page_that_was_open_when_a_client_lost_its_secret(http: httpx.Client) -> None:
    """A decision is held against what the client is by then."""
    with Sandbox(clients={"shop": "s3cret"}) as sandbox, httpx.Client(base_url=sandbox.base_url) as http:
        page = Page(http.get(PAGE, params=question(code_challenge=None, code_challenge_method=None)))
        sandbox.add_public_client("shop")
        assert landed(page.press(http, "allow"))[1]["error"] == "invalid_request"


@pytest.fixture
def at() -> Iterator[Till]:
    with till(public_clients=["app"]) as opened:
        yield opened


def test_a_public_clients_code_needs_its_challenge(at: Till) -> None:
    """A code that was issued to a client without a secret gets a token by its verifier only, and one without a challenge never."""
    bare = at.sandbox.issue_code("app")
    for more in ({}, {"code_verifier": VERIFIER}, {"code_verifier": CHALLENGE}):
        assert refused(at.exchange(bare, public="app", **more)) == "invalid_grant"
    good = at.sandbox.issue_code("app", code_challenge=CHALLENGE)
    for more in ({}, {"code_verifier": CHALLENGE}, {"code_verifier": VERIFIER + "v"}, {"code_verifier": ""}):
        assert refused(at.exchange(good, public="app", **more)) == "invalid_grant"
    assert at.exchange(good, public="app", code_verifier=VERIFIER).status_code == 200
    assert at.exchange(at.sandbox.issue_code()).status_code == 200  # a client with a secret may leave it out


def test_a_code_of_a_client_that_lost_its_secret(at: Till) -> None:
    """What a client with a secret was issued without a challenge is good for nothing once it has none."""
    code = at.sandbox.issue_code()
    at.sandbox.add_public_client(at.sandbox.client_id)
    assert refused(at.exchange(code, public=at.sandbox.client_id)) == "invalid_grant"


def test_the_sdk_gives_a_public_client_all_it_needs(sandbox: Sandbox, http: httpx.Client) -> None:
    """What `authorization_url` and `with_auth_code` send is enough for a client without a secret."""
    request = authorization_url("app", BACK, [Scope.READ_LIST_WALLETS], server=sandbox.base_url)
    answer = Page(http.get(request.url)).press(http, "allow")
    with PaymanClient.with_auth_code(
        {"client_id": "app", "base_url": sandbox.base_url},
        parse_redirect(answer.headers["location"], state=request.state),
        redirect_uri=request.redirect_uri,
        code_verifier=request.code_verifier,
    ) as client:
        assert "TSD Wallet" in client.ask("list all wallets").text
