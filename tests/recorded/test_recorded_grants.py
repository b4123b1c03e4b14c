from __future__ import annotations

import pytest

from payman_sdk import PaymanClient, authorization_url
from payman_sdk.errors import AuthenticationError
from tests.recorded.conftest import Server

sandbox_only = pytest.mark.sandbox_only
BALANCE = "what's my TSD wallet balance?"


def test_client_credentials(server: Server) -> None:
    """The first ask of an application gets a token, and the second uses it."""
    client = server.client()
    assert client.ask(BALANCE).status == "completed"
    assert client.ask(BALANCE).status == "completed"


@sandbox_only
def test_authorization_code(server: Server) -> None:
    """A person's code is exchanged at once, and the client asks in the person's name."""
    code = server.meanwhile(lambda sandbox: sandbox.issue_code()) or "a-code"
    client = server.keep(PaymanClient.with_auth_code(server.config, code))
    assert client.get_refresh_token()
    assert client.ask(BALANCE).status == "completed"


@sandbox_only
def test_authorization_code_with_pkce(server: Server) -> None:
    """With PKCE the verifier and the redirect URI go with the code."""
    asked = authorization_url("pm-test-recorded", "https://shop.example/back", ["read_balance"])
    code = server.meanwhile(
        lambda sandbox: sandbox.issue_code(
            redirect_uri=asked.redirect_uri, scopes=["read_balance"], code_challenge=_challenge(asked.url)
        )
    )
    client = PaymanClient.with_auth_code(
        server.config, code or "a-code", redirect_uri=asked.redirect_uri, code_verifier=asked.code_verifier
    )
    assert server.keep(client).ask(BALANCE).status == "completed"


@sandbox_only
def test_refresh_token(server: Server) -> None:
    """A refresh token gets an access token, and the one that came with it gets the next."""
    issued = server.meanwhile(lambda sandbox: sandbox.issue_token())
    client = PaymanClient.with_token(
        server.config, {"refreshToken": issued["refreshToken"] if issued else "a"}
    )
    first = server.keep(client).get_refresh_token()
    assert client.ask(BALANCE).status == "completed"
    second = client.get_refresh_token()
    server.meanwhile(lambda sandbox: sandbox.revoke_tokens())
    assert client.ask(BALANCE).status == "completed"
    assert len({first, second, client.get_refresh_token()}) == 3


@sandbox_only
def test_public_client(server: Server) -> None:
    """An application without a secret names itself in the query, and sends no Basic header."""
    server.meanwhile(lambda sandbox: sandbox.add_public_client("pm-test-public"))
    issued = server.meanwhile(lambda sandbox: sandbox.issue_token("pm-test-public"))
    config = server.config.copy()
    config["client_id"], config["client_secret"] = "pm-test-public", None
    client = PaymanClient.with_token(config, {"refreshToken": issued["refreshToken"] if issued else "a"})
    assert server.keep(client).ask(BALANCE).status == "completed"


@sandbox_only
def test_token_that_is_there_already(server: Server) -> None:
    """A token that the program has is used, and none is asked for."""
    issued = server.meanwhile(lambda sandbox: sandbox.issue_token(refresh=False))
    token = {"accessToken": issued["accessToken"] if issued else "a", "expiresIn": 3600}
    client = server.keep(PaymanClient.with_token(server.config, token))
    assert client.ask(BALANCE).status == "completed"


@sandbox_only
def test_renewal_after_a_refusal(server: Server) -> None:
    """A token that is refused is replaced, and the ask is sent again."""
    client = server.client()
    assert client.ask(BALANCE).status == "completed"
    server.meanwhile(lambda sandbox: sandbox.revoke_tokens())
    assert client.ask(BALANCE).status == "completed"


def test_refused_credentials(server: Server) -> None:
    """A wrong secret is refused by the token endpoint, and nothing is asked."""
    client = server.client(client_secret="wrong-secret-of-nobody")
    with pytest.raises(AuthenticationError) as caught:
        client.ask(BALANCE)
    assert (caught.value.status_code, caught.value.error) == (401, "invalid_client")


def test_refused_refresh_token(server: Server) -> None:
    """A refresh token that is good for nothing ends the authorization; nothing stands in for it."""
    client = server.keep(PaymanClient.with_token(server.config, {"refreshToken": "good-for-nothing"}))
    with pytest.raises(AuthenticationError) as caught:
        client.ask(BALANCE)
    assert caught.value.error == "invalid_grant"


def test_refused_code(server: Server) -> None:
    """A code that is good for nothing is refused when the client is made."""
    with pytest.raises(AuthenticationError) as caught:
        PaymanClient.with_auth_code(server.config, "good-for-nothing")
    assert caught.value.error == "invalid_grant"


def _challenge(url: str) -> str:
    return url.partition("code_challenge=")[2].partition("&")[0]
