"""What a failure means, how long is waited after it, and when it is enough: decisions, without a network and with a set clock."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterator
from email.utils import format_datetime
from itertools import islice
from typing import Any, TypeVar
from unittest.mock import ANY

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from payman_sdk import errors
from payman_sdk._core.effects import CallHook, Flow, Sleep
from payman_sdk._core.error_classes import (
    AGENT_REFUSALS,
    PLAIN_REFUSALS,
    find_code_class,
    parse_retry_after,
)
from payman_sdk._core.hook_payloads import RetryDetails
from payman_sdk._core.requests import AskRequest
from payman_sdk._core.retry import (
    CallContext,
    FailureClass,
    classify_failure,
    is_ambiguous,
    is_transient,
    retry_read,
)
from payman_sdk._core.rpc import find_inconclusive_error, read_answer
from payman_sdk._core.send import exactly_once
from payman_sdk.errors import (
    AgentError,
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    ErrorResponse,
    OutcomeUnknownError,
    PaymanError,
    PermissionDeniedError,
    RateLimitError,
    ResponseValidationError,
)
from tests.steps import Clock, time_of, with_options
from tests.tables import table

T = TypeVar("T")


@pytest.fixture(autouse=True)
def _short_pauses() -> None:
    """Pauses are as long here as they are."""


# --- what a failure means


def family(kind: type[PaymanError]) -> Iterator[type[PaymanError]]:
    """A class of errors, and all below it."""
    yield kind
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from family(child)


TREE = sorted({one.__name__: one for one in family(PaymanError)}.items())
REPEATED = {"APIConnectionError", "APITimeoutError", "RateLimitError", "ServerError"}
"""Those after which an ask is sent again at once, where it certainly was not taken."""


def made(kind: type[PaymanError], sent: bool | None) -> PaymanError:
    """An error of a class; None leaves open what the class says of itself."""
    error = kind("It broke.")
    if sent is not None:
        error.sent = sent
    return error


def test_the_whole_tree_is_known() -> None:
    """Every class that errors.py lists is judged below."""
    listed = {name for name in vars(errors) if name.endswith("Error") and name != "ValueError"}
    assert {name for name, _ in TREE} == listed


def test_every_class_of_errors_is_classified() -> None:
    """By class and by whether bytes left; what no case names is ambiguous."""
    # Raised on purpose, before a send or after everything was looked up.
    ends = {"OutcomeUnknownError", "StreamInterruptedError", "ConfigurationError", "IdempotencyKeyReuseError"}
    transient = REPEATED | {"ResponseValidationError", "InternalAgentError"}
    turned_away = {"RateLimitError", "AuthenticationError"} | {
        name for name, kind in TREE if issubclass(kind, AgentError)
    }
    for name, kind in TREE:
        left = FailureClass.FATAL if name in ends else FailureClass.AMBIGUOUS
        assert classify_failure(made(kind, True)) is left, name
        stayed = FailureClass.RETRYABLE if name in transient else FailureClass.FATAL
        assert classify_failure(made(kind, False)) is stayed, name
        expected = FailureClass.TURNED_AWAY if name in turned_away else left
        if name == "KeyStoreError":
            expected = FailureClass.FATAL  # raised before a send
        assert classify_failure(made(kind, None)) is expected, name


def test_an_error_that_nobody_listed_is_ambiguous() -> None:
    """A class of errors that is made tomorrow, and a plain PaymanError, leave the outcome open."""

    class NewError(PaymanError):
        pass

    for error in (NewError("It broke."), PaymanError("It broke."), made(APIStatusError, None)):
        assert classify_failure(error) is FailureClass.AMBIGUOUS


def test_every_code_of_an_agent_error() -> None:
    """The codes with which an agent refuses are final; -32603 and every other leave it open what was done."""
    for code in (*range(-32800, -31999), *range(-5, 600)):
        error = AgentError("No.")
        error.code = code
        refuses = code in {-32700, -32600, -32601, -32602, -32001, -32002, -32003, -32004}
        assert classify_failure(error) is (FailureClass.FATAL if refuses else FailureClass.TURNED_AWAY), code


def test_a_connection_that_would_fail_again_is_final() -> None:
    """TLS that refuses and a host that does not exist are final, unless the ask had been sent by then."""
    for kind in (APIConnectionError, APITimeoutError):
        error = kind("It broke.", sent=False)
        error.is_transient = False
        assert classify_failure(error) is FailureClass.FATAL
        error.sent = True
        assert classify_failure(error) is FailureClass.AMBIGUOUS


def failure_of(status: int, **headers: str) -> PaymanError:
    """The failure of an ask that is answered with a status and no words."""
    answer = httpx.Response(
        status, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )
    if (failure := find_inconclusive_error(answer)) is not None:
        return failure
    with pytest.raises(PaymanError) as caught:
        read_answer(answer, "req-1", "tsk-1")
    return caught.value


def test_every_status_of_http() -> None:
    """Twelve statuses are plain refusals; 401, 429 and 503 with Retry-After turn the ask away; all others leave it open."""
    refusals = {400, 403, 404, 405, 406, 411, 413, 414, 415, 422, 431, 451}
    for status in (*range(200, 600), 600, 999):
        expected = FailureClass.FATAL if status in refusals else FailureClass.AMBIGUOUS
        if status in {401, 429}:
            expected = FailureClass.TURNED_AWAY
        assert classify_failure(failure_of(status)) is expected, status
        expected = FailureClass.TURNED_AWAY if status == 503 else expected
        assert classify_failure(failure_of(status, retry_after="1")) is expected, status


def test_what_may_be_otherwise_a_moment_later() -> None:
    """A look at a task is repeated after a lost connection, a server in trouble and what cannot be read."""
    passing = {name for name, kind in TREE if is_transient(made(kind, None))}
    assert passing == REPEATED | {"InternalAgentError", "ResponseValidationError"}
    for sent in (True, False):
        assert is_transient(made(APIConnectionError, sent))
        assert is_transient(made(ResponseValidationError, sent))
    final = APIConnectionError("It broke.")
    final.is_transient = False
    assert not is_transient(final)


def test_every_status_of_a_look() -> None:
    """408, 409, 425, 429 and 5xx may pass, other statuses stay what they are."""
    for status in range(300, 600):
        assert is_transient(failure_of(status)) is (status in {408, 409, 425, 429} or status >= 500), status


def test_a_refusal_counts_only_with_a_status_that_leaves_nothing_open() -> None:
    """Whatever the agent's error says, a status such as 409 leaves open whether the ask was taken, as it does without it."""
    for status in range(300, 600):
        for code in AGENT_REFUSALS | {-32603, 7}:
            failure = find_code_class(code)("No.", response=ErrorResponse(status, b"{}"))
            failure.code = code
            assert is_ambiguous(failure) is (status not in PLAIN_REFUSALS), (status, code)


# --- how long the server wants to be left alone


def reported(now: float = 0.0, /, **headers: str) -> float | None:
    """The seconds that an answer with these headers asks for."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return parse_retry_after(
        RateLimitError("No.", response=ErrorResponse(429, b"", headers=named)), lambda: now
    )


DATE = "Wed, 21 Oct 2015 07:28:00 GMT"
AT = 1445412480.0
"""The same in seconds since 1970."""


@table(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry_after": ""}, None),
        ({"retry_after": "3"}, 3),
        ({"retry_after": "0"}, 0),
        ({"retry_after": " 2 "}, 2),
        ({"retry_after": "1.5"}, 1.5),
        ({"retry_after": "-5"}, 0),
        ({"retry_after": "1e9"}, 1e9),
        ({"retry_after": "99999999999999999999"}, 1e20),
        ({"retry_after": "soon"}, None),
        ({"retry_after": "nan"}, None),
        ({"retry_after": "inf"}, None),
        ({"retry_after": "-inf"}, None),
        ({"retry_after": "1e999"}, None),
        ({"retry_after_ms": "250"}, 0.25),
        ({"retry_after_ms": "-1"}, 0),
        ({"retry_after_ms": "nan"}, None),
        ({"retry_after_ms": "inf"}, None),
        ({"retry_after_ms": "250", "retry_after": "3"}, 0.25),
        ({"retry_after_ms": "0", "retry_after": "3"}, 0),
        ({"retry_after_ms": "soon", "retry_after": "3"}, 3),
        ({"retry_after_ms": "nan", "retry_after": "3"}, 3),
        ({"retry_after_ms": "soon", "retry_after": "later"}, None),
    ],
)
def test_how_long_the_server_wants_to_be_left_alone(headers: dict[str, str], seconds: float | None) -> None:
    """Milliseconds win over seconds where both can be read; what is no number of seconds says nothing."""
    assert reported(**headers) == seconds


def test_a_date_counts_from_our_clock_without_the_servers() -> None:
    """A server that tells a date and not its own time is believed by our clock."""
    assert reported(AT - 90, retry_after=DATE) == 90
    assert reported(AT + 90, retry_after=DATE) == 0


def test_a_date_counts_from_the_servers_clock() -> None:
    """Where the server tells its own time, ours may be wrong by years."""
    assert reported(0, retry_after=DATE, date="Wed, 21 Oct 2015 07:27:15 GMT") == 45
    assert reported(0, retry_after=DATE, date="Wed, 21 Oct 2015 08:00:00 GMT") == 0
    assert reported(0, retry_after="3", date="Wed, 21 Oct 2015 07:27:15 GMT") == 3
    assert reported(0, retry_after_ms="soon", retry_after=DATE, date="Wed, 21 Oct 2015 07:27:15 GMT") == 45


@pytest.mark.parametrize(
    "said",
    ["Wed, 21 Oct", "Wed, 99 Oct 2015 07:28:00 GMT", "Jan 0 99999999999999999999999 1.2.3 1 Mon -0000", ","],
)
def test_a_date_that_is_none(said: str) -> None:
    """A date that cannot be says nothing, be it the one to wait for or the server's own."""
    assert reported(retry_after=said) is None
    assert reported(retry_after=DATE, date=said) is None


def test_an_error_without_an_answer_asks_for_nothing() -> None:
    """Who never answered wants nothing."""
    assert parse_retry_after(APIConnectionError("It broke."), lambda: 0.0) is None


numbers = st.floats().map(str) | st.integers().map(str)
dates = st.datetimes(timezones=st.timezones()).map(lambda moment: format_datetime(moment))
values = st.one_of(numbers, dates, st.text(max_size=30))


@given(st.fixed_dictionaries({}, optional={"retry_after": values, "retry_after_ms": values, "date": values}))
def test_whatever_a_server_says_can_be_waited_for_or_ignored(headers: dict[str, str]) -> None:
    """Any headers at all give a finite number of seconds that is not negative, or nothing."""
    seconds = reported(**headers)
    assert seconds is None or 0 <= seconds < float("inf")


# --- how long is waited


def waited(
    time: CallContext,
    failure: PaymanError,
    attempt: int = 1,
    hook: Callable[[RetryDetails], Any] | None = None,
) -> tuple[bool, list[Sleep | CallHook]]:
    """Whether another attempt follows, and the steps that are taken before it."""
    steps: list[Sleep | CallHook] = []

    def flow() -> Flow[bool]:
        return (yield from with_options(time, on_retry=hook).wait_before_retry(attempt, failure, "tsk-1"))

    return run(flow(), time.clock, steps), steps


def run(flow: Flow[T], clock: Any, steps: list[Any]) -> T:
    """Runs a flow that only waits and consults; a pause sets the clock."""
    try:
        step = next(flow)
        while True:
            steps.append(step)
            match step:
                case Sleep(seconds):
                    clock.now += seconds
                case CallHook(function, about):
                    function(about)
                case _:
                    raise AssertionError(f"an unforeseen step: {step}")
            step = flow.send(None)
    except StopIteration as end:
        result: T = end.value
        return result


LOST = APIConnectionError("It broke.")


def test_pauses_double_up_to_eight_seconds() -> None:
    """The longest pause doubles from a half second with every attempt, and is never longer than eight, however many."""
    time = time_of(Clock(), 1e9, max_retries=10**6)
    pauses = [waited(time, LOST, attempt)[1] for attempt in (1, 2, 3, 4, 5, 6, 100, 10_000)]
    assert pauses == [[Sleep(seconds)] for seconds in (0.5, 1, 2, 4, 8, 8, 8, 8)]


@pytest.mark.parametrize("random", [0, 0.25, 1])
def test_chance_decides_over_all_of_a_pause(random: float) -> None:
    """A pause is as long as chance has it, from nothing at all, so that many clients do not come at once."""
    time = time_of(Clock(), 1e9, max_retries=9, random=random)
    assert [waited(time, LOST, attempt)[1] for attempt in (1, 3, 9)] == [
        [Sleep(seconds * random)] for seconds in (0.5, 2, 8)
    ]


@pytest.mark.parametrize("random", [0, 1])
def test_what_the_server_says_is_waited_for(random: float) -> None:
    """A server that says how long is left alone for just that long, also for longer than any pause of our own."""
    failure = failure_of(429, retry_after="30")
    time = time_of(Clock(), max_retries=1, random=random)
    assert waited(time, failure) == (True, [Sleep(30)])
    assert waited(time, failure_of(503, retry_after="0")) == (True, [Sleep(0)])


@pytest.mark.parametrize(("seconds", "said"), [(10, "10"), (10, "11"), (10, "1e300"), (0, "0"), (-1, "0")])
def test_nobody_waits_in_vain(seconds: float, said: str) -> None:
    """A wait that is not over before the deadline is not begun, and nobody is consulted about it."""
    failure = failure_of(429, retry_after=said)
    received: list[RetryDetails] = []
    assert waited(time_of(Clock(), seconds, max_retries=9), failure, hook=received.append) == (False, [])
    assert received == []


def test_a_wait_that_ends_before_the_deadline_is_waited() -> None:
    """A moment before the deadline is time enough."""
    assert waited(time_of(Clock(), 10, max_retries=1), failure_of(429, retry_after="9.9"))[0]


@pytest.mark.parametrize("most", [0, 1, 2])
def test_there_are_no_more_attempts_than_wanted(most: int) -> None:
    """After so many repetitions it is enough."""
    time = time_of(Clock(), max_retries=most)
    assert [waited(time, LOST, attempt)[0] for attempt in (1, 2, 3)] == [most >= 1, most >= 2, False]


def test_a_hook_is_reported_before_the_wait() -> None:
    """`on_retry` is told which attempt failed and how, and how long is waited, before that is."""
    received: list[RetryDetails] = []
    time, noted = time_of(Clock(), max_retries=3), list[Any]()
    time.watch.record_retry = lambda *about: noted.append(about)  # type: ignore[method-assign]
    done, steps = waited(time, LOST, 2, received.append)
    assert done
    assert noted == [(2, LOST, 1.0)]
    assert received == [RetryDetails(attempt=2, reason=LOST, delay=1.0, task_id="tsk-1")]
    assert [type(step) for step in steps] == [CallHook, Sleep]


def test_a_hook_that_takes_its_time() -> None:
    """Nobody sleeps beyond the deadline because a hook was slow."""
    clock = Clock()

    def slowly(seconds: float) -> Callable[[RetryDetails], None]:
        def hook(_: RetryDetails) -> None:
            clock.now += seconds

        return hook

    failure = failure_of(429, retry_after="4")
    assert waited(time_of(clock, 10, max_retries=1), failure, hook=slowly(3))[1][1] == Sleep(4)
    assert waited(time_of(clock, 10, max_retries=1), failure, hook=slowly(7))[1][1] == Sleep(3)
    assert waited(time_of(clock, 10, max_retries=1), failure, hook=slowly(70)) == (False, [ANY, Sleep(0)])


def test_every_repetition_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """One record for a repetition, at WARNING, with the reason and the pause; none where nothing follows."""
    time = time_of(Clock(), max_retries=1)
    assert waited(time, LOST, 1)[0]
    assert not waited(time, LOST, 2)[0]
    [record] = caplog.records
    assert (record.name, record.levelno) == ("payman_sdk", logging.WARNING)
    assert record.getMessage() == "tsk-1: attempt 1 failed; retrying in 0.50 s: It broke."


@pytest.mark.parametrize(
    ("random", "seconds"), [(1, [0.25, 0.5, 1, 2, 4, 5, 5]), (0, [0.125, 0.25, 0.5, 1, 2, 2.5, 2.5])]
)
def test_looks_become_rarer(random: float, seconds: list[float]) -> None:
    """Pauses between two looks double from a quarter of a second to five, and chance makes them up to a half shorter."""
    assert [pause.seconds for pause in islice(time_of(Clock(), random=random).iter_pauses(), 7)] == seconds


def test_there_are_many_looks_however_short_the_time_is() -> None:
    """A pause takes no more than a tenth of what is left, but a tenth of a second, or all that is left."""
    lefts = (300, 2, 1.5, 1, 0.5, 0.1, 0.05, 0, -5)
    pauses = [next(time_of(Clock(), left).iter_pauses()).seconds for left in lefts]
    assert pauses == pytest.approx([0.25, 0.2, 0.15, 0.1, 0.1, 0.1, 0.05, 0, 0])


@given(st.floats(-10, 10), st.floats(0, 1), st.floats(0, 20))
def test_no_look_is_waited_for_beyond_the_deadline(left: float, random: float, passes: float) -> None:
    """However much time is left, a pause ends at the deadline at the latest, and is never negative."""
    clock = Clock()
    for pause in islice(time_of(clock, left, random=random).iter_pauses(), 5):
        assert 0 <= pause.seconds <= max(0.0, 1000 + left - clock.now)
        clock.now += passes


def test_more_time() -> None:
    """Time that was not the ask's is added to it, and nothing else changes; it is over at the deadline."""
    clock = Clock()
    time = time_of(clock, 10, max_retries=2)
    assert time.extend(5) == time._replace(deadline=1015)
    clock.now = 1009.9
    assert not time.is_over()
    clock.now = 1010
    assert time.is_over()


def test_less_time() -> None:
    """A brief look ends after its seconds, and one answer is waited for no longer; nothing is made longer."""
    for left, seconds, patience, deadline in (
        (300, 5, 5, 1005),  # both limits
        (2, 5, 5, 1002),  # the ask ends before
        (300, 100, 60, 1100),  # an answer is waited for less long anyway
        (10, 100, 60, 1010),
    ):
        time = time_of(Clock(), left, max_retries=2)
        assert time.shorten(seconds) == time._replace(patience=patience, deadline=deadline)


# --- attempts

ASK = AskRequest(text="send 100 TSD to John Doe", task_id="tsk-1", request_id="req-1", session_id="ses-1")


class Attempts:
    """Attempts that fail in these ways, and succeed then.

    Args:
        failures: How they fail.
        known: What each look returns or raises.
    """

    ask: AskRequest
    time: CallContext

    def __init__(self, *failures: PaymanError, known: list[str | PaymanError | None] | None = None) -> None:
        self._failures = list(failures)
        self._known = list(known or [])
        self.done = ""
        self.patience: list[bool] = []

    def attempt(self) -> Flow[str]:
        self.done += "s"
        if self._failures:
            raise self._failures.pop(0)
        return "done"
        yield

    def reconcile(self, lost: PaymanError, is_patient: bool) -> Flow[str | None]:
        self.done += "g"
        self.patience.append(is_patient)
        known = self._known.pop(0) if self._known else None
        if isinstance(known, PaymanError):
            raise known
        return known
        yield


def try_once(
    attempts: Attempts, seconds: float = 300, *, is_reply: bool = False, **time: Any
) -> tuple[Any, str, float]:
    """What comes of something that is done once: its end, the attempts and looks, and how long it took."""
    clock = Clock()
    attempts.ask = ASK._replace(is_reply=is_reply)
    attempts.time = time_of(clock, seconds, **{"max_retries": 2, **time})
    exchange: Any = attempts
    flow = exactly_once(exchange, attempts.attempt)
    try:
        return run(flow, clock, []), attempts.done, clock.now - 1000
    except PaymanError as error:
        return error, attempts.done, clock.now - 1000


REFUSED = APIConnectionError("Not reached.", sent=False)


def fresh(failure: PaymanError) -> PaymanError:
    """The same failure, not yet judged."""
    return copy.copy(failure)


def agent_error_of(code: int) -> PaymanError:
    error = AgentError("No.")
    error.code = code
    return error


def test_what_becomes_of_attempts() -> None:
    """Which requests follow which failures, and what comes of it; s is a send, g a look."""
    busy, unauthorized, refusal = failure_of(429), failure_of(401), failure_of(403)
    cases: list[tuple[str, tuple[PaymanError, ...], list[str | PaymanError | None], str, Any]] = [
        # No byte can have left: sent again without a look.
        ("refused connections", (REFUSED, REFUSED), [], "sss", "done"),
        ("refused connections to the end", (REFUSED,) * 3, [], "sss", (APIConnectionError, False)),
        # Ambiguous: looked up, settled, waited, looked up, sent.
        ("known", (LOST,), ["ended"], "sg", "ended"),
        ("unknown twice", (LOST,), [], "sggs", "done"),
        ("on its way", (LOST,), [None, "ended"], "sgg", "ended"),
        ("lost to the end", (LOST,) * 3, [], "sggsggsg", (OutcomeUnknownError, True)),
        # Plain refusals of the only attempt: nothing was done.
        ("plain refusal", (refusal,), [], "s", (PermissionDeniedError, False)),
        ("refused by the agent", (agent_error_of(-32602),), [], "s", (AgentError, False)),
        (
            "plain refusal after a refused connection",
            (REFUSED, refusal),
            [],
            "ss",
            (PermissionDeniedError, False),
        ),
        # Turned away: one look before the next send, one look before giving up.
        ("429", (busy,), [], "sgs", "done"),
        ("429 by a gateway that passed it on", (busy,), ["ended"], "sg", "ended"),
        ("429 to the end", (busy,) * 3, [], "sgsgsg", (RateLimitError, None)),
        ("429 to the end, known", (busy,) * 3, [None, None, "ended"], "sgsgsg", "ended"),
        ("401", (unauthorized,), [], "sgs", "done"),
        ("401 by a gateway that passed it on", (unauthorized,), ["ended"], "sg", "ended"),
        ("401 twice", (unauthorized,) * 2, [], "sgsg", (AuthenticationError, None)),
        ("internal error of the agent", (agent_error_of(-32603),), [], "sg", (AgentError, None)),
        ("internal error, known", (agent_error_of(-32603),), ["ended"], "sg", "ended"),
        ("refusal after 429", (busy, refusal), [], "sgsg", (PermissionDeniedError, None)),
        ("refusal after 429, known", (busy, refusal), [None, "ended"], "sgsg", "ended"),
        # Once ambiguous, nothing later is evidence.
        ("refusal after a loss", (LOST, refusal), [], "sggs", (OutcomeUnknownError, True)),
        ("409 to the second send", (LOST, failure_of(409)), [None, None, "ended"], "sggsg", "ended"),
        ("401 after a loss", (LOST, unauthorized, unauthorized), [], "sggsgs", (OutcomeUnknownError, True)),
        ("refused connection after a loss", (LOST, REFUSED), [], "sggsgs", "done"),
        ("429 after a loss, known", (LOST, busy), [None, None, "ended"], "sggsg", "ended"),
        # A look-up that fails for good.
        ("cannot be looked up", (LOST,), [failure_of(404)], "sg", (OutcomeUnknownError, True)),
        ("cannot be looked up after 429", (busy,), [failure_of(404)], "sg", (RateLimitError, None)),
        ("no token for the look after 429", (busy,), [failure_of(401)], "sg", (RateLimitError, None)),
        ("no token after 401", (unauthorized,), [failure_of(401)], "sg", (AuthenticationError, None)),
        ("cannot be looked up after 401", (unauthorized,), [refusal], "sg", (AuthenticationError, None)),
        (
            "the look says it is lost",
            (LOST,),
            [OutcomeUnknownError("No.")],
            "sg",
            (OutcomeUnknownError, None),
        ),
    ]
    for name, failures, known, trail, expected in cases:
        end, done, _ = try_once(Attempts(*map(fresh, failures), known=known))
        got = (type(end), end.sent) if isinstance(end, PaymanError) else end
        assert (done, got) == (trail, expected), name


def test_an_attempt_that_looked_for_itself_is_not_looked_up_again() -> None:
    """What it says of its outcome stays: nothing is sent, and nothing is taken for not done."""
    for sent in (None, True):
        for before, trail in (((), "s"), ((REFUSED,), "ss"), ((failure_of(429),), "sgs"), ((LOST,), "sggs")):
            unknown = OutcomeUnknownError("No.")
            unknown.sent = sent
            end, done, _ = try_once(Attempts(*map(fresh, before), unknown))
            assert (end, end.sent, done) == (unknown, sent, trail), before


def test_an_error_says_what_it_comes_from() -> None:
    """The cause is the other failure, of a look or of a later attempt, and never the error itself."""
    busy, unauthorized, refusal = failure_of(429), failure_of(401), failure_of(403)
    no_token, no_look = failure_of(401), failure_of(404)
    cases: list[tuple[str, tuple[PaymanError, ...], list[Any], PaymanError | None, PaymanError | None]] = [
        ("lost", (LOST,), [], None, None),
        ("lost, then refused", (LOST, refusal), [], None, refusal),
        ("lost, not looked up", (LOST,), [no_look], None, LOST),
        ("lost, then not looked up", (LOST, busy), [None, no_look], None, no_look),
        ("turned away, not looked up", (busy,), [no_look], busy, no_look),
        ("no token after 401", (unauthorized,), [no_token], no_token, None),
        ("no look after 401", (unauthorized,), [no_look], unauthorized, no_look),
    ]
    for name, failures, known, expected, cause in cases:
        for failure in (*failures, no_token, no_look):
            failure.__cause__ = None
        most = len(failures) - 1 if failures[0] is LOST else 2
        end, *_ = try_once(Attempts(*failures, known=known), max_retries=most)
        assert isinstance(end, OutcomeUnknownError) if expected is None else end is expected, name
        assert end.__cause__ is cause, name


def test_a_look_before_another_send_is_patient() -> None:
    """It is what keeps the ask from being sent twice; only the look after the last attempt is brief."""
    for failures, patience in (
        ((failure_of(429),), [True]),
        ((failure_of(401),), [True]),
        ((LOST,), [True, True]),
        ((failure_of(429),) * 3, [True, True, False]),
    ):
        attempts = Attempts(*map(fresh, failures))
        try_once(attempts)
        assert attempts.patience == patience


def test_an_error_says_for_how_long_the_agent_did_not_know_the_task() -> None:
    """A moment is not worth a number."""
    for settle_time, said in (
        (0.0, "task."),
        (0.001, "task."),
        (0.1, "task for 0.1 s."),
        (1.5, "for 1.5 s."),
    ):
        end, *_ = try_once(Attempts(LOST), settle_time=settle_time, max_retries=0)
        assert f"{said} The outcome" in str(end), settle_time
        assert "The agent did not know the task" in str(end)
    end, *_ = try_once(Attempts(LOST), is_reply=True, settle_time=0.1)
    assert "The task still waited for input for 0.1 s." in str(end)


def test_resend_never_sends_nothing_twice() -> None:
    """With `never`, only what cannot have left is sent again."""
    for name, failures, known, trail, expected in [
        ("refused connections", (REFUSED, REFUSED), [], "sss", "done"),
        ("lost", (LOST,), [], "sg", (OutcomeUnknownError, True)),
        ("lost, known", (LOST,), ["ended"], "sg", "ended"),
        ("429", (failure_of(429),), [], "sg", (RateLimitError, None)),
        ("401", (failure_of(401),), [], "sg", (AuthenticationError, None)),
        ("503", (failure_of(503, retry_after="1"),), ["ended"], "sg", "ended"),
    ]:
        end, done, _ = try_once(Attempts(*map(fresh, failures), known=list(known)), resend="never")
        got = (type(end), end.sent) if isinstance(end, PaymanError) else end
        assert (done, got) == (trail, expected), name


def test_a_reply_that_may_have_arrived_is_not_sent_again() -> None:
    """No look-up shows whether a reply arrived; one that was turned away is sent again."""
    end, done, _ = try_once(Attempts(LOST), is_reply=True)
    assert (type(end), end.sent, done) == (OutcomeUnknownError, True, "sg")
    assert try_once(Attempts(failure_of(429)), is_reply=True)[:2] == ("done", "sgs")


def test_an_ask_settles_before_it_is_sent_again() -> None:
    """The agent must not know the task for all of `settle_time`, and the last look is right before the send."""
    end, done, seconds = try_once(Attempts(LOST), settle_time=30)
    assert end == "done"
    assert seconds == 30.5
    assert done == "s" + "g" * 12 + "s"
    end, done, seconds = try_once(Attempts(LOST, known=[*[None] * 6, "ended"]), settle_time=30)
    assert (end, done.count("s")) == ("ended", 1)


def test_settling_ends_at_the_deadline() -> None:
    """A deadline before the end of `settle_time` ends as an undetermined outcome, and the error says what was seen."""
    end, done, seconds = try_once(Attempts(LOST), 10, settle_time=30)
    assert (type(end), done.count("s"), seconds) == (OutcomeUnknownError, 1, 10)
    assert "did not know the task for 10 s" in str(end)
    end, _, _ = try_once(Attempts(LOST), settle_time=30, resend="never")
    assert "did not know the task for 30 s" in str(end)


def test_a_wait_beyond_the_deadline_is_not_begun() -> None:
    """The refusal is raised after one look that is not repeated."""
    attempts = Attempts(failure_of(429, retry_after="300"))
    end, done, seconds = try_once(attempts)
    assert (type(end), done, seconds, attempts.patience) == (RateLimitError, "sg", 0, [False])


def test_an_answer_that_said_nothing_stays_with_the_error() -> None:
    """The error keeps the answer that left the outcome open."""
    for status in (302, 408, 409, 500):
        end, _, _ = try_once(Attempts(failure_of(status)), max_retries=0)
        assert (type(end), end.status_code) == (OutcomeUnknownError, status)


def test_what_only_reads_is_repeated() -> None:
    """A look is repeated while the failure may pass, as often as it is wanted; another one is raised."""

    def tried(*failures: PaymanError, max_retries: int) -> tuple[Any, int]:
        attempts, clock = Attempts(*failures), Clock()
        flow = retry_read(attempts.attempt, time_of(clock, max_retries=max_retries), "tsk-1")
        try:
            return run(flow, clock, []), len(attempts.done)
        except PaymanError as error:
            return error, len(attempts.done)

    assert tried(LOST, REFUSED, max_retries=2) == ("done", 3)
    assert tried(LOST, REFUSED, max_retries=1) == (REFUSED, 2)
    assert tried(LOST, max_retries=0) == (LOST, 1)
    refusal = failure_of(403)
    assert tried(LOST, refusal, max_retries=2) == (refusal, 2)
