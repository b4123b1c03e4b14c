"""Flows around flows: what carries the steps of another flow out in its own way.

So a streamed call, whose events a function is called with, is one flow that either runner runs to its end.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

from payman_sdk._core.effects import CallHook, Effect, Emit, Flow

if TYPE_CHECKING:
    from payman_sdk._core.events import StreamEvent

T = TypeVar("T")

OnEvent: TypeAlias = Callable[["StreamEvent"], Any]


def hand_out(flow: Flow[T], on_event: OnEvent, note: Callable[[BaseException], None]) -> Flow[T]:
    """Run a flow that emits events, calling a function with each.

    Args:
        flow: The flow.
        on_event: The function; what it raises comes out unchanged, and ends the flow.
        note: Called with what it raises, to write the ids of the task on it.
    """
    annotated = _annotated(on_event, note)

    def take(step: Effect) -> Flow[Any]:
        if not isinstance(step, Emit):
            return (yield step)
        for event in step.what:
            yield CallHook(annotated, event)
        return None

    return step_through(flow, take)


def step_through(flow: Flow[T], take: Callable[[Effect], Flow[Any]]) -> Flow[T]:
    """Run a flow, carrying each of its steps out with another one, whose result or failure the flow gets."""
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


def _annotated(on_event: OnEvent, note: Callable[[BaseException], None]) -> OnEvent:
    def call(event: StreamEvent) -> Any:
        try:
            returned = on_event(event)
        except Exception as error:
            note(error)
            raise
        return awaited(returned) if isawaitable(returned) else returned

    async def awaited(returned: Any) -> Any:
        try:
            return await returned
        except Exception as error:
            note(error)
            raise

    return call
