"""`payman doctor`: is everything there that an ask needs, and what to do where it is not. No money is moved."""

from __future__ import annotations

import platform
import sys
from collections.abc import Generator
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer

from payman_api import PATHS
from payman_sdk._cli import exit_codes
from payman_sdk._cli.clients import open_client, open_settings
from payman_sdk._cli.commands import diagnosis
from payman_sdk._cli.commands.diagnosis import Finding, Level
from payman_sdk._cli.run import Run
from payman_sdk._cli.settings import Settings
from payman_sdk._io.clock import monotonic, wall_time
from payman_sdk._version import __version__
from payman_sdk.errors import APIConnectionError, PaymanError

_PACKAGES = (
    "httpx",
    "httpx-aiohttp",
    "msgspec",
    "typer",
    "rich",
    "python-dotenv",
    "jinja2",
    "starlette",
    "uvicorn",
    "filelock",
    "keyring",
    "redis",
)
_PATIENCE = 10.0


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
            run.terminal.write_answer_lines(diagnosis.format_findings([finding]))
    if as_json:
        run.terminal.write_document(
            [{"level": f.level, "what": f.what, "said": f.said, "advice": f.advice} for f in findings]
        )
    raise typer.Exit(exit_codes.COMPLETED if diagnosis.is_healthy(findings) else exit_codes.FAILED)


def _run_checks(run: Run) -> Generator[Finding]:
    yield from diagnosis.check_versions(
        platform.python_version(), {"paymanai-sdk": __version__, **_find_versions()}
    )
    yield Finding(Level.OK, "system", f"{platform.system()} {platform.release()} ({sys.stdout.encoding})")
    try:
        with open_settings(run) as settings:
            yield from diagnosis.check_settings(settings)
            yield from _check_server(settings)
            if settings.is_complete:
                yield from _check_token(run, settings)
    except PaymanError as error:
        yield diagnosis.describe_error("settings", error)


def _check_server(settings: Settings) -> Generator[Finding]:
    import httpx

    from payman_sdk._io.transport import build_http_client

    base_url = settings.base_url.value
    began, wall = monotonic(), wall_time()
    try:
        with build_http_client(base_url) as http:
            # Any answer is enough; everybody may request the agent's card.
            answer = http.get(f"{base_url}{PATHS['get_agent_card']}", timeout=_PATIENCE)
    except httpx.HTTPError as error:
        # What a failed connection says is the system's; other failures may repeat the address of a proxy, and its password.
        said = f": {error}" if isinstance(error, httpx.ConnectError) else ""
        failure = APIConnectionError(f"{base_url} cannot be reached: {type(error).__name__}{said}.")
        yield diagnosis.describe_error("network", failure, settings)
        return
    seconds = monotonic() - began
    yield diagnosis.check_reach(answer.status_code, seconds)
    yield diagnosis.check_clock(measure_clock_skew(answer.headers.get("Date"), wall + seconds / 2))


def _check_token(run: Run, settings: Settings) -> Generator[Finding]:
    try:
        with open_client(run, settings, timeout=_PATIENCE) as (client, _, store):
            report = client.get_access_token()
            kept = store.load()
    except PaymanError as error:
        yield diagnosis.describe_error("token", error, settings)
        return
    if report is None:
        yield Finding(Level.PROBLEM, "token", "has expired and cannot be renewed", "Run payman login again.")
    else:
        yield diagnosis.check_token(report["expiresIn"], kept.scope if kept else None)


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


def _find_versions() -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found
