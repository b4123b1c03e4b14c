from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from payman_sdk._client.sync import PaymanClient
from payman_sdk.errors import AuthenticationError
from payman_sdk.sandbox import Sandbox, TokenRequest
from tests.sandbox.till import Till, refused, till


@pytest.fixture
def at() -> Iterator[Till]:
    with till(public_clients=["app"]) as opened:
        yield opened


def test_public_client_sends_its_id(at: Till) -> None:
    """A public client gets and renews its tokens with its id as a parameter and nothing else."""
    token = at.exchange_public("app").json()
    assert at.opens(token["accessToken"])
    assert at.refresh(token["refreshToken"], public="app").status_code == 200


def test_public_client_has_no_account_of_its_own_credentials(at: Till) -> None:
    """Client credentials are for those who have some."""
    answer = at.post(grant_type="client_credentials", public="app")
    assert refused(answer) == "unauthorized_client"


def test_confidential_client_shows_its_secret(at: Till) -> None:
    """A client that has a secret is nobody without it, whatever it asks for; a secret as a parameter is none."""
    own = at.sandbox.client_id
    code = at.sandbox.issue_code()
    for answer in (
        at.post(public=own, grant_type="client_credentials"),
        at.exchange(code, public=own),
        at.exchange(code, public=own, client_secret=at.sandbox.client_secret),
        at.refresh("x", public=own),
        at.exchange(code, public="nobody"),
    ):
        assert refused(answer) == "invalid_client"
        assert answer.headers["www-authenticate"].startswith("Basic")
    assert at.exchange(code).status_code == 200


@pytest.mark.parametrize("secret", ["", "anything"])
def test_public_client_has_no_secret_to_show(at: Till, secret: str) -> None:
    """A Basic header never opens for a client without a secret, an empty one included."""
    answer = at.http.post(
        "/api/oauth2/token",
        params={"grant_type": "authorization_code", "code": at.sandbox.issue_code("app")},
        auth=("app", secret),
    )
    assert refused(answer) == "invalid_client"


def test_sandboxes_own_client_has_a_secret() -> None:
    """The sandbox's own client is the first that has a secret, and one is made where none has."""
    mixed = Sandbox(clients={"app": None, "shop": "s3cret"})
    assert (mixed.client_id, mixed.client_secret) == ("shop", "s3cret")
    assert Sandbox(clients={"app": None}).client_id not in ("app", "")
    assert mixed.balance(client_id="app") == 1000


def test_public_clients_are_registered_while_it_serves(at: Till) -> None:
    """One more public client may come later; a client that becomes public loses its secret, and the other way round."""
    made = at.sandbox.add_public_client()
    assert made.startswith("pm-test-")
    assert at.exchange_public(made).status_code == 200
    at.sandbox.add_client(made, "s3cret")
    assert refused(at.exchange(at.sandbox.issue_code(made), public=made)) == "invalid_client"
    at.sandbox.add_public_client(at.sandbox.client_id)
    assert refused(at.post(grant_type="client_credentials")) == "invalid_client"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"public_clients": [""]}, "public_clients: an id may not be empty"),
        ({"public_clients": ["a"], "clients": {"a": "s"}}, "public_clients: a has a secret in clients"),
    ],
)
def test_impossible_public_clients_are_refused(settings: dict[str, Any], said: str) -> None:
    """A client without an id, and one that is public and not, are refused when the sandbox is made."""
    with pytest.raises(ValueError, match=said):
        Sandbox(**settings)


def test_one_public_client_may_be_a_string() -> None:
    """A single id is one client and not a client for each letter."""
    assert Sandbox(public_clients="app").balance(client_id="app") == 1000


def test_token_requests_are_counted_and_hold_no_secret(at: Till) -> None:
    """Every token request is noted with who asked how and what came of it, and with nothing that is secret or made up."""
    own, secret = at.sandbox.client_id, at.sandbox.client_secret
    code = at.sandbox.issue_code()
    token = at.exchange(code).json()
    at.refresh(token["refreshToken"])
    at.refresh(token["refreshToken"])
    at.post(grant_type="client_credentials", public="app")
    at.post(grant_type=secret)
    at.post(grant_type="client_credentials", client_id=secret)
    at.post(grant_type="client_credentials", public=secret)
    at.http.post("/api/oauth2/token?grant_type=%ff")
    assert at.sandbox.token_requests == [
        TokenRequest("authorization_code", own, "issued"),
        TokenRequest("refresh_token", own, "issued"),
        TokenRequest("refresh_token", own, "invalid_grant"),
        TokenRequest("client_credentials", "app", "unauthorized_client"),
        TokenRequest(None, own, "unsupported_grant_type"),
        TokenRequest("client_credentials", None, "invalid_request"),
        TokenRequest("client_credentials", None, "invalid_client"),
        TokenRequest(None, None, "invalid_request"),
    ]


def test_noted_requests_are_a_copy(at: Till) -> None:
    """What a test does with the list changes nothing in the sandbox."""
    at.post()
    at.sandbox.token_requests.clear()
    assert len(at.sandbox.token_requests) == 1


def test_issued_token_is_what_with_token_takes(at: Till) -> None:
    """`issue_token` gives a token in the API's spelling, which a client takes, uses and renews."""
    info = at.sandbox.issue_token("app", scopes=["read_balance"], lifetime=90)
    assert set(info) == {"accessToken", "tokenType", "expiresIn", "scope", "refreshToken"}
    assert (info["tokenType"], info["expiresIn"], info["scope"]) == ("Bearer", 90, "read_balance")
    with PaymanClient.with_token("app", info, base_url=at.sandbox.base_url) as client:
        assert "1,000.00 TSD" in client.ask("how much money do I have?").text
        assert at.outcomes == []
        at.sandbox.revoke_tokens("app")
        assert "1,000.00 TSD" in client.ask("how much money do I have?").text
    assert at.sandbox.token_requests == [TokenRequest("refresh_token", "app", "issued")]


def test_issued_token_without_refresh_and_with_a_lifetime(at: Till) -> None:
    """A token may be issued without a refresh token, and with a lifetime of its own."""
    token = at.sandbox.issue_token(lifetime=5, refresh=False)
    assert "refreshToken" not in token
    at.wait(4.9)
    assert at.opens(str(token["accessToken"]))
    at.wait(0.1)
    assert not at.opens(str(token["accessToken"]))


def test_unusable_tokens_are_not_issued(shared: Sandbox) -> None:
    """A lifetime, a scope or a client that cannot be is refused with what is wrong."""
    with pytest.raises(ValueError, match=r"^lifetime must be above 0"):
        shared.issue_token(lifetime=0)
    with pytest.raises(ValueError, match="'x' is unknown; known are read_balance"):
        shared.issue_token(scopes=["x"])
    with pytest.raises(LookupError, match="unknown client nobody"):
        shared.issue_token("nobody")
    with pytest.raises(LookupError, match="unknown client nobody"):
        shared.revoke_tokens("nobody")


def test_revoking_ends_access_tokens(at: Till) -> None:
    """`revoke_tokens` ends the access tokens of one client or of all; refresh tokens too where it is told to."""
    own, app = at.sandbox.issue_token(), at.sandbox.issue_token("app")
    at.sandbox.revoke_tokens("app")
    assert at.opens(str(own["accessToken"]))
    assert not at.opens(str(app["accessToken"]))
    renewed = at.refresh(str(app["refreshToken"]), public="app").json()
    at.sandbox.revoke_tokens()
    assert not at.opens(str(own["accessToken"]))
    assert not at.opens(renewed["accessToken"])
    at.sandbox.revoke_tokens(refresh=True)
    assert refused(at.refresh(str(own["refreshToken"]))) == "invalid_grant"
    assert refused(at.refresh(renewed["refreshToken"], public="app")) == "invalid_grant"
    assert at.sandbox.reuse_detected == 0
    assert at.post(grant_type="client_credentials").status_code == 200


def test_client_of_a_revoked_person_has_to_ask_again(at: Till) -> None:
    """When the refresh token is gone too, the SDK's client says to authorize again."""
    info = at.sandbox.issue_token("app")
    with PaymanClient.with_token("app", info, base_url=at.sandbox.base_url) as client:
        at.sandbox.revoke_tokens(refresh=True)
        with pytest.raises(AuthenticationError, match="Authorize again"):
            client.ask("hello")


def test_async_client_is_connected(at: Till) -> None:
    """`async_client()` gives an AsyncPaymanClient that talks to this sandbox."""

    async def pay() -> str:
        async with at.sandbox.async_client(name="test") as client:
            return (await client.ask("send 10 TSD to Test Payee")).text

    assert asyncio.run(pay()).startswith("Sent **10.00 TSD**")
    assert at.sandbox.balance() == 990


def test_older_database_is_left_alone(tmp_path: Path) -> None:
    """A database of the version before this one is refused with what to do, and not written to."""
    db = tmp_path / "older.db"
    connection = sqlite3.connect(db)
    connection.execute("CREATE TABLE tokens (digest)")
    connection.execute(f"PRAGMA application_id = {0x5041594D}")
    connection.execute("PRAGMA user_version = 1")
    connection.close()
    before = db.read_bytes()
    with pytest.raises(ValueError, match="another version's; choose another file"):
        Sandbox(db=db)
    assert db.read_bytes() == before
