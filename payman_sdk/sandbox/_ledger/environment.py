"""What the sandbox gets from outside: the time, chance, and how correct its agent's answers in JSON are.

All are passed in, so that a test decides.
"""

import base64
import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from payman_sdk._io.clock import monotonic, wall_time

Clock = Callable[[], float]
"""Gives the time, in seconds since 1970-01-01 UTC, as `time.time` does."""

JsonAnswers = Literal[
    "careful",
    "data_part",
    "fenced",
    "prose",
    "two_objects",
    "other_amount",
    "other_payee",
    "truncated",
    "unknown_status",
    "paid_with_reason",
    "claims_paid",
    "claims_refused",
    "unlinked",
]
"""How the agent answers a request for JSON; `Sandbox` explains them."""

_stopped: tuple[float, float] = (0.0, 0.0)
"""The last reading of the wall clock that differed from the one before, and when it was."""


def read_server_time() -> float:
    """Return the wall time. If a test has frozen it, it runs on, so that waits in the sandbox end."""
    global _stopped
    now, at = wall_time(), monotonic()
    last, since = _stopped
    if now == last:
        return now + at - since
    _stopped = now, at
    return now


Randomness = Callable[[int], bytes]
"""Gives that many random bytes, as `secrets.token_bytes` and `random.Random(7).randbytes` do."""

# Short words in the manner of Payman's paytags, such as `tube.tense.cask/53`.
_WORDS = (  # noqa: SIM905 (words read better as words)
    "amber apple arrow baker beach birch bloom brick brook cabin candle canyon cask cedar chalk cloud coral "
    "crane daisy delta dune eagle ember falcon fern flint forest garnet ginger grain harbor hazel heron island "
    "ivory jasper kettle lagoon lantern lemon linen maple marble meadow mint moss nectar north oak olive opal "
    "orchid otter pearl pebble pine plum prairie quartz quill raven reed ridge river robin saffron sage sand "
    "silver slate sparrow spruce stone summit swift tense thistle timber topaz tube tulip valley velvet willow"
).split()


@dataclass(frozen=True)
class SandboxEnvironment:
    """The clock and the source of chance of one sandbox, and how its agent answers requests for JSON."""

    clock: Clock
    randomness: Randomness
    json_answers: JsonAnswers = "careful"

    def now(self) -> int:
        """Return the time in nanoseconds since 1970."""
        return round(self.clock() * 1_000_000_000)

    def new_id(self, prefix: str) -> str:
        """Return a new id such as `ses-5f0c…`: the prefix and a random UUID."""
        return f"{prefix}-{uuid.UUID(bytes=self.randomness(16), version=4)}"

    def new_secret(self) -> str:
        """Return a new secret of 256 bits, in characters that need no escaping anywhere."""
        return base64.urlsafe_b64encode(self.randomness(32)).decode("ascii").rstrip("=")

    def new_paytag(self) -> str:
        """Return a new paytag: three words and a number of two digits."""
        first, second, third, number = (
            int.from_bytes(self.randomness(4), "big") % size for size in (len(_WORDS),) * 3 + (90,)
        )
        return f"{_WORDS[first]}.{_WORDS[second]}.{_WORDS[third]}/{number + 10}"


def to_datetime(nanoseconds: int) -> dt.datetime:
    """Return a time to the second, in UTC."""
    return dt.datetime.fromtimestamp(nanoseconds // 1_000_000_000, dt.UTC)


def compute_day_and_month(now: int) -> tuple[int, int]:
    """When the UTC day and the UTC month of that moment began; all in nanoseconds since 1970."""
    day = to_datetime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    return _to_nanoseconds(day), _to_nanoseconds(day.replace(day=1))


def _to_nanoseconds(moment: dt.datetime) -> int:
    return int(moment.timestamp()) * 1_000_000_000
