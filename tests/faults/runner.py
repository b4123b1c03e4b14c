"""A run: many asks through a network that fails, and what became of each of them."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, closing, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from payman_sdk._io.clock import monotonic
from payman_sdk._io.key_store import MemoryKeyStore
from payman_sdk._io.transport import build_async_http_client, build_http_client
from payman_sdk.errors import PaymanError
from tests.faults.ask_modes import Ask, Claim, asked, asked_by_task
from tests.faults.fault_kinds import Kind
from tests.faults.proxy import FaultProxy, Line
from tests.faults.reserved_ports import Port
from tests.faults.settings import Settings
from tests.faults.stall_detector import Pulse
from tests.faults.transports import AsyncRaisingPool, RaisingPool

if TYPE_CHECKING:
    from payman_sdk.sandbox import Sandbox, SandboxPayment

_LOOPS = 3
"""How many threads make asks in several event loops."""
_PACE = 0.003
"""Seconds between two events of a stream: so that tasks can be seen at work."""


@dataclass
class Case:
    """An ask, what was told about it, and what the ledger says.

    Attributes:
        ask: the ask.
        told: what the caller was told.
        again: what those were told who asked again with the same key, in order: the first one through the same network,
            another, where that was not told an end, through one that works.
        first: the payments that had been made for it before anybody asked again.
        payments: the payments that were made for it in the end.
        lines: how its requests fared: those of the ask, and of the first repetition.
    """

    ask: Ask
    claimed: Claim
    again: list[Claim] = field(default_factory=list[Claim])
    first: Sequence[SandboxPayment] = ()
    payments: Sequence[SandboxPayment] = ()
    lines: list[Line] = field(default_factory=list[Line])

    @property
    def times_taken(self) -> int:
        """How often the server took the ask: what a server pays that does not know a repeated task id again."""
        return sum(
            entry.name in ("send", "stream") and entry.taken for line in self.lines for entry in line.entries
        )


@dataclass(frozen=True)
class Outcome:
    """What a run found.

    Args:
        settings: What it was like.
        cases: Its asks.
        strays: How many payments belong to none of them.
        faults: How often each kind of fault came up.
        seconds: How long it took.
    """

    settings: Settings
    cases: Sequence[Case]
    strays: int
    faults: Counter[Kind]
    seconds: float


class _KeysOfAllLines(MemoryKeyStore):
    """A key store to which all lines are one server, as they are."""

    def load(self, operation: str) -> float | None:
        """Return when the ask was last sent."""
        return super().load(_task_of(operation))

    def claim(self, operation: str, sent_at: float, expected: float | None) -> bool:
        """Record that the ask is sent at this time, if the record still is `expected`."""
        return super().claim(_task_of(operation), sent_at, expected)

    def forget(self, operation: str, expected: float) -> None:
        """Remove the record, if it still is `expected`."""
        super().forget(_task_of(operation), expected)


def _task_of(operation: str) -> str:
    return operation.partition(" at ")[0]


class Running:
    """Makes the asks of a run, each with a client of its own.

    Args:
        settings: What the run is like.
        sandbox: Who is asked.
        proxy: What stands in between.
        pulse: What notices when this process stands still.
    """

    def __init__(self, settings: Settings, sandbox: Sandbox, proxy: FaultProxy, pulse: Pulse) -> None:
        self._settings, self._sandbox, self._proxy, self._pulse = settings, sandbox, proxy, pulse
        self._lock = threading.Lock()
        self._keys = _KeysOfAllLines()
        self.cases: dict[int, Case] = {}

    def once(self) -> None:
        """Makes every ask, and waits until everything that was sent has arrived."""
        self._make([Ask(self._settings.seed, number) for number in self._settings.numbers], 0)

    def again(self) -> None:
        """Asks those again that are asked again, as another client: through the same network, with other faults.

        Who is not told then that it is done asks once more, through a network that works.
        """
        again = [case.ask for case in self.cases.values() if case.ask.is_asked_again]
        self._make(again, self._settings.asks)
        http: Any = build_http_client(self._sandbox.base_url)
        with closing(http):
            for ask in again:
                if self.cases[ask.number].again[-1].end != "completed":
                    with self._sandbox.client(
                        http_client=http,
                        timeout=self._settings.timeout,
                        settle_time=self._settings.settle_time,
                        key_store=self._keys,
                    ) as client:
                        self._note(ask, asked(ask, client))

    def _make(self, asks: Sequence[Ask], shift: int) -> None:
        workers = max(1, self._settings.workers // 2)
        by_task = iter([ask for ask in asks if ask.way.by_task and not ask.uses_several_loops])
        by_loops = iter([ask for ask in asks if ask.uses_several_loops])
        by_thread = iter([ask for ask in asks if not ask.way.by_task])
        with ThreadPoolExecutor(workers + 1 + _LOOPS) as pool:
            made = [pool.submit(lambda: asyncio.run(self._by_tasks(by_task, shift, workers)))]
            made += [pool.submit(self._by_threads, by_thread, shift) for _ in range(workers)]
            made += [pool.submit(self._by_loops, by_loops, shift) for _ in range(_LOOPS)]
            for one in made:
                one.result()
        self._proxy.settle()

    def _by_threads(self, left: Iterator[Ask], shift: int) -> None:
        for ask in left:
            self._by_thread(ask, shift)

    def _by_thread(self, ask: Ask, shift: int) -> None:
        with self._line(ask, shift) as line:
            http: Any = build_http_client(line.url)
            http.way = http.connections = RaisingPool(http.way)
            with closing(http), self._sandbox.client(http_client=http, **self._config(line)) as client:
                claimed = asked(ask, client)
            self._note(ask, claimed, line)

    def _by_loops(self, left: Iterator[Ask], shift: int) -> None:
        """Make asks whose client fetches its token in one event loop, asks in another, and is closed in a third."""
        for ask in left:
            with self._line(ask, shift) as line:
                client = self._sandbox.async_client(**self._config(line))
                with suppress(PaymanError):
                    asyncio.run(client.get_access_token())
                claimed = asyncio.run(asked_by_task(ask, client))
                asyncio.run(client.close())
                self._note(ask, claimed, line)

    async def _by_tasks(self, left: Iterator[Ask], shift: int, workers: int) -> None:
        async def work() -> None:
            for ask in left:
                await self._by_task(ask, shift)

        await asyncio.gather(*(work() for _ in range(workers)))

    async def _by_task(self, ask: Ask, shift: int) -> None:
        with self._line(ask, shift) as line:
            http: Any = build_async_http_client(line.url)
            http.way = http.connections = AsyncRaisingPool(http.way)
            async with (
                aclosing(http),
                self._sandbox.async_client(http_client=http, **self._config(line)) as client,
            ):
                claimed = await asked_by_task(ask, client)
            self._note(ask, claimed, line)

    def _note(self, ask: Ask, claimed: Claim, line: Line | None = None) -> None:
        deadline = claimed.began + self._settings.timeout
        claimed = replace(claimed, stalled=self._pulse.stalled(deadline, claimed.began + claimed.seconds))
        with self._lock:
            case = self.cases.get(ask.number)
            if case is None:
                case = self.cases[ask.number] = Case(ask, claimed)
            else:
                case.again.append(claimed)
            if line is not None:
                case.lines.append(line)

    def _line(self, ask: Ask, shift: int) -> Line:
        looks_up_first = ask.way.keyed and self._settings.reconciles
        return self._proxy.line(ask.number + shift, looks_up_first=looks_up_first)

    def _config(self, line: Line) -> dict[str, Any]:
        patience = self._settings.patience
        return {
            "base_url": line.url,
            "timeout": self._settings.timeout,
            "read_timeout": patience,
            "max_retries": self._settings.retries,
            "idle_timeout": 2 * patience,
            "settle_time": self._settings.settle_time,
            "resend": self._settings.resend,
            "key_store": self._keys,
        }


def run(settings: Settings) -> Outcome:
    """Makes the asks of a run, and looks into the ledger.

    Example:
        >>> from tests.faults import Settings, run
        >>> outcome = run(Settings(asks=8, rate=0.0))
        >>> {case.told.end for case in outcome.cases}, sum(len(case.payments) for case in outcome.cases)
        ({'completed'}, 8)
    """
    from payman_sdk.sandbox import Sandbox

    began = monotonic()
    port = Port()  # kept, so that nobody takes it while the sandbox restarts
    sandbox = Sandbox(
        port=port.number,
        pace=_PACE,
        tasks_get=settings.reconciles,
        resubscribe="resume" if settings.reconciles else "off",
    )

    def restart(seconds: float) -> None:
        sandbox.stop()
        time.sleep(seconds)
        sandbox.start()

    with sandbox:
        with FaultProxy(port.number, settings.plan, restart) as proxy, Pulse() as pulse:
            running = Running(settings, sandbox, proxy, pulse)
            _warm_up(sandbox)
            running.once()
            sums = payments_by_memo(sandbox)
            for case in running.cases.values():
                case.first = sums.get(case.ask.memo, ())
            running.again()
        sandbox.check_invariants()
        sums = payments_by_memo(sandbox)
        for case in running.cases.values():
            case.payments = sums.pop(case.ask.memo, ())
    sandbox.close()
    port.close()
    cases = [running.cases[number] for number in sorted(running.cases)]
    strays = sum(len(payments) for payments in sums.values())
    return Outcome(settings, cases, strays, proxy.faults, monotonic() - began)


def _warm_up(sandbox: Sandbox) -> None:
    """Has everything imported that the first ask imports: that takes longer than an ask may overrun its deadline."""
    with sandbox.client() as client, client.stream("test connection") as stream:
        stream.result()


def payments_by_memo(sandbox: Sandbox) -> dict[str, Sequence[SandboxPayment]]:
    """The payments that were made, by what they are for."""
    made: dict[str, list[SandboxPayment]] = {}
    for payment in sandbox.payments:
        if payment.status == "INITIATED":
            made.setdefault(payment.description or "", []).append(payment)
    return {**made}
