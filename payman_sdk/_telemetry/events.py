"""What flows report to an observer: small events, made only where somebody listens.

They are for readers inside of the SDK. `RetryDetails` and `TokenRefresh`, which hooks are given as well, are in `payman_sdk._core.hook_payloads`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from payman_sdk._core.hook_payloads import Reason, RetryDetails, TokenRefresh
from payman_sdk._core.task_response import STATES

if TYPE_CHECKING:
    from payman_sdk._core.events import StreamEvent
    from payman_sdk._core.requests import AskRequest
    from payman_sdk.errors import PaymanError

UNLISTED = "unlisted"
"""Shown for a state that is not listed: the server's text may repeat what it was sent."""


def redact_state(state: str) -> str:
    """Return the part of a state that is safe to show."""
    return state if state in STATES else UNLISTED


class AskBegan(NamedTuple):
    """An ask, a stream or a reply begins. It holds the text, which only permitted listeners may show."""

    ask: AskRequest
    is_stream: bool


class AttemptBegan(NamedTuple):
    """A request is about to be sent.

    Args:
        task_id: The task it is about; None for a token request.
        method: The method of HTTP.
        path: Its path, without the query: a token request carries secrets in that.
        resends: How often the same was sent before.
        headers: Headers that readers want to have sent along.
    """

    task_id: str | None
    method: str
    path: str
    resends: int
    headers: dict[str, str]


class AttemptEnded(NamedTuple):
    """A request was answered, with the head of a stream at least, or failed.

    `error` is the class of what was raised in place of an answer.
    """

    began: AttemptBegan
    status_code: int | None
    error: str | None
    seconds: float


class FailureClassified(NamedTuple):
    """An attempt failed, and the failure was classified: `FATAL`, `RETRYABLE`, `TURNED_AWAY` or `AMBIGUOUS`."""

    task_id: str
    attempt: int
    failure: PaymanError
    verdict: str


class TaskFetched(NamedTuple):
    """A look-up of a task; the state is None if the agent does not know the task."""

    task_id: str
    state: str | None


class StateChanged(NamedTuple):
    """A task has changed state."""

    task_id: str
    state: str


class StreamOpened(NamedTuple):
    """A stream is open, or, once it broke, open again."""

    task_id: str
    is_again: bool


class StreamBroke(NamedTuple):
    """A stream broke; it resumes, or a look-up follows the task."""

    task_id: str
    failure: PaymanError


class EventReceived(NamedTuple):
    """A stream delivered an event."""

    task_id: str
    event: StreamEvent


class TokenRefreshBegan(NamedTuple):
    """An access token is about to be fetched."""

    reason: Reason


class TokenRefreshEnded(NamedTuple):
    """It was fetched, or not; the renewal is None where who needed it was cancelled."""

    began: TokenRefreshBegan
    renewal: TokenRefresh | None


class AskEnded(NamedTuple):
    """An ask has ended.

    `outcome` is one of the outcomes in `Stats`; `first_event` are the seconds until the first event of a stream.
    """

    ask: AskRequest
    is_stream: bool
    outcome: str
    state: str | None
    error: PaymanError | None
    seconds: float
    first_event: float | None
    attempts: int
    lookups: int
    events: int
    is_reconciled: bool
    is_repeated: bool
    answer: Callable[[], str] | None


Event: TypeAlias = (
    AskBegan
    | AttemptBegan
    | AttemptEnded
    | FailureClassified
    | RetryDetails
    | TaskFetched
    | StateChanged
    | StreamOpened
    | StreamBroke
    | EventReceived
    | TokenRefreshBegan
    | TokenRefreshEnded
    | AskEnded
)
Listener: TypeAlias = Callable[[Event], None]
