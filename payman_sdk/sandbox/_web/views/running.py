"""Tasks as they are told by now: their states, their artifacts, and the events of their streams."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from payman_sdk.sandbox._agent import event_schedule, serialization, tasks
from payman_sdk.sandbox._agent.event_schedule import Chunk, Status
from payman_sdk.sandbox._agent.stream_settings import Manner
from payman_sdk.sandbox._agent.tasks import Task
from payman_sdk.sandbox._agent.turn import State
from payman_sdk.sandbox._ledger import payments
from payman_sdk.sandbox._ledger.accounts import Account
from payman_sdk.sandbox._ledger.store import Transaction
from payman_sdk.sandbox._server.service import Service
from payman_sdk.sandbox._web.views.money import ON_A_PAGE, Leaf, PaymentShown, payment

_LONGEST = 20_000
_MOST_EVENTS = 300


@dataclass(frozen=True)
class TaskShown:
    """A task in a list: what was asked, and how it stands."""

    number: int
    text: str
    state: str
    explanation: str
    updated: int


@dataclass(frozen=True)
class EventShown:
    """An event of a task's stream: what it says, and as it is sent."""

    number: int
    kind: str
    said: str
    sent: str


@dataclass(frozen=True)
class TaskTold:
    """A task with all that has been told of it.

    Attributes:
        task: as in a list.
        id: made by the client.
        session_id: its session.
        artifacts: the texts of its artifacts so far.
        messages: what was said in it, by whom.
        events: those of its stream that have been told, the last ones of very many.
        left_out: how many events are not among them.
        pending: the payment that it waits for.
        takes_reply: whether it waits for a message.
    """

    task: TaskShown
    id: str
    session_id: str
    artifacts: Sequence[str]
    messages: Sequence[tuple[str, str]]
    events: Sequence[EventShown]
    left_out: int
    pending: PaymentShown | None
    takes_reply: bool


def task_list(tx: Transaction, service: Service, account: Account, wanted: int) -> Leaf[TaskShown]:
    """A page of the account's tasks, newest first."""
    total = tasks.count(tx, account)
    number, last = Leaf.place(total, wanted)
    found = tasks.newest(tx, account, ON_A_PAGE, (number - 1) * ON_A_PAGE)
    return Leaf([_listed(service, place, one) for place, one in found], number, last, total)


def newest(tx: Transaction, service: Service, account: Account, count: int) -> list[TaskShown]:
    """The account's newest tasks, newest first."""
    return [_listed(service, number, one) for number, one in tasks.newest(tx, account, count)]


def told(tx: Transaction, service: Service, account: Account, number: int) -> TaskTold:
    """A task of the account's; UnknownTaskError if it has none of that number."""
    task = tasks.numbered(tx, account, number)
    moment = service.world.now()
    so_far = event_schedule.as_told(service.manner, task, moment)
    events = event_schedule.told(event_schedule.narrate(service.manner, task), moment)
    waits = so_far.state is State.INPUT_REQUIRED
    waiting = payments.of_task(tx, account, task.id) if waits else None
    return TaskTold(
        task=_shown(number, so_far),
        id=task.id,
        session_id=task.session_id,
        artifacts=[_artifact(artifact.parts) for artifact in so_far.artifacts],
        messages=[
            ("You" if message.role == "user" else "Agent", message.text[:_LONGEST])
            for message in so_far.history
        ],
        events=[
            EventShown(event.number, *_in_words(event.content), _sent(service, account, task, event))
            for event in events[-_MOST_EVENTS:]
        ],
        left_out=max(0, len(events) - _MOST_EVENTS),
        pending=None if waiting is None else payment(tx, account, waiting),
        takes_reply=waits,
    )


def next_due(tx: Transaction, manner: Manner, now: int, account: Account) -> int | None:
    """When there is more to tell of the account's newest tasks, in nanoseconds since 1970; None if all is told."""
    if not manner.pace:
        return None
    stories = [event_schedule.narrate(manner, task) for _, task in tasks.newest(tx, account, ON_A_PAGE)]
    due = [event.due for story in stories for event in story if event_schedule.until(story, event, now) > 0]
    return min(due, default=None)


def _listed(service: Service, number: int, task: Task) -> TaskShown:
    return _shown(number, event_schedule.as_told(service.manner, task, service.world.now()))


def _shown(number: int, task: Task) -> TaskShown:
    text = next((message.text for message in task.history if message.role == "user"), "")
    return TaskShown(number, text, task.state.value, task.explanation, task.updated)


def _in_words(content: Status | Chunk) -> tuple[str, str]:
    match content:
        case Status(state, explanation, final):
            return f"{state.value}{', final' if final else ''}", explanation
        case Chunk(position, piece):
            return f"artifact {position}", _artifact(piece.parts)


def _artifact(parts: Sequence[Mapping[str, object]]) -> str:
    """An artifact's words; parts that are files or data are shown as JSON."""
    texts = [
        str(part["text"]) if part["type"] == "text" else json.dumps(part, ensure_ascii=False)
        for part in parts
    ]
    return "\n".join(texts)[:_LONGEST]


def _sent(service: Service, account: Account, task: Task, event: event_schedule.Event) -> str:
    shape = serialization.event(service.style, account, task, event)
    return json.dumps(shape, ensure_ascii=False, indent=2)[:_LONGEST]
