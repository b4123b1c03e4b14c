"""Formatting: the agent's task in, the caller's `FormattedTaskResponse` out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar, cast

from payman_api.models.artifact import Artifact as WireArtifact
from payman_api.models.data_part import DataPart
from payman_api.models.file_part import FilePart
from payman_api.models.message import Message
from payman_api.models.other_part import OtherPart
from payman_api.models.task import Task
from payman_api.models.text_part import TextPart
from payman_api.types import Unset
from payman_sdk.errors import ResponseValidationError, TaskFailedError, shortened
from payman_sdk.states import canonical_state, has_ended, status_of
from payman_sdk.types import Artifact, FormattedTaskResponse

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")
Part = TextPart | FilePart | DataPart | OtherPart

_KINDS = ("text", "file", "data")
"""The kinds of parts that the protocol has."""


def json_object(answer: httpx.Response) -> dict[str, Any] | None:
    """The JSON object in an answer's body; None where the body is something else."""
    try:
        body = answer.json()
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, Any]", body) if isinstance(body, dict) else None


def format_task(
    task: Task, *, request_id: str, session_id: str | None, idempotency_key: str | None = None
) -> FormattedTaskResponse:
    """The answer for the caller.

    Args:
        task: The task as the agent sent it.
        request_id: The id of the request it answers.
        session_id: The session the request was sent in; the agent's own word wins.
        idempotency_key: The key that the caller gave the ask, if any.

    Raises:
        ResponseValidationError: A member has a type that the protocol does not give it.
    """
    task_id = _text(task.id, "id")
    state = canonical_state(_text(task.status.state, "status.state"))
    status_message = format_message(task.status.message)
    status = status_of(state)
    timestamp = _optional_text(task.status.timestamp, "status.timestamp")
    return FormattedTaskResponse(
        status=status,
        is_final=has_ended(state),
        state=state,
        status_message=status_message,
        timestamp=timestamp,
        artifacts=[
            format_artifact(artifact, timestamp, f"artifacts[{index}]")
            for index, artifact in enumerate(_given(task.artifacts, []))
        ],
        error={"state": state, "message": status_message or f"The task is {state}."}
        if status == "failed"
        else None,
        task_id=task_id,
        request_id=request_id,
        session_id=_optional_text(task.session_id, "sessionId") or session_id,
        idempotency_key=idempotency_key,
        metadata=_plain(task.metadata),
    )


def refused_if_failed(response: FormattedTaskResponse) -> FormattedTaskResponse:
    """The answer, for a caller who wants to have failures raised.

    Raises:
        TaskFailedError: The task has ended without success.
    """
    if response.status != "failed":
        return response
    failure = TaskFailedError(
        f"The task is {response['state']}: {shortened(response.text)}",
        task_id=response.task_id,
        request_id=response.request_id,
        session_id=response.session_id,
        idempotency_key=response.idempotency_key,
    )
    failure.task = response
    raise failure


def format_artifact(artifact: WireArtifact, timestamp: str | None, path: str) -> Artifact:
    """One artifact for the caller.

    Args:
        artifact: The artifact as the agent sent it, or as it was put together from a stream.
        timestamp: When it was made, unless it says so itself.
        path: What an error calls it.

    Raises:
        ResponseValidationError: A member has a type that the protocol does not give it.
    """
    parts = artifact.parts
    metadata = _plain(artifact.metadata)
    texts = _texts(parts, path)
    timestamp_of_its_own = metadata.get("timestamp")
    return Artifact(
        name=_optional_text(artifact.name, f"{path}.name") or "artifact",
        description=_optional_text(artifact.description, f"{path}.description"),
        content="\n".join(texts) if texts else "\n".join(_content(part, path) for part in parts),
        type="text" if texts or not parts else str(parts[0].type_),
        timestamp=timestamp_of_its_own if isinstance(timestamp_of_its_own, str) else timestamp,
        metadata=metadata,
        parts=[part.to_dict() for part in parts],
    )


def _texts(parts: list[Part], path: str) -> list[str]:
    """The texts among parts.

    Raises:
        ResponseValidationError: A part names a kind of the protocol and does not hold what that kind holds.
    """
    for part in parts:
        # What fits no kind is read as a kind of its own, for there may be new ones; these are not new.
        if isinstance(part, OtherPart) and part.type_ in _KINDS:
            raise ResponseValidationError(
                f"The agent's answer has a malformed {part.type_} part in result.{path}."
            )
    return [part.text for part in parts if isinstance(part, TextPart)]


def _content(part: Part, path: str) -> str:
    """What stands for a part in an artifact without text."""
    match part:
        case TextPart():
            return part.text
        case DataPart():
            return _json(part.data.to_dict(), path)
        case FilePart():
            file = part.file
            return (
                _optional_text(file.uri, f"{path}.parts.file.uri")
                or _optional_text(file.name, f"{path}.parts.file.name")
                or ""
            )
        case _:
            return _json(part.to_dict(), path)


def _json(value: dict[str, Any], path: str) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        raise ResponseValidationError(f"The agent's answer is nested too deeply in result.{path}.") from None


def format_message(message: Message | Unset | None) -> str | None:
    """The text of a status message; None where it has none."""
    given = _given(message, None)
    if given is None:
        return None
    return "\n".join(_texts(given.parts, "status.message")) or None


def _given(value: T | Unset | None, default: T) -> T:
    """The value; the default where it is absent or null, which mean the same."""
    return default if value is None or isinstance(value, Unset) else value


def _plain(model: Any) -> dict[str, Any]:
    given = _given(model, None)
    plain: dict[str, Any] = {} if given is None else given.to_dict()
    return plain


def _text(value: object, path: str) -> str:
    """A string; the generated models take over whatever JSON holds."""
    if not isinstance(value, str):
        raise ResponseValidationError(
            f"The agent's answer has a {type(value).__name__} for result.{path}, not a text."
        )
    return value


def _optional_text(value: object, path: str) -> str | None:
    return None if value is None or isinstance(value, Unset) else _text(value, path)
