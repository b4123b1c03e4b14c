"""Tracebacks that a reader can follow: without the frames through which flows pass an exception on."""

from __future__ import annotations

import contextlib
from pathlib import Path
from types import TracebackType
from typing import cast

from payman_sdk.errors import PaymanError

_OURS = str(Path(__file__).parent.parent)
_LONGEST_CHAIN = 16
"""How many causes back an exception is shortened."""


def shorten_traceback(error: BaseException) -> None:
    """Drop the SDK's own frames at the beginning of a traceback, and of those of its causes.

    An exception has passed about twenty frames of flows when the caller gets it. The frames below are kept: a hook's, a transport's.
    A foreign exception that has only frames of the SDK keeps them: nothing else locates it.
    """
    one: BaseException | None = error
    with contextlib.suppress(Exception):  # an exception may fail when inspected; it then passes unchanged
        for _ in range(_LONGEST_CHAIN):
            if one is None:
                return
            foreign = _skip_own_frames(one.__traceback__)
            if foreign is not None or isinstance(one, PaymanError):
                one.__traceback__ = foreign
            one = one.__cause__ or one.__context__


def forget_frames(error: BaseException, handled: BaseException | None) -> None:
    """Drop the frames of what interrupted a transport, and of what led to it: they hold the request, and so its secrets.

    Args:
        error: What interrupted it.
        handled: The exception that the program was handling before; it and what led to it stay as they are.
    """
    one: BaseException | None = error
    with contextlib.suppress(Exception):
        for _ in range(_LONGEST_CHAIN):
            if one is None or one is handled:
                return
            one.__traceback__ = None
            one = one.__cause__ or one.__context__


def _skip_own_frames(traceback: TracebackType | None) -> TracebackType | None:
    while traceback is not None and traceback.tb_frame.f_code.co_filename.startswith(_OURS):
        traceback = traceback.tb_next
    return traceback


def raise_interrupt(error: BaseException, handled: BaseException | None) -> None:
    """Raise the Ctrl-C that is in a group of exceptions: on trio, one that meets a transport's own tasks comes in such.

    The arguments are those of `forget_frames`.
    """
    interrupt = _find_interrupt(error)
    if interrupt is not None:
        forget_frames(interrupt, handled)
        raise interrupt from None


def _find_interrupt(error: BaseException) -> KeyboardInterrupt | None:
    if not isinstance(error, BaseExceptionGroup):
        return None
    for inner in cast("tuple[BaseException, ...]", error.exceptions):
        found = inner if isinstance(inner, KeyboardInterrupt) else _find_interrupt(inner)
        if found is not None:
            return found
    return None
