"""The events of a stream: the seed's event dicts, with the same members and more as attributes.

All members of an event are plain JSON, so that every serializer takes it for the dict it is.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from payman_api.models.task_state import TaskState
from payman_sdk._attrdict import Key, Record
from payman_sdk._core.states import STATES, Status
from payman_sdk._core.task_response import Artifact, TaskResponse


def _read_state(state: str) -> TaskState | str:
    return STATES.get(state, state)


class StatusUpdate(Record):
    """The task stands differently now.

    Example:
        >>> from payman_sdk.sandbox import Sandbox
        >>> with Sandbox() as sandbox, sandbox.client() as client, client.stream("list all wallets") as stream:
        ...     event = next(stream)
        >>> event["type"], event.status, event.state, event.is_final
        ('status_update', 'in_progress', <TaskState.WORKING: 'working'>, False)
    """

    __slots__ = ("raw",)

    raw: TaskResponse
    """The JSON-RPC answer it came in; no member of the dict."""

    type = Key[Literal["status_update"]]()
    """`status_update`."""
    status = Key[Status]()
    """The status of the task: 'completed', 'failed' (canceled too) or 'in_progress' (waiting for input too)."""
    state = Key[TaskState | str](_read_state)
    """The agent's own state of the task; one that nobody has listed is the string the agent sent."""
    is_final = Key[bool]()
    """Whether the stream ends with it."""
    status_message = Key["str | None"]()
    """What the agent says about the state."""
    timestamp = Key["str | None"]()
    """Since when, exactly as the agent wrote it."""
    task_id = Key[str]()
    """The id of the task (`tsk-…`)."""
    session_id = Key["str | None"]()
    """The id of the session (`ses-…`)."""
    request_id = Key[str]()
    """The id of the request (`req-…`)."""
    metadata = Key[dict[str, Any]]()
    """What the agent says about the event."""


class ArtifactUpdate(Record):
    """An artifact was begun, extended or replaced.

    `artifacts` and `artifact` show what there was at the moment of the event, so an event that is kept keeps the whole text so far.

    Example:
        >>> from payman_sdk.sandbox import Sandbox
        >>> with Sandbox() as sandbox, sandbox.client() as client, client.stream("list all wallets") as stream:
        ...     updates = [event for event in stream if event.type == "artifact_update"]
        >>> updates[1].artifact.content == updates[0].delta + updates[1].delta
        True
        >>> updates[0]["artifacts"][-1]["content"] == updates[0].delta
        True
    """

    __slots__ = ("raw",)

    raw: TaskResponse
    """The JSON-RPC answer it came in; no member of the dict."""

    type = Key[Literal["artifact_update"]]()
    """`artifact_update`."""
    delta = Key[str]()
    """The new text only, to be put behind the text of the artifact so far; for one that is replaced, all of it."""
    artifact = Key[Artifact](Artifact)
    """The artifact so far."""
    artifacts = Key[list[Artifact]](lambda shown: [Artifact(artifact) for artifact in shown])
    """All artifacts so far, the one of this event last."""
    index = Key[int]()
    """Which artifact of the task it is, from 0."""
    is_last_chunk = Key[bool]()
    """Whether the agent said that the artifact is complete with it."""
    task_id = Key[str]()
    """The id of the task (`tsk-…`)."""
    session_id = Key["str | None"]()
    """The id of the session (`ses-…`)."""
    request_id = Key[str]()
    """The id of the request (`req-…`)."""
    metadata = Key[dict[str, Any]]()
    """What the agent says about the event."""


class UnknownUpdate(Record):
    """An event that the SDK does not know, or that is not as the protocol has it; kept as it came.

    Example:
        >>> from payman_sdk._core.events import UnknownUpdate
        >>> UnknownUpdate(type="unknown", data={"id": "tsk-1", "weather": "fair"}).data["weather"]
        'fair'
    """

    __slots__ = ("raw",)

    raw: Any
    """The data of the event, as JSON where it is JSON; no member of the dict."""

    type = Key[Literal["unknown"]]()
    """`unknown`."""
    data = Key[Any]()
    """What came: the result of the JSON-RPC answer, or else all of the data."""
    task_id = Key[str]()
    """The id of the task (`tsk-…`)."""
    session_id = Key["str | None"]()
    """The id of the session (`ses-…`)."""
    request_id = Key[str]()
    """The id of the request (`req-…`)."""


StreamEvent: TypeAlias = StatusUpdate | ArtifactUpdate | UnknownUpdate
"""Whatever a stream tells; `event.type` says which it is."""
