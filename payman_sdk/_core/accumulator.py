"""The state of a streamed task: takes each piece of the stream and returns each event once, with a snapshot of all artifacts."""

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from payman_api.models import Artifact as WireArtifact
from payman_api.models import Metadata, TaskState, TaskStatus
from payman_api.models import TaskResponse as WireTaskResponse
from payman_api.types import UNSET
from payman_sdk._attrdict import register_with_yaml
from payman_sdk._core.artifact_buffer import ArtifactBuffer
from payman_sdk._core.artifact_set import ArtifactSet
from payman_sdk._core.events import ArtifactUpdate, StatusUpdate, StreamEvent, UnknownUpdate, read_update
from payman_sdk._core.formatting import format_message
from payman_sdk._core.requests import AskRequest
from payman_sdk._core.sse import ServerSentEvent, parse_json
from payman_sdk._core.task_reader import ParsedTask
from payman_sdk._core.task_response import canonicalize_state, get_status, has_ended, is_resting
from payman_sdk._core.wire_json import Json, as_object, read_json, replace_halves
from payman_sdk._text.error_response import shorten
from payman_sdk.errors import ResponseValidationError

_MISFITS = (AttributeError, KeyError, TypeError, ValueError, RecursionError, ResponseValidationError)
"""What reading something raises that is not as the protocol has it."""
_MOST_WARNINGS = 100
"""How many different warnings are kept."""


class TaskAccumulator:
    """The task of a stream, made from its events. After a break, `catch_up` returns what is missing; see `ArtifactSet`."""

    def __init__(self, ask: AskRequest) -> None:
        self._task_id, self._request_id = ask.task_id, ask.request_id
        self.session_id: str = ask.session_id
        self.is_over = False
        """Whether the stream has ended: a final event came, or nothing more is to come after the end of the task."""
        self.count = 0
        """How many events there were."""
        self.artifacts = ArtifactSet()
        """The artifacts so far."""
        self.headers: Mapping[str, str] | None = None
        """The headers of the HTTP response that the stream began with, redacted."""
        register_with_yaml()
        self._warnings: dict[str, None] = {}
        # The chunk before, but its parts, and its artifact; the next one mostly differs in nothing else.
        self._usual: tuple[Json, int, ArtifactBuffer] | None = None
        self._status: TaskStatus | None = None
        self._metadata: Json = {}

    def add_event(self, data: str) -> list[StreamEvent]:
        """Take the data of one event and return what is new; raises AgentError for a JSON-RPC error."""
        if (event := self._add_text_chunk(data)) is not None:
            return [event]
        try:  # with more care than the usual chunk, for it may say how the task ended
            whole, said, warnings = read_json(data)
        except ValueError:
            return self._finish(self._add_unknown(data), data)
        update = read_update(whole, self._task_id, self._request_id)
        self._warn([*warnings, *(update.warnings if update is not None else ())])
        if update is None:
            result = as_object((as_object(whole) or {}).get("result"))
            return self._finish(self._add_unknown(whole if result is None else result), said)
        if whole is not said and (came := read_update(said, self._task_id, self._request_id)) is not None:
            # Half of a character may meet its other half in the next chunk.
            for part, other in zip(update.list_texts(), came.list_texts(), strict=True):
                part.text = other.text
        events: list[StreamEvent] = []
        if update.artifact is not None:
            events += self._add_artifact(update.artifact, update.chunk, update.metadata)
        if update.task is not None:
            events += self._add_task(update.task, is_final=update.is_final, is_whole=update.is_whole)
        if events and type(events[-1]) is ArtifactUpdate:
            self.artifacts.grow(events[-1].index, len(data))
        return self._finish(events, said)

    def iter_text_chunks(self, unread: deque[ServerSentEvent]) -> Iterator[ArtifactUpdate]:
        """Take usual chunks from the left and yield their events, up to the first other event.

        Each is taken when its reader asks for it: by that time, the reader has dropped an earlier text (see `GrowingText`).
        """
        while unread and (event := self._add_text_chunk(unread[0].data)) is not None:
            unread.popleft()
            yield event

    def catch_up(self, body: Json, task: ParsedTask) -> list[StreamEvent]:
        """Take the task of a look-up and return what is new; raises ResponseValidationError for another task.

        The stream also ends if the task waits for somebody.
        """
        if task.id != self._task_id:
            raise ResponseValidationError(
                f"The agent answered about another task, {shorten(repr(task.id))}.",
                next_step="client.get_task(error.task_id) returns the state of this one.",
            )
        self._warn(task.warnings)
        events = self._add_task(task, is_final=is_resting(canonicalize_state(task.status.state)))
        return self._finish(events, body)

    def _warn(self, warnings: list[str]) -> None:
        """Note what could not be read, each once."""
        for warning in warnings:
            if len(self._warnings) < _MOST_WARNINGS:
                self._warnings[warning] = None

    def rejoin(self) -> None:
        """Take note that the stream is open once more, and may repeat what came before."""
        self.artifacts.rejoin()
        self._usual = None

    @property
    def has_ended(self) -> bool:
        """Whether the task has ended, as far as events say; the stream may go on, with artifacts that come late."""
        return self._status is not None and has_ended(canonicalize_state(self._status.state))

    @property
    def is_resting(self) -> bool:
        """Whether the task has ended or waits for somebody, as far as events say."""
        return self._status is not None and is_resting(canonicalize_state(self._status.state))

    def build_task(self) -> ParsedTask:
        """Return the task so far; its state is `unknown` until an event has one."""
        task = ParsedTask(
            id=self._task_id,
            session_id=self.session_id,
            status=self._status or TaskStatus(state=TaskState.UNKNOWN),
            artifacts=[WireArtifact.from_dict(one.to_json()) for one in self.artifacts.values()],
            metadata=Metadata.from_dict(self._metadata) if self._metadata else UNSET,
        )
        task.headers, task.raw, task.warnings = self.headers, None, list(self._warnings)
        return task

    def build_response(self) -> Json:
        """Return the JSON-RPC answer that would have said the same in one piece."""
        answer = WireTaskResponse(jsonrpc="2.0", id=self._request_id, result=self.build_task(), error=None)
        return answer.to_dict()

    def _add_text_chunk(self, data: str) -> ArtifactUpdate | None:
        """Return the event for the usual chunk, which adds some words to the artifact that changed last; None for others."""
        if self._usual is None:
            return None
        usual, number, artifact = self._usual
        try:
            said = parse_json(data)
            result = said["result"]
            chunk = result["artifact"]
            metadata: Json | None = result.get("metadata")
            (part,) = parts = chunk["parts"]
            text = part["text"]
            chunk["parts"] = None
            if (
                chunk != usual
                or result["id"] != self._task_id
                or part["type"] != "text"
                or len(part) != 2
                or type(text) is not str
                or said.get("error") is not None
                or (metadata is not None and type(metadata) is not dict)
                # A look at the words takes less than one at all of the data.
                or ((metadata or not (text.isascii() or text.isprintable())) and replace_halves(data) != data)
            ):
                return None
            chunk["parts"] = parts
        except _MISFITS:
            return None
        artifact.append_text(text)
        artifact.weight += len(text)
        self.artifacts.size += len(text)
        update = self._build_artifact_update(number, artifact, text, metadata)
        update.raw = said
        self.count += 1
        return update

    def _finish(self, events: list[StreamEvent], said: Any) -> list[StreamEvent]:
        """Return events with what they came in."""
        for event in events:
            event.raw = said
        self.count += len(events)
        return events

    def _add_artifact(self, artifact: WireArtifact, chunk: Json, metadata: Json) -> list[StreamEvent]:
        self._usual = None
        change = self.artifacts.add_chunk(artifact)
        if change is None:
            return []
        closes = artifact.last_chunk is True
        if artifact.append is True and change.artifact.is_only_words and not closes:
            self._usual = {**chunk, "parts": None}, change.number, change.artifact
        update = self._build_artifact_update(*change, metadata)
        update["is_last_chunk"] = closes
        return [update]

    def _build_artifact_update(
        self, number: int, artifact: ArtifactBuffer, delta: str, metadata: Json | None
    ) -> ArtifactUpdate:
        shown = self.artifacts.take_snapshots(number, artifact)
        return ArtifactUpdate(
            type="artifact_update",
            delta=delta,
            artifact=shown[-1],
            artifacts=shown,
            index=number,
            is_last_chunk=False,
            task_id=self._task_id,
            session_id=self.session_id,
            request_id=self._request_id,
            metadata=metadata or {},
        )

    def _add_task(self, task: ParsedTask, *, is_final: bool, is_whole: bool = True) -> list[StreamEvent]:
        """Take a task, or an update of its status, which is a task without artifacts."""
        metadata = task.metadata.to_dict() if task.metadata else {}
        self.session_id, self._metadata = task.session_id or self.session_id, metadata or self._metadata
        artifacts = task.artifacts or []
        self._usual = None if artifacts else self._usual
        changes = self.artifacts.add_all(artifacts)
        events: list[StreamEvent] = [self._build_artifact_update(*change, {}) for change in changes]
        # A task that has ended keeps its state: a later look-up may know less, or say the same in other words.
        known = None if self._status is None else self._status.to_dict()
        if not (is_whole and (self.has_ended or known == task.status.to_dict())):
            events += self._add_status(task.status, metadata, is_final=is_final)
        self.is_over = self.is_over or is_final
        return events

    def _add_status(self, status: TaskStatus, metadata: Json, *, is_final: bool) -> list[StreamEvent]:
        """Take a status, unless it came before."""
        if self.artifacts.was_seen(status.to_dict()) and not is_final:
            return []
        self._status = status
        state = canonicalize_state(status.state)
        update = StatusUpdate(
            type="status_update",
            status=get_status(state),
            is_final=is_final,
            state=state,
            status_message=format_message(status.message),
            timestamp=status.timestamp if isinstance(status.timestamp, str) else None,
            **self._get_ids(),
            metadata=metadata,
        )
        return [update]

    def _add_unknown(self, data: Any) -> list[StreamEvent]:
        if self.artifacts.was_seen(data):
            return []
        return [UnknownUpdate(type="unknown", data=data, **self._get_ids())]

    def _get_ids(self) -> dict[str, str]:
        return {"task_id": self._task_id, "session_id": self.session_id, "request_id": self._request_id}
