"""Who a client acts for: tokens and codes as they are given, where they come from, and what they allow."""

from __future__ import annotations

from typing import Any

import pytest

from payman_api import SERVERS
from payman_sdk._client.environment import FoundSetting, check_sources, is_payman_url
from payman_sdk._core.auth.authorization import authorization_url, parse_redirect
from payman_sdk._core.auth.credentials import check_code, check_parameter, read_token_info
from payman_sdk._core.auth.grants import TokenOwner, is_read_only
from payman_sdk._secrets import SecretStr
from payman_sdk._url import format_url
from payman_sdk.errors import AuthenticationError, ConfigurationError
from tests.tables import table


@table(
    "given, expected",
    [
        ({"accessToken": "a", "expiresIn": 60}, ("a", 60.0, None, None)),
        ({"access_token": "a", "expires_in": 60, "refresh_token": "r"}, ("a", 60.0, "r", None)),
        (
            {"accessToken": "a", "access_token": "b", "expiresIn": 60, "expires_in": 70},
            ("a", 60.0, None, None),
        ),
        (
            {"accessToken": None, "access_token": "b", "expiresIn": 0, "expires_in": 70},
            ("b", 0.0, None, None),
        ),
        ({"accessToken": "a", "refreshToken": "r"}, (None, 0.0, "r", None)),
        ({"refreshToken": "r"}, (None, 0.0, "r", None)),
        ({"refreshToken": "r", "expiresIn": 60, "accessToken": " "}, (None, 0.0, "r", None)),
        ({"accessToken": " a ", "refreshToken": " ", "expiresIn": 1.5}, ("a", 1.5, None, None)),
        ({"accessToken": "a", "expiresIn": "60"}, ("a", 60.0, None, None)),
        ({"accessToken": "a", "expiresIn": "999999999"}, ("a", 999_999_999.0, None, None)),
        ({"accessToken": "a", "expiresIn": 3.19e9}, ("a", 3.19e9, None, None)),
        ({"accessToken": "a", "expiresIn": 60, "scope": "read_balance"}, ("a", 60.0, None, "read_balance")),
        ({"accessToken": "a", "expiresIn": 60, "scope": ["read_balance"]}, ("a", 60.0, None, None)),
    ],
)
def test_a_token_as_programs_keep_it(given: Any, expected: tuple[Any, ...]) -> None:
    """In either spelling; without a lifetime, an access token is worth nothing beside a refresh token."""
    token = read_token_info(given)
    assert token == expected
    assert all(one is None or isinstance(one, SecretStr) for one in (token.access_token, token.refresh_token))


ODD_NUMBERS: list[Any] = [True, -1, 3.2e9, float("nan"), float("inf"), "", "x", "1.5", "1000000000", "²", []]


@table(
    "given, said",
    [
        (None, "token_info is a NoneType"),
        ("a", "token_info is a str"),
        ({}, "token_info holds no token"),
        ({"accessToken": " ", "expiresIn": 60}, "holds no token"),
        ({"accessToken": 5, "expiresIn": 60}, "accessToken is an int"),
        ({"accessToken": "a", "refresh_token": [], "expiresIn": 60}, "refreshToken is a list"),
        ({"accessToken": "ä", "expiresIn": 60}, "accessToken cannot be sent in a header"),
        ({"accessToken": "a\nb", "expiresIn": 60}, "accessToken cannot be sent in a header"),
        ({"refreshToken": "\x7f"}, "refreshToken cannot be sent in a header"),
        ({"accessToken": "a"}, "expiresIn is missing"),
        *(
            ({"accessToken": "a", "refreshToken": "r", "expiresIn": odd}, "expiresIn is not a number")
            for odd in ODD_NUMBERS
        ),
    ],
)
def test_a_token_that_is_none_is_refused(given: Any, said: str) -> None:
    """And none of its values is repeated."""
    with pytest.raises(ConfigurationError, match=said) as raised:
        read_token_info(given)
    assert raised.value.next_step


def test_a_code_as_it_came() -> None:
    """White space around it is none of it; what comes with it may be missing, and stays a secret where it is one."""
    for code in ("abc", " abc\n"):
        assert check_code(code) == "abc" and isinstance(check_code(code), SecretStr)
    for missing in (None, 5, b"abc", "", " \n"):
        with pytest.raises(ConfigurationError, match="auth_code is missing or blank"):
            check_code(missing)
    with pytest.raises(ConfigurationError, match="auth_code cannot be sent"):
        check_code("a\nb")
    for whole in ("https://shop.example/back?code=abc", SecretStr("https://shop.example/back?code=abc")):
        with pytest.raises(ConfigurationError, match="auth_code is an address"):
            check_code(whole)
    assert check_parameter(None, "state") is None
    assert check_parameter(" x ", "state") == "x"
    assert isinstance(check_parameter(SecretStr("x"), "code_verifier"), SecretStr)
    odd_ones: list[Any] = ["", " ", "ä", "a\nb", 5, b"x", []]
    for odd in odd_ones:
        with pytest.raises(ConfigurationError, match="state cannot be sent"):
            check_parameter(odd, "state")


PAYMAN = next(iter(SERVERS.values()))


@table(
    "server, is_from_file, credentials, is_refused",
    [
        *((one, True, (False, True), False) for one in SERVERS.values()),
        (f"{PAYMAN}/", False, (True,), False),
        (f"{PAYMAN}//", False, (True,), True),
        (f"{PAYMAN}.evil.example", False, (True,), True),
        (PAYMAN.replace("https", "http"), False, (True,), True),
        ("https://evil.example", True, (False,), True),
        ("https://evil.example", False, (True,), True),
        ("https://evil.example", True, (True, None, False), True),
        ("https://own.example", True, (True, True), False),
        ("https://own.example", False, (False, None), False),
        ("https://own.example", False, (None,), False),
    ],
)
def test_a_file_in_the_directory_sends_no_credentials_elsewhere(
    server: str, is_from_file: bool, credentials: tuple[bool | None, ...], is_refused: bool
) -> None:
    """Only whoever gave the credentials may name another server than Payman's for them."""
    found = [None if one is None else FoundSetting("s3cret", "a source", one) for one in credentials]
    place = FoundSetting(server, "a place", is_from_file)
    assert is_payman_url(server) is (server in (*SERVERS.values(), f"{PAYMAN}/"))
    if not is_refused:
        check_sources(place, *found)
        return
    with pytest.raises(
        ConfigurationError, match=r"from a place, gets no credentials.*there is a source"
    ) as raised:
        check_sources(place, *found)
    assert server in str(raised.value) and "s3cret" not in str(raised.value)


def test_what_messages_show_of_settings() -> None:
    """No value, which may be a secret, and no letter that looks like another."""
    assert FoundSetting("s3cret", "the environment").is_from_file is False
    assert repr(FoundSetting("s3cret", "the environment")) == "FoundSetting(source='the environment')"
    assert format_url("https://p\u0430yman.example") == "https://p\\u0430yman.example"


def test_an_owner_is_named_with_the_account_it_acts_for() -> None:
    """A person's token is never taken for the application's, nor that of another server."""
    own = TokenOwner("pm-1", None, "https://payman.example", has_own_account=True)
    assert own.name == "pm-1 at https://payman.example"
    assert own._replace(has_own_account=False).name == "pm-1 for a person at https://payman.example"


@table(
    "scope, expected",
    [
        ("read_balance", True),
        ("read_balance,read_list_wallets", True),
        ("read_balance read_list_wallets", True),
        ("read_balance, read_list_wallets ", True),
        ("read_balance write_send_payment", False),
        ("write_send_payment,read_balance", False),
        ("write_send_payment", False),
        ("read_everything", False),
        ("read_", False),
        ("READ_BALANCE", False),
        ("", False),
        (" , ", False),
        (None, False),
    ],
)
def test_a_token_that_can_only_read(scope: str | None, expected: bool) -> None:
    """Only of scopes that are listed, and all read; not of one that is made tomorrow."""
    assert is_read_only(scope) is expected


def test_chance_of_a_request_for_authorization() -> None:
    """State and verifier are as long as nobody guesses, and RFC 7636 allows; the verifier is not shown."""
    request = authorization_url("pm-1", "https://shop.example/back", ["read_balance"])
    assert request.code_verifier not in repr(request) and request.state not in repr(request)
    assert repr(request) == "AuthorizationRequest(redirect_uri='https://shop.example/back')"
    assert (len(request.state), len(request.code_verifier)) == (43, 64)


def test_a_code_is_sent_to_no_address_that_a_browser_carries_out() -> None:
    """Nor to one that is none."""
    schemes = ("javascript", "data", "file", "blob", "about", "vbscript", "JavaScript")
    for uri in (
        *(f"{scheme}://shop.example/back" for scheme in schemes),
        "//shop.example",
        "https://[",
        5,
        "\ud800",
    ):
        with pytest.raises(ConfigurationError, match="redirect_uri must be an absolute address"):
            authorization_url("pm-1", uri, ["read_balance"])  # type: ignore[arg-type]


def test_a_parameter_that_is_there_twice_is_none() -> None:
    """Also where one of them is empty; and a refusal without a word is one."""
    for query in ("code=&code=abc", "code=abc&code=", "code=abc&code=abc", "code=", ""):
        with pytest.raises(AuthenticationError, match="holds no code"):
            parse_redirect(f"/back?{query}&state=s", state="s")
    with pytest.raises(AuthenticationError, match="refused"):
        parse_redirect("/back?code=abc&error=&state=s", state="s")
    for query in ("code=abc&state=s&state=", "code=abc&state=&state=s"):
        with pytest.raises(AuthenticationError, match="another request"):
            parse_redirect(f"/back?{query}", state="s")
