"""What an answer has to be like to keep what the API document promises."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias, cast

import schemathesis
from jsonschema_rs import Draft202012Validator  # schemathesis brings it
from requests import Session
from schemathesis import BaseSchema, CheckContext, Response
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.openapi.checks import UnsupportedMethodResponse
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    positive_data_acceptance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from payman_api import PATHS

Json: TypeAlias = dict[str, Any]
Case: TypeAlias = schemathesis.Case[Any]

DOCUMENT = Path(__file__).parents[2] / "spec" / "payman.openapi.yaml"
AGENT = "/api/a2a/"


def load(*, is_exhaustive: bool) -> BaseSchema:
    """The document as something to ask requests of: the same in every run, and nothing of it is kept.

    How many requests are made up for each operation, besides those of its examples, is in the settings of a test: where those of
    the profile differ from what Hypothesis usually does, Schemathesis prefers them to anything in its own configuration.

    Args:
        is_exhaustive: whether each member of a request is also given every kind of value, and each path every method.
    """
    config = schemathesis.Config(seed=1)  # and no schemathesis.toml of whoever runs the tests
    schema = schemathesis.openapi.from_path(DOCUMENT, config=config)
    schema.config.generation.update(deterministic=True, database="none")
    schema.config.phases.coverage.enabled = is_exhaustive
    return schema


def connected() -> Session:
    """Connections that ask neither the environment nor the user's files where to go and with which password."""
    session = Session()
    session.trust_env = False
    return session


def rpc_conformance(_: CheckContext, response: Response, case: Case) -> None:
    """What the document says of JSON-RPC answers in words: version, id of the request, a result or else an error."""
    if not case.operation.path.startswith(AGENT) or response.status_code != 200:
        return
    sent = _sent(response)
    for answer in answers(response):
        assert answer.get("jsonrpc") == "2.0", f"no answer of JSON-RPC 2.0: {answer}"
        assert (answer.get("result") is None) != (answer.get("error") is None), f"not one of both: {answer}"
        if isinstance(sent.get("id"), str):
            assert answer.get("id") == sent["id"], f"the answer to another request: {answer}"
        code = (answer.get("error") or {}).get("code")
        assert code != -32603, f"a failure inside the server: {answer}"


def event_conformance(_: CheckContext, response: Response, case: Case) -> None:
    """The data of each event is as the document says; the library compares the schema with the event around it."""
    if not is_stream(response):
        return
    global _validator
    if _validator is None:
        document = cast(Json, case.operation.schema.raw_schema)
        answer = document["components"]["responses"]["EventsOrAnswer"]
        schema = answer["content"]["text/event-stream"]["schema"]
        _validator = Draft202012Validator({**schema, "components": document["components"]})
    found = answers(response)
    assert found, "a stream without an event"
    for event in found:
        assert not (said := [error.message for error in _validator.iter_errors(event)]), f"{said}: {event}"


_validator: Draft202012Validator | None = None
"""What an event has to be like. All that is loaded is loaded from one file."""


def declared_methods_only(context: CheckContext, response: Response, case: Case) -> None:
    """As `unsupported_method`, but the consent page posts the person's answer to its own address."""
    try:
        unsupported_method(context, response, case)
    except UnsupportedMethodResponse:
        if (case.method, case.path) != ("POST", "/oauth/authorize"):
            raise


def agent_case(schema: BaseSchema, operation_id: str, **params: Any) -> Case:
    """A request to the agent, with these parameters."""
    path = PATHS[operation_id]
    body: Json = {"jsonrpc": "2.0", "id": "req-1", "method": path.removeprefix("/api/a2a/"), "params": params}
    case: Case = schema[path]["POST"].Case(body=body, media_type="application/json")
    return case


CHECKS: list[CheckFunction] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    declared_methods_only,
    rpc_conformance,
    event_conformance,
]


def check(case: Case, response: Response) -> None:
    """Raise a group of everything in which the answer is not what the document promises.

    That a request which the document refuses gets a 4xx is not among it: JSON-RPC says so in an answer with 200.
    That one which it allows does not get one holds for the agent only: whether a grant is good is in no document.
    """
    in_words = [positive_data_acceptance] if case.operation.path.startswith(AGENT) else []
    case.validate_response(response, checks=[*CHECKS, *in_words])


def is_stream(response: Response) -> bool:
    return response.headers.get("content-type", [""])[0].startswith("text/event-stream")


def answers(response: Response) -> list[Json]:
    """The JSON-RPC answers in an answer: its events' data, or its body."""
    try:
        return list(_events(response.text)) if is_stream(response) else [cast(Json, response.json())]
    except ValueError as unreadable:
        raise AssertionError(f"no JSON: {response.text}") from unreadable


def _events(text: str) -> Iterator[Json]:
    """Read a stream strictly: blocks of comments, an `id` and one line of `data`, each with an empty line behind it."""
    assert text.endswith("\n\n"), "the stream breaks off"
    for block in text.removesuffix("\n\n").split("\n\n"):
        lines = [line for line in block.split("\n") if not line.startswith(":")]
        fields = dict(line.split(": ", 1) for line in lines)
        assert fields.keys() <= {"id", "data"} and len(fields) == len(lines), (
            f"an event of its own kind: {block}"
        )
        if lines:
            yield json.loads(fields["data"])


def _sent(response: Response) -> Mapping[str, Any]:
    """The body that was sent, if it was an object."""
    try:
        read = json.loads(response.request.body or b"null")
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}
