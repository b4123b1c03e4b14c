"""What the flows of one ask share: how it is sent and followed, and where its key is recorded."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeAlias, TypeVar, cast

from payman_sdk._core.effects import Flow
from payman_sdk._core.formatting import format_answer
from payman_sdk._core.polling import TaskAnswer, fetch_task
from payman_sdk._core.requests import AskRequest
from payman_sdk._core.retry import CallContext
from payman_sdk._core.task_response import FormattedTaskResponse, is_waiting
from payman_sdk._core.wire_json import as_list, as_object
from payman_sdk.errors import PaymanError, TaskNotFoundError

T_co = TypeVar("T_co", covariant=True)


class AskExchange(Protocol[T_co]):
    """How one ask is sent and followed, whole or as a stream. All methods are flows."""

    ask: AskRequest
    time: CallContext

    def attempt(self) -> Flow[T_co]:
        """Send the ask, and return how it ended."""
        ...

    def reconcile(self, lost: PaymanError, is_patient: bool) -> Flow[T_co | None]:
        """Return how the ask ended; None if the agent does not know it. `is_patient` waits out a passing failure.

        Raises OutcomeUnknownError if it arrived and its outcome is undetermined; PaymanError if the look-up failed.
        """
        ...

    def resume(self, known: TaskAnswer, lost: PaymanError) -> Flow[T_co]:
        """Return how a task that was looked up ends; raises `OutcomeUnknownError`."""
        ...


EarlierArtifacts: TypeAlias = Sequence[Mapping[str, Any]]
"""Artifacts as an answer has them."""


def get_earlier_artifacts(task: object) -> EarlierArtifacts | None:
    """Return the artifacts of an answer, or of a payment's, whose task waited for somebody; None if unknown."""
    if not isinstance(task, Mapping):
        task = getattr(task, "response", None)
    if not isinstance(task, Mapping):
        return None
    answer = cast("Mapping[str, Any]", task)
    state = answer.get("state")
    several = as_list(answer.get("artifacts"))
    artifacts = [artifact for artifact in map(as_object, several or ()) if artifact is not None]
    if several is not None and isinstance(state, str) and is_waiting(state):
        return artifacts
    new = task.new_artifacts if isinstance(task, FormattedTaskResponse) else None
    return None if new is None else [old for old in artifacts if all(old is not one for one in new)]


def look_before_reply(exchange: AskExchange[Any]) -> Flow[None]:
    """Look up, once and briefly, what a task said before the reply. Only words depend on it, so a failure is ignored.

    Raises TaskNotFoundError: the reply would begin another task.
    """
    ask = exchange.ask
    try:
        _, task = yield from fetch_task(ask.task_id, exchange.time.shorten())
    except TaskNotFoundError as error:
        error.sent = False
        raise
    except PaymanError:
        return
    answer = format_answer(task, ask._replace(earlier=()))
    exchange.ask = ask._replace(earlier=get_earlier_artifacts(answer))
