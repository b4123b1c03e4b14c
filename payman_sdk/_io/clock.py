"""The clocks of the SDK; no other module reads one.

Libraries that freeze or move time in tests replace the functions of `time` in every module that holds one. A deadline compared with
another clock never ends, or has always ended. So only this module holds the function for deadlines.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

_APART = 1.0
"""Seconds that two readings of one clock are never apart."""

# A second copy of the module, which `sys.modules` does not hold.
_spec: Any = time.__spec__
_copy = _spec.loader.create_module(_spec)
_spec.loader.exec_module(_copy)

monotonic: Callable[[], float] = _copy.monotonic
"""Return seconds that only go forward, whatever a test does to `time`."""


def wall_time() -> float:
    """Return the seconds since 1970, as the program sees them: a test may have frozen or moved them."""
    return time.time()


def is_patched() -> bool:
    """Whether other code reads a monotonic clock that was replaced; event loops then do, too."""
    return abs(time.monotonic() - monotonic()) > _APART
