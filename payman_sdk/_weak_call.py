"""Functions for fork hooks and loggers: Python frees last what these hold, with all that it refers to."""

from __future__ import annotations

import sys
from collections.abc import Callable
from weakref import ref


class WeakCall:
    """Calls a function, or that of its name after a reload. Without one it returns True, until Python ends."""

    __slots__ = ("_function", "_home")

    def __init__(self, function: Callable[..., bool | None]) -> None:
        self._function, self._home = ref(function), (function.__module__, function.__name__)

    def __call__(self, *arguments: object) -> bool:
        module, name = self._home
        function = self._function() or getattr(sys.modules.get(module), name, None)
        return not sys.is_finalizing() if function is None else bool(function(*arguments))
