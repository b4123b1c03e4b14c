"""The asks of a run: eight ways to pay the same small sum, and what the caller is told in the end."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from payman_sdk._io.clock import monotonic
from payman_sdk.errors import OutcomeUnknownError, PaymanError

if TYPE_CHECKING:
    from payman_sdk._client.async_ import AsyncPaymanClient
    from payman_sdk._client.sync import PaymanClient

End = Literal["completed", "failed", "not sent", "unproven", "unknown", "other"]
"""What the caller learned: it was done, it failed, nothing was done (`error.sent` is False), it was turned away and nothing proves that it was
not done, it is not known; or something that is none of these, such as an error of another library."""


@dataclass(frozen=True)
class Way:
    """A way to ask.

    Args:
        by_task: With the client for asyncio rather than that for threads.
        streams: With `stream` rather than `ask`.
        keyed: With an idempotency key.
    """

    by_task: bool
    streams: bool
    keyed: bool

    def __str__(self) -> str:
        words = (
            "async" if self.by_task else "sync",
            "stream" if self.streams else "plain",
            "key" if self.keyed else "no key",
        )
        return " ".join(words)


WAYS = tuple(
    Way(by_task, streams, keyed)
    for by_task in (False, True)
    for streams in (False, True)
    for keyed in (False, True)
)
"""All of them."""


@dataclass(frozen=True)
class Ask:
    """One ask of a run.

    Args:
        seed: The seed of the run.
        number: Its number, from 0; the way to ask follows from it.
    """

    seed: int
    number: int

    @property
    def way(self) -> Way:
        """How it is asked."""
        return WAYS[self.number % len(WAYS)]

    @property
    def uses_several_loops(self) -> bool:
        """Whether it is one of those, a quarter of all with the client for asyncio, whose client is used in several event loops."""
        return self.way.by_task and self.number // len(WAYS) % 4 == 1

    @property
    def is_asked_again(self) -> bool:
        """Whether it is one of those, half of all with a key, that are asked again in the end."""
        return self.way.keyed and self.number // len(WAYS) % 2 == 0

    @property
    def memo(self) -> str:
        """What the payment is for: the description by which it is found in the ledger."""
        return f"ask {self.number} of seed {self.seed}"

    @property
    def text(self) -> str:
        """What is asked."""
        return f"send 0.01 TSD to Test Payee for {self.memo}"

    @property
    def options(self) -> dict[str, Any]:
        """What `ask` and `stream` are given beside the text."""
        return {"idempotency_key": f"key-{self.seed}-{self.number}"} if self.way.keyed else {}


@dataclass(frozen=True)
class Claim:
    """What the caller was told.

    Args:
        end: In one word.
        detail: In the client's words.
        task_id: The task that it named.
        seconds: After how long.
        began: When it was asked, by `clock.monotonic`.
        stalled: How many seconds beyond its deadline this process stood still.
    """

    end: End
    detail: str
    task_id: str | None
    seconds: float
    began: float
    stalled: float = 0.0


class Listening:
    """Waits for the end of an ask, and puts down what it was."""

    def __init__(self) -> None:
        self._began = monotonic()
        self._end: End = "other"
        self._detail, self._task_id = "nothing was told", None

    def hear(self, answer: Any) -> None:
        """Puts down an answer."""
        self._task_id = answer.task_id
        self._detail = " ".join(answer.text.split())
        if answer.status in ("completed", "failed"):
            self._end = answer.status
        else:
            self._detail = f"{answer.status}: {self._detail}"

    def fail(self, error: Exception) -> None:
        """Puts down an error."""
        self._task_id = getattr(error, "task_id", None)
        self._end, self._detail = end_of(error), f"{type(error).__name__}: {error}"

    def claimed(self) -> Claim:
        """What has been put down."""
        return Claim(self._end, self._detail, self._task_id, monotonic() - self._began, began=self._began)


def end_of(error: Exception) -> End:
    """Return what an error says about the ask. Only `sent is False` says that nothing was done."""
    if isinstance(error, OutcomeUnknownError):
        return "unknown"
    if not isinstance(error, PaymanError):
        return "other"
    return "not sent" if error.sent is False else "unproven"


@contextmanager
def _listening(listening: Listening) -> Generator[Listening]:
    try:
        yield listening
    except Exception as error:
        listening.fail(error)


def asked(ask: Ask, client: PaymanClient) -> Claim:
    """Asks with the client for threads, and returns what was told."""
    with _listening(listening := Listening()):
        if ask.way.streams:
            with client.stream(ask.text, **ask.options) as stream:
                listening.hear(stream.result())
        else:
            listening.hear(client.ask(ask.text, **ask.options))
    return listening.claimed()


async def asked_by_task(ask: Ask, client: AsyncPaymanClient) -> Claim:
    """Asks with the client for asyncio, and returns what was told."""
    with _listening(listening := Listening()):
        if ask.way.streams:
            async with client.stream(ask.text, **ask.options) as stream:
                listening.hear(await stream.result())
        else:
            listening.hear(await client.ask(ask.text, **ask.options))
    return listening.claimed()
