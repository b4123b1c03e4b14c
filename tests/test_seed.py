"""The examples that the SDK's README has always shown, unchanged: only the address differs, by environment variable."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import httpx
import pytest

from payman_sdk import AskOptions, FormattedTaskResponse, PaymanClient, TaskResponse
from payman_sdk.sandbox import Sandbox
from tests.conftest import imported

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A sandbox that knows the README's credentials, at the address that the environment names."""
    with Sandbox(clients={"your_client_id": "your_client_secret"}) as sandbox:
        monkeypatch.setenv("PAYMAN_BASE_URL", sandbox.base_url)
        yield sandbox


@pytest.fixture
def client() -> Iterator[PaymanClient]:
    """A client with README's credentials."""
    with PaymanClient(client_id="your_client_id", client_secret="your_client_secret") as client:
        yield client


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


def test_programs_in_the_wild_read_answers_as_plain_dicts(client: PaymanClient) -> None:
    """What programs do with answers keeps working: `isinstance`, `.get`, `status.lower()`, the first artifact, JSON."""
    response = client.ask("list all wallets and their balances")
    assert isinstance(response, dict)
    assert response.get("sessionId") == response["session_id"]
    assert response.get("status").lower() == "completed"
    assert "1,000.00" in response["artifacts"][0]["content"]
    assert json.loads(json.dumps(response)) == response


def test_options_are_sent_where_readme_says() -> None:
    """`AskOptions` has its five keys; each metadata goes with its part of the request, and None is as good as nothing."""
    sent: list[Any] = []

    def look(request: httpx.Request) -> None:
        if request.url.path.startswith("/api/a2a"):
            sent.append(json.loads(request.read())["params"])

    options: AskOptions = {
        'on_message': None,
        'new_session': True,
        'metadata': {'source': 'web-app'},
        'part_metadata': {'part': 1},
        'message_metadata': {'message': 2}
    }  # fmt: skip
    with (
        httpx.Client(event_hooks={"request": [look]}, trust_env=False) as http,
        PaymanClient(
            client_id="your_client_id", client_secret="your_client_secret", http_client=http
        ) as client,
    ):
        before = client.get_session_id()
        client.ask("Hello!", options)
        nothing: AskOptions = {
            "on_message": None,
            "new_session": None,
            "metadata": None,
            "part_metadata": None,
            "message_metadata": None,
        }
        client.ask("Hello!", nothing)
        assert client.get_session_id() == sent[0]["sessionId"] == sent[1]["sessionId"] != before
    assert sent[0]["metadata"] == {"source": "web-app"}
    assert sent[0]["message"]["metadata"] == {"message": 2}
    assert sent[0]["message"]["parts"][0]["metadata"] == {"part": 1}
    assert "metadata" not in sent[1]
    assert "metadata" not in sent[1]["message"]
    assert "metadata" not in sent[1]["message"]["parts"][0]


def test_ask_takes_its_arguments_by_position(client: PaymanClient) -> None:
    """`ask(text, options, raw)`: formatted by default, raw as the third argument, by position or by name."""
    formatted = client.ask("Hello!", None, False)
    assert {"status", "is_final", "artifacts", "error"} <= formatted.keys()
    assert (formatted["status"], formatted["is_final"], formatted["error"]) == ("completed", True, None)
    for raw in (client.ask("Hello!", None, True), client.ask("Hello!", {"new_session": False}, raw=True)):
        assert raw.keys() == {"jsonrpc", "id", "result", "error"}
        assert (raw["jsonrpc"], type(raw["id"]), raw["error"]) == ("2.0", str, None)
        assert raw["result"] is not None
        assert raw["result"]["status"]["state"] == "COMPLETED"


def test_on_message_is_called_with_the_events_of_readme(client: PaymanClient) -> None:
    """Events are the dicts of the section Events: statuses with `status` and `is_final`, artifacts with `artifacts`."""
    events: list[dict[str, Any]] = []

    def on_message(message: FormattedTaskResponse | TaskResponse) -> None:
        events.append(dict(message))

    response = client.ask('list all wallets and their balances', {'on_message': on_message})  # fmt: skip
    first, *updates, last = events
    assert (first["type"], first["status"], first["is_final"]) == ("status_update", "in_progress", False)
    assert (last["type"], last["status"], last["is_final"]) == ("status_update", "completed", True)
    assert updates
    shown: list[str] = []
    for update in updates:
        assert update["type"] == "artifact_update"
        assert isinstance(update["artifacts"], list)
        shown.append(update["artifacts"][-1]["content"])
    assert all(later.startswith(earlier) for earlier, later in pairwise(shown))
    assert shown[-1] == response["artifacts"][-1]["content"]
    assert "1,000.00" in shown[-1]
    assert (response["status"], response["is_final"]) == ("completed", True)
    json.dumps(events)


def test_on_message_is_called_with_raw_answers(client: PaymanClient) -> None:
    """With `raw` the callback gets each JSON-RPC answer as it came, and `ask` returns the one that says it all."""
    answers: list[TaskResponse] = []
    raw = client.ask("list all payees", {"on_message": answers.append}, True)
    assert all((answer["jsonrpc"], answer["id"]) == ("2.0", raw["id"]) for answer in answers)
    results = [answer["result"] or {} for answer in answers]
    assert [result.get("final") for result in results if "status" in result] == [False, True]
    words = "".join(result["artifact"]["parts"][0]["text"] for result in results if "artifact" in result)
    assert raw["result"] is not None
    assert raw["result"]["artifacts"][0]["parts"][0]["text"] == words
    assert "Test Payee" in words


def test_on_message_goes_with_the_other_options(client: PaymanClient) -> None:
    """`on_message` beside `new_session` and `metadata` is called with events of the new session, in which the client stays."""
    reported: list[Any] = []
    before = client.get_session_id()
    response = client.ask("Hello!", {
        'on_message': reported.append,
        'new_session': True,
        'metadata': {'source': 'web-app'}
    })  # fmt: skip
    assert response["sessionId"] == client.get_session_id() != before
    assert {event["session_id"] for event in reported} == {response["sessionId"]}
    assert {event["taskId"] for event in reported} == {response["task_id"]}


@pytest.mark.parametrize(("secret", "printed"), [("your_client_secret", ""), ("another", "401")])
def test_error_handling_example(
    secret: str, printed: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The Error Handling example says nothing where nothing failed, and prints the body and the status of a refusal."""
    monkeypatch.setitem(sys.modules, "requests", imported())
    import requests

    payman = PaymanClient.with_credentials({"client_id": "your_client_id", "client_secret": secret})
    response: Any = None
    try:
        response = payman.ask("What's the weather?")
    except requests.exceptions.RequestException as e:
        if hasattr(e, 'response'):  # fmt: skip
            # The request was made and the server responded with a status code
            # that falls out of the range of 2xx
            print(e.response.json())  # type: ignore[union-attr] # README takes it for granted
            print(e.response.status_code)  # type: ignore[union-attr] # README takes it for granted
        else:
            # Something happened in setting up the request that triggered an Error
            print('Error:', str(e))  # fmt: skip

    said = capsys.readouterr().out.splitlines()
    assert said[1:] == ([printed] if printed else [])
    assert (response is None) == bool(printed)
    if said:
        assert "'error': 'invalid_client'" in said[0]
    payman.close()
