"""One soak: a file is paid by a fleet, whose members die and whose network fails; then every line is compared with Payman's ledger."""

from __future__ import annotations

import csv
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from unittest import mock

from attrs import field, frozen

from payman_sdk._core.requests import derive_task_id
from payman_sdk._io.clock import monotonic
from payman_sdk.sandbox import Sandbox
from payman_sdk.sandbox._server import request_log
from tests.agents.conftest import read_sent
from tests.faults import FaultProxy, Kind, Plan
from tests.faults.visibility import Showing
from tests.postgres_server import Server
from tests.soak.fleet import Celery, Fleet

KINDS = (
    Kind.HUNG_UP, Kind.LOST, Kind.LIMITED_SECONDS, Kind.LIMITED, Kind.BUSY, Kind.UNAVAILABLE, Kind.BROKEN, Kind.BAD_GATEWAY,
    Kind.GATEWAY_TIMEOUT, Kind.CONFLICT_TAKEN, Kind.TIMEOUT_TAKEN, Kind.ODD, Kind.ANSWER_LOST, Kind.CUT, Kind.HTML, Kind.TRUNCATED,
)  # fmt: skip
"""The faults of the network that need no special client."""


AMOUNT = Decimal("0.01")
ORDER = ("Test Payee", "0.01", "TSD")


@frozen(kw_only=True)
class Outcome:
    """What a soak found.

    Attributes:
        lines: How many lines there were.
        seconds: How long the job took.
        pace: Payments a second, without the first and the last tenth.
        outcomes: How many lines were reported in which way.
        reasons: Why how many lines are undetermined.
        kills: How often a worker, and the database, were killed.
        faults: How many requests met a fault of the network.
        wrong: What breaks the promise: a line that was paid twice, reported wrongly, or not reported.
    """

    lines: int
    seconds: float
    pace: float
    outcomes: Counter[str]
    reasons: Counter[str]
    kills: Counter[str]
    faults: int
    wrong: list[str] = field(factory=list[str])


def soak(
    folder: Path,
    server: Server,
    *,
    payments: int,
    workers: int,
    kills: int,
    rate: float,
    seed: int,
    seconds: float,
    settle: float = 3.0,
    celery: Celery | None = None,
) -> Outcome:
    """Pay a file, and return what was found.

    Args:
        folder: An empty folder.
        server: The database of the fleet.
        payments: How many lines the file has.
        workers: How many workers pay them.
        kills: How often something is killed, every fourth time the database, and every fourth time Celery's broker.
        rate: The part of the requests that meet a fault of the network.
        seed: Which faults and kills.
        seconds: How long the job may take.
        settle: Seconds after which what was sent cannot arrive any more.
        celery: The engine; DBOS, if none is given.
    """
    draw, killed = random.Random(seed), Counter[str]()  # noqa: S311 (chance, not a secret)
    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(request_log, "MOST_REQUESTS", 100 * payments))
        sandbox = stack.enter_context(Sandbox())
        stack.callback(sandbox.close)
        plan = Plan(seed=seed, rate=rate, kinds=KINDS, showings=[Showing.AT_ONCE])
        proxy = stack.enter_context(FaultProxy(int(sandbox.base_url.rpartition(":")[2]), plan))
        line = stack.enter_context(proxy.line(0))
        _write(folder / "payouts.csv", payments)
        payman = {
            "PAYMAN_BASE_URL": line.url if rate else sandbox.base_url,
            "PAYMAN_CLIENT_ID": sandbox.client_id,
            "PAYMAN_CLIENT_SECRET": sandbox.client_secret,
        }
        began = monotonic()
        fleet = stack.enter_context(Fleet(folder, server.address, payman, workers, settle, celery))

        def wait_for(paid: float) -> float:
            """Wait until so much is paid, whatever the machine's pace; return when that was."""
            while (1000 - sandbox.balance()) / AMOUNT < paid and monotonic() - began < seconds:
                if fleet.command.done.wait(0.05):
                    break
            return monotonic()

        tenth = wait_for(payments / 10)
        for number in range(kills):
            wait_for(payments * (number + draw.random()) / (kills + 1))
            if number % 4 == 1:
                killed["database"] += 1
                server.kill()
            elif fleet.broker is not None and number % 4 == 3:
                killed["broker"] += 1
                fleet.broker.kill()
            else:
                killed["worker"] += 1
                fleet.kill_one(draw.randrange)
        pace = 0.8 * payments / (wait_for(0.9 * payments) - tenth)
        fleet.command.done.wait(max(0.0, seconds - (monotonic() - began)))
        took = monotonic() - began
        fleet.__exit__()
        proxy.settle()  # what is late arrives
        sent = Counter(
            str(one.task_id)
            for one in sandbox.requests
            if one.operation == "send_task" and one.status == 200 and read_sent(one.text or "") == ORDER
        )
        paid = Counter(str(payment.task_id) for payment in sandbox.payments)
    report = _read(folder / "payouts.report.csv") if fleet.command.status is not None else {}
    wrong = list(_compare(payments, sandbox.client_id, report, paid, sent))
    outcomes = Counter(row["outcome"] for row in report.values())
    return Outcome(
        lines=payments,
        seconds=took,
        pace=pace,
        outcomes=outcomes,
        reasons=Counter(row["reason"][:100] for row in report.values() if row["outcome"] == "undetermined"),
        kills=killed,
        faults=proxy.faults.total(),
        wrong=wrong,
    )


def _write(path: Path, payments: int) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["number", "payee", "amount", "currency", "memo"])
        rows.writerows([f"soak-{number}", *ORDER, ""] for number in range(payments))


def _read(path: Path) -> dict[str, dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return {row["number"]: row for row in csv.DictReader(file)}


def _compare(
    payments: int,
    client_id: str,
    report: Mapping[str, Mapping[str, str]],
    paid: Counter[str],
    sent: Counter[str],
) -> Iterator[str]:
    """Yield what is wrong with each line."""
    lines = {
        derive_task_id(client_id, f"payout-soak-{number}"): f"soak-{number}" for number in range(payments)
    }
    for task_id, number in lines.items():
        row = report.get(number, {})
        outcome, made = row.get("outcome"), paid[task_id]
        if made > 1 or sent[task_id] > 1:
            yield f"{number}: {made} payments, sent {sent[task_id]} times"
        if outcome is None:
            yield f"{number}: not reported, {made} payments"
        elif outcome != "undetermined" and (outcome == "paid") != (made == 1):
            yield f"{number}: reported as {outcome}, {made} payments: {row.get('reason')}"
    for task_id in paid.keys() - lines.keys():
        yield f"task {task_id}: a payment of no line"
