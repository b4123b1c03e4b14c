"""What a program gets of an ask that was interrupted: the ids and a note on the exception."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

_MARK = "Payman: "
"""How the SDK's note on an exception begins; there is one at most, for some exceptions are raised again and again."""


def describe_interruption(error: BaseException, ids: Mapping[str, str | None], *, sent: bool) -> None:
    """Write on an exception which ask it interrupted: the ids as attributes, and a note for whoever reads the traceback.

    An exception that takes neither stays as it is.

    Args:
        error: The exception.
        ids: The ids of the ask; `task_id` is one of them.
        sent: Whether the ask may have been sent.
    """
    for name, value in ids.items():
        with contextlib.suppress(Exception):
            setattr(error, name, value)
    task_id = ids["task_id"]
    note = (
        f"{_MARK}The ask was sent, and its outcome is unknown: task {task_id}. "
        f"client.get_task({task_id!r}) returns its state. Do not send it again."
        if sent
        else f"{_MARK}Nothing was sent: the ask (task {task_id}) was interrupted before it was sent."
    )
    with contextlib.suppress(Exception):
        notes = [one for one in getattr(error, "__notes__", ()) if not str(one).startswith(_MARK)]
        error.__notes__ = [*notes, note]


def is_described(error: BaseException, ids: Mapping[str, str | None]) -> bool:
    """Whether an exception is a failure, or says already that it interrupted this very ask."""
    return isinstance(error, Exception) or getattr(error, "task_id", None) == ids["task_id"]


def is_not_recorded(error: Exception) -> bool:
    """Return whether vcrpy raised this for a request that a cassette does not hold.

    It is for the author of the test and passes unchanged. Nothing was sent.
    """
    return type(error).__module__ == "vcr.errors"
