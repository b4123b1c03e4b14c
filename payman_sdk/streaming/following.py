"""The flow of a streamed ask: opens the stream, tells what comes, and follows the task when the stream breaks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from payman_api.api.tasks import resubscribe_task
from payman_api.models.resubscribe_task_request import ResubscribeTaskRequest
from payman_api.models.task_query_params import TaskQueryParams
from payman_sdk.auth.tokens import Tokens, authorized
from payman_sdk.errors import (
    APIConnectionError,
    APITimeoutError,
    PaymanError,
    ResponseValidationError,
    StreamInterruptedError,
)
from payman_sdk.flows import Flow, Read, Tell
from payman_sdk.network import is_event_stream
from payman_sdk.responses import format_task
from payman_sdk.streaming.events import StreamEvent
from payman_sdk.streaming.progress import Progress
from payman_sdk.streaming.sse import EventTooLargeError, SSEDecoder
from payman_sdk.tasks.answers import read_answer
from payman_sdk.tasks.ask import Ask, nothing_said, says_nothing, unknown
from payman_sdk.tasks.waiting import Time, found

if TYPE_CHECKING:
    import httpx

    from payman_sdk.types import FormattedTaskResponse

_FRUITLESS = 3
"""How many times in a row a stream is taken up again though nothing new comes, before the task is followed another way."""


class Following:
    """One streamed ask, from its request to its last event.

    Args:
        ask: What is asked.
        tokens: Where its requests get their token.
        time: The time there is for all of it.
        idle: Seconds without an event after which the stream counts as broken; comments are no events.
    """

    def __init__(self, ask: Ask, tokens: Tokens, time: Time, idle: float) -> None:
        self.ask = ask
        self.progress = Progress(ask)
        self._tokens = tokens
        self._time = time
        self._idle = idle
        self._last_event_id = ""

    def told(self) -> Flow[None]:
        """The flow: tells batches of events, the first one empty as soon as the stream is open; ends when all is told.

        Raises:
            StreamInterruptedError: It broke, and could neither be taken up again nor followed otherwise.
            OutcomeUnknownError: It broke before anything was told, and how the ask ended could not be learned.
            PaymanError: As for an ask.
        """
        try:
            broke = yield from self._heard(self.ask.streaming_request())
            if broke is not None:
                yield from self._taken_up_again(broke)
        except PaymanError as error:
            error.about(**self.ask.ids())
            raise

    def answer(self) -> FormattedTaskResponse:
        """What the stream has told so far, as an ask would have answered it."""
        return format_task(
            self.progress.task(), request_id=self.ask.request_id, session_id=self.progress.session_id
        )

    def _heard(self, request: dict[str, Any]) -> Flow[PaymanError | None]:
        """Sends a request and tells what its answer tells; returns what broke it off, None where it told the end."""
        try:
            answer: httpx.Response = yield from authorized(
                request, self._tokens, self._time.deadline, silence=self._idle
            )
            if is_event_stream(answer):
                yield Tell(())
                yield from self._listened()
            elif says_nothing(answer):
                return nothing_said(answer)
            else:
                body, task = read_answer(answer, self.ask.request_id)
                yield Tell(self.progress.catch_up(body, task))
        except APIConnectionError as error:
            if not error.sent:
                raise
            return error
        return None if self.progress.is_over else APIConnectionError("The stream ended before the task did.")

    def _listened(self) -> Flow[None]:
        decoder, progress, clock = SSEDecoder(), self.progress, self._time.clock
        quiet_since = clock()
        while True:
            until = min(quiet_since + self._idle, self._time.deadline)
            piece: bytes | None = yield Read(until)
            if piece is None:
                return
            too_large: EventTooLargeError | None = None
            try:
                said = decoder.feed(piece)
            except EventTooLargeError as error:
                said, too_large = list(error.events), error
            events: list[StreamEvent] = []
            for one in said:
                events += progress.take(one.data)
                if progress.is_over:
                    break
            self._last_event_id = decoder.last_event_id
            if progress.is_over:
                yield from self._concluded(events)
                return
            if events:
                yield Tell(events)
            if too_large is not None:
                raise ResponseValidationError(
                    str(too_large), next_step="client.get_task(error.task_id) tells how the task stands."
                )
            if said:
                quiet_since = clock()
            elif clock() >= until:
                raise APITimeoutError(f"No event came within {self._idle:g} seconds.")

    def _concluded(self, events: list[StreamEvent]) -> Flow[None]:
        """Tells the last events, and before the very last one what an interruption may have swallowed."""
        if not self.progress.was_interrupted:
            yield Tell(events)
            return
        yield Tell(events[:-1])
        missing: Sequence[StreamEvent] = ()
        try:
            body, task = yield from self._looked_up()
            missing = self.progress.catch_up(body, task)
        except PaymanError:
            pass  # a server without tasks/get told all it could
        yield Tell([*missing, *events[-1:]])

    def _taken_up_again(self, broke: PaymanError) -> Flow[None]:
        """Subscribes once more, and follows the task with `tasks/get` where that leads nowhere."""
        fruitless = 0
        pauses = self._time.pauses()
        while fruitless < _FRUITLESS and not self._time.is_over():
            count = self.progress.count
            self.progress.rejoin()
            try:
                if (yield from self._heard(self._resubscription())) is None:
                    return
            except APIConnectionError:
                pass
            except PaymanError:
                break  # this server has no such thing
            if self.progress.count > count:
                fruitless, pauses = 0, self._time.pauses()
            else:
                fruitless += 1
                yield next(pauses)
        yield from self._followed(broke)

    def _followed(self, broke: PaymanError) -> Flow[None]:
        pauses = self._time.pauses()
        while not self.progress.is_over:
            try:
                body, task = yield from self._looked_up()
            except PaymanError as error:
                raise self._given_up(broke, error) from error
            if events := self.progress.catch_up(body, task):
                pauses = self._time.pauses()
            yield Tell(events)
            if self.progress.is_over:
                return
            yield next(pauses)
            if self._time.is_over():
                raise self._given_up(broke, APITimeoutError("The time for the whole ask was over."))

    def _looked_up(self) -> Flow[Any]:
        return found(self.ask.task_id, self.ask.request_id, self._tokens, self._time)

    def _resubscription(self) -> dict[str, Any]:
        params = TaskQueryParams(id=self.ask.task_id)
        request = resubscribe_task.build_request(
            body=ResubscribeTaskRequest(id=self.ask.request_id, params=params)
        )
        if self._last_event_id:
            request["headers"] = {**request["headers"], "Last-Event-ID": self._last_event_id}
        return request

    def _given_up(self, broke: PaymanError, error: PaymanError) -> PaymanError:
        if self.progress.count == 0:
            return unknown(f"{broke.message} {error.message}", error.response)
        failure = StreamInterruptedError(
            f"{broke.message} The task could not be followed either: {error.message}",
            next_step="Do not send it again; client.get_task(error.task_id) tells how it ended.",
            response=error.response,
        )
        failure.partial = self.answer()
        return failure
