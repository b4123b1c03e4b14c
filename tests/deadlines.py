"""Short deadlines in tests that a busy machine does not miss."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from payman_sdk.errors import APITimeoutError

T = TypeVar("T")


def with_enough_time(seconds: float, attempt: Callable[[float], T]) -> T:
    """Return what an attempt returns that is given so many seconds.

    An attempt that raises `APITimeoutError` was over before what it is about had begun: it gets ten times as many, and ten times
    as many once more. So a quiet machine is quick, and a busy one passes.
    """
    for factor in (1, 10):
        with suppress(APITimeoutError):
            return attempt(seconds * factor)
    return attempt(seconds * 100)
