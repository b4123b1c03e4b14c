"""`payman sandbox`: a local Payman that prints each request, until Ctrl-C."""

from __future__ import annotations

import os
import signal
import threading
import webbrowser
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from payman_sdk._cli.clients import make_sandbox
from payman_sdk._cli.request_log import RequestLogMiddleware, RequestPrinter
from payman_sdk._cli.run import Run
from payman_sdk._cli.settings import SANDBOX_CLIENT, SANDBOX_PORT
from payman_sdk._config import BASE_URL_VARIABLE
from payman_sdk._url import HTTP_HOSTS_VARIABLE
from payman_sdk.errors import ConfigurationError

if TYPE_CHECKING:
    from payman_sdk.sandbox import Sandbox

_LONGEST = 600.0

ADMIN_TOKEN = "PAYMAN_SANDBOX_ADMIN_TOKEN"  # noqa: S105 # the name of a variable
"""The environment variable that sets the admin token; an option would show it to every process of the machine."""


def sandbox(
    context: typer.Context,
    *,
    port: Annotated[
        int, typer.Option(metavar="N", min=0, max=65535, help="The port to serve on; 0 picks a free one.")
    ] = SANDBOX_PORT,
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="The address to serve on; 0.0.0.0 lets other machines in and needs --allow-host.",
        ),
    ] = "127.0.0.1",
    allow_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A host name that other machines use; may be repeated."),
    ] = None,
    db: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep everything in this file; in memory by default.")
    ] = None,
    client: Annotated[
        list[str] | None, typer.Option(metavar="ID:SECRET", help="Register this client; may be repeated.")
    ] = None,
    pace: Annotated[
        float,
        typer.Option(
            metavar="SECONDS", help="Pause between two events of a stream, as if the agent had to work."
        ),
    ] = 0.0,
    chunk_words: Annotated[
        int, typer.Option(metavar="N", help="At most this many words in one event of a stream.")
    ] = 6,
    latency: Annotated[
        float,
        typer.Option(metavar="SECONDS", help="Delay each request, as if the network were slow."),
    ] = 0.0,
    json_answers: Annotated[
        str,
        typer.Option(
            metavar="MODE",
            help="The agent's answers to typed calls: careful, or bad ones such as prose, two_objects, other_amount, truncated or claims_paid.",
        ),
    ] = "careful",
    seed_data: Annotated[
        bool,
        typer.Option(
            "--seed-data", help="Start with payees, payments, and a payment that waits for approval."
        ),
    ] = False,
    open_page: Annotated[bool, typer.Option("--open", help="Open its web page in the browser.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Do not print requests.")] = False,
) -> None:
    """Serve a local Payman until Ctrl-C, and print each request.

    Other terminals reach it with payman --env SANDBOX, without any settings.
    """
    run: Run = context.obj
    if run.env or run.base_url or run.sandbox:
        raise ConfigurationError(
            "payman sandbox starts its own server; remove --env, --base-url and --sandbox."
        )
    if not 0 <= latency <= _LONGEST:
        raise ConfigurationError(
            f"--latency is {latency:g}, which is out of range.", next_step=f"Pass 0 to {_LONGEST:g} seconds."
        )
    clients = {**_read_clients(client or []), SANDBOX_CLIENT: SANDBOX_CLIENT}
    with _stop_on_signals() as stopping:
        served = make_sandbox(
            clients=clients,
            db=db,
            port=port,
            host=host,
            allow_hosts=allow_host or (),
            admin_token=os.environ.get(ADMIN_TOKEN) or None,
            pace=pace,
            chunk_words=chunk_words,
            json_answers=json_answers,
        )
        printer = RequestPrinter(lambda line: run.terminal.write(f"{line}\n"))
        try:
            _log_requests(served, printer, latency)
            if seed_data:
                seed(served)
            _start(served)
            _introduce(run, served, allow_host or [], seeded=seed_data, is_given=bool(client))
            printer.is_on = not quiet
            if open_page:
                _open(run, served.web_url)
            while not stopping.wait(0.5):  # in pieces: on Windows, a wait cannot be interrupted
                pass
        finally:
            served.close()
            printer.close()


def _log_requests(served: Sandbox, printer: RequestPrinter, latency: float) -> None:
    def pick_latency() -> float:
        return latency if served.is_serving else 0.0

    served.app.add_middleware(RequestLogMiddleware, report=printer, latency=pick_latency)


def _introduce(run: Run, served: Sandbox, names: list[str], *, seeded: bool, is_given: bool) -> None:
    """Print how to reach it. Credentials that it made are shown, for they open nothing else; a given secret is not."""
    lines = [
        f"The Payman sandbox serves on {served.base_url} until Ctrl-C.",
        f"Its web page: {served.web_url}",
        "",
        f"export PAYMAN_BASE_URL={served.base_url}",
        f"export PAYMAN_CLIENT_ID={served.client_id}",
        f"export PAYMAN_CLIENT_SECRET={'…  # as you passed it' if is_given else served.client_secret}",
        "",
    ]
    if served.client_id == SANDBOX_CLIENT and served.base_url.endswith(f":{SANDBOX_PORT}"):
        lines[-1:] = ["", 'Or, without settings: payman --env SANDBOX ask "list all wallets"', ""]
    if seeded:
        lines[-1:] = [f"Its data comes from these asks: {'; '.join(SEED)}.", ""]
    if served.admin_token is not None:
        run.terminal.write_message(
            "Other machines can reach this sandbox. Its money is not real, but whoever has a client's secret can use its account."
        )
        shown = f"the value of {ADMIN_TOKEN}" if os.environ.get(ADMIN_TOKEN) else served.admin_token
        lines[2:2] = [f"Its pages ask for a password: {shown}"]
    port = served.base_url.rpartition(":")[2]
    for name in names:
        host = f"[{name}]" if ":" in name else name
        address = f"{BASE_URL_VARIABLE}=http://{host}:{port} {HTTP_HOSTS_VARIABLE}={name}"
        lines[2:2] = [f"Clients on other machines need {address}"]
    run.terminal.write_answer_lines(lines)


def _open(run: Run, url: str) -> None:
    try:
        is_shown = webbrowser.open(url)
    except webbrowser.Error:
        is_shown = False
    if not is_shown:
        run.terminal.write_message("No browser could be opened. Open the web page yourself.")


def _start(served: Sandbox) -> None:
    try:
        served.start()
    except OSError as failure:
        said = failure.strerror or str(failure)
        raise ConfigurationError(
            f"{said[:1].upper()}{said[1:].partition(';')[0]}.",
            next_step="Choose another with --port; 0 picks a free one.",
        ) from None


def _read_clients(given: list[str]) -> dict[str, str]:
    clients: dict[str, str] = {}
    for place, entry in enumerate(given, 1):
        client_id, _, secret = entry.partition(":")
        if not client_id or not secret:
            raise ConfigurationError(
                f"--client number {place} has no id or no secret.", next_step="Write it as ID:SECRET."
            )
        clients[client_id] = secret
    return clients


@contextmanager
def _stop_on_signals() -> Generator[threading.Event]:
    """Provide an event that Ctrl-C and SIGTERM set."""
    stopping = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stopping
        return

    def stop(number: int, frame: FrameType | None) -> None:
        stopping.set()

    before: dict[int, Any] = {
        number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


SEED = (
    "Create a payee of type Test Rails called John Doe",
    "create a new payee named Ada Lovelace with email ada@example.com",
    "send 40 TSD to John Doe for the garden fence",
    "send 12.50 TSD to Ada Lovelace for lunch",
    "send 7 TSD to Test Payee for coffee",
    "send 150 TSD to John Doe for the new gate",
)
"""What makes a sandbox that is not empty: payees, payments, and one that waits. Asked for once in each account."""


def seed(sandbox: Sandbox) -> None:
    """Send each line of `SEED` to a sandbox that does not serve yet, unless its account got it before."""
    import httpx

    with httpx.Client(transport=sandbox.transport()) as http, sandbox.client(http_client=http) as client:
        for number, text in enumerate(SEED):
            client.ask(text, idempotency_key=f"seed-{number}")
