"""The turns of a task that waits and is answered: what it said before, so that `.text` is the newest answer alone.

Some servers return every artifact that a task ever made, others only those of the newest turn, and nothing on the wire says
which. So the artifacts of before are remembered, or looked up, and compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from payman_sdk._core.formatting import format_task
from payman_sdk._core.part_normalization import as_list, as_object
from payman_sdk._core.polling import fetch_task
from payman_sdk._core.states import is_waiting
from payman_sdk._core.task_response import FormattedTaskResponse
from payman_sdk.errors import PaymanError

if TYPE_CHECKING:
    from payman_sdk._core.effects import Flow
    from payman_sdk._core.exchange import AskExchange

EarlierArtifacts: TypeAlias = Sequence[Mapping[str, Any]]
"""Artifacts as an answer has them."""

_BRIEF = 5.0
"""Seconds for a look at a task before it is answered."""


def get_earlier_artifacts(task: object) -> EarlierArtifacts | None:
    """Return the artifacts that were there when a task last waited for somebody; None where that is not known.

    Args:
        task: An answer, or the id of a task.
    """
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
    """Look up, once and briefly, what a task said before the reply that is about to be sent.

    Only words depend on it, so a failure of it changes nothing.
    """
    ask, time = exchange.ask, exchange.time
    brief = time._replace(
        patience=min(time.patience, _BRIEF), deadline=min(time.deadline, time.clock() + _BRIEF)
    )
    try:
        _, task = yield from fetch_task(ask.task_id, exchange.tokens, brief)
    except PaymanError:
        return
    answer = format_task(task, request_id=ask.request_id, session_id=ask.session_id)
    exchange.ask = ask._replace(earlier=get_earlier_artifacts(answer))
