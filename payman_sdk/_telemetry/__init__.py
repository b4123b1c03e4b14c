"""What a client tells of its work: counts, a log, and, with the extra `otel`, spans and metrics of OpenTelemetry.

Flows tell one `Observer`, which the client owns, what they decide; see `observer`. Nothing here decides anything.
"""
