from __future__ import annotations

import time
from email.utils import parsedate_to_datetime

import httpx
import pytest

from tests.faults import Fault, Kind, Plan
from tests.faults.conftest import LEAVES_CONNECTIONS, PATIENCE, Calling
from tests.faults.reserved_ports import Port

pytestmark = LEAVES_CONNECTIONS

REFUSALS: dict[Kind, tuple[int, dict[str, str]]] = {
    Kind.UNAUTHORIZED: (401, {}),
    Kind.LIMITED: (429, {}),
    Kind.LIMITED_SECONDS: (429, {"retry-after": "0"}),
    Kind.LIMITED_MS: (429, {"retry-after-ms": "20"}),
    Kind.BUSY: (503, {"retry-after": "0"}),
}
"""Answers that say that nothing was taken: the status, and when to come again."""
OPEN = {Kind.BROKEN: 500, Kind.BAD_GATEWAY: 502, Kind.UNAVAILABLE: 503, Kind.GATEWAY_TIMEOUT: 504}
"""Answers that leave it open, and their status."""


def test_what_meets_no_fault_passes_as_it_is(call: Calling) -> None:
    """Requests and answers pass unchanged, on one connection, and are counted."""
    caller = call()
    assert caller.token().json()["tokenType"] == "Bearer"
    assert caller.get().json()["error"]["code"] == -32001
    assert caller.send().json()["result"]["status"]["state"] == "COMPLETED"
    assert [str(entry) for entry in caller.line.entries] == ["0 token", "1 get", "2 send"]
    assert caller.paid() == 1


def test_a_stream_passes_as_it_is(call: Calling) -> None:
    """So does a stream, to its final event."""
    caller = call()
    assert '"final":true' in caller.stream().text
    assert caller.paid() == 1


def test_a_refused_connection_is_refused_by_the_system(call: Calling) -> None:
    """Nothing can be connected to for that long, before the first request or between two; then everything passes."""
    fault = Fault(Kind.REFUSED, seconds=0.2)
    caller = call(fault, None, fault)
    for tried in (caller.get, caller.send):
        began = time.monotonic()
        with pytest.raises(httpx.ConnectError):
            tried()
        while True:
            try:
                assert tried().status_code == 200
                break
            except httpx.ConnectError:
                time.sleep(0.02)
        assert 0.1 < time.monotonic() - began < 60
    assert [str(entry) for entry in caller.line.entries] == [
        "0 connection [refused (200 ms)]",
        "1 get",
        "2 connection [refused (200 ms)]",
        "3 send",
    ]
    assert caller.paid() == 1


@pytest.mark.parametrize("resets", [True, False])
@pytest.mark.parametrize("kind", [Kind.HUNG_UP, Kind.LOST])
@pytest.mark.parametrize("first", [True, False])
def test_what_is_lost_on_its_way_arrives_nowhere(
    kind: Kind, resets: bool, first: bool, call: Calling
) -> None:
    """A connection that ends before or after the request was read, a new one or one that was used: nothing is paid."""
    fault = Fault(kind, resets=resets)
    caller = call(fault) if first else call(None, fault)
    if not first:
        caller.get()
    with pytest.raises((httpx.NetworkError, httpx.RemoteProtocolError)):
        caller.send()
    assert not caller.line.entries[-1].forwarded
    assert caller.paid() == 0


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_refusal_is_not_a_payment(kind: Kind, call: Calling) -> None:
    """What says that nothing was taken is said for the server, which gets nothing; the connection stays."""
    caller = call(Fault(kind, seconds=0.02))
    status, headers = REFUSALS[kind]
    answer = caller.send()
    assert answer.status_code == status
    assert {name: value for name, value in answer.headers.items() if name.startswith("retry")} == headers
    assert not caller.line.entries[0].forwarded
    assert caller.paid() == 0


def test_a_refusal_may_name_a_date(call: Calling) -> None:
    """Retry-After as a date names a moment that is about now."""
    caller = call(Fault(Kind.LIMITED_DATE))
    answer = caller.send()
    assert answer.status_code == 429
    assert abs(parsedate_to_datetime(answer.headers["retry-after"]).timestamp() - time.time()) < 5
    assert caller.paid() == 0


@pytest.mark.parametrize("forwards", [True, False])
@pytest.mark.parametrize("kind", OPEN)
def test_an_answer_that_leaves_it_open(kind: Kind, forwards: bool, call: Calling) -> None:
    """The status is the same whether the server got the request or not, and says nothing about when to come again."""
    caller = call(Fault(kind, forwards=forwards))
    answer = caller.send()
    assert (answer.status_code, answer.headers.get("retry-after")) == (OPEN[kind], None)
    assert caller.line.entries[0].forwarded is forwards
    assert caller.paid() == int(forwards)


@pytest.mark.parametrize("resets", [True, False])
def test_an_answer_that_is_lost(resets: bool, call: Calling) -> None:
    """The payment is made, and the client gets not a byte."""
    caller = call(Fault(Kind.ANSWER_LOST, resets=resets))
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        caller.send()
    assert caller.paid() == 1


@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 0.99])
@pytest.mark.parametrize("resets", [True, False])
@pytest.mark.parametrize("streams", [True, False])
def test_an_answer_that_is_cut(share: float, resets: bool, streams: bool, call: Calling) -> None:
    """Wherever an answer is cut, in its head or its body, whole or a stream, the client notices."""
    caller = call(Fault(Kind.CUT, share=share, resets=resets))
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        (caller.stream if streams else caller.send)()
    assert caller.paid() == 1


@pytest.mark.parametrize("kind", [Kind.SLOW, Kind.LATE])
def test_what_comes_too_late(kind: Kind, call: Calling) -> None:
    """The client gives up, and yet the payment is made: before that, or after."""
    caller = call(Fault(kind, seconds=PATIENCE + 0.2))
    with pytest.raises(httpx.ReadTimeout):
        caller.send()
    assert len(caller.sandbox.payments) == (1 if kind is Kind.SLOW else 0)
    assert caller.paid() == 1


def test_a_web_page_instead_of_an_answer(call: Calling) -> None:
    """The payment is made, and the client gets HTML, with status 200."""
    caller = call(Fault(Kind.HTML))
    answer = caller.send()
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert caller.paid() == 1


@pytest.mark.parametrize("share", [0.0, 0.5, 0.999])
def test_a_truncated_answer(share: float, call: Calling) -> None:
    """The body is the beginning of the answer's, and HTTP finds nothing wrong with it; JSON does."""
    caller = call(Fault(Kind.TRUNCATED, share=share))
    answer = caller.send()
    assert int(answer.headers["content-length"]) == len(answer.content)
    with pytest.raises(ValueError, match=r"Expecting|Unterminated|Extra|delimiter"):
        answer.json()
    assert caller.paid() == 1


def test_a_truncated_stream(call: Calling) -> None:
    """A stream that is truncated ends as streams do, without the final event."""
    caller = call(Fault(Kind.TRUNCATED, share=0.7))
    answer = caller.stream()
    assert "data: " in answer.text
    assert '"final":true' not in answer.text
    assert caller.paid() == 1


def test_an_answer_that_comes_twice(call: Calling) -> None:
    """The second answer stands where the answer to the next request should: httpx hands it out as such."""
    caller = call(Fault(Kind.TWO))
    unknown = caller.get().json()
    assert caller.send().json() == unknown
    while len(caller.line.entries) < 2:  # the request is still on its way
        time.sleep(0.01)
    assert caller.paid() == 1


def test_an_answer_that_drips(call: Calling) -> None:
    """It comes whole, after a while."""
    caller = call(Fault(Kind.DRIP, seconds=0.02))
    began = time.monotonic()
    assert caller.send().json()["result"]
    assert time.monotonic() - began >= 0.1
    assert caller.paid() == 1


@pytest.mark.parametrize("kind", [Kind.STUCK, Kind.STUCK_HEAD])
def test_an_answer_that_is_stuck(kind: Kind, call: Calling) -> None:
    """It comes a byte at a time, never silent for long, and ends with the client's patience for the whole."""
    caller = call(Fault(kind, share=0.2, seconds=0.002))
    began = time.monotonic()
    assert caller.send().json()["result"]
    assert time.monotonic() - began > 500 * 0.002
    assert caller.paid() == 1


@pytest.mark.parametrize(("share", "paid"), [(0.1, {0}), (0.4, {0}), (0.6, {0, 1}), (0.8, {1}), (0.99, {1})])
def test_a_restart(share: float, paid: set[int], call: Calling) -> None:
    """The request under way is lost, before or after it was carried out; the server is there again, with its ledger."""
    caller = call(None, Fault(Kind.RESTART, share=share, seconds=0.02))
    assert caller.get().status_code == 200
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        caller.send()
    found = 502
    for _ in range(50):
        try:
            found = caller.get().status_code
            break
        except httpx.HTTPError:
            time.sleep(0.02)
    assert found == 200
    assert caller.paid() in paid


def test_what_a_restart_catches_is_written_down(call: Calling) -> None:
    """A request that finds the server away is hung up on, and the log says why."""
    caller = call()
    caller.sandbox.stop()
    with pytest.raises(httpx.RemoteProtocolError):
        caller.send()
    caller.sandbox.start()
    assert [str(entry) for entry in caller.line.entries] == ["0 send [the server is away]"]
    assert caller.paid() == 0


def test_a_request_that_is_sent_again_blindly_is_noticed(call: Calling) -> None:
    """The sandbox forgives it, so the log has to tell; not so when a look-up has found nothing. A refusal proves nothing."""
    caller = call(Fault(Kind.BUSY), None, None, None, Fault(Kind.LOST), Fault(Kind.HUNG_UP))
    caller.send()
    caller.send()
    caller.send()
    caller.get()
    with pytest.raises(httpx.HTTPError):
        caller.send("tsk-2")
    with pytest.raises(httpx.HTTPError):
        caller.get("tsk-2")
    caller.get("tsk-2")
    caller.send("tsk-2")
    blind = [entry.number for entry in caller.line.entries if entry.blind]
    assert blind == [1, 2, 4]
    assert str(caller.line.entries[2]) == "2 send [sent blindly]"
    assert caller.paid() == 2


def test_a_step_can_be_the_last(call: Calling) -> None:
    """Who watches the steps can end an exchange after any: the client hears no more, the server what it had."""
    seen: list[str] = []

    def step(name: str, made: str) -> bool:
        seen.append(f"{name} {made}".strip())
        return (name, made) == ("send", "forwarded")

    caller = call(step=step)
    caller.get()
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        caller.send()
    assert seen == [
        "accepted",
        "get head received",
        "get half received",
        "get received",
        "get forwarded half",
        "get forwarded",
        "get answered",
        "get head passed",
        "get half passed",
        "get passed",
        "send head received",
        "send half received",
        "send received",
        "send forwarded half",
        "send forwarded",
    ]
    assert caller.paid() == 1


def test_a_port_is_kept() -> None:
    """A port that is kept is given to nobody else, and refuses connections while nobody listens."""
    port = Port()
    try:
        with httpx.Client() as http, pytest.raises(httpx.ConnectError):
            http.get(f"http://127.0.0.1:{port.number}")
        listener = port.listener()
        listener.close()
    finally:
        port.close()


def test_a_plan_is_the_same_every_time() -> None:
    """The same seed is the same plan; another seed, ask or request is another draw."""

    def plan(seed: int) -> list[str]:
        made = Plan(seed=seed, rate=0.5)
        return [str(made.fault(ask, number)) for ask in range(20) for number in range(10)]

    assert plan(1) == plan(1)
    assert plan(1) != plan(2)
    known = Plan(seed=1)
    assert [str(known.fault(ask, 1)) for ask in (10, 13, 21, 22)] == [
        "cut at 30%, reset",
        "foreign",
        "odd",
        "409-taken",
    ]


def test_a_plan_holds_every_kind_at_its_rate() -> None:
    """Over many requests every kind comes up, as many requests as the rate says meet a fault, a quarter for tokens."""
    plan = Plan(seed=1, rate=0.4)
    places = [(ask, number) for ask in range(500) for number in range(10)]
    faults = [plan.fault(*place) for place in places]
    met = [fault for fault in faults if fault is not None]
    assert {fault.kind for fault in met} == set(Kind)
    assert abs(len(met) / len(places) - 0.4) < 0.03
    for_tokens = [plan.fault(*place, for_token=True) for place in places]
    assert abs(sum(fault is not None for fault in for_tokens) / len(places) - 0.1) < 0.02


def test_a_plan_of_some_kinds_holds_no_others() -> None:
    """A plan is made of the kinds that it is given, and of nothing where it is given none."""
    some = Plan(seed=1, rate=1.0, kinds=[Kind.CUT, Kind.SLOW])
    kinds = {fault.kind for number in range(50) if (fault := some.fault(1, number))}
    assert kinds == {Kind.CUT, Kind.SLOW}
    assert Plan(seed=1, rate=1.0, kinds=[]).fault(1, 1) is None
