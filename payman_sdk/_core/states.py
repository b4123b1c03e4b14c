"""What each state of a task means. Every other table over states derives from `_classify`, the only one there is."""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import TYPE_CHECKING, Literal, TypeAlias, assert_never

from payman_api.models.task_state import TaskState

if TYPE_CHECKING:
    from payman_api.models.task import Task

Status: TypeAlias = Literal["completed", "failed", "in_progress"]
"""The state of an ask in one of three words; `state` has the agent's own."""

STATES: dict[str, TaskState] = {state.value: state for state in TaskState}
"""The states that the protocol has, by their spelling."""


class Phase(Enum):
    """What a state means for whoever waits for the task."""

    COMPLETED = auto()
    """It has ended: the agent is done with it."""
    FAILED = auto()
    """It has ended without success."""
    AWAITS_REPLY = auto()
    """It rests until somebody answers it in words."""
    AWAITS_PERSON = auto()
    """It rests until a person acts elsewhere, such as by signing in; a reply in words does not help."""
    AT_WORK = auto()
    """The agent is working. An unknown state counts as this: it is not final."""
    UNKNOWN = auto()
    """The agent itself does not know."""


def _classify(state: TaskState) -> Phase:
    """Return the phase of a state; a new member of `TaskState` without a line here is a type error, and fails at import."""
    match state:
        case TaskState.COMPLETED:
            return Phase.COMPLETED
        case TaskState.FAILED | TaskState.CANCELED | TaskState.REJECTED:
            return Phase.FAILED
        case TaskState.INPUT_REQUIRED:
            return Phase.AWAITS_REPLY
        case TaskState.AUTH_REQUIRED:
            return Phase.AWAITS_PERSON
        case TaskState.SUBMITTED | TaskState.WORKING:
            return Phase.AT_WORK
        case TaskState.UNKNOWN:
            return Phase.UNKNOWN
        case _:
            assert_never(state)


_PHASES: dict[str, Phase] = {state.value: _classify(state) for state in TaskState}

_PREFIX = "task-state-"
"""What later versions of the protocol write before a state."""
_SYNONYMS = {"cancelled": TaskState.CANCELED, "unspecified": TaskState.UNKNOWN}
"""Other words for states, from later versions of the protocol."""
_SPELLINGS: dict[str, str] = {
    spelling: state.value
    for state in TaskState
    for spelling in (state.value, state.name, f"TASK_STATE_{state.name}")
}
"""The usual spellings, so that most states need no work."""


def canonicalize_state(state: str) -> str:
    """Return a state as the protocol spells it; an unlisted one stays as it is.

    Example:
        >>> from payman_sdk._core.states import canonicalize_state
        >>> canonicalize_state("COMPLETED"), canonicalize_state("TASK_STATE_INPUT_REQUIRED"), canonicalize_state("On_Hold")
        ('completed', 'input-required', 'On_Hold')
    """
    usual = _SPELLINGS.get(state)
    if usual is not None:
        return usual
    spelled = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", state).replace("_", "-").lower().removeprefix(_PREFIX)
    spelled = _SYNONYMS.get(spelled, spelled)
    return spelled if spelled in _PHASES else state


def get_state(task: Task) -> str:
    """Return the state of a task as the protocol spells it, also where a server sends something else than a text."""
    return canonicalize_state(str(task.status.state))


def get_phase(state: str) -> Phase:
    """Return what a state means, as `canonicalize_state` spells it."""
    return _PHASES.get(state, Phase.AT_WORK)


_ENDS: dict[Phase, Status] = {Phase.COMPLETED: "completed", Phase.FAILED: "failed"}
_STATUSES: dict[str, Status] = {state: _ENDS.get(phase, "in_progress") for state, phase in _PHASES.items()}
_ENDED = frozenset(state for state, status in _STATUSES.items() if status != "in_progress")
_RESTING = frozenset(state for state, phase in _PHASES.items() if phase not in {Phase.AT_WORK, Phase.UNKNOWN})


def get_status(state: str) -> Status:
    """Return the word for a state, as `canonicalize_state` spells it."""
    return _STATUSES.get(state, "in_progress")


def has_ended(state: str) -> bool:
    """Whether a task in this state, as `canonicalize_state` spells it, will not change any more."""
    return state in _ENDED


def is_waiting(state: str) -> bool:
    """Whether a task in this state, as `canonicalize_state` spells it, waits for somebody."""
    return state in _RESTING and state not in _ENDED


def is_resting(state: str) -> bool:
    """Whether a task in this state, as `canonicalize_state` spells it, has ended or waits for somebody."""
    return state in _RESTING
