"""A sandbox that other machines reach: which names it answers to, and what its admin token opens."""

from __future__ import annotations

import base64
import http.client
from collections.abc import Iterator
from typing import Any

import pytest

from payman_sdk.sandbox import Sandbox
from payman_sdk.sandbox._web.security import check_access

TOKEN = "an-admin-token-of-this-test"


@pytest.fixture(scope="module")
def exposed() -> Iterator[Sandbox]:
    with Sandbox(allow_hosts=["Sandbox", "10.0.0.7"], admin_token=TOKEN) as sandbox:
        yield sandbox
    sandbox.close()


def fetch(
    sandbox: Sandbox, method: str, path: str, host: str = "sandbox:8642", **headers: str
) -> tuple[int, str]:
    port = int(sandbox.base_url.rpartition(":")[2])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, headers={"Host": host, **headers})
        response = connection.getresponse()
        return response.status, response.read().decode() if response.status >= 400 else ""
    finally:
        connection.close()


def fetch_status(*arguments: Any, **headers: Any) -> int:
    return fetch(*arguments, **headers)[0]


def basic(password: str, user: str = "anyone") -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def test_only_named_hosts_are_answered(exposed: Sandbox) -> None:
    own = exposed.base_url.removeprefix("http://")
    rows = {
        "sandbox:8642": 200,
        "SANDBOX": 200,
        "10.0.0.7:1": 200,
        own: 200,
        own.replace("127.0.0.1", "localhost"): 200,
        "127.0.0.1:1": 403,
        "evil.example": 403,
        "sandbox.evil.example": 403,
        "sandbox@evil.example": 403,
        "10.0.0.8": 403,
    }
    assert {host: fetch_status(exposed, "GET", "/.well-known/agent.json", host) for host in rows} == rows


def test_everything_but_the_api_needs_the_admin_token(exposed: Sandbox) -> None:
    """A path that nobody listed needs it too."""
    closed = [
        "/web/",
        "/web/live",
        "/",
        "/sandbox/tasks/tsk-1/approve",
        "/api/oauth2/authorize",
        "/added/later",
    ]
    for path in closed:
        for wrong in (
            {},
            {"Authorization": basic("wrong")},
            {"Authorization": f"Bearer {TOKEN}x"},
            {"Authorization": TOKEN},
        ):
            assert fetch_status(exposed, "GET", path, **wrong) == 401, (path, wrong)
        for right in (basic(TOKEN), f"bearer {TOKEN}"):
            assert fetch_status(exposed, "GET", path, Authorization=right) != 401, (path, right)
    assert fetch_status(exposed, "GET", "/web/identity") == 200
    own = [
        ("POST", "/api/a2a/tasks/send"),
        ("GET", "/api/balances/currencies/TSD"),
        ("DELETE", "/api/payments/payees/p1"),
    ]
    for method, path in own:  # these want an access token or a key of their own
        status, said = fetch(exposed, method, path)
        assert (status, "admin token" in said) == (401, False), path
    assert "admin token" in fetch(exposed, "GET", "/api/balances/currencies/TSD/more")[1]


def test_a_client_works_and_in_process_requests_pass(exposed: Sandbox) -> None:
    with exposed.client() as client:
        assert client.ask("list all wallets").status == "completed"


def test_the_token_stays_out_of_representations(exposed: Sandbox) -> None:
    assert exposed.admin_token == TOKEN
    assert TOKEN not in repr(exposed) + repr(check_access("0.0.0.0", ["a"], TOKEN))  # noqa: S104


def test_what_guards_an_address() -> None:
    for host in ("127.0.0.1", "::1", "localhost", "127.9.9.9"):
        assert check_access(host, (), None) is None, host
    made = check_access("0.0.0.0", ["sandbox"], None)  # noqa: S104 # nothing listens there
    assert made is not None
    assert len(made.admin_token) >= 32
    refused = {
        "no name": ("0.0.0.0", (), None),  # noqa: S104
        "no name, though a token": ("::", (), TOKEN),
        "an unlisted address": ("192.168.1.5", (), None),
        "a URL": ("0.0.0.0", ["http://sandbox"], None),  # noqa: S104
        "a port": ("0.0.0.0", ["sandbox:8642"], None),  # noqa: S104
        "a wildcard": ("0.0.0.0", ["*"], None),  # noqa: S104
        "a string": ("0.0.0.0", "sandbox", None),  # noqa: S104
        "a short token": ("127.0.0.1", (), "short"),
        "an empty token": ("127.0.0.1", (), ""),
        "a space in a token": ("127.0.0.1", (), "sixteen and more characters"),
    }
    for row, arguments in refused.items():
        with pytest.raises(ValueError, match=r"host|admin_token"):
            check_access(*arguments)
            pytest.fail(row)
