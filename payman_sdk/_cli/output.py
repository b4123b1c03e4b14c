"""Notes and failures: in words on standard error, and with `--json` as one object on standard output.

In JSON, amounts are strings, times ISO 8601, and unknown values null.
"""

from __future__ import annotations

import datetime as dt
import shlex
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any

from attrs import AttrsInstance, fields, has

from payman_sdk._cli import exit_codes
from payman_sdk._cli.run import Run
from payman_sdk._text.error_response import shorten
from payman_sdk._text.sanitizer import sanitize
from payman_sdk.errors import APIConnectionError, OutcomeUnknownError, PaymanError

if TYPE_CHECKING:
    from payman_sdk._core.task_response import FormattedTaskResponse


START_SANDBOX = "Start payman sandbox in another terminal."


def report_error(run: Run, error: PaymanError) -> int:
    if run.debug:
        run.terminal.write_traceback(error)
    status = exit_codes.from_error(
        error,
        is_sent=run.has_sent is not False,
        is_lookup=run.task_id is not None,
        is_harmless=run.is_harmless,
    )
    if run.is_at_sandbox and isinstance(error, APIConnectionError) and error.sent is False:
        error.next_step = error.next_step or START_SANDBOX
    if status != exit_codes.UNDETERMINED:
        run.terminal.write_message(str(error))
        write_error(run, describe_error(error, status))
        return status
    known = ", ".join(f"{name} {value}" for name, value in _name_ids(error).items() if value)
    advice = run.suggest_follow_up(error.task_id).strip()
    said = [error.message, error.next_step, f"[{known}]" if known else "", advice]
    if isinstance(error, OutcomeUnknownError) or run.sent is not None:
        safe = "Repeat it only with the same --idempotency-key."
        said.insert(1, safe if error.idempotency_key else "Do not send it again until you know the outcome.")
        advice = f"{said[1]} {advice}".strip()
    run.terminal.write_message(" ".join(part for part in said if part))
    write_error(run, describe_error(error, status, next_step=advice))
    return status


def describe_error(error: PaymanError, status: int, *, next_step: str = "") -> dict[str, Any]:
    return describe_failure(
        type(error).__name__,
        error.message,
        status,
        next_step=next_step or error.next_step,
        sent=False if status == exit_codes.USAGE else error.sent,
        task_id=error.task_id,
        session_id=error.session_id,
        request_id=error.request_id,
        idempotency_key=error.idempotency_key,
    )


def describe_failure(
    name: str,
    message: str,
    status: int,
    *,
    next_step: str = "",
    sent: bool | None = False,
    task_id: str | None = None,
    session_id: str | None = None,
    request_id: str | None = None,
    idempotency_key: str | None = None,
) -> dict[str, Any]:
    """Return a failure as JSON has it: every member is there, whatever failed."""
    return {
        "class": name,
        "message": sanitize(message, one_line=True),
        "next_step": sanitize(next_step, one_line=True) or None,
        "sent": sent,
        "task_id": task_id,
        "session_id": session_id,
        "request_id": request_id,
        "idempotency_key": idempotency_key,
        "exit_code": status,
    }


def write_error(run: Run, described: dict[str, Any]) -> None:
    """Write a failure as the one JSON document of this run, where `--json` asks for one."""
    if run.task_id is not None:  # that a look-up was not sent says nothing about the task
        described["sent"] = described["sent"] or None
    if run.as_json:
        run.terminal.write_document({"error": described})


def report_not_sent(run: Run) -> int:
    """Say that a person did not agree, and return the exit status."""
    run.terminal.write_message("Nothing was sent.")
    write_error(run, describe_failure("NotConfirmed", "Nothing was sent.", exit_codes.FAILED))
    return exit_codes.FAILED


def _name_ids(error: PaymanError) -> dict[str, str | None]:
    return {"task": error.task_id, "session": error.session_id, "request": error.request_id}


def comment(
    run: Run, response: FormattedTaskResponse, *, is_chat: bool = False, is_cancelable: bool = True
) -> int:
    """Print the state of the task if the answer does not say it, and return the exit status."""
    status = exit_codes.from_state(response["state"])
    task_id, session_id = shorten(response.task_id), shorten(response.session_id or "")
    task, session = shlex.quote(task_id), shlex.quote(session_id or "new")
    ids = f"task {task_id}, session {session_id or 'unknown'}"
    state = shorten(response["state"])
    if status == exit_codes.COMPLETED:
        if not is_chat:
            run.terminal.write_hint(f"completed [{ids}]")
    elif status in {exit_codes.FAILED, exit_codes.REFUSED}:
        said = shorten((response.error or {}).get("message") or response.status_message or "")
        run.terminal.write_message(f"The task is {state}: {said} [{ids}]")
    elif status == exit_codes.WAITING and not response.requires_input and not run.sandbox:
        wait = run.format_command(f"tasks wait {task}")
        run.terminal.write_message(
            f"The task waits for a person to act elsewhere, such as to sign in [{ids}]. Then run: {wait}"
        )
    elif is_chat:
        run.terminal.write_message(
            "The task waits for you: /approve, /deny, or answer in words. /new leaves it waiting."
            if status == exit_codes.WAITING
            else f"The task is still {state} [{ids}]{'; /cancel cancels it' if is_cancelable else ''}."
        )
    elif run.sandbox:
        run.terminal.write_message(f"The task is {state}, and its sandbox ends now [{ids}]")
    elif status == exit_codes.WAITING:
        reply = run.format_command(f"tasks reply {task} approve --session {session}")
        wait = run.format_command(f"tasks wait {task}")
        run.terminal.write_message(f"The task waits for an answer [{ids}].")
        run.terminal.write_message(f"To approve it: {reply}")
        run.terminal.write_message(f"After somebody has decided elsewhere: {wait}")
    else:
        run.terminal.write_message(
            f"The task is still {state} [{ids}]. To wait for it: {run.format_command(f'tasks wait {task}')}"
        )
    return status


_LEFT_OUT = frozenset({"response"})
"""The answer as a whole, which `payman tasks get` shows."""


def to_json(value: AttrsInstance) -> dict[str, Any]:
    names = [field.name for field in fields(type(value)) if field.name not in _LEFT_OUT]
    return {name: _convert(getattr(value, name)) for name in names}


def _convert(value: Any) -> Any:
    """Return a member in the form of JSON. An unknown type is an error rather than a guess."""
    match value:
        case None | bool():
            return value
        case Enum():
            return value.value
        case str():
            return str(value)
        case Decimal():
            return format(value, "f")
        case dt.datetime():
            return value.isoformat()
        case PaymanError():
            return describe_error(value, exit_codes.UNDETERMINED)
        case _ if has(type(value)):  # pyright: ignore[reportUnknownArgumentType] (of any type)
            return to_json(value)
        case _:
            raise TypeError(f"{type(value).__name__} cannot be written as JSON.")
