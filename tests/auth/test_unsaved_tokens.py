"""Tokens whose store fails, is held by somebody else, or changes while it is written: stepped by hand."""

from __future__ import annotations

import logging
from typing import Any, cast

import pytest

from payman_sdk._core.auth.grants import AccessToken
from payman_sdk._core.auth.tokens import TokenManager
from payman_sdk._core.effects import CallBlocking, WithLock
from payman_sdk.errors import PaymanError, TokenStoreError
from payman_sdk.token_stores import MemoryTokenStore, StoredToken
from tests.auth.test_tokens import OWN, PERSON, made, stored
from tests.steps import Busy, Clock, driven, token_answer


class Failing(MemoryTokenStore):
    """A store that fails at what is asked for next."""

    loads = saves = True

    def load(self) -> StoredToken | None:
        if not self.loads:
            raise TokenStoreError("It cannot be read.")
        return super().load()

    def save(self, token: StoredToken) -> None:
        if not self.saves:
            raise OSError("full")
        super().save(token)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store() -> Failing:
    return Failing()


@pytest.fixture
def person(store: Failing, clock: Clock) -> TokenManager:
    """Tokens of a person who is logged in."""
    return made(PERSON, store, clock, stored(PERSON, clock, None, 0, "r-1"))


def test_the_scope_is_that_of_the_newest_token(clock: Clock) -> None:
    """Nobody knows one before there is a token."""
    tokens = made(OWN, Failing(), clock)
    assert tokens.scope is None
    driven(tokens.get(9999), [token_answer()])
    assert tokens.scope is None


def test_a_code_is_not_exchanged_while_the_lock_is_held(person: TokenManager) -> None:
    """Who holds it is said; nothing is sent."""
    error, sent = driven(person.exchange_code({}, 9999), busy=Busy.STORE)
    assert isinstance(error, PaymanError) and sent == []


def test_nothing_is_saved_where_nothing_is_unsaved(person: TokenManager) -> None:
    """Neither by `flush` nor once more."""
    assert driven(person.flush()) == (None, [])
    assert driven(person._kept.retry_save(9999)) == (None, [])
    empty = made(OWN, Failing(), Clock())
    assert driven(empty._kept.drop_refresh_token(9999)) == (None, [])


def test_a_token_that_another_has_replaced_is_not_refreshed_early(person: TokenManager) -> None:
    """Nothing is sent."""
    seen = cast("AccessToken", object())
    assert driven(person._refresh_early(seen, 9999)) == (None, [])


def test_a_refused_refresh_token_goes_though_the_store_fails(
    person: TokenManager, store: Failing, caplog: pytest.LogCaptureFixture
) -> None:
    """It is gone in this process, and the log says that it is still in the store."""
    store.saves = False
    driven(person._kept.drop_refresh_token(9999))
    assert person._kept.refresh_token is None
    assert "Could not remove a refused refresh token" in caplog.text


def test_what_could_not_be_saved_replaces_what_cannot_be_read(
    person: TokenManager, store: Failing, clock: Clock
) -> None:
    """Nothing is lost by writing over it."""
    store.saves = False
    driven(person.get(9999), [token_answer("a-2", refresh_token="r-2")], clock=clock)
    assert person.is_unsaved
    store.saves, store.loads = True, False
    driven(person.flush(), clock=clock)
    store.loads = True
    kept = store.load()
    assert not person.is_unsaved and kept is not None and kept.access_token == "a-2"


def test_a_lock_that_fails_keeps_a_token_unsaved(
    person: TokenManager, store: Failing, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """It is saved the next time; the log says why it was not."""
    caplog.set_level(logging.DEBUG)
    store.saves = False
    driven(person.get(9999), [token_answer("a-2", refresh_token="r-2")], clock=clock)
    flow = person.flush()
    assert isinstance(next(flow), WithLock)
    with pytest.raises(StopIteration):
        flow.throw(TokenStoreError("no lock"))
    assert person.is_unsaved and "Could not get the lock" in caplog.text


def test_what_could_not_be_saved_waits_for_the_lock_at_the_end(
    person: TokenManager, store: Failing, clock: Clock
) -> None:
    """A client that is closed has no later use at which it could try again; one that is used does not wait."""
    store.saves = False
    driven(person.get(9999), [token_answer("a-2", refresh_token="r-2")], clock=clock)
    clock.now += 1000
    for flow, seconds in ((person.flush(), 5.0), (person.get(9999), 0.0)):
        step = next(flow)
        assert isinstance(step, WithLock)
        assert max(0.0, step.until - clock.now) == seconds
        flow.close()


def test_a_token_that_comes_while_another_is_saved_is_unsaved(
    person: TokenManager, store: Failing, clock: Clock
) -> None:
    """What was written is not the newest one."""
    kept: Any = person._kept
    kept.is_unsaved = True
    flow = kept._save(9999)
    step = next(flow)
    assert isinstance(step, CallBlocking)
    kept.known = kept.known._replace(scope="read_balance")
    with pytest.raises(StopIteration):
        flow.send(step.function())
    assert person.is_unsaved and store.load() is not None


def test_a_stored_token_that_no_header_can_carry(clock: Clock) -> None:
    """Neither the access token nor the refresh token of a store is sent then."""
    for access, refresh in (("a\nb", "r-1"), (None, "r\n1")):
        store = Failing()
        tokens = made(PERSON, store, clock, stored(PERSON, clock, None, 0, "r-1"))
        store.save(stored(PERSON, clock, access, 3600, refresh))
        error, _ = driven(tokens._kept.load_stored(10))
        assert isinstance(error, TokenStoreError)
