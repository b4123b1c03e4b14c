from __future__ import annotations

import base64
import gzip
import html
import json
import zlib
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, urlencode, urlsplit

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from payman_api import ACCESS_TOKEN_HEADER, PATHS
from payman_sdk._config import read_headers
from payman_sdk._secrets import SecretStr
from payman_sdk.testing._redaction.scrubber import Scrubber
from payman_sdk.testing._redaction.secret_names import PLACEHOLDER
from tests.tables import table

TOKEN_PATH = PATHS["create_token"]
ACCESS = "at-7f3c0b9e51d84a6c"
REFRESH = "rt/41+0c=5d é"
SECRET = "cs_9d1e'0b\"7f&3c"
CLIENT = "pm-test-4711"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4MTIzNDU2Nzg5In0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # pragma: allowlist secret


def basic(client_id: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


# Headers


def test_headers_that_say_nothing_of_the_exchange_are_dropped() -> None:
    """Cookies, the program's name, dates and lengths are dropped; what a client acts on is kept, in its spelling."""
    headers = {
        "Content-Type": "application/json",
        "Retry-After": ["3"],
        "Set-Cookie": ["session=s3cret"],
        "User-Agent": "python",
        "Content-Length": "12",
        "Date": ["today"],
        "X-Request-Id": ["1"],
    }
    assert Scrubber().scrub_headers(headers) == {"Content-Type": "application/json", "Retry-After": ["3"]}


def test_headers_with_credentials_have_placeholders() -> None:
    """The access token and both halves of Basic credentials are replaced, and a second scrubbing changes nothing."""
    scrubber = Scrubber()
    headers = {ACCESS_TOKEN_HEADER.upper(): ACCESS, "Authorization": basic(CLIENT, SECRET)}
    scrubbed = scrubber.scrub_headers(headers)
    assert scrubbed == {
        ACCESS_TOKEN_HEADER.upper(): "SCRUBBED-access-token-1",
        "Authorization": "Basic SCRUBBED-client-id-1:SCRUBBED-client-secret-1",
    }
    assert scrubber.scrub_headers(scrubbed) == scrubbed
    assert Scrubber().scrub_headers(scrubbed) == scrubbed


def test_the_secret_of_a_header_that_is_dropped_is_scrubbed_elsewhere() -> None:
    """Of each that the client keeps as a secret, and of cookies in either direction; of no other."""
    names = [
        "X-Session",
        "X-Authentication",
        "X-Sign",
        "X-Bypass",
        "X-Cookie",
        "X-Gateway-Key",
        "X-Pwd",
        "X-Jwt-2",
    ]
    for number, name in enumerate(names):
        secret = f"zq7fK2mWx91LbVt{number}"
        assert isinstance(read_headers({name: secret}, "default_headers")[name.lower()], SecretStr)
        for value in (secret, secret.encode(), [secret]):
            scrubber = Scrubber()
            assert secret not in str(scrubber.scrub_headers({name: value}))
            assert secret not in scrubber.scrub_text(f'{{"message": "unknown caller {secret}"}}'), name
            assert scrubber.find_leaks(f"unknown caller {secret}")
    scrubber = Scrubber()
    scrubber.scrub_headers(
        {"Cookie": 'lang=en-US; a="first-secret"; second-secret', "X-Team": "payments-team"}
    )
    with scrubber.reading_answer():
        scrubber.scrub_headers({"Set-Cookie": ["b=third-secret; Path=/some/path; Expires=Wed, 21 Oct 2026"]})
    said = "en-US payments-team /some/path Wed, 21 Oct 2026"
    assert scrubber.scrub_text(said) == said
    assert "secret" not in scrubber.scrub_text("first-secret second-secret third-secret")


@table(
    ("value", "scrubbed"),
    [
        (f"Bearer {ACCESS}", "Bearer SCRUBBED-access-token-1"),
        ("bearer short", "bearer SCRUBBED-access-token-1"),
        ("nothing-but-a-key", "SCRUBBED-authorization-1"),
        ("Digest user=1", "Digest SCRUBBED-authorization-1"),
        ("Basic !!!", "Basic SCRUBBED-authorization-1"),
        (basic(CLIENT, ""), "Basic SCRUBBED-client-id-1:"),
        ("", ""),
    ],
)
def test_authorization_of_any_scheme_is_replaced(value: str, scrubbed: str) -> None:
    """Whatever the scheme, nothing is left of the credentials; and it stays so."""
    scrubber = Scrubber()
    assert scrubber.scrub_headers({"authorization": value}) == {"authorization": scrubbed}
    assert scrubber.scrub_headers({"authorization": scrubbed}) == {"authorization": scrubbed}


def test_a_challenge_is_not_a_credential() -> None:
    """What a server says it wants stays readable."""
    for challenge in (
        'Bearer realm="payman", error="invalid_token", error_description="The token expired."',
        'Bearer error_description="expired-401"',
    ):
        assert Scrubber().scrub_headers({"www-authenticate": challenge}) == {"www-authenticate": challenge}
        assert Scrubber().find_leaks(challenge) == []


# Addresses, forms and redirects


@table(
    ("name", "kind"),
    [
        ("refresh_token", "refresh-token"),
        ("refreshToken", "refresh-token"),
        ("REFRESH_TOKEN", "refresh-token"),
        ("access_token", "access-token"),
        ("code", "code"),
        ("code_verifier", "code-verifier"),
        ("client_secret", "client-secret"),
        ("client_id", "client-id"),
        ("id_token", "id-token"),
        ("password", "password"),
        ("api-key", "api-key"),
        ("authToken", "token"),
        ("auth_token", "token"),
        ("session_token", "token"),
        ("api_token", "token"),
        ("subject_token", "token"),
        ("secretKey", "secret-key"),
        ("webhook_secret", "secret"),
        ("authorization_code", "code"),
        ("passphrase", "password"),
        ("credentials", "credential"),
        ("my_jwt", "jwt"),
    ],
)
def test_secret_parameters_are_replaced_in_addresses_and_forms(name: str, kind: str) -> None:
    """A parameter with a secret name has a placeholder, and the others stay as they were encoded."""
    query = f"a=%7e+1&{quote(name)}={quote_plus(REFRESH)}&b=%7E"
    expected = f"a=%7e+1&{name}=SCRUBBED-{kind}-1&b=%7E"
    assert Scrubber().scrub_uri(f"https://agent.payman.ai{TOKEN_PATH}?{query}").endswith(f"?{expected}")
    assert Scrubber().scrub_uri(f"https://x/back#{query}") == f"https://x/back#{expected}"
    assert Scrubber().scrub_body(query.encode(), "application/x-www-form-urlencoded") == expected.encode()
    location = {"location": [f"https://x/back?{query}"]}
    assert Scrubber().scrub_headers(location) == {"location": [f"https://x/back?{expected}"]}


@table(
    ("body", "scrubbed"),
    [
        ("/in?next=%2Fcb%3Fcode%3D§%26state%3D1&a=%7e", "/in?next=%2Fcb%3Fcode%3D$code-1%26state%3D1&a=%7e"),
        (
            "url=https%3A%2F%2Fx%2F%3Faccess_token%3D§",
            "url=https%3A%2F%2Fx%2F%3Faccess_token%3D$access-token-1",
        ),
        ("data=%7B%22password%22%3A%22§%22%7D", "data=%7B%22password%22%3A%22$password-1%22%7D"),
        ("a=%257B&b=%20c%", "a=%257B&b=%20c%"),
        ("{'api_key': b'§'}", "{'api_key': b'$api-key-1'}"),
        (
            '--B\r\nContent-Disposition: form-data; name="client_secret"\r\nContent-Type: a/b\r\n\r\n§\r\n--B--',
            '--B\r\nContent-Disposition: form-data; name="client_secret"\r\nContent-Type: a/b\r\n\r\n$client-secret-1\r\n--B--',
        ),
        ("form-data; name=password\n\n§\n--B--", "form-data; name=password\n\n$password-1\n--B--"),
    ],
)
def test_secrets_are_replaced_inside_of_other_values(body: str, scrubbed: str) -> None:
    """An address or a document that is the value of a parameter, and fields of multipart/form-data."""
    scrubber, expected = Scrubber(), scrubbed.replace("$", "SCRUBBED-")
    assert scrubber.scrub_body(body.replace("§", ACCESS).encode()) == expected.encode()
    assert scrubber.find_leaks_in_body(expected) == []
    assert Scrubber().scrub_body(expected.encode()) == expected.encode()
    if "§" in body and "code" not in body:  # which is a secret only where it is scrubbed
        assert Scrubber().find_leaks_in_body(body.replace("§", ACCESS))


@table(
    ("address", "scrubbed"),
    [
        ("http://127.0.0.1:40123/x?y=1", "http://127.0.0.1/x?y=1"),
        ("http://localhost:1", "http://localhost"),
        ("http://[::1]:8642/", "http://[::1]/"),
        ("https://agent.payman.ai:8443/x", "https://agent.payman.ai:8443/x"),
        ("https://me:s3cret-pass@x.test/a", "https://x.test/a"),
        ("https://x.test?to=a@x.test", "https://x.test?to=a@x.test"),
        (
            "https://x.test/a?redirect_uri=http%3A%2F%2F127.0.0.1%3A5312%2Fcallback",
            "https://x.test/a?redirect_uri=http%3A%2F%2F127.0.0.1%2Fcallback",
        ),
    ],
)
def test_ports_of_this_machine_and_users_are_dropped(address: str, scrubbed: str) -> None:
    """A recording does not change with a free port, and an address holds nobody's password."""
    assert Scrubber().scrub_uri(address) == scrubbed


# Bodies


@pytest.mark.parametrize("accessToken", ["accessToken", "access_token", "ACCESS_TOKEN"])
def test_members_are_replaced_at_any_depth(accessToken: str) -> None:  # noqa: N803 # the member's own name
    """In JSON, in an event stream, in a document in a string, and in the text of a Python dict."""
    document = {"a": [{"b": {accessToken: ACCESS, "expiresIn": 3600}}], "n": 1.50}
    expected = json.dumps(document).replace(ACCESS, "SCRUBBED-access-token-1")
    for written, wanted in [
        (json.dumps(document), expected),
        (f"id: 1\ndata: {json.dumps(document)}\n\n", f"id: 1\ndata: {expected}\n\n"),
        (json.dumps({"text": json.dumps(document)}), json.dumps({"text": expected})),
        (str(document), str(document).replace(ACCESS, "SCRUBBED-access-token-1")),
    ]:
        assert Scrubber().scrub_body(written.encode()) == wanted.encode()


def test_what_is_not_a_secret_stays_to_the_byte() -> None:
    """Numbers, order, spacing and escapes of JSON come through; nothing is written anew."""
    body = b'{"b": 1000.00,\r\n "a":"\\u00e9 \\/ \xc3\xa9", "big": 12345678901234567890.10, "b": null}'
    assert Scrubber().scrub_body(body, "application/json") == body
    assert Scrubber().scrub_body(b"\xff\x00\x80", "image/png") == b"\xff\x00\x80"


def test_a_code_is_a_secret_in_oauth_only() -> None:
    """The code of a JSON-RPC error, an HTTP status or a refusal stays; an authorization code does not."""
    error = '{"error": {"code": -32603, "data": {"code": "insufficient_funds"}}}'
    assert Scrubber().scrub_text(error) == error
    grant = '{"grant_type": "authorization_code", "code": "abc"}'
    assert Scrubber().scrub_text(grant) == grant.replace("abc", "SCRUBBED-code-1")
    assert Scrubber().scrub_text("see https://x/back?code=abc") == "see https://x/back?code=SCRUBBED-code-1"
    assert Scrubber().scrub_text("exit code=1") == "exit code=1"


def test_a_token_of_no_kind_is_a_secret_unless_it_is_money() -> None:
    """A member named token is a secret where it is as long as one."""
    text = f'{{"token": "USDC", "inner": {{"token": "{ACCESS}"}}}} and token={ACCESS}'
    assert Scrubber().scrub_text(text) == text.replace(ACCESS, "SCRUBBED-token-1")
    assert Scrubber().find_leaks(text) != [] == Scrubber().find_leaks('{"token": "USDC"}')


def test_credentials_are_known_by_their_looks() -> None:
    """In any text: a bearer token, Basic credentials, a JSON Web Token; prose about them stays."""
    scrubber = Scrubber()
    text = f"sent Bearer {ACCESS}, {basic(CLIENT, SECRET)} and {JWT}."
    assert scrubber.scrub_text(text) == (
        "sent Bearer SCRUBBED-access-token-1, Basic SCRUBBED-client-id-1:SCRUBBED-client-secret-1"
        " and SCRUBBED-jwt-1."
    )
    prose = "Use Bearer authentication or Basic authentication; the password is yours."
    assert scrubber.scrub_text(prose) == prose
    assert scrubber.find_leaks(prose) == []


# One secret, one placeholder


def test_the_same_secret_is_the_same_placeholder_everywhere() -> None:
    """Two tokens stay two, and one stays one, in the order in which they appear."""
    scrubber = Scrubber()
    scrubber.scrub_body(b'{"accessToken": "token-number-one", "refreshToken": "refresh-number-one"}')
    scrubber.scrub_body(b'{"accessToken": "token-number-two", "refreshToken": "refresh-number-one"}')
    assert scrubber.scrub_headers({ACCESS_TOKEN_HEADER: "token-number-two"}) == {
        ACCESS_TOKEN_HEADER: "SCRUBBED-access-token-2"
    }
    assert scrubber.scrub_text("token-number-one") == "SCRUBBED-access-token-1"
    assert scrubber.scrub_uri("https://x/?refresh_token=refresh-number-one").endswith(
        "=SCRUBBED-refresh-token-1"
    )


def test_a_loaded_placeholder_keeps_its_number() -> None:
    """What is new gets a higher number than any that was found."""
    scrubber = Scrubber()
    scrubber.scrub_text('{"accessToken": "SCRUBBED-access-token-7"}')
    assert scrubber.scrub_text('{"accessToken": "brand-new"}') == '{"accessToken": "SCRUBBED-access-token-8"}'
    assert scrubber.new_placeholders == {"SCRUBBED-access-token-8"}
    scrubber.scrub_headers({"authorization": "Basic SCRUBBED-client-id-3:SCRUBBED-client-secret-3"})
    assert scrubber.scrub_uri("https://x/?client_id=me").endswith("=SCRUBBED-client-id-4")


def test_a_secret_that_looks_like_a_part_of_a_placeholder_spoils_none() -> None:
    """Nothing is replaced within placeholders."""
    scrubber = Scrubber()
    scrubber.scrub_headers({"authorization": basic("SCRUBBED", "access-token")})
    assert scrubber.scrub_text('{"accessToken": "x"}') == '{"accessToken": "SCRUBBED-access-token-1"}'
    assert scrubber.scrub_text('{"accessToken": "x"}') == '{"accessToken": "SCRUBBED-access-token-1"}'


def test_a_short_secret_is_replaced_in_its_own_place_only() -> None:
    """A client whose id is "a" does not spoil every word."""
    scrubber = Scrubber()
    assert scrubber.scrub_text('{"client_id": "a", "text": "a bank"}').endswith('"text": "a bank"}')


def test_names_that_only_speak_of_tokens_are_not_secrets() -> None:
    """Their type, their number, and money."""
    text = '{"token_type": "Bearer", "maxTokens": "12345678", "payToken": "USDC", "secretary": "Ann-Marie"}'
    assert Scrubber().scrub_text(text) == text
    assert Scrubber().find_leaks(text) == []


def test_other_members_and_headers_with_secret_names_are_replaced() -> None:
    """Whatever stands before the word that says so."""
    assert Scrubber().scrub_text('{"sessionToken": "abc"}') == '{"sessionToken": "SCRUBBED-token-1"}'
    assert Scrubber().scrub_headers({"X-Auth-Token": ["abc"]}) == {"X-Auth-Token": ["SCRUBBED-token-1"]}
    assert Scrubber().find_leaks('{"sessionToken": "abc"}') != []


WORDS = [
    "token",
    "secret",
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "pwd",
    "api-key",
    "access-key",
    "signing-key",
    "encryption-key",
    "credential",
    "cookie",
    "signature",
    "jwt",
    "assertion",
    "account-number",
    "tax-id",
    "connection-string",
    "seed-phrase",
]
STYLES: tuple[Callable[[list[str]], str], ...] = (
    "_".join,
    "-".join,
    "".join,
    lambda words: "_".join(words).upper(),
    lambda words: words[0] + "".join(map(str.capitalize, words[1:])),
)


@table("style", STYLES, ids=["snake", "kebab", "joined", "capitals", "camel"])
def test_whatever_name_holds_a_word_for_a_secret_is_a_secret(style: Callable[[list[str]], str]) -> None:
    """Whatever is before the word, in the plural, with a number, and in any way to write names; in JSON, addresses and lists."""
    for word in WORDS:
        for before in ("", "legacy", "bob-webhook"):
            for behind in ("", "s", "2"):
                name = style([*filter(None, before.split("-")), *f"{word}{behind}".split("-")])
                for text in (f'{{"{name}": "§"}}', f'{{"{name}": ["§"]}}', f"https://x/?{name}=§"):
                    scrubber = Scrubber()
                    assert ACCESS not in scrubber.scrub_text(text.replace("§", ACCESS)), text
                    assert Scrubber().find_leaks(text.replace("§", ACCESS)), text
                assert Scrubber().find_leaks_in_body(f'{{"{name}": {{"a": ["{ACCESS}"]}}}}'), name
    for name in (
        "auth",
        "basicAuth",
        "smtpPass",
        "dbCreds",
        "pin",
        "otp",
        "iban",
        "ssn",
        "dsn",
        "sig",
        "passwordHash",
        "tokenValue",
    ):
        assert ACCESS not in Scrubber().scrub_text(json.dumps({name: ACCESS})), name


def test_ordinary_names_are_no_secrets() -> None:
    """Types, times, ids and counts that belong to a secret, keys that are public or only order things, and words that look alike."""
    names = [
        "token_type",
        "tokenType",
        "expiresIn",
        "sessionId",
        "publicKey",
        "public_key_pem",
        "idempotency_key",
        "idempotencyKey",
        "key",
        "keyId",
        "keyPoints",
        "token_endpoint",
        "tokenExpiresAt",
        "tokenAddress",
        "secretName",
        "passwordRequired",
        "cookiePolicy",
        "primary_key",
        "sortKey",
        "partition-key",
        "account",
        "accountId",
        "accountHolderName",
        "account_type",
        "taxAmount",
        "taxi",
        "author",
        "authority",
        "authorizationEndpoint",
        "oauth",
        "secretary",
        "tokenizer",
        "passenger",
        "compass",
        "design",
        "signal",
        "monkey",
        "keyboard",
        "keyword",
        "option",
        "spin",
        "historyLength",
        "code",
        "state",
    ]
    for name in names:
        for text in (
            json.dumps({name: ACCESS}),
            json.dumps({name: [ACCESS, {"a": ACCESS}]}),
            json.dumps({name: 4711}),
        ):
            assert Scrubber().scrub_text(text) == text
            assert Scrubber().find_leaks_in_body(text) == [], text
    assert (
        Scrubber().scrub_text('{"usage": {"total_tokens": "4711"}}') == '{"usage": {"total_tokens": "4711"}}'
    )
    assert (
        Scrubber().find_leaks_in_body('{"inputTokens": 12, "tokens": ["USDC"], "tokensUsed": 12345678}') == []
    )


@table("before", ["is it ", "(", '"', "\\n", "%20", "\\u0020", "x="])
def test_a_short_secret_is_hunted_for_as_a_word(before: str) -> None:
    """What is too short to be scrubbed everywhere refuses the recording, but not as a part of other words."""
    seen = Scrubber()
    scrubbed = seen.scrub_text('{"password": "hunt3r"}')
    for scrubber in (Scrubber([("password", "hunt3r")]), seen):
        (leak,) = scrubber.find_leaks(f"a\n{before}hunt3r?")
        assert leak == "line 2: a password that is too short to be scrubbed here"
        assert scrubber.find_leaks(f"{before}hunt3rs ahunt3r {scrubbed}") == []
    assert Scrubber([("secret", "secret")]).find_leaks("SCRUBBED-client-secret-1 secrets") == []
    assert Scrubber([("password", "abc")]).find_leaks("abc") == []


def test_the_longer_of_two_secrets_is_replaced_first() -> None:
    """Where one secret begins like another, nothing is left of the longer one."""
    scrubber = Scrubber()
    scrubber.scrub_text('{"accessToken": "abcdefgh", "refreshToken": "abcdefgh-and-more"}')
    assert (
        scrubber.scrub_text("abcdefgh-and-more abcdefgh")
        == "SCRUBBED-refresh-token-1 SCRUBBED-access-token-1"
    )


def test_a_pair_is_known_again() -> None:
    """Basic credentials that a server repeats without saying what they are, and a password of an address."""
    scrubber = Scrubber()
    pair = basic("pm-test-1", SECRET)
    scrubber.scrub_headers({"authorization": pair})
    scrubber.scrub_uri("https://me:s3cret%2Fpass@x.test/")
    assert scrubber.scrub_text(f"not {pair[6:]} or {pair[6:].rstrip('=')}!") == (
        "not SCRUBBED-client-id-1:SCRUBBED-client-secret-1 or SCRUBBED-client-id-1:SCRUBBED-client-secret-1!"
    )
    assert scrubber.scrub_text("not s3cret/pass") == "not SCRUBBED-password-1"


def test_known_secrets_are_replaced_without_a_name() -> None:
    """What is known beforehand needs no name beside it."""
    scrubber = Scrubber([("client-secret", SECRET), ("api-key", "")])
    assert scrubber.scrub_text(f"is it {SECRET}?") == "is it SCRUBBED-client-secret-1?"


SECRETS = st.text(
    st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=8, max_size=24
).filter(lambda value: not PLACEHOLDER.search(value) and not PLACEHOLDER.search(f"SCRUBBED-{value}"))

WAYS_IN: list[Callable[[Scrubber, str], object]] = [
    lambda scrubber, value: scrubber.scrub_uri(f"https://x/?{urlencode({'refresh_token': value})}"),
    lambda scrubber, value: scrubber.scrub_body(json.dumps({"a": [{"clientSecret": value}]}).encode()),
    lambda scrubber, value: scrubber.scrub_headers({ACCESS_TOKEN_HEADER: value}),
    lambda scrubber, value: scrubber.scrub_headers({"authorization": basic(CLIENT, value)}),
    lambda scrubber, value: scrubber.scrub_body(
        urlencode({"code": value}).encode(), "application/x-www-form-urlencoded"
    ),
]
FORMS: list[Callable[[str], str]] = [
    str,
    lambda value: json.dumps(value),
    lambda value: json.dumps({"text": f"«{value}»"}, ensure_ascii=False),
    lambda value: json.dumps({"x": json.dumps({"y": value})}),
    lambda value: f"data: {json.dumps({'error_description': f'not {value}!'})}\n\n",
    lambda value: urlencode({"next": value}),
    lambda value: quote(value, safe=""),
    lambda value: f"<p>{html.escape(value)}</p>",
    lambda value: base64.b64encode(value.encode()).decode(),
]


@given(st.sampled_from(WAYS_IN), SECRETS, st.sampled_from(FORMS))
@example(WAYS_IN[0], SECRET, FORMS[3])
@example(WAYS_IN[3], 'a"b\\c/d é', FORMS[3])
def test_no_secret_survives_once_it_was_seen(
    way_in: Callable[[Scrubber, str], object], secret: str, form: Callable[[str], str]
) -> None:
    """However it came in and however it is written later, a secret is neither found by eye nor by the hunt."""
    scrubber = Scrubber()
    assume(secret not in str(way_in(Scrubber(), "§" * 8)))  # a word that is there in any case
    assert secret not in str(way_in(scrubber, secret))
    written = form(secret)
    assume(secret not in form("") and "SCRUBBED" not in secret)
    scrubbed = scrubber.scrub_text(written)
    assert form(secret) not in scrubbed
    assert secret not in scrubbed
    assert scrubber.find_leaks(scrubbed) == []
    assert scrubber.find_leaks(written) != []
    assert secret not in "".join(scrubber.find_leaks(written))


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=12)
    | st.sampled_from([JWT, basic(CLIENT, SECRET)]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(max_size=4)
            | st.sampled_from(["access_token", "code", "state", "authorization", "password", "clientId"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(JSON)
@example({"authorization": "Bearer 0123456789abcdefghij and more"})
def test_scrubbing_twice_is_scrubbing_once(document: Any) -> None:
    """For any document in any wrapping, by the same scrubber and by a fresh one: a scrubbed text stays what it is."""
    scrubber = Scrubber()
    for text in (
        json.dumps(document),
        json.dumps(json.dumps(document)),
        str(document),
        f"data: {json.dumps(document)}\n\n",
        urlencode({"access_token": json.dumps(document), "x": str(document)}),
    ):
        once = scrubber.scrub_text(text)
        assert scrubber.scrub_text(once) == once
        assert Scrubber().scrub_text(once) == once
        assert [leak for leak in scrubber.find_leaks(once) if "too short" not in leak] == []


@given(JSON)
@example({"authorization": '" '})
def test_scrubbed_json_is_json_of_the_same_shape(document: Any) -> None:
    """Only texts change, so a client reads the same members, numbers and lists."""
    scrubbed = json.loads(Scrubber().scrub_text(json.dumps(document)))

    def shape(value: Any) -> Any:
        match value:
            case str():
                return "text"
            case dict():
                return [shape(each) for each in value.values()]
            case list():
                return [shape(each) for each in value]
            case _:
                return value

    assert shape(scrubbed) == shape(document)


@given(st.dictionaries(st.text(min_size=1, max_size=6), st.text(max_size=12), max_size=5))
def test_other_parameters_stay(parameters: dict[str, str]) -> None:
    """An address is no longer than it was said to be: the same parameters in the same order."""
    scrubbed = Scrubber().scrub_uri(f"https://x.test/a?{urlencode(parameters)}")
    assert [name for name, _ in parse_qsl(urlsplit(scrubbed).query, keep_blank_values=True)] == [*parameters]


# The hunt


@table(
    ("serialized", "kind"),
    [
        (f"a\nx: {SECRET}", "line 2: a client secret"),
        ("x: " + json.dumps(SECRET), "line 1: a client secret"),
        ("x: '" + SECRET.replace("'", "''") + "'", "line 1: a client secret"),
        (f"x: {quote(SECRET, safe='')}", "line 1: a client secret"),
        (f"x: {basic(CLIENT, SECRET)[6:]}", "line 1: a client id"),
        ('{"refresh_token": "abc"}', "a member named refresh_token"),
        ('"{\\"refreshToken\\": \\"abc\\"}"', "a member named refreshToken"),
        ("GET /x?refresh_token=abc", "a parameter named refresh_token"),
        ("headers:\n  x-api-key:\n  - abc\n", "line 2: a header named x-api-key"),
        ("Bearer abcdefghijklmnop0123", "what looks like a bearer token"),
        (basic("someone", "else"), "what looks like Basic credentials"),
        (JWT, "what looks like a JSON Web Token"),
    ],
)
def test_the_hunt_names_place_and_kind_and_no_value(serialized: str, kind: str) -> None:
    """Whatever was missed is named so that it can be found, and not repeated."""
    scrubber = Scrubber([("client-secret", SECRET), ("client-id", CLIENT)])
    leaks = scrubber.find_leaks(serialized)
    assert any(kind in leak for leak in leaks), leaks
    assert not any(value in str(leaks) for value in (SECRET, "abc", JWT, "else"[::-1]))


@table(
    "serialized",
    [
        "status:\n  code: 200\n",
        'string: \'{"error": {"code": -32001, "message": "Task not found"}}\'',
        "authorization:\n- Basic SCRUBBED-client-id-1:SCRUBBED-client-secret-1\n",
        "x-payman-access-token:\n- SCRUBBED-access-token-1\n",
        '{"accessToken": null, "tokenType": "Bearer", "refreshToken": ""}',
        'www-authenticate:\n- Bearer realm="payman", error_description="Basic is not enough 12345678901234567890"\n',
        "tsk-1f048707-53da-4908-a779-972e0be1d5f8 ai-76cb95ef-b9b5-4db6-b244-1cdda079a9b1",
        "uri: http://127.0.0.1/api/oauth2/token?grant_type=authorization_code&code=SCRUBBED-code-1",
    ],
)
def test_the_hunt_finds_nothing_where_nothing_is(serialized: str) -> None:
    """What a cassette is full of is no leak."""
    assert Scrubber([("client-secret", SECRET)]).find_leaks(serialized) == []


@table(
    "body",
    [
        '{"password": 4711}',
        '{"clientSecret": {"value": "abc", "n": 1}}',
        '{"access_token": ["SCRUBBED-access-token-1", "abc"]}',
        '{"access_token": {"a": [{"b": 17}]}}',
        'data: {"access_token":\ndata: "abc"}\n\n',
        'event: x\r\ndata: {"access_token":\r\ndata: "abc"}\r\n\r\n',
        '{"access\\u005ftoken": "abc"}',
        json.dumps({"text": '{"access\\u005ftoken": "abc"}'}),
        json.dumps({"x": "".join(f"\\u{ord(each):04x}" for each in SECRET)}).replace("\\\\", "\\"),
        "".join(f"\\u{ord(each):04x}" for each in SECRET),
        json.dumps({"x": "".join(f"\\u{ord(each):04x}" for each in "pa55w0d")}).replace("\\\\", "\\"),
    ],
)
def test_bodies_are_hunted_through_as_programs_read_them(body: str) -> None:
    """What no pattern finds in the written text: numbers, objects, events in several lines, escapes."""
    scrubber = Scrubber([("client-secret", SECRET), ("password", "pa55w0d")])
    leaks = scrubber.find_leaks_in_body(scrubber.scrub_body(body.encode()))
    assert leaks
    assert not any(value in str(leaks) for value in (SECRET, "abc", "4711", "pa55w0d"))


@table(
    "spell",
    [
        lambda value: base64.b64encode(f"x{value}y".encode()).decode(),
        lambda value: base64.urlsafe_b64encode(f"xy{value}".encode()).decode(),
        lambda value: value.encode().hex(),
        lambda value: value.encode().hex().upper(),
        lambda value: "".join(f"\\\\x{ord(letter):02x}" for letter in value),
        lambda value: "".join(f"%{ord(letter):02x}" for letter in value),
        lambda value: "".join(f"&#{ord(letter)};" for letter in value),
        lambda value: "".join(f"&#x{ord(letter):X};" for letter in value),
        lambda value: "".join(f"%26%23{ord(letter)}%3B" for letter in value),
    ],
    ids=[
        "base64",
        "base64 for URLs",
        "hexadecimal",
        "capitals",
        "programs",
        "URL",
        "HTML",
        "HTML in sixteens",
        "HTML in a URL",
    ],
)
@table("encoding", ["utf-8", "utf-16", "utf-16-be", "utf-32-le"])
def test_no_spelling_of_a_known_secret_is_saved(spell: Callable[[str], str], encoding: str) -> None:
    """A server may repeat it in any way: it is replaced, or the recording is refused."""
    scrubber = Scrubber([("client-secret", SECRET)])
    given = json.dumps({"text": f"It is {spell(SECRET)}."})
    body = scrubber.scrub_body(given.encode(encoding))
    assert spell(SECRET) not in body.decode(encoding) or scrubber.find_leaks_in_body(body)


def packed(pack: Callable[[bytes], bytes], *, spaces: int = 0) -> bytes:
    return pack(json.dumps({"access_token": ACCESS}, indent=spaces or None).encode())


@table(
    "body",
    [
        packed(gzip.compress),
        packed(zlib.compress),
        packed(lambda text: gzip.compress(zlib.compress(text))),
        packed(base64.b64encode, spaces=2),
        packed(lambda text: b'{"d": "' + base64.urlsafe_b64encode(gzip.compress(text)).rstrip(b"=") + b'"}'),
        packed(
            lambda text: (
                b"next=" + quote_plus(quote_plus("/cb?d=" + base64.b64encode(text).decode())).encode()
            )
        ),
        b'[{"name": "Accept", "value": "a"}, {"name": "access_token", "value": "abc"}]',
        b'{"key": "password", "value": 471147}',
        packed(lambda text: gzip.compress(b" " * 40_000_000 + text)),
    ],
)
def test_bodies_are_hunted_through_layer_by_layer(body: bytes) -> None:
    """Compressed, in base64, percent-encoded, or several of them; what is too much to look through is refused."""
    leaks = Scrubber().find_leaks_in_body(Scrubber().scrub_body(body))
    assert leaks
    assert not any(value in str(leaks) for value in (ACCESS, "abc", "471147"))


def test_a_body_that_only_looks_compressed_is_let_through() -> None:
    """So is one that is compressed and holds a placeholder."""
    for body in (
        b"\x1f\x8b\x08 no",
        b"x\x9c no",
        gzip.compress(b'{"access_token": "SCRUBBED-access-token-1"}'),
    ):
        assert Scrubber().find_leaks_in_body(body) == []


@pytest.mark.parametrize(
    "body",
    [
        '{"clientId": 7, "password": null, "secret": true, "token": {"symbol": "USDC"}, "maxTokens": 100}',
        '{"credentials": {"type": "oauth2", "expiresIn": 3600, "accessToken": "abc"}, "access_token": ["abc"]}',
        'data: {"access_token": "abc",\ndata: "expiresIn": 3600}\n\n',
        '{"authorization": "Bearer abc", "text": "{\\"password\\": \\"abc\\"}"}',
        "\x00\\ud83d nothing",
    ],
)
def test_bodies_without_secrets_are_let_through(body: str) -> None:
    """What was scrubbed, and what is said of secrets in clear."""
    scrubber = Scrubber([("client-secret", SECRET)])
    assert scrubber.find_leaks_in_body(scrubber.scrub_body(body.encode())) == []


@table(
    ("text", "scrubbed"),
    [
        ("<input type=hidden name='access_token' value='§'>", "access-token"),
        ('<input name="csrf_token" type="hidden" value="§"/>', "token"),
        ('<input value="§" name="clientSecret">', "client-secret"),
        ("<input name=password value=§>", "password"),
        ('{"page": "<input name=\\"password\\" value=\\"§\\">"}', "password"),
        ("<accessToken>§</accessToken>", "access-token"),
        ("<accessToken><![CDATA[§]]></accessToken>", "access-token"),
        ('<ns:refresh_token a="b">\n §</ns:refresh_token>', "refresh-token"),
        ('{"text": "sent Bearer §"}', "access-token"),
    ],
)
def test_secrets_in_pages_and_texts_are_replaced(text: str, scrubbed: str) -> None:
    """Fields of forms, elements of XML, and a bearer token at the end of a string."""
    written = text.replace("§", ACCESS)
    assert Scrubber().find_leaks(written) != []
    expected = text.replace("\n ", "").replace("§", f"SCRUBBED-{scrubbed}-1")
    scrubber = Scrubber()
    assert scrubber.scrub_text(written).replace("\n ", "") == expected
    assert scrubber.find_leaks(expected) == []


@table(
    "text",
    [
        "access_token: §",
        "sent Authorization: Token §",
        "accessToken : '§'",
        "the access token is §",
        "Your API key was `§`.",
        '{"text": "client secret: \\"§\\""}',
        "**Password:** §",
        "see https://me:§@pay.example/x",
        '"https://:§@pay.example"',
    ],
)
def test_secrets_in_prose_refuse_the_recording(text: str) -> None:
    """A text that names a secret and says it is not saved."""
    leaks = Scrubber().find_leaks(Scrubber().scrub_text(text.replace("§", ACCESS)))
    assert leaks
    assert ACCESS not in str(leaks)
    assert Scrubber().find_leaks(text.replace("§", "SCRUBBED-token-1")) == []


@table(
    "text",
    [
        "the x-payman-access-token header is missing, or its token unknown, revoked or expired",
        "The access token is expired. The token is unknown: ask for another. Your password is required",
        "access token: none; secret: unknown; token: USDC; client_id: 12345678",
        'Bearer realm="payman", error="invalid_token", error_description="The token of 2026-01-01 is gone"',
        "The price per token is 1000.00 and the TSD token: 2026-01-01",
        "<p>Your token</p><secret></secret><input name=amount value=100><input name=password type=password>",
        "http://127.0.0.1:8642/a@b and https://x.test:443/?to=me:you@x.test mailto:a@x.test at 10:30",
    ],
)
def test_words_about_secrets_are_let_through(text: str) -> None:
    """What only speaks of tokens and passwords is neither changed nor refused."""
    assert Scrubber().find_leaks(text) == []
    assert Scrubber().scrub_text(text) == text.replace(":8642", "")
