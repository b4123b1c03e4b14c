from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from attrs import evolve

from payman_sdk import AsyncPaymanClient, PaymanClient
from payman_sdk._core.orders import read_order_line
from payman_sdk.agents import OperationStore, PaymanToolkit
from payman_sdk.sandbox import Sandbox
from tests.auth import redis_server

PAYMENT = ("Test Payee", "10.00", "TSD")
BIG = ("Test Payee", "200.00", "TSD")
ORDER = {"payee": "Test Payee", "amount": "10.00", "currency": "TSD", "memo": None}
BIG_ORDER = {**ORDER, "amount": "200.00"}

Make = Callable[..., PaymanToolkit]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox that listens on no port."""
    with contextlib.closing(Sandbox()) as sandbox:
        yield sandbox


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[PaymanClient]:
    with connected(sandbox) as client:
        yield client


@contextlib.contextmanager
def connected(sandbox: Sandbox, **config: Any) -> Iterator[PaymanClient]:
    """A client of a sandbox that listens on no port; it does not try again."""
    given: dict[str, Any] = {"max_retries": 0, "timeout": 60.0, **config}
    with (
        httpx.Client(transport=sandbox.transport()) as http,
        sandbox.client(http_client=http, **given) as client,
    ):
        yield client


@contextlib.asynccontextmanager
async def connected_async(sandbox: Sandbox, **config: Any) -> Any:
    """The same for asyncio and trio."""
    given: dict[str, Any] = {"max_retries": 0, "timeout": 60.0, **config}
    async with httpx.AsyncClient(transport=sandbox.transport()) as http:
        client: AsyncPaymanClient = sandbox.async_client(http_client=http, **given)
        yield client


def let_settle(store: OperationStore, *task_ids: str | None) -> None:
    """Let an hour pass since operations were sent, by what a store says."""
    for task_id in task_ids:
        operation = store.load(task_id or "")
        assert operation is not None
        assert operation.sent_at is not None
        store.save(evolve(operation, sent_at=operation.sent_at - 3600))


@pytest.fixture
def toolkit(client: PaymanClient) -> PaymanToolkit:
    return PaymanToolkit(client)


def sends(sandbox: Sandbox) -> list[Any]:
    """Return what was sent to the agent, reads left out: payments as payee, amount and currency, decisions as one word, words as they are."""
    return [
        order
        for request in sandbox.requests
        if request.operation in ("send_task", "send_task_subscribe")
        and (order := read_sent(request.text or "")) is not None
    ]


def read_sent(text: str) -> Any:
    """Return what a text orders, as `sends` does; None for what only reads."""
    order = read_order_line(text)
    if order is None:
        return text
    match order["operation"]:
        case "pay":
            return order["payee"], order["amount"], order["currency"]
        case "create_payee":
            return order["name"], order["type"]
        case "approve" | "deny":
            return order["operation"]
        case _:
            return None


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real Redis."""
    if redis_server.NAMED:
        yield redis_server.NAMED
        return
    program = redis_server.server_program()
    if program is None:
        pytest.skip("no redis-server here, and PAYMAN_TEST_REDIS_URL names none")
    with redis_server.serving(program, Path(tmp_path_factory.mktemp("redis"))) as url:
        yield url
