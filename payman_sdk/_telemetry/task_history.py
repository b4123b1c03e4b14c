"""A task that a program has set in motion, as `client.tasks` lists it."""

from __future__ import annotations

from typing import NamedTuple

from payman_api.models.task_state import TaskState


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
