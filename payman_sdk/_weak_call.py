"""Functions for what lasts as long as the process: its forks and its loggers.

Whatever they hold is freed only at the very end of the interpreter, with all that its functions refer to. If that were this SDK and
httpcore, a short program would take 3 % longer. So they hold a `WeakCall`, and this module imports nothing that refers to more.
"""

from __future__ import annotations

from collections.abc import Callable
from weakref import ref


class WeakCall:
    """Calls a function as long as something of its module is in use, and does nothing afterwards.

    A filter of a logger then lets a record pass: where all of the SDK is gone, none of its secrets can be in it.
    """

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., bool | None]) -> None:
        self._function = ref(function)

    def __call__(self, *arguments: object) -> bool:
        function = self._function()
        return function is None or bool(function(*arguments))
