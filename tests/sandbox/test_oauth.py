from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from payman_sdk.sandbox import Sandbox
from tests.sandbox.wire_client import WireClient
from tests.tables import table

_TOKEN = "/api/oauth2/token"
_GRANT = {"grant_type": "client_credentials"}
Ask = Callable[..., httpx.Response]


@pytest.fixture
def ask(wire_client: WireClient) -> Ask:
    """Posts to the token endpoint, with the client's credentials unless others are given."""

    def asked(**request: Any) -> httpx.Response:
        return wire_client.http.post(
            _TOKEN, **{"auth": (wire_client.client_id, wire_client.client_secret), **request}
        )

    return asked


def _basic(text: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(text.encode()).decode()}"}


def test_answer_is_paymans(ask: Ask) -> None:
    """A token comes in camelCase, with its lifetime in seconds and every scope, and is not to be cached."""
    answer = ask(params=_GRANT)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    token = answer.json()
    assert set(token) == {"accessToken", "tokenType", "expiresIn", "scope"}
    assert (token["tokenType"], token["expiresIn"]) == ("Bearer", 3600)
    assert "write_send_payment" in token["scope"].split(",")


def test_form_is_as_good_as_query(ask: Ask) -> None:
    """The parameters may come in a form body."""
    assert ask(data=_GRANT).status_code == 200


def test_tokens_differ_and_all_hold(wire_client: WireClient) -> None:
    """Every request gives another token, and an earlier one still opens the account."""
    earlier = wire_client.token
    assert wire_client.new_token() != earlier
    assert "1,000.00 TSD" in wire_client.ask("list wallets")


def test_scope_narrows(ask: Ask) -> None:
    """A scope that is asked for is granted, an unknown one is an error."""
    narrow = {**_GRANT, "scope": "read_balance read_list_payees"}
    assert ask(params=narrow).json()["scope"] == "read_balance,read_list_payees"
    answer = ask(params={**_GRANT, "scope": "read_everything"})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")


@table(
    "header",
    [
        {},
        _basic("nobody:s3cret"),
        _basic("{id}:wrong"),
        _basic("{id}:"),
        _basic("{id}"),
        _basic(":"),
        {"Authorization": "Basic"},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic /w=="},
        {"Authorization": b"Basic \xff"},
        {"Authorization": "Bearer {id}"},
    ],
)
def test_wrong_credentials_are_invalid_client(wire_client: WireClient, header: dict[str, Any]) -> None:
    """An unknown client, a wrong secret and a broken header are 401 `invalid_client`, and are told how to do better."""
    if (sent := header.get("Authorization")) and isinstance(sent, str) and "{id}" not in sent:
        header = {"Authorization": sent}
    answer = wire_client.http.post(_TOKEN, params=_GRANT, headers=header)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.headers["www-authenticate"].startswith("Basic")
    assert answer.json()["error_description"]


def test_wrong_secret_of_a_known_client(ask: Ask, wire_client: WireClient) -> None:
    """A known client with a wrong secret is told no more than an unknown one."""
    known = ask(params=_GRANT, auth=(wire_client.client_id, "wrong"))
    unknown = ask(params=_GRANT, auth=("nobody", "wrong"))
    assert known.status_code == unknown.status_code == 401
    assert known.json() == unknown.json()


@pytest.mark.parametrize("secret", ["ünicode", "a b+c%2B&=", "with:colon"])
def test_any_secret_works(shared: Sandbox, http: httpx.Client, secret: str) -> None:
    """Secrets may hold any characters, form-encoded in the header or as they are."""
    client_id, _ = shared.add_client(None, secret)
    assert WireClient(shared, client_id, secret, http).token
    encoded = httpx.QueryParams({"": secret}).__str__()[1:]
    answer = http.post(_TOKEN, params=_GRANT, headers=_basic(f"{client_id}:{encoded}"))
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({}, "invalid_request"),
        ({"params": {"grant_type": ""}}, "invalid_request"),
        ({"params": "grant_type=client_credentials&grant_type=client_credentials"}, "invalid_request"),
        ({"params": _GRANT, "data": _GRANT}, "invalid_request"),
        ({"params": {**_GRANT, "client_id": "another"}}, "invalid_request"),
        ({"params": "&".join(f"a{n}=1" for n in range(100))}, "invalid_request"),
        ({"params": {"grant_type": "password"}}, "unsupported_grant_type"),
        ({"params": {"grant_type": "client_credentials\x00"}}, "unsupported_grant_type"),
        ({"json": _GRANT}, "invalid_request"),
    ],
)
def test_wrong_requests_are_named(ask: Ask, request_: dict[str, Any], error: str) -> None:
    """Missing, doubled, contradicting and unknown parameters are 400 with the error of RFC 6749."""
    answer = ask(**request_)
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert answer.json()["error_description"]


def test_broken_encoding_is_an_invalid_request(wire_client: WireClient) -> None:
    """A query that is not UTF-8 is 400 `invalid_request`."""
    answer = wire_client.http.post(
        f"{_TOKEN}?grant_type=%ff", auth=(wire_client.client_id, wire_client.client_secret)
    )
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_token_expires() -> None:
    """An access token opens the account until its lifetime is over, by the sandbox's clock."""
    now = [1_750_000_000.0]
    with (
        Sandbox(clock=lambda: now[0], token_lifetime=60) as sandbox,
        httpx.Client(base_url=sandbox.base_url) as http,
    ):
        wire_client = WireClient(sandbox, sandbox.client_id, sandbox.client_secret, http)
        now[0] += 59.9
        assert wire_client.ask("hello")
        now[0] += 0.1
        answer = wire_client.post("/api/a2a/tasks/send", {})
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
        wire_client.token = wire_client.new_token()
        assert wire_client.ask("hello")


@table("token", ["", "nonsense", "\x7f"])
@table("path", ["send", "sendSubscribe", "get", "cancel"])
def test_every_endpoint_wants_a_token(wire_client: WireClient, path: str, token: str) -> None:
    """Without a token that is known, every endpoint of the agent is a 401 in JSON, whatever the body is."""
    wire_client.token = token
    answer = wire_client.post(f"/api/a2a/tasks/{path}", b"no json")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")


def test_secret_is_not_the_token(wire_client: WireClient) -> None:
    """The client's secret opens nothing by itself."""
    wire_client.token = wire_client.client_secret
    assert wire_client.post("/api/a2a/tasks/send", {}).status_code == 401
