from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from payman_api import PATHS
from payman_sdk._cli.commands.ask import COMPLETED_IS_NOT_PAID
from payman_sdk.sandbox import ConnectionLost, HTTPError, Sandbox, ScriptedResponse
from tests.cli.command import SECRET, Payman
from tests.peer import Answer, Peer, task_with


def test_an_answer_goes_to_standard_output_and_nothing_else_does(payman: Payman) -> None:
    """`payman ask` in a pipe prints the answer as plain text, and nothing else but what completed means."""
    said = payman("ask", "list all wallets")
    assert said.status == 0
    assert "1,000.00 TSD" in said.out
    assert said.out.endswith("TSD\n")
    assert "\x1b" not in said.out
    assert said.err == f"payman: {COMPLETED_IS_NOT_PAID}\n"
    assert payman("ask", "list all wallets", "--quiet").err == ""


def test_the_text_may_come_from_standard_input(payman: Payman, sandbox: Sandbox) -> None:
    """`-` stands for what is on standard input."""
    assert payman("ask", "-", given="list all payees\n").status == 0
    assert sandbox.requests[-1].text == "list all payees\n"


def test_json_is_one_document_of_the_formatted_answer(payman: Payman) -> None:
    """`--json` prints what `ask` returns."""
    said = payman("ask", "list all wallets", "--json")
    answer = json.loads(said.out)
    assert (said.status, said.err) == (0, "")
    assert answer["status"] == "completed"
    assert answer["session_id"].startswith("ses-")
    assert "1,000.00 TSD" in answer["artifacts"][0]["content"]


def test_json_holds_null_for_numbers_that_json_does_not_have(
    payman: Payman, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A strict reader can read every document; standard error says what is missing from it."""

    def refuse(name: str) -> None:
        raise ValueError(name)

    with Peer() as peer:
        monkeypatch.setenv("PAYMAN_BASE_URL", peer.base_url)
        for number, name in (("1e999", "Infinity"), ("NaN", "NaN"), ("-1e999", "-Infinity"), ("1.5", "")):
            part = {"type": "data", "data": {"x": "HERE"}}
            task = {
                "artifacts": [{"parts": [part, {"type": "text", "text": "ok"}]}],
                "metadata": {"y": ["HERE"]},
            }
            for path in ("send_task", "get_task"):
                peer.always(PATHS[path], _replace(task_with(**task), b'"HERE"', number.encode()))
            for command in (
                ("ask", "hi", "--yes", "--json"),
                ("ask", "hi", "--yes", "--raw"),
                ("tasks", "get", "tsk-1", "--json"),
            ):
                said = payman(*command)
                json.loads(said.out, parse_constant=refuse)
                kept = "null" if name else number
                assert f'"x": {kept}' in said.out, (command, said)
                assert re.search(rf'"y": \[\s*{re.escape(kept)}\s*\]', said.out), (command, said)
                assert (f"JSON has no {name}: " in said.err) == bool(name), (command, said)


def _replace(answer: Answer, old: bytes, new: bytes) -> Answer:
    """The same answer with other bytes, padded with spaces to the same length."""
    return lambda request: (piece.replace(old, new.ljust(len(old))) for piece in answer(request))


def test_raw_is_the_answer_as_it_came(payman: Payman) -> None:
    """`--raw` prints the JSON-RPC answer, and the exit status is its state's."""
    said = payman("ask", "list all wallets", "--raw")
    assert json.loads(said.out)["result"]["status"]["state"] == "COMPLETED"
    assert said.status == 0
    assert payman("ask", "send 150 TSD to Test Payee", "--raw").status == 3


def test_json_and_raw_exclude_each_other(payman: Payman, sandbox: Sandbox) -> None:
    """Two forms of the answer at once are a usage error, and nothing is asked."""
    said = payman("ask", "list all wallets", "--raw", "--json")
    assert (said.status, json.loads(said.out)["error"]["exit_code"]) == (2, 2)
    assert sandbox.requests == []


def test_a_stream_in_a_pipe_is_plain_text(payman: Payman, sandbox: Sandbox) -> None:
    """`--stream` writes the words as they come, and all of them are what `ask` would have printed."""
    streamed, whole = payman("ask", "list all payees", "--stream"), payman("ask", "list all payees")
    assert streamed == whole
    assert [request.operation for request in sandbox.requests][-3::2] == ["send_task_subscribe", "send_task"]


def test_options_go_along(payman: Payman, sandbox: Sandbox) -> None:
    """Session, metadata and key are those of the flags; a key asks once."""
    arguments = [
        "ask",
        "send 10 TSD to Test Payee",
        "--session",
        "ses-1",
        "--metadata",
        "order=7",
        "--metadata",
        "a=b=c",
    ]
    for _ in range(2):
        assert payman(*arguments, "--idempotency-key", "invoice-42").status == 0
    sent = [request for request in sandbox.requests if request.operation == "send_task"]
    assert [(request.session_id, request.metadata) for request in sent] == [
        ("ses-1", {"order": "7", "a": "b=c"})
    ]
    assert sandbox.balance() == 990


def test_a_session_is_new_unless_one_is_named(payman: Payman, sandbox: Sandbox) -> None:
    """Each ask has a session of its own; `--session new` says the same."""
    payman("ask", "Hello!")
    payman("ask", "Hello!", "--session", "new")
    first, second = [request.session_id for request in sandbox.requests if request.operation == "send_task"]
    assert first != second
    assert str(second).startswith("ses-")


def test_a_blank_session_is_refused(payman: Payman, sandbox: Sandbox) -> None:
    """An unset shell variable does not start a new session. A reply refuses `new`, which is not the id of a session."""
    for command in (("ask", "Hello!"), ("chat",), ("tasks", "reply", "tsk-1", "approve")):
        for blank in ("", " "):
            said = payman(*command, "--session", blank, given="Hello!\n")
            assert (said.status, said.out) == (2, ""), command
            assert "'--session': it is blank" in said.err, command
    assert sandbox.requests == []
    task = json.loads(payman("ask", "send 150 TSD to Test Payee", "--json").out)["task_id"]
    assert payman("tasks", "reply", task, "approve", "--session", "new").status == 0
    assert str(sandbox.requests[-1].session_id).startswith("ses-")


@pytest.mark.parametrize(
    ("script", "status", "words"),
    [
        (["Done."], 0, ""),
        ([ScriptedResponse("It broke.", state="failed")], 1, "The task is failed"),
        ([ScriptedResponse("Stopped.", state="canceled")], 1, "The task is canceled"),
        ([ScriptedResponse("No.", state="rejected")], 4, "The task is rejected"),
        ([ScriptedResponse("Approve?", state="input-required")], 3, "tasks wait tsk-"),
        ([HTTPError(403)], 1, "403"),
    ],
)
@pytest.mark.parametrize("form", ["--no-stream", "--stream", "--json"])
def test_the_exit_status_reports_how_it_ended(
    payman: Payman, sandbox: Sandbox, script: list[object], status: int, words: str, form: str
) -> None:
    """0 completed, 1 failed, 3 waiting, 4 refused; what is to be known is said on standard error."""
    sandbox.script(script)  # type: ignore[arg-type]
    said = payman("ask", "list all wallets", form)
    assert said.status == status
    assert words in said.err
    assert bool(said.out) == (form == "--json" or not isinstance(script[0], HTTPError))


def test_an_unknown_outcome_is_reported_with_the_ids(payman: Payman, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the answer is lost and the server cannot tell, the status is 5, and the message says how to ask later."""
    with Sandbox(tasks_get=False, clients={"cli-tests": SECRET}) as forgetful:
        monkeypatch.setenv("PAYMAN_BASE_URL", forgetful.base_url)
        forgetful.script([ConnectionLost()])
        said = payman("ask", "send 10 TSD to Test Payee")
        sent = forgetful.requests[-1].task_id or forgetful.requests[-2].task_id
        assert (said.status, said.out) == (5, "")
        assert f"payman tasks get {sent}" in said.err
        assert "Do not send it again" in said.err
        assert len(forgetful.payments) == 1
        forgetful.script([ConnectionLost()])
        said = payman("ask", "send 10 TSD to Test Payee", "--idempotency-key", "invoice-1", "--stream")
        assert said.status == 5
        assert "the same --idempotency-key" in said.err


def test_wrong_credentials_are_status_6(payman: Payman, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret that the server refuses is a failure of authentication."""
    monkeypatch.setenv("PAYMAN_CLIENT_SECRET", "another-secret-that-is-wrong")
    said = payman("ask", "list all wallets")
    assert (said.status, said.out) == (6, "")
    assert "another-secret" not in said.err


def test_without_configuration_it_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing set: a usage error that names the variables, the login and the sandbox."""
    said = Payman()("ask", "list all wallets")
    assert (said.status, said.out) == (2, "")
    for word in ("PAYMAN_CLIENT_ID", "PAYMAN_CLIENT_SECRET", "payman login", "--sandbox"):
        assert word in said.err


def test_a_server_that_is_not_there_is_a_failure(payman: Payman, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody listens, nothing was done: status 1."""
    monkeypatch.setenv("PAYMAN_BASE_URL", "http://127.0.0.1:9")
    said = payman("ask", "list all wallets", "--timeout", "2", "--yes")
    assert (said.status, said.out) == (1, "")


@pytest.mark.parametrize(
    "arguments",
    [
        ["ask"],
        ["ask", " "],
        ["ask", "hello", "there"],
        ["ask", "hello", "--timeout", "-1"],
        ["ask", "hello", "--metadata", "nothing"],
        ["ask", "hello", "--no-such-flag"],
        ["ask", "hello", "--env", "MOON"],
        ["ask", "hello", "--env", "TEST", "--base-url", "http://127.0.0.1:9"],
        ["ask", "hello", "--base-url", "http://example.com"],
        ["no-such-command"],
    ],
)
def test_usage_errors_are_status_2(payman: Payman, sandbox: Sandbox, arguments: list[str]) -> None:
    """What cannot be meant is refused before anything is sent."""
    said = payman(*arguments)
    assert (said.status, said.out) == (2, "")
    assert said.err
    assert sandbox.requests == []


def test_settings_come_from_an_env_file(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A `.env` file in the working directory is read, and one above it is not."""
    lines = (
        f"PAYMAN_BASE_URL={sandbox.base_url}",
        f"PAYMAN_CLIENT_ID={sandbox.client_id}",
        f"PAYMAN_CLIENT_SECRET={SECRET}",
    )
    (tmp_path / ".env").write_text("\n".join(lines), "utf-8")
    (tmp_path / "deep" / "er").mkdir(parents=True)
    said = Payman()("ask", "list all wallets")
    assert said.status == 0
    assert f"Credentials go to {sandbox.base_url}" in said.err
    assert f"(PAYMAN_BASE_URL in {tmp_path / '.env'})" in said.err
    monkeypatch.chdir(tmp_path / "deep" / "er")
    assert Payman()("ask", "list all wallets").status == 2
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PAYMAN_CLIENT_SECRET", "of-the-environment")
    said = Payman()("ask", "list all wallets")
    assert said.status == 2
    assert "gets no credentials from another source" in said.err


def test_a_sandbox_for_one_command() -> None:
    """`--sandbox` needs no settings, and may stand behind the command too."""
    assert "1,000.00 TSD" in Payman()("--sandbox", "ask", "list all wallets").out
    assert "1,000.00 TSD" in Payman()("ask", "list all wallets", "--sandbox").out
    assert Payman()("ask", "list all wallets", "--sandbox", "--env", "TEST").status == 2


def test_what_commands_a_terminal_is_left_out(payman: Payman, sandbox: Sandbox) -> None:
    """Escape sequences and marks of direction in an answer do not reach a terminal."""
    sandbox.script(["paid \x1b[2K\x1b]0;title\x07 \u202egnp.exe \x9b31m"] * 2)
    for form in ("--stream", "--no-stream"):
        said = payman("ask", "list all wallets", form)
        assert not set(said.out) & set("\x1b\x07\u202e\x9b")


def test_debug_logs_without_secrets(payman: Payman) -> None:
    """`--debug` may say a lot, but never a secret; `payman` hunts for the client's in all output."""
    assert payman("--debug", "ask", "list all wallets").status == 0
