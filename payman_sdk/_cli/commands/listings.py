"""`payman wallets`, `payees` and `transactions`: typed lists as tables or JSON, and `payman payees add`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from payman_sdk._cli.clients import connect
from payman_sdk._cli.confirm import confirm_order
from payman_sdk._cli.output import report_not_sent, to_json
from payman_sdk._cli.run import Json, Key, Run, Timeout, Yes
from payman_sdk._text.sanitizer import sanitize

if TYPE_CHECKING:
    from decimal import Decimal

    from payman_sdk.types import Payee, PayeeType, Transaction, Wallet


payees = typer.Typer(rich_markup_mode=None)

_PAYEE_HEADINGS = ("NAME", "TYPE", "ID", "EMAIL", "PAYTAG")


def wallets(context: typer.Context, *, timeout: Timeout = None, as_json: Json = False) -> None:
    """List the wallets and their balances."""
    run = _start_list(context)
    with connect(run) as (client, _, _):
        found = client.wallets(timeout=timeout)

    def row(wallet: Wallet) -> list[str | None]:
        balances = [_show_amount(wallet.balance), _show_amount(wallet.pending)]
        return [wallet.currency, *balances, wallet.name, wallet.paytag, wallet.id]

    headings = ("CURRENCY", "BALANCE", "PENDING", "NAME", "PAYTAG", "ID")
    _show(run, found, headings, row, "wallets", as_json=as_json)


def transactions(
    context: typer.Context,
    *,
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=100, help="At most this many.")] = 20,
    wallet: Annotated[
        str | None, typer.Option(metavar="REF", help="Only this wallet: a currency, paytag, id or name.")
    ] = None,
    timeout: Timeout = None,
    as_json: Json = False,
) -> None:
    """List the newest transactions, those that wait for approval included."""
    run = _start_list(context)
    with connect(run) as (client, _, _):
        found = client.transactions(limit, wallet, timeout=timeout)

    def row(one: Transaction) -> list[str | None]:
        made = None if one.created is None else f"{one.created.astimezone():%Y-%m-%d %H:%M:%S}"
        payee = None if one.payee is None else one.payee.name or one.payee.id
        amount = f"{_show_amount(one.amount)} {one.currency}"
        return [made, amount, payee, one.outcome.value.replace("_", " "), one.memo, one.id]

    headings = ("MADE", "AMOUNT", "PAYEE", "OUTCOME", "MEMO", "ID")
    _show(run, found, headings, row, "transactions", as_json=as_json)


@payees.callback(invoke_without_command=True)
def list_payees(
    context: typer.Context,
    *,
    query: Annotated[
        str | None,
        typer.Option(
            "--query", "-q", metavar="TEXT", help="Only payees whose name, email or id contains it."
        ),
    ] = None,
    timeout: Timeout = None,
    as_json: Json = False,
) -> None:
    """List the payees, or add one with payman payees add."""
    if context.invoked_subcommand is not None:
        _refuse_flags(context, context.invoked_subcommand)
        return
    run = _start_list(context)
    with connect(run) as (client, _, _):
        found = client.payees(query, timeout=timeout)
    _show(run, found, _PAYEE_HEADINGS, _payee_row, "payees", as_json=as_json)


def _refuse_flags(context: typer.Context, subcommand: str) -> None:
    """Refuse flags before a subcommand, which would have no effect; raises typer.BadParameter."""
    sources = {
        param.opts[0]: context.get_parameter_source(param.name or "") for param in context.command.params
    }
    given = [flag for flag, source in sources.items() if source is not None and source.name != "DEFAULT"]
    if given:
        flags, verb = " and ".join(given), "has" if len(given) == 1 else "have"
        raise typer.BadParameter(
            f"{flags} {verb} no effect before {subcommand}. Put the flags of {subcommand} after it."
        )


def _option(help_text: str, metavar: str = "TEXT") -> Any:
    return typer.Option(metavar=metavar, help=help_text)


@payees.command()
def add(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name, in quotation marks.")],
    *,
    type_: Annotated[
        str,
        typer.Option(
            "--type", metavar="TYPE", help="TEST_RAILS, US_ACH, CRYPTO_ADDRESS or PAYMAN_WALLET; needed."
        ),
    ],
    account_holder_name: Annotated[str | None, _option("US_ACH: the name of the account holder.")] = None,
    account_holder_type: Annotated[str | None, _option("US_ACH.", "individual|business")] = None,
    account_number: Annotated[str | None, _option("US_ACH: 4 to 17 digits.", "DIGITS")] = None,
    routing_number: Annotated[str | None, _option("US_ACH: nine digits.", "DIGITS")] = None,
    account_type: Annotated[str | None, _option("US_ACH.", "checking|savings")] = None,
    address: Annotated[str | None, _option("CRYPTO_ADDRESS: the address.")] = None,
    chain: Annotated[str | None, _option("CRYPTO_ADDRESS: the chain, such as ethereum.")] = None,
    currency: Annotated[str | None, _option("CRYPTO_ADDRESS: such as USDC.", "CODE")] = None,
    paytag: Annotated[str | None, _option("PAYMAN_WALLET: the paytag of the wallet.")] = None,
    email: Annotated[str | None, _option("An email address.")] = None,
    phone: Annotated[str | None, _option("A phone number.")] = None,
    postal_address: Annotated[str | None, _option("A postal address, on one line.")] = None,
    tax_id: Annotated[str | None, _option("A tax id.")] = None,
    tag: Annotated[list[str] | None, _option("A tag for the payee; may be repeated.")] = None,
    key: Key = None,
    timeout: Timeout = None,
    as_json: Json = False,
    yes: Yes = False,
) -> None:
    """Add a payee. One who is there already is shown, and not added twice.

    Example: payman payees add "Ada Lovelace" --type TEST_RAILS --email ada@example.com
    """
    from payman_sdk._core.orders import PAYEE_FIELDS, read_payee_order

    given: dict[str, Any] = {field: value for field, value in locals().items() if field in PAYEE_FIELDS}
    given["tags"] = tag or None
    run: Run = context.obj
    kind = type_.strip().upper().replace("-", "_")
    order = read_payee_order(name, kind, given)
    with connect(run) as (client, settings, _):
        shown = [("Name", order.name), ("Type", order.type)]
        shown += [(_title(field), _show_value(value)) for field, value in order.fields.items()]
        if not confirm_order(run, settings, shown, "Add this payee?", yes=yes):
            raise typer.Exit(report_not_sent(run))
        payee = client.create_payee(
            order.name,
            cast("PayeeType", order.type),  # checked above
            idempotency_key=key,
            timeout=timeout,
            before_send=run.note_first,
            **given,
        )
    if as_json:
        run.terminal.write_document(to_json(payee))
    else:
        _write_table(run, _PAYEE_HEADINGS, [_payee_row(payee)])


def _start_list(context: typer.Context) -> Run:
    run: Run = context.obj
    run.is_harmless = True
    return run


def _show(
    run: Run,
    found: Sequence[Any],
    headings: Sequence[str],
    row: Callable[[Any], list[str | None]],
    what: str,
    *,
    as_json: bool,
) -> None:
    if as_json:
        run.terminal.write_document([to_json(one) for one in found])
    elif found:
        _write_table(run, headings, [row(one) for one in found])
    else:
        run.terminal.write_message(f"No {what} found.")


def _write_table(run: Run, headings: Sequence[str], rows: Sequence[Sequence[str | None]]) -> None:
    run.terminal.write_laid_out(format_table(headings, rows))


def _payee_row(payee: Payee) -> list[str | None]:
    return [payee.name, payee.type, payee.id, payee.email, payee.paytag]


def _show_amount(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:,f}"


def _title(field: str) -> str:
    return field.replace("_", " ").capitalize()


def _show_value(value: object) -> str:
    return ", ".join(cast("Sequence[str]", value)) if isinstance(value, list | tuple) else str(value)


_WIDEST = 60
"""Characters of a cell that are shown; `--json` shows all of them."""


def format_table(headings: Sequence[str], rows: Sequence[Sequence[str | None]]) -> list[str]:
    r"""Format rows as lines of aligned columns. Cells are words of others: each stays on its line, and nothing in it hides.

    Example:
        >>> from payman_sdk._cli.commands.listings import format_table
        >>> print("\n".join(format_table(["NAME", "ID"], [["Ada\nEve", "pd-1"], ["Bob", None]])))
        NAME      ID
        Ada\nEve  pd-1
        Bob       -
    """
    from rich.cells import cell_len

    cells = [[sanitize(cell or "-", one_line=True, max_length=_WIDEST) for cell in row] for row in rows]
    lines = [list(headings), *cells]
    widths = [max(cell_len(line[column]) for line in lines) for column in range(len(headings))]
    return [
        "  ".join(
            cell + " " * (width - cell_len(cell)) for cell, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in lines
    ]
