"""What a child process must not inherit.

Only the thread that forks lives on in a child. A lock that another thread held in that moment is never released there, and a
connection is the parent's too: two who talk on one read each other's answers.
"""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Renewable(Protocol):
    """What is made anew in a child."""

    def begin_anew(self) -> None:
        """Have locks and connections of its own, without waiting for any that it has inherited."""
        ...


_renewable: weakref.WeakSet[Renewable] = weakref.WeakSet()


def renew_after_fork(one: Renewable) -> None:
    """Have something made anew in every child, as long as it lives."""
    _renewable.add(one)


def _renew_all() -> None:
    for one in list(_renewable):
        one.begin_anew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all)
