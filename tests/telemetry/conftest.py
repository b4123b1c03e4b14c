"""A sandbox without a socket, and an OpenTelemetry of the test's own that keeps what it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from payman_sdk import PaymanClient, Telemetry
from payman_sdk.sandbox import Sandbox


class _Balance(SpanProcessor):
    """Counts spans that were started and have not ended."""

    open = 0

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        self.open += 1

    def on_end(self, span: ReadableSpan) -> None:
        self.open -= 1


class Seen:
    """An OpenTelemetry that remembers."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.balance = _Balance()
        self.tracer_provider = TracerProvider()
        self.tracer_provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracer_provider.add_span_processor(self.balance)
        self._reader = InMemoryMetricReader()
        self.meter_provider = MeterProvider([self._reader], shutdown_on_exit=False)
        self.tracer = self.tracer_provider.get_tracer("of the test")

    def telemetry(self, **settings: Any) -> Telemetry:
        """The setting of a client that tells it."""
        return Telemetry(tracer_provider=self.tracer_provider, meter_provider=self.meter_provider, **settings)

    def spans(self) -> list[ReadableSpan]:
        """The spans, in the order of their beginning."""
        return sorted(self._exporter.get_finished_spans(), key=lambda span: span.start_time or 0)

    def ask(self) -> ReadableSpan:
        """The one span of an ask."""
        [span] = [span for span in self.spans() if span.name == "invoke_agent Payman"]
        return span

    def under(self, parent: ReadableSpan) -> list[str]:
        """The names of the children of a span."""
        return [
            span.name
            for span in self.spans()
            if span.parent is not None and span.parent.span_id == parent.context.span_id
        ]

    def numbers(self) -> dict[str, dict[tuple[tuple[str, Any], ...], Any]]:
        """The metrics: by name, and by what is said of them but for the server, a count."""
        data = self._reader.get_metrics_data()
        found: dict[str, dict[tuple[tuple[str, Any], ...], Any]] = {}
        for metric in data.resource_metrics[0].scope_metrics[0].metrics if data else ():
            for point in metric.data.data_points:
                about = tuple(
                    sorted(
                        (name, value)
                        for name, value in (point.attributes or {}).items()
                        if name.startswith(("payman.", "error."))
                    )
                )
                found.setdefault(metric.name, {})[about] = (
                    point.value if hasattr(point, "value") else point.count
                )
        return found

    def everything(self) -> str:
        """All that spans and metrics hold, as text."""
        data = self._reader.get_metrics_data()
        return "".join(span.to_json() for span in self.spans()) + (data.to_json() if data else "")


def said(span: ReadableSpan) -> dict[str, Any]:
    """What a span says."""
    return dict(span.attributes or {})


def events(span: ReadableSpan) -> list[tuple[str, dict[str, Any]]]:
    """The events in a span."""
    return [(event.name, dict(event.attributes or {})) for event in span.events]


@pytest.fixture
def seen() -> Iterator[Seen]:
    """An OpenTelemetry in which every span that began has ended, when the test has; and none is left current."""
    seen = Seen()
    yield seen
    assert seen.balance.open == 0
    assert trace.get_current_span() is trace.INVALID_SPAN


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    sandbox = Sandbox()
    yield sandbox
    sandbox.close()


Connected = Callable[..., PaymanClient]


@pytest.fixture
def connected(sandbox: Sandbox) -> Iterator[Connected]:
    """Makes clients of the sandbox."""
    with ExitStack() as stack:

        def connect(**settings: Any) -> PaymanClient:
            http = stack.enter_context(httpx.Client(transport=sandbox.transport()))
            return stack.enter_context(sandbox.client(http_client=http, **settings))

        yield connect
