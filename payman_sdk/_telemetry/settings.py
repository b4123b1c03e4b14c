"""How a client is to be seen by OpenTelemetry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider


@frozen(kw_only=True)
class Telemetry:
    """What a client tells OpenTelemetry: its setting `telemetry`; it needs the extra `otel`.

    Args:
        tracer_provider: Who takes the spans; the global provider by default.
        meter_provider: Who takes the metrics; the global provider by default.
        capture_content: Whether what is asked and answered is in the spans; never by default.
        propagate: Whether Payman is sent the trace context of W3C, `traceparent`; not by default.

    Example:
        >>> from payman_sdk import Telemetry
        >>> from payman_sdk.sandbox import Sandbox
        >>> with Sandbox() as sandbox, sandbox.client(telemetry=Telemetry(propagate=True)) as client:
        ...     print(client.ask("Hello!").status)
        completed
    """

    tracer_provider: TracerProvider | None = None
    meter_provider: MeterProvider | None = None
    capture_content: bool = False
    propagate: bool = False
