"""Handlers of signals that raise (Ctrl-C, SIGTERM, alarms) wait while the main thread is in code that they would spoil.

Python calls them between any two instructions, where an exception can leave a lock of httpcore locked for ever. So the SDK enters
given code (a transport, a client) with `defer_signals`. It calls a handler when that code returns or waits: there, an exception is
like a failed wait.

A thread reminds the main thread every few milliseconds. If that is repeatedly at the same instruction, it waits there. Code that
neither waits nor returns for a second is interrupted anywhere.
"""

import _thread
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from inspect import currentframe
from types import BuiltinFunctionType, FrameType
from typing import Any, TypeAlias, TypeVar, cast

from payman_sdk._io.clock import monotonic
from payman_sdk._io.forks import renew_after_fork

F = TypeVar("F", bound=Callable[..., Any])
Handler: TypeAlias = Callable[[int, FrameType | None], Any]

_LOOK = 0.004
"""Seconds between two looks at where the main thread is."""
_LOOKS = 3
"""So many looks in a row at the same instruction mean that it waits there."""
_PATIENCE = 1.0
"""Seconds after which a handler is called anywhere."""

_NAMES = ("SIGTERM", "SIGALRM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGBREAK", "SIGINT")
_STOPPING = tuple(int(getattr(signal, name)) for name in _NAMES if hasattr(signal, name))
"""Signals that stop programs; others (profilers', children's) must be handled at once."""

_sleep = time.sleep  # tests replace it
# Those of the module `signal` make enums of everything, which takes twenty times as long.
_get_handler: Callable[[int], object] = getattr(sys.modules.get("_signal"), "getsignal", signal.getsignal)
_set_handler: Callable[[int, Any], object] = getattr(sys.modules.get("_signal"), "signal", signal.signal)


class _Waiting:
    """A signal whose handler has not been called yet."""

    __slots__ = ("looked_at", "looks", "place", "since")

    def __init__(self, frame: FrameType | None) -> None:
        self.since = self.looked_at = monotonic()
        self.place, self.looks = _get_place(frame), 1

    def look(self, frame: FrameType | None) -> bool:
        """Look where the main thread is, and return whether it waits there."""
        now = monotonic()
        if now - self.looked_at >= _LOOK / 2:
            before, self.place, self.looked_at = self.place, _get_place(frame), now
            self.looks = self.looks + 1 if self.place == before else 1
        return self.looks >= _LOOKS or now - self.since > _PATIENCE


def _get_place(frame: FrameType | None) -> tuple[FrameType | None, int]:
    return frame, -1 if frame is None else frame.f_lasti


class _State:
    """What this process has deferred."""

    def __init__(self) -> None:
        self.handlers: dict[int, Handler] = {}
        self.is_on = False
        self.begin_anew()
        renew_after_fork(self)

    def begin_anew(self) -> None:
        """Defer nothing in a process that has just been forked, by whichever thread."""
        self.turn = 0
        self.lock = threading.Lock()
        self.waiting: dict[int, _Waiting] = {}
        self.raised: BaseException | None = None
        self.is_leaving = self.has_reminded = False
        if self.is_on:
            self.is_on = False
            _restore_handlers(list(self.handlers))


_state = _State()


class defer_signals:  # noqa: N801 (it reads as a verb, as `contextlib.suppress` does)
    """Have handlers of signals wait while the block runs, unless they are called where it waits itself.

    It does nothing in other threads, which no handler interrupts, or inside another such block. An exception of a handler that is
    not an `Exception` comes out of the block, whatever the code in it does.
    """

    __slots__ = ("_is_outermost",)

    def __init__(self) -> None:
        self._is_outermost = False

    def __enter__(self) -> None:
        if _state.is_on or threading.get_ident() != threading.main_thread().ident:
            return
        try:
            _replace_handlers()
            # Nothing comes between this and the block: handlers are called after calls, not after assignments.
            self._is_outermost = _state.is_on = True
        except BaseException:
            _restore_handlers(list(_state.handlers))
            raise

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if not self._is_outermost or not _state.is_on:
            return
        try:
            _state.is_leaving = True
            if _state.has_reminded:
                _stop_reminding()
            _restore_handlers(list(_state.handlers))
        finally:
            waiting, _state.waiting = _state.waiting, {}
            raised, _state.raised = _state.raised, None
            _state.is_on = _state.is_leaving = _state.has_reminded = False
        is_stopped = error is not None and not isinstance(error, Exception)
        for number in waiting:
            if not (is_stopped and _state.handlers[number] is signal.default_int_handler):
                _state.handlers[number](number, currentframe())
        if raised is not None and not is_stopped:
            raise raised


def call_handlers() -> None:
    """Call the waiting handlers, at a place in a block of `defer_signals` where an exception spoils nothing."""
    if _state.waiting and threading.get_ident() == threading.main_thread().ident:
        for number in list(_state.waiting):
            _call_handler(number, currentframe())


def _replace_handlers() -> None:
    if not isinstance(threading.get_ident, BuiltinFunctionType):
        return  # gevent has replaced it: a thread is something else then, and another one may go on inside of the block
    for number in _STOPPING:
        handler = _get_handler(number)
        if callable(handler) and handler is not _receive and not _is_of_loop(handler):
            _state.handlers[number] = cast("Handler", handler)
            try:
                _set_handler(number, _receive)
            except ValueError:  # not the main interpreter, which alone has signals
                return


def _is_of_loop(handler: object) -> bool:
    """Whether an event loop set it, which gets signals through a descriptor: each reminder would count."""
    return (getattr(handler, "__module__", None) or "").partition(".")[0] in ("asyncio", "uvloop")


def _restore_handlers(numbers: list[int]) -> None:
    """Put all handlers back, even if one already raises; a handler that somebody else has set stays."""
    if not numbers:
        return
    try:
        number = numbers[0]
        if _get_handler(number) is _receive:
            _set_handler(number, _state.handlers[number])
    finally:
        _restore_handlers(numbers[1:])


def _receive(number: int, frame: FrameType | None) -> None:
    """Stand in for the handler of a signal."""
    if not _state.is_on:  # somebody has kept it and put it back later
        _state.handlers.get(number, signal.default_int_handler)(number, frame)
    elif (one := _state.waiting.get(number)) is None:
        _state.waiting[number] = _Waiting(frame)
        _state.has_reminded = True
        # Not one of `threading`'s, whose locks the main thread may be holding.
        _thread.start_new_thread(_remind, (number, _state.turn, threading.get_ident()))
    elif one.look(frame) and not _state.is_leaving:
        _call_handler(number, frame)


def _call_handler(number: int, frame: FrameType | None) -> None:
    del _state.waiting[number]
    try:
        _state.handlers[number](number, frame)
    except BaseException as error:
        if not isinstance(error, Exception):
            _state.raised = error
        raise


def _remind(number: int, turn: int, main: int) -> None:
    """Have the main thread look where it is, also while it waits in a system call, until the handler was called."""
    waiting = _state.waiting.get(number)
    while True:
        _sleep(_LOOK)
        with _state.lock:
            if _state.turn != turn or waiting is None or _state.waiting.get(number) is not waiting:
                return
            if hasattr(signal, "pthread_kill"):
                signal.pthread_kill(main, number)
            else:
                _thread.interrupt_main(signal.Signals(number))


def _stop_reminding() -> None:
    """See that no reminder comes any more, after which handlers are themselves again."""
    with _state.lock:
        _state.turn += 1
    os.getppid()  # a reminder that is on its way arrives when a system call returns, at the latest


_trio_marks: list[tuple[str, Any]] = []
"""What trio is to know of functions, once it is there."""


def defer_on_trio(function: F) -> F:
    """Have Ctrl-C wait on trio until the function waits; elsewhere, interruptions come while a task waits anyway.

    trio raises KeyboardInterrupt between any two instructions, and amid the scopes of anyio the Ctrl-C is lost. In marked code, it
    raises it where its main task waits next. Before 0.28, trio has no such marks.
    """
    _trio_marks.append(("enable_ki_protection", function))
    return function


def allow_on_trio(function: F) -> F:
    """Have Ctrl-C come at once on trio in a function, which calls a program's own."""
    _trio_marks.append(("disable_ki_protection", function))
    return function


def mark_for_trio() -> None:
    """Say so to trio, if it has been imported."""
    if _trio_marks and (trio := sys.modules.get("trio")) is not None:
        for name, function in _trio_marks:
            getattr(trio.lowlevel, name)(function)
        _trio_marks.clear()
