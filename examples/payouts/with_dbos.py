"""Payouts on DBOS: `python with_dbos.py payouts.csv` pays a file; `python with_dbos.py --work` is one more worker.

Jobs are rows of a database: an SQLite file on one machine, PostgreSQL on many. Variables: PAYOUTS_DBOS, its address
(sqlite:///payouts-jobs.sqlite3); PAYOUTS_WORKER, the lasting name of this worker (local); PAYOUTS_PER_SECOND, what all workers
together begin in a second (20); PAYOUTS_AT_ONCE, how many lines a worker has in hand (8).
"""

import os
import sys
import time
from dataclasses import asdict

import job
from dbos import DBOS, SetWorkflowID
from payouts import PAUSES, SETTLE, Line, pay

QUEUE = "payouts"
PER_SECOND = int(os.environ.get("PAYOUTS_PER_SECOND", "20"))
AT_ONCE = int(os.environ.get("PAYOUTS_AT_ONCE", "8"))
LOST_AFTER = PAUSES[-1] + 5 * SETTLE  # seconds without a step after which a job is taken for lost
ENDED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]


@DBOS.step()
def try_once(row: dict[str, str]) -> dict[str, str]:
    """Try a line. A worker that dies here tries it again: the key makes that the same payment."""
    return pay(Line(**row))


@DBOS.workflow(max_recovery_attempts=1000)
def pay_out(row: dict[str, str]) -> dict[str, str]:
    """Try a line until its outcome is known, for some minutes. The pauses outlast the worker."""
    result = try_once(row)
    for pause in PAUSES:
        if result["outcome"] != "later":
            break
        DBOS.sleep(pause)
        result = try_once(row)
    return job.finish(result)


class DBOSEngine:
    """Runs each line as a workflow. What was not paid in one run is looked at again in the next, as another workflow."""

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}
        self._looked_at = time.time()

    def submit(self, lines: list[Line]) -> None:
        """Put the lines into the queue."""
        known: dict[str, str] = {}  # the newest workflow of each line that need not be run again
        count: dict[str, int] = {}
        for one in DBOS.list_workflows(workflow_id_prefix="payout-", name="pay_out", load_input=False):
            key, _, number = one.workflow_id.rpartition("/")
            count[key] = max(count.get(key, 0), int(number))
            is_open = one.status not in ENDED
            if is_open or (one.status == "SUCCESS" and one.output["outcome"] == "paid"):
                known[key] = one.workflow_id
        for line in lines:
            key = line.key
            if (known_id := known.get(key)) is None:
                known_id = f"{key}/{count.get(key, 0) + 1}"
                with SetWorkflowID(known_id):
                    DBOS.enqueue_workflow(QUEUE, pay_out, asdict(line))
            self._ids[line.number] = known_id

    def collect(self, lines: list[Line]) -> dict[str, job.Result]:
        """Return what has ended. A person decides the line of a workflow that cannot continue."""
        results: dict[str, job.Result] = {}
        waiting = {self._ids[line.number]: line for line in lines[:500]}
        for one in DBOS.list_workflows(workflow_ids=list(waiting), status=ENDED, load_input=False):
            line = waiting[one.workflow_id]
            row = {**asdict(line), "payment_id": "", "task_id": "", "outcome": "undetermined"}
            result = (
                one.output if one.status == "SUCCESS" else {**row, "reason": f"its job ended: {one.status}"}
            )
            # The number was used for another line before: pay() compares them, and sends nothing.
            results[line.number] = result if asdict(line).items() <= result.items() else job.finish(pay(line))
        if time.time() - self._looked_at > SETTLE:
            self._resume_lost([id_ for id_, line in waiting.items() if line.number not in results])
        return results

    def _resume_lost(self, ids: list[str]) -> None:
        """Submit again what stopped with a lost worker, or with the database."""
        self._looked_at = time.time()
        for one in DBOS.list_workflows(workflow_ids=ids, status="PENDING", load_input=False):
            if self._looked_at - (one.updated_at or 0) / 1000 > LOST_AFTER:
                DBOS.resume_workflow(one.workflow_id)


def main() -> int:
    """Start a worker, and pay a file or wait for work."""
    address = os.environ.get("PAYOUTS_DBOS", "sqlite:///payouts-jobs.sqlite3")
    worker = os.environ.get("PAYOUTS_WORKER", "local")
    DBOS(config={
        "name": "payouts", "system_database_url": address, "executor_id": worker, "application_version": "1", "log_level": "ERROR",
        "notification_listener_polling_interval_sec": 0.1,
    })  # fmt: skip
    DBOS.launch()
    DBOS.register_queue(
        QUEUE,
        worker_concurrency=AT_ONCE,
        limiter={"limit": PER_SECOND, "period": 1},
        polling_interval_sec=0.2,
    )
    try:
        while sys.argv[1:] == ["--work"]:
            time.sleep(1)
        return job.main(DBOSEngine())
    except KeyboardInterrupt:
        print("Stopped. Run it again, and it goes on.", file=sys.stderr)
        return 130
    finally:
        DBOS.destroy()


if __name__ == "__main__":
    sys.exit(main())
