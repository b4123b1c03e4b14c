"""Formatting: the agent's task in, the caller's `FormattedTaskResponse` out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from payman_api.models import Artifact as WireArtifact
from payman_api.models import DataPart, FilePart, Message, OtherPart, TextPart
from payman_api.types import Unset
from payman_sdk._core.task_reader import ParsedTask
from payman_sdk._core.task_response import (
    Artifact,
    FormattedTaskResponse,
    canonicalize_state,
    get_status,
    has_ended,
    is_waiting,
)
from payman_sdk._core.wire_json import Json, dump_json
from payman_sdk._text.error_response import shorten
from payman_sdk.errors import TaskFailedError

if TYPE_CHECKING:
    from payman_sdk._core.requests import AskRequest

Part: TypeAlias = TextPart | FilePart | DataPart | OtherPart

_UNPRINTABLE = (RecursionError, TypeError, ValueError)
"""What writing data as JSON raises."""


def format_task(
    task: ParsedTask,
    *,
    request_id: str,
    session_id: str | None,
    idempotency_key: str | None = None,
    earlier: Sequence[Mapping[str, Any]] | None = None,
) -> FormattedTaskResponse:
    """Format a task for the caller, however odd it is.

    The agent's own word for the session wins. `earlier` are the artifacts of the task when it last waited for an answer; None if
    unknown.
    """
    warnings = list(task.warnings)
    state = canonicalize_state(task.status.state)
    status_message = format_message(task.status.message)
    status = get_status(state)
    timestamp = _as_text(task.status.timestamp)
    failure = {"state": state, "message": status_message or f"The task is {state}."}
    response = FormattedTaskResponse(
        status=status,
        is_final=has_ended(state),
        state=state,
        status_message=status_message,
        timestamp=timestamp,
        artifacts=[
            format_artifact(artifact, timestamp, f"artifacts[{index}]", warnings)
            for index, artifact in enumerate(task.artifacts or ())
        ],
        error=failure if status == "failed" else None,
        task_id=task.id,
        request_id=request_id,
        session_id=task.session_id or session_id,
        idempotency_key=idempotency_key,
        metadata=task.metadata.to_dict() if task.metadata else {},
    )
    response.raw, response.warnings = task.raw, warnings
    response.headers = {} if task.headers is None else task.headers
    if earlier:
        new = _select_new_artifacts(response.artifacts, earlier)
        # Where nothing was added, what it waits for is still what it said before.
        response.new_artifacts = new if new or not is_waiting(state) else None
    return response


def format_answer(task: ParsedTask, ask: AskRequest) -> FormattedTaskResponse:
    return format_task(
        task,
        request_id=ask.request_id,
        session_id=ask.session_id,
        idempotency_key=ask.idempotency_key,
        earlier=ask.earlier,
    )


def _select_new_artifacts(artifacts: list[Artifact], earlier: Sequence[Mapping[str, Any]]) -> list[Artifact]:
    """Return the artifacts that were not there before, whether or not the server returns earlier ones."""
    old = [_identify_artifact(artifact) for artifact in earlier]
    new: list[Artifact] = []
    for artifact in artifacts:
        if (said := _identify_artifact(artifact)) in old:
            old.remove(said)
        else:
            new.append(artifact)
    return new


def _identify_artifact(artifact: Mapping[str, Any]) -> str:
    """Return what an artifact says, to compare it by."""
    content = artifact.get("content")
    return content if isinstance(content, str) and content else repr(artifact.get("parts"))


def raise_if_failed(response: FormattedTaskResponse) -> FormattedTaskResponse:
    """Return the answer, or raise TaskFailedError for a failure if the caller wants that."""
    if response.status != "failed":
        return response
    raise build_failure(response, f"The task is {response['state']}: {shorten(response.text)}")


def build_failure(response: FormattedTaskResponse, message: str) -> TaskFailedError:
    """Make the error for an answer that says that nothing was done."""
    failure = TaskFailedError(message, **get_ids(response))
    failure.task = response
    return failure


def get_ids(response: FormattedTaskResponse) -> dict[str, Any]:
    """Return the ids of an answer, as errors take them."""
    names = ("task_id", "request_id", "session_id", "idempotency_key")
    return {name: response[name] for name in names}


def format_artifact(
    artifact: WireArtifact, timestamp: str | None, path: str, warnings: list[str]
) -> Artifact:
    """Format an artifact for the caller, however odd it is; `path` is what a warning calls it."""
    parts = artifact.parts
    texts = _collect_texts(parts)
    try:
        content = "\n".join(texts or map(_render_part, parts))
    except _UNPRINTABLE:
        content = ""
        warnings.append(f"{path}: data that cannot be written as JSON")
    return Artifact(
        build_artifact(
            artifact.name,
            artifact.description,
            content,
            "text" if texts or not parts else str(parts[0].type_),
            artifact.metadata.to_dict() if artifact.metadata else {},
            [part.to_dict() for part in parts],
            timestamp,
        )
    )


def build_artifact(
    name: object,
    description: object,
    content: str,
    kind: str,
    metadata: Json,
    parts: list[Json],
    timestamp: str | None = None,
) -> Json:
    """Return the members of an `Artifact`, made at this time unless it says so itself."""
    own_timestamp = metadata.get("timestamp")
    return {
        "name": _as_text(name) or "artifact",
        "description": _as_text(description),
        "content": content,
        "type": kind,
        "timestamp": own_timestamp if isinstance(own_timestamp, str) else timestamp,
        "metadata": metadata,
        "parts": parts,
    }


def render_part(part: Part) -> str:
    """Return what represents a part in an artifact without text; nothing if JSON cannot hold it."""
    try:
        return _render_part(part)
    except _UNPRINTABLE:
        return ""


def format_message(message: Message | Unset | None) -> str | None:
    """Return the text of a status message; None where it has none."""
    return "\n".join(_collect_texts(message.parts)) or None if message else None


def _collect_texts(parts: list[Part]) -> list[str]:
    return [part.text for part in parts if isinstance(part, TextPart)]


def _render_part(part: Part) -> str:
    """Return what represents a part in an artifact without text."""
    match part:
        case TextPart():
            return part.text
        case DataPart():
            return dump_json(part.data.to_dict(), ensure_ascii=False)
        case FilePart():
            return _as_text(part.file.uri) or _as_text(part.file.name) or ""
        case OtherPart(type_="data"):
            return dump_json(part.additional_properties.get("data"), ensure_ascii=False)
        case _:
            return dump_json(part.to_dict(), ensure_ascii=False)


def _as_text(value: object) -> str | None:
    return value if isinstance(value, str) else None
