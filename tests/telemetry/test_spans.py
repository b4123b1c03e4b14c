"""Spans and metrics of OpenTelemetry, as the guide has them."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from typing import Any

import anyio
import httpx
import pytest
from opentelemetry import trace
from opentelemetry.instrumentation.utils import is_http_instrumentation_enabled
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.trace import SpanKind, StatusCode

from payman_sdk import PaymanClient, Telemetry
from payman_sdk._core.effects import Flow
from payman_sdk._core.hook_payloads import TaskStateChange
from payman_sdk.errors import (
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    MethodNotFoundError,
    OutcomeUnknownError,
    TaskFailedError,
)
from payman_sdk.sandbox import ConnectionLost, HTTPError, RPCError, Sandbox, ScriptedResponse, StreamFault
from tests.loops import cancel_when
from tests.peer import ACCESS_TOKEN, ASK_PATH, GET_PATH, Peer, task_with
from tests.telemetry.conftest import Connected, Seen, events, said

PAYMENT = "send 10 TSD to Test Payee"
TOKEN, SEND, STREAM, LOOK, AGAIN = (
    "POST /api/oauth2/token",
    "POST /api/a2a/tasks/send",
    "POST /api/a2a/tasks/sendSubscribe",
    "POST /api/a2a/tasks/get",
    "POST /api/a2a/tasks/resubscribe",
)
STREAM_PATH = "/api/a2a/tasks/sendSubscribe"
RENEWAL = "payman.token.renewal"
BUSY = HTTPError(503, headers={"Retry-After": "0"})
loops = pytest.mark.parametrize("loop", ["asyncio", "trio"])


def _without(reported: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in reported.items() if name not in names}


@pytest.mark.parametrize("is_stream", [False, True])
def test_a_state_that_nobody_has_listed_is_not_reported(
    is_stream: bool, peer: Peer, seen: Seen, caplog: pytest.LogCaptureFixture
) -> None:
    """An unlisted state is a text of the server's, which may repeat a secret and begin a line: neither spans nor the log have it."""
    caplog.set_level(logging.DEBUG, "payman_sdk")
    task = task_with(status={"state": f"{ACCESS_TOKEN}\nINFO tsk-1 completed"})
    for path in (ASK_PATH, STREAM_PATH):
        peer.always(path, task)
    peer.always(GET_PATH, task_with(status={"state": "completed"}))  # a stream follows what has not ended
    config: Any = {"client_id": "pm-test-1", "client_secret": "s3cret", "base_url": peer.base_url}
    changes: list[TaskStateChange] = []
    with PaymanClient(config, telemetry=seen.telemetry(), on_task=changes.append) as client:
        if is_stream:
            with client.stream("Hello!") as stream:
                stream.result()
        else:
            client.ask("Hello!")
    assert "INFO tsk-1 completed" in changes[0].state
    reported = [span.to_json() for span in seen.spans()]
    reported += [record.getMessage() for record in caplog.records if record.name == "payman_sdk"]
    assert "unlisted" in "".join(reported)
    assert ACCESS_TOKEN not in "".join(reported)


def test_an_unlisted_state_of_a_look_up_is_not_reported(
    peer: Peer, seen: Seen, caplog: pytest.LogCaptureFixture
) -> None:
    """The same of a task that was asked for before, and is looked up until it has ended."""
    caplog.set_level(logging.DEBUG, "payman_sdk")
    unlisted = task_with(status={"state": f"{ACCESS_TOKEN}\nINFO tsk-1 completed"})
    peer.script(GET_PATH, unlisted, task_with(status={"state": "completed"}))
    config: Any = {"client_id": "pm-test-1", "client_secret": "s3cret", "base_url": peer.base_url}
    with PaymanClient(config, telemetry=seen.telemetry()) as client:
        assert client.ask("Hello!", idempotency_key="invoice-42").status == "completed"
    reported = [span.to_json() for span in seen.spans()]
    reported += [record.getMessage() for record in caplog.records if record.name == "payman_sdk"]
    assert "looked up, unlisted" in "".join(reported)
    assert ACCESS_TOKEN not in "".join(reported)


def test_a_faulted_reconciled_streamed_ask(sandbox: Sandbox, connected: Connected, seen: Seen) -> None:
    """A stream that was refused once, then lost, then taken up again: every request is a child, and the ask says it all."""
    sandbox.script([BUSY, ConnectionLost()])
    client = connected(telemetry=seen.telemetry())
    with client.stream(PAYMENT) as stream:
        response = stream.result()
    ask = seen.ask()
    assert seen.under(ask) == [RENEWAL, STREAM, LOOK, STREAM, AGAIN, LOOK]
    assert (ask.parent, ask.kind, ask.status.status_code) == (None, SpanKind.CLIENT, StatusCode.UNSET)
    reported = said(ask)
    assert reported.pop("gen_ai.response.time_to_first_chunk") > 0
    assert reported == {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.provider.name": "payman",
        "gen_ai.agent.name": "Payman",
        "gen_ai.conversation.id": client.get_session_id(),
        "gen_ai.request.stream": True,
        "server.address": "sandbox.invalid",
        "server.port": 443,
        "payman.task.id": response.task_id,
        "payman.request.id": response.request_id,
        "payman.reply": False,
        "payman.outcome": "completed",
        "payman.task.state": "completed",
        "payman.attempts": 2,
        "payman.lookups": 2,
        "payman.reconciled": True,
        "payman.repeated": False,
        "payman.events": 5,
    }
    happened = events(ask)
    assert happened[:7] == [
        (
            "payman.judged",
            {"payman.attempt": 1, "payman.verdict": "turned_away", "error.type": "ServerError"},
        ),
        ("payman.retry", {"payman.attempt": 1, "payman.delay": 0.0, "error.type": "ServerError"}),
        ("payman.looked_up", {"payman.task.state": "not known"}),
        (
            "payman.judged",
            {"payman.attempt": 2, "payman.verdict": "ambiguous", "error.type": "APIConnectionError"},
        ),
        ("payman.stream.broke", {"error.type": "APIConnectionError"}),
        ("payman.stream.opened", {"payman.stream.again": True}),
        (
            "payman.event",
            {
                "payman.event.type": "status_update",
                "payman.event.state": "working",
                "payman.event.is_final": False,
            },
        ),
    ]
    assert [name for name, _ in happened].count("payman.event") == 5
    assert ("payman.looked_up", {"payman.task.state": "completed"}) in happened
    assert happened[-1] == ("payman.task.state", {"payman.task.state": "completed"})
    assert seen.numbers() == {
        "payman.asks": {
            (
                ("payman.outcome", "completed"),
                ("payman.reconciled", True),
                ("payman.stream", True),
            ): 1
        },
        "payman.retries": {(("error.type", "ServerError"),): 1},
        "payman.token.renewals": {(("payman.token.reason", "first"),): 1},
        "gen_ai.client.operation.duration": {(("payman.outcome", "completed"),): 1},
        "gen_ai.client.operation.time_to_first_chunk": {(): 1},
    }


def test_the_requests_of_an_ask(sandbox: Sandbox, connected: Connected, seen: Seen) -> None:
    """Each request says its method, address, server, status or failure, and how often the same was sent before."""
    sandbox.script([BUSY, ConnectionLost()])
    response = connected(telemetry=seen.telemetry()).ask(PAYMENT)
    assert seen.under(seen.ask()) == [RENEWAL, SEND, LOOK, SEND, LOOK]
    first, unknown, second, look = [span for span in seen.spans() if span.name in (SEND, LOOK)]
    everywhere = {
        "http.request.method": "POST",
        "server.address": "sandbox.invalid",
        "server.port": 443,
        "payman.task.id": response.task_id,
    }
    send = {**everywhere, "url.full": "https://sandbox.invalid/api/a2a/tasks/send"}
    assert said(first) == {**send, "http.response.status_code": 503, "error.type": "503"}
    assert said(second) == {**send, "http.request.resend_count": 1, "error.type": "APIConnectionError"}
    answered = {
        **everywhere,
        "url.full": "https://sandbox.invalid/api/a2a/tasks/get",
        "http.response.status_code": 200,
    }
    assert said(unknown) == answered
    assert said(look) == {**answered, "http.request.resend_count": 1}
    assert [span.status.status_code for span in (first, second, look)] == [
        StatusCode.ERROR,
        StatusCode.ERROR,
        StatusCode.UNSET,
    ]
    assert {span.kind for span in (first, second, look)} == {SpanKind.CLIENT}
    assert said(seen.ask())["payman.reconciled"] is True
    assert len(sandbox.payments) == 1


def test_a_renewal_and_its_request(connected: Connected, seen: Seen) -> None:
    """A renewal says why, and its request is its child; the query of the request, which has secrets in it, is nowhere."""
    connected(telemetry=seen.telemetry()).ask("Hello!")
    [renewal] = [span for span in seen.spans() if span.name == RENEWAL]
    [request] = [span for span in seen.spans() if span.name == TOKEN]
    assert seen.under(renewal) == [TOKEN]
    assert said(renewal) == {"payman.token.reason": "first", "payman.token.rotated": False}
    assert said(request)["url.full"] == "https://sandbox.invalid/api/oauth2/token"
    assert "?" not in seen.everything()


def test_a_renewal_that_is_refused(connected: Connected, seen: Seen) -> None:
    """A refused renewal is an error, of the renewal, its request and the ask, and is counted as one."""
    with pytest.raises(AuthenticationError):
        connected(telemetry=seen.telemetry(), client_secret="wrong").ask("Hello!")
    ask, renewal, request = seen.spans()
    assert [said(span)["error.type"] for span in (ask, renewal, request)] == [
        "AuthenticationError",
        "AuthenticationError",
        "401",
    ]
    assert {span.status.status_code for span in seen.spans()} == {StatusCode.ERROR}
    assert seen.numbers()["payman.token.renewals"] == {
        (("error.type", "AuthenticationError"), ("payman.token.reason", "first")): 1
    }


def _not_told(*_: object, **__: object) -> Flow[Any]:
    """A look at a task on a server that tells nothing of tasks."""
    raise MethodNotFoundError("No such method.")
    yield


@pytest.mark.parametrize(
    ("script", "options", "error", "outcome", "kind"),
    [
        (RPCError(-32603), {}, "InternalAgentError", "errors", None),
        (HTTPError(400), {}, "BadRequestError", "errors", BadRequestError),
        (ConnectionLost(), {}, "OutcomeUnknownError", "unknown", OutcomeUnknownError),
        (ScriptedResponse("No.", state="failed"), {}, "failed", "failed", None),
        (
            ScriptedResponse("No.", state="canceled"),
            {"raise_on_failure": True},
            "TaskFailedError",
            "failed",
            TaskFailedError,
        ),
        (ScriptedResponse("Who?", state="input-required"), {}, None, "input_required", None),
    ],
)
def test_outcomes(
    script: Any,
    options: dict[str, Any],
    error: str | None,
    outcome: str,
    kind: type[Exception] | None,
    sandbox: Sandbox,
    connected: Connected,
    seen: Seen,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An ask says how it ended; what is no success is an error of a class, and nothing more is said of it."""
    client = connected(telemetry=seen.telemetry(), max_retries=0)
    if outcome == "unknown":
        monkeypatch.setattr("payman_sdk._core.send.fetch_task_retrying", _not_told)
    sandbox.script([script])
    raised: BaseException | None = None
    try:
        client.ask(PAYMENT, **options)
    except Exception as failure:
        raised = failure
    assert kind is None or isinstance(raised, kind)
    reported = said(seen.ask())
    assert (reported.get("error.type"), reported["payman.outcome"]) == (error, outcome)
    assert seen.ask().status.status_code is (StatusCode.UNSET if error is None else StatusCode.ERROR)
    assert seen.ask().status.description is None
    assert "exception" not in seen.everything()
    assert sum(seen.numbers().get("payman.unknown_outcomes", {}).values()) == (outcome == "unknown")
    [[about]] = [list(points) for points in [seen.numbers()["payman.asks"]]]
    assert ("payman.outcome", outcome) in about


# --- whose child is whose


def test_the_callers_span_is_the_parent(connected: Connected, seen: Seen) -> None:
    """The span of an ask is a child of the caller's, and the caller's is current again behind it."""
    client = connected(telemetry=seen.telemetry())
    with seen.tracer.start_as_current_span("checkout") as checkout:
        client.ask("Hello!")
        assert trace.get_current_span() is checkout
        client.get_task(client.ask("Hello!").task_id)
    asks = [span for span in seen.spans() if span.name == "invoke_agent Payman"]
    [outer] = [span for span in seen.spans() if span.name == "checkout"]
    assert [span.parent.span_id for span in asks if span.parent] == [outer.context.span_id] * 2
    # A look at a task is no ask: its request stands alone.
    assert seen.under(outer) == ["invoke_agent Payman", "invoke_agent Payman", LOOK]


def test_a_stream_and_its_reader(connected: Connected, seen: Seen) -> None:
    """While a reader has the turn, its own span is current, and what it starts is no child of the ask."""
    client = connected(telemetry=seen.telemetry())
    with seen.tracer.start_as_current_span("page") as page, client.stream(PAYMENT) as stream:
        for _ in stream:
            assert trace.get_current_span() is page
            with seen.tracer.start_as_current_span("shown"):
                pass
    ask = seen.ask()
    assert seen.under(ask) == [RENEWAL, STREAM]
    [shown, *_] = [span for span in seen.spans() if span.name == "shown"]
    assert (ask.start_time or 0) < (shown.start_time or 0)
    assert (ask.end_time or 0) > (shown.end_time or 0)
    assert ("payman.stream.opened", {"payman.stream.again": False}) in events(ask)


def test_a_reader_who_leaves(connected: Connected, seen: Seen) -> None:
    """A stream that is left before its end ends its span then, without an error."""
    with connected(telemetry=seen.telemetry()).stream(PAYMENT) as stream:
        next(stream)
        assert seen.balance.open == 1
    reported = said(seen.ask())
    assert (reported["payman.outcome"], reported["payman.events"], reported.get("error.type")) == (
        "abandoned",
        1,
        None,
    )
    assert seen.ask().status.status_code is StatusCode.UNSET


def test_threads(connected: Connected, seen: Seen) -> None:
    """Asks of several threads have their own children only."""
    client = connected(telemetry=seen.telemetry())
    client.ask("Hello!")
    threads = [threading.Thread(target=client.ask, args=("Hello!",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    asks = [span for span in seen.spans() if span.name == "invoke_agent Payman"]
    assert [seen.under(span) for span in asks] == [[RENEWAL, SEND], *[[SEND]] * 4]


@loops
def test_tasks(loop: str, sandbox: Sandbox, seen: Seen) -> None:
    """Asks of several tasks too; a token is renewed for all of them under one of them, and a cancelled one ends its spans."""

    async def main() -> None:
        transport = sandbox.transport()
        async with (
            httpx.AsyncClient(transport=transport) as http,
            sandbox.async_client(http_client=http, telemetry=seen.telemetry()) as client,
        ):

            async def pay(name: str) -> None:
                with seen.tracer.start_as_current_span(name) as mine:
                    await client.ask(PAYMENT)
                    assert trace.get_current_span() is mine
                    async with client.stream(PAYMENT) as stream:
                        async for _ in stream:
                            assert trace.get_current_span() is mine

            async with anyio.create_task_group() as group:
                for number in range(3):
                    group.start_soon(pay, f"caller {number}")
            sandbox.script([ConnectionLost(silent=True)])
            await cancel_when(lambda: sandbox.remaining_script == 0, client.ask, PAYMENT)
            with anyio.CancelScope() as leaving:
                async with client.stream(PAYMENT) as stream:
                    async for _ in stream:
                        leaving.cancel()
                        await anyio.lowlevel.checkpoint()

    anyio.run(main, backend=loop)
    callers = [span for span in seen.spans() if span.name.startswith("caller")]
    assert [seen.under(span) for span in callers] == [["invoke_agent Payman"] * 2] * 3
    asks = [span for span in seen.spans() if span.name == "invoke_agent Payman"]
    assert sorted(seen.under(span) for span in asks) == sorted(
        [[RENEWAL, SEND], [SEND], [SEND], [STREAM], [STREAM], [STREAM], [SEND], [STREAM]]
    )
    assert [said(span)["payman.outcome"] for span in asks[-2:]] == ["abandoned", "abandoned"]
    assert said(asks[-1])["payman.events"] == 1


def test_hooks_run_within_the_ask(sandbox: Sandbox, connected: Connected, seen: Seen) -> None:
    """What a hook starts is a child of the ask."""

    def hook(_: object) -> None:
        with seen.tracer.start_as_current_span("hook"):
            pass

    sandbox.script([BUSY])
    connected(telemetry=seen.telemetry(), on_retry=hook, before_send=hook, on_task=hook).ask(PAYMENT)
    assert seen.under(seen.ask()) == ["hook", RENEWAL, SEND, "hook", LOOK, SEND, "hook"]


# --- what is told, and to whom


def _tell_all(sandbox: Sandbox, client: PaymanClient) -> None:
    """Asks in ways in which texts and secrets are on the way."""
    sandbox.script(
        [BUSY, ConnectionLost(), HTTPError(422, body="You said: my hidden prompt"), "my hidden answer"]
    )
    client.ask("my hidden prompt about wallets")
    with pytest.raises(BaseException, match="hidden prompt"):
        client.ask("my hidden prompt")
    with client.stream("my hidden prompt") as stream:
        assert stream.result().text == "my hidden answer"


def test_nothing_private_is_reported(
    sandbox: Sandbox, connected: Connected, seen: Seen, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither prompts nor answers nor secrets are in spans, metrics, and what the SDK logs, even where a server repeats them."""
    caplog.set_level(logging.DEBUG, "payman_sdk")
    client = connected(telemetry=seen.telemetry())
    _tell_all(sandbox, client)
    info = client.get_access_token()
    assert info is not None
    ours = "\n".join(record.getMessage() for record in caplog.records if record.name == "payman_sdk")
    assert "reconciled" in ours
    for private in ("hidden", sandbox.client_secret, info["accessToken"]):
        assert private not in seen.everything()
        assert private not in ours


def test_content_is_reported_where_that_is_wanted(sandbox: Sandbox, connected: Connected, seen: Seen) -> None:
    """With `capture_content`, the ask has what was asked and answered, streamed or not; secrets stay secret."""
    client = connected(telemetry=seen.telemetry(capture_content=True))
    sandbox.script(["Good day!", "Good night!"])
    client.ask("Good morning?")
    with client.stream("Good evening?") as stream:
        stream.result()
    asks = [said(span) for span in seen.spans() if span.name == "invoke_agent Payman"]
    assert [json.loads(ask["gen_ai.input.messages"]) for ask in asks] == [
        [{"role": "user", "parts": [{"type": "text", "content": text}]}]
        for text in ("Good morning?", "Good evening?")
    ]
    assert [json.loads(ask["gen_ai.output.messages"]) for ask in asks] == [
        [{"role": "assistant", "parts": [{"type": "text", "content": text}], "finish_reason": "stop"}]
        for text in ("Good day!", "Good night!")
    ]
    assert sandbox.client_secret not in seen.everything()


class _Listening(httpx.BaseTransport):
    """A transport that notes the headers that are sent, and what is current then."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner
        self.sent: list[str | None] = []
        self.current: list[str] = []
        self.suppressed: list[object] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request.headers.get("traceparent"))
        self.current.append(format(trace.get_current_span().get_span_context().span_id, "016x"))
        self.suppressed.append(not is_http_instrumentation_enabled())
        return self._inner.handle_request(request)


@pytest.mark.parametrize("propagate", [True, False])
def test_trace_context_is_sent_only_when_asked_for(propagate: bool, sandbox: Sandbox, seen: Seen) -> None:
    """`traceparent` names the span of the request, which is current then, and no other library makes one for it."""
    transport = _Listening(sandbox.transport())
    with httpx.Client(transport=transport) as http:
        client = sandbox.client(http_client=http, telemetry=seen.telemetry(propagate=propagate))
        client.ask("Hello!")
    requests = [span for span in seen.spans() if span.name in (TOKEN, SEND)]
    ids = [format(span.context.span_id, "016x") for span in requests]
    trace_id = format(seen.ask().context.trace_id, "032x")
    # What follows is a flag.
    assert [header and header[:52] for header in transport.sent] == [
        f"00-{trace_id}-{span_id}" if propagate else None for span_id in ids
    ]
    assert transport.current == ids
    assert transport.suppressed == [True, True]


def test_a_long_stream(seen: Seen) -> None:
    """Of a stream with very many events, the span has the first hundred, and then only how the task stands."""
    sandbox = Sandbox(chunk_words=1)
    sandbox.script([" ".join(["word"] * 150)])
    with (
        httpx.Client(transport=sandbox.transport()) as http,
        sandbox.client(http_client=http, telemetry=seen.telemetry()) as client,
        client.stream("tell") as stream,
    ):
        stream.result()
    sandbox.close()
    assert said(seen.ask())["payman.events"] > 150
    reported = [about["payman.event.type"] for name, about in events(seen.ask()) if name == "payman.event"]
    assert reported[0] == reported[-1] == "status_update"
    assert len(reported) == 101


def test_a_stream_that_breaks_in_the_middle(sandbox: Sandbox, connected: Connected, seen: Seen) -> None:
    """The span of a broken stream goes on over the next connection."""
    sandbox.inject_stream_faults(StreamFault(after_events=2))
    with connected(telemetry=seen.telemetry()).stream(PAYMENT) as stream:
        stream.result()
    assert seen.under(seen.ask()) == [RENEWAL, STREAM, AGAIN, LOOK]
    names = [name for name, _ in events(seen.ask())]
    assert names.index("payman.stream.broke") < names.index("payman.stream.opened", 3)


# --- switching it on


class _Broken(SpanProcessor):
    """A processor that fails."""

    def on_start(self, span: Span, parent_context: Any = None) -> None:
        raise RuntimeError("no room")

    def on_end(self, span: ReadableSpan) -> None:
        raise RuntimeError("no room")


def test_telemetry_that_fails(
    sandbox: Sandbox, connected: Connected, caplog: pytest.LogCaptureFixture
) -> None:
    """A telemetry that raises harms no ask and no stream, and is warned of."""
    provider = TracerProvider()
    provider.add_span_processor(_Broken())
    client = connected(telemetry=Telemetry(tracer_provider=provider))
    assert client.ask(PAYMENT).status == "completed"
    with client.stream(PAYMENT) as stream:
        assert stream.result().status == "completed"
    assert {record.getMessage() for record in caplog.records if record.name == "payman_sdk"} >= {
        "Telemetry failed: RuntimeError"
    }
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_the_global_provider(connected: Connected, seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    """`telemetry=True` takes the providers of the program; without any, and without the setting, nothing is told."""
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: seen.tracer_provider)
    connected().ask("Hello!")
    connected(telemetry=False).ask("Hello!")
    assert seen.spans() == []
    connected(telemetry=True).ask("Hello!")
    assert seen.under(seen.ask()) == [SEND]
    monkeypatch.undo()
    assert connected(telemetry=True).ask("Hello!").status == "completed"


def test_the_extra_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without OpenTelemetry, a client that is to use it says which extra to install; any other works."""
    monkeypatch.setitem(sys.modules, "payman_sdk._telemetry.otel", None)
    settings: Any = {"client_id": "pm-test-1", "client_secret": "s3cret"}
    with pytest.raises(ConfigurationError, match=r"paymanai-sdk\[otel\]"):
        PaymanClient(**settings, telemetry=True)
    PaymanClient(**settings).close()


def test_what_is_not_telemetry() -> None:
    """A setting that is neither a switch nor a `Telemetry` is refused."""
    settings: Any = {"client_id": "pm-test-1", "client_secret": "s3cret", "telemetry": "on"}
    with pytest.raises(ConfigurationError, match="neither a bool nor a Telemetry"):
        PaymanClient(**settings)


@pytest.mark.slow
def test_importing_costs_the_same() -> None:
    """With OpenTelemetry and without, importing the client loads the same modules: none of it, no logging, no httpx."""
    program = "from payman_sdk import PaymanClient\nprint(*sorted(sys.modules))"
    hidden = "sys.modules['opentelemetry'] = None\n"
    loaded = [
        subprocess.run(
            [sys.executable, "-c", f"import sys\n{before}{program}"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for before in ("", hidden)
    ]
    assert loaded[0] == [name for name in loaded[1] if name != "opentelemetry"]
    assert not {"httpx", "logging", "attrs", "payman_sdk._telemetry"} & set(loaded[0])
