"""A store as flows see it: asked by steps, and whatever it raises is an error of ours."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Any, Self

from attrs import evolve

from payman_sdk.agents.limits import Limit, money_in, states_numbers
from payman_sdk.agents.steps import Call, Flow, Invoke, Sleep
from payman_sdk.agents.stores import MemoryOperationStore, Operation, OperationStore, OperationStoreError
from payman_sdk.errors import ConfigurationError
from payman_sdk.flows import Lock

log = logging.getLogger("payman_sdk")

_RUN_PATIENCE = 30.0
"""Seconds to wait for those who count in the same run; nobody counts for longer than it takes to write a record."""


class Ledger:
    """The operations of one account, and what counts in one run.

    Args:
        store: Where they are written down.
        account: The client's id and server.
        run_id: The run.
        limit: How much the run may pay.
    """

    def __init__(self, store: OperationStore, account: str, run_id: str, limit: Limit | None) -> None:
        self._store = store
        self._account = account
        self._run_id = run_id
        self._limit = limit
        # What is in memory never blocks, and needs no thread.
        self._step = Invoke if isinstance(store, MemoryOperationStore) else Call

    def hold(self, task_id: str) -> Flow[Hold]:
        """A flow that makes the hold of an operation, which is not taken yet."""
        return (yield from self._held(f"operation {task_id}"))

    def load(self, task_id: str) -> Flow[Operation | None]:
        """A flow that returns what is written down of an operation, None if that is nothing.

        Raises:
            OperationStoreError: The store failed.
            ConfigurationError: It is another account's.
        """
        operation = yield from self._asked(partial(self._store.load, task_id))
        if operation is None:
            return None
        if not isinstance(operation, Operation):
            raise OperationStoreError(
                f"The operation store gave a {type(operation).__name__}, not an Operation."
            )
        if operation.account != self._account:
            raise ConfigurationError(
                f"The operation store holds operations of {operation.account}, and this client is {self._account}.",
                next_step="Give every account a store of its own.",
            )
        return operation

    def new(self, task_id: str, name: str | None, text: str | None, session_id: str | None) -> Operation:
        """An operation that was not written down yet."""
        currencies = () if self._limit is None else self._limit.amount
        money = None if text is None else money_in(text, currencies)
        return Operation(
            task_id=task_id,
            account=self._account,
            name=name,
            text=text,
            amount=money and money.amount,
            currency=money and money.currency,
            session_id=session_id,
        )

    def refusal(self, operation: Operation, reply: str | None = None) -> Flow[str | None]:
        """A flow that tells why an operation, or a reply to it, would go beyond the limit; None where it does not."""
        if self._limit is None:
            return None
        if reply is not None and self._limit.amount and states_numbers(reply):
            return (
                "This run has a limit in money, and the reply may change how much is paid; answer without numbers, such as approve "
                "or deny."
            )
        counted = yield from self._asked(lambda: tuple(self._store.of_run(self._run_id)))
        return self._limit.refusal(operation, counted)

    def claim(self, operation: Operation) -> Flow[Operation | str]:
        """A flow that counts an operation and writes down that it is sent from now on; or tells why it may not be.

        Nobody else counts in the run meanwhile, so that two operations at once do not both take what is left for one.
        """
        with (yield from self._held(f"run {self._run_id}")) as hold:
            if not (yield from hold.taken(_RUN_PATIENCE)):
                raise OperationStoreError("The operation store's lock of the run could not be had.")
            refusal = yield from self.refusal(operation)
            if refusal is not None:
                return refusal
            runs = tuple(dict.fromkeys((*operation.runs, self._run_id)))
            operation = evolve(operation, stage="sent", runs=runs)
            yield from self.save(operation)
        return operation

    def save(self, operation: Operation) -> Flow[None]:
        """A flow that writes an operation down.

        Raises:
            OperationStoreError: The store failed.
        """
        yield from self._asked(partial(self._store.save, operation))

    def note(self, operation: Operation) -> Flow[Operation]:
        """A flow that writes down how an operation went on, and returns it; where that fails, it is learned again later."""
        try:
            yield from self.save(operation)
        except OperationStoreError as error:
            log.warning("How an operation went on could not be written down: %s", error)
        return operation

    def _held(self, name: str) -> Flow[Hold]:
        lock = yield from self._asked(partial(self._store.lock, name))
        return Hold(lock, self._asked)

    def _asked(self, function: Callable[[], Any]) -> Flow[Any]:
        try:
            return (yield self._step(function))
        except OperationStoreError:
            raise
        except Exception as error:
            raise OperationStoreError(
                f"The operation store failed: {type(error).__name__}: {error}"
            ) from error


_FIRST_PAUSE, _LONGEST_PAUSE = 0.005, 0.25
"""Seconds between two tries of a lock."""


class Hold:
    """Holds a lock as long as its block lasts, once it was taken; it is let go whatever becomes of the flow."""

    def __init__(self, lock: Lock, asked: Callable[[Callable[[], Any]], Flow[Any]]) -> None:
        self._lock = lock
        self._asked = asked
        self._is_held = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._is_held:
            self._is_held = False
            try:
                self._lock.release()
            except Exception as release_error:  # what became of the operation is told all the same
                log.warning("A lock of the operation store could not be given back: %s", release_error)

    def taken(self, seconds: float) -> Flow[bool]:
        """A flow that waits so many seconds for the lock; 0 tries once. Returns whether it is held now."""
        pause, waited = _FIRST_PAUSE, 0.0
        while not (yield from self._asked(self._try)):
            if waited >= seconds:
                return False
            yield Sleep(pause)
            waited += pause
            pause = min(2 * pause, _LONGEST_PAUSE)
        return True

    def _try(self) -> bool:
        # Noted here and not by the flow: who is cancelled while this runs in a thread does not hear of it.
        self._is_held = self._lock.acquire(timeout=0)
        return self._is_held
