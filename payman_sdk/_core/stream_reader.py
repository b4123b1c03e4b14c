"""Read one open event stream: emit its events, and settle what a stream without a final event leaves open."""

import contextlib
from collections import deque
from collections.abc import Sequence

from payman_sdk._core.accumulator import TaskAccumulator
from payman_sdk._core.effects import Emit, Flow, ReadChunk
from payman_sdk._core.events import StreamEvent
from payman_sdk._core.formatting import format_answer
from payman_sdk._core.polling import TaskAnswer, fetch_task, fetch_task_retrying
from payman_sdk._core.requests import AskRequest
from payman_sdk._core.retry import CallContext
from payman_sdk._core.sse import EventTooLargeError, RedactingDecoder
from payman_sdk._core.task_response import FormattedTaskResponse
from payman_sdk.errors import APITimeoutError, PaymanError, StreamInterruptedError

_GRACE = 2.0
"""Seconds of silence after which the stream of a resting task counts as ended without a final event."""


class StreamReader:
    """Reads the stream of one ask, within its time; `idle_timeout` without an event (comments do not count) means that it broke."""

    def __init__(self, ask: AskRequest, time: CallContext, max_bytes: tuple[int, int]) -> None:
        self.ask = ask
        self.progress = TaskAccumulator(ask)
        self.time = time
        self._seconds = time.deadline - time.clock()
        self._idle = time.options.idle_timeout
        self._max_kept, self._max_event = max_bytes
        self._began_at = self._ended_at = 0.0
        self._last_event_id = ""

    def format_answer(self) -> FormattedTaskResponse:
        """Return what came so far, as an ask would have answered it."""
        ask = self.ask._replace(session_id=self.progress.session_id)
        response = format_answer(self.progress.build_task(), ask)
        response._seconds = self._ended_at - self._began_at  # pyright: ignore[reportPrivateUsage] # of this package
        return response

    def _read_to_end(self) -> Flow[None]:
        """Read to the end; if the task rests before a final event, what follows decides little."""
        progress = self.progress
        broke: PaymanError | None = None
        try:
            yield from self._read_events()
        except PaymanError as error:
            broke = error
        if broke is None and progress.has_ended:
            progress.is_over = True
        elif self._may_settle():
            yield from self._settle()
        elif broke is not None:
            raise broke

    def _may_settle(self) -> bool:
        """Return whether the task has ended or waits for somebody, without a final event.

        A task that waits after a reply may be reported as it was before the reply, so a reply never settles for that.
        """
        progress = self.progress
        rests = progress.has_ended or (progress.is_resting and not self.ask.is_reply)
        return rests and not progress.is_over

    def _settle(self) -> Flow[None]:
        """Look up, once and briefly, what did not come of a task that rests; a failure changes nothing."""
        progress, brief = self.progress, self.time.shorten()
        try:
            events = progress.catch_up(*(yield from fetch_task(self.ask.task_id, brief)))
        except PaymanError:
            progress.is_over = True
            return
        yield from self._emit(events)
        if progress.has_ended:
            progress.is_over = True

    def _read_events(self) -> Flow[None]:
        progress, clock = self.progress, self.time.clock
        decoder = RedactingDecoder(self.time.tokens.current_secret, self._max_event)
        quiet_since = clock()
        while True:
            idle = min(self._idle, _GRACE) if self._may_settle() else self._idle
            until = min(quiet_since + idle, self.time.deadline)
            piece: bytes | None = yield ReadChunk(until)
            if piece is None:
                return
            too_large: EventTooLargeError | None = None
            try:
                said = decoder.feed(piece)
            except EventTooLargeError as error:
                said, too_large = list(error.events), error
            piece = None  # a traceback with locals would show what the server said
            unread = deque(said)
            while unread:
                if not self.time.watch.listeners:
                    yield Emit(progress.iter_text_chunks(unread))
                events = progress.add_event(unread.popleft().data) if unread else []
                if progress.is_over:
                    yield from self._emit_last(events)
                    return
                yield from self._emit(events)
            self._last_event_id = decoder.last_event_id
            if progress.artifacts.size > self._max_kept:
                raise self._build_interrupted_error(f"The answer is larger than {self._max_kept:,} bytes.")
            if too_large is not None:
                raise self._build_interrupted_error(str(too_large))
            if said:
                quiet_since = clock()
            elif clock() >= until:
                raise APITimeoutError(f"No event came within {idle:g} seconds.")

    def _emit_last(self, events: list[StreamEvent]) -> Flow[None]:
        """Emit the last events, and before the very last one what an interruption may have lost."""
        if not self.progress.artifacts.was_rejoined:
            yield from self._emit(events)
            return
        yield from self._emit(events[:-1])
        missing: Sequence[StreamEvent] = ()
        with contextlib.suppress(PaymanError):  # a server without tasks/get has sent all it could
            missing = self.progress.catch_up(*(yield from self._fetch_task()))
        yield from self._emit([*missing, *events[-1:]])

    def _emit(self, events: list[StreamEvent]) -> Flow[None]:
        """Emit events, each after those who look on."""
        for event in events:
            hook = self.time.watch.record_event(self.ask.task_id, event)
            if hook is not None:
                yield hook
            yield Emit(iter((event,)))

    def _fetch_task(self) -> Flow[TaskAnswer]:
        return fetch_task_retrying(self.ask.task_id, self.time, was_sent=True, is_known=True)

    def _build_interrupted_error(
        self, message: str, error: PaymanError | None = None
    ) -> StreamInterruptedError:
        failure = StreamInterruptedError(
            message,
            next_step="Do not send it again; client.get_task(error.task_id) returns the outcome.",
            response=error.response if error is not None else None,
        )
        failure.sent, failure.partial = True, self.format_answer()
        return failure
