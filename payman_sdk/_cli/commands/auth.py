"""`payman login`, `logout` and `token`: a person's account, and the token that is used."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import typer

from payman_sdk._cli import exit_codes
from payman_sdk._cli.clients import announce, connect, resolve_settings
from payman_sdk._cli.login_store import (
    Login,
    delete_login,
    delete_token,
    describe_place,
    load_login,
    open_store,
    save_login,
)
from payman_sdk._cli.output import report_error
from payman_sdk._cli.run import Run
from payman_sdk._io.clock import wall_time
from payman_sdk.errors import APITimeoutError, AuthenticationError, ConfigurationError, TokenStoreError

if TYPE_CHECKING:
    from payman_sdk._io.loopback import SystemBrowser

_KEEP = ("file", "keyring")


def login(
    context: typer.Context,
    *,
    client_id: Annotated[
        str | None, typer.Option(metavar="ID", help="The application; PAYMAN_CLIENT_ID by default.")
    ] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option("--scope", metavar="SCOPE", help="A scope to request; may be repeated. All by default."),
    ] = None,
    keep: Annotated[str, typer.Option(metavar="file|keyring", help="Where to store the token.")] = "file",
    port: Annotated[
        int,
        typer.Option(metavar="N", min=0, max=65535, help="The port of the redirect URI; 0 picks a free one."),
    ] = 0,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page, or only print its address.")
    ] = True,
    wait: Annotated[float, typer.Option(metavar="SECONDS", help="Seconds to wait for the decision.")] = 300.0,
) -> None:
    """Log in as a person, in the browser; the token is kept and renewed.

    From then on their account is used, until payman logout. The secret of an application that has one stays in
    PAYMAN_CLIENT_SECRET: renewing the token needs it.
    """
    run: Run = context.obj
    run.is_harmless = True
    if run.sandbox:
        raise ConfigurationError(
            "--sandbox starts a sandbox for this command only, so a login would be useless.",
            next_step="Start payman sandbox, and log in with payman --env SANDBOX login.",
        )
    if keep not in _KEEP:
        raise ConfigurationError(f"--keep is {keep!r}.", next_step=f"Use {' or '.join(_KEEP)}.")
    settings = resolve_settings(run, client_id=client_id)
    if settings.client_id is None:
        raise ConfigurationError(
            "The client id is missing.", next_step="Pass --client-id, or set PAYMAN_CLIENT_ID."
        )
    from payman_sdk._client.login import login as log_in
    from payman_sdk._core.auth.authorization import Scope

    before, store = _find_earlier_login(), open_store(keep)
    announce(run, settings)
    secret = settings.client_secret
    try:
        client = log_in(
            client_id=settings.client_id.value,
            client_secret=secret.value if secret else None,
            base_url=settings.base_url.value,
            allow_http_hosts=settings.allow_http_hosts or None,
            scopes=scope or list(Scope),
            open_browser=_make_browser(run) if browser else lambda url: _show_address(run, url),
            port=port,
            wait=wait,
            token_store=store,
        )
    except APITimeoutError as error:
        raise typer.Exit(max(report_error(run, error), exit_codes.AUTHENTICATION)) from None
    with client:
        report = client.get_access_token()  # tries again to keep what could not be kept
    kept = store.load()
    if report is None or kept is None or kept.access_token != report["accessToken"]:
        raise TokenStoreError(
            f"The token could not be stored in {describe_place(keep)}.",
            next_step="See the warning above, and log in again.",
        )
    save_login(Login(client_id=settings.client_id.value, base_url=settings.base_url.value, keep=keep))
    if before is not None and before.keep != keep:
        delete_token(before.keep)
    allowed = f" It may: {kept.scope}." if kept.scope else ""
    run.terminal.write_message(
        f"Logged in at {settings.server_name}; the token is in {describe_place(keep)}.{allowed}"
    )


def logout(context: typer.Context) -> None:
    """Forget the login and its token.

    Payman cannot revoke a token early: it stays valid until it expires.
    """
    run: Run = context.obj
    run.terminal.write_message("Logged out." if delete_login() else "Nobody was logged in.")


def token(
    context: typer.Context,
    *,
    show: Annotated[
        bool,
        typer.Option(
            "--show", help="Print the token itself on standard output, and all else on standard error."
        ),
    ] = False,
) -> None:
    """Show whose token is used, until when, and for what.

    It is fetched or renewed if need be.
    """
    run: Run = context.obj
    run.is_harmless = True
    with connect(run) as (client, settings, store):
        report = client.get_access_token()
        kept = store.load()
    if report is None or settings.client_id is None:
        raise AuthenticationError(
            "The token has expired and cannot be renewed.", next_step="Run payman login again.", sent=False
        )
    ends = dt.datetime.fromtimestamp(wall_time() + report["expiresIn"]).astimezone()
    lines = [
        f"Account:  {describe_account(settings.login)} of {settings.client_id.value}",
        f"Server:   {settings.server_name}",
        f"Expires:  {ends:%Y-%m-%d %H:%M:%S %z}, in {report['expiresIn']} s",
        f"Scopes:   {(kept.scope if kept else None) or 'not reported by the server'}",
        f"Renewal:  {'automatic' if settings.login is None or (kept and kept.refresh_token) else 'log in again'}",
    ]
    if show:
        for line in lines:
            run.terminal.write_message(line)
        run.terminal.write(f"{report['accessToken']}\n")
    else:
        run.terminal.write_answer_lines(lines)


def describe_account(login: Login | None) -> str:
    """Whose account is used, in words."""
    return (
        "the application's own account"
        if login is None
        else "the account of the person who logged in, through"
    )


def _find_earlier_login() -> Login | None:
    try:
        return load_login()
    except TokenStoreError:  # damaged; it is about to be replaced, or removed
        return None


def _make_browser(run: Run) -> SystemBrowser:
    """Return the system's browser; the address of the page is shown where there is none."""
    from payman_sdk._io.loopback import SystemBrowser

    class Browser(SystemBrowser):
        def open(self, url: str, link: str) -> bool:
            if super().open(url, link):
                run.terminal.write_message("Waiting for your decision in the browser …")
            else:
                _show_address(run, url)
            return True

    return Browser()


def _show_address(run: Run, url: str) -> None:
    run.terminal.write_message(f"Open this page and decide there: {url}")
