"""Decisions that longer stories rest on, one at a time: what a step of a connection shows, what is safe to send again, what a search repeats."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from payman_sdk._core.http import BufferedResponse, Transmission
from payman_sdk._core.idempotency import KeyClaim
from payman_sdk._core.requests import AskRequest
from payman_sdk._core.retry import FailureClass, classify_failure
from payman_sdk._core.send import ResponseFlow, carry_out, read_repeatedly
from payman_sdk._io.key_store import MemoryKeyStore
from payman_sdk.errors import (
    APIConnectionError,
    APITimeoutError,
    ErrorResponse,
    OutcomeUnknownError,
    ServerError,
)
from tests.peer import ASK_PATH, GET_PATH
from tests.steps import Clock, Outcome, driven, time_of, token_answer, with_options
from tests.tables import table

ASK = AskRequest(text="search", task_id="tsk-1", request_id="req-1", session_id="ses-1")


# --- what a step of a connection shows


class LocalProtocolError(Exception):
    """As httpcore has one."""

    __module__ = "httpcore._exceptions"


class HeaderError(LocalProtocolError):
    """A kind of it."""

    __module__ = "elsewhere"


UNWRITABLE, UNWRITABLE_TOO, BROKEN = LocalProtocolError(), HeaderError(), OSError()
IMPOSTOR = type("LocalProtocolError", (Exception,), {"__module__": "h11"})()
SIBLING = type("RemoteProtocolError", (Exception,), {"__module__": "httpcore"})()
TUNNEL, POST = SimpleNamespace(method=b"CONNECT"), SimpleNamespace(method=b"POST")
PLACE = {"host": "payman.example", "port": 443}
CONNECTS = ("connection.connect_tcp.started", PLACE)
CONNECTED = ("connection.connect_tcp.complete", {"return_value": None})
WRITES = ("http11.send_request_headers.started", {"request": POST})
WRITES_2 = ("http2.send_request_headers.started", {"request": POST})
TUNNELS = ("http11.send_request_headers.started", {"request": TUNNEL})


def fails(step: str, error: BaseException) -> tuple[str, dict[str, Any]]:
    return f"{step}.failed", {"exception": error}


@table(
    "steps, sends, is_connecting, failure, peer",
    [
        pytest.param([], 0, False, None, None, id="nothing"),
        pytest.param([CONNECTS], 0, True, None, ("payman.example", 443), id="connecting"),
        pytest.param([CONNECTS, CONNECTED], 0, True, None, ("payman.example", 443), id="connected"),
        pytest.param(
            [CONNECTS, ("connection.start_tls.started", {})], 0, True, None, ("payman.example", 443), id="TLS"
        ),
        pytest.param([("connection.connect_tcp.complete", PLACE)], 0, True, None, None, id="no start"),
        pytest.param(
            [CONNECTS, fails("connection.connect_tcp", BROKEN)],
            *(0, False, BROKEN, ("payman.example", 443)),
            id="refused",
        ),
        pytest.param([WRITES], 1, False, None, None, id="written"),
        pytest.param([CONNECTS, WRITES], 1, False, None, ("payman.example", 443), id="connected and written"),
        pytest.param([WRITES, CONNECTS], 1, False, None, None, id="another connection behind it"),
        pytest.param([WRITES, WRITES_2], 2, False, None, None, id="written twice"),
        pytest.param(
            [("http11.send_request_headers.started", {})], 1, False, None, None, id="written by a stranger"
        ),
        pytest.param([TUNNELS], 0, True, None, None, id="tunnel"),
        pytest.param([TUNNELS, WRITES], 1, False, None, None, id="through a tunnel"),
        pytest.param(
            [TUNNELS, fails("http11.send_request_headers", UNWRITABLE)],
            *(0, True, None, None),
            id="tunnel that cannot be asked for",
        ),
        pytest.param(
            [WRITES, fails("http11.send_request_headers", UNWRITABLE)],
            *(0, False, UNWRITABLE, None),
            id="unwritable",
        ),
        pytest.param(
            [WRITES, fails("http2.send_request_headers", UNWRITABLE_TOO)],
            *(0, False, UNWRITABLE_TOO, None),
            id="a kind of unwritable",
        ),
        pytest.param(
            [WRITES, WRITES, fails("http11.send_request_headers", UNWRITABLE)],
            *(1, False, UNWRITABLE, None),
            id="unwritable the second time",
        ),
        pytest.param(
            [WRITES, ("http11.send_request_headers.complete", {"exception": UNWRITABLE})],
            *(1, False, None, None),
            id="written whole",
        ),
        *(
            pytest.param(
                [WRITES, fails("http11.send_request_headers", error)],
                *(1, False, None, None),
                id=f"{type(error).__name__} of {type(error).__module__} while it was written",
            )
            for error in (BROKEN, IMPOSTOR, SIBLING)
        ),
        pytest.param([("http11.send_request_headers.failed", {})], 0, False, None, None, id="no exception"),
        pytest.param(
            [WRITES, fails("http11.receive_response_headers", BROKEN)],
            *(1, False, BROKEN, None),
            id="no answer",
        ),
    ],
)
def test_what_the_steps_of_a_connection_show(
    steps: list[tuple[str, dict[str, Any]]],
    sends: int,
    is_connecting: bool,
    failure: BaseException | None,
    peer: tuple[str, int] | None,
) -> None:
    """A request counts as sent from the first byte that is written for it; a proxy's tunnel is not the request."""
    seen = Transmission()
    for position, (event, about) in enumerate(steps):
        if position % 2:
            seen.note(event, about)
        else:
            with pytest.raises(StopIteration):
                seen.note_async(event, about).send(None)
    assert (seen.sends, seen.is_connecting, seen.failure, seen.peer) == (sends, is_connecting, failure, peer)
    assert (seen.was_seen, seen.sent, seen.is_held) == (bool(steps), True, False)
    assert seen.max_bytes == 2**26


@table(
    "extensions, expected",
    [
        (lambda seen: {"trace": seen.note}, True),
        (lambda seen: {"trace": seen.note_async}, True),
        (lambda _: {"trace": Transmission().note}, False),
        (lambda _: {"trace": print}, False),
        (lambda seen: {"traced": seen.note}, False),
        (lambda _: {}, False),
        (lambda _: None, False),
    ],
)
def test_who_is_reported_to(extensions: Any, expected: bool) -> None:
    """Only this very request; whatever else there may be is another's."""
    seen = Transmission()
    assert seen.is_watching(extensions(seen)) is expected


# --- what is safe to send again


@table(
    "status, headers, expected",
    [
        (503, {"retry-after": "1"}, FailureClass.TURNED_AWAY),
        (503, {}, FailureClass.AMBIGUOUS),
        (503, None, FailureClass.AMBIGUOUS),
        (502, {"retry-after": "1"}, FailureClass.AMBIGUOUS),
        (504, {"retry-after": "1"}, FailureClass.AMBIGUOUS),
        (500, {"retry-after": "1"}, FailureClass.AMBIGUOUS),
    ],
)
def test_only_503_with_retry_after_turns_an_ask_away(
    status: int, headers: dict[str, str] | None, expected: FailureClass
) -> None:
    """Also for an error that does not say by itself whether the request was taken."""
    response = None if headers is None else ErrorResponse(status, b"", headers=headers)
    assert classify_failure(ServerError("No.", status_code=status, response=response)) is expected


def test_only_2xx_is_a_success() -> None:
    """An answer that was read whole says the same as httpx."""
    for status in (100, 199, 200, 202, 299, 300, 304, 400, 500):
        is_success = 200 <= status <= 299
        assert BufferedResponse(status, {}, b"").is_success is is_success, status
        assert httpx.Response(status).is_success is is_success, status


# --- how long a look may take


def test_a_look_before_a_reply_takes_five_seconds_at_most() -> None:
    """So much for the look and for its answer; the reply itself has the time of the ask."""
    ask, clock = ASK._replace(text="approve", is_reply=True, earlier=None), Clock()
    flow = carry_out(ResponseFlow(ask, time_of(clock)))
    end, sent = driven(flow, [token_answer(), APITimeoutError("No answer."), task()], clock=clock)
    assert isinstance(end, tuple)
    assert [(step.request["url"], step.deadline, step.patience) for step in sent[1:]] == [
        (GET_PATH, 1005, 5),
        (ASK_PATH, 1300, 60),
    ]


# --- what a search repeats


def task(state: str = "completed") -> Callable[[Any], httpx.Response]:
    """The answer to a request, about its own task."""
    return lambda body: httpx.Response(200, json={"id": body["id"], "result": {"status": {"state": state}}})


def search(
    *outcomes: Outcome, max_retries: int = 1, before_send: Any = None
) -> tuple[str | BaseException, list[tuple[str, str, str]]]:
    """What comes of a search, and the path, request and task of what it sends."""
    clock = Clock()
    time = with_options(time_of(clock, max_retries=max_retries), before_send=before_send)
    end, sent = driven(
        read_repeatedly(ASK, time, lambda task: task.state),
        [token_answer("first"), *outcomes],
        clock=clock,
    )
    bodies = [(step.request["url"], step.request.get("json") or {}) for step in sent]
    return end, [(url, body["id"], body["params"]["id"]) for url, body in bodies if "params" in body]


def test_a_search_asks_again_as_another_task() -> None:
    """What changes nothing needs no look-up: each attempt is a task by itself, and an error names its own."""
    end, [first, second] = search(httpx.Response(503), task())
    assert (end, first) == ("completed", (ASK_PATH, "req-1", "tsk-1"))
    url, request_id, task_id = second
    assert (url, request_id[:4], task_id[:4]) == (ASK_PATH, "req-", "tsk-")
    assert (request_id, task_id) != first[1:]

    end, [first, second] = search(httpx.Response(503), httpx.Response(500))
    assert isinstance(end, ServerError)
    assert (end.request_id, end.task_id, end.session_id) == (*second[1:], "ses-1")


def test_a_search_is_not_over_for_another_token() -> None:
    """What changes nothing is sent with a new token at once, and that is no retry."""
    end, sent = search(httpx.Response(401), token_answer("second"), task(), max_retries=0)
    assert (end, sent) == ("completed", [(ASK_PATH, "req-1", "tsk-1")] * 2)


def test_a_search_ends_where_somebody_is_asked() -> None:
    """Nobody waits for an approval that nobody gives; and what still works is looked up."""
    assert search(task("input-required")) == ("input-required", [(ASK_PATH, "req-1", "tsk-1")])
    end, sent = search(task("working"), task())
    assert (end, [url for url, *_ in sent]) == ("completed", [ASK_PATH, GET_PATH])


def test_a_search_consults_the_guard_before_anything_is_sent() -> None:
    """Once, however often it is sent; and what the guard raises comes out as it is."""
    asked: list[Any] = []
    end, sent = search(httpx.Response(503), task(), before_send=asked.append)
    assert (end, len(sent), [ask.task_id for ask in asked]) == ("completed", 2, ["tsk-1"])

    def refuse(_: Any) -> None:
        raise LookupError("mine")

    end, sent = search(before_send=refuse)
    assert (type(end), sent) == (LookupError, [])


def test_a_store_that_breaks_between_two_attempts_lets_nothing_be_sent_again() -> None:
    """Whether another process has sent it meanwhile, nobody knows then."""

    class BreaksAfterOne(MemoryKeyStore):
        def claim(self, operation: str, sent_at: float, expected: float | None) -> bool:
            if self.load(operation) is not None:
                raise OSError
            return super().claim(operation, sent_at, expected)

    clock, ask = Clock(), ASK._replace(idempotency_key="a")
    refused = APIConnectionError("nobody listens")
    refused.sent = False

    def unknown(body: Any) -> httpx.Response:
        return httpx.Response(200, json={"id": body["id"], "error": {"code": -32001, "message": ""}})

    time = time_of(clock, max_retries=1)._replace(open_key_store=BreaksAfterOne)
    flow = carry_out(ResponseFlow(ask, time))
    end, sent = driven(flow, [token_answer(), unknown, refused], clock=clock)
    assert isinstance(end, OutcomeUnknownError)
    assert len(sent) == 3


def test_the_wait_for_an_earlier_ask_ends_on_any_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a clock that moves only by what is slept, what is left of the wait never rounds to nothing."""
    looks: list[None] = []

    def look(_: KeyClaim[Any]) -> Iterator[Any]:
        looks.append(None)
        assert len(looks) < 100
        return
        yield

    monkeypatch.setattr(KeyClaim, "_find_by_key", look)
    chance = Random(1)  # noqa: S311 (no secret)
    for began in (chance.uniform(0, 1e6) for _ in range(200)):
        looks.clear()
        clock = Clock(began)
        claim = KeyClaim(ResponseFlow(ASK, time_of(clock, settle_time=0.1)))
        assert driven(claim.find(), clock=clock) == (None, []), began
        assert clock.now == began + 0.1
