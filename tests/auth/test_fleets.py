"""Many who need a token at once: threads, tasks, processes."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import anyio
import pytest

from payman_sdk import AsyncPaymanClient, PaymanClient
from payman_sdk.sandbox import Sandbox
from tests.auth.fleet_worker import work
from tests.loops import LOOPS, run_on
from tests.processes import Forked

pytestmark = pytest.mark.slow


PROCESSES, ASKS, SECONDS = 8, 50, 1.5


def grants(sandbox: Sandbox) -> list[str]:
    """The grants of the token requests that the sandbox has seen."""
    return [str(request.grant_type) for request in sandbox.token_requests]


def test_200_threads_at_an_expired_token_make_one_token_request() -> None:
    """However many threads meet an expired token at once, one of them renews it, and all of them ask."""
    with Sandbox() as sandbox:
        ended = sandbox.issue_token(lifetime=3600)
        with PaymanClient.with_token(
            sandbox.client_id,
            {**ended, "expiresIn": 0},
            base_url=sandbox.base_url,
            client_secret=sandbox.client_secret,
        ) as client:
            together = threading.Barrier(200)

            def ask(_: int) -> str:
                together.wait()
                return client.ask("test connection").status

            with ThreadPoolExecutor(200) as threads:
                assert set(threads.map(ask, range(200))) == {"completed"}
        assert grants(sandbox) == ["refresh_token"]


def test_200_clients_of_one_process_share_one_token() -> None:
    """Programs that make a client for every request make one token request, not one for every client."""
    with Sandbox() as sandbox:

        def ask(_: int) -> str:
            with sandbox.client() as client:
                return client.ask("test connection").status

        with ThreadPoolExecutor(20) as threads:
            assert set(threads.map(ask, range(200))) == {"completed"}
        assert grants(sandbox) == ["client_credentials"]


@pytest.mark.parametrize("loop", LOOPS)
def test_200_tasks_at_an_expired_token_make_one_token_request(loop: str) -> None:
    """However many tasks meet an expired token at once, one of them renews it, and all of them ask."""
    with Sandbox() as sandbox:
        ended = sandbox.issue_token(lifetime=3600)
        statuses: list[str] = []

        async def main() -> None:
            async with AsyncPaymanClient.with_token(
                sandbox.client_id,
                {**ended, "expiresIn": 0},
                base_url=sandbox.base_url,
                client_secret=sandbox.client_secret,
            ) as client:

                async def ask() -> None:
                    statuses.append((await client.ask("test connection")).status)

                async with anyio.create_task_group() as group:
                    for _ in range(200):
                        group.start_soon(ask)

        run_on(loop, main)
        assert statuses == ["completed"] * 200
        assert grants(sandbox) == ["refresh_token"]


def fleet(sandbox: Sandbox, store: dict[str, Any]) -> list[dict[str, int]]:
    """What came of the asks of each process."""
    order = {
        "base_url": sandbox.base_url,
        "client_id": sandbox.client_id,
        "client_secret": sandbox.client_secret,
        "refresh_token": sandbox.issue_token()["refreshToken"],
        "asks": ASKS,
        "seconds": SECONDS,
        "store": store,
    }
    with ExitStack() as stack:
        workers = [stack.enter_context(closing(Forked(work))) for _ in range(PROCESSES)]
        for worker in workers:
            worker.order(order)
        return [worker.report(timeout=120) for worker in workers]


@pytest.mark.parametrize("kind", ["file", "postgres", "redis"])
def test_8_processes_share_a_rotating_token(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Processes that share a store ask for longer than a token lives, and no refresh token is spent twice."""
    store = (
        {"file": str(tmp_path / "token.json")}
        if kind == "file"
        else {kind: request.getfixturevalue(f"{kind}_url")}
    )
    with Sandbox(token_lifetime=1) as sandbox:
        for seen in fleet(sandbox, store):
            assert seen.keys() == {"completed"} and seen["completed"] >= ASKS, seen
        assert sandbox.reuse_detected == 0
        assert set(grants(sandbox)) == {"refresh_token"}
        # Tokens ended while the fleet asked, and the processes did not renew for themselves alone.
        assert 2 <= len(grants(sandbox)) < 200
