"""What a client reports of its work: counts, a log, and, with the extra `otel`, spans and metrics of OpenTelemetry.

Flows report to one `Observer`, which the client owns. Nothing here decides anything.
"""
