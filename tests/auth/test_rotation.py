"""Refresh tokens whose answer was lost, and tokens that could not be saved: stepped by hand, on clocks that are set."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, cast

import httpx
import pytest

from payman_sdk._core.auth import rotation
from payman_sdk._core.auth.grants import AccessToken
from payman_sdk._core.auth.stored_token import StoredToken, fingerprint_token
from payman_sdk._core.auth.tokens import TokenManager
from payman_sdk._core.effects import CallBlocking, Flow, SendRequest, Sleep, WithLock
from payman_sdk._io.token_store_access import TokenStoreAccess
from payman_sdk._telemetry.observer import Observer
from payman_sdk.errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    ConfigurationError,
    PaymanError,
    ResponseValidationError,
    TokenStoreError,
)
from payman_sdk.token_stores.memory import MemoryTokenStore
from tests.auth.test_tokens import OWN, PERSON, WALL, grant_of, stored
from tests.steps import Clock, driven, token_answer

PAUSE, LONG_PAUSE = 5.0, 600.0


@pytest.fixture(autouse=True)
def _usual_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotation, "_PAUSES", (PAUSE, LONG_PAUSE))


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Wall:
    """Seconds since 1970 on a machine whose clock is set now and then."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.ahead = clock, 0.0

    def __call__(self) -> float:
        return WALL + self.clock.now + self.ahead


def process(store: MemoryTokenStore, clock: Clock, given: StoredToken | None = None, now: Callable[[], float] | None = None) -> TokenManager:  # fmt: skip
    """What one process holds, of a token that several share."""
    return TokenManager(
        PERSON, TokenStoreAccess(store), given=given, clock=clock, now=now or Wall(clock), observer=Observer()
    )


def begun(
    clock: Clock, access: str | None = None, lifetime: float = 0
) -> tuple[MemoryTokenStore, TokenManager]:
    """A store, and a process that has a refresh token."""
    store = MemoryTokenStore()
    return store, process(store, clock, stored(PERSON, clock, access, lifetime, "r-1"))


def obtained(
    tokens: TokenManager, clock: Clock, *outcomes: Any, seconds: float = 300.0
) -> tuple[Any, list[str]]:
    """What came of an ask's wish for a token, and the refresh tokens that were sent for it."""
    outcome, sent = driven(tokens.get(clock.now + seconds), outcomes, clock=clock)
    if isinstance(outcome, AssertionError):
        raise outcome
    return outcome, [grant_of(step)["refresh_token"] for step in sent]


def value_of(outcome: Any) -> str:
    assert isinstance(outcome, AccessToken), outcome
    return outcome.value.reveal()


def json_refusal(status: int, error: str) -> httpx.Response:
    return httpx.Response(status, json={"error": error})


def lost() -> APIConnectionError:
    return APIConnectionError("The connection broke.")


def not_sent(message: str = "Connection refused.") -> APIConnectionError:
    return APIConnectionError(message, sent=False)


def test_what_a_failure_says_of_the_refresh_token() -> None:
    """Only what is known to be harmless leaves a refresh token as it was; after everything else it may be spent, whatever it is."""
    timeout = APITimeoutError("No answer in time.")
    doubtful: dict[str, Any] = {
        "a broken connection": lost(),
        "a timeout": timeout,
        "an exception of the transport": RuntimeError("Event loop is closed"),
        "an exception of the system": OSError(104, "Connection reset by peer"),
        "an exception of anybody": KeyError("x"),
        "an exception that nobody has listed": type("StrangeError", (Exception,), {})("?"),
        "an error of ours that says nothing": PaymanError("?"),
        "an answer that is not JSON": httpx.Response(200, text="<html>"),
        "an answer without a token": httpx.Response(200, json={"ok": True}),
        "an answer with nonsense": token_answer("a-1", -5),
        "an empty answer": httpx.Response(204),
        "a redirect": httpx.Response(302, headers={"location": "/x"}),
        "another status": httpx.Response(299, json={}),
        **{f"status {status}": httpx.Response(status) for status in (408, 409, 410, 421, 423, 424, 425, 429, 499)},
        **{f"status {status}": httpx.Response(status) for status in (500, 501, 502, 503, 504, 507, 520, 599)},
        "503 with Retry-After": httpx.Response(503, headers={"retry-after": "1"}),
        "429 with JSON": json_refusal(429, "slow_down"),
        "500 with JSON": json_refusal(500, "invalid_grant"),
    }  # fmt: skip
    harmless: dict[str, Any] = {
        "no connection": not_sent(),
        "no name": not_sent("The host is not known."),
        "a closed client": ConfigurationError("This client has been closed."),
        "a wrong secret": json_refusal(401, "invalid_client"),
        "a wrong request": json_refusal(400, "invalid_request"),
        "another grant": json_refusal(400, "unauthorized_client"),
        **{f"status {status}": httpx.Response(status, text="no") for status in (400, 401, 403, 404, 405, 406)},
        **{f"status {status}": httpx.Response(status, text="no") for status in (411, 413, 414, 415, 422, 431, 451)},
    }  # fmt: skip
    wrong: list[str] = []
    for name, outcome in doubtful.items():
        clock = Clock()
        store, tokens = begun(clock)
        # It waits, looks into the store, and sends it once more; an ask without the time for that sends it once.
        began = clock.now
        found, sent = obtained(tokens, clock, outcome, token_answer("a-1", 3600, "r-2"))
        if not isinstance(found, AccessToken) or sent != ["r-1", "r-1"] or clock.now < began + PAUSE:
            wrong.append(f"{name}: {found} {sent} after {clock.now - began} s")
        if (kept := store.load()) is None or (kept.refresh_token, kept.unanswered) != ("r-2", ()):
            wrong.append(f"{name}: {kept and kept.unanswered}")
    for name, outcome in harmless.items():
        clock = Clock()
        store, tokens = begun(clock)
        found, sent = obtained(tokens, clock, outcome)
        if not isinstance(found, PaymanError) or sent != ["r-1"] or clock.now != 1000:
            wrong.append(f"{name}: {found} {sent}")
        if (kept := store.load()) is None or (kept.refresh_token, kept.unanswered) != ("r-1", ()):
            wrong.append(f"{name}: {kept and kept.unanswered}")
        if obtained(tokens, clock, token_answer("a-1", 3600, "r-2"))[1] != ["r-1"]:
            wrong.append(f"{name}: not sent again")
    assert wrong == []


def test_the_store_is_looked_at_before_it_is_sent_again(clock: Clock) -> None:
    """Where another process has a newer token by then, it is used, and the spent one is never sent again."""
    for theirs, sends in (
        (("a-2", 3600.0, "r-2"), ["r-1"]),
        (("a-2", 3600.0, None), ["r-1"]),
        ((None, 0.0, "r-2"), ["r-1", "r-2"]),
        (("ended", 0.0, "r-2"), ["r-1", "r-2"]),
    ):
        store, tokens = begun(clock)
        access, lifetime, refresh = theirs

        def meanwhile(
            step: Sleep, store: MemoryTokenStore = store, them: Any = (access, lifetime, refresh)
        ) -> None:
            newer = stored(PERSON, clock, *them)
            store.save(
                newer._replace(lineage=(*fingerprint_token("r-1"), *fingerprint_token(them[2] or them[0])))
            )
            clock.now += step.seconds

        found, sent = stepped(
            tokens.get(clock.now + 300), [lost(), token_answer("a-3", 3600, "r-3")], meanwhile
        )
        assert isinstance(found, AccessToken)
        assert sent == sends


def stepped(flow: Flow[Any], outcomes: list[Any], slept: Callable[[Sleep], None]) -> tuple[Any, list[str]]:
    """Runs a flow whose sleeps are somebody else's time."""
    sent: list[str] = []

    def run(flow: Flow[Any]) -> Any:
        step, failure, outcome = next(flow), None, None
        while True:
            failure = outcome = None
            match step:
                case WithLock(inner):
                    try:
                        outcome = run(inner)
                    except Exception as error:
                        failure = error
                case CallBlocking(function):
                    outcome = function()
                case Sleep():
                    slept(step)
                case SendRequest():
                    sent.append(grant_of(step)["refresh_token"])
                    outcome = outcomes[len(sent) - 1]
                    failure, outcome = (outcome, None) if isinstance(outcome, Exception) else (None, outcome)
                case _:
                    raise AssertionError(step)
            try:
                step = flow.send(outcome) if failure is None else flow.throw(failure)
            except StopIteration as end:
                return end.value

    return run(flow), sent


def test_it_is_sent_once_more_and_then_hardly_ever(clock: Clock) -> None:
    """After two answers that were lost, nobody sends it for ten minutes, however many ask; the error says what to do."""
    store, tokens = begun(clock)
    found, sent = obtained(tokens, clock, lost(), APITimeoutError("No answer in time."))
    assert isinstance(found, AuthenticationError)
    assert "authorize again" in found.next_step
    assert sent == ["r-1", "r-1"]
    for _ in range(50):
        clock.now += 10
        again, sent = obtained(tokens, clock)
        assert isinstance(again, AuthenticationError)
        assert "authorize again" in again.next_step
        assert sent == []
    # Another process, one that is started now too, sends no more than this one.
    other, sent = obtained(process(store, clock), clock)
    assert (type(other), sent) == (AuthenticationError, [])
    clock.now += LONG_PAUSE
    found, sent = obtained(process(store, clock), clock, token_answer("a-1", 3600, "r-2"))
    assert (value_of(found), sent) == ("a-1", ["r-1"])
    assert value_of(obtained(tokens, clock)[0]) == "a-1"


def test_a_refusal_after_a_lost_answer_says_what_may_have_happened(clock: Clock) -> None:
    """The server that takes the refresh token no more may have revoked the authorization; nobody tries again."""
    store, tokens = begun(clock)
    found, sent = obtained(tokens, clock, lost(), json_refusal(400, "invalid_grant"))
    assert isinstance(found, AuthenticationError)
    assert found.error == "invalid_grant"
    assert "Authorize again" in found.next_step
    assert "revoked" in found.next_step
    assert sent == ["r-1", "r-1"]
    for each in (tokens, process(store, clock)):
        found, sent = obtained(each, clock)
        assert (type(found), sent) == (AuthenticationError, [])


def test_no_later_answer_is_evidence_about_a_lost_one(clock: Clock) -> None:
    """A refusal of something else, or a connection that was never made, makes the refresh token no better than it was."""
    for later in (not_sent(), json_refusal(401, "invalid_client"), httpx.Response(404)):
        store, tokens = begun(clock)
        found, sent = obtained(tokens, clock, lost(), later)
        assert isinstance(found, PaymanError)
        assert sent == ["r-1", "r-1"]
        kept = store.load()
        assert kept is not None
        assert len(kept.unanswered) == 1


def test_who_has_no_time_for_the_pause_gets_the_failure(clock: Clock) -> None:
    """An ask that ends before the pause does gets the failure at once; the next waits for the rest of the pause."""
    _, tokens = begun(clock)
    found, sent = obtained(tokens, clock, APIConnectionError("The connection broke."), seconds=4)
    assert (type(found), sent, clock.now) == (APIConnectionError, ["r-1"], 1000)
    assert "may be spent" in found.next_step
    clock.now += 1
    found, sent = obtained(tokens, clock, seconds=3)
    assert (type(found), sent, clock.now) == (AuthenticationError, [], 1001)
    assert "Try again in 4 s" in found.next_step
    found, sent = obtained(tokens, clock, token_answer("a-1", 3600, "r-2"))
    assert (value_of(found), sent, clock.now) == ("a-1", ["r-1"], 1005)


def test_a_server_that_wants_to_be_left_alone_is(clock: Clock) -> None:
    """The pause is as long as the server says, within reason."""
    for wanted, waited in (
        ("1", PAUSE),
        ("30", 30),
        ("600", 600),
        ("86400", 600),
        ("soon", PAUSE),
        ("-5", PAUSE),
    ):
        _, tokens = begun(clock)
        began = clock.now
        busy = httpx.Response(429, headers={"retry-after": wanted})
        found, sent = obtained(tokens, clock, busy, token_answer("a-1"), seconds=5000)
        assert (value_of(found), len(sent), clock.now - began) == ("a-1", 2, waited)


def test_a_token_that_still_serves_is_used_to_its_end(clock: Clock) -> None:
    """While the refresh token may be spent, the access token is used, in both windows, and the endpoint is hardly asked."""
    _, tokens = begun(clock, "a-0", 3600)
    sends: list[str] = []
    clock.now += 3600 - 119
    outcomes: list[Any] = [lost() for _ in range(4)]
    while clock.now < 1000 + 3600 - 1:
        found, sent = obtained(tokens, clock, *outcomes[len(sends) :])
        assert value_of(found) == "a-0"
        sends += sent
        clock.now += 0.5
    assert sends == ["r-1", "r-1"]
    clock.now += 10
    found, sent = obtained(tokens, clock)
    assert (type(found), sent) == (AuthenticationError, [])


def test_in_the_late_window_a_lost_answer_is_no_callers_failure(clock: Clock) -> None:
    """A token of which a minute is left goes on being used; at its end the refresh token is sent once more."""
    _, tokens = begun(clock, "a-0", 3600)
    clock.now += 3600 - 30
    for _ in range(5):
        found, sent = obtained(tokens, clock, *([lost()] if clock.now == 1000 + 3570 else []))
        assert value_of(found) == "a-0"
        clock.now += 0.9
    assert value_of(obtained(tokens, clock)[0]) == "a-0"
    clock.now = 1000 + 3600 + 1.0
    found, sent = obtained(tokens, clock, token_answer("a-1", 3600, "r-2"))
    assert (value_of(found), sent) == ("a-1", ["r-1"])


def test_an_interrupted_renewal_leaves_its_note(clock: Clock) -> None:
    """A process that is killed, or interrupted, between sending and saving leaves word; the next waits, and sends it once."""
    for interruption in (
        None,
        KeyboardInterrupt(),
        SystemExit(),
        GeneratorExit(),
        BaseException("a task is cancelled"),
    ):
        store, tokens = begun(clock)
        flow = cast("WithLock", next(tokens.get(9999))).flow
        inner = cast("WithLock", next(flow)).flow
        step: Any = next(inner)
        while not isinstance(step, SendRequest):
            step = inner.send(step.function())
        if interruption is not None:
            with pytest.raises(type(interruption)):
                inner.throw(interruption)
        kept = store.load()
        assert kept is not None
        assert kept.unanswered == (WALL + clock.now,)
        inner.close()
        for again in (process(store, clock), tokens):
            began = clock.now
            found, sent = obtained(again, clock, token_answer(f"a-{clock.now}", 3600, "r-2"), seconds=60)
            assert isinstance(found, AccessToken)
            if again is not tokens:
                assert (sent, clock.now - began) == (["r-1"], PAUSE)
        clock.now += 4000


def test_clocks_that_jump(clock: Clock) -> None:
    """A wall clock that is set makes nobody wait longer than the pause, and this process's own pause is kept by no wall clock."""
    for ahead in (-86400.0, -3600.0, -1.0, 0.0, 1.0, 3600.0, 86400.0):
        store, wall = MemoryTokenStore(), Wall(clock)
        tokens = process(store, clock, stored(PERSON, clock, None, 0, "r-1"), wall)
        found, _ = obtained(tokens, clock, APIConnectionError("x"), seconds=1)
        assert isinstance(found, APIConnectionError)
        wall.ahead = ahead
        began = clock.now
        other = process(store, clock, now=wall)
        found, sent = obtained(other, clock, token_answer("a-1", 3600, "r-2"))
        assert (value_of(found), sent) == ("a-1", ["r-1"])
        assert clock.now - began <= PAUSE
        store.save(stored(PERSON, clock, None, 0, "r-1"))
        wall.ahead = 0.0
        tokens = process(MemoryTokenStore(), clock, stored(PERSON, clock, None, 0, "r-1"), wall)
        obtained(tokens, clock, APIConnectionError("x"), seconds=1)
        wall.ahead, began = ahead, clock.now
        obtained(tokens, clock, token_answer("a-1", 3600, "r-2"))
        assert clock.now - began == pytest.approx(PAUSE)


def test_a_clock_that_is_frozen_or_set_back_counts_every_attempt(clock: Clock) -> None:
    """Two notes of one moment are two notes: nobody gets another attempt by them."""
    store = MemoryTokenStore()
    tokens = process(store, clock, stored(PERSON, clock, None, 0, "r-1"), lambda: WALL)
    found, sent = obtained(tokens, clock, lost(), lost())
    assert (type(found), sent) == (AuthenticationError, ["r-1", "r-1"])
    kept = store.load()
    assert kept is not None
    assert len(kept.unanswered) == 2


def test_an_own_account_replays_nothing(clock: Clock) -> None:
    """An application that acts for itself gets the next token by its credentials; its refresh token is not sent again."""
    store = MemoryTokenStore()
    store.save(stored(OWN, clock, None, 0, "r-1"))
    tokens = TokenManager(OWN, TokenStoreAccess(store), clock=clock, now=Wall(clock), observer=Observer())
    outcome, sent = driven(tokens.get(9999), [APIConnectionError("x")], clock=clock)
    assert (type(outcome), len(sent)) == (APIConnectionError, 1)
    outcome, sent = driven(tokens.get(9999), [token_answer("a-1")], clock=clock)
    assert value_of(outcome) == "a-1"
    assert [grant_of(step)["grant_type"] for step in sent] == ["client_credentials"]
    assert clock.now == 1000


def test_a_code_whose_answer_was_lost_says_so(clock: Clock) -> None:
    """A code may be spent like a refresh token; it is not sent again, and the error says what to do."""
    for failure, may_be_spent in (
        (APIConnectionError("x"), True),
        (RuntimeError("x"), True),
        (httpx.Response(502), True),
        (httpx.Response(200, json={}), True),
        (not_sent(), False),
        (json_refusal(400, "invalid_grant"), False),
    ):
        tokens = process(MemoryTokenStore(), clock)
        request = PERSON.build_code_request("c-1")
        outcome, sent = driven(tokens.exchange_code(request, 9999), [failure], clock=clock)
        assert isinstance(outcome, PaymanError)
        assert len(sent) == 1
        assert ("The code may be spent" in outcome.next_step) is may_be_spent


def test_a_store_that_forgets_notes_changes_nothing(clock: Clock) -> None:
    """Where the store keeps no notes, or cannot be written, this process knows them all the same."""

    class Forgetful(MemoryTokenStore):
        def save(self, token: StoredToken) -> None:
            super().save(token._replace(unanswered=()))

    class ReadOnly(MemoryTokenStore):
        def save(self, token: StoredToken) -> None:
            raise OSError(30, "Read-only file system")

    for store in (Forgetful(), ReadOnly()):
        MemoryTokenStore.save(store, stored(PERSON, clock, None, 0, "r-1"))
        tokens = process(store, clock, stored(PERSON, clock, None, 0, "r-1"))
        found, sent = obtained(tokens, clock, lost(), lost())
        assert (type(found), sent) == (AuthenticationError, ["r-1", "r-1"])
        assert obtained(tokens, clock)[1] == []


def test_a_harmless_note_that_stays_in_the_store_delays_nobody(clock: Clock) -> None:
    """However many attempts did not leave, and although the store takes no change after the first note."""

    class Filling(MemoryTokenStore):
        def save(self, token: StoredToken) -> None:
            if self.load() is not None:
                raise OSError(28, "No space left on device")
            super().save(token)

    store = Filling()
    tokens = process(store, clock, stored(PERSON, clock, None, 0, "r-1"))
    for _ in range(3):
        found, sent = obtained(tokens, clock, not_sent())
        assert (type(found), sent) == (APIConnectionError, ["r-1"])
        assert "may be spent" not in (found.next_step or "")
    kept = store.load()
    assert kept is not None and len(kept.unanswered) == 1
    found, sent = obtained(tokens, clock, token_answer("a-1", 3600, "r-2"))
    assert (value_of(found), sent, clock.now) == ("a-1", ["r-1"], 1000)


# Tokens that could not be saved


class Stubborn(MemoryTokenStore):
    """A store that fails so many times, in its own way."""

    def __init__(self, *failures: Exception | None) -> None:
        super().__init__()
        self.failures = list(failures)
        self.saves = 0

    def save(self, token: StoredToken) -> None:
        self.saves += 1
        failure = self.failures.pop(0) if self.failures else None
        if failure is not None:
            raise failure
        super().save(token)


FAILURES: dict[str, Exception] = {
    "a full disk": OSError(28, "No space left on device"),
    "a file system that is read-only": OSError(30, "Read-only file system"),
    "no rights": PermissionError(13, "Permission denied"),
    "an error of the store": TokenStoreError("The keyring is locked."),
    "a timeout": TimeoutError("timed out"),
    "an error of a driver": RuntimeError("connection already closed"),
    "nonsense": KeyError("secret-of-the-store"),
    "a wrong type": TypeError("not JSON serializable"),
    "an error that nobody has listed": type("StrangeError", (Exception,), {})("secret-of-the-store"),
    "no memory": MemoryError(),
}


def test_a_token_that_could_not_be_saved_is_used_and_saved_by_the_next_use(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever a store raises after a rotation, the ask goes on, a record says so, and the next use saves it."""
    wrong: list[str] = []
    for name, failure in FAILURES.items():
        caplog.clear()
        store = Stubborn(None, failure)  # the note before is kept
        tokens = process(store, clock, stored(PERSON, clock, None, 0, "r-1"))
        found, sent = obtained(tokens, clock, token_answer("a-1", 3600, "r-2"))
        kept = store.load()
        if not isinstance(found, AccessToken) or kept is None or kept.refresh_token != "r-1":
            wrong.append(f"{name}: {found}")
        if "Could not save the new access token" not in caplog.text or "secret" in caplog.text:
            wrong.append(f"{name}: {caplog.text}")
        if any(record.levelno != logging.WARNING for record in caplog.records if "kept" in record.message):
            wrong.append(f"{name}: {caplog.records}")
        found, sent = obtained(tokens, clock)
        kept = store.load()
        if (
            sent
            or kept is None
            or (kept.access_token, kept.refresh_token, kept.unanswered) != ("a-1", "r-2", ())
        ):
            wrong.append(f"{name}: not saved by the next use")
        saves = store.saves
        obtained(tokens, clock)
        if store.saves != saves:
            wrong.append(f"{name}: saved again and again")
    assert wrong == []


def test_a_store_that_goes_on_failing_is_tried_at_every_use_and_reported_once(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """The only copy is not given up, and the log is not flooded; closing the client is the last attempt."""
    store = Stubborn(*[OSError(28, "No space left on device")] * 1000)
    tokens = process(store, clock, stored(PERSON, clock, None, 0, "r-1"))
    for _ in range(50):
        assert value_of(obtained(tokens, clock, token_answer("a-1", 3600, "r-2"))[0]) == "a-1"
    assert store.saves == 1 + 50
    assert caplog.text.count("Could not save the new access token") == 1
    clock.now += 61
    obtained(tokens, clock)
    assert caplog.text.count("Could not save the new access token") == 2
    store.failures.clear()
    driven(tokens.flush(), clock=clock)
    kept = store.load()
    assert kept is not None
    assert kept.refresh_token == "r-2"


def test_a_store_that_fails_slowly_takes_little_time(clock: Clock) -> None:
    """A store that needs three seconds to fail is not asked at every use."""

    class Slow(Stubborn):
        def save(self, token: StoredToken) -> None:
            clock.now += 3
            super().save(token)

    store = Slow(*[OSError(110, "Connection timed out")] * 1000)
    tokens = process(store, clock, stored(PERSON, clock, None, 0, "r-1"))
    obtained(tokens, clock, token_answer("a-1", 36000, "r-2"))
    saves, began = store.saves, clock.now
    while clock.now < began + 600:
        obtained(tokens, clock)
        clock.now += 0.1
    assert store.saves - saves <= 10


def test_what_others_have_saved_meanwhile_is_not_overwritten(clock: Clock) -> None:
    """A token that could not be saved gives way to one that descends from it, and replaces nobody else's."""
    newer = stored(PERSON, clock, "a-9", 3600, "r-9")._replace(
        lineage=(*fingerprint_token("r-1"), *fingerprint_token("r-2"), *fingerprint_token("r-9"))
    )
    another = stored(PERSON, clock, "b-1", 3600, "r-b")
    sibling = stored(PERSON, clock, "a-8", 3600, "r-8")._replace(
        lineage=(*fingerprint_token("r-1"), *fingerprint_token("r-8"))
    )
    somebody = stored(PERSON, clock, "c-1", 3600, "r-c")._replace(
        issued_to="pm-other at https://agent.payman.ai"
    )
    for theirs, survives in (
        (newer, True),
        (another, True),
        (sibling, True),
        (somebody, True),
        (stored(PERSON, clock, None, 0, "r-1"), False),
    ):
        store = Stubborn(None, OSError("full"))
        tokens = process(store, clock, stored(PERSON, clock, None, 0, "r-1"))
        obtained(tokens, clock, token_answer("a-2", 3600, "r-2"))
        MemoryTokenStore.save(store, theirs)
        assert value_of(obtained(tokens, clock)[0]) in {"a-2", "a-9"}
        kept = store.load()
        assert kept is not None
        assert (kept == theirs) is survives
    assert value_of(obtained(tokens, clock)[0]) == "a-2"


def test_a_store_that_gives_older_tokens_or_nothing_costs_nothing(clock: Clock) -> None:
    """A store that answers with what it had before, or with nothing, as a replica that lags does, brings no spent token back."""

    class Lagging(MemoryTokenStore):
        gives: StoredToken | None = None

        def load(self) -> StoredToken | None:
            return self.gives

    for gives in (None, stored(PERSON, clock, None, 0, "r-1")):
        store = Lagging()
        store.gives = gives
        tokens = process(store, clock, stored(PERSON, clock, None, 0, "r-1"))
        spent: list[str] = []
        for number in range(1, 5):
            found, sent = obtained(tokens, clock, token_answer(f"a-{number}", 10, f"r-{number + 1}"))
            assert value_of(found) == f"a-{number}"
            spent += sent
            clock.now += 20
        assert spent == ["r-1", "r-2", "r-3", "r-4"]


def test_a_store_that_gives_garbage_is_named_and_loses_nothing(clock: Clock) -> None:
    """What cannot be read is an error that says where; a token that serves is used, and what could not be saved replaces it."""

    class Torn(MemoryTokenStore):
        is_torn = False

        def load(self) -> StoredToken | None:
            if self.is_torn:
                raise TokenStoreError("The token file holds no token.")
            return super().load()

    store = Torn()
    tokens = process(store, clock, stored(PERSON, clock, "a-0", 3600, "r-1"))
    store.is_torn = True
    assert value_of(obtained(tokens, clock)[0]) == "a-0"
    clock.now += 3500
    assert value_of(obtained(tokens, clock)[0]) == "a-0"
    clock.now += 200
    found, sent = obtained(tokens, clock)
    assert (type(found), sent) == (TokenStoreError, [])


def test_notes_survive_a_store_and_older_stores_are_read(clock: Clock) -> None:
    """What is written down of attempts is read again; a token that an earlier version wrote has none, and nonsense is damaged."""
    token = stored(PERSON, clock, None, 0, "r-1")._replace(unanswered=(WALL, WALL + 5.5))
    assert StoredToken.from_json(token.to_json(), "x") == token
    older = token.to_json().replace(f', "unanswered": [{WALL}, {WALL + 5.5}]', "")
    assert "unanswered" not in older
    assert StoredToken.from_json(older, "x") == token._replace(unanswered=())
    for nonsense in ("5", "null", '"x"', '["x"]', "[true]", "[NaN]", "{}"):
        damaged = token.to_json().replace(f"[{WALL}, {WALL + 5.5}]", nonsense)
        with pytest.raises(TokenStoreError):
            StoredToken.from_json(damaged, "x")


def test_errors_of_answers_are_those_of_before(clock: Clock) -> None:
    """Who has no time for a second attempt sees what went wrong with the first."""
    for outcome, kind in (
        (httpx.Response(502), APIStatusError),
        (httpx.Response(200, json={}), ResponseValidationError),
        (RuntimeError("secret-of-a-transport"), APIConnectionError),
    ):
        _, tokens = begun(clock)
        found, _ = obtained(tokens, clock, outcome, seconds=1)
        assert isinstance(found, kind)
        assert "secret" not in str(found)
