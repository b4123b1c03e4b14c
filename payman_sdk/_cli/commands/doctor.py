"""`payman doctor`: is everything there that an ask needs, and what to do where it is not. No money is moved."""

import platform
import sys
from collections.abc import Generator
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Annotated

import typer
from attrs import frozen

from payman_api import PATHS
from payman_sdk._cli import exit_codes
from payman_sdk._cli.clients import open_client, open_settings
from payman_sdk._cli.output import START_SANDBOX
from payman_sdk._cli.run import Run
from payman_sdk._cli.settings import SANDBOX_URL, FoundSetting, Settings
from payman_sdk._io.clock import monotonic, wall_time
from payman_sdk._text.sanitizer import sanitize
from payman_sdk._url import format_url
from payman_sdk._version import __version__
from payman_sdk.errors import APIConnectionError, AuthenticationError, PaymanError

_PACKAGES = (  # noqa: SIM905 (words read better as words)
    "httpx aiohttp msgspec typer rich python-dotenv jinja2 starlette uvicorn filelock keyring redis"
).split()
_PATIENCE = 10.0
_SKEW_TOLD, _SKEW_TOO_MUCH = 5.0, 60.0


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@frozen
class Finding:
    """Something the doctor found: how bad it is, what it is about, in a word, and what to do about it."""

    level: Level
    what: str
    said: str
    advice: str = ""


def doctor(
    context: typer.Context,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as one JSON document.")] = False,
) -> None:
    """Check settings, network, clock, token and versions.

    The exit status is 0 if an ask would work as far as can be seen, and 1 if something is wrong.
    """
    run: Run = context.obj
    findings: list[Finding] = []
    for finding in _run_checks(run):
        findings.append(finding)
        if not as_json:
            run.terminal.write_laid_out(format_finding(finding))
    if as_json:
        run.terminal.write_document(
            [{"level": f.level, "what": f.what, "said": f.said, "advice": f.advice} for f in findings]
        )
    is_wrong = any(finding.level is Level.PROBLEM for finding in findings)
    raise typer.Exit(exit_codes.FAILED if is_wrong else exit_codes.COMPLETED)


def _run_checks(run: Run) -> Generator[Finding]:
    yield Finding(Level.OK, "python", platform.python_version())
    yield Finding(Level.OK, "packages", _describe_packages())
    yield Finding(Level.OK, "system", f"{platform.system()} {platform.release()} ({sys.stdout.encoding})")
    try:
        with open_settings(run) as settings:
            yield from check_settings(settings)
            yield from _check_server(settings)
            if settings.is_complete:
                yield from _check_token(run, settings)
    except PaymanError as error:
        yield describe_error("settings", error)


def _check_server(settings: Settings) -> Generator[Finding]:
    import httpx

    from payman_sdk._io.transport import build_http_client

    base_url = settings.base_url.value
    began, wall = monotonic(), wall_time()
    try:
        with build_http_client(base_url).as_httpx() as http:
            # Any answer is enough; everybody may request the agent's card.
            answer = http.get(f"{base_url}{PATHS['get_agent_card']}", timeout=_PATIENCE)
    except httpx.HTTPError as error:
        # What a failed connection says is the system's; other failures may repeat the address of a proxy, and its password.
        said = f": {error}" if isinstance(error, httpx.ConnectError) else ""
        failure = APIConnectionError(
            f"{format_url(base_url)} cannot be reached: {type(error).__name__}{said}."
        )
        yield describe_error("network", failure, settings)
        return
    seconds = monotonic() - began
    yield check_reach(answer.status_code, seconds)
    yield check_clock(measure_clock_skew(answer.headers.get("Date"), wall + seconds / 2))


def _check_token(run: Run, settings: Settings) -> Generator[Finding]:
    try:
        with open_client(run, settings, timeout=_PATIENCE) as (client, _, store):
            report = client.get_access_token()
            kept = store.load()
    except PaymanError as error:
        yield describe_error("token", error, settings)
        return
    if report is None:
        yield Finding(Level.PROBLEM, "token", "has expired and cannot be renewed", "Run payman login again.")
    else:
        scopes = (kept.scope if kept else None) or "not reported by the server"
        yield Finding(Level.OK, "token", f"valid for {report['expiresIn']} s; scopes: {scopes}")


def measure_clock_skew(date: str | None, now: float) -> float | None:
    """How many seconds `now` is ahead of a Date header, which has whole seconds; None where it is none.

    Example:
        >>> from payman_sdk._cli.commands.doctor import measure_clock_skew
        >>> measure_clock_skew("Thu, 01 Jan 1970 00:01:00 GMT", 90.5), measure_clock_skew("yesterday", 90.5)
        (30.0, None)
    """
    try:
        return None if date is None else now - (parsedate_to_datetime(date).timestamp() + 0.5)
    except (ValueError, TypeError, OverflowError):
        return None


def _describe_packages() -> str:
    """Return the versions of what is installed, and what is not, as it is optional."""
    from importlib.metadata import PackageNotFoundError, version

    there, missing = [f"paymanai-sdk {__version__}"], list[str]()
    for name in _PACKAGES:
        try:
            there.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    said = ", ".join(there)
    return f"{said}; not installed: {', '.join(missing)}" if missing else said


def check_settings(settings: Settings) -> list[Finding]:
    """Each setting and where it came from; secrets only by that."""
    name, address = settings.server_name, format_url(settings.base_url.value)
    server = f"{'' if name == address else f'{name} '}{address} ({settings.base_url.source})"
    findings = [
        Finding(Level.OK, "server", server),
        Finding(
            Level.PROBLEM if settings.client_id is None else Level.OK,
            "client id",
            "not set" if settings.client_id is None else _format_found(settings.client_id),
            "Set PAYMAN_CLIENT_ID in the environment or in .env." if settings.client_id is None else "",
        ),
    ]
    secret, login = settings.client_secret, settings.login
    if secret is not None:
        findings.append(Finding(Level.OK, "secret", f"set, not shown ({secret.source})"))
    elif login is None:
        findings.append(
            Finding(
                Level.PROBLEM,
                "secret",
                "not set, and nobody is logged in",
                "Set PAYMAN_CLIENT_SECRET in the environment or in .env, or run payman login.",
            )
        )
    account = (
        "the application's own"
        if login is None
        else f"of the person who logged in, in the {login.keep} store"
    )
    findings.append(Finding(Level.OK, "account", account))
    findings += [
        Finding(Level.WARNING, "login", note, "Run payman logout if you no longer need it.")
        for note in settings.notes
    ]
    return findings


def describe_error(what: str, error: PaymanError, settings: Settings | None = None) -> Finding:
    match error:
        case APIConnectionError() if settings is not None and settings.base_url.value == SANDBOX_URL:
            advice = START_SANDBOX
        case AuthenticationError():
            advice = "Check the credentials, and that they belong to this server. If you logged in, run payman login again."
        case APIConnectionError():
            advice = "Check the address and the network, and HTTPS_PROXY and SSL_CERT_FILE if you use them."
        case _:
            advice = ""
    return Finding(Level.PROBLEM, what, error.message, error.next_step or advice)


def check_reach(status: int, seconds: float) -> Finding:
    said = f"answers ({status}, {seconds * 1000:.0f} ms)"
    if status >= 500:
        return Finding(Level.WARNING, "network", said, "The server has a problem; try again later.")
    return Finding(Level.OK, "network", said)


def check_clock(ahead: float | None) -> Finding:
    """How far this machine's clock is ahead of the server's, in seconds; None where the server did not say."""
    if ahead is None:
        return Finding(Level.OK, "clock", "not checked: the server sends no date")
    if abs(ahead) <= _SKEW_TOLD:
        return Finding(Level.OK, "clock", "agrees with the server's")
    said = f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the server's"
    advice = "Set this machine's clock, preferably by NTP. Otherwise stored tokens expire at the wrong time."
    return Finding(Level.PROBLEM if abs(ahead) > _SKEW_TOO_MUCH else Level.WARNING, "clock", said, advice)


def format_finding(finding: Finding) -> list[str]:
    """Return the lines of a finding, with the words sanitized."""
    said, advice = (sanitize(words, one_line=True) for words in (finding.said, finding.advice))
    lines = [f"{finding.level:<8} {finding.what:<10} {said}"]
    return [*lines, f"{'':<19} -> {advice}"] if advice else lines


def _format_found(found: FoundSetting) -> str:
    return f"{found.value} ({found.source})"
