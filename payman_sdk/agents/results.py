"""What an operation gives to a model: a short, plain text and a few facts, the same every time for the same operation."""

from __future__ import annotations

from typing import Literal, TypeAlias

from attrs import asdict, evolve, frozen

OperationStatus: TypeAlias = Literal[
    "completed",
    "input-required",
    "working",
    "failed",
    "refused",
    "not-sent",
    "unknown",
    "not-found",
    "invalid",
]
"""How an operation stands.

`completed`: the agent has answered, which may be that it will not pay. `input-required`: it waits for an approval or an answer.
`working`: Payman is at work on it. `failed`: it ended without success. `refused`: it was not allowed, and nothing was sent.
`not-sent`: Payman took nothing, and the same operation may be tried again. `unknown`: it may have been carried out; never another
try under another name. `not-found`: nothing is known under that name. `invalid`: the arguments are unusable.
"""

_LONGEST = 4000
"""Characters of an agent's answer that a model is shown."""


@frozen
class OperationResult:
    """What became of an operation, as a model is told it.

    Attributes:
        text: What the model reads.
        status: How the operation stands, see `OperationStatus`.
        operation: Its name, None for an `ask`.
        task_id: The id of its task (`tsk-…`), None where there is none.

    Example:
        >>> from payman_sdk.agents import PaymanToolkit
        >>> from payman_sdk.sandbox import Sandbox
        >>> with Sandbox() as sandbox, sandbox.client() as client:
        ...     result = PaymanToolkit(client).pay("send 10 TSD to Test Payee", "invoice-42")
        ...     print(result.status, result.is_error, result.operation)
        completed False invoice-42
    """

    text: str
    status: OperationStatus
    operation: str | None = None
    task_id: str | None = None

    @property
    def is_error(self) -> bool:
        """Whether the call came to nothing. An unknown outcome is no error: frameworks repeat what failed."""
        return self.status in {"failed", "refused", "not-sent", "not-found", "invalid"}

    def as_dict(self) -> dict[str, str | None]:
        """The same as a dict that JSON can hold: `text`, `status`, `operation`, `task_id`."""
        return asdict(self)

    def noting(self, note: str) -> OperationResult:
        """The same with a remark behind it."""
        return evolve(self, text=f"{self.text}\n\n{note}")

    def __str__(self) -> str:
        return self.text


def shown(answer: str) -> str:
    """An agent's answer, cut where it is very long."""
    answer = answer.strip()
    return answer if len(answer) <= _LONGEST else f"{answer[:_LONGEST].rstrip()}…"
