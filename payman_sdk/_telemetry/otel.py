"""Spans and metrics of OpenTelemetry. An ask has a span, and under it one for each request and each renewal of the access token.

The span of an ask is current while its flow runs, but not while a stream's reader runs. Exceptions are not recorded: messages may
repeat a server's text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from opentelemetry import trace
from opentelemetry.context import attach, create_key, detach, get_value, set_value
from opentelemetry.metrics import MeterProvider, get_meter
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from payman_sdk._core.effects import Effect, Emit, Flow, T, step_through
from payman_sdk._core.tracking import TokenRefreshBegan, notify, redact_state, warn
from payman_sdk._io.routes import suppress_instrumentation
from payman_sdk._telemetry import events
from payman_sdk._version import __version__

if TYPE_CHECKING:
    from payman_sdk._core.events import StreamEvent
    from payman_sdk._core.hook_payloads import TokenRefresh
    from payman_sdk._core.requests import AskRequest
    from payman_sdk._telemetry.settings import Telemetry
    from payman_sdk.errors import PaymanError

_ASK = create_key("payman-ask")
_MOST_EVENTS = 100
"""After so many events of a stream, spans note only state changes; spans hold 128 by default."""


class _AskSpan:
    """The span of an ask, and how many events of its stream are in it."""

    def __init__(self, span: Span) -> None:
        self.span = span
        self.noted = 0

    def enter(self) -> None:
        """Make it the current span, to which what is observed belongs."""
        self._token = attach(set_value(_ASK, self, trace.set_span_in_context(self.span)))

    def leave(self) -> None:
        detach(self._token)


class Tracing(events.Listener):
    """Makes spans and metrics of a client's events."""

    def __init__(self, telemetry: Telemetry, base_url: str) -> None:
        server = urlsplit(base_url)
        self._base_url = base_url
        self.server: dict[str, str | int] = {
            "server.address": server.hostname or "",
            "server.port": server.port or (443 if server.scheme == "https" else 80),
        }
        self._telemetry = telemetry
        self._tracer = trace.get_tracer("payman_sdk", __version__, telemetry.tracer_provider)
        self._open: dict[int, tuple[Span, ExitStack]] = {}

    def wrap_ask(self, flow: Flow[T], ask: AskRequest, *, is_stream: bool) -> Flow[T]:
        try:
            asked = _AskSpan(self._start_span(ask, is_stream=is_stream))
        except Exception as error:
            warn(error)
            return (yield from flow)

        def take(step: Effect) -> Flow[Any]:
            if not isinstance(step, Emit):
                return (yield step)
            asked.leave()
            try:
                return (yield step)
            finally:
                asked.enter()

        asked.enter()
        try:
            return (yield from step_through(flow, take))
        finally:
            asked.leave()
            notify((asked.span,), lambda span: span.end())

    def record_answer(
        self, began: events.AttemptBegan, status_code: int | None, error: str | None, seconds: float
    ) -> None:
        kind = error or (str(status_code) if (status_code or 0) >= 400 else None)
        self._end_attempt(began, {"http.response.status_code": status_code, "error.type": kind})

    def record_refresh(self, began: TokenRefreshBegan) -> None:
        about = {"payman.token.reason": began.reason}
        self._begins(began, self._tracer.start_span("payman.token.renewal", attributes=about))

    def record_refresh_end(self, began: TokenRefreshBegan, refresh: TokenRefresh | None) -> None:
        rotated, error = (refresh.is_rotated, refresh.error) if refresh is not None else (None, None)
        self._end_attempt(began, {"payman.token.rotated": rotated, "error.type": _name_type(error)})

    def _start_span(self, ask: AskRequest, *, is_stream: bool) -> Span:
        attributes: dict[str, Any] = {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.provider.name": "payman",
            "gen_ai.agent.name": "Payman",
            "gen_ai.conversation.id": ask.session_id,
            "gen_ai.request.stream": is_stream,
            **self.server,
            "payman.task.id": ask.task_id,
            "payman.request.id": ask.request_id,
            "payman.reply": ask.is_reply,
            "gen_ai.input.messages": self._format_message("user", lambda: ask.text),
        }
        return self._start_client_span("invoke_agent Payman", attributes)

    def record_attempt(self, began: events.AttemptBegan) -> None:
        attributes: dict[str, Any] = {
            "http.request.method": began.method,
            "url.full": f"{self._base_url}{began.path}",
            **self.server,
            "payman.task.id": began.task_id,
            "http.request.resend_count": began.resends or None,
        }
        span = self._start_client_span(f"{began.method} {began.path}", attributes)
        # Instrumentations of HTTP clients would make a second span of the request, with whatever its address and headers hold.
        self._begins(began, span).enter_context(suppress_instrumentation())
        if self._telemetry.propagate:
            TraceContextTextMapPropagator().inject(began.headers)

    def _begins(self, began: events.AttemptBegan | TokenRefreshBegan, span: Span) -> ExitStack:
        """Make a span current; what is entered on the stack is left when it ends."""
        within = ExitStack()
        within.callback(detach, attach(trace.set_span_in_context(span)))
        self._open[id(began)] = span, within
        return within

    def _end_attempt(
        self, began: events.AttemptBegan | TokenRefreshBegan, attributes: dict[str, Any]
    ) -> None:
        span, within = self._open.pop(id(began))
        within.close()
        _describe(span, attributes)
        span.end()

    def record_retry(self, attempt: int, failure: PaymanError, delay: float) -> None:
        about: dict[str, Any] = {"payman.attempt": attempt, "payman.delay": delay}
        _get_ask().span.add_event("payman.retry", {**about, "error.type": type(failure).__name__})

    def record_failure(self, task_id: str, attempt: int, failure: PaymanError, verdict: str) -> None:
        about: dict[str, Any] = {"payman.attempt": attempt, "payman.verdict": verdict.lower()}
        _get_ask().span.add_event("payman.judged", {**about, "error.type": type(failure).__name__})

    def record_fetch(self, task_id: str, state: str | None) -> None:
        _get_ask().span.add_event("payman.looked_up", {"payman.task.state": state or "not known"})

    def record_state(self, task_id: str, state: str) -> None:
        _get_ask().span.add_event("payman.task.state", {"payman.task.state": state})

    def record_stream_open(self, task_id: str, *, is_again: bool) -> None:
        _get_ask().span.add_event("payman.stream.opened", {"payman.stream.again": is_again})

    def record_stream_break(self, task_id: str, failure: PaymanError) -> None:
        _get_ask().span.add_event("payman.stream.broke", {"error.type": type(failure).__name__})

    def record_event(self, task_id: str, event: StreamEvent) -> None:
        asked = _get_ask()
        asked.noted += 1
        is_status = event["type"] == "status_update"
        if asked.noted > _MOST_EVENTS and not is_status:
            return
        names = ("state", "is_final") if is_status else ("index", "is_last_chunk")
        details = {f"payman.event.{name}": event[name] for name in names if name in event}
        if is_status:
            details["payman.event.state"] = redact_state(event["state"])
        asked.span.add_event("payman.event", {"payman.event.type": event["type"], **details})

    def record_end(self, ended: events.AskEnded) -> None:
        watch = ended.watch
        error = _name_type(ended.error) or (ended.state if ended.outcome == "failed" else None)
        attributes: dict[str, Any] = {
            "payman.outcome": ended.outcome,
            "payman.task.state": ended.state,
            "payman.attempts": watch.attempts,
            "payman.lookups": watch.lookups,
            "payman.reconciled": watch.is_reconciled,
            "payman.repeated": watch.is_repeated,
            "error.type": error,
            "payman.events": watch.events if watch.is_stream else None,
            "gen_ai.response.time_to_first_chunk": watch.first_event,
            "gen_ai.output.messages": self._format_message(
                "assistant", watch.answer, finish_reason="error" if error else "stop"
            ),
        }
        _describe(_get_ask().span, attributes)

    def _start_client_span(self, name: str, attributes: dict[str, Any]) -> Span:
        return self._tracer.start_span(name, kind=SpanKind.CLIENT, attributes=_drop_missing(attributes))

    def _format_message(self, role: str, read: Callable[[], str] | None, **more: str) -> str | None:
        """Return a message as the conventions for generative AI write it; None if it is unknown or may not be shown."""
        if read is None or not self._telemetry.capture_content:
            return None
        return json.dumps([{"role": role, "parts": [{"type": "text", "content": read()}], **more}])


def _get_ask() -> _AskSpan:
    """Return the ask whose flow runs; where it has no span, one that records nothing."""
    asked = get_value(_ASK)
    return asked if isinstance(asked, _AskSpan) else _AskSpan(trace.INVALID_SPAN)


def _describe(span: Span, attributes: dict[str, Any]) -> None:
    """Give a span its attributes; one with an error has failed."""
    span.set_attributes(_drop_missing(attributes))
    if attributes["error.type"] is not None:
        span.set_status(Status(StatusCode.ERROR))


def _name_type(error: PaymanError | None) -> str | None:
    return None if error is None else type(error).__name__


def _drop_missing(attributes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in attributes.items() if value is not None}


_SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
"""The buckets that the conventions for generative AI advise."""


class Metrics(events.Listener):
    """Counts and measures a client's events, with the global provider by default."""

    def __init__(self, provider: MeterProvider | None, server: Mapping[str, str | int]) -> None:
        meter = get_meter("payman_sdk", __version__, provider)
        self._server = dict(server)
        self._agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.provider.name": "payman", **server}
        self._asks = meter.create_counter("payman.asks", "{ask}", "Asks that have ended.")
        self._unknown = meter.create_counter(
            "payman.unknown_outcomes", "{ask}", "Asks that were sent and whose outcome is undetermined."
        )
        self._retries = meter.create_counter("payman.retries", "{retry}", "What was tried again.")
        self._renewals = meter.create_counter(
            "payman.token.renewals", "{renewal}", "Access tokens that were fetched, or could not be."
        )
        measure = partial(meter.create_histogram, unit="s", explicit_bucket_boundaries_advisory=_SECONDS)
        operation = "gen_ai.client.operation"
        self._duration = measure(f"{operation}.duration", description="How long asks take.")
        self._first_event = measure(
            f"{operation}.time_to_first_chunk", description="How long streams take to their first event."
        )

    def record_retry(self, attempt: int, failure: PaymanError, delay: float) -> None:
        self._retries.add(1, {**self._server, "error.type": type(failure).__name__})

    def record_refresh_end(self, began: TokenRefreshBegan, refresh: TokenRefresh | None) -> None:
        if refresh is not None:
            about = {"payman.token.reason": began.reason, "error.type": _name_type(refresh.error)}
            self._renewals.add(1, _drop_missing({**self._server, **about}))

    def record_end(self, ended: events.AskEnded) -> None:
        watch = ended.watch
        kind = _name_type(ended.error)
        about = _drop_missing({**self._agent, "payman.outcome": ended.outcome, "error.type": kind})
        self._asks.add(
            1, {**about, "payman.reconciled": watch.is_reconciled, "payman.stream": watch.is_stream}
        )
        self._duration.record(ended.seconds, about)
        if ended.outcome == "unknown":
            self._unknown.add(1, self._server)
        if watch.is_stream and watch.first_event is not None:
            self._first_event.record(watch.first_event, self._agent)
