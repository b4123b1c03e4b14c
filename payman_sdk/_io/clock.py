"""The clocks of the SDK; no other module reads one.

Libraries that freeze or move time in tests (freezegun, time-machine) replace the functions of the module `time`, wherever a loaded
module holds one. A deadline that was set by one clock and is compared with another never ends, or has always ended. So
deadlines are kept by a function that no other module holds, and every call reads the wall time again.
"""

from __future__ import annotations

import importlib.util
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

_APART = 1.0
"""Seconds that two readings of one clock are never apart."""


def _import_copy(name: str) -> ModuleType:
    """Return a second copy of a module, which `sys.modules` does not hold."""
    spec = importlib.util.find_spec(name)
    assert spec is not None  # noqa: S101 (the module has been imported)
    assert spec.loader is not None  # noqa: S101
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if TYPE_CHECKING:

    def monotonic() -> float:
        """Return seconds that only go forward, whatever a test does to `time`."""
        ...
else:
    monotonic = _import_copy("time").monotonic


def wall_time() -> float:
    """Return the seconds since 1970, as the program sees them: a test may have frozen or moved them."""
    return time.time()


def is_patched() -> bool:
    """Whether other code reads a monotonic clock that was replaced; event loops then do, too."""
    return abs(time.monotonic() - monotonic()) > _APART
