"""The ids that a client makes: of tasks, requests and sessions [D]."""

from __future__ import annotations

from os import urandom

_KEYS = "5b4a1f43-9d5e-4d5c-8f4e-3a8f0d0f6a11"
"""The namespace of task ids that come of a key. It never changes: the same key has to give the same task for ever."""


def generate_id(kind: str) -> str:
    """A new id, such as `tsk-…` for the kind `tsk`, with a random UUID of version 4.

    Written out here, because Python's `uuid` asks the platform for its own ways and takes as long to import as the SDK's errors.
    """
    digits = urandom(16).hex()
    variant = "89ab"[int(digits[16], 16) % 4]
    return f"{kind}-{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def derive_task_id(client_id: str, idempotency_key: str) -> str:
    """The id of the task that a key stands for: the same in every process, another for every application.

    Example:
        >>> from payman_sdk._core.ids import derive_task_id
        >>> derive_task_id("pm-test-1", "invoice-42") == derive_task_id("pm-test-1", "invoice-42")
        True
    """
    from uuid import UUID, uuid5  # see `generate_id`

    return f"tsk-{uuid5(UUID(_KEYS), repr((client_id, idempotency_key)))}"
