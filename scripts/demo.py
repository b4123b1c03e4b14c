"""The main job, end to end: a local Payman, the real client, real HTTP."""

import sys

from rich.console import Console
from rich.markdown import Markdown
from rich.panel import Panel
from rich.table import Table

from payman_sdk import PaymanError
from payman_sdk.sandbox import Sandbox

ASKS = (
    "list all wallets and their balances",
    "Create a payee of type Test Rails called John Doe",
    "send 100 TSD to John Doe for the garden fence",
    "show my last 5 transactions",
)


def demo(console: Console) -> None:
    """Runs the asks against a sandbox of its own and shows the answers and the ledger."""
    with Sandbox() as sandbox, sandbox.client(name="demo") as client:
        console.print(f"A local Payman listens at {sandbox.base_url}\n")
        for text in ASKS:
            console.print(Panel(text, title="ask", title_align="left", border_style="cyan"))
            response = client.ask(text)
            console.print(Markdown(response.text))
            console.print(f"[dim]{response.status} · {response.task_id} · {response.session_id}[/dim]\n")
        console.print(ledger_table(sandbox))
        sandbox.check_invariants()
        console.print(f"Every entry is balanced; {sandbox.balance('TSD')} TSD are left.")


def ledger_table(sandbox: Sandbox) -> Table:
    """The sandbox's ledger, an entry a row."""
    table = Table(title="The ledger", title_justify="left")
    for heading in ("transfer", "account", "what for"):
        table.add_column(heading)
    table.add_column("amount", justify="right")
    for row in sandbox.ledger():
        table.add_row(str(row.transfer), row.book, row.memo, f"{row.amount:,.2f} {row.currency}")
    return table


def main() -> int:
    """Runs the demo; 130 after Ctrl-C, as shells expect."""
    try:
        demo(Console())
    except KeyboardInterrupt:
        return 130
    except PaymanError as error:
        print(f"The demo failed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
