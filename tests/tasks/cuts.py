"""A program without a network, one of whose steps is cut: its server, the runner that cuts the step, and its stores.

The clock moves by what is slept and by what is cut.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple, cast

import httpx

from payman_sdk import PaymanClient
from payman_sdk._client.calls import APIConnection
from payman_sdk._core import effects
from payman_sdk._core.auth.stored_token import fingerprint_token
from payman_sdk._core.auth.tokens import TokenManager
from payman_sdk._core.operations import Operations, Proofs
from payman_sdk._core.orders import read_order_line
from payman_sdk._io.http import Timeouts, limit_request
from payman_sdk._io.key_store import MemoryKeyStore
from payman_sdk._io.runner import SyncRunner
from payman_sdk._io.token_store_access import TokenStoreAccess
from payman_sdk._secrets import SecretStr
from payman_sdk._telemetry.observer import Observer
from payman_sdk.agents import PaymanToolkit
from payman_sdk.agents.stores import MemoryOperationStore
from payman_sdk.errors import APIConnectionError, APITimeoutError, ConfigurationError
from payman_sdk.token_stores import MemoryTokenStore, StoredToken
from tests.auth.test_tokens import PERSON
from tests.peer import ASK_PATH, GET_PATH, TOKEN_PATH
from tests.steps import Clock, token_answer
from tests.streaming.wire import RESUBSCRIBE_PATH, STREAM_PATH

SENDS = (ASK_PATH, STREAM_PATH)
SECONDS, LAG = 60.0, 1.0
PAID = {
    "status": "paid",
    "payment_id": "txn-1",
    "amount": "10.00",
    "currency": "TSD",
    "reason": None,
    "payee": {"name": "Ada", "id": "pd-1", "email": None, "paytag": None},
}


class Stop(BaseException):
    """What interrupts."""


class Server:
    """Payman's agent: a task works for some looks; a payment may wait first. A refresh token serves once, and a stream may end early.

    Args:
        clock: Its clock.
        lost: What becomes of the first sends, a letter each: `l` is done and its answer lost, `n` is not done, `r` is refused.
        breaks: How many streams end before their task does.
    """

    def __init__(
        self, clock: Clock, *, lost: str = "", works: int = 2, waits: bool = False, breaks: int = 0
    ) -> None:
        self._clock, self._lost, self._works, self._waits, self._breaks = (
            clock,
            list(lost),
            works,
            waits,
            breaks,
        )
        self._tasks: dict[str, dict[str, Any]] = {}
        self.paid: Counter[str] = Counter()
        self.refresh_token = "r-0"

    def answer(self, request: Any) -> tuple[httpx.Response, list[bytes]]:
        path, body = request["url"], request.get("json")
        if path == TOKEN_PATH:
            return self._issue(request["params"]), []
        task_id, fate = body["params"]["id"], ""
        if path in SENDS:
            fate = self._lost.pop(0) if self._lost else ""
            if fate in ("", "l"):
                self._order(task_id, read_order_line(body["params"]["message"]["parts"][0]["text"]) or {})
        if fate:
            return httpx.Response(400 if fate == "r" else 502), []
        if task_id not in self._tasks:
            return httpx.Response(
                200, json={"id": body["id"], "error": {"code": -32001, "message": "No."}}
            ), []
        task = self._tasks[task_id]
        if path not in (STREAM_PATH, RESUBSCRIBE_PATH):
            task["works"] -= path == GET_PATH
            return httpx.Response(200, json={"id": body["id"], "result": self._describe(task)}), []
        self._breaks, task["works"] = self._breaks - 1, task["works"] if self._breaks > 0 else 0
        event = json.dumps(
            {"id": body["id"], "result": {**self._describe(task), "final": task["works"] <= 0}}
        )
        return httpx.Response(200, headers={"content-type": "text/event-stream"}), [
            f"data: {event}\n\n".encode()
        ]

    def _order(self, task_id: str, order: dict[str, Any]) -> None:
        lists = order.get("operation") == "list_transactions"
        task = self._tasks.setdefault(
            task_id,
            {
                "id": task_id,
                "works": 0 if lists else self._works,
                "waits": self._waits and not lists,
                "lists": lists,
            },
        )
        if task["waits"] and order.get("operation") == "approve":
            task["waits"], task["works"] = False, self._works
        self.paid[task_id] += not lists and not task["waits"]

    def _describe(self, task: dict[str, Any]) -> dict[str, Any]:
        state = "working" if task["works"] > 0 else "input-required" if task["waits"] else "completed"
        now = dt.datetime.fromtimestamp(self._clock.now, dt.UTC).isoformat()
        ours = [
            {**PAID, "id": "txn-1", "task_id": paid, "status": "INITIATED", "memo": None, "created": now}
            for paid in +self.paid
        ]
        paid = {**PAID, "status": "awaiting_approval"} if task["waits"] else PAID
        said = {"error": None, "transactions": ours} if task["lists"] else paid
        artifacts = [] if state == "working" else [{"parts": [{"type": "data", "data": said}]}]
        return {"id": task["id"], "status": {"state": state, "timestamp": now}, "artifacts": artifacts}

    def _issue(self, given: dict[str, Any]) -> httpx.Response:
        token = given.get("refresh_token", SecretStr(self.refresh_token))
        if token.reveal() != self.refresh_token:
            return httpx.Response(400, json={"error": "invalid_grant"})
        self.refresh_token = f"r-{int(self.refresh_token[2:]) + 1}"
        return token_answer("a" + self.refresh_token, refresh_token=self.refresh_token)


class Sent(NamedTuple):
    """A request: where it went, its task, whether a byte of it left, and the answer that the flow got."""

    path: str
    task_id: str
    left: bool
    came: httpx.Response | None = None


class Cutter(SyncRunner):
    """A runner, one of whose steps is cut.

    Args:
        server: Who is sent to.
        at: Which step, from 1; 0 for none.
        how: How, and how far the step has come by then: see `HOWS`.
    """

    def __init__(self, server: Server, clock: Clock, at: int = 0, how: str = "") -> None:
        self.server, self.clock, self.at = server, clock, at
        self._limit, _, self._done = how.partition(", ")
        self.kinds: list[type[effects.Effect]] = []
        self.sent: list[Sent] = []
        self.seen: list[tuple[str, str]] = []
        self.outage, self._since = "", 0.0
        self._pieces: Iterator[bytes] = iter(())
        super().__init__(clock=clock, sleep=self._pass)

    def _pass(self, seconds: float) -> None:
        self.clock.now += seconds

    def _perform(self, step: effects.Effect, line: Any) -> Any:
        self.kinds.append(type(step))
        assert len(self.kinds) < 1000, "it never ends"
        limit, done = (self._limit, self._done) if len(self.kinds) == self.at else ("", "")
        if limit in OUTAGES:
            self.outage, self._since = limit, self.clock.now
        if limit == "stopped" and not done:
            if isinstance(step, effects.SendRequest) and step.transmission is not None:
                step.transmission.sent = False
            raise Stop
        match step:
            case effects.SendRequest() | effects.ReadChunk():
                came = self._exchange(step, limit, done)
            case effects.WithLock(_, until) if limit == "over":
                self.clock.now, came = max(self.clock.now, until), None
            case effects.CallBlocking(function) if limit == "broken":
                _ = done and function()
                raise OSError("disk")
            case _:
                self.clock.now += SECONDS if limit == "over" else 0
                came = super()._perform(step, line)
        if limit == "stopped":
            raise Stop
        return came

    def _exchange(self, step: effects.SendRequest | effects.ReadChunk, limit: str, done: str) -> Any:
        if isinstance(step, effects.ReadChunk):
            if limit in ("late", "over"):
                self.clock.now = step.until if limit == "late" else self.clock.now + SECONDS
                raise APITimeoutError("Late.", sent=True)
            if limit == "broken" or self.outage == "down":
                raise APIConnectionError("Broken.", sent=True)
            piece = next(self._pieces, None)
            if piece is not None:
                self._see(json.loads(piece.removeprefix(b"data: ")))
            return piece
        if self.outage == "closed":
            raise ConfigurationError("Closed.", sent=False)
        until, _ = limit_request(step, self.clock.now, Timeouts(20, 20))
        path, body, transmission = step.request["url"], step.request.get("json") or {}, step.transmission
        task_id = body["params"]["id"] if body else ""
        assert transmission is not None
        transmission.sent = self.outage != "refused"
        self.sent.append(Sent(path, task_id, transmission.sent))
        if self.outage in ("refused", "down"):
            raise APIConnectionError("Broken.", sent=transmission.sent)
        came, pieces = (
            self.server.answer(step.request)
            if done or limit not in ("late", "over", "broken")
            else (None, [])
        )
        if limit in ("late", "over"):
            self.clock.now = until if limit == "late" else step.deadline
        if limit == "broken" or (limit in ("late", "over") and done != "answered"):
            raise (APIConnectionError if limit == "broken" else APITimeoutError)("No answer.", sent=True)
        if self.outage == "lagging" and path == GET_PATH and self.clock.now < self._since + LAG:
            came = httpx.Response(200, json={"id": body["id"], "error": {"code": -32001, "message": "No."}})
        assert came is not None
        if limit != "stopped":
            self.sent[-1], self._pieces = self.sent[-1]._replace(came=came), iter(pieces)
            if came.content and came.is_success:
                self._see(came.json())
        return came

    def _see(self, said: dict[str, Any]) -> None:
        if "result" in said:
            self.seen.append((said["result"]["id"], said["result"]["status"]["state"]))
        if "refreshToken" in said:
            self.seen.append(("token", said["refreshToken"]))


OUTAGES = ("closed", "refused", "down", "lagging")
"""What lasts from that step on: the client is closed, nothing can be sent, nothing is answered; or looks find nothing for a while."""
HOWS: dict[type[Any], tuple[str, ...]] = {
    effects.SendRequest: (
        *("late", "late, done", "over", "over, done", "over, answered", "broken", "broken, done"),
        *("stopped", "stopped, done", *OUTAGES),
    ),
    effects.ReadChunk: ("late", "over", "broken", "stopped", "down"),
    effects.CallBlocking: ("over", "broken", "broken, done", "stopped", "stopped, done"),
    effects.WithLock: ("over", "stopped, done"),
    effects.Sleep: ("over", "stopped"),
    effects.CallHook: ("over", "stopped"),
    effects.Invoke: ("closed", "stopped, done"),
}
"""`late` is beyond the limit of the step, `over` beyond the deadline of the call; `done` did take effect, `answered` says so."""


class KeptOperations:
    """A store of operations that does not count as memory, so that its calls are steps."""

    def __init__(self, clock: Clock) -> None:
        self.now, self._kept = clock, MemoryOperationStore()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kept, name)


class Reports:
    """A listener that counts the calls of its methods, by their names."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: self.counts.update([name])


class World:
    """A program: its server, its stores, and what it was given. Its client begins anew with every call."""

    def __init__(self, client: PaymanClient, ends: float, **server: Any) -> None:
        self.clock = Clock()
        self.server = Server(self.clock, **server)
        self.client, self.store, self.operations = client, MemoryTokenStore(), KeptOperations(self.clock)
        self.keys, self.payment = MemoryKeyStore(), cast("Any", None)
        self.proven: dict[tuple[str, str], str] = {}
        self.store.save(
            StoredToken(
                PERSON.name, "a-0", self.clock.now + ends, 3600, "r-0", None, fingerprint_token("r-0")
            )
        )

    def begin(self, at: int = 0, how: str = "") -> Cutter:
        self.changes: list[Any] = []
        self.reports = Reports()
        observer, runner = Observer((cast("Any", self.reports),)), Cutter(self.server, self.clock, at, how)
        self.tokens = TokenManager(
            PERSON, TokenStoreAccess(self.store), clock=self.clock, now=self.clock, observer=observer
        )
        config = self.client._config._replace(key_store=self.keys, on_task=self.changes.append)
        agent = Operations(
            *(self.tokens, config, self.clock, lambda: 1.0),
            wall_clock=self.clock,
            observer=observer,
            open_key_store=lambda: None,
            proofs=Proofs(config.base_url, self.proven),
        )
        self.client._config = config
        self.client._connection = cast("Any", APIConnection(runner, self.tokens, agent))
        self.toolkit = PaymanToolkit(self.client, run_id="run", store=cast("Any", self.operations))
        return runner
