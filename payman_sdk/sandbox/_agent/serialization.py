"""What is sent of a task: JSON-RPC 2.0 answers, and tasks and events of A2A 0.1, spelled as Payman's live server does."""

import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass

from payman_sdk.sandbox._agent import event_schedule
from payman_sdk.sandbox._agent.event_schedule import Chunk, Event, Status, StreamSettings
from payman_sdk.sandbox._agent.tasks import Message, SendResult, Task, UnknownTaskError
from payman_sdk.sandbox._agent.turn import State, TaskArtifact
from payman_sdk.sandbox._ledger.accounts import Account
from payman_sdk.sandbox._ledger.environment import SandboxEnvironment, to_datetime

Json = dict[str, object]


@dataclass(frozen=True)
class Style:
    """How the server spells things.

    Attributes:
        uppercase_states: `INPUT_REQUIRED`, as the live server was seen to do [D]; else `input-required`, as A2A does.
        nanosecond_timestamps: Nine fractional digits [D]; else milliseconds.
    """

    uppercase_states: bool = True
    nanosecond_timestamps: bool = True

    def format_state(self, state: State) -> str:
        return state.value.upper().replace("-", "_") if self.uppercase_states else state.value

    def format_timestamp(self, moment: int) -> str:
        """Return a time in nanoseconds since 1970, spelled."""
        digits = 9 if self.nanosecond_timestamps else 3
        return f"{to_datetime(moment):%Y-%m-%dT%H:%M:%S}.{f'{moment % 1_000_000_000:09d}'[:digits]}Z"


def make_result(request_id: object, content: object) -> Json:
    return {"jsonrpc": "2.0", "id": request_id, "result": content, "error": None}


def make_error(request_id: object, code: int, message: str, data: object = None) -> Json:
    fault: Json = {"code": code, "message": message}
    if data is not None:
        fault["data"] = data
    return {"jsonrpc": "2.0", "id": request_id, "result": None, "error": fault}


def serialize_task(style: Style, account: Account, one: Task, history_length: int = 0) -> Json:
    shape: Json = {
        "id": one.id,
        "sessionId": one.session_id,
        "status": _serialize_status(style, one.state, one.explanation, one.updated),
        "artifacts": [
            _serialize_artifact(position, artifact) for position, artifact in enumerate(one.artifacts)
        ],
        "metadata": _serialize_metadata(style, account, one),
    }
    if history_length:
        shape["history"] = [_serialize_message(message) for message in one.history[-history_length:]]
    return shape


def serialize_event(style: Style, account: Account, one: Task, event: Event) -> Json:
    shape: Json = {"id": one.id}
    match event.content:
        case Status(state, explanation, final):
            shape |= {"status": _serialize_status(style, state, explanation, one.updated), "final": final}
        case Chunk(position, piece, append, last):
            shape["artifact"] = _serialize_artifact(position, piece) | {"append": append, "lastChunk": last}
    return shape | {"metadata": _serialize_metadata(style, account, one)}


def _serialize_status(style: Style, state: State, explanation: str, moment: int) -> Json:
    return {
        "state": style.format_state(state),
        "message": _serialize_message(Message("agent", explanation)),
        "timestamp": style.format_timestamp(moment),
    }


def _serialize_message(message: Message) -> Json:
    return {"role": message.role, "parts": [{"type": "text", "text": message.text}]}


def _serialize_artifact(position: int, artifact: TaskArtifact) -> Json:
    said = {"name": artifact.name, "description": artifact.description, "metadata": artifact.metadata}
    return {
        **{name: value for name, value in said.items() if value is not None},
        "parts": [dict(part) for part in artifact.parts],
        "index": position,
    }


def _serialize_metadata(style: Style, account: Account, one: Task) -> Json:
    return {
        "timestamp": style.format_timestamp(one.updated),
        "agentId": account.agent_id,
        "orgId": account.id,
        **one.metadata,
    }  # [D]


Find = Callable[[Account, str], Task]
"""Return an account's task with that id as it is now, in a new transaction."""


class TaskWatcher:
    def __init__(
        self,
        find: Find,
        world: SandboxEnvironment,
        style: Style,
        manner: StreamSettings,
        account: Account,
        sent: SendResult,
        *,
        request_id: object,
        history_length: int,
    ) -> None:
        self._find, self._world, self._style = find, world, style
        self._account, self._request_id, self._history_length = account, request_id, history_length
        self.manner = manner
        self.mishap = sent.mishap
        self.over = False
        self._delivered = 0
        self._set_task(sent.task)

    def _set_task(self, task: Task) -> None:
        self._task = task
        self._narration = event_schedule.schedule_events(self.manner, task)

    def resume(self, last_event_id: str | None) -> None:
        """Begin where the manner of resubscribing says, rather than with the first event."""
        due = len(event_schedule.select_due(self._narration, self._world.now()))
        match self.manner.resubscribe:
            case "live":
                self._delivered = min(due, len(self._narration) - 1)
            case "resume" if last_event_id and re.fullmatch("[1-9][0-9]{0,8}", last_event_id):
                # A number that was not sent yet is not ours: better twice than missed.
                self._delivered = int(last_event_id) if int(last_event_id) <= due else 0
            case _:
                pass

    def take_due_events(self) -> list[tuple[int, Json]]:
        """Return the events that are newly due: their numbers and their answers."""
        due = event_schedule.select_due(self._narration, self._world.now())
        fresh = due[self._delivered :]
        self._delivered = max(self._delivered, len(due))
        self.over = len(due) == len(self._narration)
        return [
            (
                event.number,
                make_result(
                    self._request_id,
                    serialize_event(self._style, self._account, self._task, event),
                ),
            )
            for event in fresh
        ]

    def compute_delay(self, *, to_the_end: bool = False) -> float:
        """How long it is until the next event is due, or the last one; 0 or less if it is."""
        last = len(self._narration) - 1
        event = self._narration[last if to_the_end else min(self._delivered, last)]
        return event_schedule.compute_wait(self._narration, event, self._world.now()) / 1_000_000_000

    def refresh(self) -> None:
        """See the task as it is by now: meanwhile it may have been answered or canceled."""
        # A task that is forgotten meanwhile is reported to its end as it was.
        with contextlib.suppress(UnknownTaskError):
            self._set_task(self._find(self._account, self._task.id))

    def build_answer(self) -> Json:
        shape = serialize_task(self._style, self._account, self._task, self._history_length)
        return make_result(self._request_id, shape)

    @property
    def now(self) -> float:
        """The time in seconds since 1970."""
        return self._world.now() / 1_000_000_000
