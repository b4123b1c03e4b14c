"""What hooks are given: functions of the user's that a client calls on its way."""

from __future__ import annotations

from attrs import field, frozen

from payman_sdk.errors import PaymanError


@frozen
class Outgoing:
    """An ask that is about to be sent: what a `before_send` hook is given. What the hook raises keeps it from being sent.

    Attributes:
        text: What the agent is asked to do.
        is_reply: Whether it answers a task that waits for input.
        task_id: The id of its task (`tsk-…`).
        request_id: The id of its request (`req-…`).
        session_id: The id of its session (`ses-…`).
        idempotency_key: The key that the caller gave it, if any.

    Example:
        >>> from payman_sdk.sandbox import Sandbox
        >>> def guard(outgoing):
        ...     if "500" in outgoing.text:
        ...         raise PermissionError("too much")
        >>> with Sandbox() as sandbox, sandbox.client(before_send=guard) as client:
        ...     try:
        ...         client.ask("send 500 TSD to Test Payee")
        ...     except PermissionError as refusal:
        ...         print(refusal, len(sandbox.payments))
        too much 0
    """

    text: str
    is_reply: bool
    task_id: str = field(kw_only=True)
    request_id: str = field(kw_only=True)
    session_id: str = field(kw_only=True)
    idempotency_key: str | None = field(kw_only=True)


@frozen
class Retry:
    """An attempt failed, and another follows: what an `on_retry` hook is given.

    Attributes:
        attempt: Which attempt failed, from 1.
        reason: How.
        delay: Seconds until the next one.
        task_id: The task it was about.
    """

    attempt: int
    reason: PaymanError
    delay: float
    task_id: str | None = None
