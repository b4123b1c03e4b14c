"""Scripted answers and failures of the sandbox.

A message uses the next entry of the script when the agent would answer it. A refused request, and a repeated send, use none.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

from payman_sdk.sandbox._agent.turn import EXPLANATIONS, State, TaskArtifact, Turn
from payman_sdk.sandbox._server.stream_faults import EntryQueue, StreamFault


@dataclass(frozen=True)
class ScriptedResponse:
    """An answer of the agent: the task's new artifacts and its state. No money moves.

    Attributes:
        text: The text of the answer in markdown, or None.
        state: `completed`, `input-required`, `auth-required`, `failed`, `canceled`, `rejected`, `working` (a task that never
            ends), `submitted` or `unknown`.
        artifacts: More artifacts. Each is a text, one part, or an artifact with `parts` and optionally `name`, `description` and
            `metadata`, as in A2A.
        status_message: The state in words.
        metadata: More metadata of the task.

    Raises:
        ValueError: An attribute is invalid; the message names it.

    Example:
        >>> from payman_sdk.sandbox import ScriptedResponse, Sandbox
        >>> with Sandbox() as sandbox, sandbox.client() as client:
        ...     sandbox.script([ScriptedResponse("Which John?", state="input-required"), "Sent 5 TSD to John Doe."])
        ...     question = client.ask("send 5 TSD to John")
        ...     print(question.requires_input, client.reply(question, "John Doe").artifacts[-1]["content"])
        True Sent 5 TSD to John Doe.
    """

    text: str | None = None
    state: str = "completed"
    artifacts: Sequence[str | Mapping[str, Any]] = ()
    status_message: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def __post_init__(self) -> None:
        if self.text is not None and not isinstance(self.text, str):
            raise ValueError(f"ScriptedResponse.text must be a string or None, not {self.text!r}")
        if isinstance(self.artifacts, str | Mapping) or not isinstance(self.artifacts, Sequence):
            raise ValueError("ScriptedResponse.artifacts must be a list")
        if self.status_message is not None and not isinstance(self.status_message, str):
            raise ValueError(
                f"ScriptedResponse.status_message must be a string or None, not {self.status_message!r}"
            )
        _check_json("ScriptedResponse.metadata", self.metadata)
        for artifact in self.to_turn().artifacts:
            _check_json("ScriptedResponse", {"text": artifact.text})

    def to_turn(self) -> Turn:
        """Return what it makes of the task."""
        state = _parse_state(self.state)
        said = [] if self.text is None else [TaskArtifact.from_text(self.text)]
        more = [
            _parse_artifact(f"ScriptedResponse.artifacts[{place}]", given)
            for place, given in enumerate(self.artifacts)
        ]
        explanation = EXPLANATIONS[state] if self.status_message is None else self.status_message
        return Turn((*said, *more), state, explanation, self.metadata)


@dataclass(frozen=True)
class RPCError:
    """A JSON-RPC error instead of an answer. Nothing is done, and no task is created.

    Attributes:
        code: The error code, such as -32603.
        message: The message.
        data: The data of the error.

    Raises:
        ValueError: An attribute is invalid; the message names it.
    """

    code: int
    message: str = "scripted error"
    data: Any = None

    def __post_init__(self) -> None:
        if not isinstance(self.code, int) or isinstance(self.code, bool):
            raise ValueError(f"RPCError.code must be a whole number, not {self.code!r}")
        if not isinstance(self.message, str):
            raise ValueError(f"RPCError.message must be a string, not {self.message!r}")
        _check_json("RPCError.data", {"data": self.data})


@dataclass(frozen=True)
class HTTPError:
    """An answer with an HTTP error status.

    Attributes:
        status: The status, 400 to 599.
        taken: Whether the agent still carries the message out, unseen by the caller. Otherwise nothing is done, and no task is
            created.
        answer: The agent's hidden answer; None for its normal answer.
        body: A text, or JSON data; None for the sandbox's usual body.
        headers: More headers, such as `{"Retry-After": "2"}`.

    Raises:
        ValueError: An attribute is invalid; the message names it.
    """

    status: int
    taken: bool = False
    answer: str | ScriptedResponse | None = None
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        if not isinstance(self.status, int) or isinstance(self.status, bool) or not 400 <= self.status <= 599:
            raise ValueError(f"HTTPError.status must be from 400 to 599, not {self.status!r}")
        _check_json("HTTPError.body", {"body": self.body})
        for name, value in dict(self.headers).items():
            if not isinstance(value, str) or not (name + value).isascii() or not (name + value).isprintable():
                raise ValueError(f"HTTPError.headers[{name!r}] must be a string that a header can carry")
        _check_answer("HTTPError", self.answer, taken=self.taken)


@dataclass(frozen=True)
class ConnectionLost:
    """A lost answer: the connection breaks, or stays silent.

    Attributes:
        answer: The agent's lost answer; None for its normal answer.
        taken: False if the request was lost, not the answer: nothing is done, and no task is created.
        silent: Whether the connection stays open until the client disconnects, instead of closing.

    Raises:
        ValueError: There is an answer, but `taken` is False.
    """

    answer: str | ScriptedResponse | None = None
    taken: bool = True
    silent: bool = False

    def __post_init__(self) -> None:
        _check_answer("ConnectionLost", self.answer, taken=self.taken)


Mishap: TypeAlias = HTTPError | ConnectionLost | StreamFault
"""What goes wrong with an answer while the task is as it is."""

Entry: TypeAlias = str | ScriptedResponse | RPCError | HTTPError | ConnectionLost | StreamFault | None
"""What a script may hold: a text or an answer; what goes wrong; None for the agent's own answer."""


class NotTakenError(Exception):
    """Raised if the script says that a message is not taken; `failure` is what the client sees."""

    def __init__(self, failure: RPCError | HTTPError | ConnectionLost) -> None:
        super().__init__(failure)
        self.failure = failure


@dataclass(frozen=True)
class PlannedOutcome:
    """The planned outcome of one message: its answer (None for the agent's own), and what goes wrong with it."""

    turn: Turn | None = None
    mishap: Mishap | None = None


class Script(EntryQueue[Entry]):
    """The answers that come next, in order."""

    def add(self, entries: Iterable[Entry]) -> None:
        """Put entries at the end. After TypeError, which names the place of an invalid entry, none is added."""
        if isinstance(entries, str | Mapping):
            raise TypeError("a script is a list of answers; for one answer write script([answer])")
        several = list(entries)
        for place, entry in enumerate(several):
            if entry is not None and not isinstance(entry, _ENTRIES):
                known = ", ".join(kind.__name__ for kind in _ENTRIES)
                raise TypeError(f"script[{place}] must be one of {known} or None, not {entry!r}")
        self._entries.extend(several)

    def take(self) -> PlannedOutcome:
        """Return the planned outcome of the next message; raises NotTakenError."""
        match entry := self._pop():
            case None | str() | ScriptedResponse():
                return PlannedOutcome(_make_turn(entry))
            case StreamFault():
                return PlannedOutcome(mishap=entry)
            case HTTPError(taken=True, answer=answer) | ConnectionLost(taken=True, answer=answer):
                return PlannedOutcome(_make_turn(answer), entry)
            case RPCError() | HTTPError() | ConnectionLost():
                raise NotTakenError(entry)


_ENTRIES = (str, ScriptedResponse, RPCError, HTTPError, ConnectionLost, StreamFault)


def _make_turn(answer: str | ScriptedResponse | None) -> Turn | None:
    if answer is None:
        return None
    return (ScriptedResponse(answer) if isinstance(answer, str) else answer).to_turn()


def _check_answer(owner: str, answer: object, *, taken: bool) -> None:
    if answer is not None and not isinstance(answer, str | ScriptedResponse):
        raise ValueError(f"{owner}.answer must be a string, a ScriptedResponse or None, not {answer!r}")
    if answer is not None and not taken:
        raise ValueError(f"{owner}: what was not taken (taken=False) has no answer")


def _parse_state(given: object) -> State:
    spelled = given.lower().replace("_", "-") if isinstance(given, str) else given
    if spelled not in list(State):
        known = ", ".join(state.value for state in State)
        raise ValueError(f"ScriptedResponse.state must be one of {known}, not {given!r}")
    return State(cast("str", spelled))


_PARTS: dict[object, tuple[str, type]] = {
    "text": ("text", str),
    "file": ("file", Mapping),
    "data": ("data", Mapping),
}


def _parse_artifact(where: str, given: object) -> TaskArtifact:
    """Return an artifact: a text, one part, or one with `parts`."""
    if isinstance(given, str):
        return TaskArtifact.from_text(given)
    if not isinstance(given, Mapping):
        raise ValueError(f"{where} must be a text, a part or an artifact, not {given!r}")
    said = cast("Mapping[str, Any]", given)
    _check_json(where, said)
    members: Mapping[str, Any] = said if "parts" in said else {"parts": [said]}
    unknown = sorted(set(members) - {"name", "description", "parts", "metadata"})
    if unknown:
        raise ValueError(
            f"{where} has a member {unknown[0]!r}; it may have name, description, parts and metadata"
        )
    given_parts = members["parts"]
    if isinstance(given_parts, str | Mapping) or not isinstance(given_parts, Sequence) or not given_parts:
        raise ValueError(f"{where}.parts must be a list of at least one part")
    parts = tuple(cast("Sequence[Mapping[str, Any]]", given_parts))
    for place, part in enumerate(parts):
        _check_part(f"{where}.parts[{place}]" if "parts" in said else where, part)
    named = {name: members[name] for name in ("name", "description", "metadata") if name in members}
    return TaskArtifact(parts, **named)


def _check_part(where: str, part: object) -> None:
    if not isinstance(part, Mapping):
        raise ValueError(f"{where} must be a part: a mapping with type text, file or data")
    members = cast("Mapping[str, object]", part)
    if members.get("type") not in _PARTS:
        raise ValueError(f'{where}.type must be "text", "file" or "data", not {members.get("type")!r}')
    name, kind = _PARTS[members["type"]]
    if not isinstance(members.get(name), kind):
        raise ValueError(f"{where}.{name} must be {'a string' if kind is str else 'a mapping'}")


def _check_json(where: str, value: object) -> None:
    if not isinstance(value, Mapping):
        raise ValueError(f"{where} must be a mapping, not {value!r}")
    try:
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{where} must be what JSON can hold: {error}") from None
