"""Metrics of OpenTelemetry: asks by outcome and how long they take, retries, renewals, and outcomes that are not known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry import metrics

from payman_sdk._core.hook_payloads import RetryDetails
from payman_sdk._telemetry.events import AskEnded, Event, TokenRefreshEnded
from payman_sdk._version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.metrics import MeterProvider

_SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
"""The buckets that the conventions for generative AI advise."""


class Metrics:
    """Counts and measures a client's events.

    Without a provider, it is the global one.
    """

    def __init__(self, provider: MeterProvider | None, server: Mapping[str, str | int]) -> None:
        meter = metrics.get_meter("payman_sdk", __version__, provider)
        self._server = dict(server)
        self._agent = {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.provider.name": "payman",
            **self._server,
        }
        self._asks = meter.create_counter("payman.asks", "{ask}", "Asks that have ended.")
        self._unknown = meter.create_counter(
            "payman.unknown_outcomes", "{ask}", "Asks that were sent and whose outcome is undetermined."
        )
        self._retries = meter.create_counter("payman.retries", "{retry}", "What was tried again.")
        self._renewals = meter.create_counter(
            "payman.token.renewals", "{renewal}", "Access tokens that were fetched, or could not be."
        )
        self._duration = meter.create_histogram(
            "gen_ai.client.operation.duration",
            "s",
            "How long asks take.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )
        self._first_event = meter.create_histogram(
            "gen_ai.client.operation.time_to_first_chunk",
            "s",
            "How long streams take to their first event.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )

    def record_event(self, event: Event) -> None:
        match event:
            case AskEnded():
                self._record_ask(event)
            case RetryDetails(_, reason):
                self._retries.add(1, {**self._server, "error.type": type(reason).__name__})
            case TokenRefreshEnded(began, renewal) if renewal is not None:
                error = {} if renewal.error is None else {"error.type": type(renewal.error).__name__}
                self._renewals.add(1, {**self._server, "payman.token.reason": began.reason, **error})
            case _:
                pass

    def _record_ask(self, ended: AskEnded) -> None:
        about = {**self._agent, "payman.outcome": ended.outcome}
        if ended.error is not None:
            about["error.type"] = type(ended.error).__name__
        self._asks.add(
            1, {**about, "payman.reconciled": ended.is_reconciled, "payman.stream": ended.is_stream}
        )
        self._duration.record(ended.seconds, about)
        if ended.outcome == "unknown":
            self._unknown.add(1, self._server)
        if ended.is_stream and ended.first_event is not None:
            self._first_event.record(ended.first_event, self._agent)
