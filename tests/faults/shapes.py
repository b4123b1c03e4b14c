"""Shapes of a server's answer that the protocol does not quite allow, and that leave no doubt about what they say."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast

from tests.faults.http1 import body_of, with_body

Shape = Callable[[dict[str, Any]], Any]


def reshape(answer: bytes, share: float) -> bytes:
    """Return the answer in another shape.

    Args:
        answer: A whole answer; one that is no JSON object with a task as its result, such as a stream, is returned as it is.
        share: Which shape, from 0 to 1.
    """
    try:
        document: Any = json.loads(body_of(answer))
    except ValueError:
        return answer
    if not isinstance(document, dict):
        return answer
    known = cast("dict[str, Any]", document)
    if not isinstance(known.get("result"), dict) or "status" not in known["result"]:
        return answer
    shape = SHAPES[min(int(share * len(SHAPES)), len(SHAPES) - 1)]
    return with_body(answer, json.dumps(shape(known)).encode())


def _with_timestamp(value: Any) -> Shape:
    def shape(document: dict[str, Any]) -> Any:
        document["result"]["status"]["timestamp"] = value
        return document

    return shape


def _with_result(**members: Any) -> Shape:
    return lambda document: {**document, "result": {**document["result"], **members}}


def _with_document(**members: Any) -> Shape:
    return lambda document: {**document, **members}


def _with_plain_message(document: dict[str, Any]) -> Any:
    document["result"]["status"]["message"] = "Processing"
    return document


def _with_kind_for_type(document: dict[str, Any]) -> Any:
    artifacts: list[Any] = document["result"].get("artifacts") or []
    for artifact in artifacts:
        parts: list[dict[str, Any]] = artifact["parts"]
        for part in parts:
            part["kind"] = part.pop("type")
    return document


def _with_long_state(document: dict[str, Any]) -> Any:
    status = document["result"]["status"]
    status["state"] = "TASK_STATE_" + status["state"].upper().replace("-", "_")
    return document


SHAPES: tuple[Shape, ...] = (
    _with_timestamp(1751041891.51),
    _with_timestamp(None),
    _with_timestamp("yesterday"),
    _with_plain_message,
    _with_kind_for_type,
    _with_long_state,
    _with_result(artifacts=None),
    _with_result(metadata="x"),
    _with_result(history=None, sessionId=None),
    _with_result(artifacts=[None]),
    _with_document(id=None),
    _with_document(id=1),
    _with_document(error=None),
    lambda document: [document],
    lambda document: document["result"],
)
"""All of them."""
