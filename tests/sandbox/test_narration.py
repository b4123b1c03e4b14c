from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payman_sdk.sandbox._agent.event_schedule import (
    Chunk,
    Status,
    StreamSettings,
    schedule_events,
    select_due,
    snapshot_task,
)
from payman_sdk.sandbox._agent.tasks import Message, Task
from payman_sdk.sandbox._agent.turn import State, TaskArtifact

_SECOND = 1_000_000_000


def _task(state: State, *artifacts: str) -> Task:
    history = [Message(role, text) for text in artifacts for role in ("user", "agent")]
    made = tuple(TaskArtifact.from_text(text) for text in artifacts)
    return Task("tsk", "ses", state, "Done", 5 * _SECOND, made, tuple(history))


_TASKS = st.builds(
    _task, st.sampled_from(list(State)), st.text("a \n", max_size=40), st.text("b \n", max_size=40)
)
_MANNERS = st.builds(
    StreamSettings, chunk_words=st.integers(1, 9), pace=st.sampled_from([0, 0.001, 0.5, 1, 1 / 3, 7])
)


@given(_MANNERS, _TASKS)
def test_each_event_is_reported_when_it_is_due(manner: StreamSettings, task: Task) -> None:
    """The k-th event of the newest turn, from 0, is told k paces after the change, and not a nanosecond before."""
    story = schedule_events(manner, task)
    turn = len(schedule_events(manner, replace(task, artifacts=task.artifacts[:-1]))) - 1
    for place, event in enumerate(story):
        paces = 0 if task.state is State.CANCELED else max(0, place - turn)
        assert event.due == task.updated + round(manner.pace * _SECOND) * paces
        assert event in select_due(story, event.due)
        assert (event in select_due(story, event.due - 1)) is (paces == 0 or manner.pace == 0)


@given(_MANNERS, _TASKS, st.floats(0, 60))
def test_task_as_reported_matches_its_events(manner: StreamSettings, task: Task, seconds: float) -> None:
    """By any moment the task has the artifacts that its events have told, and its own state once the last is told."""
    moment = task.updated + round(seconds * _SECOND)
    story = schedule_events(manner, task)
    received = select_due(story, moment)
    assert list(received) == list(story[: len(received)])
    artifacts: dict[int, str] = {}
    for event in received:
        if isinstance(event.content, Chunk):
            before = artifacts.get(event.content.position, "") if event.content.append else ""
            artifacts[event.content.position] = before + event.content.piece.text
    seen = snapshot_task(manner, task, moment)
    assert seen.artifacts == tuple(
        TaskArtifact.from_text(artifacts[position]) for position in sorted(artifacts)
    )
    if len(received) == len(story):
        assert seen == task
    else:
        assert (seen.state, seen.explanation) == (State.WORKING, "Processing")
        assert seen.history == task.history[:-1]


@pytest.mark.parametrize("artifacts", [(), ("one",), ("one", "two words and five more here"), ("", "b", "c")])
def test_story_grows_at_its_end(artifacts: tuple[str, ...]) -> None:
    """Number for number a longer task's story is a shorter one's, but for the place where that one ended."""
    for count in range(len(artifacts)):
        short, long = (
            schedule_events(StreamSettings(), _task(State.COMPLETED, *artifacts[:length]))
            for length in (count, count + 1)
        )
        if count:
            assert short[:-1] == long[: len(short) - 1]
            assert long[len(short) - 1].content == Status(State.WORKING, "Processing", final=False)
        assert isinstance(long[-1].content, Status)
        assert [one.number for one in long] == list(range(1, len(long) + 1))


def test_task_without_artifacts_has_a_story() -> None:
    """A task without an answer is at work, and then ends."""
    task = _task(State.COMPLETED)
    contents = [one.content for one in schedule_events(StreamSettings(), task)]
    assert contents == [Status(State.WORKING, "Processing", False), Status(State.COMPLETED, "Done", True)]


@pytest.mark.parametrize("words", [1, 2, 6, 1000])
def test_chunks_have_as_many_words_as_asked_for(words: int) -> None:
    """No event has more words than asked for, all but the last have as many, and together they are the text."""
    text = " ".join(f"word{number}" for number in range(25))
    task = _task(State.COMPLETED, text)
    story = schedule_events(StreamSettings(chunk_words=words), task)
    chunks = [one.content.piece.text for one in story if isinstance(one.content, Chunk)]
    assert "".join(chunks) == text
    assert all(len(chunk.split()) == words for chunk in chunks[:-1])
    assert 1 <= len(chunks[-1].split()) <= words
