"""Claims of operations: their locks, what this process has counted, to notice a store that forgets it, and the key of a claimed one."""

import contextlib
from collections.abc import Callable, Collection
from inspect import isawaitable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from attrs import evolve

from payman_sdk._core.effects import Flow, Lock, Sleep
from payman_sdk._core.key_store import KeyStore, check_returned
from payman_sdk._io.key_store import open_default_store
from payman_sdk._io.locks import LockHolder, adapt_lock
from payman_sdk._io.signals import defer_signals
from payman_sdk._io.token_store_access import RELEASE_ANSWER, LateError, call_within, limit_time
from payman_sdk._refusals import describe_type
from payman_sdk._text.logger import get_logger
from payman_sdk.agents.stores import Operation, OperationStore, OperationStoreError, RunTotals

T = TypeVar("T")

log = get_logger()

_MOST, _MOST_RUNS = 100, 1000
"""Claims that are remembered of each run, and runs. A store loses its newest records, or all of them: the newest claims show either."""


class Claims:
    """The newest claims that this process has saved in one store, each an operation that counts in a run.

    Only who claimed an operation in a run takes it out again, so a claim that is remembered here must be in the store.
    """

    def __init__(self) -> None:
        # Used by several threads without a lock, which a fork could leave held: single steps of a dict are whole.
        self._claims: dict[str, dict[str, None]] = {}
        self._changes: dict[str, int] = {}

    def add(self, task_id: str, run_id: str) -> None:
        """Remember a claim that the store has confirmed."""
        claims = self._claims.setdefault(run_id, {})
        claims.pop(task_id, None)
        claims[task_id] = None
        while len(claims) > _MOST:
            claims.pop(next(iter(claims)), None)
        while len(self._claims) > _MOST_RUNS:
            self._claims.pop(next(iter(self._claims)), None)

    def remove(self, task_id: str, run_id: str) -> None:
        """Forget a claim that is about to be taken back."""
        self._claims.get(run_id, {}).pop(task_id, None)

    def list_by_run(self, run_id: str) -> list[str]:
        """Return the task ids that this process has claimed in a run, the newest last."""
        return list(self._claims.get(run_id, {}))

    def check(self, run_id: str, expected: Collection[str], found: Collection[str]) -> None:
        """Refuse to go on where the store has lost a claim; `expected` is what `list_by_run` returned before it was asked.

        Raises:
            OperationStoreError: A claim is missing that was not taken back meanwhile.
        """
        for task_id in expected:
            if task_id not in found and task_id in self._claims.get(run_id, {}):
                raise _make_loss_error(f"an operation that counts in this run, task {task_id}")

    def get_changes(self, run_id: str) -> int:
        """Return how often the totals of a run have changed, as far as this process has seen."""
        return self._changes.get(run_id, 0)

    def check_changes(self, run_id: str, expected: int, found: int) -> None:
        """Refuse to go on where the totals of a run have changed less often than `get_changes` said before the store was asked.

        Raises:
            OperationStoreError: The store has gone back in time.
        """
        if found < expected:
            raise _make_loss_error("what this run has counted")
        self._changes[run_id] = max(found, self._changes.pop(run_id, 0))
        while len(self._changes) > _MOST_RUNS:
            self._changes.pop(next(iter(self._changes)), None)


def replace(
    store: OperationStore,
    known: Operation | None,
    operation: Operation,
    run_id: str = "",
    totals: RunTotals | None = None,
) -> bool:
    """Save an operation in place of what is known of it; return False where its lock was lost, and somebody else has saved it."""
    claim = getattr(store, "claim", None)
    if claim is not None:
        return check_returned(claim(operation, run_id, totals, known), bool, "claim")
    if store.load(operation.task_id) != known:
        return False
    saved: object = store.save(operation)  # type: ignore[func-returns-value] # of a store as it is, not as it should be
    if isawaitable(saved):
        raise TypeError(f"save returned {describe_type(saved)}, which nobody awaits")
    return True


def _make_loss_error(what: str) -> OperationStoreError:
    return OperationStoreError(
        f"The operation store has lost {what}.",
        next_step="Find out from Payman what was paid, and begin another run.",
    )


_CLAIMS: WeakKeyDictionary[OperationStore, Claims] = WeakKeyDictionary()


def get_claims(store: OperationStore) -> Claims:
    """Return the claims of a store: the same for all toolkits of this process that use the same store object."""
    try:
        return _CLAIMS.setdefault(store, Claims())
    except TypeError:  # a store that cannot be a key; its toolkit remembers for itself
        return Claims()


_FIRST_PAUSE, _LONGEST_PAUSE = 0.005, 0.25
"""Seconds between two tries of a lock."""


def hold_lock(
    given: Lock,
    ticket: LockHolder,
    patience: float,
    flow: Flow[T],
    call_store: Callable[[Callable[[], Any]], Flow[Any]],
    *,
    is_async: bool,
) -> Flow[tuple[T] | None]:
    """Run a flow under a lock, and return its result; None if the lock was not free in so many seconds. 0 tries once."""
    lock, is_held = adapt_lock(given), False

    def take() -> bool:
        nonlocal is_held
        with defer_signals():  # a lock without tickets is not released without this note
            taken: Any = lock.take(ticket, timeout=0)
            is_held = bool(taken) and not isawaitable(taken)  # so that it is released, whatever its yes is
        return check_returned(taken, bool, "the lock's acquire")

    def drop() -> None:
        nonlocal is_held
        try:
            with limit_time(RELEASE_ANSWER), defer_signals():
                lock.drop(ticket)
        except Exception as error:  # report what became of the operation all the same
            log.warning("Releasing a lock of the operation store failed: %s", error)
        is_held = False

    def release() -> Flow[None]:
        with contextlib.suppress(Exception):  # no thread can be had, so it is tried once more
            yield from call_store(drop)

    pause, waited = _FIRST_PAUSE, 0.0
    with ticket.held:
        try:
            while not (yield from call_store(take)):
                if waited >= patience:
                    return None
                yield Sleep(pause)
                waited += pause
                pause = min(2 * pause, _LONGEST_PAUSE)
            try:
                result = yield from flow
            except Exception:
                yield from release()
                raise
            yield from release()
            return (result,)
        finally:
            if is_held and is_async:  # the flow was interrupted, and its event loop must not wait
                with contextlib.suppress(LateError):
                    call_within(drop, 0)
            elif is_held:
                drop()


class OperationKey:
    """The `KeyStore` of one claimed operation, in the store of operations and in the client's own key store.

    The client records each attempt here before it sends it, so the record is never older than the last attempt, even if the
    process dies. The client's own key store, or else this user's, also knows asks with the same key without a toolkit.

    Attributes:
        operation: The operation as it is written down now.
    """

    def __init__(
        self,
        store: OperationStore,
        clock: Callable[[], float],
        claimed: Operation,
        before: float | None,
        keys: KeyStore | None,
    ) -> None:
        self.operation = claimed
        self._store = store
        self._clock = clock
        self._before = before
        self._keys = keys
        self._is_default = keys is None
        self._recorded: float | None = None

    def load(self, operation: str) -> float | None:
        """Return when the operation was last sent before it was claimed, by whichever store knows."""
        if self._is_default and self._keys is None:
            self._keys = open_default_store()
        self._recorded = self._consult(lambda keys: keys.load(operation), None)
        return max((at for at in (self._before, self._recorded) if at is not None), default=None)

    def claim(self, operation: str, sent_at: float, expected: float | None) -> bool:
        """Record that the operation is sent now; return False where an ask without a toolkit was sent meanwhile.

        Raises:
            OperationStoreError: Somebody else has written the operation down meanwhile, because its lock was lost.
        """
        if not self._consult(
            lambda keys: check_returned(keys.claim(operation, sent_at, self._recorded), bool, "claim"), True
        ):
            return False
        self._recorded = sent_at
        sent = evolve(self.operation, sent_at=self._clock())
        if not replace(self._store, self.operation, sent):
            raise OperationStoreError("Another call has taken over the operation, because its lock was lost.")
        self.operation = sent
        return True

    def forget(self, operation: str, expected: float) -> None:
        """Remove what the client's own key store recorded; the operation itself is written down by who claimed it."""
        self._consult(lambda keys: keys.forget(operation, expected), None)

    def _consult(self, ask: Callable[[KeyStore], T], otherwise: T) -> T:
        if self._keys is None:
            return otherwise
        try:
            return ask(self._keys)
        except Exception as error:
            if not self._is_default:
                raise
            log.warning("Cannot use this user's key store beside the operation store: %s", error)
            self._keys, self._is_default = None, False
            return otherwise
