"""What holds for any parameters at the token and authorization endpoints, and for any order of uses."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from payman_sdk.sandbox import Sandbox
from tests.sandbox.browser import PAGE, Page
from tests.sandbox.till import Till, till

pytestmark = pytest.mark.slow


_NAMES = st.sampled_from(
    [
        "grant_type",
        "client_id",
        "code",
        "refresh_token",
        "scope",
        "redirect_uri",
        "code_verifier",
        "response_type",
        "state",
        "code_challenge",
        "code_challenge_method",
        "decision",
        "ticket",
        "request",
    ]
) | st.text(max_size=5)
_VALUES = st.sampled_from(
    [
        "code",
        "authorization_code",
        "client_credentials",
        "refresh_token",
        "app",
        "nobody",
        "read_balance",
        "read_balance,write_send_payment",
        "S256",
        "plain",
        "v" * 43,
        "https://shop.example/back",
        "http://127.0.0.1:8/",
        "http://[::1",
        "https://[x]/",
        "https://a:b@c:d/",
        "shop:x",
        "allow",
        "1.x",
        "9999999999.x",
    ]
) | st.text(max_size=20)
_USUAL = {
    "response_type": "code",
    "client_id": "app",
    "redirect_uri": "https://shop.example/back",
    "scope": "read_balance",
}
_SOUP = st.lists(st.tuples(_NAMES, _VALUES), max_size=8).map(urlencode) | st.binary(max_size=40).map(
    lambda raw: "".join(f"%{byte:02x}" if byte % 3 else "&=+;"[byte % 4] for byte in raw)
)
_FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def app(shared: Sandbox) -> str:
    """A public client of the shared sandbox."""
    return shared.add_public_client("app")


@given(_SOUP, _SOUP, st.sampled_from([None, "Basic", "Basic Og==", "Bearer x", "basic YXBwOg=="]))
@settings(
    max_examples=settings().max_examples,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_token_request_is_answered(
    http: httpx.Client, app: str, query: str, form: str, header: str | None
) -> None:
    """Whatever is sent to the token endpoint, nobody gets a token by chance, and the answer is an error of RFC 6749."""
    headers = _FORM | ({} if header is None else {"authorization": header})
    answer = http.post(f"/api/oauth2/token?{query}", content=form.encode(), headers=headers)
    assert answer.status_code in (400, 401)
    assert set(answer.json()) == {"error", "error_description"}
    assert answer.json()["error"] in (
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
    )


@given(_SOUP, st.booleans())
@settings(
    max_examples=5 * settings().max_examples // 4,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_authorization_request_is_answered(http: httpx.Client, app: str, soup: str, usual: bool) -> None:
    """Whatever is asked, the answer is the page, an error page, or a redirect with an error to where it may go."""
    query = f"{urlencode(_USUAL)}&{soup}" if usual else soup
    answer = http.get(f"{PAGE}?{query}")
    assert answer.status_code in (200, 303, 400)
    if answer.status_code == 303:
        location = answer.headers["location"]
        assert location.startswith(("https://shop.example/back?", "http://127.0.0.1:8/?", "shop:x?"))
        assert parse_qs(urlsplit(location).query)["error"]
    else:
        page = Page(answer)
        assert ("form" in page.tags) is (answer.status_code == 200)
        assert "script" not in page.tags


@given(_SOUP, _SOUP)
@settings(
    max_examples=settings().max_examples,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_no_form_but_the_pages_is_believed(http: httpx.Client, app: str, query: str, form: str) -> None:
    """Whatever is posted that no page gave, nothing is allowed and nobody is sent anywhere."""
    answer = http.post(f"{PAGE}?{query}", content=form.encode(), headers=_FORM)
    assert answer.status_code == 400
    assert "location" not in answer.headers


_STEPS = st.lists(
    st.tuples(st.sampled_from(["code", "refresh", "again", "wait"]), st.integers(0, 5)), max_size=15
)


class _Grant:
    """What a grant should be like: its refresh tokens in order, the last of which is the one that serves."""

    def __init__(self, code: str) -> None:
        self.code, self.refreshes, self.accesses = code, list[str](), list[str]()
        self.is_alive = True

    def got(self, token: dict[str, str]) -> None:
        self.refreshes.append(token["refreshToken"])
        self.accesses.append(token["accessToken"])


@given(_STEPS)
@settings(max_examples=15)
def test_one_grant_falls_and_no_other(steps: list[tuple[str, int]]) -> None:
    """After any sequence of uses and reuses, a grant's tokens all serve or all do not, as its own history says."""
    with till(token_lifetime=10**6, code_lifetime=10**6) as at:
        grants = [_Grant(at.sandbox.issue_code()) for _ in range(3)]
        reuses = 0
        for step, pick in steps:
            grant = grants[pick % 3]
            if step == "wait":
                at.wait(pick)
            elif step == "code":
                if not grant.accesses:
                    grant.got(at.exchange(grant.code).json())
                else:
                    assert at.exchange(grant.code).status_code == 400
                    grant.is_alive = False
            elif step == "refresh" and grant.refreshes:
                answer = at.refresh(grant.refreshes[-1])
                assert (answer.status_code == 200) is grant.is_alive
                if grant.is_alive:
                    grant.got(answer.json())
            elif step == "again" and len(grant.refreshes) > 1:
                assert at.refresh(grant.refreshes[pick % (len(grant.refreshes) - 1)]).status_code == 400
                grant.is_alive = False
                reuses += 1
        _check(at, grants, reuses)


def _check(at: Till, grants: list[_Grant], reuses: int) -> None:
    assert at.sandbox.reuse_detected == reuses
    for grant in grants:
        assert all(at.opens(token) is grant.is_alive for token in grant.accesses)
