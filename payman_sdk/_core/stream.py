"""The flow of a streamed ask: opens the stream, emits events, and follows the task when the stream breaks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from payman_sdk import errors
from payman_sdk._core.effects import Emit, Flow, hand_out
from payman_sdk._core.events import StreamEvent
from payman_sdk._core.formatting import raise_if_failed
from payman_sdk._core.http import HTTPResponse, ResponseHeaders, is_event_stream
from payman_sdk._core.polling import TaskAnswer, fetch_task_retrying, requires_input
from payman_sdk._core.reconciliation import build_unknown_error
from payman_sdk._core.requests import build_resubscribe_request, generate_id
from payman_sdk._core.retry import is_ambiguous, is_transient
from payman_sdk._core.rpc import read_answer, send_authenticated
from payman_sdk._core.send import carry_out
from payman_sdk._core.stream_reader import StreamReader
from payman_sdk._core.task_response import FormattedTaskResponse, TaskResponse

_FRUITLESS = 3
"""How many times in a row a stream resumes without a new event before look-ups follow the task."""


def ask_with_callback(
    stream: StreamFlow, on_message: Callable[[Any], Any], *, is_raw: bool
) -> Flow[FormattedTaskResponse | TaskResponse]:
    """Run a streamed ask, calling a function with every event or JSON-RPC answer; return the whole answer."""
    answers: list[Any] = [None]

    def pass_on(event: StreamEvent) -> Any:
        known, answers[0] = answers[0], event.raw  # several events may come in one answer
        return None if known is event.raw else on_message(event.raw)

    yield from hand_out(stream.run(), pass_on if is_raw else on_message)
    result = stream.get_result()
    return cast("TaskResponse", stream.progress.build_response()) if is_raw else result


class StreamFlow(StreamReader):
    """One streamed ask, from its request to its last event. Arguments as for `StreamReader` and `carry_out`."""

    _subscribed_for: errors.PaymanError | None = None

    def run(self) -> Flow[None]:
        """Return the flow, looked on from its beginning to its end."""
        return self.time.watch.track(self._run(), self.ask, is_stream=True)

    def _run(self) -> Flow[None]:
        """Emit iterators of events, an empty one as soon as the stream is open, to the end of the stream.

        Raises StreamInterruptedError; before the first event, as an ask.
        """
        self.time.watch.answer = lambda: self.format_answer().text
        # The time runs from now, not from when the stream was made.
        self._began_at = self.time.clock()
        self.time = self.time._replace(deadline=self._began_at + self._seconds)
        try:
            yield from carry_out(self)
        finally:
            self._ended_at = self.time.clock()
            self.time.watch.events = self.progress.count

    def attempt(self) -> Flow[bool]:
        """Send the ask and emit what its answer says, to the end."""
        try:
            return (yield from self._send_and_emit(self.ask.build_stream_request(), self.ask.request_id))
        except errors.PaymanError as error:
            if self.progress.count:
                error.sent = True  # whatever ended it, what emitted events was taken
            raise

    def reconcile(self, lost: errors.PaymanError, is_patient: bool) -> Flow[bool | None]:
        """Subscribe once more, else follow the task with `tasks/get`; return True once all is emitted, None for an unknown task."""
        if lost is not self._subscribed_for and is_ambiguous(lost):
            self._subscribed_for = lost
            self.time.watch.record_stream_break(self.ask.task_id, lost)
            if (yield from self._resubscribe()):
                return self._conclude()
        task_id, is_known = self.ask.task_id, self.progress.count > 0
        try:
            known = yield from fetch_task_retrying(
                task_id, self.time, is_patient=is_patient, was_sent=is_ambiguous(lost), is_known=is_known
            )
        except errors.PaymanError as error:
            if is_known:
                # A stream that began is never sent again.
                raise self._build_follow_error(lost, error) from lost
            if isinstance(error, errors.TaskNotFoundError):
                return None
            raise
        return (yield from self._follow(known, lost))

    def resume(self, known: TaskAnswer, lost: errors.PaymanError) -> Flow[bool]:
        """Emit what is known of a task, and follow it to its end."""
        yield from self._emit(self.progress.catch_up(*known))
        if not self.progress.is_over and not (yield from self._resubscribe()):
            yield from self._follow(None, lost)
        return True

    def get_result(self) -> FormattedTaskResponse:
        """Return the answer of a stream that has ended.

        Raises TaskFailedError if the caller wants that, OutcomeUnknownError if the answer cannot be read.
        """
        try:
            answer = self.format_answer()
            answer._is_repeated = self.time.watch.is_repeated  # pyright: ignore[reportPrivateUsage] # of this package
        except Exception as fault:  # the SDK's own; what was asked may be done
            failure = build_unknown_error(self.time.watch.convert_fault(fault))
            failure.add_context(**self.ask.get_ids())
        else:
            return raise_if_failed(answer) if self.time.options.raise_on_failure else answer
        raise failure

    def _send_and_emit(self, request: dict[str, Any], request_id: str) -> Flow[bool]:
        """Send a request, emit the events of its answer to the end, and return True; raises PaymanError."""
        patience = min(self.time.patience, self._idle)
        answer: HTTPResponse = yield from send_authenticated(
            request, self.time, patience=patience, is_stream=True, renews=request_id != self.ask.request_id
        )
        if is_event_stream(answer):
            self.time.watch.record_stream_open(self.ask.task_id, is_again=request_id != self.ask.request_id)
            if self.progress.headers is None:
                self.progress.headers = ResponseHeaders(answer.headers)
            yield Emit(iter(()))
            yield from self._read_to_end()
        else:
            yield from self._emit(self.progress.catch_up(*read_answer(answer, request_id, self.ask.task_id)))
        if not self.progress.is_over:
            raise errors.APIConnectionError("The stream ended before the task did.")
        return True

    def _resubscribe(self) -> Flow[bool]:
        """Subscribe to what is left of the stream; return whether all was emitted."""
        fruitless = 0
        pauses = self.time.iter_pauses()
        while fruitless < _FRUITLESS and not self.time.is_over():
            count = self.progress.count
            self.progress.rejoin()
            try:
                request_id = generate_id("req")
                again = build_resubscribe_request(self.ask.task_id, request_id, self._last_event_id)
                return (yield from self._send_and_emit(again, request_id))
            except errors.OutcomeUnknownError:
                raise
            except errors.PaymanError as error:
                if not is_transient(error):
                    break  # this server has no such thing
            if self.progress.count > count:
                fruitless, pauses = 0, self.time.iter_pauses()
            else:
                fruitless += 1
                yield next(pauses)
        return False

    def _follow(self, known: TaskAnswer | None, lost: errors.PaymanError) -> Flow[bool | None]:
        """Look the task up until it has ended, and emit its changes."""
        pauses = self.time.iter_pauses()
        while True:
            try:
                events = self.progress.catch_up(*(known or (yield from self._fetch_task())))
            except errors.PaymanError as error:
                raise self._build_follow_error(lost, error) from lost
            known = None
            if events:
                pauses = self.time.iter_pauses()
            yield from self._emit(events)
            if self.progress.is_over:
                return self._conclude()
            yield next(pauses)
            if self.time.is_over():
                late = errors.APITimeoutError("The ask exceeded its timeout.")
                raise self._build_follow_error(lost, late) from lost

    def _conclude(self) -> bool | None:
        """Return a task that waits, still or again, does not show whether the reply arrived."""
        return None if self.ask.is_reply and requires_input(self.progress.build_task()) else True

    def _build_follow_error(self, broke: errors.PaymanError, error: errors.PaymanError) -> errors.PaymanError:
        if self.progress.count == 0:
            return build_unknown_error(broke, error)
        message = f"{broke.message} The task could not be followed either: {error.message}"
        return self._build_interrupted_error(message, error)
