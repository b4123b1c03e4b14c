"""What a stream has told so far: every piece of it in, each event for the caller out exactly once."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from payman_api.models.artifact import Artifact as WireArtifact
from payman_api.models.metadata import Metadata
from payman_api.models.task import Task
from payman_api.models.task_artifact_update_event import TaskArtifactUpdateEvent
from payman_api.models.task_response import TaskResponse as WireTaskResponse
from payman_api.models.task_state import TaskState
from payman_api.models.task_status import TaskStatus
from payman_api.models.task_status_update_event import TaskStatusUpdateEvent
from payman_api.types import UNSET
from payman_sdk.errors import ResponseValidationError
from payman_sdk.responses import canonical_state, format_artifact, format_message, has_ended, status_of
from payman_sdk.streaming.events import ArtifactUpdate, StatusUpdate, StreamEvent, UnknownUpdate
from payman_sdk.streaming.growing import Growing, Moment, changed
from payman_sdk.tasks.answers import agent_error
from payman_sdk.types import Artifact, Json, TaskResponse

if TYPE_CHECKING:
    from payman_sdk.tasks.ask import Ask

_MISFITS = (AttributeError, KeyError, TypeError, ValueError, RecursionError, ResponseValidationError)
"""What reading something raises that is not as the protocol has it."""

_REMEMBERED = 256
"""How many updates of the status are remembered, so that a stream that begins anew does not repeat them."""

_WORDS_ONLY: Json = {"type": "text"}


class Progress:
    """The task of a stream, put together from what the stream told.

    A stream that broke may begin anew, go on where it broke, or leave out what was said in between. So after `rejoin`,
    what was told already is recognised by what it says, and `catch_up` tells what is missing.

    Args:
        ask: Whose stream it is.
    """

    def __init__(self, ask: Ask) -> None:
        self._task_id, self._request_id = ask.task_id, ask.request_id
        self.session_id: str = ask.session_id
        self.is_over = False
        """Whether the stream has told its end: a final event, or a state in which a task has ended."""
        self.count = 0
        """How many events were told."""
        self._artifacts: dict[int, Growing] = {}
        self._newest: Moment | None = None
        self._usual: Json | None = (
            None  # the chunk before, but its parts; the next one mostly differs in nothing else
        )
        self._status: TaskStatus | None = None
        self._metadata: Json = {}
        self._remembered: deque[Any] = deque(maxlen=_REMEMBERED)
        self._retold: dict[int, Growing] | None = None

    def take(self, data: str) -> list[StreamEvent]:
        """Takes the data of one event, and returns what is new in it.

        Raises:
            AgentError: It is a JSON-RPC error.
        """
        try:
            said = json.loads(data)
        except (ValueError, RecursionError):
            return self._unknown(data, data)
        try:
            event = self._words(said)
            return self._slowly(said) if event is None else [event]
        except _MISFITS:
            return self._slowly(said)

    def catch_up(self, body: Json, task: Task) -> list[StreamEvent]:
        """Takes the task as it stands by a JSON-RPC answer of its own, and returns what is new in it.

        The stream is over, too, where the task waits for somebody: nothing more comes until somebody answers.
        """
        events = self._task(task, body)
        self.is_over = self.is_over or self._state() == TaskState.INPUT_REQUIRED
        return events

    def rejoin(self) -> None:
        """The stream is open once more, and may tell again what it told before."""
        self._retold, self._usual = {}, None

    @property
    def was_interrupted(self) -> bool:
        """Whether the stream broke at least once, so that something may be missing."""
        return self._retold is not None

    def task(self) -> Task:
        """The task as told so far; its state is `unknown` as long as nothing was said about it."""
        return Task(
            id=self._task_id,
            session_id=self.session_id,
            status=self._status or TaskStatus(state=TaskState.UNKNOWN),
            artifacts=[
                WireArtifact.from_dict(self._artifacts[index].as_json()) for index in sorted(self._artifacts)
            ],
            metadata=Metadata.from_dict(self._metadata) if self._metadata else UNSET,
        )

    def answer(self) -> Json:
        """The JSON-RPC answer that would have said the same in one piece."""
        return WireTaskResponse(jsonrpc="2.0", id=self._request_id, result=self.task(), error=None).to_dict()

    def _words(self, said: Any) -> ArtifactUpdate | None:
        """The event for the usual chunk, one that adds some words to the artifact that changed last; None for others."""
        result = said["result"]
        chunk, usual, newest = result["artifact"], self._usual, self._newest
        (part,) = parts = chunk["parts"]
        text = part["text"]
        if usual is None or newest is None or result["id"] != self._task_id or type(text) is not str:
            return None
        chunk["parts"] = None
        is_usual = chunk == usual
        chunk["parts"] = parts
        if not is_usual or part["type"] != "text" or len(part) != 2:
            return None
        metadata = result.get("metadata")
        if metadata is not None and type(metadata) is not dict:
            return None
        newest.artifact.tail += text.encode()
        self._newest = newest = Moment(
            newest.number, newest.artifact, newest.complete, len(newest.artifact.tail), newest.others
        )
        return self._artifact_update(said, newest, text, metadata, is_last_chunk=False)

    def _slowly(self, said: Any) -> list[StreamEvent]:
        """Takes anything at all, checked by the generated models; what is not as the protocol has it is unknown."""
        if not isinstance(said, dict):
            return self._unknown(said, said)
        message = cast("Json", said)
        if message.get("error") is not None and (error := agent_error(message)) is not None:
            raise error
        # Some servers leave the JSON-RPC around an event out [P].
        result = message if "result" not in message and "jsonrpc" not in message else message.get("result")
        if not isinstance(result, dict):
            return self._unknown(said, said)
        told = cast("Json", result)
        try:
            if told.get("id", self._task_id) == self._task_id:
                if "artifact" in told:
                    return self._artifact(TaskArtifactUpdateEvent.from_dict(told), told, message)
                if "final" in told:
                    return self._status_update(TaskStatusUpdateEvent.from_dict(told), message)
                if "status" in told:
                    return self._task(Task.from_dict(told), message)
        except _MISFITS:
            pass
        return self._unknown(told, said)

    def _artifact(self, event: TaskArtifactUpdateEvent, told: Json, said: Json) -> list[StreamEvent]:
        chunk: Json = told["artifact"]
        index = event.artifact.index if isinstance(event.artifact.index, int) else 0
        format_artifact(event.artifact, None, "artifact")  # refuses what has members of wrong types
        self._usual = None
        artifact, is_appended = self._artifacts.get(index), chunk.get("append") is True
        if self._retold is not None and artifact is not None:
            before = self._retold.get(index)
            if before is not None or not is_appended:
                again = before.extended(chunk) if before is not None and is_appended else Growing.begun(chunk)
                return self._again(index, artifact, again, said)
        words = "" if artifact is None else artifact.words()
        grown = artifact.extended(chunk) if artifact is not None and is_appended else Growing.begun(chunk)
        is_last_chunk = chunk.get("lastChunk") is True
        if is_appended and grown.text == _WORDS_ONLY and not is_last_chunk:
            self._usual = {**chunk, "parts": None}
        metadata = event.metadata.to_dict() if isinstance(event.metadata, Metadata) else {}
        delta = _delta(words if is_appended else "", grown.words())
        return [
            self._grown(index, grown, delta, said, metadata, is_last_chunk=chunk.get("lastChunk") is True)
        ]

    def _again(self, index: int, artifact: Growing, again: Growing, said: Json) -> list[StreamEvent]:
        """An artifact that was told before, told again up to here: only what goes beyond is new."""
        assert self._retold is not None  # noqa: S101 (only then is anything told again)
        if again.begins(artifact):
            self._retold[index] = again
            return []
        self._retold.pop(index, None)
        delta = _delta(artifact.words() if artifact.begins(again) else "", again.words())
        return [self._grown(index, again, delta, said, {}, is_last_chunk=False)]

    def _grown(
        self, index: int, artifact: Growing, delta: str, said: Json, metadata: Json, *, is_last_chunk: bool
    ) -> ArtifactUpdate:
        self._artifacts[index] = artifact
        self._newest = changed(index, artifact, self._newest)
        return self._artifact_update(said, self._newest, delta, metadata, is_last_chunk=is_last_chunk)

    def _artifact_update(
        self, said: Json, moment: Moment, delta: str, metadata: Json | None, *, is_last_chunk: bool
    ) -> ArtifactUpdate:
        self.count += 1
        update = ArtifactUpdate(
            type="artifact_update",
            delta=delta,
            index=moment.number,
            is_last_chunk=is_last_chunk,
            task_id=self._task_id,
            session_id=self.session_id,
            request_id=self._request_id,
            metadata=metadata or {},
        )
        update.remember(cast("TaskResponse", said), moment, _formatted)
        return update

    def _status_update(self, event: TaskStatusUpdateEvent, said: Json) -> list[StreamEvent]:
        metadata = event.metadata.to_dict() if isinstance(event.metadata, Metadata) else {}
        return self._stands(event.status, metadata, said, is_final=event.final is True)

    def _stands(self, status: TaskStatus, metadata: Json, said: Json, *, is_final: bool) -> list[StreamEvent]:
        state, as_json = canonical_state(status.state), status.to_dict()
        is_over = is_final or has_ended(state)
        message = format_message(status.message)
        timestamp = status.timestamp if isinstance(status.timestamp, str) else None
        if self._retold is not None and not is_over and as_json in self._remembered:
            return []
        self._remembered.append(as_json)
        self._status, self._metadata, self.is_over = status, metadata or self._metadata, is_over
        self.count += 1
        update = StatusUpdate(
            type="status_update",
            status=status_of(state),
            is_final=is_over,
            state=state,
            status_message=message,
            timestamp=timestamp,
            task_id=self._task_id,
            session_id=self.session_id,
            request_id=self._request_id,
            metadata=metadata,
        )
        update.raw = cast("TaskResponse", said)
        return [update]

    def _task(self, task: Task, said: Json) -> list[StreamEvent]:
        canonical_state(task.status.state)
        artifacts = list(_numbered(task.artifacts if isinstance(task.artifacts, list) else []))
        for _, artifact in artifacts:
            format_artifact(artifact, None, "artifact")
        # Nothing is taken before all of it is known to be as the protocol has it.
        events: list[StreamEvent] = []
        for index, artifact in artifacts:
            whole, told = Growing.begun(artifact.to_dict()), self._artifacts.get(index)
            if told is not None and whole.begins(told) and told.begins(whole):
                continue
            delta = _delta(told.words() if told is not None and told.begins(whole) else "", whole.words())
            self._usual = None
            events.append(self._grown(index, whole, delta, said, {}, is_last_chunk=False))
        self.session_id = task.session_id if isinstance(task.session_id, str) else self.session_id
        metadata = task.metadata.to_dict() if isinstance(task.metadata, Metadata) else {}
        if self._status is None or self._status.to_dict() != task.status.to_dict():
            events += self._stands(task.status, metadata, said, is_final=False)
        return events

    def _unknown(self, data: Any, said: Any) -> list[StreamEvent]:
        if self._retold is not None and data in self._remembered:
            return []
        self._remembered.append(data)
        self.count += 1
        update = UnknownUpdate(
            type="unknown",
            data=data,
            task_id=self._task_id,
            session_id=self.session_id,
            request_id=self._request_id,
        )
        update.raw = said
        return [update]

    def _state(self) -> str:
        return canonical_state(self._status.state) if self._status else TaskState.UNKNOWN


def _formatted(moment: Moment) -> list[Artifact]:
    return [format_artifact(WireArtifact.from_dict(told), None, "artifact") for told in moment.as_json()]


def _delta(before: str, now: str) -> str:
    """What has to be put behind a text to make another of it; all of that one where that cannot be."""
    return now.removeprefix(before)


def _numbered(artifacts: list[WireArtifact]) -> Iterator[tuple[int, WireArtifact]]:
    """The artifacts of a whole task with their numbers; servers that do not number them give all the same one."""
    said = [artifact.index if isinstance(artifact.index, int) else None for artifact in artifacts]
    numbers = said if len(set(said)) == len(said) else range(len(said))
    for position, (number, artifact) in enumerate(zip(numbers, artifacts, strict=True)):
        yield position if number is None else number, artifact
