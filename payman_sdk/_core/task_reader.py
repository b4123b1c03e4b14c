"""From the JSON of a task to its model: whatever else is odd in it, what can be read is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from payman_api.models import Artifact, FilePart, OtherPart, Task, TaskStatus
from payman_api.types import Unset
from payman_sdk._core.wire_json import Json, as_object, decode_nested, get_first, unwrap_single

if TYPE_CHECKING:
    from payman_api.models import DataPart, TextPart

    Part: TypeAlias = TextPart | FilePart | DataPart | OtherPart

_ODD = (AttributeError, KeyError, TypeError, ValueError, RecursionError)
"""What the generated models raise where something is not as the spec has it."""
_KINDS = frozenset({"text", "file", "data"})
_SESSION_NAMES = frozenset({"contextId", "session_id", "context_id"})
"""What others call the id of the session."""
_PLAIN = (str, Unset, type(None))
"""What an optional text is: present, absent or null."""


_WRAPPERS = ("task", "statusUpdate", "artifactUpdate", "status_update", "artifact_update")
"""Members that later versions of the protocol put around a task or an update."""


class ParsedTask(Task):
    """A task as the protocol has it: every member has the type that its model promises.

    `raw` is the JSON-RPC answer as it came; headers are redacted. None if there was none.
    """

    __slots__ = ("headers", "raw", "warnings")

    headers: Mapping[str, str] | None
    raw: Any
    warnings: list[str]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Task) and self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment] # as for every model: it can be changed


def unwrap_task(result: Any) -> Json | None:
    """Return a task or an update without a list or an object around it; None if it is not an object."""
    found = as_object(unwrap_single(decode_nested(result)))
    if found is None or "status" in found or "artifact" in found:
        return found
    within = as_object(get_first(found, *_WRAPPERS))
    return found if within is None else within


def find_task_id(given: Json) -> Any:
    """Return the id of the task that something is about; None if it names none."""
    return given.get("id") or get_first(given, "taskId", "task_id")


def is_same_task(said: str | None, task_id: str) -> bool:
    """Return whether a text that the agent wrote is the id of a task, in any case."""
    return said is not None and said.casefold() == task_id.casefold()


def read_task(given: Json, task_id: str, raw: Any = None) -> ParsedTask | None:
    """Read a task, or an update of its status; None without a recognizable state. Other members that cannot be read are left out."""
    task = _read_plainly(given)
    if task is None:
        task = _read_leniently(given, task_id)
        if task is None:
            return None
    task.id, task.raw = task_id, raw
    return task


def read_artifact(given: Any) -> tuple[Artifact, Json, list[str]] | None:
    """Read an artifact: its model, its JSON and what could not be read; None without one."""
    try:
        artifact = Artifact.from_dict(given)
        if _is_plain_artifact(artifact):
            return artifact, given, []
    except _ODD:
        pass
    from payman_sdk._core.task_normalization import Warnings, normalize_artifact

    warnings = Warnings()
    try:
        normal = normalize_artifact(given, "artifact", warnings)
        return None if normal is None else (Artifact.from_dict(normal), normal, warnings)
    except _ODD:
        return None


def _read_plainly(given: Json) -> ParsedTask | None:
    """Read what is as the protocol has it, as nearly everything is; None for the rest."""
    try:
        task = ParsedTask.from_dict(given)
        if not _is_plain(task):
            return None
    except _ODD:
        return None
    task.headers, task.warnings = None, []
    return task


def _read_leniently(given: Json, task_id: str) -> ParsedTask | None:
    from payman_sdk._core.task_normalization import Warnings, find_state, normalize_task

    state = find_state(given)
    if state is None:
        return None
    warnings = Warnings()
    try:
        task = ParsedTask.from_dict(normalize_task(given, task_id, warnings))
    except Exception:
        # Whatever else is wrong with it, and with the code above: how the task ended is known.
        task = ParsedTask(id=task_id, status=TaskStatus(state=state))
        warnings = Warnings(["everything but the state"])
    task.headers, task.warnings = None, warnings
    return task


def _is_plain(task: Task) -> bool:
    """Whether members have their types where the generated models take any JSON."""
    status, session_id = task.status, task.session_id
    if not isinstance(status.state, str) or not isinstance(status.timestamp, _PLAIN):
        return False
    if not isinstance(session_id, _PLAIN) or (isinstance(session_id, str) and not session_id.isascii()):
        return False
    if not session_id and not _SESSION_NAMES.isdisjoint(task.additional_properties):
        return False
    messages = (status.message, *(task.history or ()))
    if not all(_is_plain_part(part) for message in messages if message for part in message.parts):
        return False
    return not task.artifacts or all(map(_is_plain_artifact, task.artifacts))


def _is_plain_artifact(artifact: Artifact) -> bool:
    return (
        isinstance(artifact.name, _PLAIN)
        and isinstance(artifact.description, _PLAIN)
        and type(artifact.index) in (int, Unset, type(None))
        and type(artifact.append) in (bool, Unset, type(None))
        and type(artifact.last_chunk) in (bool, Unset, type(None))
        and all(map(_is_plain_part, artifact.parts))
    )


def _is_plain_part(part: Part) -> bool:
    if isinstance(part, OtherPart):
        # What fits no kind is read as a new kind; these are not new.
        return part.type_.lower() not in _KINDS
    if isinstance(part, FilePart):
        file = part.file
        texts = (file.name, file.mime_type, file.bytes_, file.uri)
        return all(isinstance(text, _PLAIN) for text in texts)
    return True
