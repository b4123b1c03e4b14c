"""Asking the agent how a task stands, until it says what is wanted. Asking changes nothing, so it may be repeated."""

from __future__ import annotations

from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

from payman_sdk import states
from payman_sdk.auth.signing import authorized
from payman_sdk.auth.tokens import Tokens
from payman_sdk.errors import (
    APITimeoutError,
    AuthenticationError,
    MethodNotFoundError,
    PaymanError,
    ResponseValidationError,
    TaskNotFoundError,
)
from payman_sdk.flows import Flow
from payman_sdk.ids import new_id
from payman_sdk.responses import format_message
from payman_sdk.states import canonical_state, has_ended
from payman_sdk.tasks.answers import nothing_said, read_answer
from payman_sdk.tasks.ask import cancellation, look_up
from payman_sdk.tasks.retrying import Time, Verdict, is_passing, judge

if TYPE_CHECKING:
    import httpx

    from payman_api.models.task import Task
    from payman_sdk.telemetry.watch import Watch


def looked_up(
    task_id: str, tokens: Tokens, time: Time, *, messages: int = 0
) -> Flow[tuple[dict[str, Any], Task]]:
    """A flow that asks once how a task stands [P], with so many of its newest messages."""
    # Each look has an id of its own: an answer to an earlier one, should it come late, must not be taken for a newer one.
    request_id = new_id("req")
    try:
        told = yield from _told(look_up(task_id, request_id, messages), task_id, request_id, tokens, time)
    except TaskNotFoundError:
        time.watch.looked_up(task_id, None)
        raise
    time.watch.looked_up(task_id, state_of(told[1]))
    return told


def noted(task: Task, watch: Watch) -> Flow[None]:
    """A flow that takes note of how a task stands."""
    consult = watch.stands(task.id, state_of(task), partial(_message, task))
    if consult is not None:
        yield consult


def canceled(task_id: str, tokens: Tokens, time: Time) -> Flow[tuple[dict[str, Any], Task]]:
    """A flow that cancels a task [P], and returns how it stands then.

    Raises:
        TaskNotCancelableError: It had ended before.
        PaymanError: It could not be canceled, or could not be learned whether it was.
    """
    for attempt in count(1):
        request_id = new_id("req")
        try:
            return (yield from _told(cancellation(task_id, request_id), task_id, request_id, tokens, time))
        except PaymanError as error:
            failure, verdict = error, judge(error)
        if verdict is Verdict.UNKNOWN:
            try:
                body, task = yield from found(task_id, tokens, time)
            except MethodNotFoundError:
                raise failure from None  # this server does not tell; what it said of the cancellation counts
            if has_ended(state_of(task)):
                return body, task
        if verdict is Verdict.FINAL or not (yield from time.before_another(attempt, failure, task_id)):
            raise failure
    raise AssertionError("counting does not end")


def _told(
    request: dict[str, Any], task_id: str, request_id: str, tokens: Tokens, time: Time
) -> Flow[tuple[dict[str, Any], Task]]:
    try:
        answer: httpx.Response = yield from authorized(
            request, tokens, time.deadline, time.patience, watch=time.watch
        )
        if (failure := nothing_said(answer)) is not None:
            raise failure
        return read_answer(answer, request_id, task_id)
    except PaymanError as error:
        error.about(task_id=task_id, request_id=request_id)
        raise


def found(
    task_id: str, tokens: Tokens, time: Time, *, messages: int = 0, was_sent: bool = False
) -> Flow[tuple[dict[str, Any], Task]]:
    """A flow that returns how a task stands, trying again until the deadline while the failure may be a passing one.

    Args:
        task_id: The task.
        tokens: Where the request gets its token.
        time: The time there is.
        messages: How many of the newest messages of its history are wanted.
        was_sent: Whether what made the task was sent by this flow, so that giving up would leave its outcome open.

    Raises:
        PaymanError: It cannot be learned: what the server says, or, at the deadline, what failed last.
    """
    pauses = time.pauses()
    while True:
        try:
            return (yield from looked_up(task_id, tokens, time, messages=messages))
        except PaymanError as error:
            failure = error
        # Where money may be on its way, even a refused token is no last word: the next one may be taken.
        is_refused = isinstance(failure, AuthenticationError)
        if not is_passing(failure) and not (was_sent and is_refused):
            raise failure
        yield next(pauses)
        if time.is_over():
            raise failure


def rests(task: Task) -> bool:
    """Whether a task changes no more, or only when somebody acts."""
    return states.rests(state_of(task))


def requires_input(task: Task) -> bool:
    """Whether a task waits for a reply in words."""
    return states.phase_of(state_of(task)) is states.Phase.AWAITS_REPLY


def state_of(task: Task) -> str:
    """The state of a task as the protocol spells it, also where a server sends something else than a text."""
    return canonical_state(str(task.status.state))


def _message(task: Task) -> str | None:
    """What the agent says about the state; None also where that cannot be read, which is for those to say who need it."""
    try:
        return format_message(task.status.message)
    except ResponseValidationError:
        return None


def ended(
    task_id: str,
    tokens: Tokens,
    time: Time,
    *,
    or_rests: bool = False,
    known: tuple[dict[str, Any], Task] | None = None,
) -> Flow[tuple[dict[str, Any], Task]]:
    """A flow that waits until a task has ended, whoever it waits for, and returns it.

    Args:
        task_id: The task.
        tokens: Where the requests get their token.
        time: The time there is.
        or_rests: Whether to return, too, when it waits for somebody; and, at the deadline, however it stands.
        known: How it stands, where that has just been looked up.

    Raises:
        APITimeoutError: It had not ended in time.
        PaymanError: It cannot be learned how the task stands.
    """
    pauses = time.pauses()
    while True:
        body, task = known or (yield from found(task_id, tokens, time))
        yield from noted(task, time.watch)
        if rests(task) if or_rests else has_ended(state_of(task)):
            return body, task
        yield next(pauses)
        known = None
        if time.is_over() and or_rests:
            return body, task
        if time.is_over():
            raise APITimeoutError(
                f"The task is still {state_of(task)} after the time that was given.",
                next_step="Wait longer, or ask client.get_task(error.task_id) later.",
                task_id=task_id,
            )
