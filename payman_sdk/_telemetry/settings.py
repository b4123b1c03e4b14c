"""The settings for OpenTelemetry, and a client's counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from attrs import frozen

from payman_sdk._annotations import LazyModule

if TYPE_CHECKING:
    from opentelemetry import metrics, trace
else:
    metrics, trace = LazyModule("opentelemetry.metrics"), LazyModule("opentelemetry.trace")


@frozen(kw_only=True)
class Telemetry:
    """What a client reports to OpenTelemetry: the setting `telemetry`. It needs the extra `otel`.

    Args:
        tracer_provider: The provider of spans; the global one by default.
        meter_provider: The provider of metrics; the global one by default.
        capture_content: Whether spans hold prompts and answers; False by default.
        propagate: Whether requests carry the W3C trace context (`traceparent`); False by default.

    Example:
        >>> from payman_sdk import Telemetry
        >>> from payman_sdk.sandbox import Sandbox
        >>> with Sandbox() as sandbox, sandbox.client(telemetry=Telemetry(propagate=True)) as client:
        ...     print(client.ask("Hello!").status)
        completed
    """

    tracer_provider: trace.TracerProvider | None = None
    meter_provider: metrics.MeterProvider | None = None
    capture_content: bool = False
    propagate: bool = False


class Stats(NamedTuple):
    """Counts of a client and its conversations since it was created: the result of `client.stats()`.

    Each of `asks` is also one of `completed`, `failed`, `input_required`, `in_progress`, `errors`, `unknown` or `abandoned`.

    Attributes:
        asks: Asks, streams and replies that have ended.
        completed: Those whose task was completed.
        failed: Those whose task failed, was canceled or rejected.
        input_required: Those whose task waits for an approval, an answer, or a person who acts elsewhere.
        in_progress: Those whose task was still at work at the deadline.
        errors: Those that were refused or failed otherwise.
        unknown: Those that were sent and whose outcome is undetermined: an `OutcomeUnknownError`.
        abandoned: Those whose caller was canceled, left the stream before its end, or had a hook that raised.
        attempts: Tries of asks; a send with another token, after a 401, belongs to the same try.
        retries: Repeated tries.
        lookups: Look-ups of tasks.
        reconciled: Asks whose answer got lost and whose outcome a look-up found.
        deduplicated: Asks with an idempotency key that the agent knew already; nothing was sent.
        streams: Those of the asks that were streamed.
        resumed: How often a broken stream resumed.
        events: Events that streams delivered.
        token_refreshes: Access tokens that were fetched.
        failed_token_refreshes: Access tokens that could not be fetched.
        undetermined: Payments that `pay`, `approve` or `deny` returned as undetermined.

    Example:
        >>> from payman_sdk.sandbox import Sandbox
        >>> with Sandbox() as sandbox, sandbox.client() as client:
        ...     status = client.ask("list all wallets").status
        ...     stats = client.stats()
        >>> stats.asks, stats.completed, stats.retries, stats.token_refreshes
        (1, 1, 0, 1)
    """

    asks: int = 0
    completed: int = 0
    failed: int = 0
    input_required: int = 0
    in_progress: int = 0
    errors: int = 0
    unknown: int = 0
    abandoned: int = 0
    attempts: int = 0
    retries: int = 0
    lookups: int = 0
    reconciled: int = 0
    deduplicated: int = 0
    streams: int = 0
    resumed: int = 0
    events: int = 0
    token_refreshes: int = 0
    failed_token_refreshes: int = 0
    undetermined: int = 0
