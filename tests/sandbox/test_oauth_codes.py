from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from payman_sdk.sandbox import Sandbox
from tests.sandbox.till import CHALLENGE, VERIFIER, Till, refused, till

_BACK = "https://shop.example/back"


@pytest.fixture
def at() -> Iterator[Till]:
    with till(public_clients=["app"]) as opened:
        yield opened


def test_code_gets_tokens(at: Till) -> None:
    """A code gets an access token that opens the account, and a refresh token for the next one."""
    answer = at.exchange(at.sandbox.issue_code())
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    token = answer.json()
    assert set(token) == {"accessToken", "tokenType", "expiresIn", "scope", "refreshToken"}
    assert token["expiresIn"] == 3600
    assert at.opens(token["accessToken"])


def test_code_in_a_form(at: Till) -> None:
    """A form body serves as well as the query."""
    answer = at.http.post(
        "/api/oauth2/token",
        data={"grant_type": "authorization_code", "code": at.sandbox.issue_code()},
        auth=(at.sandbox.client_id, at.sandbox.client_secret),
    )
    assert answer.status_code == 200


def test_code_is_for_its_scopes(at: Till) -> None:
    """The token allows what the person allowed, whatever the token request says."""
    code = at.sandbox.issue_code(scopes=["read_balance", "read_list_payees"])
    assert at.exchange(code, scope="write_send_payment").json()["scope"] == "read_balance,read_list_payees"


def test_second_use_revokes_what_the_first_got(at: Till) -> None:
    """A code that comes again is refused, and the tokens that it got are worth nothing from then on."""
    code, bystander = at.sandbox.issue_code(), at.exchange(at.sandbox.issue_code()).json()
    token = at.exchange(code).json()
    renewed = at.refresh(token["refreshToken"]).json()
    assert refused(at.exchange(code)) == "invalid_grant"
    assert not at.opens(token["accessToken"])
    assert not at.opens(renewed["accessToken"])
    assert refused(at.refresh(renewed["refreshToken"])) == "invalid_grant"
    assert at.opens(bystander["accessToken"])
    assert at.sandbox.reuse_detected == 0


def test_second_use_is_noticed_late(at: Till) -> None:
    """A code that was used is remembered for longer than it lives: as long as the refresh token that it got."""
    code = at.sandbox.issue_code()
    token = at.exchange(code).json()
    at.wait(3000)
    at.exchange(at.sandbox.issue_code())  # what has ended is cleared away on the way
    assert refused(at.exchange(code)) == "invalid_grant"
    assert not at.opens(token["accessToken"])


def test_code_ends(at: Till) -> None:
    """A code lives for a minute."""
    early, late = at.sandbox.issue_code(), at.sandbox.issue_code()
    at.wait(59.9)
    assert at.exchange(early).status_code == 200
    at.wait(0.1)
    assert refused(at.exchange(late)) == "invalid_grant"


def test_code_lifetime_is_settable() -> None:
    """`code_lifetime` is how long codes live, in seconds."""
    with till(code_lifetime=0.5) as at:
        early, late = at.sandbox.issue_code(), at.sandbox.issue_code()
        at.wait(0.4)
        assert at.exchange(early).status_code == 200
        at.wait(0.1)
        assert refused(at.exchange(late)) == "invalid_grant"


def test_code_is_for_its_client(at: Till) -> None:
    """Another client's code is refused as an unknown one is, and stays good for the client it was made for."""
    code = at.sandbox.issue_code("app", code_challenge=CHALLENGE)
    stranger, unknown = at.exchange(code), at.exchange("nonsense")
    assert refused(stranger) == "invalid_grant"
    assert stranger.json() == unknown.json()
    assert at.exchange(code, public="app", code_verifier=VERIFIER).status_code == 200
    assert refused(at.exchange(code)) == "invalid_grant"
    assert at.outcomes.count("issued") == 1


def test_code_is_for_its_redirect_uri(at: Till) -> None:
    """The redirect URI may be left out, as the published clients do; another one is refused and costs nothing."""
    code = at.sandbox.issue_code(redirect_uri=_BACK)
    assert refused(at.exchange(code, redirect_uri=_BACK + "/")) == "invalid_grant"
    assert at.exchange(code, redirect_uri=_BACK).status_code == 200
    assert at.exchange(at.sandbox.issue_code(redirect_uri=_BACK)).status_code == 200
    assert at.exchange(at.sandbox.issue_code(), redirect_uri=_BACK).status_code == 200


@pytest.mark.parametrize("verifier", [None, "", "w" * 43, VERIFIER + "v", CHALLENGE, "ü\x00"])
def test_code_with_a_challenge_wants_its_verifier(at: Till, verifier: str | None) -> None:
    """A code that was asked for with PKCE is worth nothing without the right verifier, and keeps its worth until then."""
    code = at.sandbox.issue_code(code_challenge=CHALLENGE)
    more = {} if verifier is None else {"code_verifier": verifier}
    assert refused(at.exchange(code, **more)) == "invalid_grant"
    assert at.exchange(code, code_verifier=VERIFIER).status_code == 200


def test_code_without_a_challenge_wants_no_verifier(at: Till) -> None:
    """A verifier with a code that was asked for without PKCE shows that somebody mixed up two requests."""
    assert refused(at.exchange(at.sandbox.issue_code(), code_verifier=VERIFIER)) == "invalid_grant"


def test_code_is_no_token_and_no_token_is_a_code(at: Till) -> None:
    """A code opens no account, refreshes nothing, and the other way round."""
    code = at.sandbox.issue_code()
    assert not at.opens(code)
    assert refused(at.refresh(code)) == "invalid_grant"
    token = at.exchange(code).json()
    for value in (token["accessToken"], token["refreshToken"]):
        assert refused(at.exchange(value)) == "invalid_grant"
    assert refused(at.refresh(token["accessToken"])) == "invalid_grant"
    assert not at.opens(token["refreshToken"])
    assert at.opens(token["accessToken"])


def test_missing_code_is_named(at: Till) -> None:
    """Without a code the request is not in order."""
    answer = at.post(grant_type="authorization_code")
    assert refused(answer) == "invalid_request"
    assert answer.json()["error_description"] == "code is missing"


def test_code_at_once_is_used_once(at: Till) -> None:
    """Of eight requests with one code at the same time one gets tokens, and they are revoked, as somebody has the code too."""
    code, together = at.sandbox.issue_code(), Barrier(8)

    def exchange(_: int) -> dict[str, str]:
        together.wait(60)
        shape: dict[str, str] = at.exchange(code).json()
        return shape

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(exchange, range(8)))
    [token] = [answer for answer in answers if "accessToken" in answer]
    assert [answer.get("error") for answer in answers].count("invalid_grant") == 7
    assert not at.opens(token["accessToken"])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"scopes": []}, "scope is empty"),
        ({"scopes": ["read_everything"]}, "'read_everything' is unknown"),
        ({"redirect_uri": "http://shop.example/"}, "redirect_uri is plain http"),
        ({"redirect_uri": "http://shop.example[::1]/"}, "redirect_uri (is plain http|has no proper host)"),
        ({"redirect_uri": "https://shop.example[::1]/"}, "redirect_uri has no "),
        ({"code_challenge": VERIFIER[1:]}, "code_challenge must be"),
    ],
)
def test_unusable_codes_are_not_issued(shared: Sandbox, settings: dict[str, object], said: str) -> None:
    """A code that no consent page would give is refused with what is wrong."""
    with pytest.raises(ValueError, match=said):
        shared.issue_code(**settings)  # type: ignore[arg-type]
    with pytest.raises(LookupError, match="unknown client nobody"):
        shared.issue_code("nobody")
