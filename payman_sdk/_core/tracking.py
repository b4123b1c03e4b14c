"""Who observes flows, and what a program gets of an ask that was interrupted.

The bases here count and report nothing; `_telemetry` derives from them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from payman_sdk.errors import APIConnectionError, PaymanError

if TYPE_CHECKING:
    from payman_api.models.task import Task
    from payman_sdk._core.effects import CallHook, Flow, SendRequest
    from payman_sdk._core.events import StreamEvent
    from payman_sdk._core.hook_payloads import Reason, TaskStateChange, TokenRefresh
    from payman_sdk._core.http_response import HTTPResponse
    from payman_sdk._core.requests import AskRequest


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


T = TypeVar("T")


class Tracker:
    """Looks on while one thing is asked for. This base lets everything pass and takes no note.

    Attributes:
        answer: Returns the text of the answer, once there is one.
        attempts: How often the ask was sent.
        events: How many events its stream emitted.
        listeners: Who reads events.
        is_reconciled: Whether the answer was lost and a look-up found the outcome.
        is_repeated: Whether the agent knew the task before.
    """

    answer: Callable[[], str] | None = None
    attempts = events = 0
    listeners: tuple[Callable[[Any], None], ...] = ()
    is_reconciled = is_repeated = False

    def track(self, flow: Flow[T], ask: AskRequest, *, is_stream: bool = False) -> Flow[T]:
        """Return the flow of an ask, tracked from its beginning to its end."""
        return flow

    def track_request(self, send: SendRequest) -> Flow[HTTPResponse]:
        """Send a request and return its response."""
        response: HTTPResponse = yield send
        return response

    def describe(self, error: BaseException, ask: AskRequest) -> None:
        """Write on what interrupts an ask which ask that was."""

    def convert_fault(self, fault: Exception) -> APIConnectionError:
        """Return what a fault of the SDK's own means for an attempt that was sent.

        Raises:
            Exception: The fault itself, where nothing was sent.
        """
        raise fault

    def record_failure(self, task_id: str, attempt: int, failure: PaymanError, verdict: str) -> None:
        """Record what the failure of an attempt means."""

    def record_retry(self, attempt: int, failure: PaymanError, delay: float, task_id: str | None) -> None:
        """Record that another attempt follows in so many seconds."""

    def record_fetch(self, task_id: str, state: str | None) -> None:
        """Record that a task was looked up; the state is None where the agent does not know it."""

    def track_state(self, task: Task) -> Flow[None]:
        """Record the state of a task, and call `on_task` if the state is new and there is a hook."""
        yield from ()

    def record_stream_open(self, task_id: str, *, is_again: bool) -> None:
        """Record that a stream is open."""

    def record_stream_break(self, task_id: str, failure: PaymanError) -> None:
        """Record that a stream broke before its end."""

    def record_event(self, task_id: str, event: StreamEvent) -> CallHook | None:
        """Record an event of a stream before its reader gets it; return the effect that calls `on_task`, if there is one."""
        return None

    def record_state(self, task_id: str, state: str, message: Callable[[], str | None]) -> CallHook | None:
        """Record the state of a task; return the effect that calls `on_task`, if the state is new and there is a hook."""
        return None


class ClientObserver:
    """Looks on for a whole client. This base makes trackers that take no note."""

    def create_tracker(
        self,
        clock: Callable[[], float],
        task_id: str | None = None,
        on_task: Callable[[TaskStateChange], Any] | None = None,
    ) -> Tracker:
        """Return a tracker for one ask, or for the request of a token.

        Args:
            clock: Seconds that only go forward; the clock of the runner.
            task_id: The task it is about; None for a token.
            on_task: Called with a `TaskStateChange` whenever the task changes state.
        """
        return Tracker()

    def has_listeners(self) -> bool:
        """Whether anybody reads events at the moment."""
        return False

    def track_refresh(
        self,
        reason: Reason,
        flow: Flow[T],
        build_refresh: Callable[[T | None, PaymanError | None], TokenRefresh | None],
    ) -> Flow[T]:
        """Return the flow that gets a token, tracked.

        Args:
            reason: Why an access token is fetched.
            flow: Fetches it.
            build_refresh: Called once with the token or the error; returns what to report.
        """
        try:
            issued = yield from flow
        except PaymanError as error:
            build_refresh(None, error)
            raise
        build_refresh(issued, None)
        return issued
