"""The life of a task: made by a send, continued while it waits for input, ended once, and never made twice.

A task's id belongs to its account. The first send with an id makes the task; a later one with the same id gets the
task as it is by then, and nothing is done again. The one exception: a task that waits for input takes a text that it
has not seen yet as the answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from payman_sdk.sandbox import agent, approvals, payments
from payman_sdk.sandbox.accounts import Account
from payman_sdk.sandbox.scopes import Scopes
from payman_sdk.sandbox.store import Transaction
from payman_sdk.sandbox.world import World


class State(StrEnum):
    """The states that a task of the sandbox can be in, as A2A 0.1 spells them."""

    WORKING = "working"
    INPUT_REQUIRED = "input-required"
    COMPLETED = "completed"
    CANCELED = "canceled"


@dataclass(frozen=True)
class Message:
    """One message of a task: the role is `user` or `agent`."""

    role: str
    text: str


@dataclass(frozen=True)
class Task:
    """A task as it stands.

    Attributes:
        id: made by the client.
        session_id: the session it belongs to.
        state: where it is in its life.
        explanation: the status in words.
        updated: when the status changed, in nanoseconds since 1970.
        artifacts: the answers, in markdown; a task that was continued has several.
        history: everything that was said in it, oldest first.
    """

    id: str
    session_id: str
    state: State
    explanation: str
    updated: int
    artifacts: tuple[str, ...]
    history: tuple[Message, ...]


class UnknownTaskError(LookupError):
    """The account has no task with that id."""


class EndedTaskError(ValueError):
    """The task has ended, so that there is nothing to cancel, approve or deny."""


_EXPLANATIONS = {
    State.INPUT_REQUIRED: "Waiting for approval",
    State.COMPLETED: "Processing completed successfully",  # [D]
    State.CANCELED: "Canceled by the client",
}


def find(tx: Transaction, account: Account, task_id: str) -> Task:
    """The account's task with that id.

    Raises:
        UnknownTaskError: if the account has none; whether another account has one does not show.
    """
    row = tx.execute("SELECT * FROM tasks WHERE account_id = ? AND id = ?", (account.id, task_id)).fetchone()
    if row is None:
        raise UnknownTaskError(task_id)
    artifacts = tx.execute(
        "SELECT text FROM artifacts WHERE task_number = ? ORDER BY position", (row["number"],)
    ).fetchall()
    history = tx.execute(
        "SELECT role, text FROM messages WHERE task_number = ? ORDER BY number", (row["number"],)
    ).fetchall()
    return Task(
        id=row["id"],
        session_id=row["session_id"],
        state=State(row["state"]),
        explanation=row["explanation"],
        updated=row["updated"],
        artifacts=tuple(artifact["text"] for artifact in artifacts),
        history=tuple(Message(message["role"], message["text"]) for message in history),
    )


def send(
    tx: Transaction,
    world: World,
    account: Account,
    scopes: Scopes,
    *,
    task_id: str,
    session_id: str | None,
    text: str,
) -> Task:
    """Take a message: make its task, continue the one that waits for it, or give back the one that is known.

    Args:
        tx: the transaction it all happens in.
        world: the clock and the source of ids.
        account: whose task it is.
        scopes: what the sender may do with it.
        task_id: made by the client.
        session_id: the session; None makes a new one.
        text: what the message says.
    """
    try:
        known = find(tx, account, task_id)
    except UnknownTaskError:
        session_id = session_id or world.new_id("ses")
        tx.execute(
            "INSERT INTO tasks (account_id, id, session_id, state, explanation, updated) VALUES (?, ?, ?, ?, '', ?)",
            (account.id, task_id, session_id, State.WORKING, world.now()),
        )
    else:
        seen = any(message.role == "user" and message.text == text for message in known.history)
        if known.state is not State.INPUT_REQUIRED or seen:
            return known
        session_id = known.session_id
    number = _number(tx, account, task_id)
    waiting = payments.of_task(tx, account, task_id)
    context = agent.Context(tx, world, account, scopes, number, session_id, waiting)
    answer = agent.answer(context, text)
    _say(tx, number, "user", text)
    _record(
        tx, world, account, task_id, answer.text, State.INPUT_REQUIRED if answer.waits else State.COMPLETED
    )
    if answer.settlement is not None and answer.settlement.task_id != task_id:
        _record(tx, world, account, answer.settlement.task_id, answer.settlement.text, State.COMPLETED)
    return find(tx, account, task_id)


def settle(tx: Transaction, world: World, account: Account, task_id: str, *, approve: bool) -> Task:
    """Approve or deny the payment that a task waits for; the task ends with it.

    Raises:
        UnknownTaskError: if the account has no such task.
        EndedTaskError: if the task waits for nothing.
    """
    if find(tx, account, task_id).state is not State.INPUT_REQUIRED:
        raise EndedTaskError(f"task {task_id} does not wait for approval")
    payment = payments.of_task(tx, account, task_id)
    assert payment is not None  # noqa: S101 (a task waits for nothing but its payment)
    settlement = approvals.settle(tx, world, account, payment, approve=approve)
    _record(tx, world, account, task_id, settlement.text, State.COMPLETED)
    return find(tx, account, task_id)


def cancel(tx: Transaction, world: World, account: Account, task_id: str) -> Task:
    """Cancel a task that has not ended, and reject the payment that it waits for.

    Raises:
        UnknownTaskError: if the account has no such task.
        EndedTaskError: if it has ended.
    """
    if find(tx, account, task_id).state in (State.COMPLETED, State.CANCELED):
        raise EndedTaskError(f"task {task_id} has ended")
    payment = payments.of_task(tx, account, task_id)
    if payment is not None:
        payments.reject(tx, account, payment)
    _record(tx, world, account, task_id, "Canceled. No payment was made.", State.CANCELED)
    return find(tx, account, task_id)


def _number(tx: Transaction, account: Account, task_id: str) -> int:
    query = "SELECT number FROM tasks WHERE account_id = ? AND id = ?"
    number: int = tx.execute(query, (account.id, task_id)).fetchone()["number"]
    return number


def _say(tx: Transaction, number: int, role: str, text: str) -> None:
    tx.execute("INSERT INTO messages (task_number, role, text) VALUES (?, ?, ?)", (number, role, text))


def _record(tx: Transaction, world: World, account: Account, task_id: str, text: str, state: State) -> None:
    """Add an answer to a task: to its history, as one more artifact, and as its state."""
    number = _number(tx, account, task_id)
    _say(tx, number, "agent", text)
    tx.execute(
        "INSERT INTO artifacts SELECT :number, COUNT(*), :text FROM artifacts WHERE task_number = :number",
        {"number": number, "text": text},
    )
    tx.execute(
        "UPDATE tasks SET state = ?, explanation = ?, updated = ? WHERE number = ?",
        (state, _EXPLANATIONS[state], world.now(), number),
    )
