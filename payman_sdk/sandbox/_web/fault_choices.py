"""The faults that can be switched on, and those that are, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from payman_sdk.sandbox._server.stream_faults import StreamFault
from payman_sdk.sandbox.scripting import ConnectionLost, Entry, HTTPError, RPCError, ScriptedResponse

_SOON = {"Retry-After": "1"}


@dataclass(frozen=True)
class FaultChoice:
    """A fault that can be chosen: what goes wrong, and what it shows of a client."""

    label: str
    hint: str
    fault: HTTPError | RPCError | ConnectionLost | StreamFault


CHOICES: Mapping[str, FaultChoice] = {
    "unavailable": FaultChoice(
        "503, not taken", "Says to try again in a second. Nothing is done.", HTTPError(503, headers=_SOON)
    ),
    "rate-limit": FaultChoice(
        "429, rate limit", "Says to try again in a second. Nothing is done.", HTTPError(429, headers=_SOON)
    ),
    "error": FaultChoice("500, not taken", "Nothing is done, but the client cannot know.", HTTPError(500)),
    "error-taken": FaultChoice(
        "500, carried out", "Everything is done, but the answer is an error.", HTTPError(500, taken=True)
    ),
    "unauthorized": FaultChoice("401, not taken", "As if the token had ended.", HTTPError(401)),
    "rpc": FaultChoice("JSON-RPC error -32603", "An internal error; nothing is done.", RPCError(-32603)),
    "lost": FaultChoice("Answer lost", "Everything is done, then the connection breaks.", ConnectionLost()),
    "request-lost": FaultChoice(
        "Request lost", "The connection breaks; nothing is done.", ConnectionLost(taken=False)
    ),
    "silence": FaultChoice(
        "Silence", "Everything is done, and no answer comes.", ConnectionLost(silent=True)
    ),
    "stream-breaks": FaultChoice(
        "Stream breaks after 2 events", "The connection drops between events.", StreamFault(after_events=2)
    ),
    "stream-cut": FaultChoice(
        "Stream breaks within an event", "The connection drops after 100 bytes.", StreamFault(after_bytes=100)
    ),
    "stream-comments": FaultChoice(
        "Stream of comments", "Only signs of life come, without end.", StreamFault(keep_alives=True)
    ),
    "stream-json": FaultChoice(
        "No stream, but JSON", "The whole answer comes at once.", StreamFault(as_json=True)
    ),
    "stream-502": FaultChoice(
        "502 in place of a stream", "The task is carried out.", StreamFault(status=502)
    ),
}
"""What the page offers; the ones that begin with `stream` are for the next stream."""


def list_queued(entries: Sequence[Entry]) -> list[str]:
    """Return what comes next, the next one first."""
    return [describe_entry(entry) for entry in entries]


def describe_entry(entry: Entry) -> str:
    """One entry of a script or of the faults of streams."""
    for choice in CHOICES.values():
        if choice.fault == entry:
            return choice.label
    match entry:
        case None:
            return "Nothing wrong"
        case str(text):
            return f"Says: {text}"
        case ScriptedResponse(text=text, state=state):
            return f"Says: {text or 'nothing'} ({state})"
        case HTTPError(status, taken=taken):
            return f"{status}, {'carried out' if taken else 'not taken'}"
        case RPCError(code):
            return f"JSON-RPC error {code}"
        case ConnectionLost():
            return "Answer lost"
        case StreamFault():
            said = {field.name: getattr(entry, field.name) for field in fields(entry)}
            return ", ".join(
                f"stream {name.replace('_', ' ')}: {value}" for name, value in said.items() if value
            )
