"""What the doctor makes of what it found: findings, each with what to do about it. Nothing is asked here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from attrs import frozen

from payman_sdk._cli.error_report import START_SANDBOX
from payman_sdk._cli.settings import SANDBOX_URL, FoundSetting, Settings
from payman_sdk.errors import APIConnectionError, AuthenticationError, PaymanError

_SKEW_TOLD, _SKEW_TOO_MUCH = 5.0, 60.0


class Level(StrEnum):
    """How good or bad a finding is."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@frozen
class Finding:
    """Something the doctor found.

    Args:
        level: How bad it is.
        what: What it is about, in a word.
        said: What was found.
        advice: What to do about it.
    """

    level: Level
    what: str
    said: str
    advice: str = ""


def check_settings(settings: Settings) -> list[Finding]:
    """Each setting and where it came from; secrets only by that."""
    name = "" if settings.server_name == settings.base_url.value else settings.server_name
    findings = [
        Finding(Level.OK, "server", f"{name} {_format_found(settings.base_url)}".lstrip()),
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
    """Something that failed."""
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
    """Return the server answered, whatever it said."""
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


def check_token(expires_in: int, scope: str | None) -> Finding:
    """Return whether a token was given."""
    return Finding(
        Level.OK, "token", f"valid for {expires_in} s; scopes: {scope or 'not reported by the server'}"
    )


def check_versions(python: str, versions: Mapping[str, str | None]) -> list[Finding]:
    """Return the versions of what is installed; None for what is not, it is optional."""
    there = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    missing = ", ".join(name for name, version in versions.items() if not version)
    said = f"{there}; not installed: {missing}" if missing else there
    return [Finding(Level.OK, "python", python), Finding(Level.OK, "packages", said)]


def is_healthy(findings: Iterable[Finding]) -> bool:
    """Whether everything is fine."""
    return all(finding.level is not Level.PROBLEM for finding in findings)


def format_findings(findings: Iterable[Finding]) -> list[str]:
    """Return the findings as lines of text."""
    lines: list[str] = []
    for finding in findings:
        lines.append(f"{finding.level:<8} {finding.what:<10} {finding.said}")
        if finding.advice:
            lines.append(f"{'':<19} -> {finding.advice}")
    return lines


def _format_found(found: FoundSetting) -> str:
    return f"{found.value} ({found.source})"
