"""What a stream tells: the seed's event dicts, with the same things and more as attributes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

from payman_api.models.task_state import TaskState
from payman_sdk._attrdict import Key, LazyRecord, Record
from payman_sdk._core.states import STATES, Status
from payman_sdk._core.task_response import Artifact, TaskResponse

if TYPE_CHECKING:
    from payman_sdk._core.artifact_buffer import Snapshot


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
    """How the task stands: 'completed', 'failed' (canceled too) or 'in_progress' (waiting for input too)."""
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

    @property
    def state(self) -> TaskState | str:
        """The agent's own state of the task; one that nobody has listed is the string the agent sent."""
        state: str = self["state"]
        return STATES.get(state, state)


class ArtifactUpdate(LazyRecord):
    """An artifact was begun, extended or replaced.

    `artifacts` and `artifact` show what there was at the moment of the event, and are put together when they are looked at.
    In a loop over a stream, hand `dict(event)` to serializers that are written in another language, such as orjson.

    Example:
        >>> from payman_sdk.sandbox import Sandbox
        >>> with Sandbox() as sandbox, sandbox.client() as client, client.stream("list all wallets") as stream:
        ...     updates = [event for event in stream if event.type == "artifact_update"]
        >>> updates[1].artifact.content == updates[0].delta + updates[1].delta
        True
        >>> updates[0]["artifacts"][-1]["content"] == updates[0].delta
        True
    """

    __slots__ = ("_format", "_moment", "raw")

    raw: TaskResponse
    """The JSON-RPC answer it came in; no member of the dict."""

    type = Key[Literal["artifact_update"]]()
    """`artifact_update`."""
    delta = Key[str]()
    """The new text only, to be put behind the text of the artifact so far; for one that is replaced, all of it."""
    artifact = Key[Artifact]()
    """The artifact so far."""
    artifacts = Key[list[Artifact]]()
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

    def remember(
        self, raw: TaskResponse, moment: Snapshot, formatted: Callable[[Snapshot], list[Artifact]]
    ) -> None:
        """Notes what the artifacts were at the moment of the event, and how they are shown."""
        self.raw, self._moment, self._format = raw, moment, formatted

    def complete(self) -> Self:
        """Puts the artifacts together, unless that is done already, and returns the event."""
        # Not the members tell whether that is done: whoever has the event may have taken some out.
        if (moment := getattr(self, "_moment", None)) is not None:
            artifacts = self._format(moment)
            dict[str, Any].update(self, artifact=artifacts[-1], artifacts=artifacts)
            del self._moment, self._format
        return self


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
