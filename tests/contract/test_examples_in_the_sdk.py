"""Every answer that the API document gives as an example is read by the clients, and told as their users expect it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from typing import Any, TypeAlias

import pytest
from attrs import frozen

from payman_api import PATHS
from payman_sdk import AsyncPaymanClient, PaymanClient
from payman_sdk.errors import (
    AgentError,
    AuthenticationError,
    InvalidJSONError,
    MethodNotFoundError,
    NotFoundError,
    OutcomeUnknownError,
    PaymanError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    TaskNotCancelableError,
    TaskNotFoundError,
)
from payman_sdk.token_stores.memory import forget_shared_stores
from tests.conftest import SECRET
from tests.contract.contract import DOCUMENT, Json
from tests.peer import Answer, Peer, Request, answer, completed, rpc
from tests.yaml_text import load_yaml

TASK = "tsk-0b7c6a1e-53a4-4d0c-9a3d-2f1f4f1f7f10"

ASKED = ["send_task", "send_task_subscribe", "get_task", "cancel_task"]

Do: TypeAlias = Callable[[str], Any]
OpenClient: TypeAlias = Callable[[Peer], AbstractContextManager[Do]]


@frozen(eq=False)  # each is itself
class Example:
    """An example of an answer."""

    operation: str
    status: str
    media_type: str
    name: str
    value: Any

    def __str__(self) -> str:
        return f"{self.operation} {self.status} {self.media_type} {self.name}"


@cache
def examples() -> list[Example]:
    document: Json = load_yaml(DOCUMENT.read_text(encoding="utf-8"))

    def resolve(value: Json) -> Json:
        while "$ref" in value:
            found: Any = document
            for step in value["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            value = found
        return value

    return [
        Example(operation["operationId"], status, media_type, name, resolve(example)["value"])
        for item in document["paths"].values()
        for operation in (item[method] for method in ("get", "post") if method in item)
        for status, response in operation["responses"].items()
        for media_type, media in resolve(response).get("content", {}).items()
        for name, example in media.get("examples", {}).items()
    ]


def for_request(example: Example) -> Answer:
    """The example as an answer to whatever is asked: the ids in it are those of the request, and nothing else is changed."""

    def write(request: Request) -> Iterator[bytes]:
        status = 500 if example.status == "5XX" else int(example.status)
        yield from answer(status, json.dumps(about(example.value, request)))(request)

    return write


def about(value: Any, request: Request) -> Any:
    if not isinstance(value, dict) or value.get("id") is None:
        return value
    params, changed = request.json["params"], {**value, "id": request.json["id"]}
    if changed.get("result"):
        ids = {"id": params["id"]}
        if "sessionId" in params and "sessionId" in changed["result"]:
            ids["sessionId"] = params["sessionId"]
        changed["result"] = changed["result"] | ids
    return changed


def text(message: Json) -> str:
    return "".join(part["text"] for part in message["parts"])


def as_events(values: list[Json]) -> Answer:
    """The examples as the events of one stream."""

    def write(request: Request) -> Iterator[bytes]:
        reported = "".join(f"data: {json.dumps(about(value, request))}\n\n" for value in values)
        yield from answer(200, reported, "text/event-stream")(request)

    return write


ASK = "list all wallets and their balances"


@contextmanager
def sync(peer: Peer) -> Iterator[Do]:
    """Does operations as a program does."""
    with PaymanClient(
        client_id="pm-1", client_secret=SECRET, base_url=peer.base_url, max_retries=0
    ) as client:

        def do(operation: str) -> Any:
            match operation:
                case "send_task":
                    return client.ask(ASK)
                case "get_task":
                    return client.get_task(TASK)
                case "cancel_task":
                    return client.cancel_task(TASK)
                case "create_token":
                    return client.get_access_token()
                case _:
                    with client.stream(ASK) as stream:
                        events = list(stream)
                        return events, stream.result()

        yield do


@contextmanager
def asynchronous(peer: Peer) -> Iterator[Do]:
    """Does them as a program does that is asynchronous."""
    client = AsyncPaymanClient(client_id="pm-1", client_secret=SECRET, base_url=peer.base_url, max_retries=0)

    async def do(operation: str) -> Any:
        match operation:
            case "send_task":
                return await client.ask(ASK)
            case "get_task":
                return await client.get_task(TASK)
            case "cancel_task":
                return await client.cancel_task(TASK)
            case "create_token":
                return await client.get_access_token()
            case _:
                async with client.stream(ASK) as stream:
                    events = [event async for event in stream]
                    return events, await stream.result()

    with asyncio.Runner() as runner:
        yield lambda operation: runner.run(do(operation))
        runner.run(client.close())


CLIENTS = [sync, asynchronous]

# What is raised where the server says no: by the status, whichever operation it is, and at first by the example's name.
BY_NAME = {
    "error": MethodNotFoundError,
    "not_found": TaskNotFoundError,
    "not_cancelable": TaskNotCancelableError,
    "json_rpc": InvalidJSONError,  # although its status is 400
}
BY_STATUS = {
    "401": AuthenticationError,
    "403": PermissionDeniedError,
    "404": NotFoundError,
    "429": RateLimitError,
    "5XX": ServerError,
}
# Whether something was done that may be done once only is not known after a failure.
BY_OPERATION = {
    ("send_task", "5XX"): OutcomeUnknownError,
    ("send_task_subscribe", "5XX"): OutcomeUnknownError,
    ("create_token", "400"): AuthenticationError,
}
TASKS = {"completed", "input_required", "canceled"}
TOKENS = {"client_credentials", "authorization_code", "snake_case"}
NOT_READ = {"get_agent_card"}
"""What clients do not ask for."""


def those(operation: str, media_type: str = "application/json") -> list[Example]:
    return [
        example
        for example in examples()
        if (example.operation, example.media_type) == (operation, media_type)
    ]


def silent(peer: Peer) -> None:
    """Let the peer be a server that does not tell how a task stands."""
    for operation in ("get_task", "resubscribe_task"):
        peer.always(PATHS[operation], rpc(error={"code": -32601}))


EVENTS = [example.value for example in those("send_task_subscribe", "text/event-stream")]


@pytest.fixture
def do(request: pytest.FixtureRequest, peer: Peer) -> Iterator[Do]:
    with request.param(peer) as do:
        yield do


def test_examples_are_for_operations_that_are_tested() -> None:
    """There is no operation with examples of answers that this module does not know, and none without."""
    assert {example.operation for example in examples()} - NOT_READ == {
        *ASKED,
        "create_token",
        "resubscribe_task",
    }
    assert {example.media_type for example in examples()} == {"application/json", "text/event-stream"}


@pytest.mark.parametrize("do", CLIENTS, indirect=True)
@pytest.mark.parametrize("operation", ASKED)
def test_tasks_of_the_examples_are_reported(do: Do, operation: str, peer: Peer) -> None:
    """A task in an example is told with its state, texts, times and metadata, and with the ids of the request."""
    reported = [example for example in those(operation) if example.name in TASKS]
    for example in reported:
        peer.always(PATHS[operation], for_request(example))
        task = do(operation)
        task = task[1] if operation == "send_task_subscribe" else task
        asked, result = peer.requests[-1].json, example.value["result"]
        status = result["status"]
        assert (task.task_id, task.request_id) == (asked["params"]["id"], asked["id"])
        assert task.state == status["state"].lower().replace("_", "-")
        assert task.timestamp == status["timestamp"]
        assert task.metadata == result.get("metadata", {})
        assert task.status_message == (text(status["message"]) if "message" in status else None)
        assert [(made.name, made.description, made.content) for made in task.artifacts] == [
            (made["name"], made["description"], text(made)) for made in result.get("artifacts", [])
        ]
    assert reported


@pytest.mark.parametrize("do", CLIENTS, indirect=True)
@pytest.mark.parametrize("operation", [*ASKED, "create_token"])
def test_refusals_of_the_examples_are_raised(do: Do, operation: str, peer: Peer) -> None:
    """Each example of an answer that says no is raised as the class of its code or status, and carries what was said."""
    refusals = [
        example
        for example in those(operation)
        if example.name not in {*TASKS, *TOKENS} and (operation, example.status) != ("cancel_task", "5XX")
    ]
    if operation.startswith("send_task"):
        silent(peer)
    for example in refusals:
        peer.always(PATHS[operation], for_request(example))
        with pytest.raises(PaymanError) as caught:
            do(operation)
        raised = caught.value
        kinds = BY_OPERATION.get((operation, example.status)), BY_NAME.get(example.name)
        assert type(raised) is (kinds[0] or kinds[1] or BY_STATUS[example.status]), example
        if not isinstance(raised, OutcomeUnknownError):  # that one is about more than one answer
            assert raised.response is not None
            assert raised.response.json() == about(example.value, peer.requests[-1]), example
        if isinstance(raised, AgentError):
            said = example.value["error"]
            assert (raised.code, raised.data) == (said["code"], said.get("data"))
        if operation == "create_token" and isinstance(raised, AuthenticationError):
            said = example.value
            assert (raised.error, raised.error_description) == (said["error"], said.get("error_description"))
    assert len(refusals) >= 6


@pytest.mark.parametrize("do", CLIENTS, indirect=True)
@pytest.mark.parametrize("operation", ["send_task", "send_task_subscribe", "cancel_task", "resubscribe_task"])
def test_failures_of_the_examples_are_followed_up(do: Do, operation: str, peer: Peer) -> None:
    """After a failure, and whatever it is that keeps a stream from being taken up again, tasks/get tells the end."""
    failures = [
        example
        for example in those(operation)
        if example.status == "5XX" or (operation == "resubscribe_task" and example.name not in TASKS)
    ]
    for example in failures:
        peer.always(PATHS["send_task_subscribe"], as_events(EVENTS[:1]))
        peer.always(PATHS["resubscribe_task"], rpc(error={"code": -32601}))
        peer.always(PATHS["get_task"], completed)  # the agent took the ask
        peer.always(PATHS[operation], for_request(example))
        reported = do(operation)
        task = reported[1] if isinstance(reported, tuple) else reported
        assert (task.status, task.text) == ("completed", "Done."), example
        assert PATHS[operation] in (asked := [request.path for request in peer.requests])
        assert asked[-1] == PATHS["get_task"], example
    assert len(failures) == (7 if operation == "resubscribe_task" else 1)


@pytest.mark.parametrize("open_client", CLIENTS)
def test_tokens_of_the_examples_are_used(open_client: OpenClient, peer: Peer) -> None:
    """The token in each example, in either spelling, is what asks carry, for as long as it says."""
    tokens = [example for example in those("create_token") if example.name in TOKENS]
    for example in tokens:
        peer.always(PATHS["create_token"], for_request(example))
        forget_shared_stores()
        with open_client(peer) as do:
            token = do("create_token")
            do("send_task")
        assert (
            peer.requests[-1].headers["x-payman-access-token"] == token["accessToken"] == "your_access_token"
        )
        assert 3590 <= token["expiresIn"] <= 3600
    assert len(tokens) == 3


@pytest.mark.parametrize("do", CLIENTS, indirect=True)
@pytest.mark.parametrize("operation", ["send_task_subscribe", "resubscribe_task"])
def test_events_of_the_examples_are_reported(do: Do, operation: str, peer: Peer) -> None:
    """The examples of events are told one by one, each as what it is, also when the stream broke off after the first."""
    values = [example.value for example in those(operation, "text/event-stream")]
    is_broken = operation == "resubscribe_task"
    silent(peer)  # tasks/get would tell of another task
    peer.always(PATHS["send_task_subscribe"], as_events(values[:1] if is_broken else values))
    peer.always(PATHS["resubscribe_task"], as_events(values[1:]))
    events, task = do(operation)
    assert [event["type"] for event in events] == [
        "artifact_update" if "artifact" in value["result"] else "status_update" for value in values
    ]
    for event, value in zip(events, values, strict=True):
        assert event.task_id == task.task_id
        if "artifact" in value["result"]:
            assert event.delta == text(value["result"]["artifact"])
            assert event.is_last_chunk == value["result"]["artifact"]["lastChunk"]
        else:
            assert event.is_final == value["result"]["final"]
            assert event.timestamp == value["result"]["status"]["timestamp"]
    assert task.status == "completed"
    assert task.text == "".join(event.delta for event in events if event["type"] == "artifact_update")
    assert (PATHS["resubscribe_task"] in [request.path for request in peer.requests]) == is_broken
