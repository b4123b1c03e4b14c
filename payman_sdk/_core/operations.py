"""Payman's agent as a client sees it: every method is a flow, for either runner."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from payman_sdk._annotations import NamedTuple
from payman_sdk._config import Config, read_seconds
from payman_sdk._core.formatting import format_answer, format_task, raise_if_failed
from payman_sdk._core.options import CallOptions, build_default_options, read_task_id
from payman_sdk._core.polling import TaskAnswer, cancel_task, fetch_task, wait_for_end
from payman_sdk._core.requests import AskRequest, derive_task_id, generate_id
from payman_sdk._core.retry import CallContext, retry_read
from payman_sdk._core.send import ResponseFlow, carry_out, read_repeatedly
from payman_sdk._core.task_reader import is_same_task
from payman_sdk._core.tracking import ClientObserver

if TYPE_CHECKING:
    from payman_api.models import Task
    from payman_sdk._core.auth.tokens import TokenManager
    from payman_sdk._core.effects import Clock, Flow
    from payman_sdk._core.exchange import EarlierArtifacts
    from payman_sdk._core.key_store import KeyStore
    from payman_sdk._core.payment_types import Payment, Transaction
    from payman_sdk._core.stream import StreamFlow
    from payman_sdk._core.task_response import FormattedTaskResponse, TaskResponse

T = TypeVar("T")
U = TypeVar("U")


_MOST = 10_000
"""Transactions that are remembered. One older than a payment proves nothing for it, so older ones may be forgotten."""


class Proofs:
    """The transactions of a server that name no task and have proven an outcome, each with its payment's task. Clients share them."""

    def __init__(self, server: str, proven: dict[tuple[str, str], str]) -> None:
        self._server, self._proven = server, proven

    def is_taken(self, transaction_id: str, task_id: str) -> bool:
        """Return whether a transaction has proven a payment of another task."""
        return self._proven.get((self._server, transaction_id), task_id) != task_id

    def take(self, transaction: Transaction, task_id: str) -> bool:
        """Have a transaction prove the payment of a task; return whether it does, for one of two threads only."""
        if transaction.task_id is not None or transaction.id is None:
            return is_same_task(transaction.task_id, task_id)
        is_taken = self._proven.setdefault((self._server, transaction.id), task_id) != task_id
        while len(self._proven) > _MOST:
            self._proven.pop(next(iter([*self._proven])), None)  # in one step, for several threads
        return not is_taken


class DescribedFlow(NamedTuple, Generic[T]):
    """The flow of a call, and what writes on whatever interrupts it which ask that is."""

    flow: Flow[T]
    describe: Callable[[BaseException], object]

    def then(self, follow: Callable[[Flow[T]], Flow[U]]) -> DescribedFlow[U]:
        """Return the flow that another function makes of this one."""
        return DescribedFlow(follow(self.flow), self.describe)


class Operations(NamedTuple):
    """What can be asked of the agent, and within which time.

    `clock` is the runner's; `wall_clock` gives seconds since 1970, for what processes share; `random` gives numbers from 0 to 1.
    """

    tokens: TokenManager
    config: Config
    clock: Clock
    random: Callable[[], float]
    wall_clock: Clock
    observer: ClientObserver
    open_key_store: Callable[[], KeyStore | None]
    proofs: Proofs

    def compute_deadline(self) -> float:
        """When something that begins now must be over."""
        return self.clock() + self.config.timeout

    def ask(
        self,
        text: str,
        session_id: str,
        options: CallOptions,
        *,
        task_id: str | None = None,
        earlier: EarlierArtifacts | None = None,
    ) -> DescribedFlow[FormattedTaskResponse | TaskResponse]:
        """Ask once, or answer a task; with `on_message`, as a stream that calls it with events."""
        if options.on_message is not None:
            from payman_sdk._core.stream import ask_with_callback

            stream = self.build_stream(text, session_id, options, task_id=task_id, earlier=earlier)
            flow = ask_with_callback(stream, options.on_message, is_raw=options.is_raw)
            return DescribedFlow(flow, partial(stream.time.watch.describe, ask=stream.ask))
        ask = self._build_ask(text, session_id, options, task_id)._replace(earlier=earlier)
        time = self._build_context(options, ask.task_id)
        return DescribedFlow(
            time.watch.track(self._run_ask(ask, time), ask), partial(time.watch.describe, ask=ask)
        )

    def _run_ask(self, ask: AskRequest, time: CallContext) -> Flow[FormattedTaskResponse | TaskResponse]:
        began, options = self.clock(), time.options
        exchange = ResponseFlow(ask, time)
        answer, task = yield from carry_out(exchange)
        time.watch.answer = lambda: format_answer(task, exchange.ask).text
        yield from time.watch.track_state(task)
        if options.is_raw and not options.raise_on_failure:
            return cast("TaskResponse", answer)
        response = format_answer(task, exchange.ask)
        response._seconds = self.clock() - began  # pyright: ignore[reportPrivateUsage] # of this package
        response._is_repeated = time.watch.is_repeated  # pyright: ignore[reportPrivateUsage] # as above
        response = raise_if_failed(response) if options.raise_on_failure else response
        return cast("TaskResponse", answer) if options.is_raw else response

    def build_stream(
        self,
        text: str,
        session_id: str,
        options: CallOptions,
        *,
        task_id: str | None = None,
        earlier: EarlierArtifacts | None = None,
    ) -> StreamFlow:
        """Return a streamed ask, or answer of a task; it begins when its flow is run."""
        from payman_sdk._core.stream import StreamFlow

        ask = self._build_ask(text, session_id, options, task_id)._replace(earlier=earlier)
        time, limits = self._build_context(options, ask.task_id), self.config
        most = (limits.max_answer_bytes, limits.max_event_bytes)
        return StreamFlow(ask, time, most)

    def get_task(self, task: object) -> Flow[FormattedTaskResponse]:
        def fetch(task_id: str, time: CallContext) -> Flow[TaskAnswer]:
            return retry_read(lambda: fetch_task(task_id, time), time, task_id)

        return self._look_at(read_task_id(task), task, fetch)

    def read(
        self, text: str, session_id: str, options: CallOptions, read: Callable[[FormattedTaskResponse], T]
    ) -> Flow[T]:
        """Ask for what changes nothing, repeatedly, and return what `read` makes of the answer."""
        ask = self._build_ask(text, session_id, options, None)
        time = self._build_context(options, ask.task_id)
        return time.watch.track(read_repeatedly(ask, time, read), ask)

    def count_undetermined(self, flow: Flow[Payment]) -> Flow[Payment]:
        """Return the flow of a payment, which is counted if its outcome is undetermined."""
        payment = yield from flow
        if payment.outcome == "undetermined":
            self.observer.count("undetermined")
        return payment

    def look_up(
        self, task: object, options: CallOptions, earlier: EarlierArtifacts | None
    ) -> Flow[tuple[FormattedTaskResponse, str | None]]:
        """Return the task as it is now, and the text of its first ask, if the server returns that."""
        from payman_sdk._core.idempotency import MESSAGES, first_text

        task_id = read_task_id(task)
        time = self._build_context(options, task_id)
        found = retry_read(lambda: fetch_task(task_id, time, messages=MESSAGES), time, task_id)
        response, known = yield from _format_found(found, time, earlier)
        return response, first_text(known)

    def cancel(self, task: object) -> Flow[FormattedTaskResponse]:
        return self._look_at(read_task_id(task), task, cancel_task)

    def wait(self, task: object, timeout: float | None) -> Flow[FormattedTaskResponse]:
        seconds = read_seconds(timeout, "timeout", self.config.timeout)
        return self._look_at(read_task_id(task), task, wait_for_end, seconds)

    def _look_at(
        self,
        task_id: str,
        task: object,
        fetch: Callable[[str, CallContext], Flow[TaskAnswer]],
        timeout: float | None = None,
    ) -> Flow[FormattedTaskResponse]:
        from payman_sdk._core.exchange import get_earlier_artifacts

        began = self.clock()
        options = build_default_options(self.config)
        options = options if timeout is None else options._replace(timeout=timeout)
        time = self._build_context(options, task_id)
        response, _ = yield from _format_found(fetch(task_id, time), time, get_earlier_artifacts(task))
        response._seconds = self.clock() - began  # pyright: ignore[reportPrivateUsage] # of this package
        return response

    def _build_context(self, options: CallOptions, task_id: str) -> CallContext:
        return CallContext(
            tokens=self.tokens,
            options=options,
            deadline=self.clock() + options.timeout,
            patience=options.read_timeout,
            watch=self.observer.create_tracker(self.clock, task_id, options.on_task),
            clock=self.clock,
            wall_clock=self.wall_clock,
            random=self.random,
            server=self.config.base_url,
            open_key_store=self.open_key_store,
        )

    def _build_ask(self, text: str, session_id: str, options: CallOptions, replied: str | None) -> AskRequest:
        key = options.idempotency_key
        task_id = generate_id("tsk") if key is None else derive_task_id(self.config.client_id, key)
        return AskRequest(
            text=text,
            task_id=replied or task_id,
            request_id=generate_id("req"),
            session_id=session_id,
            metadata=options.metadata,
            message_metadata=options.message_metadata,
            part_metadata=options.part_metadata,
            idempotency_key=key,
            is_reply=replied is not None,
        )


def _format_found(
    flow: Flow[TaskAnswer], time: CallContext, earlier: EarlierArtifacts | None
) -> Flow[tuple[FormattedTaskResponse, Task]]:
    answer, task = yield from flow
    yield from time.watch.track_state(task)
    said = answer.get("id")
    request_id = said if isinstance(said, str) else ""
    return format_task(task, request_id=request_id, session_id=None, earlier=earlier), task
