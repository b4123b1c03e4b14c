"""One request that watches a task: which events are due, and how long until the next one."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable

from payman_sdk.sandbox._agent import event_schedule, serialization
from payman_sdk.sandbox._agent.event_schedule import StreamSettings
from payman_sdk.sandbox._agent.serialization import Json, Style
from payman_sdk.sandbox._agent.tasks import SendResult, Task, UnknownTaskError
from payman_sdk.sandbox._ledger.accounts import Account
from payman_sdk.sandbox._ledger.environment import SandboxEnvironment

Find = Callable[[Account, str], Task]
"""Return an account's task with that id as it is now, in a new transaction."""


class TaskWatcher:
    """A task that one request watches.

    Attributes:
        mishap: The fault of the answer.
        over: Whether the final event was sent.
    """

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
        """Return the events that have become due and were not given out yet: their numbers and their answers."""
        due = event_schedule.select_due(self._narration, self._world.now())
        fresh = due[self._delivered :]
        self._delivered = max(self._delivered, len(due))
        self.over = len(due) == len(self._narration)
        return [
            (
                event.number,
                serialization.make_result(
                    self._request_id,
                    serialization.serialize_event(self._style, self._account, self._task, event),
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
        """Return the whole task as an ordinary answer."""
        shape = serialization.serialize_task(self._style, self._account, self._task, self._history_length)
        return serialization.make_result(self._request_id, shape)

    @property
    def now(self) -> float:
        """The time in seconds since 1970."""
        return self._world.now() / 1_000_000_000
