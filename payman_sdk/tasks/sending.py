"""The flow of an ask: sends it once, and learns how it ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from payman_api.models.text_part import TextPart
from payman_sdk.auth.signing import authorized
from payman_sdk.auth.tokens import Tokens
from payman_sdk.errors import (
    AuthenticationError,
    IdempotencyKeyReuseError,
    OutcomeUnknownError,
    PaymanError,
    PermissionDeniedError,
    TaskNotFoundError,
    shortened,
)
from payman_sdk.flows import Consult, Flow
from payman_sdk.tasks.answers import nothing_said, read_answer
from payman_sdk.tasks.ask import Ask
from payman_sdk.tasks.retrying import Time, is_passing, once
from payman_sdk.tasks.waiting import ended, found, requires_input

if TYPE_CHECKING:
    import httpx

    from payman_api.models.task import Task
    from payman_sdk.hooks import Outgoing

T = TypeVar("T")
Known = tuple[dict[str, Any], "Task"]
"""A JSON-RPC answer, and the task in it."""

_MESSAGES = 100
"""How many messages of a task are looked at for the text that a key was used with first."""


def asked(
    ask: Ask, tokens: Tokens, time: Time, before_send: Callable[[Outgoing], Any] | None = None
) -> Flow[Known]:
    """The flow of an ask: sends it once and returns the JSON-RPC answer with its task.

    Raises:
        OutcomeUnknownError: It was sent, and how it ended could not be learned.
        PaymanError: It was not carried out, or the agent answered with an error.
    """

    def attempt() -> Flow[Known]:
        answer: httpx.Response = yield from authorized(
            ask.request(), tokens, time.deadline, time.patience, watch=time.watch
        )
        if (failure := nothing_said(answer)) is not None:
            raise failure
        return read_answer(answer, ask.request_id, ask.task_id)

    def learned(lost: PaymanError) -> Flow[Known | None]:
        try:
            known = yield from found(ask.task_id, tokens, time, was_sent=True)
        except TaskNotFoundError:
            return None
        except PaymanError as error:
            raise unknown(lost, error) from lost
        known = yield from awaited(known, lost)
        if ask.is_reply and requires_input(known[1]):
            raise unknown(lost) from lost  # it waits still, or again: whether the reply arrived does not show
        return known

    def awaited(known: Known, lost: PaymanError) -> Flow[Known]:
        """Waits for the end of what has arrived; an agent that knows it no longer does not undo that."""
        try:
            return (yield from ended(ask.task_id, tokens, time, or_rests=True, known=known))
        except PaymanError as error:
            raise unknown(lost, error) from lost

    try:
        if ask.idempotency_key is not None:
            known = yield from known_by_key(ask, tokens, time)
            if known is not None:
                return (yield from awaited(known, PaymanError("It was asked before, and is still at work.")))
        time = yield from allowed(ask, time, before_send)
        return (yield from once(ask.task_id, attempt, learned, time))
    except PaymanError as error:
        error.about(**ask.ids())
        raise


def known_by_key(ask: Ask, tokens: Tokens, time: Time) -> Flow[Known | None]:
    """A flow that looks for the task that a key stands for; None where there is none yet.

    Raises:
        IdempotencyKeyReuseError: It was asked for with another text.
        OutcomeUnknownError: Whether there is one could not be learned.
        PaymanError: The server refuses the caller.
    """
    try:
        body, task = yield from found(ask.task_id, tokens, time, messages=_MESSAGES)
    except TaskNotFoundError:
        return None
    except (AuthenticationError, PermissionDeniedError):
        raise
    except PaymanError as error:
        failure = OutcomeUnknownError(
            f"Whether something was asked with this key before could not be learned. {error.message}",
            next_step="Nothing was sent now. "
            + (
                "Ask again with the same key."
                if is_passing(error)
                else "Keys need a server that looks tasks up."
            ),
            response=error.response,
        )
        failure.sent = False
        raise failure from error
    time.watch.is_repeated = True
    said = _first_text(task)
    if said is not None and said != ask.text:
        raise IdempotencyKeyReuseError(
            "The idempotency key stands for an ask with another text.",
            next_step="Give every operation a key of its own. Nothing was sent now.",
        )
    return body, task


def allowed(ask: Ask, time: Time, before_send: Callable[[Outgoing], Any] | None) -> Flow[Time]:
    """A flow that consults the guard before anything is sent; the time that takes is not the ask's."""
    if before_send is None:
        return time
    began = time.clock()
    yield Consult(before_send, ask.outgoing())
    return time.longer(time.clock() - began)


def unknown(lost: PaymanError, why: PaymanError | None = None) -> OutcomeUnknownError:
    """The error for an ask that was sent and whose end could not be learned.

    Args:
        lost: Why it is not known.
        why: Why it could not be learned.
    """
    more = "" if why is None else f" Asking how it stands failed too: {shortened(why.message)}"
    failure = OutcomeUnknownError(
        f"{lost.message} Whether the ask was carried out is not known.{more}",
        next_step="Do not send it again; client.get_task(error.task_id) tells how it ended.",
        response=lost.response,
    )
    failure.sent = True
    return failure


def _first_text(task: Task) -> str | None:
    """What a task was first asked; None where the server does not tell."""
    history = task.history if isinstance(task.history, list) else []
    if not history or len(history) >= _MESSAGES or history[0].role != "user":
        return None
    return "\n".join(part.text for part in history[0].parts if isinstance(part, TextPart))
