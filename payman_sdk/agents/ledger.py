"""A store as flows see it: asked by steps, and whatever it raises is an error of ours."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from attrs import evolve

from payman_sdk.agents.limits import Limit
from payman_sdk.agents.steps import Call, Flow, Hold
from payman_sdk.agents.stores import Operation, OperationStore, OperationStoreError
from payman_sdk.errors import ConfigurationError

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
        money = None if text is None or self._limit is None else self._limit.money_in(text)
        return Operation(
            task_id=task_id,
            account=self._account,
            name=name,
            text=text,
            amount=money and money.amount,
            currency=money and money.currency,
            session_id=session_id,
        )

    def refusal(self, operation: Operation) -> Flow[str | None]:
        """A flow that tells why an operation would go beyond the limit; None where it does not."""
        if self._limit is None:
            return None
        counted = yield from self._asked(partial(self._store.of_run, self._run_id))
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
        return Hold((yield from self._asked(partial(self._store.lock, name))))

    def _asked(self, function: Callable[[], Any]) -> Flow[Any]:
        try:
            return (yield Call(function))
        except OperationStoreError:
            raise
        except Exception as error:
            raise OperationStoreError(
                f"The operation store failed: {type(error).__name__}: {error}"
            ) from error
