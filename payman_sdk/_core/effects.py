"""Flows decide, runners act.

A flow is a generator: it yields effects and is sent their results, or has their failure thrown into it. It does no I/O, so a test
can step through every decision.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Mapping
from functools import partial
from types import GeneratorType
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeAlias, TypeVar, cast

from payman_sdk._annotations import NamedTuple

if TYPE_CHECKING:
    from payman_sdk._core.events import StreamEvent
    from payman_sdk._core.http import Transmission


T = TypeVar("T")

Clock: TypeAlias = Callable[[], float]
"""Returns seconds: such that only go forward, or, of the wall clock, those since 1970."""


class SendRequest(NamedTuple):
    """Send this request, read its whole answer, and return the `httpx.Response`.

    Args:
        request: The result of `build_request` of `payman_api`.
        deadline: The end, on the runner's clock.
        patience: Seconds until the answer; for an event stream, until its start, and of silence. None for the runner's limit.
        is_stream: Whether to leave an event stream open for `ReadChunk`.
        transmission: Where the runner records progress, or None.
    """

    request: Mapping[str, Any]
    deadline: float
    patience: float | None = None
    is_stream: bool = False
    transmission: Transmission | None = None

    def __repr__(self) -> str:
        # The request holds secrets.
        return f"SendRequest(deadline={self.deadline}, is_stream={self.is_stream})"


class ReadChunk(NamedTuple):
    """Read the next bytes of the flow's open event stream, None at its end; wait until `until` on the runner's clock."""

    until: float


class Emit(NamedTuple):
    """Hand this to whoever runs the flow, and go on when asked for more."""

    what: Any


class Sleep(NamedTuple):
    """Do nothing for so many seconds."""

    seconds: float


class CallBlocking(NamedTuple):
    """Call a function that may block until `deadline`, and return its result.

    `is_shielded` lets it end before a cancellation takes effect.
    """

    function: Callable[[], Any]
    is_shielded: bool = False
    deadline: float = math.inf


class Invoke(NamedTuple):
    """Call a function and await its result if possible. Unlike a hook's, its exceptions are thrown into the flow."""

    function: Callable[[], Any]


class CallHook(NamedTuple):
    """Call a function of the user's, and await its result if possible. Its exceptions pass unchanged."""

    function: Callable[[Any], Any]
    about: Any


class NotifyHook(NamedTuple):
    """Call a function of the user's on the way out of an interrupted flow.

    The runner awaits the result for a second at most, shielded from the cancellation, and logs exceptions.
    """

    function: Callable[[Any], Any]
    about: Any


class Lock(Protocol):
    """What `WithLock` can hold: held by one flow at a time. Another thread may release it."""

    def acquire(self, *, timeout: float) -> bool:
        """Wait so many seconds for the lock, and return whether it is held; 0 only tries."""
        ...

    def release(self) -> None:
        """Release the lock."""
        ...


class WithLock(NamedTuple):
    """Run this flow under a lock, and return its result, or None if the lock was not free in time.

    `until` is on the runner's clock; a past time only tries. Without `lock`, it is the runner's own.
    """

    flow: Generator[Effect, Any, Any]
    until: float
    lock: Lock | None = None


Effect: TypeAlias = (
    SendRequest | ReadChunk | Emit | Sleep | CallBlocking | Invoke | CallHook | NotifyHook | WithLock
)
Flow: TypeAlias = Generator[Effect, Any, T]


class FlowResult(NamedTuple, Generic[T]):
    """A flow has ended, and returned this."""

    result: T


def interrupt(flow: Flow[Any], error: BaseException) -> Iterator[NotifyHook]:
    """Throw an interruption into a flow, and yield the effects it wants before it ends."""
    resume: Callable[[], Effect] = partial(flow.throw, error)
    while isinstance(flow, GeneratorType) and flow.gi_frame is not None and not flow.gi_running:
        try:
            step = resume()
        except BaseException:
            return  # what interrupts comes out of it again, and is raised by whoever throws it in
        if not isinstance(step, NotifyHook):
            return
        yield step
        resume = partial(flow.send, None)


OnEvent: TypeAlias = Callable[["StreamEvent"], Any]


def hand_out(flow: Flow[T], on_event: OnEvent) -> Flow[T]:
    """Run a flow that emits events, calling a function with each; its exception ends the flow."""

    def take(step: Effect) -> Flow[Any]:
        if not isinstance(step, Emit):
            return (yield step)
        for event in step.what:
            yield CallHook(on_event, event)
        return None

    return step_through(flow, take)


def step_through(flow: Flow[T], take: Callable[[Effect], Flow[Any]]) -> Flow[T]:
    """Run a flow, carrying out each step with another one, whose result or failure the flow gets."""
    resume: Callable[[], Effect] = partial(next, flow)
    try:
        while True:
            try:
                step = resume()
            except StopIteration as end:
                return cast("T", end.value)
            try:
                outcome = yield from take(step)
            except BaseException as error:
                resume = partial(flow.throw, error)
            else:
                resume = partial(flow.send, outcome)
    finally:
        flow.close()


class Stopwatch:
    """The time of a call, without the guard's: a person may take theirs to allow it."""

    def __init__(self, now: Clock) -> None:
        self._now = now
        self._began = now()

    def seconds(self) -> float:
        """Return how long it has taken so far."""
        return self._now() - self._began

    def without_guard(self, flow: Flow[T], guard: Callable[[Any], Any] | None) -> Flow[T]:
        """Run a flow, and leave out the time in which it consults the guard."""

        def take(step: Effect) -> Flow[Any]:
            if not isinstance(step, CallHook) or step.function is not guard:
                return (yield step)
            asked = self._now()
            outcome = yield step
            self._began += self._now() - asked
            return outcome

        return (yield from step_through(flow, take))
