"""Payman's agent as a client sees it: every method is a flow, for either door."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from payman_sdk.errors import ResponseValidationError
from payman_sdk.responses import format_task
from payman_sdk.tasks.ask import Ask, asked, canceled, looked_up, new_id, task_id_of
from payman_sdk.tasks.waiting import Time, ended

if TYPE_CHECKING:
    from payman_api.models.task import Task
    from payman_sdk.auth.tokens import Tokens
    from payman_sdk.config import Config
    from payman_sdk.flows import Flow
    from payman_sdk.streaming.following import Following
    from payman_sdk.types import FormattedTaskResponse, TaskResponse


class Agent:
    """What can be asked of the agent, and within which time.

    Args:
        tokens: Where its requests get their token.
        config: How much time there is.
        clock: Seconds that only go forward; the clock of the door that runs the flows.
        random: A number from 0 to 1, another at every call.
    """

    def __init__(
        self, tokens: Tokens, config: Config, clock: Callable[[], float], random: Callable[[], float]
    ) -> None:
        self._tokens = tokens
        self._config = config
        self._clock = clock
        self._random = random

    def deadline(self, seconds: float | None = None) -> float:
        """When something that begins now has to be over, in so many seconds or else in the client's own time."""
        return self._clock() + (self._config.timeout if seconds is None else seconds)

    def ask(
        self,
        text: str,
        session_id: str,
        options: Mapping[str, Any],
        *,
        raw: bool = False,
        task_id: str | None = None,
    ) -> Flow[FormattedTaskResponse | TaskResponse]:
        """Asks once, or answers a task. `check_text` and `read_options` have checked what is given."""
        ask = _ask(text, session_id, options, task_id)
        answer, task = yield from asked(ask, self._tokens, self.deadline(options.get("timeout")))
        if raw:
            return cast("TaskResponse", answer)
        return _formatted(task, **ask.ids())

    def following(
        self, text: str, session_id: str, options: Mapping[str, Any], *, task_id: str | None = None
    ) -> Following:
        """A streamed ask, or answer of a task; it begins when its flow is run."""
        from payman_sdk.streaming.following import Following

        return Following(
            _ask(text, session_id, options, task_id),
            self._tokens,
            self._time(options.get("timeout")),
            options.get("idle_timeout", self._config.idle_timeout),
        )

    def task(self, task: object) -> Flow[FormattedTaskResponse]:
        """How a task stands."""
        task_id, request_id = task_id_of(task), new_id("req")
        _, found = yield from looked_up(task_id, request_id, self._tokens, self.deadline())
        return _formatted(found, task_id=task_id, request_id=request_id, session_id=None)

    def cancel(self, task: object) -> Flow[FormattedTaskResponse]:
        """Cancels a task, and tells how it stands then."""
        task_id, request_id = task_id_of(task), new_id("req")
        _, found = yield from canceled(task_id, request_id, self._tokens, self.deadline())
        return _formatted(found, task_id=task_id, request_id=request_id, session_id=None)

    def wait(self, task: object, timeout: float | None) -> Flow[FormattedTaskResponse]:
        """Waits until a task has ended, whoever it waits for."""
        task_id, request_id = task_id_of(task), new_id("req")
        found = yield from ended(task_id, request_id, self._tokens, self._time(timeout))
        return _formatted(found, task_id=task_id, request_id=request_id, session_id=None)

    def _time(self, seconds: float | None) -> Time:
        return Time(self.deadline(seconds), self._clock, self._random)


def _ask(text: str, session_id: str, options: Mapping[str, Any], task_id: str | None) -> Ask:
    return Ask(
        text=text,
        task_id=task_id or new_id("tsk"),
        request_id=new_id("req"),
        session_id=session_id,
        metadata=options.get("metadata"),
        message_metadata=options.get("message_metadata"),
        part_metadata=options.get("part_metadata"),
    )


def _formatted(task: Task, *, task_id: str, request_id: str, session_id: str | None) -> FormattedTaskResponse:
    """The answer for the caller; an error about it carries the ids of the request."""
    try:
        return format_task(task, request_id=request_id, session_id=session_id)
    except ResponseValidationError as error:
        error.about(task_id=task_id, request_id=request_id, session_id=session_id)
        raise
