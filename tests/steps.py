"""What it takes to step a flow by hand: a clock that is set, and a runner that only remembers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import Enum, auto
from typing import Any, TypeAlias, TypeVar

import httpx

from payman_sdk._config import Resend, read_config
from payman_sdk._core.auth.grants import TokenOwner
from payman_sdk._core.auth.tokens import TokenManager
from payman_sdk._core.effects import CallBlocking, CallHook, Effect, Flow, SendRequest, Sleep, WithLock
from payman_sdk._core.options import build_default_options
from payman_sdk._core.requests import AskRequest
from payman_sdk._core.retry import CallContext
from payman_sdk._core.send import ResponseFlow, carry_out
from payman_sdk._core.stream import StreamFlow
from payman_sdk._io.key_store import MemoryKeyStore
from payman_sdk._io.token_store_access import TokenStoreAccess
from payman_sdk._secrets import SecretStr
from payman_sdk._telemetry.observer import Observer
from payman_sdk.token_stores.memory import MemoryTokenStore

T = TypeVar("T")
Outcome: TypeAlias = httpx.Response | BaseException | Callable[[Any], httpx.Response]
"""An answer, what is raised, or what makes the answer to a body."""


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


class UnwritableError(Exception):
    """As of a driver that decodes what its server says when the exception is shown."""

    def __str__(self) -> str:
        return b"la base est arr\xeat\xe9e".decode()


def raise_unwritable(*_: object) -> None:
    raise UnwritableError


class Busy(Enum):
    """Which lock somebody else holds."""

    NONE = auto()
    CLIENT = auto()
    STORE = auto()


def driven(
    flow: Flow[T],
    outcomes: Iterable[Outcome] = (),
    busy: Busy = Busy.NONE,
    clock: Clock | None = None,
) -> tuple[T | BaseException, list[SendRequest]]:
    """Runs a flow, each `SendRequest` having the next outcome; what it returned or raised, and what it sent.

    A `Sleep` sets the clock that is given.
    """
    sent: list[SendRequest] = []
    try:
        return _run(flow, iter(outcomes), sent, busy, clock), sent
    except Exception as error:
        return error, sent


def _run(
    flow: Flow[Any],
    outcomes: Iterator[Outcome],
    sent: list[SendRequest],
    busy: Busy,
    clock: Clock | None,
) -> Any:
    try:
        step = next(flow)
        while True:
            try:
                outcome = _outcome(step, outcomes, sent, busy, clock)
            except Exception as error:
                step = flow.throw(error)
            else:
                step = flow.send(outcome)
    except StopIteration as end:
        return end.value


def _outcome(
    step: Effect,
    outcomes: Iterator[Outcome],
    sent: list[SendRequest],
    busy: Busy,
    clock: Clock | None,
) -> Any:
    match step:
        case WithLock(inner, _, lock):
            held = Busy.CLIENT if lock is None else Busy.STORE
            return None if held is busy else _run(inner, outcomes, sent, busy, clock)
        case CallBlocking(function):
            return function()
        case CallHook(function, about):
            return function(about)
        case Sleep(seconds) if clock is not None:
            clock.now += seconds
            return None
        case SendRequest():
            sent.append(step)
            outcome = next(outcomes, None)
            assert outcome is not None, "the flow sent more than was foreseen"
            if callable(outcome):
                outcome = outcome(step.request["json"])
            if isinstance(outcome, BaseException):
                raise outcome
            return outcome
        case _:
            raise AssertionError(f"an unforeseen step: {step}")


def time_of(
    clock: Clock,
    seconds: float = 300,
    *,
    max_retries: int = 0,
    random: float = 1.0,
    settle_time: float = 0.0,
    resend: Resend = "after_settling",
    tokens: TokenManager | None = None,
) -> CallContext:
    """So much time on a clock that goes when it is told to, with chance as it is given; one look settles an ask by default."""
    options = build_default_options(read_config({"client_id": "pm-test-1"}, {}))
    return CallContext(
        tokens=own_tokens(clock) if tokens is None else tokens,
        options=options._replace(max_retries=max_retries, settle_time=settle_time, resend=resend),
        deadline=clock.now + seconds,
        patience=60,
        clock=clock,
        random=lambda: random,
        watch=Observer().create_tracker(clock),
        wall_clock=clock,
        server="https://agent.payman.dev",
        open_key_store=lambda: None,
    )


def with_options(time: CallContext, **options: Any) -> CallContext:
    """The same with other options."""
    return time._replace(options=time.options._replace(**options))


def sent_whole(
    ask: AskRequest, time: CallContext, before_send: Callable[[Any], Any] | None = None
) -> Flow[tuple[dict[str, Any], Any]]:
    """The flow of an ask that is answered as a whole, with keys in memory."""
    time = with_options(time, before_send=before_send, key_store=MemoryKeyStore())
    return carry_out(ResponseFlow(ask, time))


def streamed(
    ask: AskRequest, time: CallContext, before_send: Callable[[Any], Any] | None = None
) -> StreamFlow:
    """The flow of an ask that is streamed, with keys in memory and limits as usual."""
    time = with_options(time, before_send=before_send, key_store=MemoryKeyStore())
    return StreamFlow(ask, time, (2**26, 2**24))


def own_tokens(clock: Clock) -> TokenManager:
    """The tokens of an application that acts for its own account, kept nowhere else."""
    owner = TokenOwner("pm-test-1", SecretStr("s3cret"), "https://agent.payman.dev", has_own_account=True)
    return TokenManager(
        owner, TokenStoreAccess(MemoryTokenStore()), clock=clock, now=clock, observer=Observer()
    )


def token_answer(
    value: str = "token-1", lifetime: float = 3600, refresh_token: str | None = None
) -> httpx.Response:
    """An answer of the token endpoint."""
    body = {"accessToken": value, "tokenType": "Bearer", "expiresIn": lifetime}
    return httpx.Response(200, json=body | ({"refreshToken": refresh_token} if refresh_token else {}))
