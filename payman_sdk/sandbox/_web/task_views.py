"""Tasks as reported so far: their states, their artifacts, and the events of their streams."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from payman_sdk.sandbox._agent import event_schedule, markdown, serialization, tasks, typed_orders
from payman_sdk.sandbox._agent.event_schedule import Chunk, Status, StreamSettings
from payman_sdk.sandbox._agent.tasks import Task
from payman_sdk.sandbox._agent.turn import State
from payman_sdk.sandbox._ledger import payments
from payman_sdk.sandbox._ledger.accounts import Account
from payman_sdk.sandbox._ledger.store import Transaction
from payman_sdk.sandbox._server.service import Service
from payman_sdk.sandbox._web.account_views import ON_A_PAGE, OUTCOMES, ListPage, PaymentView, view_payment

_LONGEST = 20_000
_MOST_EVENTS = 300
_OUTCOMES = {"INITIATED": "Paid", "AWAITING_APPROVAL": "Waits:", "REJECTED": "Refused:"}


@dataclass(frozen=True)
class TaskView:
    """A task in a list: the ask, the state, and the outcome of the payment that it ordered."""

    number: int
    text: str
    state: str
    explanation: str
    updated: int
    payment: str = ""
    outcome: str = ""


@dataclass(frozen=True)
class EventView:
    """An event of a task's stream: what it says, and as it is sent."""

    number: int
    kind: str
    said: str
    sent: str


@dataclass(frozen=True)
class TaskDetails:
    """A task with all that has been reported of it: of very many events the last ones, and how many are left out."""

    task: TaskView
    id: str
    session_id: str
    artifacts: Sequence[str]
    messages: Sequence[tuple[str, str]]
    events: Sequence[EventView]
    left_out: int
    pending: PaymentView | None
    takes_reply: bool


def view_tasks(tx: Transaction, service: Service, account: Account, wanted: int) -> ListPage[TaskView]:
    return ListPage[TaskView].load(
        tasks.count(tx, account), wanted, lambda after: view_newest(tx, service, account, ON_A_PAGE, after)
    )


def view_newest(
    tx: Transaction, service: Service, account: Account, count: int, after: int = 0
) -> list[TaskView]:
    found = tasks.list_newest(tx, account, count, after)
    return [_view_current(tx, service, number, one) for number, one in found]


def view_task(tx: Transaction, service: Service, account: Account, number: int) -> TaskDetails:
    """Return a task of the account's; UnknownTaskError if it has none of that number."""
    task = tasks.find_by_number(tx, account, number)
    moment = service.world.now()
    so_far = event_schedule.snapshot_task(service.manner, task, moment)
    events = event_schedule.select_due(event_schedule.schedule_events(service.manner, task), moment)
    waits = so_far.state is State.INPUT_REQUIRED
    waiting = payments.find_by_task(tx, account, task.id) if waits else None
    return TaskDetails(
        task=_make_view(tx, number, so_far),
        id=task.id,
        session_id=task.session_id,
        artifacts=[_format_artifact(artifact.parts) for artifact in so_far.artifacts],
        messages=[
            ("You" if message.role == "user" else "Agent", message.text[:_LONGEST])
            for message in so_far.history
        ],
        events=[
            EventView(
                event.number, *_describe_content(event.content), _format_event(service, account, task, event)
            )
            for event in events[-_MOST_EVENTS:]
        ],
        left_out=max(0, len(events) - _MOST_EVENTS),
        pending=None if waiting is None else view_payment(tx, account, waiting),
        takes_reply=waits,
    )


def find_next_due(tx: Transaction, manner: StreamSettings, now: int, account: Account) -> int | None:
    """Return when the next event of the account's newest tasks is due, in nanoseconds since 1970; None after the last."""
    if not manner.pace:
        return None
    stories = [
        event_schedule.schedule_events(manner, task) for _, task in tasks.list_newest(tx, account, ON_A_PAGE)
    ]
    due = [
        event.due
        for story in stories
        for event in story
        if event_schedule.compute_wait(story, event, now) > 0
    ]
    return min(due, default=None)


def _view_current(tx: Transaction, service: Service, number: int, task: Task) -> TaskView:
    return _make_view(tx, number, event_schedule.snapshot_task(service.manner, task, service.world.now()))


def _make_view(tx: Transaction, number: int, task: Task) -> TaskView:
    text = next((message.text for message in task.history if message.role == "user"), "")
    shown = TaskView(number, typed_orders.title(text), task.state.value, task.explanation, task.updated)
    if task.state in (State.SUBMITTED, State.WORKING):
        return shown
    made = payments.find_by_task_number(tx, number)
    if made is not None:
        words = f"{_OUTCOMES[made.status]} {markdown.format_amount(made)}"
        return replace(shown, payment=words, outcome=OUTCOMES[made.status])
    refused = payments.refusal_of(tx, number)
    return shown if refused is None else replace(shown, payment="Refused", outcome="refused")


def _describe_content(content: Status | Chunk) -> tuple[str, str]:
    match content:
        case Status(state, explanation, final):
            return f"{state.value}{', final' if final else ''}", explanation
        case Chunk(position, piece):
            return f"artifact {position}", _format_artifact(piece.parts)


def _format_artifact(parts: Sequence[Mapping[str, object]]) -> str:
    """Return an artifact's words; parts that are files or data are shown as JSON."""
    texts = [
        str(part["text"]) if part["type"] == "text" else json.dumps(part, ensure_ascii=False)
        for part in parts
    ]
    return "\n".join(texts)[:_LONGEST]


def _format_event(service: Service, account: Account, task: Task, event: event_schedule.Event) -> str:
    shape = serialization.serialize_event(service.style, account, task, event)
    return json.dumps(shape, ensure_ascii=False, indent=2)[:_LONGEST]
