"""The results of an ask: the JSON-RPC answer as a dict, or the formatted answer, a dict whose members are also attributes.

Every table over states derives from `_classify`, which says what each state means.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Generic, Literal, NotRequired, Self, TypeAlias, TypedDict, assert_never

from payman_api.models import TaskState
from payman_sdk._annotations import LazyModule, ParsedT, support_pydantic
from payman_sdk._attrdict import Key, Record, register_with_yaml

if TYPE_CHECKING:
    import datetime as dt

    from payman_api.models import Task
else:
    dt = LazyModule("datetime")

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
    """Return the phase of a state; a new member of `TaskState` without a line here fails at import and type check."""
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

_SYNONYMS = {"cancelled": TaskState.CANCELED, "unspecified": TaskState.UNKNOWN}
"""Other words for states, from later versions of the protocol."""
_SPELLINGS: dict[str, str] = {
    spelling: state.value
    for state in TaskState
    for spelling in (state.value, state.name, f"TASK_STATE_{state.name}")
}
"""The usual spellings, so that most states need no work."""


def canonicalize_state(state: str) -> str:
    """Return a state as the protocol spells it (`COMPLETED`, `TASK_STATE_COMPLETED`: `completed`); an unlisted one unchanged."""
    if (usual := _SPELLINGS.get(state)) is not None:
        return usual
    spelled = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", state).replace("_", "-").lower()
    spelled = spelled.removeprefix("task-state-")  # what later versions of the protocol write before it
    spelled = _SYNONYMS.get(spelled, spelled)
    return spelled if spelled in _PHASES else state


def get_state(task: Task) -> str:
    """Return the state of a task as the protocol spells it, even if a server sends something other than text."""
    return canonicalize_state(str(task.status.state))


def get_phase(state: str) -> Phase:
    """Return what a state means, as `canonicalize_state` spells it."""
    return _PHASES.get(state, Phase.AT_WORK)


_ENDS: dict[Phase, Status] = {Phase.COMPLETED: "completed", Phase.FAILED: "failed"}


def get_status(state: str) -> Status:
    """Return the word for a state, as `canonicalize_state` spells it."""
    return _ENDS.get(get_phase(state), "in_progress")


def has_ended(state: str) -> bool:
    """Whether a task in this state, as `canonicalize_state` spells it, will not change any more."""
    return get_phase(state) in _ENDS


def is_waiting(state: str) -> bool:
    """Whether a task in this state, as `canonicalize_state` spells it, waits for somebody."""
    return is_resting(state) and not has_ended(state)


def is_resting(state: str) -> bool:
    """Whether a task in this state, as `canonicalize_state` spells it, has ended or waits for somebody."""
    return get_phase(state) not in {Phase.AT_WORK, Phase.UNKNOWN}


class TaskResponse(TypedDict):
    """The JSON-RPC answer of the agent, unchanged [D]."""

    jsonrpc: Literal["2.0"]
    id: str
    result: NotRequired[dict[str, Any] | None]
    error: NotRequired[dict[str, Any] | None]


support_pydantic(TaskResponse)


class Artifact(Record):
    """One piece of an answer: a dict whose members are also attributes."""

    __slots__ = ()

    name = Key[str]()
    """Its name, `artifact` if the agent gave none."""
    description = Key[str | None]()
    """The agent's description."""
    content = Key[str]()
    """Its text, a line break between parts; for an artifact without text, its data as JSON or its file's address."""
    type = Key[str]()
    """The kind of its content: 'text' where there is text, else the kind of its first part ('data', 'file', …)."""
    timestamp = Key[str | None]()
    """Its time, as the agent wrote it."""
    metadata = Key[dict[str, Any]]()
    """What the agent says about it."""
    parts = Key[list[dict[str, Any]]]()
    """Every part unchanged, including files and data."""


class FormattedTaskResponse(Record, Generic[ParsedT]):
    """The answer to an ask: a dict whose members are also attributes.

    Keys are stored in snake_case; look-ups in camelCase work too: `response["sessionId"]`. Other values (`parsed`, `headers`,
    `elapsed`, `raw` …) are attributes only.

    Example:
        >>> from typing import TypedDict
        >>> from payman_sdk.sandbox import Sandbox
        >>> class Balance(TypedDict):
        ...     currency: str
        ...     balance: str
        >>> with Sandbox() as sandbox, sandbox.client() as client:
        ...     response = client.ask("What's my TSD wallet balance?")
        ...     structured = client.ask("what's my TSD wallet balance?", response_format=Balance)
        >>> response["status"], response.is_final, response.session_id == response["sessionId"]
        ('completed', True, True)
        >>> structured.parsed, structured.parse_error
        ({'currency': 'TSD', 'balance': '1000.00'}, None)
    """

    __slots__ = (
        "_is_repeated",
        "_seconds",
        "headers",
        "new_artifacts",
        "parse_error",
        "parsed",
        "raw",
        "warnings",
    )

    parsed: ParsedT | None
    """With a `response_format`: the parsed answer. None if it does not match, or without a format."""
    parse_error: str | None
    """Why `parsed` is None, such as `The task is completed, and the answer holds no JSON object.`."""
    headers: Mapping[str, str]
    """The redacted headers of the HTTP response, without regard to case. For a stream, those of its start."""
    _seconds: float
    _is_repeated: bool
    """Whether the agent knew the task before."""
    new_artifacts: list[Artifact] | None
    """After a reply: the `artifacts` that arrived since. None if the earlier ones are unknown."""
    raw: Any
    """The unchanged JSON-RPC answer, or None. See `warnings`."""
    warnings: list[str]
    """The members that could not be read, such as `status.timestamp: an object`. Usually empty."""

    def __new__(cls, *_: Any, **__: Any) -> Self:
        """Make a response, without an answer that it came in."""
        if "yaml" in sys.modules:
            register_with_yaml()
        response = super().__new__(cls)
        response.parsed, response.parse_error, response.headers, response._seconds = None, None, {}, 0.0
        response.new_artifacts, response.raw, response.warnings, response._is_repeated = None, None, [], False
        return response

    status = Key[Status]()
    """The status of the ask: 'completed', 'failed' (canceled and rejected too) or 'in_progress' (waiting for somebody too)."""
    is_final = Key[bool]()
    """Whether the task has ended and will not change any more."""
    status_message = Key[str | None]()
    """The agent's message about the state, such as 'Processing completed successfully'."""
    timestamp = Key[str | None]()
    """When the task reached its state, exactly as the agent wrote it. Nine fractional digits are usual [D]."""
    artifacts = Key[list[Artifact]]()
    """The artifacts of the agent, in order."""
    error = Key[dict[str, Any] | None]()
    """Why the task failed, was canceled or rejected (`state`, `message`); None otherwise."""
    task_id = Key[str]()
    """The id of the task (`tsk-…`)."""
    request_id = Key[str]()
    """The id of the JSON-RPC request (`req-…`)."""
    session_id = Key[str | None]()
    """The id of the session (`ses-…`)."""
    idempotency_key = Key[str | None]()
    """The key that the caller gave the ask; None otherwise."""
    metadata = Key[dict[str, Any]]()
    """The agent's metadata of the task, such as `agentId` and `orgId`."""

    @property
    def elapsed(self) -> dt.timedelta:
        """The duration of the call, including retries and waits."""
        return dt.timedelta(seconds=self._seconds)

    @elapsed.setter
    def elapsed(self, duration: dt.timedelta) -> None:
        self._seconds = duration.total_seconds()

    @property
    def state(self) -> TaskState | str:
        """The agent's own state of the task; an unlisted one is the string that the agent sent."""
        state: str = self["state"]
        return STATES.get(state, state)

    @property
    def requires_input(self) -> bool:
        """Whether the task waits for an answer in words, such as for an approval: use `client.reply`, or `wait`.

        False for `auth-required`: that task waits for a person to act elsewhere, and only `wait` helps.
        """
        return get_phase(self["state"]) is Phase.AWAITS_REPLY

    @property
    def text(self) -> str:
        """The answer in markdown: the content of its artifacts, or the agent's message about the state.

        After a reply, it is the newest answer alone; `artifacts` may have the earlier ones, too.
        """
        shown = self.artifacts if self.new_artifacts is None else self.new_artifacts
        contents = [artifact.content for artifact in shown if artifact.content]
        return "\n\n".join(contents) or self.status_message or ""

    @property
    def datetime(self) -> dt.datetime | None:
        """The timestamp as a datetime, to the microsecond, naive without a zone; None if it is missing or unreadable."""
        from dateutil import parser

        try:
            return parser.isoparse(self.timestamp) if self.timestamp else None
        except (ValueError, OverflowError):
            return None

    def __str__(self) -> str:
        return f"[{self['state']}] {self.text}"

    def _repr_markdown_(self) -> str:
        from payman_sdk._text.sanitizer import render_answer

        return render_answer(self["status"], self["state"], self.text, self.task_id, self.is_final)


ParsedResponse = FormattedTaskResponse
"""The answer to an ask with a `response_format`: `ParsedResponse[Invoice]`."""
