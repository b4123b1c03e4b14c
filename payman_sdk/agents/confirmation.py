"""Who is asked before anything is sent: the toolkit's `confirm`, and the client's own `before_send`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Any

from attrs import frozen

from payman_sdk._core.confirmation import MAX_LENGTH, Field, find_problem, format_lines
from payman_sdk._text.error_response import shorten
from payman_sdk.agents.effects import Flow, Invoke
from payman_sdk.errors import ConfigurationError


@frozen(kw_only=True)
class ConfirmationRequest:
    """What is about to be sent: what `confirm` is given. Only what it answers with True is sent.

    The attributes are as the model and Payman wrote them. Show a person `as_lines()`, never `text` itself: words may hide in it
    from the program that shows them. `confirm` is not called for what a person cannot be shown whole.

    Attributes:
        text: The exact words.
        operation: The name of the operation; None for a task that has none.
        task_id: The id of its task.
        is_reply: Whether the words answer a task that waits.
        about: What that task was asked; None where it is not known, or where this is no reply.
        question: What the task says that it waits for; None where this is no reply.

    Example:
        >>> from payman_sdk.agents import PaymanToolkit
        >>> from payman_sdk.sandbox import Sandbox
        >>> with Sandbox() as sandbox, sandbox.client() as client:
        ...     toolkit = PaymanToolkit(client, confirm=lambda proposal: "500" not in proposal.text)
        ...     print(toolkit.pay("send 500 TSD to Test Payee", "invoice-7").status, len(sandbox.payments))
        refused 0
        >>> ConfirmationRequest(text="send 10 TSD to Bob <!-- x -->", operation="invoice-7", task_id="tsk-1").as_lines()
        ['Text for Payman: "send 10 TSD to Bob <!-- x -->"', 'Operation: "invoice-7"']
    """

    text: str
    operation: str | None
    task_id: str
    is_reply: bool = False
    about: str | None = None
    question: str | None = None

    @property
    def fields(self) -> tuple[Field, ...]:
        """What a person is to see, each with its label; the values are raw."""
        known = [Field("Answer for Payman" if self.is_reply else "Text for Payman", self.text)]
        if self.is_reply and self.question:
            known.append(Field("Payman's question", self.question, is_context=True))
        if self.is_reply and self.about:
            known.append(Field("What was asked for", self.about, is_context=True))
        return (*known, Field("Operation", self.operation or self.task_id))

    def as_lines(self) -> list[str]:
        """Lines of plain text for a person: each value on one line, in quotation marks, with whatever hides in it as escapes.

        They are safe for terminals and logs. A web page escapes them like any other text.
        """
        return format_lines(self.fields)


Confirm = Callable[[ConfirmationRequest], Any]
OnMessage = Callable[[Any], Any]


class BlockedByHook(Exception):  # noqa: N818 (it is no failure: the hook said no)
    """A `before_send` hook has kept something from being sent; the cause is what it raised."""


def request_confirmation(confirm: Confirm | None, proposal: ConfirmationRequest) -> Flow[str | None]:
    """A flow that asks whether something may be sent; tells why not, None where it may."""
    if confirm is None:
        return None
    problem = find_problem(proposal.fields)
    if problem is not None:
        return (
            f"a person has to confirm it, and cannot be shown it whole: {problem}. Write it plainly, in at most {MAX_LENGTH} "
            "characters."
        )
    try:
        answer = yield Invoke(lambda: confirm(proposal))
    except ConfigurationError:
        raise
    except Exception as error:
        return format_denial(error)
    return None if answer is True else format_denial()


def format_denial(error: BaseException | None = None) -> str:
    """Why something is not sent that was not agreed to; what was raised is told, for it is meant to be read."""
    said = "" if error is None else f" ({shorten(str(error) or type(error).__name__)})"
    return f"it was not agreed to{said}. It may be asked for again later."


def wrap_before_send(before_send: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A `before_send` hook that can be told apart from whatever else may fail: only what it raises was certainly not sent."""

    def call_before_send(outgoing: Any) -> Any:
        try:
            returned = before_send(outgoing)
        except Exception as error:
            raise BlockedByHook from error
        return _await_hook(returned) if isawaitable(returned) else returned

    return call_before_send


async def _await_hook(returned: Awaitable[Any]) -> Any:
    try:
        return await returned
    except Exception as error:
        raise BlockedByHook from error


def remember_raised(hook: Callable[[Any], Any], raised: list[Exception]) -> Callable[[Any], Any]:
    """Return a hook that adds what it raises to a list: it says nothing about what was sent, whatever it is."""

    def call(about: Any) -> Any:
        try:
            returned = hook(about)
        except Exception as error:
            raised.append(error)
            raise
        return wait(returned) if isawaitable(returned) else returned

    async def wait(returned: Awaitable[Any]) -> Any:
        try:
            return await returned
        except Exception as error:
            raised.append(error)
            raise

    return call


def build_send_options(
    on_message: OnMessage | None, before_send: Callable[[Any], Any] | None
) -> dict[str, Any]:
    """The options of what is sent: what is told every event, and the client's own hook."""
    given = {"on_message": on_message, "before_send": before_send and wrap_before_send(before_send)}
    return {name: value for name, value in given.items() if value is not None}
