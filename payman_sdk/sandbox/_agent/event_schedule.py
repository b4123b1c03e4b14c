"""The events of a task's stream: their settings, content and times, and the task as reported at a moment.

A task is decided at once, in one transaction, and reported afterwards as work in progress. Its events depend only on it and the
stream settings, so another process can report them with the same numbers.

An answered task has more events, and earlier ones keep their numbers. The one that ended with `input-required` now says `working`,
and the new answer follows. So a client can continue from any number.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from payman_sdk.sandbox._agent.tasks import Task
from payman_sdk.sandbox._agent.turn import EXPLANATIONS, State, TaskArtifact

Resubscribe = Literal["resume", "replay", "live", "off"]
"""The behavior of `tasks/resubscribe`."""

_MOST_WORDS = 1_000_000
_LONGEST_WAIT = 24 * 3600.0


@dataclass(frozen=True, kw_only=True)
class StreamSettings:
    """The settings of a sandbox for reporting tasks, as in `Sandbox`. Raises ValueError, naming an invalid one."""

    chunk_words: int = 6
    pace: float = 0.0
    keep_alive: float | None = None
    resubscribe: Resubscribe = "resume"
    tasks_get: bool = True

    def __post_init__(self) -> None:
        words = self.chunk_words
        if not isinstance(words, int) or isinstance(words, bool) or not 1 <= words <= _MOST_WORDS:
            raise ValueError(f"chunk_words must be a whole number from 1 to {_MOST_WORDS}, not {words!r}")
        if not isinstance(self.pace, int | float) or not 0 <= self.pace <= _LONGEST_WAIT:
            raise ValueError(f"pace must be from 0 to {_LONGEST_WAIT:.0f} seconds, not {self.pace!r}")
        patience = self.keep_alive
        if patience is not None and (
            not isinstance(patience, int | float) or not 0 < patience <= _LONGEST_WAIT
        ):
            raise ValueError(
                f"keep_alive must be above 0 and at most {_LONGEST_WAIT:.0f} seconds, or None, not {patience!r}"
            )
        if self.resubscribe not in get_args(Resubscribe):
            known = ", ".join(repr(way) for way in get_args(Resubscribe))
            raise ValueError(f"resubscribe must be one of {known}, not {self.resubscribe!r}")

    @property
    def has_event_numbers(self) -> bool:
        return self.resubscribe not in ("replay", "live")


@dataclass(frozen=True)
class Status:
    """The task changed its state; nothing follows the final one."""

    state: State
    explanation: str
    final: bool


@dataclass(frozen=True)
class Chunk:
    """A piece of the artifact at that position: its first one, or one to append; and whether it is the last one."""

    position: int
    piece: TaskArtifact
    append: bool
    last: bool


@dataclass(frozen=True)
class Event:
    """One event of a story, by its place from 1; `due` is in nanoseconds since 1970."""

    number: int
    due: int
    content: Status | Chunk


def schedule_events(manner: StreamSettings, task: Task) -> tuple[Event, ...]:
    """Return all events of a task: at work, its artifacts piece by piece, and its last state.

    A turn is the result of one message or decision. The first event of the newest turn is due when the task changed, each later one
    `pace` seconds after the previous one. Events of earlier turns are due at once.
    """
    contents: list[Status | Chunk] = []
    turn = 0
    for position, artifact in enumerate(task.artifacts):
        if artifact.opens:
            turn = len(contents)
            contents.append(_AT_WORK)
        contents += _split_artifact(manner.chunk_words, position, artifact)
    contents = contents or [_AT_WORK]
    # A task that is reported as working has no final event: its stream simply ends.
    final = task.state not in (State.SUBMITTED, State.WORKING)
    contents.append(Status(task.state, task.explanation, final=final))
    # Canceling takes no time: report it at once.
    step = 0 if task.state is State.CANCELED else round(manner.pace * 1_000_000_000)
    return tuple(
        Event(place + 1, task.updated + max(0, place - turn) * step, content)
        for place, content in enumerate(contents)
    )


_AT_WORK = Status(State.WORKING, EXPLANATIONS[State.WORKING], final=False)


def _split_artifact(words: int, position: int, artifact: TaskArtifact) -> list[Chunk]:
    """Return an artifact in pieces, if it is a text; anything else stays whole."""
    if not artifact.is_text:
        return [Chunk(position, artifact, append=False, last=True)]
    texts: list[str] = re.findall(rf"\s*(?:\S+\s*){{1,{words}}}|\s+", artifact.text) or [""]
    return [
        Chunk(position, artifact.with_text(chunk), append=number > 0, last=number == len(texts) - 1)
        for number, chunk in enumerate(texts)
    ]


def select_due(narration: Sequence[Event], moment: int) -> Sequence[Event]:
    """Return the events that are due by a moment, in nanoseconds since 1970."""
    return [event for event in narration if compute_wait(narration, event, moment) <= 0]


def compute_wait(narration: Sequence[Event], event: Event, moment: int) -> int:
    """Return the nanoseconds until an event of a story is due; 0 or less if it is."""
    # A clock that was set back does not take back that the task changed.
    return event.due - max(moment, narration[0].due)


def snapshot_task(manner: StreamSettings, task: Task, moment: int) -> Task:
    """Return the task as reported at that moment: at work, with its artifacts so far, until its end."""
    narration = schedule_events(manner, task)
    due = select_due(narration, moment)
    if len(due) == len(narration):
        return task
    artifacts: list[TaskArtifact] = []
    for event in due:
        match event.content:
            case Chunk(_, piece, append=False):
                artifacts.append(piece)
            case Chunk(position, piece):
                artifacts[position] = piece.with_text(artifacts[position].text + piece.text)
            case Status():
                pass
    return replace(
        task,
        state=State.WORKING,
        explanation=EXPLANATIONS[State.WORKING],
        artifacts=tuple(artifacts),
        history=task.history[:-1],  # The last message is the answer that is being sent.
    )
