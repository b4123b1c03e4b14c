from collections.abc import Iterator
from typing import Any

import payman_api

Json = dict[str, Any]

# What is known of the API, once more and by hand: the document must not drift from it.
HOSTS = {
    "LIVE": "https://agent.payman.ai",
    "TEST": "https://agent.payman.dev",
    "INTERNAL": "https://payman.ngrok.dev",
}
OPERATIONS = {
    "create_token": ("post", "/api/oauth2/token", "documented"),
    "authorize": ("get", "/oauth/authorize", "documented"),
    "send_task": ("post", "/api/a2a/tasks/send", "documented"),
    "send_task_subscribe": ("post", "/api/a2a/tasks/sendSubscribe", "documented"),
    "get_task": ("post", "/api/a2a/tasks/get", "protocol"),
    "cancel_task": ("post", "/api/a2a/tasks/cancel", "protocol"),
    "resubscribe_task": ("post", "/api/a2a/tasks/resubscribe", "protocol"),
    "get_agent_card": ("get", "/.well-known/agent.json", "protocol"),
}
METHODS = {
    "SendTaskRequest": "tasks/send",
    "SendTaskStreamingRequest": "tasks/sendSubscribe",
    "GetTaskRequest": "tasks/get",
    "CancelTaskRequest": "tasks/cancel",
    "ResubscribeTaskRequest": "tasks/resubscribe",
}
SCOPES = {
    "read_balance",
    "read_list_wallets",
    "read_list_payees",
    "read_list_transactions",
    "write_create_payee",
    "write_send_payment",
    "write_create_wallet",
}
STATES = {"submitted", "working", "input-required", "completed", "canceled", "failed", "unknown"}
LATER_STATES = {"auth-required", "rejected"}
ERROR_CODES = (-32700, -32600, -32601, -32602, -32603, -32001, -32002, -32003, -32004)
ANSWERS = (
    "TaskResponse",
    "TaskStreamResponse",
    "TokenResponse",
    "LegacyTokenResponse",
    "OAuthError",
    "AgentCard",
)


def operations(document: Json) -> Iterator[tuple[str, str, Json, Json]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in ("get", "post"):
                yield path, method, operation, item


def mappings(value: Any) -> Iterator[Json]:
    if isinstance(value, dict):
        yield value
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from mappings(child)


def test_operations_are_those_known(document: Json) -> None:
    """Every known operation is there with its method, path and evidence, and no other."""
    found = {
        operation["operationId"]: (method, path, operation["x-payman-evidence"])
        for path, method, operation, _ in operations(document)
    }
    assert found == OPERATIONS
    assert {name: path for name, (_, path, _) in OPERATIONS.items()} == dict(payman_api.PATHS)


def test_marks_of_evidence_are_of_two_kinds(document: Json) -> None:
    """Wherever something says how it is known, it says documented or protocol."""
    marks = [mapping["x-payman-evidence"] for mapping in mappings(document) if "x-payman-evidence" in mapping]
    assert set(marks) == {"documented", "protocol"}
    assert len(marks) > len(OPERATIONS), "single fields and answers are marked, too"


def test_hosts_are_those_known(document: Json) -> None:
    """Each environment has its host, LIVE first, and the consent page a host of its own."""
    servers = {server["x-payman-environment"]: server["url"] for server in document["servers"]}
    assert list(servers.items()) == list(HOSTS.items()) == list(payman_api.SERVERS.items())
    (consent,) = [
        item for _, _, operation, item in operations(document) if operation["operationId"] == "authorize"
    ]
    assert [server["url"] for server in consent["servers"]] == [payman_api.AUTHORIZATION_SERVER]
    assert payman_api.AUTHORIZATION_SERVER == "https://app.paymanai.com"


def test_access_token_has_a_header_of_its_own(document: Json) -> None:
    """The calls to the agent, and only they, carry the access token in x-payman-access-token."""
    scheme = document["components"]["securitySchemes"]["accessToken"]
    assert (scheme["type"], scheme["in"], scheme["name"]) == ("apiKey", "header", "x-payman-access-token")
    assert scheme["name"] == payman_api.ACCESS_TOKEN_HEADER
    for path, _, operation, _ in operations(document):
        carries = operation["security"] == [{"accessToken": []}]
        assert carries == path.startswith("/api/a2a/"), path


def test_token_parameters_are_in_the_query(document: Json) -> None:
    """The token endpoint takes its parameters in the query, and HTTP Basic unless the client is public."""
    operation = document["paths"]["/api/oauth2/token"]["post"]
    assert {parameter["in"] for parameter in operation["parameters"]} == {"query"}
    assert [parameter["name"] for parameter in operation["parameters"] if parameter.get("required")] == [
        "grant_type"
    ]
    assert {"grant_type", "code", "refresh_token"} == {
        parameter["name"] for parameter in operation["parameters"] if "x-payman-evidence" not in parameter
    }
    assert operation["security"] == [{"clientCredentials": []}, {}]
    assert document["components"]["securitySchemes"]["clientCredentials"]["scheme"] == "basic"


def test_names_on_the_wire_are_those_known(document: Json) -> None:
    """Scopes, states and JSON-RPC methods are spelled as they are known."""
    schemas = document["components"]["schemas"]
    assert set(schemas["Scope"]["enum"]) == SCOPES
    assert set(schemas["TaskState"]["enum"]) == STATES | LATER_STATES
    assert schemas["TaskState"]["x-payman-evidence-of"] == dict.fromkeys(LATER_STATES, "protocol")
    assert {name: schemas[name]["properties"]["method"]["const"] for name in METHODS} == METHODS
    assert schemas["SendTaskRequest"]["properties"]["method"]["x-payman-also-accepted"] == ["tasks.send"]
    for code in ERROR_CODES:
        assert str(code) in schemas["JsonRpcError"]["description"]


def test_event_streams_may_be_answered_in_one_piece(document: Json) -> None:
    """What is answered with events may be answered with JSON instead."""
    answer = document["components"]["responses"]["EventsOrAnswer"]["content"]
    assert set(answer) == {"application/json", "text/event-stream"}
    streaming = {
        operation["operationId"]
        for _, _, operation, _ in operations(document)
        if operation["responses"]["200"].get("$ref") == "#/components/responses/EventsOrAnswer"
    }
    assert streaming == {"send_task_subscribe", "resubscribe_task"}


def test_agent_endpoints_declare_how_they_fail(document: Json) -> None:
    """Every call to the agent has answers for a bad token, a missing scope, too many calls and a failing server."""
    for path, _, operation, _ in operations(document):
        if path.startswith("/api/a2a/"):
            assert {"200", "400", "401", "403", "404", "429", "5XX"} == set(operation["responses"]), path


def test_unknown_members_are_allowed(document: Json) -> None:
    """No schema refuses a member that it does not list."""
    for mapping in mappings(document["components"]["schemas"]):
        assert mapping.get("additionalProperties") is not False


def test_optional_members_may_be_null(document: Json) -> None:
    """What may be absent from an answer or a request may be null, all the way down."""
    schemas = document["components"]["schemas"]
    seen: set[str] = set()
    waiting = [*ANSWERS, *METHODS]
    while waiting:
        name = waiting.pop()
        seen.add(name)
        for member, schema in schemas[name].get("properties", {}).items():
            if member not in schemas[name].get("required", []):
                choices = [choice.get("type") for choice in schema.get("anyOf", [])]
                anything = not {"type", "anyOf", "$ref"} & schema.keys()
                assert anything or "null" in choices or "null" in schema.get("type", []), f"{name}.{member}"
        references = (mapping["$ref"] for mapping in mappings(schemas[name]) if "$ref" in mapping)
        waiting += {reference.rpartition("/")[2] for reference in references} - seen
    assert {"Task", "TaskStatus", "Artifact", "Message", "TextPart", "FileContent"} <= seen
