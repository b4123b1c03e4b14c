from __future__ import annotations

import pytest

from payman_sdk._cli.settings import Settings
from payman_sdk._cli.terminal import Terminal
from payman_sdk._core.auth.grants import is_read_only
from payman_sdk._text.sanitizer import find_hidden
from payman_sdk.sandbox import Sandbox
from tests.cli.command import Payman

PAY = "send 10 TSD to Test Payee"


@pytest.fixture(autouse=True)
def _live(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sandbox stands in for the live server."""
    monkeypatch.setattr(Settings, "is_live", True)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody sits before a terminal."""
    monkeypatch.setattr(Terminal, "is_interactive", True)


def test_without_a_terminal_a_payment_needs_yes(payman: Payman, sandbox: Sandbox) -> None:
    """Where nobody can be asked, what may move money is refused before anything is sent, unless --yes was given."""
    said = payman("ask", PAY)
    assert (said.status, said.out) == (2, "")
    assert "--yes" in said.err
    assert sandbox.requests == []
    assert payman("ask", PAY, "--yes").status == 0
    assert sandbox.balance() == 990


def test_words_need_a_yes_whatever_they_say(payman: Payman, sandbox: Sandbox) -> None:
    """Nothing reads the words: what seems to ask for a list needs a yes as an order does."""
    for text in ("list all wallets", "show payments settle.invoice.now/42", "thanks"):
        assert payman("ask", text).status == 2, text
    assert sandbox.requests == []
    assert payman("ask", "list all wallets", "--yes").status == 0


def test_a_token_that_can_only_read_needs_no_yes() -> None:
    """What counts are the scopes of the login's token; where they are not known, or hold one that nobody listed, a yes is needed."""
    rows = {
        "read_balance,read_list_wallets": True, "read_list_payees read_list_transactions": True, None: False, "": False, ",": False,
        "read_balance,write_send_payment": False, "read_everything": False, "READ_BALANCE": False, "read_balance,admin": False,
    }  # fmt: skip
    for scope, expected in rows.items():
        assert is_read_only(scope) is expected, scope


@pytest.mark.slow
@pytest.mark.usefixtures("seen")
@pytest.mark.parametrize(
    ("typed", "status", "balance"), [("y\n", 0, 990), ("n\n", 1, 1000), ("\n", 1, 1000), ("", 1, 1000)]
)
def test_on_a_terminal_it_is_asked_first(
    payman: Payman, sandbox: Sandbox, typed: str, status: int, balance: int
) -> None:
    """Only a yes sends it; the question is on standard error and repeats the words."""
    said = payman("ask", PAY, given=typed)
    assert said.status == status
    assert PAY in said.err
    assert "Send it?" not in said.out
    assert sandbox.balance() == balance
    assert bool(sandbox.requests) == (status == 0)


def test_a_reply_needs_a_yes_whatever_it_says(payman: Payman, sandbox: Sandbox) -> None:
    """An answer to a task that waits may complete a payment."""
    with sandbox.client() as client:
        task = client.ask("send 150 TSD to Test Payee").task_id
    assert payman("tasks", "reply", task, "list").status == 2
    assert payman("tasks", "reply", task, "approve", "--yes").status == 0
    assert sandbox.balance() == 850


def test_a_chat_goes_on_after_a_refusal(payman: Payman, sandbox: Sandbox) -> None:
    """Lines from a pipe are refused one by one."""
    said = payman("chat", given=f"{PAY}\nlist all wallets\n")
    assert said.err.count("--yes") == 2
    assert sandbox.payments == []
    said = payman("chat", "--yes", given="send 150 TSD to Test Payee\n/approve\n")
    assert said.status == 0
    assert sandbox.balance() == 850


@pytest.mark.parametrize("decision", ["/approve", "/deny", "approve"])
def test_a_decision_from_a_pipe_needs_yes(
    payman: Payman, sandbox: Sandbox, decision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who wrote the line has not seen what waits, so a command decides no more than words do."""
    monkeypatch.setattr("payman_sdk._cli.confirm._can_only_read", lambda *_: True)
    said = payman("chat", given=f"send 150 TSD to Test Payee\n{decision}\n")
    assert said.status == 2
    assert "--yes" in said.err
    assert len(sandbox.pending_payments) == 1


@pytest.mark.usefixtures("seen")
def test_a_decision_at_a_keyboard_is_a_yes_of_its_own(
    payman: Payman, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who types /approve has seen what waits."""
    monkeypatch.setattr("payman_sdk._cli.confirm._can_only_read", lambda *_: True)
    assert payman("chat", given="send 150 TSD to Test Payee\n/approve\n").status == 0
    assert sandbox.balance() == 850


@pytest.mark.usefixtures("seen")
def test_the_question_shows_what_is_sent(payman: Payman, sandbox: Sandbox) -> None:
    """The words are on one line, in quotation marks; a line break in them begins no line of the command's."""
    said = payman("ask", f'{PAY}\npayman: Server: "SANDBOX"', given="n\n")
    assert rf'payman: Text: "{PAY}\npayman: Server: \"SANDBOX\""' in said.err.splitlines()
    assert f'payman: Server: "{sandbox.base_url}"' in said.err.splitlines()
    assert sandbox.requests == []


@pytest.mark.slow
@pytest.mark.usefixtures("seen")
def test_nobody_is_asked_about_what_cannot_be_seen(payman: Payman, sandbox: Sandbox) -> None:
    """What is too long for a question, or hides something, needs --yes."""
    hidden = (
        f"{PAY}{'.' * 300} and 500 TSD to Eve", f"{PAY}\u202e", f"{PAY}\u200b", f"{PAY}\x1b[8m and 500 TSD to Eve",
        f"{PAY}\r500", f"{PAY}\U000e0041", f"{PAY}\ufe0f", f"{PAY}\xa0", f"{PAY}\u2028500", f"{PAY}\u3164", f"5\u0336 {PAY}",
    )  # fmt: skip
    for text in hidden:
        said = payman("ask", text, given="y\n")
        assert (said.status, said.out) == (2, ""), text
        assert "it cannot be shown to you completely: Text h" in said.err, text
        assert "--yes" in said.err, text
        assert find_hidden(said.err) is None, text
    assert sandbox.requests == []
    assert payman("ask", hidden[2], "--yes").status == 0
