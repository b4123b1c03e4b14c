"""What a client reports of its work: counts, a log, and, with the extra `otel`, spans and metrics of OpenTelemetry.

Flows report their decisions to one `Observer`, which the client owns; see `observer`. Nothing here decides anything.
"""
