"""Metrics of OpenTelemetry: asks by outcome and how long they take, retries, renewals, and outcomes that are not known."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from opentelemetry.metrics import MeterProvider, get_meter

from payman_sdk._core.hook_payloads import TokenRefresh
from payman_sdk._telemetry.events import AskEnded, Listener, TokenRefreshBegan
from payman_sdk._version import __version__
from payman_sdk.errors import PaymanError

_SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
"""The buckets that the conventions for generative AI advise."""


class Metrics(Listener):
    """Counts and measures a client's events.

    Without a provider, it is the global one.
    """

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
            error = {} if refresh.error is None else {"error.type": type(refresh.error).__name__}
            self._renewals.add(1, {**self._server, "payman.token.reason": began.reason, **error})

    def record_end(self, ended: AskEnded) -> None:
        watch = ended.watch
        about = {**self._agent, "payman.outcome": ended.outcome}
        if ended.error is not None:
            about["error.type"] = type(ended.error).__name__
        self._asks.add(
            1, {**about, "payman.reconciled": watch.is_reconciled, "payman.stream": watch.is_stream}
        )
        self._duration.record(ended.seconds, about)
        if ended.outcome == "unknown":
            self._unknown.add(1, self._server)
        if watch.is_stream and watch.first_event is not None:
            self._first_event.record(watch.first_event, self._agent)
