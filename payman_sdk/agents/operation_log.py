"""A store as flows see it: asked by steps, and whatever it raises is an error of ours."""

import contextlib
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from attrs import evolve

from payman_sdk._core.effects import CallBlocking, Flow, Invoke
from payman_sdk._core.key_store import KeyStore, check_returned
from payman_sdk._core.orders import PaymentOrder
from payman_sdk._io.clock import wall_time
from payman_sdk._io.locks import LockHolder
from payman_sdk._refusals import describe_type
from payman_sdk._text.error_response import format_exception
from payman_sdk._text.logger import get_logger
from payman_sdk.agents.claims import OperationKey, get_claims, hold_lock, replace
from payman_sdk.agents.limits import SpendingLimit, explain_refusal
from payman_sdk.agents.stores import (
    MemoryOperationStore,
    Operation,
    OperationStore,
    OperationStoreError,
    RunTotals,
)
from payman_sdk.agents.stores.operation import TotalsChangedError
from payman_sdk.errors import ConfigurationError

T = TypeVar("T")

log = get_logger()

_TRIES = 20
"""How often a claim is tried while others end payments of the run, which changes what it counts."""
_RUN_PATIENCE = 30.0
"""Seconds to wait for those who count in the same run; nobody counts for longer than it takes to write a record."""


class OperationLog:
    """The operations of one account, and what counts in one run, by a clock: the given one, or the store's, or this machine's."""

    def __init__(
        self,
        store: OperationStore,
        account: str,
        run_id: str,
        limit: SpendingLimit | None,
        clock: Callable[[], float] | None = None,
        *,
        is_async: bool = False,
    ) -> None:
        self._store = store
        self._clock: Callable[[], float] = clock or getattr(store, "now", None) or wall_time
        self._claims = get_claims(store)
        self._sum_run: Callable[[str], RunTotals] | None = getattr(store, "sum_run", None)
        self._account, self._run_id = account, run_id
        self.limit = limit
        self._explain_refusal = partial(explain_refusal, limit, run_id, store)
        self._is_async = is_async
        self._is_blocking = not isinstance(store, MemoryOperationStore)  # what is in memory needs no thread

    def hold(self, task_id: str, patience: float, flow: Flow[T]) -> Flow[tuple[T] | None]:
        """Return a flow that runs another one under the lock of an operation, and returns its result as a tuple.

        It waits so many seconds for the lock; 0 tries once. Returns None if the lock was not free.
        """
        return (yield from self._hold(f"operation {task_id}", patience, flow))

    def load(self, task_id: str) -> Flow[Operation | None]:
        """Return a flow that reads the record of an operation; None if it has none.

        Raises:
            OperationStoreError: The store failed.
            ConfigurationError: It is another account's.
        """
        operation = yield from self._call_store(partial(self._store.load, task_id))
        if operation is None:
            return None
        if not isinstance(operation, Operation):
            kind = describe_type(operation)
            raise OperationStoreError(f"The operation store returned {kind}, not an Operation.")
        if operation.task_id != task_id:
            raise OperationStoreError(f"The operation store returned another operation for task {task_id}.")
        if operation.account != self._account:
            raise ConfigurationError(
                f"The operation store holds operations of {operation.account}, and this client is {self._account}.",
                next_step="Give every account its own store, and every payment of the application its own name.",
            )
        return operation

    def create_operation(
        self, task_id: str, name: str | None, order: PaymentOrder | None, session_id: str | None
    ) -> Operation:
        """Return an operation that was not written down yet."""
        return Operation(
            task_id=task_id,
            account=self._account,
            name=name,
            payee=order and order.payee,
            amount=order and order.amount,
            currency=order and order.currency,
            memo=order and order.memo,
            session_id=session_id,
        )

    def check_limit(self, operation: Operation) -> Flow[str | None]:
        """Return a flow that returns why an operation would exceed the limit; None where it does not."""
        if self.limit is None:
            return None
        known = yield from self.load(operation.task_id)
        totals = yield from self._load_totals(operation.task_id)
        return self._explain_refusal(operation, self._leave_out(totals, known))

    def claim(
        self, operation: Operation, known: Operation | None, *, moves_money: bool = True
    ) -> Flow[Operation | str | None]:
        """Return a flow that counts an operation and records that it is being sent, or returns why it may not be.

        Where there is a limit, nobody else counts in the run meanwhile, so that two operations do not both take what is left for one.
        `known` is its record when it was looked at. With `moves_money`, it counts in the run; a denial does not. The flow returns
        the recorded operation; a sentence if the limit refuses it; None if the lock was lost and somebody else has recorded it.
        """
        claiming = self._claim_repeatedly(operation, known, moves_money)
        if self.limit is None and hasattr(self._store, "claim"):
            return (yield from claiming)
        claimed = yield from self._hold(f"run {self._run_id}", _RUN_PATIENCE, claiming)
        if claimed is None:
            raise OperationStoreError("Could not get the operation store's lock of the run.")
        return claimed[0]

    def _claim_repeatedly(
        self, operation: Operation, known: Operation | None, moves_money: bool
    ) -> Flow[Operation | str | None]:
        for _ in range(_TRIES):
            with contextlib.suppress(TotalsChangedError):
                return (yield from self._claim(operation, known, moves_money))
        return (yield from self._claim(operation, known, moves_money))

    def _claim(
        self, operation: Operation, known: Operation | None, moves_money: bool
    ) -> Flow[Operation | str | None]:
        operation, totals = evolve(operation, stage="sent"), None
        if moves_money and self.limit is not None:
            if (yield from self.load(operation.task_id)) != known:
                return None
            totals = yield from self._load_totals(operation.task_id)
            refusal = self._explain_refusal(operation, self._leave_out(totals, known))
            if refusal is not None:
                return refusal
        if moves_money:
            runs = tuple(dict.fromkeys((*operation.runs, self._run_id)))
            operation = evolve(operation, runs=runs, sent_at=(yield from self.read_clock()))
        saving = partial(replace, self._store, known, operation, self._run_id, totals)
        try:
            if not (yield from self._call_store(saving)):
                return None
        except TotalsChangedError:
            raise
        except OperationStoreError:
            if known is not None:  # it may be written all the same, and nothing is sent
                yield from self.restore(operation, known)
            raise
        if moves_money:
            self._claims.add(operation.task_id, self._run_id)
        return operation

    def make_key(self, claimed: Operation, before: Operation, keys: KeyStore | None) -> OperationKey | None:
        """Return what a client needs to know to send an operation that was claimed; None where memory alone knows it.

        A process that died took its memory with it, so the client's own key store says what may have been sent before.
        """
        if isinstance(self._store, MemoryOperationStore):
            return None
        return OperationKey(self._store, self._clock, claimed, before.sent_at, keys)

    def read_clock(self) -> Flow[float]:
        """Return a flow that returns the time in seconds since 1970.

        Raises:
            OperationStoreError: The store's clock failed.
        """
        now: float = yield from self._call_store(lambda: float(self._clock()))
        return now

    def save(self, operation: Operation) -> Flow[None]:
        """Return a flow that writes an operation down.

        Raises:
            OperationStoreError: The store failed.
        """
        yield from self._call_store(partial(self._store.save, operation))

    def note(self, operation: Operation) -> Flow[Operation]:
        """Return a flow that records how an operation went on. If that fails, a later call looks it up again."""
        if self._run_id not in operation.runs:
            self._claims.remove(operation.task_id, self._run_id)
        try:
            yield from self.save(operation)
        except OperationStoreError as error:
            log.warning("Could not record the state of an operation: %s", error)
        return operation

    def restore(self, claimed: Operation, before: Operation) -> Flow[Operation]:
        """Return a flow that writes an operation down as it was before it was claimed, and returns how it is written down now.

        Where somebody else has written it down since, because its lock was lost, that stays.
        """
        if self._run_id not in before.runs:
            self._claims.remove(before.task_id, self._run_id)
        try:
            if not (yield from self._call_store(partial(replace, self._store, claimed, before))):
                return (yield from self.load(claimed.task_id)) or before
        except OperationStoreError as error:
            log.warning("Could not record the state of an operation: %s", error)
        return before

    def note_sent(self, operation: Operation) -> Flow[Operation]:
        """Return a flow that writes down that an operation may have been sent until now, and returns it."""
        with contextlib.suppress(OperationStoreError):
            operation = evolve(operation, sent_at=(yield from self.read_clock()))
        return (yield from self.note(operation))

    def _load_totals(self, task_id: str) -> Flow[RunTotals]:
        """Return what counts in the run, without an operation where the store has no totals.

        Raises OperationStoreError if the store failed, or has lost what this process has counted.
        """
        expected, changes = self._claims.list_by_run(self._run_id), self._claims.get_changes(self._run_id)
        if self._sum_run is None:
            list_run = partial(self._store.list_by_run, self._run_id)
            listed = yield from self._call_store(
                lambda: [check_returned(one, Operation, "list_by_run") for one in list_run()]
            )
            self._claims.check(self._run_id, expected, {one.task_id for one in listed})
            return RunTotals.of(one for one in listed if one.task_id != task_id)
        sum_run = partial(self._sum_run, self._run_id)
        totals: RunTotals = yield from self._call_store(
            lambda: check_returned(sum_run(), RunTotals, "sum_run")
        )
        self._claims.check_changes(self._run_id, changes, totals.changes)
        for newest in expected[-1:]:
            found = yield from self.load(newest)
            is_there = found is not None and self._run_id in found.runs
            self._claims.check(self._run_id, [newest], [newest] if is_there else [])
        return totals

    def _leave_out(self, totals: RunTotals, known: Operation | None) -> RunTotals:
        return totals if self._sum_run is None else totals.replace(self._run_id, known, None)

    def _hold(self, name: str, patience: float, flow: Flow[T]) -> Flow[tuple[T] | None]:
        lock = yield from self._call_store(partial(self._store.lock, name))
        is_async = self._is_async and self._is_blocking
        ticket = LockHolder(self._get_loop())
        return (yield from hold_lock(lock, ticket, patience, flow, self._call_store, is_async=is_async))

    def _get_loop(self) -> Any:
        """Return the event loop with which a hold ends, even if the loop is closed amid its flow."""
        if not self._is_async:
            return None
        from payman_sdk._io.event_loops import get_asyncio_loop  # threads need no event loops

        return get_asyncio_loop()

    def _call_store(self, function: Callable[[], Any]) -> Flow[Any]:
        try:
            return (yield CallBlocking(function, is_shielded=True) if self._is_blocking else Invoke(function))
        except OperationStoreError:
            raise
        except Exception as error:
            raise OperationStoreError(
                f"The operation store failed: {type(error).__name__}: {format_exception(error)}"
            ) from error
