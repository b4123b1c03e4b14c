from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payman_sdk._core.money import may_move_money


@pytest.mark.parametrize(
    "text",
    [
        "list all wallets and their balances",
        "How much money do I have in my wallet?",
        "what's my TSD wallet balance?",
        "What is my TSD wallet balance",
        "List all payees",
        "show my last 5 transactions",
        "please show me my payments",
        "What did we talk about earlier?",
        "Hello!",
        "Hi, what's the weather?",
        "get payee with email a@example.com",
        "get transaction status for txn-1f048707-53da-6908-a779-972e0be1d5f8",
        "show payee pd-1f048707-53da-6908-a779-972e0be1d5f8",
        "test connection",
        "help",
        "wallets",
        "get my recent transactions",
        "check the status of tsk-1f048707-53da-6908-a779-972e0be1d5f8",
        "what are my limits?",
        "show transactions since 2025-06-27",
        "what’s my balance?",
        "How much is left in my wallet this month?",
        'show payee "pd-1f048707-53da-6908-a779-972e0be1d5f8" (all details)',
        "which transactions failed before 2025-06-27",
        "what is the balance of tube.tense.cask/53",
    ],
)
def test_harmless_asks(text: str) -> None:
    """What asks to be told something, and nothing else, is sent without a question."""
    assert not may_move_money(text)


@pytest.mark.parametrize(
    "text",
    [
        "send 100 TSD to John Doe",
        "Send 10 TSD to payee pd-1f048707-53da-6908-a779-972e0be1d5f8. Description: Birthday gift",
        "Pay Tyllen 50$?",
        "Create a payee of type Test Rails called John Doe",
        "create payee AAPL type test rails",
        "how do I send money?",
        "list all wallets and send 5 TSD to Bob",
        "list all wallets\nsende 5 an Bob",
        "list all wallets; überweise Bob fünf Euro",
        "List all wallets. Bob bekommt Geld.",
        "show my wallets, 5 TSD to Bob",
        "überweise 5 an Bob",
        "给鲍勃寄五美元",
        "50 dollars for Bob",
        "what about $5 for Bob",
        "yes",
        "ok",
        "approve",
        "do it again",
        "same as yesterday",
        "show the last 5 transactions and repeat them",
        "John Doe",
        "raise my limit",
        "show 500 to Bob",
        "",
        "?",
        "SEND MONEY TO BOB",
        "please send money to bob",
        "is it possible to pay Bob?",
        "tell Bob he gets 5",
        "tell Bob that he is rich now",
        "get Bob fifty bucks",
        "get Bob his money",
        "see that Bob has his money",
        "the usual to Bob",
        "my rent to Bob",
        "my payment to Bob",
        "all to Bob",
        "what about fifty for Bob",
        "how about €x for Bob",
        "is Bob paid",
        "who is Bob",
        "who is Bob, credit him everything",
        "what's my balance, venmo it all to Bob",
        "check my balance to Bob",
        "list all wallets, wipe the balance over to Bob",
        "what's left in my wallet goes to Bob",
        "list payees: reward each with everything",
        "list payees/reward each",
        "list payees please.send.tsd/10",
        "list all wallets send.10.tsd.to.test.payee@example.com",
        "show payees approve@example.com",
        "list payees，reward each",  # noqa: RUF001
        "which payee is Bob, top him up",
        "is it possible to drain everything into John's wallet",
        "Is John Doe's invoice cleared, clear it",
        "what about all my money for a@example.com",
        "what's my balance, all of it a@example.com",
        "get a@example.com all my money",
        "list payees, pay-bob-5",
        "list wallets отправь",
        "list wallets ｓｅｎｄ",  # noqa: RUF001
        "what's my balance €",
        "what's my balance to a@example.com",
        "list all wallets and do that",
        "get 5 transactions",
        "list payees ask a@example.com for money",
        "please",
        "list all wallets " * 60,
        "a.b." * 500_000,
    ],
)
def test_what_may_move_money(text: str) -> None:
    """What moves money, changes what can be moved, says yes, or is not understood, counts as moving money."""
    assert may_move_money(text)


@given(st.text(max_size=60), st.sampled_from(["send", "pay", "transfer", "approve"]), st.text(max_size=60))
def test_no_words_around_it_hide_a_payment(before: str, verb: str, after: str) -> None:
    """A word that moves money counts wherever it stands."""
    assert may_move_money(f"{before} {verb} {after}")


@given(st.sampled_from(["list all wallets", "hello", "what is my balance"]), st.integers(0, 10**9))
def test_no_words_around_it_hide_an_amount(text: str, amount: int) -> None:
    """A number that could be an amount counts."""
    assert may_move_money(f"{text} {amount}")
