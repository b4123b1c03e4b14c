"""The state of a streamed task: takes every piece of the stream, and returns each event once, with a snapshot of all artifacts."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from payman_api.models.artifact import Artifact as WireArtifact
from payman_api.models.metadata import Metadata
from payman_api.models.task import Task
from payman_api.models.task_response import TaskResponse as WireTaskResponse
from payman_api.models.task_state import TaskState
from payman_api.models.task_status import TaskStatus
from payman_api.types import UNSET
from payman_sdk._attrdict import register_with_yaml
from payman_sdk._core.artifact_buffer import ArtifactBuffer, Memory, find_rest
from payman_sdk._core.events import (
    ArtifactUpdate,
    StatusUpdate,
    StreamEvent,
    UnknownUpdate,
    extract_data,
    read_update,
)
from payman_sdk._core.formatting import format_message
from payman_sdk._core.sse import parse_json
from payman_sdk._core.states import canonicalize_state, get_status, has_ended, is_resting
from payman_sdk._core.task_reader import ParsedTask, read_task
from payman_sdk._core.task_response import Json, TaskResponse
from payman_sdk._core.wire_json import is_deep, read_json
from payman_sdk._text.error_response import shorten
from payman_sdk.errors import ResponseValidationError

if TYPE_CHECKING:
    from payman_sdk._core.requests import AskRequest
    from payman_sdk._core.sse import ServerSentEvent

_MISFITS = (AttributeError, KeyError, TypeError, ValueError, RecursionError, ResponseValidationError)
"""What reading something raises that is not as the protocol has it."""


_MOST_WARNINGS = 100
"""How many different warnings are kept."""


class TaskAccumulator:
    """The task of a stream, put together from its events.

    A stream that broke may begin anew, go on where it broke, or leave out what was said in between. So after `rejoin`,
    what came before is recognised by its content, and `catch_up` returns what is missing.

    Args:
        ask: Whose stream it is.
    """

    def __init__(self, ask: AskRequest) -> None:
        self._task_id, self._request_id = ask.task_id, ask.request_id
        self.session_id: str = ask.session_id
        self.is_over = False
        """Whether the stream has sent its end: a final event, or a state in which a task has ended."""
        self.count = 0
        """How many events came."""
        self.memory = Memory()
        """What is kept of all that."""
        self.headers: Mapping[str, str] | None = None
        """The headers of the HTTP response that the stream began with, redacted."""
        register_with_yaml()
        self._warnings: dict[str, None] = {}
        self._artifacts: dict[int, ArtifactBuffer] = {}
        self._shown: dict[int, Json] = {}  # the newest snapshot of each, the one that changed last last
        # The chunk before, but its parts, and its artifact; the next one mostly differs in nothing else.
        self._usual: tuple[Json, int, ArtifactBuffer] | None = None
        self._status: TaskStatus | None = None
        self._metadata: Json = {}
        self._closed: set[int] = set()  # those whose last chunk came
        self._retold: dict[int, ArtifactBuffer] | None = None
        self._named: dict[str, int] = {}  # the numbers of artifacts that have an id instead

    def add_event(self, data: str) -> list[StreamEvent]:
        """Take the data of one event, and return what is new in it.

        Raises:
            AgentError: It is a JSON-RPC error.
        """
        try:
            said = parse_json(data)
        except (ValueError, RecursionError):
            return self._weighed(self._add_malformed(data), data)
        try:
            event = self._add_text_chunk(said)
        except _MISFITS:
            event = None
        if event is not None:
            return [event]
        return self._weighed(self._add_malformed(data) if is_deep(data) else self._add_any(said), data)

    def iter_text_chunks(self, unread: deque[ServerSentEvent]) -> Iterator[ArtifactUpdate]:
        """Take usual chunks from the left and yield their events, up to the first event that is something else.

        Each is taken when its reader asks for it. By that time the reader has dropped the text before the newest: see `GrowingText`.
        """
        while unread:
            try:
                event = self._add_text_chunk(parse_json(unread[0].data))
            except _MISFITS:
                return
            if event is None:
                return
            unread.popleft()
            yield event

    def _weighed(self, events: list[StreamEvent], data: str) -> list[StreamEvent]:
        """Return the events of some data, which is counted where an artifact is made of it."""
        if events and type(events[-1]) is ArtifactUpdate:
            self.memory.grow(self._artifacts[events[-1].index], len(data))
        return events

    def _add_malformed(self, data: str) -> list[StreamEvent]:
        """Take data that is not JSON, or is nested too deeply."""
        try:
            said, warnings = read_json(data)
        except ValueError:
            return self._add_unknown(data, data)
        self._warn(warnings)
        return self._add_any(said)

    def catch_up(self, body: Json, task: Task) -> list[StreamEvent]:
        """Take the task from a separate JSON-RPC answer, and return what is new in it.

        The stream ends, too, if the task waits for somebody: nothing more comes until somebody answers.

        Raises:
            ResponseValidationError: It is another task, or has no state that can be recognised.
        """
        if task.id != self._task_id:
            raise ResponseValidationError(
                f"The agent answered about another task, {shorten(repr(task.id))}.",
                next_step="client.get_task(error.task_id) returns this one.",
            )
        read = task if isinstance(task, ParsedTask) else read_task(task.to_dict(), self._task_id)
        if read is None:
            raise ResponseValidationError(
                "The agent's answer has no state that can be read.",
                next_step="client.get_task(error.task_id) returns the task.",
            )
        self._warn(read.warnings)
        return self._add_task(read, body, is_final=is_resting(canonicalize_state(read.status.state)))

    def _warn(self, warnings: list[str]) -> None:
        """Note what could not be read, each once."""
        for warning in warnings:
            if len(self._warnings) < _MOST_WARNINGS:
                self._warnings[warning] = None

    def rejoin(self) -> None:
        """Note that the stream is open again, and may repeat events."""
        self._retold, self._usual = {}, None

    @property
    def warnings(self) -> list[str]:
        """What could not be read."""
        return list(self._warnings)

    @property
    def was_interrupted(self) -> bool:
        """Whether the stream broke at least once, so that something may be missing."""
        return self._retold is not None

    @property
    def has_ended(self) -> bool:
        """Whether the task has ended by what has come; the stream may go on, with late artifacts."""
        return has_ended(self._get_state())

    @property
    def is_resting(self) -> bool:
        """Whether the task has ended or waits for somebody, by what has come."""
        return is_resting(self._get_state())

    def conclude(self) -> None:
        """Nothing more comes: the stream ended, or fell silent, after the task had."""
        self.is_over = True

    def build_task(self) -> ParsedTask:
        """Return the task as it has come so far; its state is `unknown` until one comes."""
        task = ParsedTask(
            id=self._task_id,
            session_id=self.session_id,
            status=self._status or TaskStatus(state=TaskState.UNKNOWN),
            artifacts=[
                WireArtifact.from_dict(self._artifacts[index].to_json()) for index in sorted(self._artifacts)
            ],
            metadata=Metadata.from_dict(self._metadata) if self._metadata else UNSET,
        )
        task.headers, task.raw, task.warnings = self.headers, None, self.warnings
        return task

    def build_response(self) -> Json:
        """Return the JSON-RPC answer that would have said the same in one piece."""
        return WireTaskResponse(
            jsonrpc="2.0", id=self._request_id, result=self.build_task(), error=None
        ).to_dict()

    def _add_text_chunk(self, said: Any) -> ArtifactUpdate | None:
        """Return the event for the usual chunk, one that adds some words to the artifact that changed last; None for others."""
        result = said["result"]
        chunk = result["artifact"]
        (part,) = parts = chunk["parts"]
        text = part["text"]
        if self._usual is None or result["id"] != self._task_id or type(text) is not str:
            return None
        if said.get("error") is not None:
            return None
        usual, index, artifact = self._usual
        chunk["parts"] = None
        is_usual = chunk == usual
        chunk["parts"] = parts
        if not is_usual or part["type"] != "text" or len(part) != 2:
            return None
        metadata: Json | None = result.get("metadata")
        if metadata is not None and type(metadata) is not dict:
            return None
        artifact.append_text(text)
        artifact.weight += len(text)
        self.memory.size += len(text)
        return self._build_artifact_update(said, index, artifact, text, metadata, is_last_chunk=False)

    def _add_any(self, said: Any) -> list[StreamEvent]:
        """Take anything at all; what says nothing of the task is unknown."""
        update = read_update(said, self._task_id, self._request_id)
        if update is None:
            return self._add_unknown(extract_data(said), said)
        self._warn(update.warnings)
        events: list[StreamEvent] = []
        if update.artifact is not None:
            events += self._add_artifact(update.artifact, update.chunk, update.metadata, said)
        if update.task is not None:
            events += self._add_task(update.task, said, is_final=update.is_final, is_whole=update.is_whole)
        return events

    def _add_artifact(
        self, artifact: WireArtifact, chunk: Json, metadata: Json, said: Json
    ) -> list[StreamEvent]:
        index, closes = self._get_index(artifact, 0), artifact.last_chunk is True
        self._usual = None
        known, is_appended = self._artifacts.get(index), artifact.append is True
        if self._retold is not None and known is not None:
            before = self._retold.get(index)
            if before is not None or not is_appended:
                if before is not None and is_appended:
                    before.extend(artifact)
                again = before if before is not None and is_appended else ArtifactBuffer(artifact)
                delta = self._find_new_text(index, known, again, closes=closes)
                if delta is None:
                    return []
                return [self._store_artifact(index, again, delta, said, metadata, closes=closes)]
        if known is not None and is_appended:
            delta, grown = known.extend(artifact), known
        else:
            grown = ArtifactBuffer(artifact)
            delta = grown.get_text()
        if is_appended and grown.is_only_words and not closes:
            self._usual = {**chunk, "parts": None}, index, grown
        return [self._store_artifact(index, grown, delta, said, metadata, closes=closes)]

    def _number_artifacts(self, artifacts: list[WireArtifact]) -> Iterable[tuple[int, WireArtifact]]:
        """Return the artifacts of a whole task with their numbers; servers that do not number them give all the same one."""
        numbers = [self._get_index(artifact, position) for position, artifact in enumerate(artifacts)]
        are_different = len(set(numbers)) == len(numbers)
        return zip(numbers if are_different else range(len(numbers)), artifacts, strict=True)

    def _get_index(self, artifact: WireArtifact, otherwise: int) -> int:
        """Which artifact of the task it is; later versions of the protocol number none, and give each an id."""
        if isinstance(artifact.index, int):
            return artifact.index
        name = artifact.additional_properties.get("artifactId")
        if not isinstance(name, str):
            return otherwise
        return self._named.setdefault(name, len(self._named))

    def _find_new_text(
        self, index: int, artifact: ArtifactBuffer, again: ArtifactBuffer, *, closes: bool
    ) -> str | None:
        """Return what goes beyond an artifact that came before, now that it has come again up to here; None for nothing."""
        assert self._retold is not None  # noqa: S101 (only then does anything come again)
        goes_on = artifact.is_prefix_of(again)
        was_told = any(
            again.is_prefix_of(version) for version in (artifact, *self.memory.find_earlier_versions(index))
        )
        if was_told and not (goes_on and closes and index not in self._closed):
            self._retold[index] = again
            if goes_on:
                artifact.replace_head(again)
            return None
        self._retold.pop(index, None)
        return _compute_delta(artifact.get_text() if goes_on else "", again.get_text())

    def _store_artifact(
        self,
        index: int,
        artifact: ArtifactBuffer,
        delta: str,
        said: Json,
        metadata: Json,
        *,
        closes: bool = False,
    ) -> ArtifactUpdate:
        before = self._artifacts.get(index)
        if before is not None and before is not artifact:
            if not before.is_prefix_of(artifact):
                self.memory.replace(index, before)
            elif artifact.weight == 0:  # it begins anew with what there was
                self.memory.size -= before.weight
        self._artifacts[index] = artifact
        (self._closed.add if closes else self._closed.discard)(index)
        return self._build_artifact_update(said, index, artifact, delta, metadata, is_last_chunk=closes)

    def _build_artifact_update(
        self,
        said: Json,
        index: int,
        artifact: ArtifactBuffer,
        delta: str,
        metadata: Json | None,
        *,
        is_last_chunk: bool,
    ) -> ArtifactUpdate:
        self.count += 1
        shown = self._shown
        shown.pop(index, None)
        shown[index] = artifact.take_snapshot()
        update = ArtifactUpdate(
            type="artifact_update",
            delta=delta,
            artifact=shown[index],
            artifacts=list(shown.values()),
            index=index,
            is_last_chunk=is_last_chunk,
            task_id=self._task_id,
            session_id=self.session_id,
            request_id=self._request_id,
            metadata=metadata or {},
        )
        update.raw = cast("TaskResponse", said)
        return update

    def _add_task(
        self, task: ParsedTask, said: Json, *, is_final: bool, is_whole: bool = True
    ) -> list[StreamEvent]:
        """Take a task, or an update of its status, which is a task without artifacts."""
        metadata = task.metadata.to_dict() if task.metadata else {}
        self.session_id, self._metadata = task.session_id or self.session_id, metadata or self._metadata
        events: list[StreamEvent] = []
        artifacts = task.artifacts or []
        self._usual = None if artifacts else self._usual
        for index, artifact in self._number_artifacts(artifacts):
            whole, earlier = ArtifactBuffer(artifact), self._artifacts.get(index)
            goes_on = earlier is not None and earlier.is_prefix_of(whole)
            if earlier is not None and goes_on and whole.is_prefix_of(earlier):
                earlier.replace_head(whole)
                continue
            delta = _compute_delta(
                earlier.get_text() if earlier is not None and goes_on else "", whole.get_text()
            )
            events.append(self._store_artifact(index, whole, delta, said, {}))
        # What has ended stays as it came: a later answer may know less, or spell the same in another way.
        is_known = self.has_ended or (
            self._status is not None and self._status.to_dict() == task.status.to_dict()
        )
        if not (is_whole and is_known):
            events += self._add_status(task.status, metadata, said, is_final=is_final)
        self.is_over = self.is_over or is_final
        return events

    def _add_status(
        self, status: TaskStatus, metadata: Json, said: Json, *, is_final: bool
    ) -> list[StreamEvent]:
        """Take a status, unless it came before."""
        if self._was_seen(status.to_dict()) and not is_final:
            return []
        self._status = status
        self.count += 1
        state = canonicalize_state(status.state)
        update = StatusUpdate(
            type="status_update",
            status=get_status(state),
            is_final=is_final,
            state=state,
            status_message=format_message(status.message),
            timestamp=status.timestamp if isinstance(status.timestamp, str) else None,
            task_id=self._task_id,
            session_id=self.session_id,
            request_id=self._request_id,
            metadata=metadata,
        )
        update.raw = cast("TaskResponse", said)
        return [update]

    def _was_seen(self, said: Any) -> bool:
        """Return whether the resumed stream repeats something, and note what it says."""
        try:
            fingerprint = hash(json.dumps(said, sort_keys=True))
        except RecursionError:
            return False  # nested too deeply to be compared with anything
        return self.memory.knows(fingerprint) and self._retold is not None

    def _add_unknown(self, data: Any, said: Any) -> list[StreamEvent]:
        if self._was_seen(data):
            return []
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

    def _get_state(self) -> str:
        return canonicalize_state(self._status.state) if self._status else TaskState.UNKNOWN


def _compute_delta(before: str, now: str) -> str:
    """Return what has to be put behind a text to make another of it; all of that one where that cannot be."""
    rest = find_rest(now, before)
    return now if rest is None else rest
