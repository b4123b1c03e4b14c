"""The arguments of hooks: functions of the user that a client calls during an ask."""

from collections.abc import Callable
from typing import Literal, NamedTuple, TypeAlias

from payman_api.models import TaskState
from payman_sdk.errors import PaymanError

Reason: TypeAlias = Literal["first", "ending", "ended", "refused", "code"]
"""Why the client fetches an access token: it has none, the token expires soon or has expired, Payman refused it, or a code is exchanged."""


class OutgoingAsk(NamedTuple):
    """An ask that is about to be sent: passed to `before_send`. An exception of the hook blocks it.

    Attributes:
        text: The text of the ask.
        is_reply: Whether it replies to a task that waits for input.
        task_id: The id of its task (`tsk-…`).
        request_id: The id of its request (`req-…`).
        session_id: The id of its session (`ses-…`).
        idempotency_key: The caller's key, or None.

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
    task_id: str
    request_id: str
    session_id: str
    idempotency_key: str | None


class RetryDetails(NamedTuple):
    """An attempt failed, and another follows: passed to `on_retry`.

    Attributes:
        attempt: The number of the failed attempt, from 1.
        reason: Its error.
        delay: Seconds until the next attempt.
        task_id: The id of the task.
    """

    attempt: int
    reason: PaymanError
    delay: float
    task_id: str | None = None


class TokenRefresh(NamedTuple):
    """The result of fetching an access token: passed to `on_token`. It holds no token.

    Attributes:
        reason: `first` (there was none), `ending` (it expired soon), `ended`, `refused` (by Payman), or `code` (an authorization
            code was exchanged).
        expires_in: Seconds until the new token expires; None without a new token.
        is_rotated: Whether a new refresh token came with it.
        error: The error, or None.

    Example:
        >>> from payman_sdk.sandbox import Sandbox
        >>> def print_reason(renewal):
        ...     print(renewal.reason, renewal.error)
        >>> with Sandbox() as sandbox, sandbox.client(on_token=print_reason) as client:
        ...     status = client.ask("Hello!").status
        first None
    """

    reason: Reason
    expires_in: float | None = None
    is_rotated: bool = False
    error: PaymanError | None = None


class TaskStateChange(NamedTuple):
    """Passed to `on_task` when a task changes state.

    Attributes:
        task_id: The id of the task (`tsk-…`).
        state: The agent's own state of it; an unlisted one is the string that the agent sent. `unknown` where the ask was
            interrupted, by a cancellation or Ctrl-C, when it may have been sent.
        is_final: Whether the task has ended, and will not change any more.
        message: What the agent says about the state.

    Example:
        >>> from payman_sdk.sandbox import Sandbox
        >>> states = []
        >>> with Sandbox() as sandbox, sandbox.client(on_task=lambda change: states.append(change.state.value)) as client:
        ...     waiting = client.ask("send 200 TSD to Test Payee")
        ...     payment = sandbox.approve(waiting.task_id)
        ...     response = client.wait(waiting)
        >>> states
        ['input-required', 'completed']
    """

    task_id: str
    state: TaskState | str
    is_final: bool
    message: str | None = None


OnRetry: TypeAlias = Callable[[RetryDetails], object]
"""Called before each retry. With `AsyncPaymanClient`, every hook may be a coroutine function."""
BeforeSend: TypeAlias = Callable[[OutgoingAsk], object]
"""Called before an ask is sent. An exception blocks the ask and passes unchanged; False raises `ConfigurationError`."""
OnToken: TypeAlias = Callable[[TokenRefresh], object]
"""Called after each attempt to fetch an access token."""
OnTask: TypeAlias = Callable[[TaskStateChange], object]
"""Called when a task changes state."""
