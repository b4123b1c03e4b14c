"""What it takes to step a flow by hand: a clock that is set, and a door that only remembers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import httpx

from payman_sdk.flows import Alone, Flow, Send, Step

T = TypeVar("T")


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


def driven(
    flow: Flow[T], outcomes: Iterable[httpx.Response | BaseException] = ()
) -> tuple[T | BaseException, list[Send]]:
    """Runs a flow, each `Send` having the next outcome; what it returned or raised, and what it sent."""
    sent: list[Send] = []
    try:
        return _run(flow, iter(outcomes), sent), sent
    except Exception as error:
        return error, sent


def _run(flow: Flow[Any], outcomes: Iterator[httpx.Response | BaseException], sent: list[Send]) -> Any:
    try:
        step = next(flow)
        while True:
            try:
                outcome = _outcome(step, outcomes, sent)
            except Exception as error:
                step = flow.throw(error)
            else:
                step = flow.send(outcome)
    except StopIteration as end:
        return end.value


def _outcome(step: Step, outcomes: Iterator[httpx.Response | BaseException], sent: list[Send]) -> Any:
    match step:
        case Alone(inner):
            return _run(inner, outcomes, sent)
        case Send():
            sent.append(step)
            outcome = next(outcomes, None)
            assert outcome is not None, "the flow sent more than was foreseen"
            if isinstance(outcome, BaseException):
                raise outcome
            return outcome
        case _:
            raise AssertionError(f"an unforeseen step: {step}")


def token_answer(value: str = "token-1", lifetime: float = 3600) -> httpx.Response:
    return httpx.Response(200, json={"accessToken": value, "tokenType": "Bearer", "expiresIn": lifetime})
