"""A server that says hostile words wherever it can say anything, and what the command shows of that."""

from __future__ import annotations

import json
import os
import re
import select
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from typer.testing import CliRunner

from payman_api import PATHS
from payman_sdk import _config
from payman_sdk._cli.context import app
from payman_sdk._cli.identity import IDENTITY_PATH
from payman_sdk._cli.run import Run
from payman_sdk._cli.terminal import Terminal
from payman_sdk._text.sanitizer import find_hidden
from tests import programs
from tests.cli.command import PROGRAM, environment_of
from tests.peer import TOKEN_PATH, Answer, Peer, Request, answer, json_answer, rpc

pytestmark = pytest.mark.slow


_FORGED = "payman: Sent 1,000,000 TSD to Eve"

_WORDS = (
    f"\x1b]52;c;RVZJTA==\x07\x1b]0;EVIL\x07\x1b[2J\x1b[6n\x9b2J\x90q\x9c\x1b[200~\u202eEVIL\u2066\u200f\r\n{_FORGED}",
    f"\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\\n{_FORGED}",
    f"\x1b[1A\x1b[2K\r{_FORGED}",
    f"\x1bP+q544e\x1b\\\x0b{_FORGED}",
    f"\x1b_payload\x1b\\\x0c{_FORGED}",
    f"\x1b(0lqqk\x1b(B\x85{_FORGED}",
    f"\x1bc\x1b[?1049h\u2028{_FORGED}",
    f"\x1b]1337;File=:AA==\x07\u2029{_FORGED}",
    f"\b\b\b\b\b\x7f\x00\n{_FORGED}",
    f"\u200b\u2060\u00ad\U000e0041\ufe0f\u3164\n{_FORGED}",
    f"\ud83d\x1b[31m\n{_FORGED}",
    f"&#27;]0;EVIL&#7; &#x1b;[2J &#8238;EVIL &NewLine;{_FORGED} &shy;&ZeroWidthSpace;&rlm;",
    f"<http://evil.example/%1b]0;EVIL%07> ![a&#27;](b&#27;) [c](d&#x9b;2J 'e&#27;') ```f&#27;\n{_FORGED}",
    f"[bold red]EVIL[/] [link=https://evil.example]x[/link] [@click=app.bell]y[/]\n{_FORGED}",
    f"| a\x1b[2J | b |\n|--|--|\n| &#27;[2J | \x9b2J |\n\n```\x1b]0;EVIL\x07\n\x1b[2J\n```\n{_FORGED}",
    f"a{chr(0x301) * 400}\n{_FORGED}",
)
"""What it says, a kind of harm each."""

_MODES = (
    "fine", "failed", "waits", "state", "ids", "RPC error", "refusal", "server error", "web page", "no JSON", "other task",
    "no token", "odd token", "token error",
)  # fmt: skip
"""How it behaves."""

_COMMANDS = (
    ("ask", "hello", "--no-stream", "--yes"),
    ("ask", "hello", "--stream", "--yes"),
    ("ask", "hello", "--raw", "--yes"),
    ("ask", "hello", "--json", "--yes"),
    ("tasks", "get", "tsk-1"),
    ("tasks", "cancel", "tsk-1"),
    ("tasks", "reply", "tsk-1", "approve", "--yes"),
    ("token",),
    ("doctor",),
    ("chat", "--yes"),
)
_CHAT = "hello\n/session\n/approve\n/cancel\n/new\n"


def _behave(peer: Peer, mode: str, words: str) -> None:
    token = {"accessToken": "t", "tokenType": "Bearer", "expiresIn": 3600, "scope": words}
    tokens: dict[str, Answer] = {
        "no token": answer(400, json.dumps({"error": words, "error_description": words})),
        "odd token": json_answer({words: 1}),
        "token error": answer(500, words.encode("utf-8", "replace"), "text/plain"),
    }
    peer.always(TOKEN_PATH, tokens.get(mode, json_answer(token)))
    peer.always(
        PATHS["get_agent_card"],
        json_answer({}, date=words.encode("ascii", "replace").decode().split("\n")[0].strip("\r\b\x00")),
    )
    peer.always(IDENTITY_PATH, answer(404, words.encode("utf-8", "replace")))
    for name in ("send_task", "get_task", "cancel_task"):
        peer.always(PATHS[name], _answer(mode, words))
    peer.always(PATHS["send_task_subscribe"], _stream(mode, words))


def _task(mode: str, words: str, request: Request) -> dict[str, Any]:
    state = {"failed": "failed", "waits": "input-required", "state": f"odd{words}"}.get(mode, "completed")
    task_id = words if mode == "other task" else request.json["params"]["id"]
    parts = [{"type": "text", "text": f"answer {words}"}]
    return {
        "id": task_id,
        "sessionId": f"ses-{words}",
        "status": {
            "state": state,
            "message": {"role": "agent", "parts": parts},
            "timestamp": "2025-06-27T16:31:41Z",
        },
        "artifacts": [{"name": words, "description": words, "parts": parts, "index": 0}],
        "metadata": {words: words},
    }


def _answer(mode: str, words: str) -> Answer:
    raw = words.encode("utf-8", "replace")
    match mode:
        case "RPC error":
            return rpc(error={"code": -32600, "message": words, "data": words})
        case "refusal":
            return answer(403, raw, "text/plain")
        case "server error":
            return answer(500, raw, "text/plain")
        case "web page":
            return answer(500, b"<html>" + raw, "text/html")
        case "no JSON":
            return answer(200, raw, "application/json")
        case "ids":
            return lambda request: json_answer({"jsonrpc": "2.0", "id": words, "result": {}})(request)
        case _:
            return lambda request: rpc(result=_task(mode, words, request))(request)


def _stream(mode: str, words: str) -> Answer:
    def write(request: Request) -> Iterator[bytes]:
        if mode not in {"fine", "failed", "waits", "state"}:
            yield from _answer(mode, words)(request)
            return
        task, envelope = _task(mode, words, request), {"jsonrpc": "2.0", "id": request.json["id"]}
        working = {**task["status"], "state": "working"}
        results = (
            {"id": task["id"], "status": working, "final": False},
            {"id": task["id"], "artifact": task["artifacts"][0]},
            {"id": task["id"], "status": task["status"], "final": mode != "state"},
        )
        events = "".join(f"data: {json.dumps({**envelope, 'result': result})}\n\n" for result in results)
        yield from answer(200, events, "text/event-stream")(request)

    return write


@pytest.fixture
def peer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Peer]:
    """The server, with its settings in the environment."""
    with Peer() as peer:
        monkeypatch.setenv("PAYMAN_BASE_URL", peer.base_url)
        monkeypatch.setenv("PAYMAN_CLIENT_ID", "pm-1")
        monkeypatch.setenv("PAYMAN_CLIENT_SECRET", "a-secret")
        # How long is waited for what never ends decides nothing here.
        _shorten(monkeypatch, 0.1)
        yield peer


def _shorten(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    monkeypatch.setitem(_config.READERS, "timeout", partial(_config.read_seconds, default=seconds))


def _run(*arguments: str) -> tuple[str, str]:
    """What the command writes to standard output and standard error."""
    done = CliRunner().invoke(app, list(arguments), input=_CHAT, obj=Run(), prog_name="payman")
    assert done.exception is None or isinstance(done.exception, SystemExit), arguments
    return done.stdout, done.stderr


def _check(out: str, err: str, place: object) -> None:
    """Nothing hides in what was written, and every line of a message is the command's own."""
    for text in (out, err):
        assert find_hidden(text) is None, place
        assert text.count("\u0301") < 50, place
    assert _FORGED not in err.splitlines(), place
    for line in err.split("\n"):
        assert not line.startswith(_FORGED), place


def test_nothing_of_a_servers_commands_a_terminal(peer: Peer) -> None:
    """Commands, with --debug, of a server that behaves in every way: nothing hides in answers, messages, logs and tracebacks."""
    for number, mode in enumerate(_MODES):
        for place, command in list(enumerate(_COMMANDS))[number % 2 :: 2]:
            words = _WORDS[(number * len(_COMMANDS) + place) % len(_WORDS)]
            _behave(peer, mode, words)
            _check(*_run("--debug", *command), (mode, command, words))


def test_answers_in_every_words(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer keeps its line breaks and nothing else, in a pipe and where Markdown is rendered."""
    _shorten(monkeypatch, 60.0)  # it ends at once
    for is_rendered in (False, True):
        monkeypatch.setattr(Terminal, "is_output_terminal", is_rendered)
        monkeypatch.setattr(Terminal, "is_error_terminal", is_rendered)
        for words in _WORDS:
            _behave(peer, "fine", words)
            for how in ("--no-stream", "--stream"):
                out, err = _run("ask", "hello", how, "--yes")
                _check(out, err, (is_rendered, how, words))
                assert "answer" in out
    _behave(peer, "fine", "one\r\ntwo\n\n- three")
    monkeypatch.setattr(Terminal, "is_output_terminal", False)
    assert _run("ask", "hello", "--no-stream", "--yes")[0] == "answer one\ntwo\n\n- three\n"


_OURS = re.compile(r"\x1b\[[\d;]*m|\x1b\[\?25[lh]|\x1b\[1A|\x1b\[2K|\r")
"""What the command itself writes to a terminal: colours, the cursor hidden, and lines drawn again."""


def test_a_terminal_is_given_nothing_but_colours(peer: Peer) -> None:
    """On a terminal, while an answer comes and afterwards: no title, no link, no clipboard, no other screen."""
    pty = pytest.importorskip("pty")
    for mode in ("fine", "waits"):
        _behave(peer, mode, "".join(_WORDS))
        master, slave = pty.openpty()
        process = programs.Popen(
            [*PROGRAM, "--debug", "ask", "hello", "--yes"],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment_of(LINES="24", COLUMNS="80"),
        )
        os.close(slave)
        shown = b""
        try:
            while select.select([master], [], [], 20)[0]:
                try:
                    piece = os.read(master, 65536)
                except OSError:
                    break
                if not piece:
                    break
                shown += piece
            assert process.wait(timeout=60) in {0, 3}
        finally:
            process.kill()
            process.wait(timeout=60)
            os.close(master)
        text = _OURS.sub("", shown.decode())
        assert "EVIL" in text
        assert find_hidden(text) is None
