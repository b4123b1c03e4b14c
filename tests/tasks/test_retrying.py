"""What a failure means, how long is waited after it, and when it is enough: decisions, without a network and with a set clock."""

from __future__ import annotations

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
from payman_sdk.errors import (
    APIConnectionError,
    APITimeoutError,
    ErrorResponse,
    OutcomeUnknownError,
    PaymanError,
    RateLimitError,
    ResponseValidationError,
    ServerError,
)
from payman_sdk.flows import Consult, Flow, Sleep
from payman_sdk.hooks import Retry
from payman_sdk.tasks.answers import nothing_said, read_answer
from payman_sdk.tasks.retrying import Time, Verdict, is_passing, judge, once, repeated, retry_after
from tests.steps import Clock, time_of

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
ENDS = {"OutcomeUnknownError", "StreamInterruptedError"}
"""Those that say already that nothing can be learned."""


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


@pytest.mark.parametrize(("name", "kind"), TREE)
def test_what_may_have_been_sent_is_not_known(name: str, kind: type[PaymanError]) -> None:
    """Whatever the error, an ask that may have been taken is looked up first, unless that was tried in vain."""
    assert judge(made(kind, True)) is (Verdict.FINAL if name in ENDS else Verdict.UNKNOWN)


@pytest.mark.parametrize(("name", "kind"), TREE)
def test_what_was_not_sent_is_sent_again_or_final(name: str, kind: type[PaymanError]) -> None:
    """What was certainly not sent is sent again after a failure that passes, and after no other."""
    passes = name in REPEATED | {"ResponseValidationError"}  # of the token request, in that case
    assert judge(made(kind, False)) is (Verdict.NOT_TAKEN if passes else Verdict.FINAL)


@pytest.mark.parametrize(("name", "kind"), TREE)
def test_what_an_answer_says_counts(name: str, kind: type[PaymanError]) -> None:
    """Where the class says it all: a lost connection and an unreadable answer leave it open, a refusal is one."""
    open_questions = {"APIConnectionError", "APITimeoutError", "ResponseValidationError"}
    if name in open_questions:
        expected = Verdict.UNKNOWN
    else:
        expected = Verdict.NOT_TAKEN if name in REPEATED else Verdict.FINAL
    assert judge(made(kind, None)) is expected


@pytest.mark.parametrize("kind", [APIConnectionError, APITimeoutError])
def test_a_connection_that_would_fail_again_is_final(kind: type[APIConnectionError]) -> None:
    """TLS that refuses and a host that does not exist are final, unless the ask had been sent by then."""
    error = kind("It broke.", sent=False)
    error.is_passing = False
    assert judge(error) is Verdict.FINAL
    error.sent = True
    assert judge(error) is Verdict.UNKNOWN


def failure_of(status: int, **headers: str) -> PaymanError:
    """The failure of an ask that is answered with a status and no words."""
    answer = httpx.Response(
        status, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )
    if (failure := nothing_said(answer)) is not None:
        return failure
    with pytest.raises(PaymanError) as caught:
        read_answer(answer, "req-1", "tsk-1")
    return caught.value


def verdict_on(status: int) -> Verdict:
    """What the table of money safety says of an HTTP status."""
    if status == 429:
        return Verdict.NOT_TAKEN
    if status in {307, 308} or 400 <= status < 500:
        return Verdict.FINAL
    return Verdict.UNKNOWN


@pytest.mark.parametrize("status", [*range(200, 600), 600, 999])
def test_every_status_of_http(status: int) -> None:
    """A success without a task and 5xx leave it open, 4xx and 307 are refusals, 429 is repeated, other redirects leave it open."""
    assert judge(failure_of(status)) is verdict_on(status)
    told = Verdict.NOT_TAKEN if status == 503 else verdict_on(status)
    assert judge(failure_of(status, retry_after="1")) is told


def test_what_may_be_otherwise_a_moment_later() -> None:
    """A look at a task is repeated after a lost connection, a server in trouble and what cannot be read."""
    passing = {name for name, kind in TREE if is_passing(made(kind, None))}
    assert passing == REPEATED | {"InternalAgentError", "ResponseValidationError"}
    for sent in (True, False):
        assert is_passing(made(APIConnectionError, sent))
        assert is_passing(made(ResponseValidationError, sent))
    final = APIConnectionError("It broke.")
    final.is_passing = False
    assert not is_passing(final)


@pytest.mark.parametrize("status", range(300, 600))
def test_every_status_of_a_look(status: int) -> None:
    """429 and 5xx may pass, other statuses stay what they are."""
    assert is_passing(failure_of(status)) is (status == 429 or status >= 500)


# --- how long the server wants to be left alone


def told(now: float = 0.0, /, **headers: str) -> float | None:
    """The seconds that an answer with these headers asks for."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return retry_after(RateLimitError("No.", response=ErrorResponse(429, b"", headers=named)), lambda: now)


DATE = "Wed, 21 Oct 2015 07:28:00 GMT"
AT = 1445412480.0
"""The same in seconds since 1970."""


@pytest.mark.parametrize(
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
    assert told(**headers) == seconds


def test_a_date_counts_from_our_clock_without_the_servers() -> None:
    """A server that tells a date and not its own time is believed by our clock."""
    assert told(AT - 90, retry_after=DATE) == 90
    assert told(AT + 90, retry_after=DATE) == 0


def test_a_date_counts_from_the_servers_clock() -> None:
    """Where the server tells its own time, ours may be wrong by years."""
    assert told(0, retry_after=DATE, date="Wed, 21 Oct 2015 07:27:15 GMT") == 45
    assert told(0, retry_after=DATE, date="Wed, 21 Oct 2015 08:00:00 GMT") == 0
    assert told(0, retry_after="3", date="Wed, 21 Oct 2015 07:27:15 GMT") == 3
    assert told(0, retry_after_ms="soon", retry_after=DATE, date="Wed, 21 Oct 2015 07:27:15 GMT") == 45


@pytest.mark.parametrize(
    "said",
    ["Wed, 21 Oct", "Wed, 99 Oct 2015 07:28:00 GMT", "Jan 0 99999999999999999999999 1.2.3 1 Mon -0000", ","],
)
def test_a_date_that_is_none(said: str) -> None:
    """A date that cannot be says nothing, be it the one to wait for or the server's own."""
    assert told(retry_after=said) is None
    assert told(retry_after=DATE, date=said) is None


def test_an_error_without_an_answer_asks_for_nothing() -> None:
    """Who never answered wants nothing."""
    assert retry_after(APIConnectionError("It broke.")) is None


numbers = st.floats().map(str) | st.integers().map(str)
dates = st.datetimes(timezones=st.timezones()).map(lambda moment: format_datetime(moment))
values = st.one_of(numbers, dates, st.text(max_size=30))


@given(st.fixed_dictionaries({}, optional={"retry_after": values, "retry_after_ms": values, "date": values}))
def test_whatever_a_server_says_can_be_waited_for_or_ignored(headers: dict[str, str]) -> None:
    """Any headers at all give a finite number of seconds that is not negative, or nothing."""
    seconds = told(**headers)
    assert seconds is None or 0 <= seconds < float("inf")


# --- how long is waited


def waited(
    time: Time, failure: PaymanError, attempt: int = 1, hook: Callable[[Retry], Any] | None = None
) -> tuple[bool, list[Sleep | Consult]]:
    """Whether another attempt follows, and the steps that are taken before it."""
    steps: list[Sleep | Consult] = []

    def flow() -> Flow[bool]:
        return (yield from time._replace(on_retry=hook).before_another(attempt, failure, "tsk-1"))

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
                case Consult(function, about):
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
    heard: list[Retry] = []
    assert waited(time_of(Clock(), seconds, max_retries=9), failure, hook=heard.append) == (False, [])
    assert heard == []


def test_a_wait_that_ends_before_the_deadline_is_waited() -> None:
    """A moment before the deadline is time enough."""
    assert waited(time_of(Clock(), 10, max_retries=1), failure_of(429, retry_after="9.9"))[0]


@pytest.mark.parametrize("most", [0, 1, 2])
def test_there_are_no_more_attempts_than_wanted(most: int) -> None:
    """After so many repetitions it is enough."""
    time = time_of(Clock(), max_retries=most)
    assert [waited(time, LOST, attempt)[0] for attempt in (1, 2, 3)] == [most >= 1, most >= 2, False]


def test_a_hook_is_told_before_the_wait() -> None:
    """`on_retry` is told which attempt failed and how, and how long is waited, before that is."""
    heard: list[Retry] = []
    done, steps = waited(time_of(Clock(), max_retries=3), LOST, 2, heard.append)
    assert done
    assert heard == [Retry(attempt=2, reason=LOST, delay=1.0, task_id="tsk-1")]
    assert [type(step) for step in steps] == [Consult, Sleep]


def test_a_hook_that_takes_its_time() -> None:
    """Nobody sleeps beyond the deadline because a hook was slow."""
    clock = Clock()

    def slowly(seconds: float) -> Callable[[Retry], None]:
        def hook(_: Retry) -> None:
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
    assert record.getMessage() == "Attempt 1 failed, another follows in 0.50 s: It broke."


@pytest.mark.parametrize(
    ("random", "seconds"), [(1, [0.25, 0.5, 1, 2, 4, 5, 5]), (0, [0.125, 0.25, 0.5, 1, 2, 2.5, 2.5])]
)
def test_looks_become_rarer(random: float, seconds: list[float]) -> None:
    """Pauses between two looks double from a quarter of a second to five, and chance makes them up to a half shorter."""
    assert [pause.seconds for pause in islice(time_of(Clock(), random=random).pauses(), 7)] == seconds


@given(st.floats(-10, 10), st.floats(0, 1), st.floats(0, 20))
def test_no_look_is_waited_for_beyond_the_deadline(left: float, random: float, passes: float) -> None:
    """However much time is left, a pause ends at the deadline at the latest, and is never negative."""
    clock = Clock()
    for pause in islice(time_of(clock, left, random=random).pauses(), 5):
        assert 0 <= pause.seconds <= max(0.0, 1000 + left - clock.now)
        clock.now += passes


def test_more_time() -> None:
    """Time that was not the ask's is added to it, and nothing else changes; it is over at the deadline."""
    clock = Clock()
    time = time_of(clock, 10, max_retries=2)
    assert time.longer(5) == time._replace(deadline=1015)
    clock.now = 1009.9
    assert not time.is_over()
    clock.now = 1010
    assert time.is_over()


# --- attempts


class Attempts:
    """Attempts that fail in these ways, and succeed then.

    Args:
        failures: How they fail.
        known: What each look says of what may have been sent: how it ended, or None where it never arrived.
    """

    def __init__(self, *failures: PaymanError, known: list[str | PaymanError | None] | None = None) -> None:
        self._failures = list(failures)
        self._known = list(known or [])
        self.done: list[str] = []
        self.lost: list[PaymanError] = []

    def attempt(self) -> Flow[str]:
        self.done.append("send")
        if self._failures:
            raise self._failures.pop(0)
        return "done"
        yield

    def learned(self, lost: PaymanError) -> Flow[str | None]:
        self.done.append("look")
        self.lost.append(lost)
        known = self._known.pop(0) if self._known else None
        if isinstance(known, PaymanError):
            raise known
        return known
        yield


def tried_once(
    attempts: Attempts, seconds: float = 300, max_retries: int = 2
) -> tuple[Any, list[Any], float]:
    """What comes of something that is done once: its end, what was done and waited for, and how long it took."""
    clock = Clock()
    flow = once("tsk-1", attempts.attempt, attempts.learned, time_of(clock, seconds, max_retries=max_retries))
    steps: list[Any] = []
    try:
        return run(flow, clock, steps), attempts.done, clock.now - 1000
    except PaymanError as error:
        return error, attempts.done, clock.now - 1000


REFUSED = APIConnectionError("Not reached.", sent=False)
LATE = APITimeoutError("Too late.")


@pytest.mark.parametrize("most", [0, 1, 2])
def test_what_was_not_taken_is_sent_again(most: int) -> None:
    """As often as it is wanted, and without a look in between."""
    end, done, _ = tried_once(Attempts(*[REFUSED] * 2), max_retries=most)
    assert done == ["send"] * (most + 1)
    assert end == ("done" if most == 2 else REFUSED)


def test_what_is_final_is_raised() -> None:
    """A refusal is not repeated."""
    refusal = failure_of(403)
    assert tried_once(Attempts(refusal)) == (refusal, ["send"], 0)


def test_what_is_known_is_returned() -> None:
    """What was lost and is known now is not sent again."""
    assert tried_once(Attempts(LOST, known=["ended"])) == ("ended", ["send", "look"], 0)


def test_what_never_arrived_is_looked_for_twice() -> None:
    """What the server does not know is sent again, after a pause and another look: it may have been on its way."""
    assert tried_once(Attempts(LOST)) == ("done", ["send", "look", "look", "send"], 0.5)
    assert tried_once(Attempts(LOST, known=[None, "ended"])) == ("ended", ["send", "look", "look"], 0.5)


def test_what_was_lost_before_is_looked_for_after_a_refusal_too() -> None:
    """Once something was lost, there is a look before every other attempt, whatever came in between."""
    end, done, _ = tried_once(Attempts(LOST, failure_of(429)))
    assert (end, done) == ("done", ["send", "look", "look", "send", "look", "send"])
    end, done, _ = tried_once(Attempts(LOST, failure_of(429), known=[None, None, "ended"]))
    assert (end, done) == ("ended", ["send", "look", "look", "send", "look"])


@pytest.mark.parametrize("last", [LOST, REFUSED, failure_of(403), failure_of(429)])
def test_what_was_lost_before_is_looked_for_before_giving_up(last: PaymanError) -> None:
    """An ask that is given up after something was lost is looked for once more, and told how it ended after all."""
    known: list[str | PaymanError | None] = [None, None, *[None] * (last is LOST), "ended"]
    end, done, _ = tried_once(Attempts(LOST, last, known=known), max_retries=1)
    assert end == "ended"
    assert done.count("send") == 2


def test_what_did_not_arrive_is_told() -> None:
    """An ask that the server still does not know in the end is an error that says so."""
    end, done, seconds = tried_once(Attempts(*[LOST] * 3), max_retries=1)
    assert type(end) is APIConnectionError
    assert (end.sent, end.message) == (
        False,
        "It broke. The agent does not know the task: the ask did not arrive.",
    )
    assert done == ["send", "look", "look", "send", "look", "look"]
    assert seconds == 0.75


@pytest.mark.parametrize(("failure", "kind"), [(500, ServerError), (302, APIConnectionError)])
def test_an_answer_that_said_nothing_stays_with_the_error(failure: int, kind: type[PaymanError]) -> None:
    """The error keeps the answer that left it open, and is a ServerError where that was one."""
    end, _, _ = tried_once(Attempts(failure_of(failure)), max_retries=0)
    assert type(end) is kind
    assert (end.status_code, end.sent) == (failure, False)


def test_what_timed_out_is_looked_for_to_the_deadline() -> None:
    """What may only be slow is looked for as long as there is time, before it is said that it did not arrive."""
    unknown = OutcomeUnknownError("The time was over.")
    end, done, seconds = tried_once(Attempts(LATE, known=[*[None] * 9, "ended"]), max_retries=0)
    assert (end, done.count("look")) == ("ended", 10)
    assert seconds == 0.25 + 0.5 + 1 + 2 + 4 + 4 * 5
    end, done, seconds = tried_once(Attempts(LATE, known=[*[None] * 9, unknown]), 20, max_retries=0)
    assert (end, done.count("look")) == (unknown, 10)
    assert 10 < seconds < 20


def test_what_timed_out_is_not_forgotten_over_what_broke_later() -> None:
    """A first attempt that timed out may still arrive, though the second one broke: it is looked for to the deadline."""
    attempts = Attempts(LATE, LOST, known=[*[None] * 9, "ended"])
    end, done, _ = tried_once(attempts, max_retries=1)
    assert (end, done.count("send"), done.count("look")) == ("ended", 2, 10)
    assert attempts.lost == [LATE] * 10


def test_what_only_reads_is_repeated() -> None:
    """A look is repeated while the failure may pass, as often as it is wanted; another one is raised."""

    def tried(*failures: PaymanError, max_retries: int) -> tuple[Any, int]:
        attempts, clock = Attempts(*failures), Clock()
        flow = repeated(attempts.attempt, time_of(clock, max_retries=max_retries), "tsk-1")
        try:
            return run(flow, clock, []), len(attempts.done)
        except PaymanError as error:
            return error, len(attempts.done)

    assert tried(LOST, REFUSED, max_retries=2) == ("done", 3)
    assert tried(LOST, REFUSED, max_retries=1) == (REFUSED, 2)
    assert tried(LOST, max_retries=0) == (LOST, 1)
    refusal = failure_of(403)
    assert tried(LOST, refusal, max_retries=2) == (refusal, 2)
