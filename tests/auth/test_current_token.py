"""The token that a client knows of, its windows, its marks and its reports: one decision at a time, on clocks that are set."""

from __future__ import annotations

import hashlib
import logging
from typing import Any

import httpx
import pytest

from payman_sdk._core.auth import rotation
from payman_sdk._core.auth.current_token import CurrentToken
from payman_sdk._core.auth.grants import AccessToken, IssuedToken, parse_token_response
from payman_sdk._core.auth.rotation import Rotation
from payman_sdk._core.auth.stored_token import StoredToken, fingerprint_token
from payman_sdk._core.auth.token_requests import TokenRequests, _is_about_the_grant
from payman_sdk._core.auth.tokens import TokenManager, is_early, is_late
from payman_sdk._core.effects import CallHook, Flow, WithLock
from payman_sdk._core.hook_payloads import TokenRefresh
from payman_sdk._io.token_store_access import TokenStoreAccess
from payman_sdk._secrets import SecretStr, sent_secrets
from payman_sdk._telemetry.events import Listener
from payman_sdk._telemetry.observer import Observer
from payman_sdk._text.error_response import ErrorResponse
from payman_sdk._text.redaction import redact
from payman_sdk.errors import (
    APIConnectionError,
    APITimeoutError,
    AuthenticationError,
    PaymanError,
    RateLimitError,
    TokenStoreError,
)
from payman_sdk.token_stores import MemoryTokenStore
from tests.auth.test_tokens import OWN, PERSON, WALL, made, stored
from tests.steps import Busy, Clock, Outcome, driven, token_answer
from tests.tables import table

PAUSES = rotation._PAUSES


@pytest.fixture(autouse=True)
def _usual_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses are as long here as they are."""
    monkeypatch.setattr(rotation, "_PAUSES", PAUSES)


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Store(MemoryTokenStore):
    """A store that is seen at work, and may fail."""

    def __init__(self, kept: StoredToken | None = None) -> None:
        super().__init__()
        self.saved: list[StoredToken] = []
        self.failure: Exception | None = None
        if kept is not None:
            super().save(kept)

    def save(self, token: StoredToken) -> None:
        if self.failure is not None:
            raise self.failure
        self.saved.append(token)
        super().save(token)


class Access(TokenStoreAccess):
    """Notes for how long the store may take."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.seconds: list[float] = []
        self.loads: list[float] = []

    def load(self, seconds: float) -> Any:
        self.loads.append(seconds)
        return super().load(seconds)

    def save(self, token: StoredToken, seconds: float) -> None:
        self.seconds.append(seconds)
        super().save(token, seconds)


def manager(access: Access, clock: Clock, given: StoredToken | None = None, hook: Any = None) -> TokenManager:
    """Tokens of a person in a store that is watched."""

    def now() -> float:
        return WALL + clock.now

    return TokenManager(PERSON, access, given=given, clock=clock, now=now, observer=Observer(), on_token=hook)


def current(clock: Clock, store: Store, given: StoredToken | None = None) -> CurrentToken:
    return CurrentToken(PERSON, Access(store), given, clock, lambda: WALL + clock.now)


def issued(clock: Clock, access: str = "a-2", refresh: str | None = "r-2") -> IssuedToken:
    made_now = None if refresh is None else SecretStr(refresh)
    return IssuedToken(AccessToken(SecretStr(access), 3600, clock.now + 3600), made_now, None)


def unsaved(clock: Clock, store: Store) -> CurrentToken:
    """A token that was renewed, and that its store did not take."""
    kept = current(clock, store, stored(PERSON, clock, "a-1", 3600, "r-1"))
    store.failure = OSError("full")
    assert driven(kept.keep(issued(clock), clock.now + 60)) == (None, [])
    assert kept.is_unsaved
    store.failure = None
    return kept


# --- windows


@table(
    "lifetime, early, late",
    [(3600, 120, 60), (240, 120, 60), (200, 100, 50), (100, 50, 25), (10_000, 120, 60)],
)
def test_the_windows_begin_at_their_very_second(lifetime: float, early: float, late: float) -> None:
    """A token that has just so long to live is to be renewed; one of a moment more is not."""
    token = AccessToken(SecretStr("a"), lifetime, 5000.0)
    for judge, seconds in ((is_early, early), (is_late, late)):
        left = {seconds + 1: False, seconds + 0.125: False, seconds: True, seconds - 0.125: True, 0: True}
        assert {one: judge(token, 5000.0 - one) for one in left} == left, judge


def test_an_early_renewal_that_failed_is_tried_again_after_ten_seconds(clock: Clock) -> None:
    """Not before, and at the very second."""
    tokens = made(OWN, MemoryTokenStore(), clock, stored(OWN, clock, "a-1", 100))
    clock.now += 50
    lost = APIConnectionError("It broke.", sent=False)
    outcome, sent = driven(tokens.get(clock.now + 300), [lost])
    assert isinstance(outcome, AccessToken) and len(sent) == 1
    clock.now += 9.875
    assert len(driven(tokens.get(clock.now + 300), [lost])[1]) == 0
    clock.now += 0.125
    outcome, sent = driven(tokens.get(clock.now + 300), [token_answer("a-2")])
    assert isinstance(outcome, AccessToken) and (outcome.value, len(sent)) == ("a-2", 1)


def test_what_a_client_knows_of_its_token(clock: Clock) -> None:
    """Its secret, which a server may repeat, its scope and its time; nothing of a token that was dropped."""
    given = stored(PERSON, clock, "a-1", 3600, "r-1")._replace(scope="read_balance")
    tokens = made(PERSON, MemoryTokenStore(), clock, given)
    assert (tokens.current_secret, tokens.scope, tokens.get_seconds_left()) == ("a-1", "read_balance", 3600)
    clock.now += 4000
    assert tokens.get_seconds_left() == 0
    tokens.invalidate(AccessToken(SecretStr("a-1"), 3600, 0))
    assert (tokens.current_secret, tokens.scope) == (None, "read_balance")
    tokens.forget()
    assert (tokens.current_secret, tokens.scope, tokens.get_seconds_left()) == (None, None, 0)


def test_a_lock_that_somebody_holds_is_named(clock: Clock) -> None:
    """Whether it is this client's or that of the store."""
    for busy, name in ((Busy.CLIENT, "this client"), (Busy.STORE, TokenStoreAccess(MemoryTokenStore()).name)):
        outcome, sent = driven(made(OWN, MemoryTokenStore(), clock).get(9999), busy=busy)
        assert isinstance(outcome, APITimeoutError) and sent == []
        assert f"it holds the lock of {name}." in str(outcome)


def test_a_failure_is_shared_by_whoever_had_less_than_twenty_seconds_more(clock: Clock) -> None:
    """One who was in a hurry says nothing for the others; one with twenty seconds, or another failure, does."""
    for seconds, is_shared in ((19.875, False), (20, True), (300, True)):
        tokens = made(OWN, MemoryTokenStore(), clock)
        turns = [next(tokens.get(clock.now + left)) for left in (seconds, 9999, 9999)]
        flows = [turn.flow for turn in turns if isinstance(turn, WithLock)]
        first, _ = driven(flows[0], [APIConnectionError("lost")])
        assert isinstance(first, APIConnectionError) and first.sent is False
        second, sent = driven(flows[1], [] if is_shared else [token_answer("a-1")])
        assert isinstance(second, APIConnectionError if is_shared else AccessToken), seconds
        assert len(sent) == (not is_shared)


def test_a_code_takes_the_place_of_another_authorization(clock: Clock) -> None:
    """Also where its token is saved only later; the hook is called with its reason, and with that of a failure."""
    reported: list[TokenRefresh] = []
    store = Store(stored(PERSON, clock, "b-1", 3600, "r-b"))
    tokens = manager(access := Access(store), clock, None, reported.append)
    store.failure = OSError("full")
    code = PERSON.build_code_request("code-1")
    outcome, _ = driven(tokens.exchange_code(code, 9999), [token_answer("a-1", 3600, "r-1")])
    assert isinstance(outcome, AccessToken) and tokens.is_unsaved
    store.failure = None
    access.seconds.clear()
    driven(tokens.flush())
    assert access.seconds == [5.0]
    assert [token.access_token for token in store.saved] == ["a-1"]
    assert reported == [TokenRefresh("code", 3600, is_rotated=True)]
    outcome, _ = driven(tokens.exchange_code(code, 9999), [APIConnectionError("lost")])
    assert isinstance(outcome, APIConnectionError) and outcome.sent is False
    assert (len(reported), reported[1].reason, reported[1].error) == (2, "code", outcome)


def test_for_how_long_a_lock_is_waited_for(clock: Clock) -> None:
    """As long as the ask has, and for 45 seconds at most: longer than a store's lock lasts whose holder died."""
    for left, seconds in ((10, 10), (45, 45), (300, 45)):
        tokens = manager(Access(Store()), clock, stored(PERSON, clock, None, 0, "r-1"))
        step = next(tokens.exchange_code({}, clock.now + left))
        assert isinstance(step, WithLock) and step.until == clock.now + seconds
        outer = next(tokens.get(clock.now + left))
        assert isinstance(outer, WithLock) and outer.until == clock.now + left
        inner = next(outer.flow)
        assert isinstance(inner, WithLock) and inner.until == clock.now + seconds


@table("left, seconds", [(0.0, 0.1), (0.05, 0.1), (5.0, 5.0), (20.0, 20.0), (300.0, 20.0)])
def test_for_how_long_a_store_is_read(left: float, seconds: float) -> None:
    """As long as the ask has, and no longer than a renewal may take."""
    clock, access = Clock(), Access(Store())
    tokens = manager(access, clock, stored(PERSON, clock, None, 0, "r-1"))
    driven(tokens.get(clock.now + left), [APIConnectionError("lost", sent=False)])
    assert access.loads == [seconds]


def test_a_token_without_means_serves_until_it_ends(clock: Clock) -> None:
    """And is reported as long, though the store fails; at the very second of its end it serves no more."""
    access = Access(store := Store())
    tokens = manager(access, clock, stored(PERSON, clock, "a-1", 100))
    clock.now += 99.5
    info, _ = driven(tokens.info(clock.now + 60))
    assert (info, access.loads) == ({"accessToken": "a-1", "expiresIn": 0}, [])
    clock.now += 0.5
    outcome, sent = driven(tokens.get(clock.now + 60))
    assert isinstance(outcome, AuthenticationError) and sent == []
    assert driven(tokens.info(clock.now + 60)) == (None, [])
    assert store.saved == []


def test_a_refresh_token_that_may_be_spent_is_sent_again_at_its_very_second(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Five seconds later, where there is more time than that; an access token that has just ended serves nobody meanwhile."""
    for lifetime in (None, 0):
        access = None if lifetime is None else "a-1"
        given = stored(PERSON, clock, access, 0, "r-1")
        tokens, began = manager(Access(Store()), clock, given), clock.now
        outcomes: list[Outcome] = [APIConnectionError("lost"), token_answer("a-2", 3600, "r-2")]
        outcome, sent = driven(tokens.get(clock.now + 5.125), outcomes, clock=clock)
        assert isinstance(outcome, AccessToken) and (outcome.value, len(sent)) == ("a-2", 2)
        assert clock.now - began == 5
        assert "retrying its refresh token once in 5.0 s" in caplog.text
        tokens, began = manager(Access(Store()), clock, given), clock.now
        outcome, sent = driven(tokens.get(clock.now + 5), [APIConnectionError("lost")], clock=clock)
        assert (type(outcome), len(sent), clock.now - began) == (APIConnectionError, 1, 0)

    tokens = manager(Access(Store()), clock, stored(PERSON, clock, "a-1", 100, "r-1"))
    clock.now += 80  # late
    outcome, _ = driven(tokens.get(clock.now + 60), [APIConnectionError("lost")], clock=clock)
    assert isinstance(outcome, AccessToken) and outcome.value == "a-1"
    clock.now += 4.875
    assert driven(tokens.get(clock.now + 60), clock=clock)[1] == []
    clock.now += 0.125
    outcome, sent = driven(tokens.get(clock.now + 60), [token_answer("a-2", 3600, "r-2")], clock=clock)
    assert isinstance(outcome, AccessToken) and (outcome.value, len(sent)) == ("a-2", 1)


def test_after_two_lost_answers_ten_minutes_pass(clock: Clock) -> None:
    """At least: a server may want to be left alone for longer than five seconds, and for no longer than that."""
    pauses = Rotation(clock, lambda: WALL + clock.now)
    for count, said, seconds in (
        (1, None, 5), (1, "3", 5), (1, "30", 30), (1, "9999", 600), (2, None, 600), (2, "30", 600), (9, None, 600)
    ):  # fmt: skip
        headers = {} if said is None else {"retry-after": said}
        failure = RateLimitError("No.", response=ErrorResponse(429, b"", headers=headers))
        token = stored(PERSON, clock, None, 0, "r-1")._replace(unanswered=tuple(map(float, range(count))))
        lost = pauses.record_lost(token, failure)
        assert pauses.get_earliest_send(token) - clock.now == seconds, (count, said)
        assert (f"after {seconds:g} s" in lost.next_step) is (count == 1)
        assert (lost is failure) is (count == 1)
        pause = pauses.find_pause(token)
        assert pause is not None and f"in {seconds} s" in pause.next_step
        clock.now += seconds
        assert pauses.find_pause(token) is None


# --- why a token is fetched, and which is the newest


def test_why_a_token_is_fetched(clock: Clock) -> None:
    """As the hook is given it."""
    token = stored(PERSON, clock, "a-1", 100, "r-1")
    kept = current(clock, Store())
    assert kept.get_refresh_reason() == "first"
    kept.known = stored(PERSON, clock, None, 100, "r-1")
    assert kept.get_refresh_reason() == "first"
    kept.known = token
    reasons = []
    for _ in range(3):
        reasons.append(kept.get_refresh_reason())
        clock.now += 50
    assert reasons == ["ending", "ending", "ended"]
    kept.refused.append(SecretStr("a-0"))
    assert (kept.get_refresh_reason(), SecretStr("a-0") in kept.refused) == ("ended", True)
    kept.refused.append(SecretStr("a-1"))
    assert kept.get_refresh_reason() == "refused"


def test_a_refused_token_is_not_used_again_for_its_refresh_token(clock: Clock) -> None:
    """What the store still has is renewed: the server would refuse it again and again."""
    token = stored(PERSON, clock, "a-1", 3600, "r-1")
    store = Store(token)
    tokens = made(PERSON, store, clock, token)
    tokens.invalidate(AccessToken(SecretStr("a-1"), 3600, clock.now + 3600))
    outcome, sent = driven(tokens.get(clock.now + 60), [token_answer("a-2", 3600, "r-2")])
    assert isinstance(outcome, AccessToken) and (outcome.value, len(sent)) == ("a-2", 1)


def test_which_of_two_tokens_is_taken(clock: Clock) -> None:
    """What descends from ours, or serves where we have none; nothing that has ended, to the very second, or is older."""
    ours = stored(PERSON, clock, "a-2", 3600, "r-2")._replace(
        lineage=(*fingerprint_token("r-1"), *fingerprint_token("r-2"))
    )
    newer = ours._replace(lineage=(*ours.lineage, *fingerprint_token("r-3")))
    older = ours._replace(lineage=ours.lineage[:1])
    ending, ended = (stored(PERSON, clock, "a-1", seconds) for seconds in (0.125, 0))
    for known, theirs, is_taken in (
        (ours, newer, True),
        (ours, ours, True),
        (ours, older, False),
        (None, ending, True),
        (None, ended, False),
        (None, ended._replace(refresh_token=SecretStr("r-1")), True),
    ):
        kept = current(clock, Store(), known)
        assert kept.is_usable(theirs) is is_taken
        assert kept.adopt(theirs) is is_taken
        assert kept.known == (theirs if is_taken else known)


def test_a_lineage_goes_sixty_four_tokens_back(clock: Clock) -> None:
    """Its own mark is the last."""
    kept = current(clock, Store())
    for number in range(100):
        driven(kept.keep(issued(clock, f"a-{number}", f"r-{number}"), clock.now + 60))
    assert kept.known is not None
    assert kept.known.lineage == tuple(fingerprint_token(f"r-{number}")[0] for number in range(36, 100))


def test_eight_refused_tokens_are_remembered(clock: Clock) -> None:
    """The newest ones."""
    kept = current(clock, Store())
    for number in range(9):
        kept.refused.append(SecretStr(f"a-{number}"))
    assert [SecretStr(f"a-{number}") in kept.refused for number in range(9)] == [False] + [True] * 8


# --- saving


@table("left, seconds", [(0, 1.0), (-50, 1.0), (1.5, 1.5), (4, 4.0), (5, 5.0), (300, 5.0)])
def test_for_how_long_a_store_may_take(left: float, seconds: float) -> None:
    """As long as the ask has, but a second at least: it may be the only copy; and never longer than five."""
    clock, store = Clock(), Store()
    access = Access(store)
    kept = CurrentToken(PERSON, access, None, clock, lambda: WALL + clock.now)
    driven(kept.keep(issued(clock), clock.now + left))
    assert (access.seconds, kept.is_unsaved, len(store.saved)) == ([seconds], False, 1)


def test_a_note_that_cannot_be_written_is_known_all_the_same(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """The log names the store; the renewal goes on."""
    caplog.set_level(logging.DEBUG)
    kept = current(clock, store := Store(), token := stored(PERSON, clock, None, 0, "r-1"))
    noted = token._replace(unanswered=(WALL,))
    for failure in (None, OSError("full")):
        store.failure = failure
        kept.known = token
        assert driven(kept.note(noted, clock.now + 60)) == (None, [])
        assert kept.known == noted and not kept.is_unsaved
        assert (f"Could not note a renewal in {kept.store.name}" in caplog.text) is (failure is not None)


def test_a_refused_refresh_token_takes_no_access_token_with_it(clock: Clock) -> None:
    """What is still valid serves to its end, and the store keeps it for others, with its scope and lineage."""
    store, given = Store(), stored(PERSON, clock, "a-1", 100, "r-1")._replace(scope="read_balance")
    tokens = manager(Access(store), clock, given)
    clock.now += 60
    refused = httpx.Response(400, json={"error": "invalid_grant"})
    outcome, sent = driven(tokens.get(clock.now + 300), [refused])
    assert isinstance(outcome, AccessToken) and (outcome.value, len(sent)) == ("a-1", 1)
    assert (tokens.scope, tokens.refresh_token) == ("read_balance", None)
    assert store.load() == given._replace(refresh_token=None, unanswered=())
    outcome, sent = driven(tokens.get(clock.now + 300))
    assert isinstance(outcome, AccessToken) and (outcome.value, sent) == ("a-1", [])
    clock.now += 40
    outcome, sent = driven(tokens.get(clock.now + 300))
    assert isinstance(outcome, AuthenticationError) and sent == []


def test_a_stored_token_that_nothing_renews_now_serves_until_it_ends(clock: Clock) -> None:
    """Also in a process that is started in its windows: without a refresh token, or with one that may be spent."""
    for refresh in (None, "r-1"):
        unanswered = () if refresh is None else (WALL + clock.now - 1,)
        for left in (120.0, 60.0, 0.125):
            given = stored(PERSON, clock, "a-1", left, refresh)._replace(lifetime=3600, unanswered=unanswered)
            outcome, sent = driven(manager(Access(Store(given)), clock).get(clock.now + 3))
            assert isinstance(outcome, AccessToken) and (outcome.value, sent) == ("a-1", []), (refresh, left)
        ended = Store(stored(PERSON, clock, "a-1", 0, refresh)._replace(unanswered=unanswered))
        outcome, sent = driven(manager(Access(ended), clock).get(clock.now + 3))
        assert isinstance(outcome, AuthenticationError) and sent == []
    given = stored(PERSON, clock, "a-1", 100, "r-1")._replace(lifetime=3600)
    outcome, sent = driven(manager(Access(Store(given)), clock).get(clock.now + 3), [token_answer("a-2")])
    assert isinstance(outcome, AccessToken) and (outcome.value, len(sent)) == ("a-2", 1)


def test_while_one_saves_nobody_else_tries(clock: Clock) -> None:
    """For five seconds; afterwards for twenty times as long as the store took to fail."""
    store = Store()
    kept = current(clock, store)
    saving = kept.keep(issued(clock), clock.now + 60)
    next(saving)
    assert not kept.is_due()
    clock.now += 4.875
    assert not kept.is_due()
    clock.now += 0.125
    assert kept.is_due()
    with pytest.raises(StopIteration):
        saving.throw(TokenStoreError("full"))
    assert kept.is_unsaved and not kept.is_due()
    clock.now += 99.875
    assert not kept.is_due()
    clock.now += 0.125
    assert kept.is_due()


def test_a_failure_to_save_is_logged_once_a_minute(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """And what would be lost with the process is said."""
    store = Store()
    kept = unsaved(clock, store)
    store.failure = OSError("full")
    assert "its refresh token would be lost" in caplog.text
    for seconds, count in ((59.875, 1), (0.125, 2), (59.875, 2), (0.125, 3)):
        clock.now += seconds
        driven(kept.retry_save(clock.now + 60))
        assert caplog.text.count("Could not save the new access token") == count
    assert {record.levelno for record in caplog.records} == {logging.WARNING}


@table("case", ["nothing to save", "nothing known"])
def test_what_is_not_unsaved_is_not_saved(case: str) -> None:
    """Also where all was forgotten meanwhile."""
    clock, store = Clock(), Store()
    kept = unsaved(clock, store)
    if case == "nothing known":
        kept.known = None
    else:
        kept.is_unsaved = False
    assert driven(kept.retry_save(clock.now + 60)) == (None, [])
    assert store.saved == []


def test_what_the_store_has_by_now_decides_whether_a_token_is_saved(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """One that descends from it is taken, one of another authorization is left, and one that is older replaced."""
    kept = unsaved(clock, store := Store())
    mine = kept.known
    assert mine is not None
    child = mine._replace(access_token=SecretStr("a-3"), lineage=(*mine.lineage, *fingerprint_token("r-3")))
    parent = stored(PERSON, clock, "a-1", 3600, "r-1")
    stranger = stored(PERSON, clock, "b-1", 3600, "r-b")
    dead = stored(PERSON, clock, "b-1", 0)
    for theirs, known, is_saved in (
        (child, child, False),
        (stranger, mine, False),
        (parent, mine, True),
        (dead, mine, True),
        (None, mine, True),
    ):
        caplog.clear()
        kept = unsaved(clock, store := Store(theirs))
        driven(kept.retry_save(clock.now + 60))
        assert (kept.known, kept.is_unsaved, bool(store.saved)) == (known, False, is_saved), theirs
        assert ("holds one of another authorization" in caplog.text) is (theirs is stranger)


def test_somebody_elses_token_is_not_replaced_and_that_is_said(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """It stays unsaved."""
    kept = unsaved(clock, store := Store(stored(OWN, clock, "c-1", 3600)))
    caplog.clear()
    clock.now += 60
    driven(kept.retry_save(clock.now + 60))
    assert (kept.is_unsaved, store.saved) == (True, [])
    assert "holds a token of" in caplog.text


def test_a_code_replaces_what_is_there_also_when_it_is_saved_later(clock: Clock) -> None:
    """But only that once: a renewal after it does not."""
    stranger = stored(PERSON, clock, "b-1", 3600, "r-b")
    for replaces_all in (True, False):
        kept = current(clock, store := Store(), stored(PERSON, clock, "a-1", 3600, "r-1"))
        store.failure = OSError("full")
        driven(kept.keep(issued(clock), clock.now + 60, replaces_all=replaces_all))
        assert kept.known is not None and len(kept.known.lineage) == (1 if replaces_all else 2)
        store.failure = None
        MemoryTokenStore.save(store, stranger)
        driven(kept.retry_save(clock.now + 60))
        assert bool(store.saved) is replaces_all


# --- marks


def test_marks_of_a_token() -> None:
    """Sixteen digits of its hash; none of none, and one of any text."""
    assert fingerprint_token(None) == fingerprint_token("") == ()
    assert fingerprint_token("r-1") == (hashlib.sha256(b"r-1").hexdigest()[:16],)
    assert [len(mark) for mark in fingerprint_token("\ud800")] == [16]


def test_notes_of_one_moment_are_two_notes_in_every_process(clock: Clock) -> None:
    """On a wall clock that is frozen, or was set back, each is a millisecond later than the one before."""
    for jump in (0.0, -3600.0):
        times = iter((WALL, WALL + jump, WALL + 2 * jump))
        notes = Rotation(clock, lambda times=times: next(times))  # type: ignore[misc]
        token = stored(PERSON, clock, None, 0, "r-1")
        for _ in range(3):
            token = notes.mark_sent(token)
        assert token.unanswered == (WALL, WALL + 0.001, WALL + 0.001 + 0.001)
        assert Rotation(clock, lambda: WALL).merge(None, token).unanswered == token.unanswered


def test_what_is_in_memory_is_taken_at_once_from_this_owner_alone(clock: Clock) -> None:
    for kept, expected in (
        (None, None),
        (stored(OWN, clock, "a-1"), None),
        (stored(PERSON, clock, "a-1"), "a-1"),
    ):
        access = TokenStoreAccess(MemoryTokenStore())
        if kept is not None:
            access.save(kept, 1)
        token = CurrentToken(PERSON, access, None, clock, lambda: WALL + clock.now).access_token
        assert (token and token.value) == expected


# --- answers


def test_issued_tokens_are_known_as_secrets() -> None:
    """So that whatever repeats one is redacted; a refresh token that cannot be sent is none."""
    sent_secrets.clear()
    answer = {"accessToken": "an-access-token", "refreshToken": "a-refresh-token", "expiresIn": 60}
    parse_token_response(httpx.Response(200, json=answer), 0)
    assert "token" not in redact("an-access-token, a-refresh-token")
    for odd in ("a b", "ä", "a\nb", "", None):
        token = parse_token_response(httpx.Response(200, json={**answer, "refreshToken": odd}), 0)
        assert token.refresh_token is None, odd


@table(
    "status, body, media_type, expected",
    [
        (400, '{"error": "invalid_grant"}', "application/json", True),
        (403, '{"error": "invalid_grant"}', "text/html", True),
        (400, '{"error": "invalid_client"}', "application/json", False),
        (401, '{"error": "invalid_client"}', "application/json", False),
        (400, "{}", "application/json", True),
        (401, "{}", "application/problem+json", True),
        (403, "{}", "application/json", False),
        (402, "{}", "application/json", False),
        (400, "<html>", "text/html", False),
        (401, "<html>", "text/html", False),
        (401, "", "", False),
    ],
)
def test_what_says_that_a_refresh_token_does_not_work(
    status: int, body: str, media_type: str, expected: bool
) -> None:
    """Not a page of a proxy, nor what is about the client: the refresh token would be lost for nothing."""
    answer = httpx.Response(status, text=body, headers={"content-type": media_type})
    with pytest.raises(PaymanError) as raised:
        parse_token_response(answer, 0)
    error = raised.value
    if isinstance(error, AuthenticationError):
        assert _is_about_the_grant(error) is expected
    else:
        assert status == 402


def test_a_refusal_without_an_answer_is_not_about_the_grant() -> None:
    assert not _is_about_the_grant(AuthenticationError("No."))


# --- reports


class Reports(Listener):
    """The ends of refreshes that a listener gets."""

    def __init__(self) -> None:
        self.ended: list[TokenRefresh | None] = []

    def record_refresh_end(self, began: Any, refresh: TokenRefresh | None) -> None:
        self.ended.append(refresh)


def report(
    listener: Reports | None, hook: Any, clock: Clock, refresh: str | None, error: PaymanError | None
) -> tuple[list[TokenRefresh | None], list[TokenRefresh]]:
    """What is made of a refresh for the listener, and what the hook is called with."""
    kept = current(clock, Store(), stored(PERSON, clock, "a-1", 3600, "r-1"))
    observer = Observer((listener,) if listener else ())
    reports = TokenRequests(PERSON, kept, clock, observer, hook)

    def flow() -> Flow[AccessToken]:
        yield from ()
        kept.known = stored(PERSON, clock, "a-2", 3600, refresh)
        if error is not None:
            raise error
        return token

    token = AccessToken(SecretStr("a-2"), 3600, 9999)
    assert driven(reports.track("ending", flow()))[0] is (error or token)
    steps = list(reports.call_hooks())
    assert all(isinstance(step, CallHook) and step.function is hook for step in steps)
    stats = observer.get_stats()
    assert (stats.token_refreshes, stats.failed_token_refreshes) == ((0, 1) if error else (1, 0))
    return listener.ended if listener else [], [step.about for step in steps if isinstance(step, CallHook)]


def test_what_is_reported_of_a_refresh(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a refresh token came that is another; and nothing is made where nobody looks."""
    error = APIConnectionError("lost")
    for refresh, failure, expected in (
        ("r-2", None, TokenRefresh("ending", 3600, is_rotated=True)),
        ("r-1", None, TokenRefresh("ending", 3600, is_rotated=False)),
        (None, None, TokenRefresh("ending", 3600, is_rotated=False)),
        ("r-2", error, TokenRefresh("ending", None, is_rotated=False, error=error)),
    ):
        assert report(Reports(), None, clock, refresh, failure) == ([expected], [])
        assert report(Reports(), print, clock, refresh, failure) == ([expected], [expected])
        assert report(None, print, clock, refresh, failure) == ([], [expected])
        with monkeypatch.context() as patched:
            patched.delattr("payman_sdk._core.hook_payloads.TokenRefresh")
            assert report(None, None, clock, refresh, failure) == ([], [])


def test_the_newest_sixty_four_refreshes_wait_for_the_hook(clock: Clock) -> None:
    """A hook that is never called takes no memory for ever."""
    reports = TokenRequests(PERSON, current(clock, Store()), clock, Observer(), print)

    def refreshes() -> Flow[AccessToken]:
        yield from ()
        return AccessToken(SecretStr("a"), next(lifetimes), 9999)

    lifetimes = iter(range(1, 101))
    for _ in range(100):
        driven(reports.track("ended", refreshes()))
    calls = [step.about.expires_in for step in reports.call_hooks() if isinstance(step, CallHook)]
    assert calls == [*range(37, 101)]
    assert list(reports.call_hooks()) == []
