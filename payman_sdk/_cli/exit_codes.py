"""The exit status of the command: how an answer, or a failure, is told in one number.

0   completed
1   failed, or refused by the agent, the server or you; a task that was canceled or rejected; nothing that was not canceled is under way
2   a usage error: a wrong argument, a missing setting; nothing was sent
3   authentication: no valid token
4   the outcome is unknown: it may have been carried out; the message says how to ask later
5   it waits for an approval, for another answer, or for a person to act elsewhere
130 Ctrl-C
"""

from __future__ import annotations

from typing import Any

from payman_sdk._core.part_normalization import as_object
from payman_sdk._core.states import Phase, canonicalize_state, get_phase
from payman_sdk._core.task_normalization import find_state
from payman_sdk._core.task_reader import unwrap_task
from payman_sdk.errors import (
    APIConnectionError,
    AuthenticationError,
    ConfigurationError,
    IdempotencyKeyReuseError,
    OutcomeUnknownError,
    PaymanError,
    TokenStoreError,
)

COMPLETED, FAILED, USAGE, AUTHENTICATION, UNKNOWN, WAITING, INTERRUPTED, TERMINATED = (
    0,
    1,
    2,
    3,
    4,
    5,
    130,
    143,
)


def from_state(state: str) -> int:
    """The status for a task in this state; a state in which it is still at work, or that nobody has listed, is unknown.

    Example:
        >>> from payman_sdk._cli.exit_codes import from_state
        >>> from_state("COMPLETED"), from_state("input-required"), from_state("working")
        (0, 5, 4)
    """
    match get_phase(canonicalize_state(state)):
        case Phase.COMPLETED:
            return COMPLETED
        case Phase.FAILED:
            return FAILED
        case Phase.AWAITS_REPLY | Phase.AWAITS_PERSON:
            return WAITING
        case Phase.AT_WORK | Phase.UNKNOWN:
            return UNKNOWN


def from_raw(answer: Any) -> int:
    """The status for a JSON-RPC answer as it came."""
    told = unwrap_task((as_object(answer) or {}).get("result"))
    state = None if told is None else find_state(told)
    return UNKNOWN if state is None else from_state(state)


def from_error(error: PaymanError) -> int:
    """The status for what the SDK raised.

    Example:
        >>> from payman_sdk._cli.exit_codes import from_error
        >>> from payman_sdk.errors import AuthenticationError, OutcomeUnknownError
        >>> from_error(AuthenticationError("No.")), from_error(OutcomeUnknownError("Silence."))
        (3, 4)
    """
    match error:
        case OutcomeUnknownError():
            return UNKNOWN
        case AuthenticationError() | TokenStoreError():
            return AUTHENTICATION
        case ConfigurationError() | IdempotencyKeyReuseError():
            return USAGE
        case APIConnectionError() if error.sent is not False:
            return UNKNOWN
        case _:
            return FAILED
