from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from tests.sandbox.till import Till, refused, till
from tests.tables import table


@pytest.fixture
def at() -> Iterator[Till]:
    with till(public_clients=["app"]) as opened:
        yield opened


def _tokens(at: Till, *scopes: str) -> dict[str, Any]:
    answer = at.exchange(at.sandbox.issue_code(scopes=scopes or None))
    shape: dict[str, Any] = answer.json()
    return shape


def test_refresh_rotates(at: Till) -> None:
    """A refresh gives another access token and another refresh token; the earlier access token lives on."""
    first = _tokens(at)
    second = at.refresh(first["refreshToken"]).json()
    assert set(second) == {"accessToken", "tokenType", "expiresIn", "scope", "refreshToken"}
    assert (
        len({first["accessToken"], first["refreshToken"], second["accessToken"], second["refreshToken"]}) == 4
    )
    assert at.opens(second["accessToken"])
    assert at.opens(first["accessToken"])
    assert at.refresh(second["refreshToken"]).status_code == 200
    assert at.sandbox.reuse_detected == 0


def test_reuse_revokes_the_family(at: Till) -> None:
    """A refresh token that was used and comes again ends every token that came of the same consent, and no other."""
    first, bystander = _tokens(at), _tokens(at)
    second = at.refresh(first["refreshToken"]).json()
    third = at.refresh(second["refreshToken"]).json()
    assert refused(at.refresh(first["refreshToken"])) == "invalid_grant"
    assert at.sandbox.reuse_detected == 1
    assert not any(at.opens(token["accessToken"]) for token in (first, second, third))
    assert refused(at.refresh(third["refreshToken"])) == "invalid_grant"
    assert at.sandbox.reuse_detected == 1  # it was not used before
    assert refused(at.refresh(second["refreshToken"])) == "invalid_grant"
    assert at.sandbox.reuse_detected == 2
    assert at.opens(bystander["accessToken"])
    assert at.refresh(bystander["refreshToken"]).status_code == 200


def test_of_two_at_once_one_wins_and_the_other_is_reuse(at: Till) -> None:
    """Of eight refreshes with one token at the same time exactly one gets tokens; the others count as reuse and end them."""
    token, together = _tokens(at), Barrier(8)

    def refresh(_: int) -> dict[str, Any]:
        together.wait(60)
        shape: dict[str, Any] = at.refresh(token["refreshToken"]).json()
        return shape

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(refresh, range(8)))
    [won] = [answer for answer in answers if "accessToken" in answer]
    assert at.sandbox.reuse_detected == 7
    assert at.outcomes.count("invalid_grant") == 7
    assert not at.opens(won["accessToken"])
    assert refused(at.refresh(won["refreshToken"])) == "invalid_grant"


def test_without_rotation_the_token_stays() -> None:
    """With rotation off the answer holds no refresh token, and the one that there is goes on working, for many at once too."""
    with till(rotate_refresh_tokens=False) as at:
        token = _tokens(at)
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: at.refresh(token["refreshToken"]), range(8)))
        assert all(answer.status_code == 200 for answer in answers)
        assert not any("refreshToken" in answer.json() for answer in answers)
        assert at.sandbox.reuse_detected == 0


def test_refresh_token_ends() -> None:
    """A refresh token lives for `refresh_token_lifetime`, and each rotation begins it anew."""
    with till(refresh_token_lifetime=100, token_lifetime=1000) as at:
        token = _tokens(at)
        for _ in range(3):
            at.wait(99.9)
            token = at.refresh(token["refreshToken"]).json()
        at.wait(100)
        assert refused(at.refresh(token["refreshToken"])) == "invalid_grant"
        assert at.opens(token["accessToken"])
        assert at.sandbox.reuse_detected == 0


def test_token_of_one_second() -> None:
    """A token that lives for one second says so, and opens the account for that long."""
    with till(token_lifetime=1) as at:
        token = _tokens(at)
        assert token["expiresIn"] == 1
        at.wait(0.999)
        assert at.opens(token["accessToken"])
        at.wait(0.001)
        assert not at.opens(token["accessToken"])
        assert at.opens(at.refresh(token["refreshToken"]).json()["accessToken"])


@pytest.mark.parametrize(("lifetime", "reported"), [(0.25, 1), (1.9, 1), (59.99, 59), (10**9, 10**9)])
def test_lifetimes_are_reported_in_whole_seconds(lifetime: float, reported: int) -> None:
    """`expiresIn` is in whole seconds, as Payman sends them: rounded down, but never nothing."""
    with till(token_lifetime=lifetime) as at:
        token = _tokens(at)
        assert token["expiresIn"] == reported
        assert isinstance(token["expiresIn"], int)
        at.wait(lifetime * 0.99)
        assert at.opens(token["accessToken"])
        at.wait(lifetime * 0.02)
        assert not at.opens(token["accessToken"])


@table("name", ["token_lifetime", "refresh_token_lifetime", "code_lifetime"])
@table("seconds", [0, -1, float("nan"), float("inf"), 2 * 10**9, "60", None])
def test_impossible_lifetimes_are_refused(name: str, seconds: object) -> None:
    """A lifetime that is none is refused by name when the sandbox is made."""
    with pytest.raises(ValueError, match=f"^{name} must be above 0"), till(**{name: seconds}):
        pass


def test_refresh_narrows_and_never_widens(at: Till) -> None:
    """A refresh may ask for less; the next may ask for all that was granted again, and none for more."""
    token = _tokens(at, "read_balance", "read_list_payees")
    narrow = at.refresh(token["refreshToken"], scope="read_balance").json()
    assert narrow["scope"] == "read_balance"
    for more in ("read_balance,write_send_payment", "nonsense", ","):
        assert refused(at.refresh(narrow["refreshToken"], scope=more)) == "invalid_scope"
    assert at.refresh(narrow["refreshToken"]).json()["scope"] == "read_balance,read_list_payees"
    assert at.sandbox.reuse_detected == 0


def test_refresh_token_is_for_its_client(at: Till) -> None:
    """Another client's refresh token is refused as an unknown one is, and nothing happens to it."""
    token = _tokens(at)
    stranger = at.refresh(token["refreshToken"], public="app")
    assert refused(stranger) == "invalid_grant"
    assert stranger.json() == at.refresh("nonsense").json()
    assert at.refresh(token["refreshToken"]).status_code == 200


def test_missing_refresh_token_is_named(at: Till) -> None:
    """Without a refresh token the request is not in order."""
    answer = at.post(grant_type="refresh_token", refresh_token="")
    assert refused(answer) == "invalid_request"
    assert answer.json()["error_description"] == "refresh_token is missing"


def test_client_credentials_get_a_refresh_token_if_wanted(at: Till) -> None:
    """Client credentials renew themselves, so that a refresh token comes with them only where the sandbox is told to."""
    assert "refreshToken" not in at.post(grant_type="client_credentials").json()
    with till(refresh_for_credentials=True) as generous:
        token = generous.post(grant_type="client_credentials").json()
        assert generous.refresh(token["refreshToken"]).status_code == 200


def test_family_is_kept_in_the_file(tmp_path: Path) -> None:
    """With `db`, refresh tokens and what was used outlive the process; neither tokens nor codes can be read in the file."""
    db = tmp_path / "payman.db"
    with till(db=db) as at:
        code = at.sandbox.issue_code()
        first = at.exchange(code).json()
        second = at.refresh(first["refreshToken"]).json()
        pending = at.sandbox.issue_code()
    at.sandbox.close()
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    for token in (first, second):
        assert token["accessToken"].encode() not in kept
        assert token["refreshToken"].encode() not in kept
    assert code.encode() not in kept
    assert pending.encode() not in kept
    with till(db=db) as at:
        assert at.opens(second["accessToken"])
        assert at.exchange(pending).status_code == 200
        assert refused(at.refresh(first["refreshToken"])) == "invalid_grant"
        assert at.sandbox.reuse_detected == 1
        assert not at.opens(second["accessToken"])
    at.sandbox.close()


def test_what_has_ended_is_cleared_away() -> None:
    """Tokens that have ended, and grants without any, do not pile up."""
    with till(token_lifetime=1, refresh_token_lifetime=10, code_lifetime=1) as at:
        for _ in range(20):
            token = _tokens(at)
            at.refresh(token["refreshToken"])
            at.wait(60)
        with at.sandbox.service.store.transaction() as tx:
            tokens, grants = (
                tx.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]  # noqa: S608 (two fixed names)
                for table in ("tokens", "grants")
            )
        assert grants <= 3
        assert tokens <= 12
