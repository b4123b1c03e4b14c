"""What one turn of the agent makes of a task: artifacts and the new state."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """The states that a task can be in, as A2A spells them; `auth-required` and `rejected` come from later versions."""

    SUBMITTED = "submitted"
    WORKING = "working"
    INPUT_REQUIRED = "input-required"
    AUTH_REQUIRED = "auth-required"
    COMPLETED = "completed"
    CANCELED = "canceled"
    FAILED = "failed"
    REJECTED = "rejected"
    UNKNOWN = "unknown"

    @property
    def has_ended(self) -> bool:
        match self:
            case State.COMPLETED | State.CANCELED | State.FAILED | State.REJECTED:
                return True
            case State.SUBMITTED | State.WORKING | State.INPUT_REQUIRED | State.AUTH_REQUIRED | State.UNKNOWN:
                return False


EXPLANATIONS = {
    State.SUBMITTED: "Submitted",
    State.WORKING: "Processing",
    State.INPUT_REQUIRED: "Waiting for input",
    State.AUTH_REQUIRED: "Waiting for a person to sign in",
    State.COMPLETED: "Processing completed successfully",  # [D]
    State.CANCELED: "Canceled",
    State.FAILED: "Processing failed",
    State.REJECTED: "Rejected by the agent",
    State.UNKNOWN: "Nothing is known of the task",
}
"""The states in words, where nothing better is said."""


@dataclass(frozen=True)
class TaskArtifact:
    """An artifact of the agent; its parts are as sent, and `opens` marks the first one of a turn."""

    parts: tuple[Mapping[str, Any], ...]
    name: str | None = "response"  # [D]
    description: str | None = "AI Assistant Response"  # [D]
    metadata: Mapping[str, Any] | None = None
    opens: bool = True

    @classmethod
    def from_text(cls, text: str) -> TaskArtifact:
        return cls(({"type": "text", "text": text},))

    @property
    def text(self) -> str:
        return "\n".join(part["text"] for part in self.parts if part["type"] == "text")

    @property
    def is_text(self) -> bool:
        """Whether it is one text and nothing else, so that it can be sent piece by piece."""
        return len(self.parts) == 1 and self.parts[0]["type"] == "text"

    def with_text(self, text: str) -> TaskArtifact:
        return replace(self, parts=({**self.parts[0], "text": text},))

    def to_json(self) -> str:
        kept = {name: getattr(self, name) for name in ("parts", "name", "description", "metadata", "opens")}
        return json.dumps(kept)

    @classmethod
    def from_json(cls, kept: str) -> TaskArtifact:
        members: dict[str, Any] = json.loads(kept)
        members["parts"] = tuple(members["parts"])
        return cls(**members)


@dataclass(frozen=True)
class Turn:
    """The result of one message or decision: artifacts, the new state and its words, and perhaps metadata."""

    artifacts: tuple[TaskArtifact, ...]
    state: State
    explanation: str
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @classmethod
    def from_text(cls, text: str, state: State, explanation: str | None = None) -> Turn:
        return cls(
            (TaskArtifact.from_text(text),),
            state,
            EXPLANATIONS[state] if explanation is None else explanation,
        )

    @property
    def text(self) -> str:
        return "\n\n".join(artifact.text for artifact in self.artifacts if artifact.text)
