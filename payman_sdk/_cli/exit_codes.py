"""The exit status of the command, in one `TABLE` for answers, payments and failures."""

from typing import Any

from payman_sdk._core.task_normalization import find_state
from payman_sdk._core.task_reader import unwrap_task
from payman_sdk._core.task_response import Phase, canonicalize_state, get_phase
from payman_sdk._core.wire_json import as_object
from payman_sdk.errors import (
    AuthenticationError,
    ConfigurationError,
    IdempotencyKeyReuseError,
    OutcomeUnknownError,
    PaymanError,
    TaskFailedError,
    TaskNotCancelableError,
    TokenStoreError,
)

COMPLETED, FAILED, USAGE, WAITING, REFUSED, UNDETERMINED, AUTHENTICATION = range(7)
INTERRUPTED, TERMINATED = 130, 143

TABLE = (
    (COMPLETED, "completed; of a payment: paid"),
    (FAILED, "failed, canceled, or not sent"),
    (USAGE, "a wrong argument, or a setting or --yes is missing; nothing was sent"),
    (WAITING, "waits for an approval, for an answer, or for a person elsewhere"),
    (REFUSED, "refused by Payman, or denied by a person; not paid"),
    (UNDETERMINED, "undetermined: it may have been carried out; look it up later"),
    (AUTHENTICATION, "no valid token; nothing was sent"),
    (INTERRUPTED, "Ctrl-C"),
    (TERMINATED, "SIGTERM, such as by timeout"),
)
"""Every exit status, and what it means."""

_OUTCOMES = {"paid": COMPLETED, "awaiting_approval": WAITING, "refused": REFUSED, "failed": FAILED}


def from_outcome(outcome: str) -> int:
    """Return the exit code for the outcome of a payment. An unknown outcome is undetermined."""
    return _OUTCOMES.get(outcome, UNDETERMINED)


def from_state(state: str) -> int:
    """Return the exit code for a task in this state. A working task and an unknown state are undetermined."""
    state = canonicalize_state(state)
    match get_phase(state):
        case Phase.COMPLETED:
            return COMPLETED
        case Phase.FAILED:
            return REFUSED if state == "rejected" else FAILED
        case Phase.AWAITS_REPLY | Phase.AWAITS_PERSON:
            return WAITING
        case Phase.AT_WORK | Phase.UNKNOWN:
            return UNDETERMINED


def from_raw(answer: Any) -> int:
    """Return the status for a JSON-RPC answer as it came."""
    task = unwrap_task((as_object(answer) or {}).get("result"))
    state = None if task is None else find_state(task)
    return UNDETERMINED if state is None else from_state(state)


def from_error(
    error: PaymanError, *, is_sent: bool = True, is_lookup: bool = False, is_harmless: bool = False
) -> int:
    """Return the status for what the SDK raised: undetermined, unless the arguments or the error exclude it.

    `is_sent`: the command may have sent something if the error does not say so. `is_lookup`: a task was looked up or canceled, so a
    failure says nothing about how it ended. `is_harmless`: the command orders nothing, so nothing can be undetermined.
    """
    is_sent = is_sent if error.sent is None else error.sent
    match error:
        case OutcomeUnknownError():
            status = UNDETERMINED
        case ConfigurationError() | IdempotencyKeyReuseError() if error.sent is not True:
            status = USAGE
        case TaskFailedError() if error.task is not None:
            status = from_state(error.task["state"])
            status = REFUSED if status == COMPLETED else status
        case TaskNotCancelableError():
            status = FAILED
        case AuthenticationError() | TokenStoreError() if is_harmless or not is_sent:
            status = AUTHENTICATION
        case _:
            status = UNDETERMINED if is_sent or is_lookup else FAILED
    return FAILED if status == UNDETERMINED and is_harmless else status
