"""The faults that can be switched on, and those that are, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from payman_sdk.sandbox._server.stream_faults import StreamFault
from payman_sdk.sandbox.scripting import Answer, Entry, HTTPFailure, Lost, RPCFailure

_SOON = {"Retry-After": "1"}


@dataclass(frozen=True)
class Choice:
    """A fault that can be chosen: what goes wrong, and what it shows of a client."""

    label: str
    hint: str
    fault: HTTPFailure | RPCFailure | Lost | StreamFault


CHOICES: Mapping[str, Choice] = {
    "unavailable": Choice(
        "503, not taken", "Says to try again in a second. Nothing is done.", HTTPFailure(503, headers=_SOON)
    ),
    "rate-limit": Choice(
        "429, rate limit", "Says to try again in a second. Nothing is done.", HTTPFailure(429, headers=_SOON)
    ),
    "error": Choice("500, not taken", "Nothing is done, but the client cannot know.", HTTPFailure(500)),
    "error-taken": Choice(
        "500, carried out", "Everything is done, but the answer is an error.", HTTPFailure(500, taken=True)
    ),
    "unauthorized": Choice("401, not taken", "As if the token had ended.", HTTPFailure(401)),
    "rpc": Choice("JSON-RPC error -32603", "An internal error; nothing is done.", RPCFailure(-32603)),
    "lost": Choice("Answer lost", "Everything is done, then the connection breaks.", Lost()),
    "request-lost": Choice("Request lost", "The connection breaks; nothing is done.", Lost(taken=False)),
    "silence": Choice("Silence", "Everything is done, and no answer comes.", Lost(silent=True)),
    "stream-breaks": Choice(
        "Stream breaks after 2 events", "The connection drops between events.", StreamFault(after_events=2)
    ),
    "stream-cut": Choice(
        "Stream breaks within an event", "The connection drops after 100 bytes.", StreamFault(after_bytes=100)
    ),
    "stream-comments": Choice(
        "Stream of comments", "Only signs of life come, without end.", StreamFault(keep_alives=True)
    ),
    "stream-json": Choice(
        "No stream, but JSON", "The whole answer comes at once.", StreamFault(as_json=True)
    ),
    "stream-502": Choice("502 in place of a stream", "The task is carried out.", StreamFault(status=502)),
}
"""What the page offers; the ones that begin with `stream` are for the next stream."""


def queued(entries: Sequence[Entry]) -> list[str]:
    """What comes next, the next one first."""
    return [in_words(entry) for entry in entries]


def in_words(entry: Entry) -> str:
    """One entry of a script or of the faults of streams."""
    for choice in CHOICES.values():
        if choice.fault == entry:
            return choice.label
    match entry:
        case None:
            return "Nothing wrong"
        case str(text):
            return f"Says: {text}"
        case Answer(text=text, state=state):
            return f"Says: {text or 'nothing'} ({state})"
        case HTTPFailure(status, taken=taken):
            return f"{status}, {'carried out' if taken else 'not taken'}"
        case RPCFailure(code):
            return f"JSON-RPC error {code}"
        case Lost():
            return "Answer lost"
        case StreamFault():
            said = {field.name: getattr(entry, field.name) for field in fields(entry)}
            return ", ".join(
                f"stream {name.replace('_', ' ')}: {value}" for name, value in said.items() if value
            )
