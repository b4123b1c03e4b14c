"""Tasks as reported so far: states, artifacts, events of their streams, and the news that an open page is out of date.

A page loads all it shows as a page. So a slow or absent listener misses nothing, and nothing is kept for it.
"""

import json
import threading
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from payman_sdk._io.event_loops import sleep
from payman_sdk.sandbox._agent import event_schedule, markdown, serialization, tasks, typed_orders
from payman_sdk.sandbox._agent.event_schedule import Chunk, Status, StreamSettings
from payman_sdk.sandbox._agent.tasks import Task
from payman_sdk.sandbox._agent.turn import State
from payman_sdk.sandbox._ledger import payments
from payman_sdk.sandbox._ledger.accounts import Account
from payman_sdk.sandbox._ledger.store import Transaction
from payman_sdk.sandbox._server.service import Service
from payman_sdk.sandbox._server.stream_faults import StreamFaults
from payman_sdk.sandbox._server.streaming import attend
from payman_sdk.sandbox._web.account_views import ON_A_PAGE, OUTCOMES, ListPage, PaymentView, view_payment
from payman_sdk.sandbox._web.origins import HEADERS

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
    """A task with all that has been reported of it: the last events, and how many are left out."""

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
    """Return when the next event of the account's newest tasks is due, in nanoseconds since 1970, or None."""
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


MOST_LISTENERS = 32
_LOOK = 0.05  # seconds between two looks at what may have changed
_PATIENCE = 300  # looks after which a sign of life is sent, so that a browser that is gone is noticed


@dataclass(frozen=True)
class _PageVersion:
    """What a page was made of: what is written, what comes next, and when the next change is due."""

    version: int
    ahead: tuple[int, int]
    due: int | None


class LiveUpdates:
    def __init__(self, service: Service, faults: StreamFaults, most: int = MOST_LISTENERS) -> None:
        self._service, self._faults, self._most = service, faults, most
        self._lock = threading.Lock()
        self._listeners = 0

    @property
    def listeners(self) -> int:
        return self._listeners

    def make_response(self, account: Account) -> Response:
        return _EventsResponse(self, account)

    def add_listener(self) -> bool:
        """Note one more listener; returns False if there are too many."""
        with self._lock:
            if self._listeners >= self._most:
                return False
            self._listeners += 1
            return True

    def remove_listener(self) -> None:
        with self._lock:
            self._listeners -= 1

    async def iter_events(self, account: Account) -> AsyncGenerator[bytes]:
        """Yield an event at once, and one whenever something has changed since the last."""
        while True:
            seen = await run_in_threadpool(self._read_version, account)
            yield b"data: changed\n\n"
            looks = 0
            while not self._is_past(seen):
                await sleep(_LOOK)
                looks += 1
                if looks % _PATIENCE == 0:
                    yield b": still here\n\n"

    def _read_version(self, account: Account) -> _PageVersion:
        service = self._service
        with service.store.transaction() as tx:
            due = find_next_due(tx, service.manner, service.world.now(), account)
            return _PageVersion(service.store.version, self._count_ahead(), due)

    def _is_past(self, seen: _PageVersion) -> bool:
        if self._service.store.version != seen.version or self._count_ahead() != seen.ahead:
            return True
        return seen.due is not None and self._service.world.now() >= seen.due

    def _count_ahead(self) -> tuple[int, int]:
        return len(self._service.script), len(self._faults)


class _EventsResponse(Response):
    """One listener's events, until it leaves or the server stops."""

    def __init__(self, live: LiveUpdates, account: Account) -> None:
        super().__init__()
        self._live, self._account = live, account

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._live.add_listener():
            said = "Too many pages listen already; close some.\n"
            await PlainTextResponse(said, 503, {**HEADERS, "Retry-After": "10"})(scope, receive, send)
            return
        try:
            # Closed here and not whenever it is collected.
            async with aclosing(self._live.iter_events(self._account)) as pieces:
                answer = StreamingResponse(pieces, media_type="text/event-stream", headers=dict(HEADERS))
                await attend(scope, receive, lambda: answer.stream_response(send))
        finally:
            self._live.remove_listener()
