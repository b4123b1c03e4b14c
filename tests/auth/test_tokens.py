from __future__ import annotations

import base64
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, cast

import httpx
import pytest

from payman_api import ACCESS_TOKEN_HEADER
from payman_sdk import MemoryTokenStore, PaymanClient, StoredToken
from payman_sdk._core.auth.grants import AccessToken, TokenOwner
from payman_sdk._core.auth.stored_token import fingerprint_token
from payman_sdk._core.auth.tokens import TokenManager, is_early, is_late
from payman_sdk._core.effects import CallBlocking, Lock, SendRequest, WithLock
from payman_sdk._core.rpc import send_authenticated
from payman_sdk._io.token_store_access import TokenStoreAccess
from payman_sdk._secrets import SecretStr
from payman_sdk._telemetry.observer import Observer
from payman_sdk.errors import (
    APIConnectionError,
    APITimeoutError,
    AuthenticationError,
    ConfigurationError,
    RateLimitError,
    ServerError,
    TokenStoreError,
)
from tests.conftest import SECRET, Connect
from tests.peer import ACCESS_TOKEN, ASK_PATH, GET_PATH, TOKEN_PATH, Peer, Request, answer, completed, token
from tests.steps import Busy, Clock, driven, time_of, token_answer

REQUEST = {"method": "POST", "url": "/x", "headers": {"Content-Type": "application/json"}}
WALL = 1_800_000_000.0
OWN = TokenOwner(
    client_id="pm-test-1",
    client_secret=SecretStr("s3cret"),
    base_url="https://agent.payman.dev",
    has_own_account=True,
)
PERSON = OWN._replace(has_own_account=False)
PUBLIC = PERSON._replace(client_secret=None)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store() -> MemoryTokenStore:
    return MemoryTokenStore()


@pytest.fixture
def tokens(clock: Clock, store: MemoryTokenStore) -> TokenManager:
    return made(OWN, store, clock)


def made(
    owner: TokenOwner, store: MemoryTokenStore, clock: Clock, given: StoredToken | None = None
) -> TokenManager:
    """Tokens whose wall clock goes with their own."""
    return TokenManager(
        owner,
        TokenStoreAccess(store),
        given=given,
        clock=clock,
        now=lambda: WALL + clock.now,
        observer=Observer(),
    )


def stored(
    owner: TokenOwner, clock: Clock, access: str | None, lifetime: float = 3600, refresh: str | None = None
) -> StoredToken:
    """A token as a store holds it, that lives so long from now."""
    return StoredToken(
        issued_to=owner.name,
        access_token=access,
        expires_at=WALL + clock.now + lifetime,
        lifetime=max(lifetime, 1),
        refresh_token=refresh,
        lineage=fingerprint_token(refresh or access),
    )


def fetched(tokens: TokenManager, answer: httpx.Response | None = None) -> AccessToken:
    outcome, sent = driven(tokens.get(9999), [answer or token_answer()])
    assert len(sent) == 1, outcome
    return cast("AccessToken", outcome)


def grant_of(step: SendRequest) -> dict[str, str]:
    """The parameters of a token request."""
    return dict(step.request["params"])


# One token, one fetch


def test_the_steps_of_fetching_a_token(tokens: TokenManager, clock: Clock) -> None:
    """A token is fetched alone in the client and alone among the store's users, who read again before and write after."""
    flow = tokens.get(deadline=1015)
    in_client = next(flow)
    assert isinstance(in_client, WithLock)
    assert (in_client.lock, in_client.until) == (None, 1015)
    among_all = next(in_client.flow)
    assert isinstance(among_all, WithLock)
    assert among_all.lock is not None
    read_again = next(among_all.flow)
    assert isinstance(read_again, CallBlocking)
    send = among_all.flow.send(None)
    assert isinstance(send, SendRequest)
    assert (send.request["url"], send.deadline) == ("/api/oauth2/token", 1015)
    clock.now += 5  # the answer takes its time
    write = among_all.flow.send(token_answer("token-1", 100))
    assert isinstance(write, CallBlocking)
    with pytest.raises(StopIteration) as renewed:
        among_all.flow.send(None)
    assert renewed.value.value == AccessToken(SecretStr("token-1"), 100, 1100)


def test_a_renewal_is_over_before_a_stores_lock_expires(tokens: TokenManager) -> None:
    """However far the deadline of an ask is, its renewal has twenty seconds: nobody else may spend the same refresh token."""
    _, sent = driven(tokens.get(9999), [token_answer()])
    assert sent[0].deadline == 1000 + 20


def test_a_token_is_kept(tokens: TokenManager) -> None:
    """Who needs a token after it was fetched gets the same without a step."""
    first = fetched(tokens)
    assert driven(tokens.get(9999)) == (first, [])


def test_who_waited_finds_the_token_of_the_one_before(tokens: TokenManager) -> None:
    """Of two that need a token at once, the second sends nothing when its turn comes."""
    first, second = tokens.get(9999), tokens.get(9999)
    turn, next_turn = next(first), next(second)
    assert isinstance(turn, WithLock)
    assert isinstance(next_turn, WithLock)
    fetched_token, sent = driven(turn.flow, [token_answer()])
    assert len(sent) == 1
    with pytest.raises(StopIteration) as found:  # without another step, to the store neither
        next(next_turn.flow)
    assert found.value.value is fetched_token


def test_who_waited_shares_the_failure_of_the_one_before(tokens: TokenManager) -> None:
    """Of many that wait for a token, one meets the failure, and the others get a copy of it instead of trying in turn."""
    turns = [cast("WithLock", next(tokens.get(9999))) for _ in range(3)]
    met, _ = driven(turns[0].flow, [httpx.Response(429)])
    shared = [driven(turn.flow) for turn in turns[1:]]
    assert isinstance(met, RateLimitError)
    assert [(type(error), str(error), sent) for error, sent in shared] == [(RateLimitError, str(met), [])] * 2
    # Each caller notes its own ids on an error of its own.
    assert len({id(error) for error in (met, *(error for error, _ in shared))}) == 3


def test_who_waited_does_not_share_the_hurry_of_the_one_before(tokens: TokenManager) -> None:
    """A failure of one with little time is its own: whoever has more tries again."""
    hurried, patient = tokens.get(1001), tokens.get(9999)
    turn, next_turn = cast("WithLock", next(hurried)), cast("WithLock", next(patient))
    assert isinstance(driven(turn.flow, [APITimeoutError("Too late.")])[0], APITimeoutError)
    renewed, sent = driven(next_turn.flow, [token_answer("a-1")])
    assert (cast("AccessToken", renewed).value, len(sent)) == ("a-1", 1)


def test_a_failure_leaves_the_next_to_try(tokens: TokenManager) -> None:
    """A failure is not kept for those who come later: the next ask fetches again."""
    outcome, _ = driven(tokens.get(9999), [httpx.Response(500)])
    assert isinstance(outcome, ServerError)
    assert fetched(tokens).value == "token-1"


def test_a_lock_that_is_not_had_in_time_is_a_timeout(tokens: TokenManager) -> None:
    """Whoever cannot have the lock within its deadline hears so, and that nothing was sent."""
    for busy in (Busy.CLIENT, Busy.STORE):
        outcome, sent = driven(tokens.get(9999), busy=busy)
        assert isinstance(outcome, APITimeoutError)
        assert not outcome.sent
        assert sent == []


# The two windows


@pytest.mark.parametrize(
    ("lifetime", "early", "late"),
    [(3600, 3480, 3540), (240, 120, 180), (200, 100, 150), (100, 50, 75), (1, 0.5, 0.75)],
)
def test_the_windows_of_a_token(
    lifetime: float, early: float, late: float, tokens: TokenManager, clock: Clock
) -> None:
    """The early window begins 120 s before the end and the late one 60 s before, at most at a half and a quarter of a life."""
    old = fetched(tokens, token_answer("old", lifetime))
    for age, early_then, late_then in (
        (early - 0.01, False, False),
        (early + 0.01, True, False),
        (late - 0.01, True, False),
        (late + 0.01, True, True),
    ):
        assert (is_early(old, 1000 + age), is_late(old, 1000 + age)) == (early_then, late_then)


def test_in_the_early_window_one_renews_and_the_others_go_on(tokens: TokenManager, clock: Clock) -> None:
    """Whoever gets the lock without waiting renews; whoever does not goes on with the token there is, at once."""
    old = fetched(tokens, token_answer("old"))
    clock.now += 3500
    assert driven(tokens.get(9999), busy=Busy.CLIENT) == (old, [])
    assert driven(tokens.get(9999), busy=Busy.STORE) == (old, [])
    renewed, sent = driven(tokens.get(9999), [token_answer("new")])
    assert (cast("AccessToken", renewed).value, len(sent)) == ("new", 1)
    assert driven(tokens.get(9999)) == (renewed, [])


def test_in_the_early_window_a_lock_is_only_tried(tokens: TokenManager, clock: Clock) -> None:
    """Nobody waits for a lock while the token still serves."""
    fetched(tokens, token_answer("old"))
    clock.now += 3500
    in_client = next(tokens.get(9999))
    assert isinstance(in_client, WithLock)
    assert in_client.until <= clock.now
    among_all = next(in_client.flow)
    assert isinstance(among_all, WithLock)
    assert among_all.until <= clock.now


def test_a_failure_in_the_early_window_is_only_logged(
    tokens: TokenManager, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """A renewal that fails early harms nobody, is logged once, and is not tried again by every ask that follows."""
    old = fetched(tokens, token_answer("old"))
    clock.now += 3500
    with caplog.at_level(logging.WARNING, "payman_sdk"):
        outcome, sent = driven(tokens.get(9999), [httpx.Response(500)])
    assert (outcome, len(sent)) == (old, 1)
    assert [record.name for record in caplog.records] == ["payman_sdk"]
    assert "still valid" in caplog.text
    assert driven(tokens.get(9999)) == (old, [])
    clock.now += 10.01
    assert len(driven(tokens.get(9999), [token_answer("new")])[1]) == 1


def test_in_the_late_window_a_failure_is_raised(tokens: TokenManager, clock: Clock) -> None:
    """When the end is near, callers wait for the renewal, and its failure is theirs."""
    fetched(tokens, token_answer("old"))
    clock.now += 3541
    outcome, _ = driven(tokens.get(9999), [httpx.Response(500)])
    assert isinstance(outcome, ServerError)


# Refused tokens


def test_only_the_refused_token_is_dropped(tokens: TokenManager) -> None:
    """A late word that an old token was refused does not drop the one that has taken its place."""
    old = fetched(tokens, token_answer("old"))
    tokens.invalidate(old)
    new = fetched(tokens, token_answer("new"))
    tokens.invalidate(old)
    assert driven(tokens.get(9999)) == (new, [])
    tokens.invalidate(new)
    assert tokens.get_seconds_left() == 0


def test_a_refused_token_is_not_taken_from_the_store_again(
    tokens: TokenManager, store: MemoryTokenStore
) -> None:
    """What the server refused is still in the store; it is replaced, not used again."""
    tokens.invalidate(fetched(tokens, token_answer("old")))
    kept = store.load()
    assert kept is not None
    assert kept.access_token == "old"
    assert fetched(tokens, token_answer("new")).value == "new"


def test_a_request_is_signed(tokens: TokenManager, clock: Clock) -> None:
    """The token goes into its header beside the others, and the request that was given stays as it was."""
    outcome, sent = driven(
        send_authenticated(REQUEST, time_of(clock, 8999, tokens=tokens)),
        [token_answer(), httpx.Response(200)],
    )
    assert cast("httpx.Response", outcome).status_code == 200
    assert sent[1].request["headers"] == {**REQUEST["headers"], ACCESS_TOKEN_HEADER: "token-1"}  # type: ignore[dict-item]
    assert ACCESS_TOKEN_HEADER not in REQUEST["headers"]


def test_a_refused_token_is_replaced_once(tokens: TokenManager, clock: Clock) -> None:
    """After a 401 the request goes out once more, with another token."""
    outcome, sent = driven(
        send_authenticated(REQUEST, time_of(clock, 8999, tokens=tokens)),
        [token_answer("old"), httpx.Response(401), token_answer("new"), httpx.Response(200)],
    )
    assert cast("httpx.Response", outcome).status_code == 200
    assert [step.request["url"] for step in sent] == ["/api/oauth2/token", "/x", "/api/oauth2/token", "/x"]
    assert sent[3].request["headers"][ACCESS_TOKEN_HEADER] == "new"


def test_a_second_refusal_is_the_answer(tokens: TokenManager, clock: Clock) -> None:
    """A request whose second token is refused as well is not sent a third time."""
    outcome, sent = driven(
        send_authenticated(REQUEST, time_of(clock, 8999, tokens=tokens)),
        [token_answer("old"), httpx.Response(401), token_answer("new"), httpx.Response(401)],
    )
    assert cast("httpx.Response", outcome).status_code == 401
    assert len(sent) == 4


def test_a_token_that_another_has_renewed_is_used(tokens: TokenManager, clock: Clock) -> None:
    """Who is refused after another has fetched a new token takes that one."""
    old = fetched(tokens, token_answer("old"))
    flow = send_authenticated(REQUEST, time_of(clock, 8999, tokens=tokens))
    next(flow)
    tokens.invalidate(old)
    new = fetched(tokens, token_answer("new"))
    again = flow.send(httpx.Response(401))
    assert isinstance(again, SendRequest)
    assert again.request["headers"][ACCESS_TOKEN_HEADER] == new.value


def test_a_failed_token_request_has_not_sent_what_the_token_was_for(
    tokens: TokenManager, clock: Clock
) -> None:
    """However far the token request got, its failure says that nothing was sent, and that it was about the token."""
    failure = APIConnectionError("The connection broke.")
    assert failure.sent
    outcome, sent = driven(send_authenticated(REQUEST, time_of(clock, 8999, tokens=tokens)), [failure])
    assert outcome is failure
    assert not failure.sent
    assert str(failure) == "No access token could be fetched. The connection broke."
    assert len(sent) == 1


# Refresh tokens


def test_a_refresh_token_gets_the_next_token(store: MemoryTokenStore, clock: Clock) -> None:
    """A client that has only a refresh token sends it, with Basic where there is a secret, and keeps what comes of it."""
    tokens = made(PERSON, store, clock, stored(PERSON, clock, None, 0, "r-1"))
    outcome, sent = driven(tokens.get(9999), [token_answer("a-1", 3600, "r-2")])
    assert cast("AccessToken", outcome).value == "a-1"
    assert grant_of(sent[0]) == {"grant_type": "refresh_token", "refresh_token": "r-1"}
    assert sent[0].request["headers"]["Authorization"].startswith("Basic ")
    assert tokens.refresh_token == "r-2"


def test_a_public_client_sends_its_id(store: MemoryTokenStore, clock: Clock) -> None:
    """Without a secret the id goes with the parameters, and there is no Basic header."""
    tokens = made(PUBLIC, store, clock, stored(PUBLIC, clock, None, 0, "r-1"))
    _, sent = driven(tokens.get(9999), [token_answer("a-1")])
    assert grant_of(sent[0]) == {
        "grant_type": "refresh_token",
        "refresh_token": "r-1",
        "client_id": "pm-test-1",
    }
    assert "headers" not in sent[0].request


def test_rotation_is_followed(store: MemoryTokenStore, clock: Clock) -> None:
    """A new refresh token replaces the old one; without one in the answer, the old one is kept."""
    tokens = made(PERSON, store, clock, stored(PERSON, clock, None, 0, "r-1"))
    spent: list[str] = []
    for answer_of_it in (
        token_answer("a-1", 3600, "r-2"),
        token_answer("a-2"),
        token_answer("a-3", 3600, "r-3"),
    ):
        _, sent = driven(tokens.get(99999), [answer_of_it])
        spent.append(grant_of(sent[0])["refresh_token"])
        clock.now += 3600
    assert spent == ["r-1", "r-2", "r-2"]
    assert tokens.refresh_token == "r-3"
    kept = store.load()
    assert kept is not None
    assert (kept.access_token, kept.refresh_token) == ("a-3", "r-3")


@pytest.mark.parametrize("body", [{"error": "invalid_grant"}, {}])
def test_a_refused_refresh_token_of_the_own_account_is_no_end(
    body: dict[str, str], store: MemoryTokenStore, clock: Clock
) -> None:
    """Where the application acts for itself, its own credentials get the next token."""
    store.save(stored(OWN, clock, None, 0, "r-1"))
    tokens = made(OWN, store, clock)
    outcome, sent = driven(tokens.get(9999), [httpx.Response(400, json=body), token_answer("a-1")])
    assert cast("AccessToken", outcome).value == "a-1"
    assert [grant_of(step)["grant_type"] for step in sent] == ["refresh_token", "client_credentials"]
    assert tokens.refresh_token is None


def test_a_refused_refresh_token_of_a_person_asks_to_authorize_again(
    store: MemoryTokenStore, clock: Clock
) -> None:
    """A person's token is never replaced by the application's own, which would pay from another account."""
    tokens = made(PERSON, store, clock, stored(PERSON, clock, None, 0, "r-1"))
    outcome, sent = driven(tokens.get(9999), [httpx.Response(400, json={"error": "invalid_grant"})])
    assert isinstance(outcome, AuthenticationError)
    assert outcome.error == "invalid_grant"
    assert "Authorize again" in str(outcome)
    assert len(sent) == 1
    again, sent = driven(tokens.get(9999))
    assert isinstance(again, AuthenticationError)
    assert "Authorize again" in str(again)
    assert sent == [], "a refresh token that was refused is not sent again"


@pytest.mark.parametrize("error", ["invalid_client", "invalid_request", "unauthorized_client"])
def test_a_refusal_of_something_else_keeps_the_refresh_token(
    error: str, store: MemoryTokenStore, clock: Clock
) -> None:
    """A wrong secret is no reason to throw a refresh token away."""
    tokens = made(PERSON, store, clock, stored(PERSON, clock, None, 0, "r-1"))
    outcome, _ = driven(tokens.get(9999), [httpx.Response(401, json={"error": error})])
    assert isinstance(outcome, AuthenticationError)
    assert tokens.refresh_token == "r-1"


def test_a_token_without_means_serves_to_its_end(store: MemoryTokenStore, clock: Clock) -> None:
    """A token that nothing can renew is used as long as it lives, and then its end is told."""
    tokens = made(PERSON, store, clock, stored(PERSON, clock, "a-1", 100))
    clock.now += 99
    outcome, _ = driven(tokens.get(9999))
    assert cast("AccessToken", outcome).value == "a-1"
    clock.now += 1.01
    outcome, _ = driven(tokens.get(9999))
    assert isinstance(outcome, AuthenticationError)
    assert "Authorize again" in str(outcome)


# What is reported


def test_a_token_is_reported_with_the_seconds_it_lives(tokens: TokenManager, clock: Clock) -> None:
    """`report` fetches if need be, and counts from now."""
    outcome, sent = driven(tokens.info(9999), [token_answer("a-1", 3600)])
    assert (outcome, len(sent)) == ({"accessToken": "a-1", "expiresIn": 3600}, 1)
    assert type(cast("dict[str, str]", outcome)["accessToken"]) is str
    clock.now += 100.5
    assert driven(tokens.info(9999))[0] == {"accessToken": "a-1", "expiresIn": 3499}


def test_nothing_is_reported_where_there_is_nothing(store: MemoryTokenStore, clock: Clock) -> None:
    """Without a token and without means there is None; a token that still lives is reported, however shortly."""
    tokens = made(PERSON, store, clock, stored(PERSON, clock, "a-1", 10))
    clock.now += 8
    assert driven(tokens.info(9999))[0] == {"accessToken": "a-1", "expiresIn": 2}
    clock.now += 3
    assert driven(tokens.info(9999)) == (None, [])


# Stores


def test_a_token_of_another_process_is_taken(
    tokens: TokenManager, store: MemoryTokenStore, clock: Clock
) -> None:
    """What another has written while we waited is used, and nothing is sent."""
    store.save(stored(OWN, clock, "theirs"))
    outcome, sent = driven(tokens.get(9999))
    assert (cast("AccessToken", outcome).value, sent) == ("theirs", [])


def test_a_rotated_token_in_the_store_wins_over_the_given_one(store: MemoryTokenStore, clock: Clock) -> None:
    """A process that starts with a refresh token that another has spent already uses the newer one of the store."""
    rotated = stored(PERSON, clock, "theirs", 0, "r-2")._replace(
        lineage=(*fingerprint_token("r-1"), *fingerprint_token("r-2"))
    )
    store.save(rotated)
    tokens = made(PERSON, store, clock, stored(PERSON, clock, None, 0, "r-1"))
    _, sent = driven(tokens.get(9999), [token_answer("a-1")])
    assert grant_of(sent[0])["refresh_token"] == "r-2"


def test_another_accounts_token_is_refused(store: MemoryTokenStore, clock: Clock) -> None:
    """A store that holds somebody else's token is an error that names both, and nothing is sent."""
    tokens = made(OWN, store, clock)
    store.save(stored(OWN, clock, "theirs")._replace(issued_to="pm-other at https://agent.payman.ai"))
    outcome, sent = driven(tokens.get(9999))
    assert isinstance(outcome, ConfigurationError)
    assert "pm-other at https://agent.payman.ai" in str(outcome)
    assert OWN.name in str(outcome)
    assert sent == []


def test_another_accounts_token_in_memory_is_refused_as_well(store: MemoryTokenStore, clock: Clock) -> None:
    """A store in memory is looked at at once, and then too nobody else's token is used."""
    store.save(stored(OWN, clock, "theirs")._replace(issued_to="pm-other at https://agent.payman.ai"))
    outcome, sent = driven(made(OWN, store, clock).get(9999))
    assert isinstance(outcome, ConfigurationError)
    assert sent == []


def test_a_new_grant_revives_a_dead_store(store: MemoryTokenStore, clock: Clock) -> None:
    """After a person has authorized again, what has ended in the store does not stand in the way."""
    store.save(stored(PERSON, clock, "ended", -1))
    tokens = made(PERSON, store, clock, stored(PERSON, clock, None, 0, "r-new"))
    outcome, sent = driven(tokens.get(9999), [token_answer("a-1", 3600, "r-2")])
    assert cast("AccessToken", outcome).value == "a-1"
    assert [grant_of(step)["refresh_token"] for step in sent] == ["r-new"]


@pytest.mark.parametrize("bob", [("b-1", 3600, "r-b"), (None, 0, "r-b"), ("b-1", 100, None)])
def test_one_persons_client_never_acts_for_another(
    bob: tuple[str | None, float, str | None], store: MemoryTokenStore, clock: Clock
) -> None:
    """Where two people's tokens get into one store, the second client refuses, and uses nothing of the first's."""
    alice = made(PERSON, store, clock, stored(PERSON, clock, None, 0, "r-a"))
    driven(alice.get(9999), [token_answer("a-1", 3600, "r-a2")])
    with pytest.raises(ConfigurationError, match="another authorization"):
        made(PERSON, store, clock, stored(PERSON, clock, *bob))
    elsewhere = MemoryTokenStore()
    tokens = made(PERSON, elsewhere, clock, stored(PERSON, clock, *bob))
    kept = store.load()
    assert kept is not None
    elsewhere.save(kept)
    tokens.invalidate(AccessToken(SecretStr("b-1"), 1, 1))
    outcome, sent = driven(tokens.get(9999))
    assert isinstance(outcome, ConfigurationError)
    assert sent == []


def test_a_code_of_another_person_ends_what_the_first_ones_client_does(
    store: MemoryTokenStore, clock: Clock
) -> None:
    """Whoever's token was replaced by another's does not go on as the other."""
    alice = made(PERSON, store, clock, stored(PERSON, clock, None, 0, "r-a"))
    first, _ = driven(alice.get(9999), [token_answer("a-1", 3600, "r-a2")])
    carol = made(PERSON, MemoryTokenStore(), clock)
    driven(
        carol.exchange_code(PERSON.build_code_request("c"), 9999),
        [token_answer("c-1", 3600, "r-c")],
    )
    assert carol._kept.known is not None
    store.save(carol._kept.known)
    alice.invalidate(cast("AccessToken", first))
    outcome, sent = driven(alice.get(9999))
    assert isinstance(outcome, ConfigurationError)
    assert sent == []


def test_a_process_that_starts_with_an_older_token_finds_the_newer(
    store: MemoryTokenStore, clock: Clock
) -> None:
    """A refresh token that has been rotated away since is known to be of the same authorization."""
    old = made(PERSON, store, clock, stored(PERSON, clock, None, 0, "r-1"))
    for answer_of_it in (token_answer("a-1", 3600, "r-2"), token_answer("a-2", 3600, "r-3")):
        driven(old.get(99999), [answer_of_it])
        clock.now += 3600
    for given in ("r-1", "r-2", "r-3"):
        tokens = made(PERSON, store, clock, stored(PERSON, clock, None, 0, given))
        assert tokens.refresh_token == "r-3"


def test_a_refresh_token_that_could_not_be_kept_is_not_replaced_by_the_spent_one(clock: Clock) -> None:
    """After a save that failed, the store's older token is neither used nor spent again; the next save mends it."""
    broken = BrokenStore(OSError("The disk is full."))
    tokens = made(PERSON, broken, clock, stored(PERSON, clock, None, 0, "r-1"))
    MemoryTokenStore.save(broken, stored(PERSON, clock, None, 0, "r-1"))
    driven(tokens.get(9999), [token_answer("a-1", 3600, "r-2")])
    clock.now += 3600
    _, sent = driven(tokens.get(99999), [token_answer("a-2", 3600, "r-3")])
    assert [grant_of(step)["refresh_token"] for step in sent] == ["r-2"]


@pytest.mark.parametrize(
    "refusal",
    [
        httpx.Response(403, html="<html>Blocked</html>"),
        httpx.Response(403, json={}),
        httpx.Response(401, text="no"),
        httpx.Response(400, html="<html>Bad gateway configuration</html>"),
    ],
)
def test_a_page_of_a_proxy_costs_no_refresh_token(
    refusal: httpx.Response, store: MemoryTokenStore, clock: Clock
) -> None:
    """Only the token endpoint's own word makes a refresh token bad."""
    tokens = made(PERSON, store, clock, stored(PERSON, clock, None, 0, "r-1"))
    outcome, _ = driven(tokens.get(9999), [refusal])
    assert isinstance(outcome, AuthenticationError)
    assert tokens.refresh_token == "r-1"


def test_every_refused_token_is_remembered(tokens: TokenManager, store: MemoryTokenStore) -> None:
    """A late 401 for an old token does not make the newer refused one usable again."""
    first = fetched(tokens, token_answer("a-1"))
    tokens.invalidate(first)
    second = fetched(tokens, token_answer("a-2"))
    tokens.invalidate(second)
    tokens.invalidate(first)
    assert fetched(tokens, token_answer("a-3")).value == "a-3"


def test_a_report_looks_into_the_store(store: MemoryTokenStore, clock: Clock) -> None:
    """A client whose own token has ended reports what another has put into the store meanwhile."""
    tokens = made(PERSON, store, clock, stored(PERSON, clock, "a-1", 10))
    clock.now += 20
    store.save(
        stored(PERSON, clock, "a-2", 3600)._replace(
            lineage=(*fingerprint_token("a-1"), *fingerprint_token("a-2"))
        )
    )
    assert driven(tokens.info(9999))[0] == {"accessToken": "a-2", "expiresIn": 3600}


def test_an_early_renewal_leaves_time_for_the_ask(tokens: TokenManager, clock: Clock) -> None:
    """A renewal that need not be takes half of the time there is at most."""
    fetched(tokens, token_answer("old"))
    clock.now += 3500
    _, sent = driven(tokens.get(clock.now + 4), [token_answer("new")])
    assert sent[0].deadline == clock.now + 2


class OddStore:
    """A store of a program's own that does one thing wrong."""

    def __init__(self, wrong: str) -> None:
        self.wrong = wrong
        self._lock = MemoryTokenStore().lock

    def load(self) -> StoredToken | None:
        if self.wrong == "load":
            raise KeyError("secret-of-the-store")
        if self.wrong == "a dict":
            return cast("StoredToken", {"access_token": "x"})
        if self.wrong == "a euro":
            return StoredToken(issued_to=OWN.name, access_token="€", expires_at=9e9, lifetime=9e9)
        return None

    def save(self, token: StoredToken) -> None:
        if self.wrong == "save":
            raise ValueError("secret-of-the-store")

    @property
    def lock(self) -> Lock:
        if self.wrong == "lock":
            raise KeyError("secret-of-the-store")
        return cast("Lock", self) if self.wrong in {"acquire", "release"} else self._lock

    def acquire(self, *, timeout: float) -> bool:
        if self.wrong == "acquire":
            raise RuntimeError("secret-of-the-store")
        return True

    def release(self) -> None:
        raise RuntimeError("secret-of-the-store")


@pytest.mark.parametrize("wrong", ["load", "a dict", "a euro", "lock", "acquire"])
def test_whatever_a_store_raises_is_an_error_of_ours(wrong: str, peer: Peer) -> None:
    """A store of a program's own that fails is a TokenStoreError that does not repeat what it said."""
    with PaymanClient(
        client_id="pm-test-1", client_secret="x", base_url=peer.base_url, token_store=OddStore(wrong)
    ) as client:
        client._connect().tokens._kept._owner = OWN
        with pytest.raises(TokenStoreError) as raised:
            client.ask("Hello!")
    assert "secret" not in str(raised.value)
    assert raised.value.__context__ is None


@pytest.mark.parametrize("wrong", ["save", "release"])
def test_a_store_that_fails_after_the_token_was_got(
    wrong: str, peer: Peer, caplog: pytest.LogCaptureFixture
) -> None:
    """A token that was got is used, whether the store could keep it or give its lock back; a record says what failed."""
    with PaymanClient(
        client_id="pm-test-1", client_secret="x", base_url=peer.base_url, token_store=OddStore(wrong)
    ) as client:
        assert client.ask("Hello!").status == "completed"
    assert "failed" in caplog.text
    assert "secret" not in caplog.text


def test_a_given_token_serves_beside_a_dead_store(store: MemoryTokenStore, clock: Clock) -> None:
    """A token that is given and lives is used, whatever has ended in the store."""
    store.save(stored(PERSON, clock, "ended", -1))
    outcome, sent = driven(made(PERSON, store, clock, stored(PERSON, clock, "given", 600)).get(9999))
    assert (cast("AccessToken", outcome).value, sent) == ("given", [])


class BrokenStore(MemoryTokenStore):
    """A store that cannot be written, in its own way."""

    def __init__(self, failure: Exception) -> None:
        super().__init__()
        self.failure = failure

    def save(self, token: StoredToken) -> None:
        raise self.failure


@pytest.mark.parametrize("failure", [TokenStoreError("The disk is full."), OSError("The disk is full.")])
def test_a_failed_save_after_a_rotation_is_reported(
    failure: Exception, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """This client goes on with what it has got; a record says that nobody else has it."""
    tokens = made(PERSON, BrokenStore(failure), clock, stored(PERSON, clock, None, 0, "r-1"))
    outcome, _ = driven(tokens.get(9999), [token_answer("a-1", 3600, "r-2")])
    assert cast("AccessToken", outcome).value == "a-1"
    assert "The disk is full." in caplog.text
    assert "its refresh token would be lost" in caplog.text
    token_of_it, sent = driven(tokens.get(9999))
    assert (cast("AccessToken", token_of_it).value, tokens.refresh_token, sent) == ("a-1", "r-2", [])


def test_a_failed_save_without_a_rotation_is_only_logged(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Without a rotation nothing is lost, so the ask goes on, and a record says what happened."""
    tokens = made(OWN, BrokenStore(TokenStoreError("The disk is full.")), clock)
    assert fetched(tokens).value == "token-1"
    assert "The disk is full." in caplog.text


def test_a_code_replaces_what_was_in_the_store(store: MemoryTokenStore, clock: Clock) -> None:
    """An exchange does not ask the store, keeps no refresh token of before, and writes what it got."""
    store.save(stored(PERSON, clock, "before", 3600, "r-0"))
    tokens = made(PERSON, store, clock)
    request = PERSON.build_code_request("c-1", redirect_uri="https://x/back", code_verifier="v")
    outcome, sent = driven(tokens.exchange_code(request, 9999), [token_answer("a-1")])
    assert cast("AccessToken", outcome).value == "a-1"
    assert grant_of(sent[0]) == {
        "grant_type": "authorization_code",
        "code": "c-1",
        "redirect_uri": "https://x/back",
        "code_verifier": "v",
    }
    kept = store.load()
    assert kept is not None
    assert (kept.access_token, kept.refresh_token) == ("a-1", None)


# Over the wire


def test_a_token_is_fetched_on_first_need(peer: Peer, client: PaymanClient) -> None:
    """Making a client sends nothing; the first ask fetches a token with Basic and the grant in the query; it is kept."""
    assert peer.requests == []
    client.ask("one")
    client.ask("two")
    peer.script(GET_PATH, completed)
    client.get_task("tsk-1")
    [request] = peer.token_requests()
    pair = base64.b64encode(f"pm-test-1:{SECRET}".encode()).decode()
    assert request.method == "POST"
    assert request.target == f"{TOKEN_PATH}?grant_type=client_credentials"
    assert request.headers["authorization"] == f"Basic {pair}"
    assert request.body == b""
    for ask in peer.asks():
        assert ask.headers[ACCESS_TOKEN_HEADER] == ACCESS_TOKEN
        assert "authorization" not in ask.headers


@pytest.mark.slow
def test_a_hundred_threads_make_one_token_request(peer: Peer, client: PaymanClient) -> None:
    """A fresh client that is asked by a hundred threads at once fetches one token."""
    ready = threading.Barrier(100)

    def ask(number: int) -> str:
        ready.wait(30)
        return client.ask(f"ask {number}").status

    with ThreadPoolExecutor(100) as pool:
        assert list(pool.map(ask, range(100))) == ["completed"] * 100
    assert len(peer.token_requests()) == 1
    assert len(peer.asks()) == 100


def test_threads_that_are_refused_together_make_one_token_request(peer: Peer, client: PaymanClient) -> None:
    """When a token is withdrawn under twenty threads, one of them fetches the next, and every ask is answered."""
    peer.script(TOKEN_PATH, token("old"), token("new"))
    client.ask("with the old token")
    refused = threading.Barrier(20)

    def write(request: Request) -> Iterator[bytes]:
        if request.headers[ACCESS_TOKEN_HEADER] == "old":
            refused.wait(30)
            yield from answer(401)(request)
        else:
            yield from completed(request)

    peer.always(ASK_PATH, write)
    with ThreadPoolExecutor(20) as pool:
        asked: list[Future[Any]] = [pool.submit(client.ask, "again") for _ in range(20)]
    assert [each.result().status for each in asked] == ["completed"] * 20
    assert len(peer.token_requests()) == 2


def test_a_second_401_is_an_authentication_error(peer: Peer, client: PaymanClient) -> None:
    """Where the second token is refused too, the ask fails, and was sent twice and no more."""
    peer.always(ASK_PATH, answer(401, '{"error": "unauthorized"}'))
    with pytest.raises(AuthenticationError) as caught:
        client.ask("Hello!")
    assert caught.value.status_code == 401
    assert len({ask.json["params"]["id"] for ask in peer.asks()}) == 1
    assert len(peer.asks()) == 2
    # Each refusal is followed by a look at the task, which needs a token that was not refused.
    assert len(peer.token_requests()) == 3


def test_clients_with_the_same_credentials_share_a_token(peer: Peer, connect: Connect) -> None:
    """Clients of one process with the same credentials fetch one token, others and those with a store of their own theirs."""
    connect().ask("one")
    connect().ask("two")
    assert len(peer.token_requests()) == 1
    connect(client_secret="another").ask("three")
    assert len(peer.token_requests()) == 2
    own = PaymanClient(
        client_id="pm-test-1", client_secret=SECRET, base_url=peer.base_url, token_store=MemoryTokenStore()
    )
    with own:
        own.ask("four")
    assert len(peer.token_requests()) == 3
