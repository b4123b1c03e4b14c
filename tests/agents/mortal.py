"""A process that pays operations and kills itself at a given step of its way: before the store is written, and around each request.

Its order: base_url, the store ({"sqlite": path}, {"postgres": address, "name": name}, {"redis": url, "name": name} or {"memory": "…"}), the file of the client's key store,
the names to pay, the limit, the timeout, and the step to die at.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import httpx

from payman_sdk import PaymanClient
from payman_sdk._core import operations  # noqa: F401 (loaded now rather than with the first ask)
from payman_sdk._core.effects import Lock
from payman_sdk._core.key_store import KeyStore
from payman_sdk._io.key_store import SQLiteKeyStore
from payman_sdk.agents import MemoryOperationStore, OperationStore, PaymanToolkit, SpendingLimit
from payman_sdk.agents.stores._redis_server import RenewedLock
from payman_sdk.agents.stores.postgres import PostgresOperationStore
from payman_sdk.agents.stores.redis import RedisOperationStore
from payman_sdk.agents.stores.sqlite import SQLiteOperationStore

PAYMENT = ("Test Payee", "10.00", "TSD")


class QuickRedisStore(RedisOperationStore):
    """A store whose locks come free soon after their holder died."""

    def lock(self, name: str) -> Lock:
        return RenewedLock(self._client, f"{self._key}:lock:{name}", seconds=0.5)


class Steps:
    """Counts what a process does, and ends it before the step that is given."""

    def __init__(self, last: int | None) -> None:
        self.made, self._last = 0, last

    def __call__(self) -> None:
        if self.made == self._last:
            os.kill(os.getpid(), signal.SIGKILL)
        self.made += 1


class Watched:
    """A store that is written in steps; what is only read leaves nothing behind."""

    def __init__(self, store: OperationStore | KeyStore, step: Steps) -> None:
        self._store, self._step = store, step

    def __getattr__(self, name: str) -> Any:
        method: Callable[..., Any] = getattr(self._store, name)

        def write(*arguments: Any) -> Any:
            self._step()
            return method(*arguments)

        return write if name in ("save", "claim") else method


class WatchedTransport(httpx.HTTPTransport):
    """A transport, each request and each answer of which is a step."""

    def __init__(self, step: Steps) -> None:
        super().__init__(verify=False)  # it speaks plain HTTP, and certificates take long to load
        self._step = step

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._step()
        response = super().handle_request(request)
        response.read()
        self._step()
        return response


def store_of(order: dict[str, Any]) -> OperationStore:
    """Open the store that an order names."""
    if "memory" in order:
        return MemoryOperationStore()
    if "sqlite" in order:
        return SQLiteOperationStore(order["sqlite"])
    if "postgres" in order:
        return PostgresOperationStore(order["postgres"], name=order["name"])
    return QuickRedisStore(order["redis"], name=order["name"])


def pay(order: dict[str, Any], step: Steps | None = None) -> list[str]:
    """Pay every operation of an order, and return the statuses."""
    step = step or Steps(order.get("dies_at"))
    keys: Any = Watched(SQLiteKeyStore(order["keys"]), step)
    with (
        httpx.Client(transport=WatchedTransport(step)) as http,
        PaymanClient(
            client_id="pm-test-1", client_secret="s3cret", base_url=order["base_url"], timeout=order.get("timeout", 20), settle_time=30,
            max_retries=0, http_client=http, key_store=keys,
        ) as client,
    ):  # fmt: skip
        store: Any = store_of(order["store"])
        if not isinstance(store, MemoryOperationStore):
            store = Watched(store, step)
        toolkit = PaymanToolkit(
            client, run_id="monday", store=store, limit=SpendingLimit(max_payments=order["limit"])
        )
        return [toolkit.pay(*PAYMENT, operation=name).status for name in order["names"]]


def call_tools(order: dict[str, Any]) -> None:
    """Make every call of an order by the tools of a toolkit that this process makes for it."""
    with PaymanClient(**order["client"]) as client:
        limit = SpendingLimit(max_payments=order["limit"], allowed_payees=["Test Payee"])
        store = SQLiteOperationStore(order["store"])
        toolkit = PaymanToolkit(client, run_id="monday", store=store, limit=limit)
        tools = {tool.name: tool for tool in toolkit.tools}
        for name, arguments in order["calls"]:
            if name in tools:
                tools[name].call(arguments)
