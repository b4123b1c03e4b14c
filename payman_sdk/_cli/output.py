"""What is said of an answer beside the answer itself, and the exit status for it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from payman_sdk._cli import exit_codes
from payman_sdk._cli.run import Run
from payman_sdk._text.error_response import shorten

if TYPE_CHECKING:
    from payman_sdk._core.task_response import FormattedTaskResponse


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
