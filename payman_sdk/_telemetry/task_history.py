"""A task that a program has set in motion, as `client.tasks` lists it."""

from __future__ import annotations

from typing import NamedTuple

from payman_api.models.task_state import TaskState


class TaskEntry(NamedTuple):
    """A task of a client: an entry of `client.tasks`. It does not hold the text of the ask, which may be private.

    Attributes:
        task_id: The id of the task (`tsk-…`), for `client.get_task`.
        session_id: The id of its session (`ses-…`).
        request_id: The id of the newest request for it (`req-…`).
        idempotency_key: The key that the caller gave the ask, if any.
        state: The last known state; `unknown` if no answer has arrived.
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
