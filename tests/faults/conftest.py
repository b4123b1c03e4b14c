from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from time import sleep
from typing import Any

import httpx
import pytest

from payman_api import ACCESS_TOKEN_HEADER, PATHS
from payman_sdk.sandbox import Sandbox
from tests.faults import Fault, FaultProxy
from tests.faults.exchange import Step
from tests.faults.reserved_ports import Port
from tests.faults.visibility import Manner

PATIENCE = 0.5
"""Seconds that a bare client waits for the next bytes."""


class Script:
    """A plan that names the fault of each request in turn."""

    def __init__(self, *faults: Fault | None) -> None:
        self._faults = faults

    def fault(self, ask: int, number: int, *, for_token: bool = False) -> Fault | None:
        return self._faults[number] if number < len(self._faults) else None

    def manner(self, ask: int) -> Manner:
        return Manner()


class Caller:
    """A client without any intelligence, on a line of its own through a proxy."""

    def __init__(self, sandbox: Sandbox, proxy: FaultProxy, http: httpx.Client, step: Step | None) -> None:
        self.sandbox, self._proxy, self._http = sandbox, proxy, http
        self.line = proxy.line(1) if step is None else proxy.line(1, step=step)
        self._headers = {ACCESS_TOKEN_HEADER: str(sandbox.issue_token()["accessToken"])}

    def send(self, task_id: str = "tsk-1") -> httpx.Response:
        return self._post("send_task", "tasks/send", {"id": task_id, "message": _MESSAGE})

    def stream(self, task_id: str = "tsk-1") -> httpx.Response:
        return self._post("send_task_subscribe", "tasks/sendSubscribe", {"id": task_id, "message": _MESSAGE})

    def get(self, task_id: str = "tsk-1") -> httpx.Response:
        return self._post("get_task", "tasks/get", {"id": task_id})

    def token(self) -> httpx.Response:
        credentials = (self.sandbox.client_id, self.sandbox.client_secret)
        return self._http.post(
            self.line.url + PATHS["create_token"],
            params={"grant_type": "client_credentials"},
            auth=credentials,
        )

    def paid(self) -> int:
        """How many payments there are, once nothing is under way any more."""
        self.line.close()
        self._proxy.settle()
        self.sandbox.check_invariants()
        return len(self.sandbox.payments)

    def _post(self, path: str, method: str, params: Mapping[str, Any]) -> httpx.Response:
        body = {"jsonrpc": "2.0", "id": "req-1", "method": method, "params": params}
        return self._http.post(self.line.url + PATHS[path], json=body, headers=self._headers)


_MESSAGE = {"role": "user", "parts": [{"type": "text", "text": "send 0.01 TSD to Test Payee"}]}


@contextmanager
def calling(*faults: Fault | None, step: Step | None = None) -> Iterator[Caller]:
    """A caller whose requests meet these faults in turn, and later ones none."""
    with closing(Port()) as port, Sandbox(port=port.number) as sandbox:

        def restart(seconds: float) -> None:
            sandbox.stop()
            sleep(seconds)
            sandbox.start()

        with (
            FaultProxy(port.number, Script(*faults), restart) as proxy,
            httpx.Client(timeout=PATIENCE, trust_env=False) as http,
        ):
            yield Caller(sandbox, proxy, http, step)


LEAVES_CONNECTIONS = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""A sandbox that stops while connections come in leaves some of them to the garbage collector, which complains."""


@pytest.fixture(autouse=True)
def _garbage_is_collected_here() -> Iterator[None]:
    """What a test leaves to the garbage collector is no concern of the tests after it."""
    yield
    gc.collect()


Calling = Callable[..., Caller]


@pytest.fixture
def call() -> Iterator[Calling]:
    """Makes callers, and ends what is theirs."""
    with ExitStack() as stack:
        yield lambda *faults, **more: stack.enter_context(calling(*faults, **more))
