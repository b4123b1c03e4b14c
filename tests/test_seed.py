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
