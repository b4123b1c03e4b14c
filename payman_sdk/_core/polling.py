"""Look a task up until it has the wanted state. A look-up changes nothing, so it may be repeated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from payman_api.models import Task
from payman_sdk import errors
from payman_sdk._core.effects import Flow, Sleep
from payman_sdk._core.error_classes import AGENT_REFUSALS, PLAIN_REFUSALS, parse_retry_after
from payman_sdk._core.requests import build_cancel_request, build_get_request, generate_id
from payman_sdk._core.retry import CallContext, FailureClass, classify_failure, is_transient
from payman_sdk._core.rpc import call_agent
from payman_sdk._core.task_reader import ParsedTask
from payman_sdk._core.task_response import Phase, get_phase, get_state, has_ended, is_resting

TaskAnswer: TypeAlias = tuple[dict[str, Any], ParsedTask]
"""A JSON-RPC answer, and the task in it."""


def fetch_task(task_id: str, time: CallContext, *, messages: int = 0) -> Flow[TaskAnswer]:
    """Look a task up once [P], with so many of its newest messages."""
    # Each look-up has a new id: a late answer to an earlier one must not count as newer.
    try:
        answer = yield from _send_task_request(build_get_request, task_id, time, messages=messages)
    except errors.TaskNotFoundError:
        time.watch.record_fetch(task_id, None)
        raise
    time.watch.record_fetch(task_id, get_state(answer[1]))
    return answer


def cancel_task(task_id: str, time: CallContext) -> Flow[TaskAnswer]:
    """Cancel a task [P], and return its state. Canceling twice is harmless, so it is repeated freely.

    Raises TaskNotCancelableError if it had ended before; PaymanError if the result is unknown or a failure.
    """
    attempt, was_lost = 0, False
    while True:
        attempt += 1
        try:
            return (yield from _send_task_request(build_cancel_request, task_id, time))
        except errors.PaymanError as error:
            failure, kind = error, classify_failure(error)
        is_lost = kind is FailureClass.AMBIGUOUS and not isinstance(failure, errors.AgentError)
        was_lost = was_lost or is_lost
        # It may have ended by an attempt whose answer was lost.
        if is_lost or (was_lost and isinstance(failure, errors.TaskNotCancelableError)):
            try:
                body, task = yield from fetch_task_retrying(task_id, time)
            except errors.MethodNotFoundError:
                raise failure from None  # this server looks no task up; what it answered to the cancellation counts
            if has_ended(get_state(task)):
                return body, task
        is_refused = isinstance(failure, errors.AgentError | errors.AuthenticationError)
        is_final = is_refused or kind is FailureClass.FATAL
        if is_final or not (yield from time.wait_before_retry(attempt, failure, task_id)):
            raise failure


def _send_task_request(
    build: Callable[..., dict[str, Any]], task_id: str, time: CallContext, **options: int
) -> Flow[TaskAnswer]:
    request_id = generate_id("req")
    try:
        return (yield from call_agent(build(task_id, request_id, **options), request_id, task_id, time))
    except errors.PaymanError as error:
        error.add_context(task_id=task_id, request_id=request_id)
        raise


def fetch_task_retrying(
    task_id: str,
    time: CallContext,
    *,
    messages: int = 0,
    is_patient: bool = True,
    was_sent: bool = False,
    is_known: bool = False,
) -> Flow[TaskAnswer]:
    """Look a task up, and if `is_patient` try again until the deadline after a passing failure; raises PaymanError.

    `was_sent` says that this flow sent the task's ask, so that its outcome would stay open. If the agent has known the task before
    (`is_known`), "not found" may be a lagging replica, for `settle_time`.
    """
    pauses, began = time.iter_pauses(), time.clock()
    while True:
        try:
            return (yield from fetch_task(task_id, time, messages=messages))
        except errors.PaymanError as error:
            failure = error
        # Where money may be on its way, only what says that this server looks no task up is final.
        may_pass = is_transient(failure) or (was_sent and not _is_final(failure))
        if is_known and isinstance(failure, errors.TaskNotFoundError):
            may_pass = may_pass or time.clock() - began < time.options.settle_time
        wait = max(next(pauses).seconds, parse_retry_after(failure, time.wall_clock) or 0.0)
        if not (is_patient and may_pass) or time.clock() + wait > time.deadline:
            raise failure
        yield Sleep(wait)
        if time.is_over():
            raise failure


def _is_final(failure: errors.PaymanError) -> bool:
    """Return whether a look-up that failed in this way would fail again."""
    status = failure.status_code or 200
    return (
        isinstance(failure, errors.ConfigurationError | errors.TokenStoreError)
        or (isinstance(failure, errors.AgentError) and failure.code in AGENT_REFUSALS)
        or (isinstance(failure, errors.APIConnectionError) and not failure.is_transient)
        or status in {*range(300, 400), *PLAIN_REFUSALS, 501}
    )


def requires_input(task: Task) -> bool:
    """Whether a task waits for a reply in words."""
    return get_phase(get_state(task)) is Phase.AWAITS_REPLY


def wait_for_end(
    task_id: str, time: CallContext, *, or_rests: bool = False, known: TaskAnswer | None = None
) -> Flow[TaskAnswer]:
    """Return a flow that waits until a task has ended, whoever it waits for, and returns it.

    With `or_rests`, it also returns a task that waits for somebody, and a task in any state at the deadline. `known` is the result
    of a recent look-up. Raises APITimeoutError or PaymanError.
    """
    pauses = time.iter_pauses()
    found = known or (yield from fetch_task_retrying(task_id, time))
    while True:
        state = get_state(found[1])
        yield from time.watch.track_state(found[1])
        if is_resting(state) if or_rests else has_ended(state):
            return found
        yield next(pauses)
        if time.is_over() and or_rests:
            return found
        if time.is_over():
            raise errors.APITimeoutError(
                f"The task is still {state} after the timeout.",
                next_step="Wait longer, or call client.get_task(error.task_id) later.",
                task_id=task_id,
            )
        try:
            found = yield from fetch_task_retrying(task_id, time, is_known=True)
        except errors.PaymanError as error:
            # One that the deadline cut off, or leaves no time to repeat, takes nothing from what the one before it showed.
            if not (time.is_over() or (or_rests and is_transient(error))):
                raise
            if or_rests:
                return found
