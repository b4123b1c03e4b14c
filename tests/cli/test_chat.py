from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest

from payman_sdk._cli.commands import chat
from payman_sdk._cli.commands.chat import COMMANDS, Command, Prompt, UnknownInput, read_line
from payman_sdk._cli.live import ProgressView
from payman_sdk._client.sync import Conversation
from payman_sdk.errors import APIConnectionError, PaymanError, TaskNotCancelableError, TaskNotFoundError
from payman_sdk.sandbox import HTTPError, Sandbox, ScriptedResponse
from tests.cli.command import Payman
from tests.tables import table


@table(
    ("line", "meaning"),
    [
        ("list all wallets\n", Prompt("list all wallets")),
        ("  \n", None),
        ("/NEW\n", Command("/new")),
        ("/exit", Command("/quit")),
        ("/aprove", UnknownInput("'/aprove' is not a command. Did you mean /approve?")),
        ("/xyz", UnknownInput("'/xyz' is not a command. See /help.")),
    ],
)
def test_what_a_line_means(line: str, meaning: object) -> None:
    """A slash begins a command, everything else is for the agent."""
    assert read_line(line) == meaning


def test_a_conversation_from_a_pipe(payman: Payman, sandbox: Sandbox) -> None:
    """Lines are asks of one session; `/new` begins another; the status is that of the last answer."""
    said = payman(
        "chat",
        given="list all wallets\n\n/session\nWhat did we talk about earlier?\n/new\nWhat did we talk about earlier?\n",
    )
    assert said.status == 0
    first, second, third = [r.session_id for r in sandbox.requests if r.operation == "send_task_subscribe"]
    assert first == second != third
    assert f"{first}\n" in said.out
    assert f"A new session: {third}" in said.out
    assert "We have not talked about anything" in said.out


def test_a_session_is_resumed(payman: Payman, sandbox: Sandbox) -> None:
    """`--session` goes on with an earlier one."""
    payman("chat", "--session", "ses-earlier", given="Hello!")
    assert sandbox.requests[-1].session_id == "ses-earlier"


@pytest.mark.parametrize(
    ("words", "balance"), [("/approve", 850), ("/deny", 1000), ("approve", 850), ("/cancel", 1000)]
)
def test_what_waits_is_decided(payman: Payman, sandbox: Sandbox, words: str, balance: int) -> None:
    """A command or plain words answer the task that waits, and what was said before is not repeated."""
    said = payman("chat", given=f"send 150 TSD to Test Payee\n{words}\n")
    assert sandbox.balance() == balance
    assert "The task waits for you: /approve, /deny" in said.err
    assert said.out.count("Approval needed") == 1
    assert sandbox.pending_payments == []


def test_a_new_session_leaves_what_waits(payman: Payman, sandbox: Sandbox) -> None:
    """`/new` answers nothing; leaving says how the task can be decided later."""
    said = payman("chat", given="send 150 TSD to Test Payee\n/new\n/approve\n")
    assert "No task waits for you" in said.err
    assert len(sandbox.pending_payments) == 1
    said = payman("chat", given="send 150 TSD to Test Payee\n")
    assert said.status == 3
    assert f"payman tasks reply {sandbox.pending_payments[-1].task_id} approve" in said.err


def test_failures_do_not_end_it(payman: Payman, sandbox: Sandbox) -> None:
    """What goes wrong is told, and the next line is asked; the status is that of the last one."""
    sandbox.script([HTTPError(403), ScriptedResponse("It broke.", state="failed"), "Good."])
    said = payman("chat", given="one\ntwo\nthree\n/nonsense\n")
    assert "403" in said.err
    assert "The task is failed" in said.err
    assert "Good." in said.out
    assert said.status == 0


@pytest.mark.parametrize("state", ["completed", "working"])
def test_what_cannot_be_canceled_any_more(
    payman: Payman, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    """Of a task that is past canceling, the end is waited for; where that takes long, nobody is told to cancel it."""

    def too_late(self: Conversation, task: str) -> None:
        raise TaskNotCancelableError("Too late.")

    def interrupted(self: Conversation, text: str, **options: object) -> None:
        with contextlib.suppress(PaymanError):
            ask(self, text, {"timeout": 1})
        raise KeyboardInterrupt

    ask = Conversation.ask
    monkeypatch.setattr(Conversation, "ask", interrupted)
    monkeypatch.setattr(Conversation, "cancel_task", too_late)
    monkeypatch.setattr(chat, "_END", 0.3)
    sandbox.script([ScriptedResponse("Paid it.", state=state)])
    said = payman("chat", given="list all wallets\n")
    assert "The task can no longer be canceled:" in said.err
    assert "Paid it." in said.out
    assert ("The task is still working" in said.err) == (state == "working")
    assert "/cancel" not in said.err
    assert said.status == (0 if state == "completed" else 5)


def test_lines_that_are_not_carried_out_are_not_completed(payman: Payman, sandbox: Sandbox) -> None:
    """The first one decides, until there is an answer; what needs no answer is completed."""
    rows = (
        ("/approve\n", 1),
        ("/deny\n", 1),
        ("/cancel\n", 1),
        ("/aprove\n", 2),
        ("/approve\n/aprove\n", 1),
        ("/aprove\nlist all wallets\n", 0),
        ("send 150 TSD to Test Payee\n/aprove\n", 3),
        ("", 0),
        ("/help\n/session\n/new\n", 0),
    )
    for given, status in rows:
        assert payman("chat", given=given).status == status, given


def ask_and_interrupt(
    self: Conversation, text: str, *, ask: Callable[..., object] = Conversation.ask, **options: object
) -> None:
    """Ask, and press Ctrl-C before the answer is shown."""
    ask(self, text)
    raise KeyboardInterrupt


def test_an_interrupted_cancellation_is_undetermined(
    payman: Payman, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C in an ask, and once more in its cancellation: nobody knows how the task ends."""

    def interrupt(self: Conversation, task: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Conversation, "ask", ask_and_interrupt)
    monkeypatch.setattr(Conversation, "cancel_task", interrupt)
    said = payman("chat", given="send 10 TSD to Test Payee\n")
    assert (said.status, "The task continues." in said.err) == (5, True)


def test_a_cancellation_that_cannot_be_sent_is_undetermined(
    payman: Payman, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says that the cancellation was not sent, which proves nothing about the ask."""

    def refuse(self: Conversation, task: str) -> None:
        raise APIConnectionError("Cannot connect.", sent=False)

    monkeypatch.setattr(Conversation, "ask", ask_and_interrupt)
    monkeypatch.setattr(Conversation, "cancel_task", refuse)
    said = payman("chat", given="send 10 TSD to Test Payee\n")
    assert (said.status, "The task may or may not be canceled." in said.err) == (5, True)


def test_a_canceled_task_that_is_not_known_may_still_arrive(
    payman: Payman, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another replica may know the task, so the command does not say that it never arrived."""

    def unknown(self: Conversation, task: str) -> None:
        raise TaskNotFoundError("No such task.", task_id=task)

    monkeypatch.setattr(Conversation, "ask", ask_and_interrupt)
    monkeypatch.setattr(Conversation, "cancel_task", unknown)
    said = payman("chat", given="send 10 TSD to Test Payee\n")
    assert said.status == 5
    assert "did not arrive" not in said.err
    assert "Do not send it again until you know the outcome." in said.err
    assert "To look up the outcome: payman tasks get tsk-" in said.err


def test_help_shows_every_command(payman: Payman) -> None:
    """`/help` names them all, and fits a screen."""
    said = payman("chat", given="/help\n/quit\nnever said\n")
    assert all(name in said.out for name in COMMANDS)
    assert len(said.out.splitlines()) <= 20


def test_progress_shows_the_newest_lines_and_the_state(sandbox: Sandbox) -> None:
    """What is shown while an answer comes fits the screen, whatever its length."""
    from rich.console import Console

    console = Console(width=40, height=10, force_terminal=True, color_system=None)
    sandbox.script(["\n".join(f"- line {number}" for number in range(100))])
    progress = ProgressView(clock=lambda: 0.0)
    with sandbox.client() as client, client.stream("list all wallets") as stream:
        for event in stream:
            progress.update(event)
    with console.capture() as captured:
        console.print(progress)
    lines = captured.get().splitlines()
    assert len(lines) == 8
    assert "line 99" in lines[-2]
    assert "Processing completed successfully  0 s" in lines[-1]


def test_words_that_leave(payman: Payman, sandbox: Sandbox) -> None:
    """`exit` and `quit` leave as `/quit` does, also while a task waits; a sentence that begins so is said."""
    for word in ("exit", "quit", " EXIT ", "/exit", "/quit"):
        said = payman("chat", given=f"{word}\nlist all wallets\n")
        assert (said.status, said.out) == (0, ""), word
    assert payman("chat", given="send 150 TSD to Test Payee\nquit\n").status == 3
    assert len(sandbox.pending_payments) == 1
    payman("chat", given="exit strategy?\nexit\n")
    assert sandbox.requests[-1].text == "exit strategy?"
