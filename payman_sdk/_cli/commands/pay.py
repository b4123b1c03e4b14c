"""`payman pay`, and `payman payments`: one payment by typed arguments, and what became of it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from payman_sdk._cli import exit_codes
from payman_sdk._cli.clients import connect
from payman_sdk._cli.confirm import Shown, confirm_order
from payman_sdk._cli.output import report_not_sent, to_json
from payman_sdk._cli.run import Json, Key, Run, TaskId, Timeout, Yes, refuse_more_words

if TYPE_CHECKING:
    from payman_sdk._core.orders import PaymentOrder
    from payman_sdk.types import Payment

LOOKUP = "payments status"

Verify = Annotated[
    bool,
    typer.Option("--verify/--no-verify", help="Require a transaction that shows the payment; the default."),
]

payments = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


def pay(
    context: typer.Context,
    amount: Annotated[str, typer.Argument(metavar="AMOUNT", help="The amount, such as 10 or 12.50.")],
    currency: Annotated[
        str, typer.Argument(metavar="CURRENCY", help="The code of the currency, such as TSD.")
    ],
    payee: Annotated[
        str, typer.Argument(metavar="PAYEE", help="A name in quotation marks, an id, an email or a paytag.")
    ],
    *,
    memo: Annotated[str | None, typer.Option(metavar="TEXT", help="The purpose, on one line.")] = None,
    wallet: Annotated[
        str | None,
        typer.Option(metavar="REF", help="The wallet to pay from: a currency, a paytag, an id or a name."),
    ] = None,
    key: Key = None,
    verify: Verify = True,
    timeout: Timeout = None,
    as_json: Json = False,
    yes: Yes = False,
) -> None:
    """Pay somebody once. Exit status 0 means paid, and nothing else does.

    On a live server the order is shown first, and a person has to agree; without a terminal, it needs --yes.

    Exit status: 0 paid, 1 failed or not sent, 3 waiting for approval, 4 refused, 5 undetermined; payman --help has all of them.

    Example: payman pay 10 TSD "Test Payee" --memo coffee --key invoice-42
    """
    run: Run = context.obj
    refuse_more_words(run, context, ["pay", amount, currency], payee, "payee")
    from payman_sdk._core.orders import read_payment_order

    order = read_payment_order(payee, amount.strip(), currency, memo, wallet)
    run.lookup = LOOKUP
    with connect(run) as (client, settings, _):
        if not confirm_order(run, settings, show_order(order), "Pay this?", yes=yes):
            raise typer.Exit(report_not_sent(run))
        payment = client.pay(
            order.payee,
            order.amount,
            order.currency,
            memo=order.memo,
            wallet=order.wallet,
            verify=verify,
            idempotency_key=key,
            timeout=timeout,
            before_send=run.note_first,
        )
    raise typer.Exit(show_payment(run, payment, as_json=as_json))


@payments.command()
def status(
    context: typer.Context,
    task: TaskId,
    *,
    verify: Verify = True,
    timeout: Timeout = None,
    as_json: Json = False,
) -> None:
    """Look up how a payment ended; the exit status says it too, as for pay."""
    run: Run = context.obj
    run.lookup = LOOKUP
    with connect(run) as (client, _, _):
        run.task_id = task
        payment = client.payment_status(task, verify=verify, timeout=timeout, before_send=_ignore)
    raise typer.Exit(show_payment(run, payment, as_json=as_json))


@payments.command()
def approve(context: typer.Context, task: TaskId, *, as_json: Json = False, yes: Yes = False) -> None:
    """Approve a payment that waits for approval; 0 means that it is paid."""
    raise typer.Exit(_settle(context.obj, task, "approve", as_json=as_json, yes=yes))


@payments.command()
def deny(context: typer.Context, task: TaskId, *, as_json: Json = False, yes: Yes = False) -> None:
    """Deny a payment that waits for approval; 0 means that it is refused."""
    ended = _settle(context.obj, task, "deny", as_json=as_json, yes=yes)
    raise typer.Exit(
        {exit_codes.REFUSED: exit_codes.COMPLETED, exit_codes.COMPLETED: exit_codes.FAILED}.get(ended, ended)
    )


def _settle(run: Run, task: str, what: str, *, as_json: bool, yes: bool) -> int:
    from payman_sdk._core.orders import PaymentOrder

    run.lookup = LOOKUP
    with connect(run) as (client, settings, _):
        run.task_id = task
        payment = client.payment_status(task, before_send=_ignore)
        run.task_id = None
        order = PaymentOrder(payment.payee, payment.amount, payment.currency, payment.memo, payment.wallet)
        if not confirm_order(run, settings, show_order(order), f"{what.capitalize()} this payment?", yes=yes):
            raise typer.Exit(report_not_sent(run))
        decide = client.approve if what == "approve" else client.deny
        return show_payment(run, decide(payment, before_send=run.note_first), as_json=as_json)


def _ignore(outgoing: object) -> None:
    """Leave a list out of what the run has sent: it changes nothing."""


def show_order(order: PaymentOrder) -> list[Shown]:
    fields = [("Payee", order.payee), ("Amount", f"{order.amount} {order.currency}")]
    if order.memo is not None:
        fields.append(("Memo", order.memo))
    if order.wallet is not None:
        fields.append(("Wallet", order.wallet))
    return fields


def show_payment(run: Run, payment: Payment, *, as_json: bool) -> int:
    """Write how a payment ended and what to do next, and return the exit status."""
    if as_json:
        run.terminal.write_document(to_json(payment))
    else:
        run.terminal.write_answer_lines([describe_payment(payment)])
    ended = exit_codes.from_outcome(payment.outcome.value)
    _advise(run, payment, ended)
    return ended


def describe_payment(payment: Payment) -> str:
    """Return the outcome of a payment as a sentence.

    Example:
        >>> from decimal import Decimal
        >>> from payman_sdk._cli.commands.pay import describe_payment
        >>> from payman_sdk.types import Payment, PaymentOutcome
        >>> describe_payment(Payment(outcome=PaymentOutcome.PAID, amount=Decimal(10), currency="TSD", payee="Ada"))
        'Paid 10 TSD to Ada.'
    """
    order = f"{payment.amount:f} {payment.currency} to {payment.payee}"
    why = f" {payment.reason}" if payment.reason else ""
    match payment.outcome.value:
        case "paid":
            return f"Paid {order}."
        case "awaiting_approval":
            return f"Not paid yet: {order}; a person has to approve it.{why}"
        case "refused":
            return f"Refused, not paid: {order}.{why}"
        case "failed":
            return f"Failed, not paid: {order}.{why}"
        case _:
            return f"Undetermined, perhaps paid: {order}.{why}"


def _advise(run: Run, payment: Payment, ended: int) -> None:
    """Say what to do next about a payment that has not ended, or whose end is not known."""
    ids = f"[task {payment.task_id or 'unknown'}]"
    if ended not in {exit_codes.WAITING, exit_codes.UNDETERMINED}:
        run.terminal.write_hint(f"{payment.outcome.value} {ids}")
    elif run.sandbox or payment.task_id is None:
        run.terminal.write_message(
            f"The payment belongs to this command's own sandbox, which ends now {ids}."
            if run.sandbox
            else "Do not pay it again until you know the outcome: see payman transactions."
        )
    else:
        task = shlex.quote(payment.task_id)
        look = run.format_command(f"{LOOKUP} {task}")
        if ended == exit_codes.WAITING:
            run.terminal.write_message(f"To approve it: {run.format_command(f'payments approve {task}')}")
            run.terminal.write_message(f"To deny it: {run.format_command(f'payments deny {task}')}")
            run.terminal.write_message(f"After somebody has decided elsewhere: {look}")
        else:
            again = ", except with the same --key" if payment.idempotency_key else ""
            run.terminal.write_message(
                f"Do not pay it again until you know the outcome{again}. To look it up: {look}"
            )
