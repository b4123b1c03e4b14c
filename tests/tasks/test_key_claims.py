"""What the flow of a key decides, step by step: how long it waits, what it records, and what its errors say."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, repeat
from typing import Any

import httpx
import pytest

from payman_sdk._core.idempotency import KeyClaim
from payman_sdk._core.requests import AskRequest
from payman_sdk._core.send import ResponseFlow
from payman_sdk.errors import (
    ConfigurationError,
    IdempotencyKeyReuseError,
    KeyStoreError,
    OutcomeUnknownError,
    PaymanError,
)
from tests.steps import Clock, Outcome, driven, time_of, token_answer, with_options

ASK = AskRequest("send 10 TSD\nto Test Payee", "tsk-1", "req-1", "ses-1", idempotency_key="invoice-42")
SETTLE = 30.0


class Records:
    """A key store that fails where it is said to, after it has done what was asked."""

    def __init__(self, sent_at: float | None = None, fails: str = "") -> None:
        self.sent_at, self.fails = sent_at, fails

    def _end(self, name: str) -> None:
        if name == self.fails:
            raise OSError("the disk is full")

    def load(self, operation: str) -> float | None:
        self._end("load")
        return self.sent_at

    def claim(self, operation: str, sent_at: float, expected: float | None) -> bool:
        is_free = self.sent_at == expected
        self.sent_at = sent_at if is_free else self.sent_at
        self._end("claim")
        return is_free

    def forget(self, operation: str, sent_at: float) -> None:
        self.sent_at = None if self.sent_at == sent_at else self.sent_at


def claim_of(clock: Clock, store: Any, *, is_default: bool = False) -> KeyClaim[Any]:
    time = with_options(time_of(clock, settle_time=SETTLE), key_store=None if is_default else store)
    return KeyClaim(ResponseFlow(ASK, time._replace(open_key_store=lambda: store)))


def answers(**members: Any) -> Iterator[Outcome]:
    """A token, and the same answer to every look-up."""
    return chain(
        [token_answer()], repeat(lambda body: httpx.Response(200, json={"id": body["id"], **members}))
    )


def unknown() -> Iterator[Outcome]:
    return answers(error={"code": -32001, "message": "Task not found"})


@pytest.mark.parametrize(
    ("ago", "waited"),
    [(None, 0.0), (10.0, 20.0), (29.5, 0.5), (30.0, 0.0), (1000.0, 0.0), (-100.0, SETTLE)],
)
def test_an_earlier_send_is_waited_for_while_it_may_arrive(ago: float | None, waited: float) -> None:
    """A clock that was set back shows a time to come; nobody waits longer than `settle_time` for it."""
    clock = Clock()
    store = Records(None if ago is None else clock.now - ago)
    ended, _ = driven(claim_of(clock, store).find(), unknown(), clock=clock)
    assert ended is None
    assert clock.now - 1000.0 == pytest.approx(waited)


@pytest.mark.parametrize("store", [None, Records(1.0, fails="load")])
def test_without_a_store_every_key_waits(store: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody knows what was sent; that the user's own store failed is logged once."""
    clock = Clock()
    ended, _ = driven(claim_of(clock, store, is_default=True).find(), unknown(), clock=clock)
    assert ended is None
    assert clock.now - 1000.0 == pytest.approx(SETTLE)
    assert [record.getMessage()[:35] for record in caplog.records] == (
        [] if store is None else ["Cannot use this user's key store (t"]
    )


@pytest.mark.parametrize(("before", "left"), [(None, None), (900.0, 1000.0)])
def test_a_record_that_failed_is_taken_back(before: float | None, left: float | None) -> None:
    """Nothing was sent, so the key is free again; one that was used before stays used."""
    clock, store = Clock(), Records(before)
    claim = claim_of(clock, store)
    assert driven(claim.find(), unknown(), clock=clock)[0] is None
    store.fails = "claim"
    error, _ = driven(claim.take(), clock=clock)
    assert isinstance(error, KeyStoreError)
    assert error.sent is (before is not None)
    assert store.sent_at == left


@pytest.mark.parametrize("renewals", [1, 2])
@pytest.mark.parametrize(("before", "left"), [(None, None), (900.0, 1000.0)])
def test_a_key_is_free_again_if_nothing_was_done(
    before: float | None, left: float | None, renewals: int
) -> None:
    """However often it was recorded for this ask; one that an earlier ask has used stays used."""
    clock, store = Clock(), Records(before)
    claim = claim_of(clock, store)
    assert driven(claim.find(), unknown(), clock=clock)[0] is None
    assert driven(claim.take(), clock=clock)[0] is None
    for _ in range(renewals):
        assert driven(claim.renew(), clock=clock)[0] is None
    refused = PaymanError("refused", sent=False)
    assert driven(claim.release(refused), clock=clock)[0] is None
    assert store.sent_at == left


def test_a_store_that_fails_between_attempts_says_nothing_of_the_first() -> None:
    clock, store = Clock(), Records()
    claim = claim_of(clock, store)
    for flow in (claim.find(), claim.take(), claim.renew()):
        assert driven(flow, unknown(), clock=clock)[0] is None
    store.fails = "claim"
    error, _ = driven(claim.renew(), clock=clock)
    assert isinstance(error, KeyStoreError)
    assert error.sent is False


@pytest.mark.parametrize("ago", [None, 10.0])
@pytest.mark.parametrize(
    ("outcomes", "fix"),
    [
        (
            lambda: answers(error={"code": -32601, "message": "No such method"}),
            "a server that looks tasks up",
        ),
        (lambda: chain([token_answer()], repeat(httpx.Response(500))), "Ask again with the same key."),
        (lambda: chain([token_answer()], repeat(httpx.Response(403))), ""),
    ],
    ids=["no look-ups", "a failing server", "no right"],
)
def test_what_a_failed_look_up_says(outcomes: Any, fix: str, ago: float | None) -> None:
    """`sent` says whether the key was used before; nothing was sent now."""
    clock = Clock()
    store = Records(None if ago is None else clock.now - ago)
    error, sent = driven(claim_of(clock, store).find(), outcomes(), clock=clock)
    assert isinstance(error, PaymanError)
    assert not isinstance(error, ConfigurationError)
    assert error.sent is (ago is not None)
    assert fix in (error.next_step or "")
    assert all("tasks/send" not in str(one.request) for one in sent)


def test_a_failed_look_up_keeps_the_answer_of_the_server() -> None:
    """Its status, headers and body say to whoever reads the error what the server had against the look-up."""
    failing = httpx.Response(500, headers={"retry-after": "7"}, json={"message": "out of disk"})
    flow = claim_of(clock := Clock(), Records()).find()
    error, _ = driven(flow, chain([token_answer()], repeat(failing)), clock=clock)
    assert isinstance(error, OutcomeUnknownError)
    assert error.status_code == 500
    assert error.response is not None
    assert error.response.headers["retry-after"] == "7"
    assert "out of disk" in error.response.text


@pytest.mark.parametrize(("first", "is_ours"), [("send 10 TSD", True), ("send 20 TSD", False)])
def test_the_text_of_a_key_has_all_its_parts(first: str, is_ours: bool) -> None:
    """The parts of the first message, a line each, are what the key was used with."""
    parts = [{"type": "text", "text": text} for text in (first, "to Test Payee")]
    task = {
        "id": "tsk-1",
        "status": {"state": "completed"},
        "history": [{"role": "user", "parts": parts}],
    }
    ended, _ = driven(claim_of(clock := Clock(), Records(900.0)).find(), answers(result=task), clock=clock)
    assert isinstance(ended, IdempotencyKeyReuseError) is not is_ours
    assert isinstance(ended, tuple) is is_ours
