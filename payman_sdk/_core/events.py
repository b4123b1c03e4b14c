"""The events of a stream: dicts whose members are also attributes.

All members of an event are plain JSON, so that every serializer accepts it as a dict.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypeAlias

from payman_api.models import Artifact as WireArtifact
from payman_api.models import TaskState, TextPart
from payman_sdk._attrdict import Key, Record
from payman_sdk._core.error_classes import build_agent_error
from payman_sdk._core.task_reader import ParsedTask, find_task_id, read_artifact, read_task, unwrap_task
from payman_sdk._core.task_response import (
    STATES,
    Artifact,
    FormattedTaskResponse,
    Status,
    TaskResponse,
    canonicalize_state,
    has_ended,
)
from payman_sdk._core.wire_json import Json, as_object, decode_nested, get_first, parse_bool, unwrap_single


class _Update(Record):
    """What every event of a stream has."""

    __slots__ = ("raw",)
    _constants = ("type",)

    task_id = Key[str]()
    """The id of the task (`tsk-…`)."""
    session_id = Key[str | None]()
    """The id of the session (`ses-…`)."""
    request_id = Key[str]()
    """The id of the request (`req-…`)."""


class StatusUpdate(_Update):
    """The task changed its state.

    Example:
        >>> from payman_sdk.sandbox import Sandbox
        >>> with Sandbox() as sandbox, sandbox.client() as client, client.stream("list all wallets") as stream:
        ...     event = next(stream)
        >>> event["type"], event.status, event.state, event.is_final
        ('status_update', 'in_progress', <TaskState.WORKING: 'working'>, False)
    """

    __slots__ = ()

    raw: TaskResponse
    """The JSON-RPC answer it came in; no member of the dict."""

    type: Literal["status_update"] = "status_update"
    """`status_update`."""
    status = Key[Status]()
    """The status of the task: 'completed', 'failed' (canceled too) or 'in_progress' (waiting for input too)."""
    state = Key[TaskState | str](lambda state: STATES.get(state) or state)
    """The agent's own state of the task; an unlisted one is the string that the agent sent."""
    is_final = Key[bool]()
    """Whether the stream ends with it."""
    status_message = Key[str | None]()
    """What the agent says about the state."""
    timestamp = Key[str | None]()
    """Since when, exactly as the agent wrote it."""
    metadata = Key[dict[str, Any]]()
    """What the agent says about the event."""


class ArtifactUpdate(_Update):
    """An artifact was started, extended or replaced.

    `artifacts` and `artifact` are snapshots of the moment of the event. So an event that you store holds the whole text so far.

    Example:
        >>> from payman_sdk.sandbox import Sandbox
        >>> with Sandbox() as sandbox, sandbox.client() as client, client.stream("list all wallets") as stream:
        ...     updates = [event for event in stream if event.type == "artifact_update"]
        >>> updates[1].artifact.content == updates[0].delta + updates[1].delta
        True
        >>> updates[0]["artifacts"][-1]["content"] == updates[0].delta
        True
    """

    __slots__ = ()

    raw: TaskResponse
    """The JSON-RPC answer it came in; no member of the dict."""

    type: Literal["artifact_update"] = "artifact_update"
    """`artifact_update`."""
    delta = Key[str]()
    """The new text, to append to the previous text of the artifact. For a replaced artifact, all of its text."""
    artifact = Key[Artifact](Artifact)
    """The artifact so far."""
    artifacts = Key[list[Artifact]](lambda shown: [Artifact(artifact) for artifact in shown])
    """All artifacts so far, the one of this event last."""
    index = Key[int]()
    """Which artifact of the task it is, from 0."""
    is_last_chunk = Key[bool]()
    """Whether the agent said that the artifact is complete with it."""
    metadata = Key[dict[str, Any]]()
    """What the agent says about the event."""


class UnknownUpdate(_Update):
    """An event that the SDK does not know, or that does not follow the protocol, unchanged.

    Example:
        >>> from payman_sdk import UnknownUpdate
        >>> UnknownUpdate(type="unknown", data={"id": "tsk-1", "weather": "fair"}).data["weather"]
        'fair'
    """

    __slots__ = ()

    raw: Any
    """The data of the event, as JSON where it is JSON; no member of the dict."""

    type: Literal["unknown"] = "unknown"
    """`unknown`."""
    data = Key[Any]()
    """What came: the result of the JSON-RPC answer, or else all of the data."""


StreamEvent: TypeAlias = StatusUpdate | ArtifactUpdate | UnknownUpdate
"""Any event of a stream; `event.type` says which it is."""

OnEvent: TypeAlias = (
    Callable[[StreamEvent], object] | Callable[[FormattedTaskResponse | TaskResponse], object]
)
"""Called with every event of an answer: `on_message` and `on_event`. Its exceptions pass unchanged.

Version 1 annotated callbacks in the second way; they are called with events as well."""
OnAnswer: TypeAlias = Callable[[TaskResponse], object]
"""The same with `raw=True`: called with every JSON-RPC answer."""


class Update(NamedTuple):
    """What an event says of a task.

    `task` may be its status only; `chunk` is `artifact` as JSON. `is_final` means that the event says so, or that the whole task
    (`is_whole`) has ended.
    """

    artifact: WireArtifact | None
    chunk: Json
    metadata: Json
    task: ParsedTask | None
    is_final: bool
    is_whole: bool
    warnings: list[str]

    def list_texts(self) -> list[TextPart]:
        artifacts = [self.artifact, *((self.task.artifacts if self.task else None) or ())]
        return [part for one in artifacts if one for part in one.parts if isinstance(part, TextPart)]


def read_update(said: Any, task_id: str, request_id: str) -> Update | None:
    """Read an event; None if nothing in it about this task can be read.

    It is a JSON-RPC answer, or the result alone [P]. Raises AgentError, with `sent` True if it is about another request.
    """
    envelope = as_object(unwrap_single(decode_nested(said)))
    if envelope is None:
        return None
    has_body = "status" in envelope or "artifact" in envelope
    # It is the result itself, without the JSON-RPC around it.
    is_bare = "result" not in envelope and ("jsonrpc" not in envelope or has_body)
    body = unwrap_task(envelope if is_bare else envelope.get("result"))
    update = None if body is None else _read_task_update(body, task_id, request_id if is_bare else task_id)
    # The state of the task counts for more than an error beside it.
    is_told = update is not None and update.task is not None
    if not is_told and (error := build_agent_error(envelope)) is not None:
        # Neither what refuses another request, nor an error beside a result, says that nothing was done.
        if envelope.get("id") not in (None, request_id) or envelope.get("result"):
            error.sent = True
        raise error
    if update is not None and envelope.get("error"):
        update.warnings.append("error: beside a result")
    return update


def _read_task_update(body: Json, task_id: str, other_id: str) -> Update | None:
    if find_task_id(body) not in (None, "", task_id, other_id):
        return None
    artifact: WireArtifact | None = None
    chunk: Json = {}
    warnings: list[str] = []
    if body.get("artifact") is not None and (read := read_artifact(body["artifact"])) is not None:
        artifact, chunk, warnings = read
    task = read_task(body, task_id) if "status" in body or "state" in body else None
    if task is None and artifact is None:
        return None
    metadata = as_object(body.get("metadata"))
    if artifact is not None and metadata is None and body.get("metadata") is not None:
        warnings.append("metadata: not an object")
    is_final = parse_bool(body.get("final"))
    if is_final is None and body.get("final") is not None:
        warnings.append("final: neither true nor false")
    # An update of a status names the task in another member than a task does.
    is_update = body.get("kind") == "status-update" or "taskId" in body
    is_whole = artifact is None and is_final is None and not is_update
    # An update may lack a false `final`, and has none of these members.
    shows_end = is_whole and get_first(body, "artifacts", "history", "sessionId") is not None
    if task is not None:
        warnings += task.warnings
        is_final = has_ended(canonicalize_state(task.status.state)) if shows_end else is_final
    return Update(artifact, chunk, metadata or {}, task, is_final is True, is_whole, warnings)
