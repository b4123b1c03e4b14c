"""Asking the agent how a task stands, until it says what is wanted. Asking changes nothing, so it may be repeated."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from attrs import frozen

from payman_sdk.errors import (
    APIConnectionError,
    APITimeoutError,
    InternalAgentError,
    PaymanError,
    RateLimitError,
    ResponseValidationError,
    ServerError,
)
from payman_sdk.flows import Flow, Sleep
from payman_sdk.responses import canonical_state, has_ended
from payman_sdk.tasks.ask import looked_up

if TYPE_CHECKING:
    from payman_api.models.task import Task
    from payman_sdk.auth.tokens import Tokens

_FIRST, _LONGEST = 0.25, 5.0

_PASSING = (APIConnectionError, InternalAgentError, RateLimitError, ResponseValidationError, ServerError)
"""What may be otherwise a moment later."""


@frozen
class Time:
    """The time there is for something, and how it is spent between two attempts.

    Args:
        deadline: When, on the clock, it has to be over.
        clock: Seconds that only go forward.
        random: A number from 0 to 1, another at every call.
    """

    deadline: float
    clock: Callable[[], float]
    random: Callable[[], float]

    def is_over(self) -> bool:
        """Whether there is none left."""
        return self.clock() >= self.deadline

    def pauses(self) -> Iterator[Sleep]:
        """Pauses that grow, up to 5 s, each of a random length so that a thousand clients do not come back at once."""
        longest = _FIRST
        while True:
            yield Sleep(min(longest * (0.5 + self.random() / 2), max(0.0, self.deadline - self.clock())))
            longest = min(2 * longest, _LONGEST)


def found(task_id: str, request_id: str, tokens: Tokens, time: Time) -> Flow[tuple[dict[str, Any], Task]]:
    """A flow that returns how a task stands, trying again while it is only the network or the server that fails.

    Raises:
        PaymanError: It cannot be learned: what the server says, or, at the deadline, what failed last.
    """
    for pause in time.pauses():
        try:
            return (yield from looked_up(task_id, request_id, tokens, time.deadline))
        except _PASSING as error:
            failure: PaymanError = error
        yield pause
        if time.is_over():
            raise failure
    raise AssertionError("there is always another pause")


def ended(task_id: str, request_id: str, tokens: Tokens, time: Time) -> Flow[Task]:
    """A flow that waits until a task has ended, whoever it waits for, and returns it.

    Raises:
        APITimeoutError: It had not ended in time.
        PaymanError: It cannot be learned how the task stands.
    """
    for pause in time.pauses():
        _, task = yield from found(task_id, request_id, tokens, time)
        state = canonical_state(str(task.status.state))
        if has_ended(state):
            return task
        yield pause
        if time.is_over():
            raise APITimeoutError(
                f"The task is still {state} after the time that was given.",
                next_step="Wait longer, or ask client.get_task(error.task_id) later.",
                task_id=task_id,
                request_id=request_id,
            )
    raise AssertionError("there is always another pause")
