"""Functions for fork hooks and loggers. Python frees last, and slowly, what these hold with all that it refers to."""

from __future__ import annotations

from collections.abc import Callable
from weakref import ref


class WeakCall:
    """Calls a function as long as something of its module is in use. A filter lets records pass afterwards: no secret is left."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., bool | None]) -> None:
        self._function = ref(function)

    def __call__(self, *arguments: object) -> bool:
        function = self._function()
        return function is None or bool(function(*arguments))
