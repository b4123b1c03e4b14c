from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest

from payman_api.models.grant_type import GrantType
from payman_sdk._core.auth.grants import AccessToken, IssuedToken, TokenOwner, parse_token_response
from payman_sdk._secrets import SecretStr
from payman_sdk.errors import (
    APIStatusError,
    AuthenticationError,
    RateLimitError,
    ResponseValidationError,
    ServerError,
)
from tests.tables import table

SECRET = "recognisable-access-token"


def answered(document: Any, status: int = 200) -> httpx.Response:
    return httpx.Response(status, json=document)


def test_the_request_of_client_credentials() -> None:
    """The id and the secret travel in the Basic header, the grant type in the query."""
    owner = TokenOwner("pm-test-1", SecretStr("sécret"), "https://agent.payman.dev", has_own_account=True)
    request = owner.build_request(GrantType.CLIENT_CREDENTIALS)
    pair = base64.b64encode("pm-test-1:sécret".encode()).decode()
    assert request == {
        "method": "POST",
        "url": "/api/oauth2/token",
        "params": {"grant_type": "client_credentials"},
        "headers": {"Authorization": f"Basic {pair}"},
    }


def test_the_repr_of_a_grant_and_of_a_token_holds_no_secret() -> None:
    """Neither the client secret nor the value of a token is in a repr."""
    owner = TokenOwner("pm-test-1", SecretStr("s3cret"), "https://agent.payman.dev", has_own_account=True)
    assert "s3cret" not in repr(owner)
    assert SECRET not in repr(
        IssuedToken(AccessToken(SecretStr(SECRET), 3600, 4600), SecretStr(SECRET), None)
    )


@table(
    ("document", "lifetime"),
    [
        ({"accessToken": SECRET, "tokenType": "Bearer", "expiresIn": 3600, "scope": "a,b"}, 3600),
        ({"access_token": SECRET, "token_type": "bearer", "expires_in": 60}, 60),
        ({"accessToken": SECRET, "expiresIn": "120"}, 120),
        ({"accessToken": SECRET, "expiresIn": 0.5}, 0.5),
        ({"accessToken": SECRET}, 3600),
        ({"accessToken": SECRET, "expiresIn": None, "refreshToken": None}, 3600),
        ({"access_token": SECRET}, 3600),
        ({"accessToken": SECRET, "expiresIn": 7, "unlisted": {"a": 1}}, 7),
    ],
)
def test_tokens_that_are_read(document: dict[str, Any], lifetime: float) -> None:
    """A token comes in camelCase or snake_case; without a lifetime it is taken to live an hour from the request on."""
    issued = parse_token_response(answered(document), sent_at=1000)
    assert issued.access_token == (SECRET, lifetime, 1000 + lifetime)
    assert issued.refresh_token is None
    assert issued.scope == document.get("scope")


@table(
    "document",
    [
        None,
        [],
        SECRET,
        {},
        {"token": SECRET},
        {"accessToken": None},
        {"accessToken": 5},
        {"accessToken": [SECRET]},
        {"accessToken": ""},
        {"accessToken": f"{SECRET}\r\nx-evil: 1"},
        {"accessToken": f" {SECRET}"},
        {"accessToken": f"{SECRET}é"},
        *(
            {"accessToken": SECRET, "expiresIn": lifetime}
            for lifetime in (0, -1, "soon", "", "nan", "inf", 10**400, True, [60], {"seconds": 60})
        ),
    ],
)
def test_tokens_that_are_nonsense(document: Any) -> None:
    """An answer without a usable token is refused; the error tells its shape and repeats none of its values."""
    with pytest.raises(ResponseValidationError, match="without a usable token") as caught:
        parse_token_response(answered(document), sent_at=0)
    assert SECRET not in str(caught.value)
    assert caught.value.response is None
    assert caught.value.status_code == 200


def test_the_shape_of_nonsense_is_reported() -> None:
    """The names and types of the members help to find what is wrong."""
    with pytest.raises(ResponseValidationError, match=r": \{accessToken: str, expiresIn: str\}\."):
        parse_token_response(answered({"accessToken": SECRET, "expiresIn": "soon"}), sent_at=0)
    with pytest.raises(ResponseValidationError, match="13 bytes of text/html"):
        parse_token_response(httpx.Response(200, html="<html></html>"), sent_at=0)


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refusal_repeats_the_servers_words(status: int) -> None:
    """A refused grant is an AuthenticationError with the server's `error` and `error_description`."""
    refusal = {"error": "invalid_client", "error_description": "Unknown client, or wrong secret."}
    with pytest.raises(AuthenticationError, match=r"Unknown client, or wrong secret\.") as caught:
        parse_token_response(answered(refusal, status), sent_at=0)
    error = caught.value
    assert (error.error, error.error_description) == ("invalid_client", "Unknown client, or wrong secret.")
    assert error.response is not None
    assert (error.status_code, error.response.json()) == (status, refusal)
    assert "client_secret" in error.next_step


def test_a_spent_code_needs_a_new_one() -> None:
    """Whoever checks the credentials then looks in the wrong place."""
    with pytest.raises(AuthenticationError, match="authorization_url") as caught:
        parse_token_response(answered({"error": "invalid_grant"}, 400), sent_at=0)
    assert "client_secret" not in caught.value.next_step


@table(
    ("answer", "said"),
    [
        (httpx.Response(401), "an empty body"),
        (httpx.Response(401, html="<html>x</html>"), "a web page of 14 bytes"),
        (httpx.Response(401, text="x" * 2000), "… (1,500 more characters)"),
        (answered({"error": "invalid_grant"}, 400), "no access token: invalid_grant."),
        (answered({"error": {"code": 1}}, 400), '{"error":'),
        (answered({"error": "e", "error_description": "d" * 2000}, 400), "… (1,500 more characters)"),
    ],
)
def test_a_refusal_in_other_words(answer: httpx.Response, said: str) -> None:
    """A refusal that is not as OAuth has it is still an AuthenticationError that says what came, in short."""
    with pytest.raises(AuthenticationError) as caught:
        parse_token_response(answer, sent_at=0)
    assert said in str(caught.value)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    ("status", "error_class"),
    [
        (302, APIStatusError),
        (429, RateLimitError),
        (500, ServerError),
        (529, ServerError),
    ],
)
def test_other_error_statuses(status: int, error_class: type[APIStatusError]) -> None:
    """Any other error status is the error of its class, and no word about the credentials."""
    with pytest.raises(error_class, match="issued no access token") as caught:
        parse_token_response(httpx.Response(status), sent_at=0)
    assert type(caught.value) is error_class
    assert caught.value.next_step == ""


@table("status", [404, 405])
def test_a_server_without_a_token_endpoint(status: int) -> None:
    """The error names the setting that leads to such a server, such as the address of the older REST API."""
    with pytest.raises(APIStatusError, match="Check base_url"):
        parse_token_response(httpx.Response(status), sent_at=0)
