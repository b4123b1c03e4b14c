"""The shapes on the wire: JSON-RPC 2.0 answers, and tasks and events of A2A 0.1, spelled as Payman's live server does."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from payman_sdk.sandbox._agent.event_schedule import Chunk, Event, Status
from payman_sdk.sandbox._agent.tasks import Message, Task
from payman_sdk.sandbox._agent.turn import State, TaskArtifact
from payman_sdk.sandbox._ledger.accounts import Account

Json = dict[str, object]


@dataclass(frozen=True)
class Style:
    """How the server spells things.

    Attributes:
        uppercase_states: `INPUT_REQUIRED`, as the live server was seen to do [D]; else `input-required`, as A2A does.
        nanosecond_timestamps: nine fractional digits [D]; else milliseconds.
    """

    uppercase_states: bool = True
    nanosecond_timestamps: bool = True

    def format_state(self, state: State) -> str:
        """Return a state, spelled."""
        return state.value.upper().replace("-", "_") if self.uppercase_states else state.value

    def format_timestamp(self, moment: int) -> str:
        """Return a time in nanoseconds since 1970, spelled."""
        seconds, fraction = divmod(moment, 1_000_000_000)
        whole = f"{dt.datetime.fromtimestamp(seconds, dt.UTC):%Y-%m-%dT%H:%M:%S}"
        return (
            f"{whole}.{fraction:09d}Z"
            if self.nanosecond_timestamps
            else f"{whole}.{fraction // 1_000_000:03d}Z"
        )


def make_result(request_id: object, content: object) -> Json:
    """Return the JSON-RPC answer that carries a result."""
    return {"jsonrpc": "2.0", "id": request_id, "result": content, "error": None}


def make_error(request_id: object, code: int, message: str, data: object = None) -> Json:
    """Return the JSON-RPC answer that carries an error."""
    fault: Json = {"code": code, "message": message}
    if data is not None:
        fault["data"] = data
    return {"jsonrpc": "2.0", "id": request_id, "result": None, "error": fault}


def serialize_task(style: Style, account: Account, one: Task, history_length: int = 0) -> Json:
    """Return a task, with as many of its newest messages as are asked for."""
    shape: Json = {
        "id": one.id,
        "sessionId": one.session_id,
        "status": _serialize_status(style, one.state, one.explanation, one.updated),
        "artifacts": [
            _serialize_artifact(position, artifact) for position, artifact in enumerate(one.artifacts)
        ],
        "metadata": _serialize_metadata(style, account, one),
    }
    if history_length:
        shape["history"] = [_serialize_message(message) for message in one.history[-history_length:]]
    return shape


def serialize_event(style: Style, account: Account, one: Task, event: Event) -> Json:
    """One event of a task's stream."""
    shape: Json = {"id": one.id}
    match event.content:
        case Status(state, explanation, final):
            shape |= {"status": _serialize_status(style, state, explanation, one.updated), "final": final}
        case Chunk(position, piece, append, last):
            shape["artifact"] = _serialize_artifact(position, piece) | {"append": append, "lastChunk": last}
    return shape | {"metadata": _serialize_metadata(style, account, one)}


def _serialize_status(style: Style, state: State, explanation: str, moment: int) -> Json:
    return {
        "state": style.format_state(state),
        "message": _serialize_message(Message("agent", explanation)),
        "timestamp": style.format_timestamp(moment),
    }


def _serialize_message(message: Message) -> Json:
    return {"role": message.role, "parts": [{"type": "text", "text": message.text}]}


def _serialize_artifact(position: int, artifact: TaskArtifact) -> Json:
    said = {"name": artifact.name, "description": artifact.description, "metadata": artifact.metadata}
    return {
        **{name: value for name, value in said.items() if value is not None},
        "parts": [dict(part) for part in artifact.parts],
        "index": position,
    }


def _serialize_metadata(style: Style, account: Account, one: Task) -> Json:
    return {
        "timestamp": style.format_timestamp(one.updated),
        "agentId": account.agent_id,
        "orgId": account.id,
        **one.metadata,
    }  # [D]
