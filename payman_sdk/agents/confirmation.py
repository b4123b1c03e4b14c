"""Confirmation before anything is sent: the toolkit's `confirm`, and the client's own `before_send`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from attrs import frozen

from payman_sdk._core.effects import Flow, Invoke
from payman_sdk._text.error_response import format_exception, shorten
from payman_sdk.agents.confirmation_text import MAX_LENGTH, Field, find_problem, format_lines
from payman_sdk.agents.stores import Operation
from payman_sdk.errors import ConfigurationError

if TYPE_CHECKING:
    from payman_sdk._config import Config

Action: TypeAlias = Literal["pay", "approve", "deny", "create_payee", "ask"]


@frozen(kw_only=True)
class ConfirmationRequest:
    """What is about to be sent: the argument of `confirm`. Only True sends it.

    The attributes are unchanged texts of the model and Payman. Show a person `as_lines()`, never an attribute, because invisible
    characters may hide words. An order that cannot be shown completely is refused without calling `confirm`.

    Attributes:
        action: The action: `pay`, `approve` or `deny` a payment, `create_payee`, or `ask` in free words.
        operation: The name of the operation; None where there is none.
        task_id: The id of its task; None for an `ask`.
        payee: Who is paid or created.
        amount: How much is paid.
        currency: The code of its currency.
        memo: What it is for.
        details: Other fields of a payee that is created, each with its name.
        text: The exact words of an `ask`.
        question: What a payment that waits says, for `approve` and `deny`.

    Example:
        >>> from decimal import Decimal
        >>> from payman_sdk.agents import PaymanToolkit
        >>> from payman_sdk.sandbox import Sandbox
        >>> with Sandbox() as sandbox, sandbox.client() as client:
        ...     toolkit = PaymanToolkit(client, confirm=lambda request: request.amount < 100)
        ...     print(toolkit.pay("Test Payee", "500", "TSD", operation="invoice-7").status, len(sandbox.payments))
        refused 0
        >>> request = ConfirmationRequest(action="pay", payee="Bob", amount=Decimal(10), currency="TSD", operation="invoice-7")
        >>> request.as_lines()
        ['Action: "pay"', 'Payee: "Bob"', 'Amount: "10 TSD"', 'Operation: "invoice-7"']
    """

    action: Action
    operation: str | None = None
    task_id: str | None = None
    payee: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    memo: str | None = None
    details: tuple[tuple[str, str], ...] = ()
    text: str | None = None
    question: str | None = None

    @classmethod
    def of_payment(
        cls, action: Action, operation: Operation, question: str | None = None
    ) -> ConfirmationRequest:
        """Return the request to do something with a payment."""
        return cls(
            action=action,
            operation=operation.name,
            task_id=operation.task_id,
            payee=operation.payee,
            amount=operation.amount,
            currency=operation.currency,
            memo=operation.memo,
            question=question,
        )

    @property
    def is_reply(self) -> bool:
        """Whether it decides a payment that waits."""
        return self.action in {"approve", "deny"}

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields for a person, each with its label and raw value."""
        amount = None if self.amount is None else f"{self.amount} {self.currency}"
        shown = [
            Field("Action", self.action.replace("_", " ")),
            *(
                Field(label, value)
                for label, value in (("Text for Payman", self.text), ("Payee", self.payee), ("Amount", amount), ("Memo", self.memo))
                if value is not None
            ),
            *(Field(name.replace("_", " ").capitalize(), value) for name, value in self.details),
        ]  # fmt: skip
        if self.question:
            shown.append(Field("Payman's words", self.question, is_context=True))
        name = self.operation or self.task_id
        return tuple(shown) if name is None else (*shown, Field("Operation", name))

    def as_lines(self) -> list[str]:
        """Return lines of plain text for a person: each value on one line, in quotation marks, with invisible characters as escapes.

        They are safe for terminals and logs. Escape them in a web page like any other text.
        """
        return format_lines(self.fields)


Confirm = Callable[[ConfirmationRequest], Any]
OnMessage = Callable[[Any], Any]


class BlockedByHook(Exception):  # noqa: N818 (not a failure: the hook refused)
    """A `before_send` hook has blocked an ask; the cause is its exception."""


def request_confirmation(confirm: Confirm | None, proposal: ConfirmationRequest) -> Flow[str | None]:
    """Return a flow that asks whether something may be sent, and returns why not; None where it may."""
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
    """Why an ask without consent is not sent, with the message of the hook's exception."""
    said = "" if error is None else f" ({shorten(format_exception(error))})"
    return f"it was not agreed to{said}. It may be asked for again later."


def _block(error: Exception) -> None:
    """Make what a `before_send` hook raises recognizable: only that was certainly not sent."""
    raise BlockedByHook from error


def watch_hook(hook: Callable[[Any], Any], handle: Callable[[Exception], object]) -> Callable[[Any], Any]:
    """Return a hook, regular or coroutine function, whose exceptions are handled before they pass."""

    def call(about: Any) -> Any:
        try:
            returned = hook(about)
        except Exception as error:
            handle(error)
            raise
        return await_result(returned) if isawaitable(returned) else returned

    async def await_result(returned: Awaitable[Any]) -> Any:
        try:
            return await returned
        except Exception as error:
            handle(error)
            raise

    return call


def build_send_options(
    config: Config, raised: list[Exception], **hooks: Callable[[Any], Any] | None
) -> dict[str, Any]:
    """Return the hooks of what is sent: those given, and the client's. What they raise, other than to block, is added to `raised`."""
    given = {"on_retry": config.on_retry, **hooks}
    options = {name: watch_hook(hook, raised.append) for name, hook in given.items() if hook is not None}
    if config.before_send is not None:
        options["before_send"] = watch_hook(config.before_send, _block)
    return options
