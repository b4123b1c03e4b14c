"""`client.stats()`: what a client has done, in numbers."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import Any

import anyio
import httpx
import pytest

from payman_sdk._io.clock import monotonic
from payman_sdk._telemetry.observer import Observer
from payman_sdk._telemetry.settings import Stats
from payman_sdk.errors import AuthenticationError, BadRequestError
from payman_sdk.sandbox import ConnectionLost, HTTPError, Sandbox, ScriptedResponse
from tests.loops import cancel_when
from tests.telemetry.conftest import Connected

BUSY = HTTPError(503, headers={"Retry-After": "0"})


def test_a_client_that_has_done_nothing(connected: Connected) -> None:
    """Every count of a new client is zero."""
    assert connected().stats() == Stats()


def test_payments_that_prove_nothing_are_counted(sandbox: Sandbox, connected: Connected) -> None:
    """Their asks are completed. Reading a payment again does not count it twice."""
    client = connected()
    sandbox.script(["Sent 5 TSD to Test Payee.", "I list nothing."])
    payment = client.pay("Test Payee", 5, "TSD")
    client.payment_status(payment)
    assert (client.stats().undetermined, client.stats().unknown) == (1, 0)
    waiting = client.pay("Test Payee", 200, "TSD")
    assert client.stats().undetermined == 1
    sandbox.script(["Approved.", "I list nothing."])
    assert client.approve(waiting).outcome == "undetermined"
    assert (client.stats().undetermined, client.stats().unknown) == (2, 0)


def test_everything_is_counted(sandbox: Sandbox, connected: Connected) -> None:
    """Asks by outcome, attempts, retries, look-ups, what was reconciled or repeated, streams and their events, renewals."""
    client = connected()
    sandbox.script(
        [
            BUSY,
            ConnectionLost(),
            ScriptedResponse(state="failed"),
            ScriptedResponse(state="input-required"),
            HTTPError(400),
            "Done.",
            ConnectionLost("Done."),
            "Bye.",
        ]
    )
    client.ask("send 10 TSD to Test Payee")
    client.ask("two")
    waiting = client.ask("three")
    with pytest.raises(BadRequestError):
        client.ask("four")
    for _ in range(2):
        client.ask("five", idempotency_key="five")
    with client.stream("six") as stream:
        stream.result()
    with client.conversation().stream("seven") as stream:
        next(stream)
    client.get_task(waiting)
    assert client.stats() == Stats(
        asks=8,
        completed=4,
        failed=1,
        input_required=1,
        errors=1,
        abandoned=1,
        attempts=8,
        retries=1,
        lookups=6,
        reconciled=2,
        deduplicated=1,
        streams=2,
        resumed=1,
        events=4,
        token_refreshes=1,
    )


def test_a_renewal_that_failed(connected: Connected) -> None:
    """Tokens that could not be fetched are counted."""
    client = connected(client_secret="wrong")
    with pytest.raises(AuthenticationError):
        client.ask("Hello!")
    assert client.stats() == Stats(asks=1, errors=1, attempts=1, failed_token_refreshes=1)


def test_the_client_for_tasks(sandbox: Sandbox) -> None:
    """The client for tasks counts the same way, and one that was cancelled as left."""

    async def main() -> Stats:
        async with (
            httpx.AsyncClient(transport=sandbox.transport()) as http,
            sandbox.async_client(http_client=http) as client,
        ):
            async with anyio.create_task_group() as group:
                for _ in range(3):
                    group.start_soon(client.ask, "Hello!")
            sandbox.script([ConnectionLost(silent=True)])
            await cancel_when(lambda: sandbox.remaining_script == 0, client.conversation().ask, "Hello!")
            return client.stats()

    assert anyio.run(main) == Stats(asks=4, completed=3, abandoned=1, attempts=4, token_refreshes=1)


def test_a_child_process_counts() -> None:
    """Whoever counted while the process forked is not waited for in the child."""
    observer = Observer()
    observer.count("retries")
    assert observer._steps.lock.acquire(timeout=60)
    observer._steps.begin_anew()
    observer.count("retries")
    assert observer.get_stats().retries == 2


def test_threads_count_together() -> None:
    """Nothing is lost where several threads count."""
    observer = Observer()

    def count() -> None:
        watch: Any = observer.create_tracker(monotonic)
        watch.attempts = 2
        for _ in range(2000):
            observer.count("retries")
            observer.record_ask(watch, "tsk-1", "completed", None)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert observer.get_stats() == Stats(asks=8000, completed=8000, attempts=16000, retries=8000)


_PROGRAM = """
import httpx, json, sys
from payman_sdk import PaymanClient

def handle(request):
    if request.url.path.endswith("/token"):
        return httpx.Response(200, json={"accessToken": "a", "expiresIn": 3600})
    asked = json.loads(request.content)
    task = {"id": asked["params"]["id"], "status": {"state": "completed"}}
    return httpx.Response(200, json={"jsonrpc": "2.0", "id": asked["id"], "result": task})

http = httpx.Client(transport=httpx.MockTransport(handle))
client = PaymanClient(client_id="a", client_secret="b", http_client=http)
client.ask("Hello!")
print(*(name for name in sys.modules if name.startswith(("payman_sdk._telemetry", "payman_sdk._core.hook_payloads", "opentelemetry"))))
"""


@pytest.mark.slow
def test_what_nobody_listens_to_is_not_made() -> None:
    """Where nothing but counting is on, an ask imports no events, no hooks, and nothing of OpenTelemetry."""
    done = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [
        "payman_sdk._telemetry",
        "payman_sdk._telemetry.observer",
    ]
