"""The checks of the contract bite: a server that deviates from the document is caught."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, TypeAlias, cast

import pytest
from attrs import evolve, frozen
from schemathesis import BaseSchema, GenerationMode
from schemathesis.core.failures import CustomFailure, Failure, FailureGroup
from starlette.applications import Starlette
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from payman_api import PATHS
from payman_sdk.sandbox import Sandbox
from payman_sdk.sandbox._server.serving import ServerThread
from tests.contract.caller import CLIENT, SECRET, Caller
from tests.contract.contract import Case, Json, agent_case, connected, load


@frozen
class Answer:
    """An answer on its way out."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Spoil: TypeAlias = Callable[[Answer], Answer]


def spoiled(app: ASGIApp, spoil: Spoil) -> ASGIApp:
    """The application, but for what is done to each of its answers."""

    async def deviating(scope: Scope, receive: Receive, send: Send) -> None:
        reported: list[Message] = []

        async def keep(message: Message) -> None:
            reported.append(message)

        await app(scope, receive, keep)
        start, *pieces = reported
        headers = {name.decode(): value.decode() for name, value in start["headers"]}
        answer = spoil(Answer(start["status"], headers, b"".join(piece["body"] for piece in pieces)))
        headers = {**answer.headers, "content-length": str(len(answer.body))}
        lines = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": lines})
        await send({"type": "http.response.body", "body": answer.body})

    return deviating


def with_status(status: int) -> Spoil:
    return lambda answer: evolve(answer, status=status)


def without(header: str) -> Spoil:
    return lambda answer: evolve(
        answer, headers={name: value for name, value in answer.headers.items() if name != header}
    )


def with_header(name: str, value: str) -> Spoil:
    return lambda answer: evolve(answer, headers={**answer.headers, name: value})


def with_body(body: bytes) -> Spoil:
    return lambda answer: evolve(answer, body=body)


def with_members(**members: Any) -> Spoil:
    """These members in a JSON body."""
    return lambda answer: evolve(answer, body=json.dumps({**answer.json, **members}).encode())


def with_result(**members: Any) -> Spoil:
    """These members in the result of a JSON-RPC answer."""
    return lambda answer: with_members(result={**answer.json["result"], **members})(answer)


def with_event(change: Callable[[Json], Json]) -> Spoil:
    """The last event of a stream, changed."""

    def spoil(answer: Answer) -> Answer:
        *before, last = answer.body.decode().removesuffix("\n\n").split("\n\n")
        number, _, data = last.partition("\ndata: ")
        blocks = [*before, f"{number}\ndata: {json.dumps(change(json.loads(data)))}"]
        return evolve(answer, body="".join(f"{block}\n\n" for block in blocks).encode())

    return spoil


def in_event(**members: Any) -> Spoil:
    return with_event(lambda event: {**event, "result": {**event["result"], **members}})


DEVIATIONS: list[tuple[str, Spoil, str]] = [
    ("send_task", with_status(418), "UndefinedStatusCode"),
    ("create_token", with_status(201), "UndefinedStatusCode"),
    ("authorize", with_status(418), "UndefinedStatusCode"),
    ("get_agent_card", with_status(401), "UndefinedStatusCode"),
    ("send_task", with_status(500), "ServerError"),
    ("create_token", with_status(503), "ServerError"),
    ("send_task", with_header("content-type", "text/plain"), "UndefinedContentType"),
    ("send_task_subscribe", with_header("content-type", "text/html"), "UndefinedContentType"),
    ("authorize", with_header("content-type", "application/json"), "UndefinedContentType"),
    ("get_task", without("content-type"), "MissingContentType"),
    ("authorize", with_status(302), "MissingHeaders"),
    ("send_task", with_body(b"<p>Sorry</p>"), "MalformedJson"),
    ("send_task", with_result(id=7), "JsonSchemaError"),
    ("get_task", with_result(status={"state": None}), "JsonSchemaError"),
    ("cancel_task", with_result(artifacts=[{"name": "response"}]), "JsonSchemaError"),
    ("create_token", with_members(expiresIn="soon"), "JsonSchemaError"),
    ("get_agent_card", with_members(name=None), "JsonSchemaError"),
    ("send_task", with_members(jsonrpc="1.0"), "rpc_conformance"),
    ("send_task", with_members(id="req-2"), "rpc_conformance"),
    ("send_task", with_members(error={"code": -32001}), "rpc_conformance"),
    ("send_task", with_members(result=None), "rpc_conformance"),
    ("send_task", with_members(result=None, error={"code": -32603}), "rpc_conformance"),
    ("send_task_subscribe", in_event(id=7), "event_conformance"),
    ("resubscribe_task", in_event(status={"state": 3}), "event_conformance"),
    ("send_task_subscribe", with_event(lambda event: {**event, "error": "no"}), "event_conformance"),
    ("send_task_subscribe", with_event(lambda event: {**event, "id": "req-2"}), "rpc_conformance"),
    ("send_task_subscribe", with_body(b""), "event_conformance"),
    ("send_task_subscribe", with_body(b"data: no JSON\n\n"), "event_conformance"),
    ("send_task_subscribe", with_body(b'data: {"result": null}\n'), "event_conformance"),
]


class Deviating(ServerThread):
    """The sandbox behind what spoils its answers, which may be changed while it serves."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.spoil: Spoil = lambda answer: answer
        app = spoiled(sandbox.app, lambda answer: self.spoil(answer))
        super().__init__(cast(Starlette, app), "127.0.0.1", 0)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    yield (sandbox := Sandbox(clients={CLIENT: SECRET}))
    sandbox.close()


@pytest.fixture(scope="module")
def server(sandbox: Sandbox) -> Iterator[Deviating]:
    yield (server := Deviating(sandbox))
    server.stop()


@pytest.fixture
def caller(sandbox: Sandbox, server: Deviating) -> Iterator[Caller]:
    with connected() as session:
        yield Caller(sandbox, session, f"http://127.0.0.1:{server.port}")
    server.spoil = lambda answer: answer


@cache
def schema() -> BaseSchema:
    return load(is_exhaustive=True)


def request_for(operation_id: str, caller: Caller) -> Case:
    """A request that the sandbox has a good answer to."""
    operation = schema()[PATHS[operation_id]]
    match operation_id:
        case "get_task" | "cancel_task" | "resubscribe_task":
            waiting = caller.made("send 250 TSD to Test Payee")
            return agent_case(schema(), operation_id, id=waiting)
        case "get_agent_card":
            card: Case = operation["GET"].Case()
            return card
        case "authorize":
            case = operation["GET"].Case(query={"response_type": "code"})
        case "create_token":
            case = operation["POST"].Case()
        case _:
            case = agent_case(schema(), operation_id, message={})
    sensible = caller.sensible(case)
    assert sensible is not None
    return sensible


def caught(caller: Caller, case: Case) -> set[str]:
    """What is found wrong with the answer to a request: kinds of failures, names of our own checks."""
    with pytest.raises(FailureGroup) as group:
        caller.ask_as_client(case)
    return {_kind(failure) for failure in group.value.exceptions}


def _kind(failure: Failure) -> str:
    return failure.title.split("`")[1] if isinstance(failure, CustomFailure) else type(failure).__name__


@pytest.mark.parametrize(("operation_id", "spoil", "kind"), DEVIATIONS)
def test_deviation_is_caught(
    operation_id: str, spoil: Spoil, kind: str, server: Deviating, caller: Caller
) -> None:
    """An answer passes, and does not once its status, type, body, event or failure is not what the document says."""
    caller.ask_as_client(request_for(operation_id, caller))
    case = request_for(operation_id, caller)
    server.spoil = spoil
    assert kind in caught(caller, case)


@pytest.mark.parametrize(
    ("mode", "method", "status", "kind"),
    [
        (GenerationMode.POSITIVE, "POST", 400, "RejectedPositiveData"),
        (GenerationMode.NEGATIVE, "PUT", 200, "UnsupportedMethodResponse"),
    ],
)
def test_wrong_refusal_is_caught(
    mode: GenerationMode, method: str, status: int, kind: str, server: Deviating, caller: Caller
) -> None:
    """It is noticed when a request that the document allows is refused, and when a method that it lacks is not."""
    own = load(is_exhaustive=True)  # a schema tries the methods of a path only once
    cases = own.iter_coverage_cases(
        own[PATHS["send_task"]]["POST"],
        generation_modes=[mode],
        generation_config=own.config.generation,
    )
    case = next(case for case in cases if case.method == method)
    caller.ask_as_client(case)
    server.spoil = with_status(status)
    assert kind in caught(caller, case)
