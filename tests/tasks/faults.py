"""What can go wrong after a request was sent, by name: how the peer answers.

`SILENT` leave open whether the request was processed. `REFUSED` say that it was not, `AGENT_ERRORS` say it in JSON-RPC.
`BODIES` are successes of HTTP that hold no JSON-RPC, `UNREADABLE` those that hold no task.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

from payman_sdk.errors import (
    AgentError,
    AuthenticationError,
    BadRequestError,
    InternalAgentError,
    InvalidJSONError,
    InvalidParamsError,
    MethodNotFoundError,
    NotFoundError,
    PaymanError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    TaskNotFoundError,
    UnprocessableEntityError,
)
from tests.peer import (
    Answer,
    HangUp,
    Request,
    answer,
    chunked,
    head,
    json_answer,
    raw,
    reset,
    rpc,
    task_for,
    task_with,
)

PAGE = "<!DOCTYPE html><html><body>Sorry.</body></html>"
_STATE = {"state": "completed"}


def _cut_chunks() -> Iterator[bytes]:
    yield b'{"jsonrpc":'
    raise HangUp


def _half_a_gzip(request: Request) -> Iterator[bytes]:
    whole = json.dumps({"jsonrpc": "2.0", "id": request.json["id"], "result": task_for(request)})
    yield from answer(200, gzip.compress(whole.encode())[:-20], content_encoding="gzip")(request)


SILENT: dict[str, Answer] = {
    "302": answer(302, location="/elsewhere"),
    "303": answer(303, location="/elsewhere"),
    "304": answer(304, media_type=""),
    "307": answer(307, location="/elsewhere"),
    "308": answer(308, location="/elsewhere"),
    "408": answer(408),
    "409": answer(409),
    "418": answer(418),
    "425": answer(425),
    "closed without an answer": raw(b""),
    "reset without an answer": reset,
    "closed within the head": raw(b"HTTP/1.1 200 OK\r\nContent-"),
    "closed within the body": raw(head(200, {"content-length": "100"}) + b'{"jsonrpc"'),
    "closed between chunks": chunked(_cut_chunks),
    "a nonsense chunk": raw(head(200, {"transfer-encoding": "chunked"}) + b"zz\r\n{}\r\n0\r\n\r\n"),
    "no HTTP": raw(b"\x00\x01\x02 no HTTP\r\n\r\n"),
    "an endless head": raw(head(200, {"x-long": "x" * 200_000})),
    "a body that is no gzip": answer(200, b"no gzip", content_encoding="gzip"),
    "500 JSON": json_answer({"error": "Internal Server Error"}, 500),
    "500 JSON-RPC": json_answer({"id": None, "error": {"code": -32603, "message": "It broke"}}, 500),
    "500 empty": answer(500),
    "502 page": answer(502, PAGE, "text/html"),
    "502 with Retry-After": answer(502, retry_after="3"),
    "503": answer(503),
    "504": answer(504, "upstream request timeout", "text/plain"),
    "529": answer(529, "overloaded", "text/plain"),
    "599": answer(599),
}

REFUSED: dict[str, tuple[Answer, type[PaymanError]]] = {
    "400": (json_answer({"message": "no"}, 400), BadRequestError),
    "401": (answer(401), AuthenticationError),
    "401 JSON-RPC": (json_answer({"id": None, "error": {"code": -32000}}, 401), AuthenticationError),
    "403": (json_answer({"error": "insufficient_scope"}, 403), PermissionDeniedError),
    "404 page": (answer(404, PAGE, "text/html"), NotFoundError),
    "422": (answer(422), UnprocessableEntityError),
    "403 JSON-RPC": (json_answer({"id": None, "error": {"code": -32000}}, 403), PermissionDeniedError),
    "429": (answer(429, retry_after="3"), RateLimitError),
    "429 JSON-RPC": (json_answer({"id": None, "error": {"code": -32000}}, 429), RateLimitError),
    "503 with Retry-After": (answer(503, retry_after="3"), ServerError),
}

AGENT_ERRORS: dict[str, tuple[Answer, type[PaymanError]]] = {
    "400 JSON-RPC": (rpc(400, error={"code": -32700, "message": "Parse error"}), InvalidJSONError),
    "404 JSON-RPC": (rpc(404, error={"code": -32001, "message": "Task not found"}), TaskNotFoundError),
    "method not found": (rpc(error={"code": -32601, "message": "?", "data": [1]}), MethodNotFoundError),
    "invalid params": (rpc(result=None, error={"code": -32602}), InvalidParamsError),
    "internal error": (rpc(error={"code": -32603, "message": None}), InternalAgentError),
    "an error nobody has listed": (rpc(error={"code": 7, "message": "New"}), AgentError),
}

BODIES: dict[str, Answer] = {
    "nothing": answer(200),
    "204": answer(204, media_type=""),
    "text": answer(200, "OK", "text/plain"),
    "page": answer(200, PAGE, "text/html; charset=utf-8"),
    "half of JSON": answer(200, '{"jsonrpc": "2.0", "id"'),
    "list": answer(200, "[]"),
    "string": answer(200, '"done"'),
    "number": answer(200, "7"),
    "null": answer(200, "null"),
    "no UTF-8": answer(200, b'{"jsonrpc": "2.0", "result": "\xff\xfe"}'),
    "an endless number": answer(200, '{"result": ' + "9" * 5000 + "}"),
    "deep nesting": answer(200, '{"result":' * 100_000 + "1" + "}" * 100_000),
    "empty object": answer(200, "{}"),
}

UNREADABLE: dict[str, Answer] = {
    **BODIES,
    "half a gzip": _half_a_gzip,
    "neither": rpc(),
    "both null": rpc(result=None, error=None),
    "error without a code": rpc(error={"message": "It broke"}),
    "error with a text for a code": rpc(error={"code": "E1"}),
    "error with true for a code": rpc(error={"code": True}),
    "error that is a text": rpc(error="It broke"),
    "error that is a list": rpc(error=[]),
    "the answer to another request": json_answer(
        {"jsonrpc": "2.0", "id": "req-other", "result": {"id": "tsk-1", "status": _STATE}}
    ),
    "an answer with a list for an id": json_answer(
        {"id": ["x" * 100_000], "result": {"id": "tsk-other", "status": _STATE}}
    ),
    "result that is a list": rpc(result=[]),
    "result that is a text": rpc(result="done"),
    "result that is true": rpc(result=True),
    "result that is no number": answer(200, '{"result": NaN}'),
    "result without members": rpc(result={}),
    "id that is a number": task_with(id=7),
    "another task": task_with(id="tsk-other"),
    "a task without an id, and no request": json_answer({"result": {"status": _STATE}}),
    "a task alone, without an id": json_answer({"status": _STATE}),
    "status that is missing": rpc(result={"id": "tsk-1"}),
    "status that is null": task_with(status=None),
    "status that is a number": task_with(status=200),
    "state that is missing": task_with(status={}),
    "state that is null": task_with(status={"state": None}),
    "state that is a number": task_with(status={"state": 5}),
    "state that is true": task_with(status={"state": True}),
    "state that is a list": task_with(status={"state": ["completed"]}),
}

MISTYPED: dict[str, dict[str, Any]] = {
    "timestamp that is an object": {"status": {**_STATE, "timestamp": {"seconds": 7}}},
    "session that is a number": {"sessionId": 5},
    "text that is missing": {"artifacts": [{"parts": [{"type": "text"}]}]},
    "text with a list for metadata": {
        "artifacts": [{"parts": [{"type": "text", "text": "Done.", "metadata": []}]}]
    },
    "file that is null": {"artifacts": [{"parts": [{"type": "file", "file": None}]}]},
    "part that is a number": {"artifacts": [{"parts": [5]}]},
    "parts that are missing": {"artifacts": [{"name": "response"}]},
    "artifact that is null": {"artifacts": [None]},
    "name that is a number": {"artifacts": [{"name": 5, "parts": []}]},
    "description that is a number": {"artifacts": [{"description": 5, "parts": []}]},
    "metadata that is a list": {"metadata": []},
    "history that is a text": {"history": "Hello"},
    "status message that is true": {"status": {**_STATE, "message": True}},
    "status text that is an object": {
        "status": {**_STATE, "message": {"role": "agent", "parts": [{"type": "text", "text": {}}]}}
    },
}
"""Members of a task that cannot be read, and cost no more than themselves."""
