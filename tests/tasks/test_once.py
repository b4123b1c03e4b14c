"""An ask happens once, however the network fails: every row of the table "Money safety", plain and streamed."""

from __future__ import annotations

import contextlib
import copy
import json
import logging
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any, Literal, TypeAlias

import anyio
import httpx
import pytest
from attrs import define, field
from hypothesis import given, settings
from hypothesis import strategies as st

from payman_sdk import FormattedTaskResponse, PaymanClient
from payman_sdk._config import Resend
from payman_sdk._core.effects import (
    CallBlocking,
    CallHook,
    Effect,
    Emit,
    Flow,
    ReadChunk,
    SendRequest,
    Sleep,
    WithLock,
)
from payman_sdk._core.hook_payloads import RetryDetails
from payman_sdk._core.http import is_event_stream
from payman_sdk._core.requests import AskRequest
from payman_sdk._core.task_response import get_state
from payman_sdk.errors import (
    APIConnectionError,
    APITimeoutError,
    AuthenticationError,
    OutcomeUnknownError,
    PaymanError,
    RateLimitError,
    ServerError,
    StreamInterruptedError,
)
from payman_sdk.sandbox import Sandbox
from tests.conftest import SECRET, Connect
from tests.loops import LOOPS, run_on
from tests.peer import (
    ACCESS_TOKEN,
    ASK_PATH,
    GET_PATH,
    PLAIN,
    TOKEN_PATH,
    Answer,
    Peer,
    Request,
    answer,
    reset,
)
from tests.steps import Clock, sent_whole, streamed, time_of, token_answer, with_options
from tests.streaming.wire import RESUBSCRIBE_PATH, STREAM_PATH
from tests.tables import table

Way: TypeAlias = Literal["plain", "stream"]
SEND: dict[Way, str] = {"plain": ASK_PATH, "stream": STREAM_PATH}
ASK = AskRequest(text="send 100 TSD to John Doe", task_id="tsk-1", request_id="req-1", session_id="ses-1")
KEYED = ASK._replace(idempotency_key="invoice-42")
REPLY = ASK._replace(text="approve", is_reply=True)

ways = pytest.mark.parametrize("way", ["plain", "stream"])


@pytest.fixture(autouse=True)
def _short_pauses() -> None:
    """Pauses are as long here as they are; where nobody steps the flow, tests have their own."""


# --- a network that is a list of outcomes

Outcome: TypeAlias = Callable[[Any], httpx.Response]
"""What becomes of a request, by its body: an answer, or what is raised."""


def task(state: str) -> Outcome:
    """The task, in this state."""
    return lambda body: _rpc(body, result=_task(state))


def error(code: int) -> Outcome:
    """A JSON-RPC error."""
    return lambda body: _rpc(body, error={"code": code, "message": "No."})


def status(code: int, **headers: str) -> Outcome:
    """An HTTP status, and a body without JSON-RPC."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: httpx.Response(code, headers=named)


def broken(failure: Callable[[], PaymanError]) -> Outcome:
    """No answer."""

    def fail(_: Any) -> httpx.Response:
        raise failure()

    return fail


def refused_for_ever() -> APIConnectionError:
    """What TLS and the resolver raise where another attempt is in vain."""
    failure = APIConnectionError("Not trusted.", sent=False)
    failure.is_transient = False
    return failure


def stream(*pieces: bytes | PaymanError) -> Outcome:
    """An event stream of these pieces, which ends behind them."""
    return lambda _: httpx.Response(
        200, headers={"content-type": "text/event-stream"}, extensions={"pieces": pieces}
    )


def _rpc(body: Any, *, status: int = 200, **members: Any) -> httpx.Response:
    return httpx.Response(status, json={"jsonrpc": "2.0", "id": (body or {}).get("id"), **members})


def _task(state: str) -> dict[str, Any]:
    return {"id": "tsk-1", "status": {"state": state}}


def _event(**result: Any) -> bytes:
    envelope = {"jsonrpc": "2.0", "id": "req-1", "result": {"id": "tsk-1", **result}}
    return f"data: {json.dumps(envelope)}\n\n".encode()


def arrives(after: float) -> Iterator[Outcome]:
    """Looks that find the task done so many seconds after the first of them."""
    return iter([*[NOT_KNOWN] * {1: 3, 4: 5, 9: 6, 29: 10}[int(after)], DONE])


def told_state(state: str, *, final: bool = False) -> bytes:
    """An event about the state."""
    return _event(status={"state": state}, final=final)


WORDS = _event(artifact={"parts": [{"type": "text", "text": "I will"}], "index": 0})
TOKEN: Outcome = lambda _: token_answer()  # noqa: E731 (a constant like the others)
DONE = task("completed")
REFUSED = broken(partial(APIConnectionError, "Not reached.", sent=False))
REFUSED_FOR_EVER = broken(refused_for_ever)
LOST = broken(partial(APIConnectionError, "It broke."))
LATE = broken(partial(APITimeoutError, "Too late."))
NOT_KNOWN = error(-32001)
NO_METHOD = error(-32601)

OPEN: dict[str, Outcome] = {
    "lost": LOST,
    "late": LATE,
    **{
        str(code): status(code)
        for code in (302, 303, 304, 307, 308, 402, 408, 409, 410, 418, 425, 499, 500, 502, 503, 504, 529, 599)
    },
    "409 and a refusal": lambda body: _rpc(
        body, status=409, error={"code": -32600, "message": "Is running."}
    ),
    "499 and a refusal": lambda body: _rpc(body, status=499, error={"code": -32602, "message": "No."}),
    "502 with Retry-After": status(502, retry_after="0"),
    "nothing": status(200),
    "page": lambda _: httpx.Response(200, text="<html>"),
    "another's answer": lambda _: _rpc({"id": "req-other"}, result=_task("completed")),
    "no task": lambda body: _rpc(body, result={}),
}
"""What leaves open whether the ask was taken."""


@define
class Exchange:
    """A request that was sent, and what became of it."""

    path: str
    body: Any
    at: float
    came: httpx.Response | PaymanError
    ended: bool = False
    """Whether a stream came to an end that the agent had told."""


class Network:
    """Carries flows out without a network: every request has the next outcome of its path, and takes its time.

    Args:
        clock: The clock, which each step sets.
        script: What becomes of the requests, by path; more of them are a failure of the test.
        takes: How many seconds each request, and each piece of a stream, takes.
    """

    def __init__(
        self, clock: Clock, script: Mapping[str, Iterable[Outcome]], takes: Iterable[float] = ()
    ) -> None:
        self._clock = clock
        given: dict[str, Iterable[Outcome]] = {
            TOKEN_PATH: cycle([TOKEN]),
            RESUBSCRIBE_PATH: cycle([NO_METHOD]),
            **script,
        }
        self._script = {path: iter(outcomes) for path, outcomes in given.items()}
        self._takes = iter(takes)
        self._pieces: Iterator[bytes | PaymanError] = iter(())
        self._open: Exchange | None = None
        self.exchanges: list[Exchange] = []
        self.slept: list[float] = []
        self.reported: list[Any] = []
        self.steps = 0

    def run(self, flow: Flow[Any]) -> Any:
        """Runs a flow to its end; the failure of a step is thrown into it, as runners do."""
        try:
            step = next(flow)
            while True:
                try:
                    outcome = self._do(step)
                except PaymanError as failure:
                    step = flow.throw(failure)
                else:
                    step = flow.send(outcome)
        except StopIteration as end:
            return end.value

    def at(self, *paths: str) -> list[Exchange]:
        """What was sent to these paths."""
        return [exchange for exchange in self.exchanges if exchange.path in paths]

    @property
    def trail(self) -> str:
        """Which requests were sent, but those for tokens, by a letter each: s for the ask, g for a look, r for the rest."""
        letters = {ASK_PATH: "s", STREAM_PATH: "s", GET_PATH: "g", RESUBSCRIBE_PATH: "r", TOKEN_PATH: ""}
        return "".join(letters[exchange.path] for exchange in self.exchanges)

    def _do(self, step: Effect) -> Any:
        self.steps += 1
        assert self.steps < 5_000, "this never ends"
        match step:
            case SendRequest():
                return self._send(step)
            case ReadChunk(until):
                return self._read(until)
            case Emit(what):
                self.reported += what
            case Sleep(seconds):
                assert seconds >= 0
                self.slept.append(seconds)
                self._clock.now += seconds
            case CallHook(function, about):
                function(about)
            case CallBlocking(function):
                return function()
            case WithLock(inner):
                return self.run(inner)
        return None

    def _send(self, step: SendRequest) -> httpx.Response:
        path, body = step.request["url"], step.request.get("json")
        exchange = Exchange(path, body, self._clock.now, APITimeoutError("No answer in time."))
        self._open = None
        if self._clock.now >= step.deadline:
            raise APITimeoutError("The time was over.", sent=False)  # nothing left, so it is no exchange
        self.exchanges.append(exchange)
        outcome = next(self._script[path], None)
        assert outcome is not None, f"more was sent to {path} than was foreseen"
        try:
            self._pass(min(step.deadline, self._clock.now + (60 if step.patience is None else step.patience)))
            exchange.came = outcome(body)
        except PaymanError as failure:
            exchange.came = copy.copy(failure)  # what is known of it now: the flow may learn more
            raise
        if step.is_stream and is_event_stream(exchange.came):
            self._open, self._pieces = exchange, iter(exchange.came.extensions["pieces"])
        return exchange.came

    def _read(self, until: float) -> bytes | None:
        assert self._open is not None, "nothing is open"
        self._pass(until)
        piece = next(self._pieces, None)
        if isinstance(piece, PaymanError):
            raise piece
        self._open.ended = piece is not None and (b'"final": true' in piece or b'"error"' in piece)
        return piece

    def _pass(self, until: float) -> None:
        self._clock.now += next(self._takes, 0.0)
        if self._clock.now > until:
            self._clock.now = until
            raise APITimeoutError("No answer in time.")


@define
class Story:
    """What came of an ask."""

    end: FormattedTaskResponse | PaymanError | str
    """How the task stands, or what was raised."""
    network: Network
    seconds: float
    tell: list[RetryDetails] = field(factory=list)


def story(
    way: Way,
    script: Sequence[Outcome] = (),
    *,
    ask: AskRequest = ASK,
    looks: Iterable[Outcome] = (),
    resubscriptions: Iterable[Outcome] | None = None,
    tokens: Iterable[Outcome] | None = None,
    takes: Iterable[float] = (),
    chances: Sequence[float] = (1.0,),
    seconds: float = 300,
    max_retries: int = 2,
    settle_time: float = 0.0,
    resend: Resend = "after_settling",
) -> Story:
    """Asks, and tells what came of it.

    Args:
        way: How it is asked.
        script: What becomes of the ask, each time it is sent.
        ask: What is asked.
        looks: What becomes of each look at the task.
        resubscriptions: What becomes of each attempt to take the stream up again; the server cannot do that without.
        tokens: What becomes of each request for a token; it gets one without.
        takes: How long each request takes.
        chances: What chance says.
        seconds: The time there is.
        max_retries: How often it is sent again.
        settle_time: How long it has to stay unknown before it is sent again.
        resend: Whether it is sent again at all once it may have arrived.
    """
    clock, chance = Clock(), cycle(chances)
    outcomes: dict[str, Iterable[Outcome]] = {SEND[way]: script, GET_PATH: looks}
    if resubscriptions is not None:
        outcomes[RESUBSCRIBE_PATH] = resubscriptions
    if tokens is not None:
        outcomes[TOKEN_PATH] = tokens
    network = Network(clock, outcomes, takes)
    received: list[RetryDetails] = []
    time = time_of(clock, seconds, max_retries=max_retries, settle_time=settle_time, resend=resend)
    time = with_options(time._replace(random=lambda: next(chance)), on_retry=received.append)

    def end() -> PaymanError | str:
        try:
            if way == "plain":
                return get_state(network.run(sent_whole(ask, time))[1])
            following = streamed(ask, time)
            network.run(following.run())
            return str(following.format_answer()["state"])
        except PaymanError as failure:
            return failure

    return Story(end(), network, clock.now - 1000, received)


def assert_names_the_ask(failure: object, ask: AskRequest = ASK) -> None:
    """An error has all ids of the ask, and says them."""
    assert isinstance(failure, PaymanError)
    assert (failure.task_id, failure.request_id, failure.session_id) == ("tsk-1", "req-1", "ses-1")
    assert failure.idempotency_key == ask.idempotency_key
    for known in ("tsk-1", "req-1", "ses-1", ask.idempotency_key or ""):
        assert known in str(failure)


def assert_sent_alike(network: Network) -> None:
    """Whatever is sent again is the same to the letter."""
    bodies = [exchange.body for exchange in network.at(ASK_PATH, STREAM_PATH)]
    assert all(body == bodies[0] for body in bodies)
    assert all((body["id"], body["params"]["id"]) == ("req-1", "tsk-1") for body in bodies)


# --- what the server did not take


@ways
@pytest.mark.parametrize("tries", [1, 2])
def test_a_connection_that_is_refused(way: Way, tries: int) -> None:
    """What was never sent is sent again, after a pause, and nothing has to be looked up."""
    reported = story(way, [*[REFUSED] * tries, DONE])
    assert (reported.end, reported.network.trail) == ("completed", "s" * (tries + 1))
    assert reported.network.slept == [0.5, 1.0][:tries]
    assert_sent_alike(reported.network)


TOLD_TO_WAIT: dict[str, tuple[Outcome, float]] = {
    "429": (status(429), 0.5),
    "429 for seconds": (status(429, retry_after="7"), 7),
    "429 for milliseconds": (status(429, retry_after_ms="70", retry_after="7"), 0.07),
    "429 to a date": (
        status(429, retry_after="Wed, 21 Oct 2015 07:28:00 GMT", date="Wed, 21 Oct 2015 07:27:50 GMT"),
        10,
    ),
    "503 for seconds": (status(503, retry_after="7"), 7),
    "503 for some time": (status(503, retry_after="a while"), 0.5),
}


@ways
@table("name", TOLD_TO_WAIT)
def test_a_server_that_is_busy(way: Way, name: str) -> None:
    """Who is told to come again does so after as long as was said, and asks the same."""
    outcome, seconds = TOLD_TO_WAIT[name]
    reported = story(way, [outcome, DONE], looks=[NOT_KNOWN])
    assert (reported.end, reported.network.trail, reported.network.slept) == (
        "completed",
        "sgs",
        [seconds],
    )
    assert_sent_alike(reported.network)
    [retry] = reported.tell
    assert (retry.attempt, retry.delay, retry.task_id) == (1, seconds, "tsk-1")


@ways
@pytest.mark.parametrize("code", [429, 503])
def test_a_server_that_is_busy_for_longer_than_there_is_time(way: Way, code: int) -> None:
    """A wait that would outlast the deadline is not begun: the refusal is raised at once."""
    reported = story(way, [status(code, retry_after="300")], looks=[NOT_KNOWN], seconds=300)
    assert (reported.network.trail, reported.seconds, reported.network.slept, reported.tell) == (
        "sg",
        0,
        [],
        [],
    )
    assert type(reported.end) is (RateLimitError if code == 429 else ServerError)
    assert reported.end.status_code == code
    assert_names_the_ask(reported.end)


@ways
@table("most", [0, 1, 2])
def test_a_server_that_takes_nothing_for_ever(way: Way, most: int) -> None:
    """After `max_retries` repetitions the last failure is raised; only where no byte can have left it says that nothing was done."""
    for outcome, sent in ((REFUSED, False), (status(429), None), (status(503, retry_after="1"), None)):
        reported = story(way, [outcome] * 9, looks=cycle([NOT_KNOWN]), max_retries=most)
        looked = "" if sent is False else "g"
        assert reported.network.trail.replace("r", "") == f"s{looked}" * (most + 1)
        assert isinstance(reported.end, PaymanError)
        assert not isinstance(reported.end, OutcomeUnknownError)
        assert reported.end.sent is sent
        assert_names_the_ask(reported.end)


@ways
def test_a_token_that_is_refused(way: Way) -> None:
    """After a 401 the task is looked up with another token, and the ask sent once more; a second 401 is final."""
    reported = story(way, [status(401), DONE], looks=[NOT_KNOWN], max_retries=0)
    assert (reported.end, reported.network.trail, reported.network.slept) == ("completed", "sgs", [])
    assert len(reported.network.at(TOKEN_PATH)) == 2
    assert_sent_alike(reported.network)
    reported = story(way, [status(401)], looks=[DONE])
    assert (reported.end, reported.network.trail.replace("r", "")) == ("completed", "sg")
    reported = story(way, [status(401)] * 2, looks=[NOT_KNOWN, NO_METHOD])
    assert (type(reported.end), reported.network.trail.replace("r", "")) == (AuthenticationError, "sgsg")
    assert len(reported.network.at(TOKEN_PATH)) == 3
    assert_names_the_ask(reported.end)


@ways
def test_a_token_that_cannot_be_had_for_a_while(way: Way) -> None:
    """An ask for which there was no token was not sent: it is tried again, whatever broke the token request."""
    reported = story(way, [DONE], tokens=[LOST, status(503), TOKEN])
    assert (reported.end, reported.network.trail, len(reported.network.at(TOKEN_PATH))) == (
        "completed",
        "s",
        3,
    )
    reported = story(way, [], tokens=[LATE] * 3)
    assert (type(reported.end), reported.network.trail) == (APITimeoutError, "")
    assert isinstance(reported.end, PaymanError)
    assert reported.end.sent is False


@ways
def test_what_would_fail_again_is_final(way: Way) -> None:
    """A certificate that is not trusted and a host that does not exist are not tried again."""
    reported = story(way, [REFUSED_FOR_EVER])
    assert (type(reported.end), reported.network.trail, reported.network.slept) == (
        APIConnectionError,
        "s",
        [],
    )
    assert_names_the_ask(reported.end)


@ways
def test_a_refusal_is_final(way: Way) -> None:
    """Plain refusals are raised at once, and say that nothing was done."""
    for code in (400, 403, 404, 405, 406, 411, 413, 414, 415, 422, 431, 451):
        reported = story(way, [status(code, retry_after="1")])
        assert isinstance(reported.end, PaymanError)
        assert (reported.end.status_code, reported.end.sent) == (code, False)
        assert (reported.network.trail, reported.seconds) == ("s", 0)
        assert_names_the_ask(reported.end)


@ways
def test_an_error_of_the_agent_is_an_answer(way: Way) -> None:
    """A JSON-RPC error is raised and the ask not repeated; a code that is no refusal is looked up first."""
    for code in (-32700, -32600, -32601, -32602, -32001, -32002):
        reported = story(way, [error(code)])
        assert (getattr(reported.end, "code", None), reported.network.trail) == (code, "s")
        assert isinstance(reported.end, PaymanError)
        assert reported.end.sent is False
        assert_names_the_ask(reported.end)
    for code in (-32603, -32000, 7):
        reported = story(way, [error(code)], looks=[NOT_KNOWN])
        assert (getattr(reported.end, "code", None), reported.network.trail) == (code, "sg")
        assert isinstance(reported.end, PaymanError)
        assert reported.end.sent is None
        assert story(way, [error(code)], looks=[DONE]).end == "completed"


# --- what leaves the outcome open

open_ones = table("name", OPEN)


@ways
@open_ones
@table("state", ["completed", "FAILED", "canceled", "INPUT_REQUIRED"])
def test_what_has_ended_or_waits_is_returned(way: Way, name: str, state: str) -> None:
    """An ask whose answer was lost is looked up by its task, sent no more, and returned as it ended, or as it waits."""
    reported = story(way, [OPEN[name]], looks=[task(state)])
    assert reported.end == state.lower().replace("_", "-")
    assert reported.network.trail.replace("r", "") == "sg"
    [look] = reported.network.at(GET_PATH)
    assert (look.body["method"], look.body["params"]["id"]) == ("tasks/get", "tsk-1")


@ways
def test_what_is_at_work_is_waited_for(way: Way) -> None:
    """A task that is known and at work is looked at until it has ended."""
    reported = story(way, [LOST], looks=[*[task("WORKING")] * 3, DONE])
    assert (reported.end, reported.network.trail.replace("r", "")) == ("completed", "sgggg")
    assert reported.network.slept == [0.25, 0.5, 1]


def test_what_is_at_work_at_the_deadline() -> None:
    """An ask that is at work to the deadline is returned as it stands then."""
    reported = story("plain", [LOST], looks=cycle([task("working")]), seconds=20)
    assert (reported.end, reported.seconds, len(reported.network.at(ASK_PATH))) == ("working", 20, 1)


def test_a_stream_that_is_at_work_at_the_deadline() -> None:
    """A stream that could not be taken up again, and whose task is at work to the deadline, was interrupted."""
    reported = story("stream", [LOST], looks=cycle([task("working")]), seconds=20)
    assert isinstance(reported.end, StreamInterruptedError)
    assert (reported.end.partial.state, reported.seconds, reported.end.sent) == ("working", 20, True)
    assert "It broke. The task could not be followed either: The ask exceeded its timeout." in str(
        reported.end
    )
    assert len(reported.network.at(STREAM_PATH)) == 1
    assert_names_the_ask(reported.end)


@ways
@table("name", [name for name in OPEN if "refusal" not in name])
def test_what_never_arrived_is_sent_again(way: Way, name: str) -> None:
    """Where the agent does not know the task, and not after the pause either, the same ask is sent again."""
    reported = story(way, [OPEN[name], DONE], looks=[NOT_KNOWN] * 2)
    assert (reported.end, reported.network.trail.replace("r", "")) == ("completed", "sggs")
    first, second = reported.network.at(GET_PATH)
    pause = 0.0 if "Retry" in name else 0.5
    assert (reported.network.slept, second.at - first.at) == ([pause], pause)
    assert_sent_alike(reported.network)


@ways
def test_not_found_counts_only_with_a_status_that_leaves_nothing_open(way: Way) -> None:
    """A gateway may say so with 409, say, of a task that it did not look for; whoever believes it sends the ask again."""
    for code in (402, 408, 409, 410, 418, 423, 425, 499):
        weak = lambda body, code=code: _rpc(body, status=code, error={"code": -32001, "message": "No."})  # noqa: E731
        reported = story(way, [LOST, DONE], looks=cycle([weak]), settle_time=1)
        assert isinstance(reported.end, OutcomeUnknownError), code
        assert len(reported.network.at(SEND[way])) == 1, code
    for code in (200, 400, 404):
        sure = lambda body, code=code: _rpc(body, status=code, error={"code": -32001, "message": "No."})  # noqa: E731
        assert story(way, [LOST, DONE], looks=cycle([sure]), settle_time=1).end == "completed", code


@ways
@table("name", [name for name in OPEN if "refusal" in name])
def test_a_refusal_with_another_status_is_neither_believed_nor_sent_again(way: Way, name: str) -> None:
    """What is said with 409, say, is no evidence, so the outcome is undetermined; and no agent that refuses is asked twice."""
    reported = story(way, [OPEN[name], DONE], looks=[NOT_KNOWN])
    assert isinstance(reported.end, OutcomeUnknownError)
    assert (reported.end.sent, reported.network.trail.replace("r", "")) == (True, "sg")


@ways
def test_what_was_still_on_its_way(way: Way) -> None:
    """An ask that arrives during the pause is found, and not sent again."""
    reported = story(way, [LOST], looks=[NOT_KNOWN, DONE])
    assert (reported.end, reported.network.trail.replace("r", "")) == ("completed", "sgg")


@ways
def test_what_was_known_is_never_unknown_again(way: Way) -> None:
    """A task that was at work, and that a look-up that lags does not know later, is followed and never sent again."""
    reported = story(way, [LOST], looks=[task("working"), NOT_KNOWN, NOT_KNOWN, DONE], settle_time=5)
    assert (reported.end, reported.network.trail.replace("r", "")) == ("completed", "sgggg")
    reported = story(way, [LOST], looks=[task("working"), *[NOT_KNOWN] * 99], settle_time=5)
    assert isinstance(reported.end, OutcomeUnknownError)
    assert len(reported.network.at(SEND[way])) == 1
    assert reported.end.sent
    assert_names_the_ask(reported.end)


CANNOT_TELL: dict[str, Outcome] = {
    "no method": NO_METHOD,
    "not supported": error(-32004),
    **{str(code): status(code) for code in (307, 400, 403, 404, 405)},
    "not trusted": REFUSED_FOR_EVER,
}


@ways
@open_ones
@table("why", CANNOT_TELL)
def test_a_server_that_cannot_tell(way: Way, name: str, why: str) -> None:
    """Where the task cannot be looked up, the ask is not sent again, and its outcome is told to be unknown."""
    reported = story(way, [OPEN[name]], looks=[CANNOT_TELL[why]] * 2)
    assert type(reported.end) is OutcomeUnknownError
    assert len(reported.network.at(SEND[way])) == 1
    assert reported.end.sent is True
    assert "get_task" in str(reported.end)
    assert_names_the_ask(reported.end)


@ways
@table("outcome", [LOST, REFUSED, LATE, status(500), status(429), status(200), status(401)])
def test_a_server_that_cannot_be_reached_any_more(way: Way, outcome: Outcome) -> None:
    """Whoever cannot look the task up tries to the deadline, and is told then that the outcome is unknown."""
    reported = story(way, [LOST], looks=cycle([outcome]), seconds=30)
    assert (type(reported.end), reported.seconds) == (OutcomeUnknownError, 30)
    assert len(reported.network.at(SEND[way])) == 1
    assert_names_the_ask(reported.end)


@ways
def test_a_server_that_can_be_reached_again(way: Way) -> None:
    """An outage of whatever kind between the ask and the look is waited out."""
    outage = [LOST, REFUSED, LATE, status(500), status(429), status(503, retry_after="1")]
    reported = story(way, [LOST], looks=[*outage, DONE])
    assert (reported.end, len(reported.network.at(SEND[way]))) == ("completed", 1)


@ways
@table("most", [0, 1, 2])
def test_what_never_arrives(way: Way, most: int) -> None:
    """An ask that the agent does not know, however often it is sent, may arrive still: its outcome is undetermined."""
    for name in ("lost", "late", "500", "409"):
        reported = story(way, [OPEN[name]] * 9, looks=cycle([NOT_KNOWN]), max_retries=most)
        assert type(reported.end) is OutcomeUnknownError
        assert "did not know the task" in str(reported.end)
        assert reported.end.sent is True
        assert reported.network.trail.replace("r", "") == "sgg" * most + "sg"
        assert_names_the_ask(reported.end)
        assert_sent_alike(reported.network)


@ways
def test_what_may_arrive_settles_before_it_is_sent_again(way: Way) -> None:
    """The task has to stay unknown for `settle_time`; what arrives late is found, and not sent again."""
    for late in (1, 4, 9, 29):
        reported = story(way, [LOST], looks=arrives(late), settle_time=30)
        assert (reported.end, len(reported.network.at(SEND[way]))) == ("completed", 1)
    reported = story(way, [LOST, DONE], looks=cycle([NOT_KNOWN]), settle_time=30)
    first, second = reported.network.at(SEND[way])
    assert (reported.end, second.at - first.at >= 30) == ("completed", True)


@ways
def test_never_sends_nothing_twice(way: Way) -> None:
    """With `resend="never"` nothing that may have arrived is sent again, whatever the look-ups say."""
    for outcome in (*LEFT_OPEN, status(429), status(401), status(503, retry_after="0")):
        reported = story(way, [outcome], looks=cycle([NOT_KNOWN]), settle_time=5, resend="never")
        assert isinstance(reported.end, PaymanError)
        assert (reported.end.sent is False, len(reported.network.at(SEND[way]))) == (False, 1)


@ways
def test_a_refusal_after_an_open_question(way: Way) -> None:
    """A refusal of the second attempt settles nothing about the first: the outcome is undetermined."""
    for refusal in (status(403), status(404), error(-32602), error(-32001), REFUSED_FOR_EVER):
        reported = story(way, [LOST, refusal], looks=[NOT_KNOWN] * 2)
        assert type(reported.end) is OutcomeUnknownError
        assert (reported.end.sent, reported.network.trail.replace("r", "")) == (True, "sggs")
        assert_names_the_ask(reported.end)


@ways
def test_the_deadline_covers_all_attempts_together(way: Way) -> None:
    """No attempt begins after the deadline, and the answer of one that lasts longer is not waited for."""
    reported = story(way, [REFUSED] * 9, takes=cycle([0.0, 4.0]), seconds=10, max_retries=9)
    assert isinstance(reported.end, PaymanError)
    assert reported.end.sent is False
    assert reported.seconds <= 10
    reported = story(
        way, [LOST], looks=[DONE], takes=[0, 1, *[100] * 9], seconds=10, resubscriptions=cycle([LOST])
    )
    assert (type(reported.end), reported.seconds) == (OutcomeUnknownError, 10)


# --- streams that began


BEGUN = told_state("working")
ENDED = told_state("completed", final=True)


@pytest.mark.parametrize("reach", [(), (APIConnectionError("It broke."),)])
def test_a_stream_that_broke_before_its_first_event(reach: tuple[PaymanError, ...]) -> None:
    """An open stream that told nothing leaves the outcome open, like an ask without an answer."""
    reported = story("stream", [stream(*reach)], looks=[DONE])
    assert (reported.end, reported.network.trail) == ("completed", "srg")
    reported = story(
        "stream", [stream(*reach), stream(BEGUN, ENDED)], looks=[NOT_KNOWN, NOT_KNOWN, NO_METHOD]
    )
    assert (reported.end, reported.network.trail) == ("completed", "srggsg")


def test_a_stream_that_informedmething_is_never_sent_again() -> None:
    """A stream that began was taken: though the agent should not know the task later, it is not sent again."""
    reported = story("stream", [stream(BEGUN, WORDS)], looks=cycle([NOT_KNOWN]), seconds=20)
    assert isinstance(reported.end, StreamInterruptedError)
    assert isinstance(reported.end.__cause__, APIConnectionError)
    assert (reported.end.partial.text, set(reported.network.trail[2:])) == ("I will", {"g"})
    assert_names_the_ask(reported.end)


def test_a_stream_is_taken_up_again_before_it_is_followed() -> None:
    """Where the server can, the rest of a stream is had from the server, and events are told once."""
    reported = story(
        "stream",
        [stream(BEGUN, WORDS)],
        looks=[NO_METHOD],
        resubscriptions=[LOST, stream(BEGUN, WORDS, ENDED)],
    )
    assert (reported.end, reported.network.trail) == ("completed", "srrg")
    assert [event.type for event in reported.network.reported] == [
        "status_update",
        "artifact_update",
        "status_update",
    ]


def test_a_stream_that_leads_nowhere_is_followed_otherwise() -> None:
    """After three attempts in vain to take a stream up again the task is looked up."""
    reported = story("stream", [stream(BEGUN)], looks=[DONE], resubscriptions=cycle([stream()]))
    assert (reported.end, reported.network.trail) == ("completed", "srrrg")
    assert reported.network.slept == [0.25, 0.5, 1]


def test_a_stream_that_makes_progress_is_taken_up_again_for_longer() -> None:
    """A new event begins the count of attempts in vain anew, and the pauses between them."""
    grown = stream(BEGUN, WORDS)
    reported = story(
        "stream",
        [stream(BEGUN)],
        looks=[DONE],
        resubscriptions=[stream(), stream(), grown, *[grown] * 2, stream()],
    )
    assert (reported.end, reported.network.trail) == ("completed", "srrrrrrg")
    assert reported.network.slept == [0.25, 0.5, 0.25, 0.5, 1]
    numbers = [exchange.body["id"] for exchange in reported.network.at(RESUBSCRIBE_PATH)]
    assert len({*numbers, "req-1"}) == 7 and all(number.startswith("req-") for number in numbers)


@table("events", [[BEGUN], [BEGUN, WORDS]])
def test_a_stream_that_began_waits_for_a_replica_that_lags(events: list[bytes]) -> None:
    """From its first event on, the agent has known the task; "not found" then may pass, for `settle_time`."""
    looks = [NOT_KNOWN, NOT_KNOWN, DONE]
    reported = story("stream", [stream(*events)], looks=looks, settle_time=30)
    assert (reported.end, reported.network.trail) == ("completed", "srggg")
    reported = story("stream", [stream(*events)], looks=cycle([NOT_KNOWN]), settle_time=2)
    assert isinstance(reported.end, StreamInterruptedError) and 2 <= reported.seconds < 5


def test_a_stream_is_handed_out_as_soon_as_it_is_open() -> None:
    """Before anything is read of it; and it keeps the headers that it opened with."""
    steps: list[str] = []

    class Watched(Network):
        def _do(self, step: Effect) -> Any:
            steps.append(type(step).__name__)
            return super()._do(step)

    def numbered(number: str, *pieces: bytes) -> Outcome:
        def answer_with(body: Any) -> httpx.Response:
            came = stream(*pieces)(body)
            came.headers["x-number"] = number
            return came

        return answer_with

    clock = Clock()
    again = {RESUBSCRIBE_PATH: [numbered("2", ENDED)], GET_PATH: [NO_METHOD]}
    network = Watched(clock, {STREAM_PATH: [numbered("1", BEGUN)], **again})
    flow = streamed(ASK, time_of(clock))
    network.run(flow.run())
    begins = steps.index("ReadChunk")
    assert steps[begins - 2 : begins] == ["SendRequest", "Emit"]
    assert (flow.progress.headers or {})["x-number"] == "1"


# --- replies


@ways
@open_ones
def test_a_reply_is_settled_only_if_the_task_has_moved_on(way: Way, name: str) -> None:
    """A task that still waits does not show whether a reply arrived: its outcome is unknown, and it is not sent again."""
    reported = story(way, [OPEN[name]], ask=REPLY, looks=cycle([task("input-required")]), settle_time=2)
    assert type(reported.end) is OutcomeUnknownError
    assert len(reported.network.at(SEND[way])) == 1
    assert reported.end.sent is True
    assert_names_the_ask(reported.end)
    reported = story(way, [OPEN[name]], ask=REPLY, looks=[task("working"), DONE])
    assert (reported.end, reported.network.trail.replace("r", "")) == ("completed", "sgg")


@ways
def test_a_reply_that_made_the_task_wait_anew(way: Way) -> None:
    """A task that moved on and waits again is no proof either."""
    reported = story(way, [LOST], ask=REPLY, looks=[task("working"), task("input-required")])
    assert type(reported.end) is OutcomeUnknownError
    assert reported.network.trail.replace("r", "") == "sgg"


@ways
def test_a_reply_that_was_not_taken_is_sent_again(way: Way) -> None:
    """Nothing is open about a reply that was refused: it is sent again, and what it is answered is the answer."""
    reported = story(
        way, [REFUSED, status(429), task("input-required")], ask=REPLY, looks=[task("input-required")]
    )
    assert (reported.end, reported.network.trail.replace("r", "")) == ("input-required", "ssgs")
    assert_sent_alike(reported.network)


def test_the_stream_of_a_reply_that_shows_only_the_wait() -> None:
    """A stream that is taken up again and tells that the task waits does not show whether the reply arrived."""
    waits = stream(told_state("input-required", final=True))
    reported = story(
        "stream", [LOST], ask=REPLY, resubscriptions=[waits], looks=cycle([task("input-required")])
    )
    assert type(reported.end) is OutcomeUnknownError
    assert len(reported.network.at(STREAM_PATH)) == 1


# --- whatever happens

STATES = ["completed", "FAILED", "canceled", "input-required", "WORKING", "submitted", "On_Hold"]
NOT_TAKEN = [REFUSED, status(401), status(429), status(429, retry_after="3"), status(503, retry_after="2")]
FINAL = [REFUSED_FOR_EVER, *[status(code) for code in (307, 400, 403, 404, 409, 422)]]
AGENT_ERRORS = [error(code) for code in (-32001, -32601, -32603, 7)]
STREAMS = [
    stream(),
    stream(b": keep-alive\n\n", b": keep-alive\n\n"),
    stream(APIConnectionError("It broke.")),
    stream(BEGUN),
    stream(BEGUN, WORDS, APIConnectionError("It broke.")),
    stream(BEGUN, WORDS, ENDED),
    stream(told_state("input-required", final=True)),
    stream(told_state("completed", final=False)),
    stream(BEGUN, b'data: {"jsonrpc": "2.0", "error": {"code": -32603, "message": "No."}}\n\n'),
    stream(b"data: no JSON\n\n"),
]
TASKS = [task(state) for state in STATES]
LEFT_OPEN = list(OPEN.values())


def several(*kinds: Sequence[Any]) -> st.SearchStrategy[list[Any]]:
    """A few of these, which come again and again; a kind that is named twice comes twice as often."""
    return st.lists(st.one_of(*[st.sampled_from(kind) for kind in kinds]), min_size=1, max_size=6)


# Those come often after which an ask goes on.
asks = several(LEFT_OPEN, LEFT_OPEN, LEFT_OPEN, NOT_TAKEN, NOT_TAKEN, TASKS, [*FINAL, *AGENT_ERRORS])
streamed_asks = several(
    LEFT_OPEN, LEFT_OPEN, STREAMS, STREAMS, NOT_TAKEN, NOT_TAKEN, TASKS, [*FINAL, *AGENT_ERRORS]
)
looks = several(*[[NOT_KNOWN]] * 6, TASKS, TASKS, LEFT_OPEN, NOT_TAKEN, [*FINAL, *AGENT_ERRORS])
resubscriptions = several(
    [NO_METHOD], *[[NOT_KNOWN]] * 4, STREAMS, STREAMS, TASKS, LEFT_OPEN, NOT_TAKEN, FINAL
)
tokens = st.one_of(*[st.just([TOKEN])] * 3, several([TOKEN], [status(500), status(401), LOST, REFUSED, LATE]))
durations = st.one_of(
    *[st.just([0.01])] * 2, st.lists(st.sampled_from([0.01, 0.01, 1.0, 30.0, 100.0]), min_size=1, max_size=6)
)


def sent_nothing(exchange: Exchange) -> bool:
    """Whether no byte of an ask can have left."""
    return isinstance(exchange.came, PaymanError) and exchange.came.sent is False


def turned_away(exchange: Exchange) -> bool:
    """Whether an ask was turned away before the agent saw it, most likely."""
    came = exchange.came
    if isinstance(came, PaymanError):
        return False
    return (
        came.status_code in {401, 429}
        or (came.status_code == 503 and "retry-after" in came.headers)
        or (came.status_code == 200 and b'"error"' in came.content and not refused(exchange))
    )


REFUSALS = {400, 403, 404, 405, 406, 411, 413, 414, 415, 422, 431, 451}


def refused(exchange: Exchange) -> bool:
    """Whether an ask was plainly refused."""
    came = exchange.came
    if isinstance(came, PaymanError) or is_event_stream(came):
        return False
    codes = (b"-32001", b"-32601", b"-32602", b"-32600", b"-32700")
    return came.status_code in REFUSALS or (
        came.status_code == 200 and any(code in came.content for code in codes)
    )


def says_not_known(exchange: Exchange) -> bool:
    """Whether it is a look that says that the agent does not know the task."""
    came = exchange.came
    return exchange.path == GET_PATH and isinstance(came, httpx.Response) and b"-32001" in came.content


def states_told(network: Network) -> set[str]:
    """Every state that any answer told, as the protocol spells it."""
    said = ""
    for exchange in network.exchanges:
        if isinstance(exchange.came, httpx.Response):
            pieces = exchange.came.extensions.get("pieces", [exchange.came.content])
            said += "".join(piece.decode() for piece in pieces if isinstance(piece, bytes))
    return {state for state in STATES if f'"{state}"' in said}


@settings(max_examples=2 * settings().max_examples)
@given(
    sent_how=st.one_of(st.tuples(st.just("plain"), asks), st.tuples(st.just("stream"), streamed_asks)),
    ask=st.sampled_from([ASK, ASK, KEYED, REPLY]),
    seen=looks,
    again=resubscriptions,
    issued=tokens,
    takes=durations,
    chances=st.lists(st.floats(0, 1), min_size=1, max_size=5),
    seconds=st.one_of(st.sampled_from([60.0, 300.0]), st.floats(0.05, 400)),
    max_retries=st.sampled_from([0, 1, 2, 2, 3, 5]),
    settle_time=st.sampled_from([0.0, 0.0, 1.0, 30.0]),
    resend=st.sampled_from(["after_settling", "after_settling", "never"]),
)
def test_whatever_happens_an_ask_happens_once(
    sent_how: tuple[Way, list[Outcome]],
    ask: AskRequest,
    seen: list[Outcome],
    again: list[Outcome],
    issued: list[Outcome],
    takes: list[float],
    chances: list[float],
    seconds: float,
    max_retries: int,
    settle_time: float,
    resend: Resend,
) -> None:
    """Both rules of `reconciliation.py` hold, whatever becomes of the requests."""
    way, script = sent_how
    reported = story(
        way,
        script * 12,
        ask=ask,
        looks=cycle(seen),
        resubscriptions=cycle(again),
        tokens=cycle(issued),
        takes=cycle(takes),
        chances=chances,
        seconds=seconds,
        max_retries=max_retries,
        settle_time=settle_time,
        resend=resend,
    )
    network, end = reported.network, reported.end
    assert reported.seconds <= seconds + 1e-6
    assert_sent_alike(network)
    sent = [number for number, one in enumerate(network.exchanges) if one.path == SEND[way]]
    # A 401 brings one more at once, and a retry another such pair.
    assert len(sent) <= 2 * (max_retries + 1)
    is_ambiguous = False
    for number, following in zip(sent, [*sent[1:], None], strict=False):
        exchange = network.exchanges[number]
        looks_between = network.exchanges[number + 1 : following]
        unknown_at = [one.at for one in looks_between if says_not_known(one)]
        left = not sent_nothing(exchange)
        is_ambiguous = is_ambiguous or (left and not refused(exchange) and not turned_away(exchange))
        if following is not None and (left or number != sent[0]):
            # Rule 1: no second send without a look that found nothing, after all that may have left.
            may_have_left = any(
                not sent_nothing(network.exchanges[earlier]) for earlier in sent if earlier <= number
            )
            # A look that finds a task still waiting shows nothing of a reply, either.
            assert unknown_at or not may_have_left or ask.is_reply
        if following is not None and left and not refused(exchange) and not turned_away(exchange):
            assert (resend, ask.is_reply) == ("after_settling", False)
            assert unknown_at[-1] - unknown_at[0] >= settle_time - 1e-6
    if isinstance(end, str):
        assert end in {
            state.lower().replace("_", "-") if state != "On_Hold" else state for state in states_told(network)
        }
        return
    assert isinstance(end, PaymanError)
    assert_names_the_ask(end, ask)
    attempts = [network.exchanges[number] for number in sent]
    left_ones = [one for one in attempts if not sent_nothing(one)]
    # Rule 2: "nothing was done" only where no byte can have left, or the agent plainly refused the only attempt there was.
    if end.sent is False:
        assert not left_ones or (len(left_ones) == 1 and refused(left_ones[0]))
    if is_ambiguous:
        came = [(one.path, getattr(one.came, "status_code", one.came)) for one in network.exchanges]
        assert isinstance(end, OutcomeUnknownError), came
        assert end.sent is True, came


# --- over real connections


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses as short as in other tests of real connections."""
    monkeypatch.setattr("payman_sdk._core.retry._FIRST", 0.005)
    monkeypatch.setattr("payman_sdk._core.retry._FIRST_LOOK", 0.0025)
    monkeypatch.setattr("payman_sdk._config._DEFAULT_SETTLE_TIME", 0.02)


over_the_wire = pytest.mark.usefixtures("quick")
PAYMENT = "send 10 TSD to Test Payee"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost that nobody has signed, and its key, in one file."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("there is no openssl to make a certificate")
    file = tmp_path_factory.mktemp("tls") / "own.pem"
    made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    subprocess.run([openssl, *made, "-keyout", file, "-out", f"{file}.crt"], check=True, capture_output=True)
    file.write_text(file.read_text() + Path(f"{file}.crt").read_text())
    return file


@pytest.mark.slow
@over_the_wire
def test_a_certificate_that_nobody_signed(certificate: Path, connect: Connect) -> None:
    """A real TLS server that is not trusted is asked once, and the error says that nothing was sent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    shaken: list[str] = []

    def shake_hands(listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            shaken.append("hands")
            with connection, contextlib.suppress(OSError):
                context.wrap_socket(connection, server_side=True).close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=shake_hands, args=(listener,))
        server.start()
        received: list[RetryDetails] = []
        client = connect(
            base_url=f"https://localhost:{listener.getsockname()[1]}", max_retries=2, on_retry=received.append
        )
        with pytest.raises(APIConnectionError, match="Could not connect to") as caught:
            client.ask(PAYMENT)
        listener.shutdown(socket.SHUT_RDWR)
        server.join()
    assert (caught.value.sent, caught.value.is_transient) == (False, False)
    assert (shaken, received) == (["hands"], [])
    assert caught.value.task_id


@over_the_wire
@pytest.mark.parametrize(("why", "tries"), [(socket.EAI_NONAME, 1), (socket.EAI_AGAIN, 3)])
def test_a_host_that_does_not_exist(
    why: int, tries: int, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host that the resolver does not know is final; a resolver that is out of order for a moment is not."""
    looked_up: list[object] = []

    def resolve(host: object, *_: object, **__: object) -> None:
        looked_up.append(host)
        raise socket.gaierror(why, "no such luck")

    client = connect(base_url="https://payman.invalid", max_retries=2)
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(APIConnectionError) as caught:
        client.ask(PAYMENT)
    assert (caught.value.sent, caught.value.is_transient) == (False, tries > 1)
    assert looked_up == ["payman.invalid"] * tries


@over_the_wire
def test_a_server_that_comes_back() -> None:
    """A server that is down is tried again, and what is asked is done once when it is back."""
    with Sandbox() as sandbox:
        address = sandbox.base_url
        sandbox.stop()
        with PaymanClient(
            client_id=sandbox.client_id,
            client_secret=sandbox.client_secret,
            base_url=address,
            on_retry=lambda _: sandbox.start(),
        ) as client:
            assert client.ask(PAYMENT).status == "completed"
            sandbox.stop()
            with client.stream(PAYMENT) as events:
                assert events.result().status == "completed"
        assert [payment.task_id for payment in sandbox.payments][1:] == [events.task_id]


@over_the_wire
@pytest.mark.parametrize("loop", LOOPS)
def test_a_server_that_comes_back_for_tasks(loop: str) -> None:
    """The same on an event loop."""
    received: list[RetryDetails] = []

    async def main(sandbox: Sandbox) -> FormattedTaskResponse:
        async def restarted(retry: RetryDetails) -> None:
            received.append(retry)
            await anyio.to_thread.run_sync(sandbox.start)

        async with sandbox.async_client(on_retry=restarted) as client:
            sandbox.stop()
            return await client.ask(PAYMENT)

    with Sandbox() as sandbox:
        done = run_on(loop, main, sandbox)
        assert (done.status, len(received)) == ("completed", 1)
        assert [payment.task_id for payment in sandbox.payments] == [done.task_id]
        assert received[0].task_id == done.task_id


def busy(request: Request) -> Iterator[bytes]:
    """Too many requests, said with the token that came with the request."""
    token = request.headers["x-payman-access-token"]
    yield from answer(429, f"Not now, {token}!", "text/plain", retry_after_ms="20")(request)


@over_the_wire
def test_every_retry_is_logged_without_secrets(
    peer: Peer, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    """An ask that is refused twice is logged twice, as a warning, and neither secret nor token is in it."""
    caplog.set_level(logging.DEBUG)
    peer.script(ASK_PATH, busy, busy)
    assert connect(max_retries=2).ask(PAYMENT).status == "completed"
    first, *others = peer.asks()
    assert [one.body for one in others] == [first.body] * 2
    ours = [
        record
        for record in caplog.records
        if record.name == "payman_sdk" and record.levelno >= logging.WARNING
    ]
    assert [record.levelno for record in ours] == [logging.WARNING] * 2
    task_id = first.json["params"]["id"]
    assert [record.getMessage().split(":")[:2] for record in ours] == [
        [task_id, f" attempt {number} failed; retrying in 0.02 s"] for number in (1, 2)
    ]
    assert ACCESS_TOKEN not in caplog.text
    assert SECRET not in caplog.text


class Relay:
    """A server before a sandbox, which hands requests on and can keep the answer to itself.

    Args:
        peer: What clients talk to.
        sandbox: Where requests go.
        http: What they are sent on with.
    """

    def __init__(self, peer: Peer, sandbox: Sandbox, http: httpx.Client) -> None:
        self.sandbox, self._http = sandbox, http
        for path in (TOKEN_PATH, ASK_PATH, GET_PATH, STREAM_PATH, RESUBSCRIBE_PATH):
            peer.always(path, self.hand_on)

    def hand_on(self, request: Request) -> Iterator[bytes]:
        """The sandbox's answer; an event stream comes whole."""
        came = self._sent_on(request)
        yield from answer(came.status_code, came.content, came.headers["content-type"])(request)

    def lose(self, instead: Answer) -> Answer:
        """An answer that is lost: the sandbox does what it is asked, and the client gets something else."""

        def write(request: Request) -> Iterator[bytes]:
            self._sent_on(request)
            yield from instead(request)

        return write

    def _sent_on(self, request: Request) -> httpx.Response:
        headers = {
            name: value for name, value in request.headers.items() if name not in ("host", "connection")
        }
        url = f"{self.sandbox.base_url}{request.target}"
        return self._http.request(request.method, url, headers=headers, content=request.body)

    def client(self, connect: Connect, **settings: Any) -> PaymanClient:
        """A client of the sandbox, by way of the peer."""
        own = {"client_id": self.sandbox.client_id, "client_secret": self.sandbox.client_secret}
        return connect(**own, **settings)


@pytest.fixture
def relay(peer: Peer) -> Iterator[Relay]:
    with Sandbox() as sandbox, httpx.Client(verify=PLAIN, trust_env=False) as http:
        yield Relay(peer, sandbox, http)


LOSSES: dict[str, Answer] = {"500": answer(500), "504": answer(504), "reset": reset, "nothing": answer(200)}


@over_the_wire
@pytest.mark.parametrize("name", LOSSES)
def test_a_payment_whose_answer_is_lost(name: str, relay: Relay, peer: Peer, connect: Connect) -> None:
    """A payment that was made though its answer was lost is found, told as it ended, and made once."""
    peer.script(ASK_PATH, relay.lose(LOSSES[name]))
    done = relay.client(connect, max_retries=2).ask(PAYMENT)
    assert done.status == "completed"
    assert [payment.task_id for payment in relay.sandbox.payments] == [done.task_id]
    assert len(peer.asks()) == 1


@over_the_wire
@pytest.mark.parametrize("name", LOSSES)
def test_a_payment_that_never_arrived(name: str, relay: Relay, peer: Peer, connect: Connect) -> None:
    """A payment that got lost on its way is sent again, and made once."""
    peer.script(ASK_PATH, LOSSES[name])
    done = relay.client(connect, max_retries=1).ask(PAYMENT)
    assert done.status == "completed"
    assert [payment.task_id for payment in relay.sandbox.payments] == [done.task_id]
    first, second = peer.asks()
    assert first.body == second.body


@over_the_wire
@pytest.mark.parametrize("name", LOSSES)
def test_a_streamed_payment_whose_answer_is_lost(
    name: str, relay: Relay, peer: Peer, connect: Connect
) -> None:
    """The same for a stream, which is taken up again."""
    peer.script(STREAM_PATH, relay.lose(LOSSES[name]))
    with relay.client(connect).stream(PAYMENT) as events:
        assert events.result().status == "completed"
    assert [payment.task_id for payment in relay.sandbox.payments] == [events.task_id]


@over_the_wire
@pytest.mark.parametrize("name", LOSSES)
def test_a_reply_whose_answer_is_lost(name: str, relay: Relay, peer: Peer, connect: Connect) -> None:
    """An approval whose answer was lost is found done; one that never arrived is told to be unknown, and not repeated."""
    client = relay.client(connect, max_retries=2)
    waits = client.ask("send 200 TSD to Test Payee")
    peer.script(ASK_PATH, LOSSES[name])
    with pytest.raises(OutcomeUnknownError) as caught:
        client.reply(waits, "approve")
    assert caught.value.task_id == waits.task_id
    assert relay.sandbox.balance() == 1000
    assert len(peer.asks()) == 2
    peer.script(ASK_PATH, relay.lose(LOSSES[name]))
    assert client.reply(waits, "approve").status == "completed"
    assert relay.sandbox.balance() == 800
    assert len(peer.asks()) == 3


@over_the_wire
@pytest.mark.parametrize("loop", LOOPS)
def test_a_payment_whose_answer_is_lost_on_an_event_loop(loop: str, relay: Relay, peer: Peer) -> None:
    """The same for tasks."""

    async def main() -> FormattedTaskResponse:
        async with relay.sandbox.async_client(base_url=peer.base_url) as client:
            return await client.ask(PAYMENT)

    peer.script(ASK_PATH, relay.lose(answer(500)))
    done = run_on(loop, main)
    assert done.status == "completed"
    assert [payment.task_id for payment in relay.sandbox.payments] == [done.task_id]
