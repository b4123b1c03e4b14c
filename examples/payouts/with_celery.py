"""Payouts on Celery: `celery -A with_celery worker` works, on as many machines as you like; `python with_celery.py payouts.csv` pays a file.

Redis is the broker and keeps the results. Variables: PAYOUTS_REDIS, its address (redis://localhost:6379/0); PAYOUTS_PER_SECOND, what all
workers together begin in a second (20). Losing Redis loses no payment: a line without a result is handed over again.
"""

import os
import sys
import time
from collections import Counter
from dataclasses import asdict
from typing import Any

import job
import redis
from celery import Celery
from kombu.exceptions import OperationalError
from payouts import PAUSES, Line, pay

REDIS = os.environ.get("PAYOUTS_REDIS", "redis://localhost:6379/0")
PER_SECOND = int(os.environ.get("PAYOUTS_PER_SECOND", "20"))
LOST_AFTER = 60  # seconds after which a message of a worker that died is delivered again
AT_ONCE = 500  # lines that are in Redis at a time

app = Celery("payouts", broker=REDIS, backend=REDIS)
app.conf.update(
    task_acks_late=True,  # a message counts once its line has a result
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_transport_options={"visibility_timeout": LOST_AFTER, "socket_timeout": 10},
    result_expires=90 * 24 * 3600,
    redis_socket_timeout=10,
)


def wait_for_turn() -> None:
    """Wait until the fleet may begin one more payment in this second."""
    with redis.Redis.from_url(REDIS, socket_timeout=10) as client:
        while True:
            try:
                second, millionths = client.time()  # one clock for all workers
                key = f"payouts:{second}"
                count, _ = client.pipeline().incr(key).expire(key, 10).execute()
                if count <= PER_SECOND:
                    return
                time.sleep(1 - millionths / 1e6)
            except redis.RedisError:
                time.sleep(1)  # Redis will be back


@app.task(bind=True, name="payouts.pay_out", max_retries=None)
def pay_out(task: Any, row: dict[str, str], tries: int = 0) -> dict[str, str]:
    """Try a line until its outcome is known, for some minutes."""
    wait_for_turn()
    result = pay(Line(**row))
    if result["outcome"] == "later" and tries < len(PAUSES):
        # A message that waits for longer than LOST_AFTER would be delivered twice.
        raise task.retry(args=(row, tries + 1), countdown=min(PAUSES[tries], LOST_AFTER - 15))
    return job.finish(result)


class CeleryEngine:
    """Runs each line as a task whose id is its key. A task that is delivered or submitted twice is the same payment."""

    def __init__(self) -> None:
        self._sent: dict[str, float] = {}
        self._redis = ""
        self._failures = Counter[str]()

    def submit(self, lines: list[Line]) -> None:
        """Forget earlier results of lines that are not paid yet; `collect` submits them."""
        for line in lines:
            known = app.AsyncResult(line.key)
            if known.ready() and not (known.successful() and known.result["outcome"] == "paid"):
                known.forget()

    def collect(self, lines: list[Line]) -> dict[str, job.Result]:
        """Return what has ended, and submit what is new or seems to be lost."""
        results: dict[str, job.Result] = {}
        try:
            if self._redis != (started := app.backend.client.info("server")["run_id"]):
                self._redis = started
                self._sent.clear()  # a Redis that started again may have lost what it was given
            for line in lines[:AT_ONCE]:
                known = app.AsyncResult(line.key)
                if known.failed() and self._failures[line.key] < 5:
                    self._failures[line.key] += 1
                    known.forget()  # its result could not be kept, for instance: the same payment is tried again
                    self._sent.pop(line.number, None)
                if known.ready():
                    results[line.number] = self._read(line, known)
                elif time.monotonic() - self._sent.get(line.number, -1e9) > 2 * LOST_AFTER:
                    pay_out.apply_async((asdict(line),), task_id=line.key)
                    self._sent[line.number] = time.monotonic()
        except (OperationalError, redis.RedisError, OSError):
            time.sleep(1)  # Redis will be back
        return results

    def _read(self, line: Line, known: Any) -> job.Result:
        row = {**asdict(line), "payment_id": "", "task_id": "", "outcome": "undetermined"}
        result = known.result if known.successful() else {**row, "reason": f"its task failed: {known.result}"}
        # The number was used for another line before: pay() compares them, and sends nothing.
        return result if asdict(line).items() <= result.items() else job.finish(pay(line))


if __name__ == "__main__":
    try:
        sys.exit(job.main(CeleryEngine()))
    except KeyboardInterrupt:
        print("Stopped. Run it again, and it goes on.", file=sys.stderr)
        sys.exit(130)
