"""The newest tasks of a client, so that a program can look at what it has set in motion."""

from __future__ import annotations

import threading
from typing import NamedTuple

from payman_api.models.task_state import TaskState
from payman_sdk._core.requests import AskRequest
from payman_sdk._core.states import STATES, has_ended

_MOST = 1000


class TaskEntry(NamedTuple):
    """A task that a client has set in motion: what `client.tasks` lists. It holds no text of the ask, which may be private.

    Attributes:
        task_id: The id of the task (`tsk-…`), for `client.get_task`.
        session_id: The id of its session (`ses-…`).
        request_id: The id of the newest request for it (`req-…`).
        idempotency_key: The key that the caller gave the ask, if any.
        state: The agent's own state of it, as it was last seen; `unknown` where no answer has come.
        is_final: Whether it has ended.
        error: The name of the exception that the ask ended with, if it did.
    """

    task_id: str
    session_id: str
    request_id: str
    idempotency_key: str | None = None
    state: TaskState | str = TaskState.UNKNOWN
    is_final: bool = False
    error: str | None = None


class TaskHistory:
    """The newest tasks of a client; safe to use from several threads at once."""

    def __init__(self) -> None:
        self._entries: dict[str, TaskEntry] = {}
        self._lock = threading.RLock()  # a signal's handler may ask amid asking

    def list_entries(self) -> list[TaskEntry]:
        """Return the entries, the newest last."""
        with self._lock:
            return list(self._entries.values())

    def add(self, ask: AskRequest) -> None:
        """Note that an ask begins, or goes on."""
        with self._lock:
            known = self._entries.pop(ask.task_id, None)
            entry = TaskEntry(ask.task_id, ask.session_id, ask.request_id, ask.idempotency_key)
            if known is not None:  # a reply
                entry = known._replace(request_id=ask.request_id, error=None)
            self._entries[ask.task_id] = entry
            while len(self._entries) > _MOST:
                self._entries.pop(next(iter(self._entries)), None)

    def note_state(self, task_id: str, state: str) -> None:
        """Note the state of a task, however it was seen."""
        with self._lock:
            if (known := self._entries.get(task_id)) is not None:
                self._entries[task_id] = known._replace(
                    state=STATES.get(state, state), is_final=has_ended(state), error=None
                )

    def note_error(self, task_id: str, error: BaseException) -> None:
        """Note that an ask ended with an exception."""
        with self._lock:
            if (known := self._entries.get(task_id)) is not None:
                self._entries[task_id] = known._replace(error=type(error).__name__)

    def begin_anew(self) -> None:
        """Go on in a child process: whoever held the lock lives on in the parent."""
        self._lock = threading.RLock()
