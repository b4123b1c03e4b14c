"""A program whose HTTP is watched by everything at once: OpenTelemetry, Sentry, hooks and logs. It prints what they saw.

Its arguments, again and again: the address of a server, the kind of client, whether the client's own telemetry is on. For
each three of them a process is forked, which spares the imports, and prints one line.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import ssl
import sys
from typing import Any

import certifi
import httpx
import httpx_aiohttp
import requests
import sentry_sdk
from opentelemetry import trace
from opentelemetry.instrumentation.aiohttp_client import AioHttpClientInstrumentor
from opentelemetry.instrumentation.httpx import (
    AsyncOpenTelemetryTransport,
    HTTPXClientInstrumentor,
    SyncOpenTelemetryTransport,
)
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sentry_sdk.integrations.aiohttp import AioHttpIntegration
from sentry_sdk.integrations.httpx import HttpxIntegration
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.integrations.stdlib import StdlibIntegration

from payman_sdk import AsyncPaymanClient, PaymanClient

usual = ssl.create_default_context(cafile=certifi.where())  # each client would read it anew
create_context = ssl.create_default_context
ssl.create_default_context = lambda *given, **more: usual if more else create_context(*given)
failed = 0
for order in zip(*[iter(sys.argv[1:])] * 3, strict=True):  # noqa: B007 (a child goes on with it)
    child = os.fork()
    if child == 0:
        break
    failed |= os.waitpid(child, 0)[1]
else:
    sys.exit(bool(failed))
base_url, kind, telemetry = *order[:2], order[2] == "telemetry"
REFRESH, SECRET, CODE, VERIFIER = "hunted-r3fresh/token", "hunted-s3cret", "hunted-c0de", "hunted-v3rifier"
seen: list[str] = []


class Everything(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        seen.append(f"log {self.format(record)} {record.args!r}")


def hook(request: httpx.Request) -> None:
    seen.append(f"hook {request.method} {request.url}")


async def async_hook(request: httpx.Request) -> None:
    hook(request)


class Posted(sentry_sdk.Transport):
    """What Sentry would be sent: events with their breadcrumbs, and transactions with their spans."""

    def capture_envelope(self, envelope: Any) -> None:
        seen.append(f"sentry {envelope.serialize()!r}")


class Custom(httpx.HTTPTransport):
    """A transport of the program's own, which may do what it likes with the address."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return super().handle_request(request)


class OfRequests(httpx.BaseTransport):
    """A transport that sends with `requests`."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        headers = dict(request.headers)
        said = requests.request(
            request.method, str(request.url), data=request.read(), headers=headers, timeout=30
        )
        return httpx.Response(said.status_code, content=said.content)


logging.getLogger().addHandler(Everything(logging.NOTSET))
logging.getLogger().setLevel(logging.DEBUG)
exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
sentry_sdk.init(
    dsn="http://key@127.0.0.1:1/1",
    transport=Posted,
    traces_sample_rate=1.0,
    auto_enabling_integrations=False,
    default_integrations=False,
    integrations=[
        HttpxIntegration(),
        AioHttpIntegration(),
        LoggingIntegration(level=logging.DEBUG),
        StdlibIntegration(),
    ],
)
AioHttpClientInstrumentor().instrument()
RequestsInstrumentor().instrument()
if kind != "wrapped":
    HTTPXClientInstrumentor().instrument()
config: Any = {
    "client_id": "pm-1",
    "client_secret": SECRET,
    "base_url": base_url,
    "telemetry": telemetry,
    "max_retries": 0,
}


def run_threads(**given: Any) -> None:
    with PaymanClient.with_auth_code(config, CODE, code_verifier=VERIFIER, **given) as client:
        client.ask("hello")
    with PaymanClient.with_token(config, {"refreshToken": REFRESH}, **given) as client:
        client.ask("hello")


async def run_tasks(**given: Any) -> None:
    client = await AsyncPaymanClient.with_auth_code(config, CODE, code_verifier=VERIFIER, **given)
    async with client:
        await client.ask("hello")
    async with AsyncPaymanClient.with_token(config, {"refreshToken": REFRESH}, **given) as client:
        await client.ask("hello")


async def given_tasks() -> None:
    async with httpx.AsyncClient(trust_env=False, event_hooks={"request": [async_hook]}) as http:
        await run_tasks(http_client=http)


async def aiohttp_tasks() -> None:
    async with httpx.AsyncClient(transport=httpx_aiohttp.AiohttpTransport()) as http:
        await run_tasks(http_client=http)


async def wrapped_tasks() -> None:
    transport = AsyncOpenTelemetryTransport(httpx.AsyncHTTPTransport())
    async with httpx.AsyncClient(transport=transport) as http:
        await run_tasks(http_client=http)


with sentry_sdk.start_transaction(name="watched"):
    match kind:
        case "own":
            run_threads()
        case "own async":
            asyncio.run(run_tasks())
        case "given":
            with httpx.Client(trust_env=False, event_hooks={"request": [hook]}) as http:
                run_threads(http_client=http)
        case "given async":
            asyncio.run(given_tasks())
        case "instrumented":
            with httpx.Client(trust_env=False) as http:
                HTTPXClientInstrumentor.instrument_client(http)
                run_threads(http_client=http)
        case "wrapped":
            with httpx.Client(transport=SyncOpenTelemetryTransport(httpx.HTTPTransport())) as http:
                run_threads(http_client=http)
            asyncio.run(wrapped_tasks())
        case "custom":
            with httpx.Client(transport=Custom()) as http:
                run_threads(http_client=http)
        case "aiohttp":
            asyncio.run(aiohttp_tasks())
        case "requests":
            config["transport"] = OfRequests()
            run_threads()
        case "transport":
            config["transport"] = httpx.HTTPTransport()
            run_threads()
        case _:
            raise SystemExit(f"no kind {kind}")
    sentry_sdk.capture_message("done")
sentry_sdk.flush()
seen += [f"span {span.to_json()}" for span in exporter.get_finished_spans()]
print(json.dumps(seen), flush=True)
os._exit(0)  # to take apart what was imported takes longer than all this
