"""The life of a task: created by a send, continued while it waits for input, ended once, and never created twice.

A task's id belongs to its account. The first send with an id creates the task. A later send returns its state and does nothing,
with one exception: if the task waits for input, a new text is the answer.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from payman_sdk.sandbox._agent import agent, json_answers, typed_orders
from payman_sdk.sandbox._agent.turn import EXPLANATIONS, State, TaskArtifact, Turn
from payman_sdk.sandbox._ledger import payment_orders, payments
from payman_sdk.sandbox._ledger.accounts import Account
from payman_sdk.sandbox._ledger.environment import SandboxEnvironment
from payman_sdk.sandbox._ledger.payments import SandboxPayment
from payman_sdk.sandbox._ledger.store import Transaction
from payman_sdk.sandbox._oauth.grants import Scopes
from payman_sdk.sandbox.scripting import Mishap, Script


@dataclass(frozen=True)
class Message:
    """One message of a task: the role is `user` or `agent`."""

    role: str
    text: str


@dataclass(frozen=True)
class Task:
    """A task and its state, with its answers and all messages, oldest first; `updated` is in nanoseconds since 1970."""

    id: str
    session_id: str
    state: State
    explanation: str
    updated: int
    artifacts: tuple[TaskArtifact, ...]
    history: tuple[Message, ...]
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class SendResult:
    """What became of a send: the task, and the fault of its answer."""

    task: Task
    mishap: Mishap | None = None


class UnknownTaskError(LookupError):
    """The account has no task with that id."""


class EndedTaskError(ValueError):
    """The task has ended, so that there is nothing to cancel, approve or deny."""


def find(tx: Transaction, account: Account, task_id: str) -> Task:
    """Return the account's task with that id; raises UnknownTaskError."""
    row = tx.execute("SELECT * FROM tasks WHERE account_id = ? AND id = ?", (account.id, task_id)).fetchone()
    if row is None:
        raise UnknownTaskError(task_id)
    artifacts = tx.execute(
        "SELECT content FROM artifacts WHERE task_number = ? ORDER BY position", (row["number"],)
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
        artifacts=tuple(TaskArtifact.from_json(artifact["content"]) for artifact in artifacts),
        history=tuple(Message(message["role"], message["text"]) for message in history),
        metadata=json.loads(row["metadata"]),
    )


def list_newest(tx: Transaction, account: Account, count: int, after: int = 0) -> list[tuple[int, Task]]:
    query = "SELECT number, id FROM tasks WHERE account_id = ? ORDER BY number DESC LIMIT ? OFFSET ?"
    rows = tx.execute(query, (account.id, count, after)).fetchall()
    return [(row["number"], find(tx, account, row["id"])) for row in rows]


def count(tx: Transaction, account: Account) -> int:
    query = "SELECT COUNT(*) AS several FROM tasks WHERE account_id = ?"
    several: int = tx.execute(query, (account.id,)).fetchone()["several"]
    return several


def find_by_number(tx: Transaction, account: Account, number: int) -> Task:
    """Return the account's task with that number; UnknownTaskError if it has none."""
    query = "SELECT id FROM tasks WHERE account_id = ? AND number = ?"
    row = tx.execute(query, (account.id, number)).fetchone()
    if row is None:
        raise UnknownTaskError(f"unknown task number {number}")
    return find(tx, account, row["id"])


def find_number(tx: Transaction, account: Account, task_id: str) -> int:
    """Return the number of the account's task with that id; there must be one."""
    query = "SELECT number FROM tasks WHERE account_id = ? AND id = ?"
    number: int = tx.execute(query, (account.id, task_id)).fetchone()["number"]
    return number


def send(
    tx: Transaction,
    world: SandboxEnvironment,
    account: Account,
    scopes: Scopes,
    script: Script,
    *,
    task_id: str,
    session_id: str | None,
    text: str,
) -> SendResult:
    """Take a message: create its task, continue a waiting one, or return a known one.

    Raises NotTakenError if the script says so; nothing was written then.
    """
    known = _find_existing(tx, account, task_id)
    if known is not None and _is_repeated(known, text):
        return SendResult(known)
    planned = script.take()
    if known is None:
        session_id = session_id or world.new_id("ses")
        _insert_task(tx, world, account, task_id, session_id)
    else:
        session_id = known.session_id
    number = find_number(tx, account, task_id)
    turn = planned.turn
    if turn is None:
        waiting = payments.find_by_task(tx, account, task_id)
        context = agent.AgentContext(tx, world, account, scopes, number, session_id, waiting)
        order = typed_orders.read_order(text)
        answer = json_answers.answer(context, text) if order is None else typed_orders.answer(context, order)
        if answer.settlement is not None and answer.settlement.task_id != task_id:
            _finish_task(tx, world, account, answer.settlement)
        if answer.refusal is not None:
            payments.record_refusal(tx, world, number, answer.refusal)
        turn = _turn(answer)
    _add_message(tx, number, "user", text)
    _record(tx, world, account, task_id, turn)
    return SendResult(find(tx, account, task_id), planned.mishap)


def _turn(answer: agent.AgentAnswer) -> Turn:
    state, words = (
        (State.INPUT_REQUIRED, "Waiting for approval")
        if answer.waits
        else (State.COMPLETED, EXPLANATIONS[State.COMPLETED])
    )
    artifact = TaskArtifact.from_text(answer.text)
    if answer.data is not None:
        artifact = TaskArtifact(({"type": "data", "data": answer.data},))
    return Turn((artifact,), state, words)


def _find_existing(tx: Transaction, account: Account, task_id: str) -> Task | None:
    try:
        return find(tx, account, task_id)
    except UnknownTaskError:
        return None


def _is_repeated(task: Task, text: str) -> bool:
    """Whether a message to a task is nothing new: the task waits for none, or has it already."""
    return task.state is not State.INPUT_REQUIRED or Message("user", text) in task.history


def _finish_task(
    tx: Transaction, world: SandboxEnvironment, account: Account, settlement: payment_orders.Settlement
) -> None:
    first = find(tx, account, settlement.task_id).history[0].text
    answer = typed_orders.answer_settlement(tx, account, settlement, first, world.json_answers)
    _record(tx, world, account, settlement.task_id, _turn(answer or agent.AgentAnswer(settlement.text)))


def settle(
    tx: Transaction, world: SandboxEnvironment, account: Account, task_id: str, *, approve: bool
) -> Task:
    """Approve or deny the payment that a task waits for, which ends the task; raises UnknownTaskError or EndedTaskError."""
    task, payment = find(tx, account, task_id), payments.find_by_task(tx, account, task_id)
    if task.state is not State.INPUT_REQUIRED or payment is None:
        raise EndedTaskError(f"task {task_id} does not wait for approval")
    _finish_task(tx, world, account, payment_orders.settle(tx, world, payment, approve=approve))
    return find(tx, account, task_id)


def cancel(tx: Transaction, world: SandboxEnvironment, account: Account, task_id: str) -> Task:
    """Cancel a task that has not ended, and reject its waiting payment; raises UnknownTaskError or EndedTaskError."""
    if find(tx, account, task_id).state.has_ended:
        raise EndedTaskError(f"task {task_id} has ended")
    payment = payments.find_by_task(tx, account, task_id)
    if payment is not None:
        payments.reject(tx, payment)
    canceled = Turn.from_text("Canceled. No payment was made.", State.CANCELED, "Canceled by the client")
    _record(tx, world, account, task_id, canceled)
    return find(tx, account, task_id)


def order_directly(
    tx: Transaction,
    world: SandboxEnvironment,
    account: Account,
    text: str,
    make: Callable[[int], SandboxPayment],
) -> SandboxPayment:
    """Make a payment without a message, in a task that a person can approve or deny.

    `make` makes it, for the task of that number.
    """
    task_id = world.new_id("tsk")
    _insert_task(tx, world, account, task_id, world.new_id("ses"))
    number = find_number(tx, account, task_id)
    _add_message(tx, number, "user", text)
    payment = make(number)
    waits = payment.status == "AWAITING_APPROVAL"
    _record(
        tx,
        world,
        account,
        task_id,
        _turn(agent.AgentAnswer(f"Ordered by the REST API: {text}.", waits=waits)),
    )
    return payment


def _insert_task(
    tx: Transaction, world: SandboxEnvironment, account: Account, task_id: str, session_id: str
) -> None:
    tx.execute(
        "INSERT INTO tasks (account_id, id, session_id, state, explanation, updated) VALUES (?, ?, ?, ?, '', ?)",
        (account.id, task_id, session_id, State.WORKING, world.now()),
    )


def _add_message(tx: Transaction, number: int, role: str, text: str) -> None:
    tx.execute("INSERT INTO messages (task_number, role, text) VALUES (?, ?, ?)", (number, role, text))


def _record(tx: Transaction, world: SandboxEnvironment, account: Account, task_id: str, turn: Turn) -> None:
    number = find_number(tx, account, task_id)
    _add_message(tx, number, "agent", turn.text)
    for place, artifact in enumerate(turn.artifacts):
        tx.execute(
            "INSERT INTO artifacts SELECT :number, COUNT(*), :content FROM artifacts WHERE task_number = :number",
            {"number": number, "content": replace(artifact, opens=place == 0).to_json()},
        )
    tx.execute(
        "UPDATE tasks SET state = ?, explanation = ?, updated = ? WHERE number = ?",
        (turn.state, turn.explanation, world.now(), number),
    )
    if turn.metadata:
        metadata = {**find(tx, account, task_id).metadata, **turn.metadata}
        tx.execute("UPDATE tasks SET metadata = ? WHERE number = ?", (json.dumps(metadata), number))
