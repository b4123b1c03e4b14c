"""Payman's agent as a client sees it: every method is a flow, for either door."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from payman_sdk.errors import ResponseValidationError
from payman_sdk.responses import format_task
from payman_sdk.tasks.ask import Ask, asked, check_task_id, looked_up, new_id

if TYPE_CHECKING:
    from payman_api.models.task import Task
    from payman_sdk.auth.tokens import Tokens
    from payman_sdk.flows import Flow
    from payman_sdk.types import FormattedTaskResponse, TaskResponse


class Agent:
    """What can be asked of the agent, and within which time.

    Args:
        tokens: Where its requests get their token.
        timeout: Seconds for a whole ask.
        clock: Seconds that only go forward; the clock of the door that runs the flows.
    """

    def __init__(self, tokens: Tokens, timeout: float, clock: Callable[[], float]) -> None:
        self._tokens = tokens
        self._timeout = timeout
        self._clock = clock

    def deadline(self) -> float:
        """When something that begins now has to be over."""
        return self._clock() + self._timeout

    def ask(
        self, text: str, session_id: str, options: Mapping[str, Any], *, raw: bool
    ) -> Flow[FormattedTaskResponse | TaskResponse]:
        """Asks once. `check_text` and `read_options` have checked what is given."""
        ask = Ask(
            text=text,
            task_id=new_id("tsk"),
            request_id=new_id("req"),
            session_id=session_id,
            metadata=options.get("metadata"),
            message_metadata=options.get("message_metadata"),
            part_metadata=options.get("part_metadata"),
        )
        answer, task = yield from asked(ask, self._tokens, self.deadline())
        if raw or options.get("output_format") == "json":
            return cast("TaskResponse", answer)
        return _formatted(task, **ask.ids())

    def task(self, task_id: str) -> Flow[FormattedTaskResponse]:
        """How a task stands."""
        check_task_id(task_id)
        request_id = new_id("req")
        _, task = yield from looked_up(task_id, request_id, self._tokens, self.deadline())
        return _formatted(task, task_id=task_id, request_id=request_id, session_id=None)


def _formatted(task: Task, *, task_id: str, request_id: str, session_id: str | None) -> FormattedTaskResponse:
    """The answer for the caller; an error about it carries the ids of the request."""
    try:
        return format_task(task, request_id=request_id, session_id=session_id)
    except ResponseValidationError as error:
        error.about(task_id=task_id, request_id=request_id, session_id=session_id)
        raise
