"""Payman's agent as a client sees it: every method is a flow, for either door."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from payman_sdk.responses import format_task
from payman_sdk.tasks.ask import Ask, asked, check_text, looked_up, new_id

if TYPE_CHECKING:
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

    def ask(
        self, text: str, session_id: str, options: Mapping[str, Any], *, raw: bool
    ) -> Flow[FormattedTaskResponse | TaskResponse]:
        """Asks once. The options are those that `read_options` has checked."""
        ask = Ask(
            text=check_text(text),
            task_id=new_id("tsk"),
            request_id=new_id("req"),
            session_id=session_id,
            metadata=options.get("metadata"),
            message_metadata=options.get("message_metadata"),
            part_metadata=options.get("part_metadata"),
        )
        answer, task = yield from asked(ask, self._tokens, self._clock() + self._timeout)
        if raw or options.get("output_format") == "json":
            return cast("TaskResponse", answer)
        return format_task(task, request_id=ask.request_id, session_id=session_id)

    def task(self, task_id: str) -> Flow[FormattedTaskResponse]:
        """How a task stands."""
        request_id = new_id("req")
        _, task = yield from looked_up(task_id, request_id, self._tokens, self._clock() + self._timeout)
        return format_task(task, request_id=request_id, session_id=None)
