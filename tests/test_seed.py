"""The examples that the SDK's README has always shown, unchanged: only the address differs, by environment variable."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from payman_sdk.sandbox import Sandbox


@pytest.fixture(autouse=True)
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A sandbox that knows the README's credentials, at the address that the environment names."""
    with Sandbox(clients={"your_client_id": "your_client_secret"}) as sandbox:
        monkeypatch.setenv("PAYMAN_BASE_URL", sandbox.base_url)
        yield sandbox


def test_basic_example(capsys: pytest.CaptureFixture[str]) -> None:
    """The Basic Example asks, and prints an answer that a person can read."""
    from payman_sdk.client import PaymanClient
    from payman_sdk.types import PaymanConfig

    # Initialize the client with credentials
    config: PaymanConfig = {
        'client_id': 'your_client_id',
        'client_secret': 'your_client_secret',
        'environment': 'LIVE',
        'name': 'example_client'
    }  # fmt: skip
    client = PaymanClient.with_credentials(config)

    # Ask a question
    response = client.ask('Hello, world!')  # fmt: skip
    print(response)

    assert capsys.readouterr().out.startswith("[completed] Hello!")
    client.close()


def test_session_management_examples() -> None:
    """The Session Management examples keep, start and resume sessions as README says."""
    from payman_sdk.client import PaymanClient

    # 1. Default session handling: a new session ID is automatically generated
    client = PaymanClient.with_credentials({
        'client_id': 'your_client_id',
        'client_secret': 'your_client_secret'
    })  # fmt: skip
    assert client.get_session_id().startswith("ses-")
    generated = client.get_session_id()

    # 2. Start a new session during a request
    response = client.ask("Hello!", {
        'new_session': True,
        'metadata': {'source': 'web-app'}
    })  # fmt: skip
    assert response["sessionId"] == client.get_session_id() != generated

    # 3. Resuming conversations: start a conversation
    response1 = client.ask("Hello!")
    session_id = response1['sessionId']  # Save this for later  # fmt: skip
    assert session_id == response["sessionId"]

    # Later, resume the conversation with a new client instance
    client2 = PaymanClient.with_credentials({
        'client_id': 'your_client_id',
        'client_secret': 'your_client_secret',
        'session_id': session_id
    })  # fmt: skip
    response2 = client2.ask("What did we talk about earlier?")
    assert response2["sessionId"] == session_id
    assert "Hello!" in response2.text

    # Get the current session ID from any client instance
    current_session_id = client.get_session_id()
    assert current_session_id == session_id
    client.close()
    client2.close()


def test_authorization_code_example(sandbox: Sandbox) -> None:
    """The example with an authorization code exchanges it at once, keeps the refresh token, and asks."""
    from payman_sdk.client import PaymanClient
    from payman_sdk.types import PaymanConfig

    config: PaymanConfig = {
        'client_id': 'your_client_id',
        'client_secret': 'your_client_secret',
        'environment': 'LIVE',
        'name': 'example_client'
    }  # fmt: skip
    auth_code = sandbox.issue_code()  # in README: 'your_auth_code'
    client = PaymanClient.with_auth_code(config, auth_code)
    assert [request.grant_type for request in sandbox.token_requests] == ["authorization_code"]
    response = client.ask('Hello, world!')  # fmt: skip
    assert response["status"] == "completed"
    assert client.get_refresh_token()
    assert client.get_client_name() == "example_client"
    client.close()


def test_pre_existing_token_example(sandbox: Sandbox) -> None:
    """The example with a token that was issued before asks with it, and sends no token request."""
    from payman_sdk.client import PaymanClient

    issued = sandbox.issue_token(refresh=False)
    client_id = 'your_client_id'  # fmt: skip
    token_info = {
        'accessToken': issued["accessToken"],  # in README: 'your_access_token'
        'expiresIn': 3600
    }  # fmt: skip
    client = PaymanClient.with_token(client_id, token_info, name='example_client')  # fmt: skip
    response = client.ask('Hello, world!')  # fmt: skip
    assert response["status"] == "completed"
    assert sandbox.token_requests == []
    assert client.get_client_name() == "example_client"
    client.close()


def test_token_methods(sandbox: Sandbox) -> None:
    """`get_access_token` and `is_access_token_expired` do what README says of them, for each constructor."""
    from payman_sdk.client import PaymanClient
    from payman_sdk.types import PaymanConfig

    config: PaymanConfig = {"client_id": "your_client_id", "client_secret": "your_client_secret"}
    made = [
        PaymanClient.with_credentials(config),
        PaymanClient.with_auth_code(config, sandbox.issue_code()),
        PaymanClient.with_token("your_client_id", sandbox.issue_token(), "TEST"),
        PaymanClient.with_token(config, sandbox.issue_token()),
    ]
    for client in made:
        with client:
            token = client.get_access_token()
            assert token is not None
            assert token.keys() == {"accessToken", "expiresIn"}
            assert 3500 < token["expiresIn"] <= 3600
            assert not client.is_access_token_expired()
    soon = PaymanClient.with_token("your_client_id", {**sandbox.issue_token(refresh=False), "expiresIn": 60})
    with soon:
        assert soon.is_access_token_expired()
        assert soon.get_access_token() is not None
    with PaymanClient.with_token("your_client_id", {"accessToken": "ended", "expiresIn": 0}) as ended:
        assert ended.is_access_token_expired()
        assert ended.get_access_token() is None


def test_programs_in_the_wild_read_answers_as_plain_dicts() -> None:
    """What programs do with answers keeps working: `isinstance`, `.get`, `status.lower()`, the first artifact, JSON."""
    import json

    from payman_sdk import PaymanClient

    with PaymanClient(client_id="your_client_id", client_secret="your_client_secret") as client:
        response = client.ask("list all wallets and their balances")
    assert isinstance(response, dict)
    assert response.get("sessionId") == response["session_id"]
    assert response.get("status").lower() == "completed"
    assert "1,000.00" in response["artifacts"][0]["content"]
    assert json.loads(json.dumps(response)) == response
