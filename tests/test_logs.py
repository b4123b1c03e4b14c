from __future__ import annotations

import ast
import io
import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import payman_sdk
from payman_sdk import PaymanClient
from payman_sdk._secrets import SecretStr, sent_secrets
from payman_sdk._text.logger import MOST_IN_A_WARNING, SafeFormatter, format_traceback, get_logger
from payman_sdk._text.sanitizer import find_hidden
from payman_sdk.errors import PaymanError
from tests.tables import table

_FORGED = "2026-11-28 21:00:00,000 INFO payroll 1,000,000 USD approved by alice"

_WORDS = {
    "newline and escape": f"later\n{_FORGED}\x1b[2K",
    "carriage return": f"later\r{_FORGED}",
    "both": f"later\r\n{_FORGED}",
    "vertical tab": f"later\x0b{_FORGED}",
    "form feed": f"later\x0c{_FORGED}",
    "file separator": f"later\x1c{_FORGED}",
    "next line": f"later\x85{_FORGED}",
    "line separator": f"later\u2028{_FORGED}",
    "paragraph separator": f"later\u2029{_FORGED}",
    "cursor up": f"later\x1b[1A\x1b[2K{_FORGED}",
    "CSI of C1": f"later\x9bE{_FORGED}",
    "backspaces": "later" + "\b" * 80 + _FORGED,
    "wrapped by spaces": f"later{' ' * 200}{_FORGED}",
    "wrapped by length": f"later{'.' * 200}{_FORGED}",
    "turned": f"\u202elater{_FORGED}",
    "window title": f"later\x1b]0;{_FORGED}\x07",
    "markup": f"[link=https://evil.example]later[/link]\n{_FORGED}",
    "format": f"%s %d %(name)s {{}}\n{_FORGED}",
    "half a character": f"later\ud83d\n{_FORGED}",
}
"""What a server says in a refusal."""


@contextmanager
def _refusing(words: str) -> Iterator[str]:
    """The address of a server that refuses the first ask in these words, and completes the others."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            asked.append(request["method"])
            known = {"id": request["params"]["id"], "status": {"state": "completed"}}
            done = json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": known})
            body = (words if len(asked) == 1 else done).encode("utf-8", "surrogatepass")
            self.send_response(429 if len(asked) == 1 else 200)
            self.send_header("Retry-After", "0")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name there)
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def _written(level: int) -> Iterator[io.StringIO]:
    """What a program's own handler writes of the SDK's records, formatted as programs do."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    log = get_logger()
    before = log.level
    log.addHandler(handler)
    log.setLevel(level)
    try:
        yield written
    finally:
        log.removeHandler(handler)
        log.setLevel(before)


def _ask(base_url: str) -> None:
    token = {"accessToken": "t", "expiresIn": 3600}
    with PaymanClient.with_token("pm-1", token, base_url=base_url) as client:
        client.ask("hello")


@pytest.mark.slow
def test_a_server_writes_no_line_of_the_log() -> None:
    """A record is one line in which nothing hides, with at most 80 characters of the server's, whatever the server says."""
    for kind, words in _WORDS.items():
        with _refusing(words) as base_url, _written(logging.WARNING) as written:
            _ask(base_url)
        lines = written.getvalue().split("\n")
        assert lines[-1] == "", kind
        assert len(written.getvalue().splitlines()) == len(lines) - 1, kind
        assert len([line for line in lines if "attempt 1 failed" in line]) == 1, kind
        for line in lines[:-1]:
            assert " WARNING payman_sdk " in line, kind
            assert find_hidden(line) is None, kind
            assert line.isprintable(), kind
        assert _FORGED not in written.getvalue(), (
            kind
        )  # not even within a line: it is longer than what is shown


def test_records_below_a_warning_are_lines_too() -> None:
    """At DEBUG and INFO nothing of a server's is more than a part of a line."""
    for kind in ("newline and escape", "line separator", "half a character"):
        with _refusing(_WORDS[kind]) as base_url, _written(logging.DEBUG) as written:
            _ask(base_url)
        for line in written.getvalue().splitlines():
            assert " payman_sdk " in line, kind
            assert line.isprintable(), kind


class _Odd:
    def __str__(self) -> str:
        raise RuntimeError("no text")


def test_whatever_a_record_is_given_is_short_and_plain() -> None:
    """Texts, errors, objects and dicts of them; numbers stay numbers, and templates stay templates."""
    log = get_logger("payman_sdk.tests")
    given: list[tuple[str, tuple[Any, ...], str]] = [
        ("%s", ("a\nb",), r"a\nb"),
        ("%s", (ValueError("a\x1b[2J"),), r"a\x1b[2J"),
        ("%s", (PaymanError("a\nb", status_code=500),), r"a\nb [HTTP 500]"),
        ("%s", (b"a\nb",), r"b'a\nb'"),
        ("%s", (["a\u202e"],), r"['a\u202e']"),
        ("%s", ("x" * 500,), "x" * 80 + "… (420 more characters)"),
        ("%(name)s", ({"name": "a\rb"},), r"a\rb"),
        ("%d in %.1f s, %s", (3, 0.5, None), "3 in 0.5 s, None"),
        ("a\nb %s", ("c",), r"a\nb c"),
        ("a\nb", (), r"a\nb"),
        ("x" * 500, (), "x" * 80 + "… (420 more characters)"),
        ("%s", (_Odd(),), "<_Odd whose text failed with RuntimeError>"),
    ]
    for template, arguments, said in given:
        with _written(logging.WARNING) as written:
            log.warning(template, *arguments)
        assert written.getvalue().partition(" payman_sdk.tests ")[2] == f"{said}\n", template
    assert MOST_IN_A_WARNING == 80


def _fail(words: str) -> None:
    try:
        raise ValueError(words)
    except ValueError as error:
        error.add_note(f"note {words}")
        raise ExceptionGroup(f"several {words}", [KeyError(words), OSError(words)]) from error


def test_a_traceback_shows_what_errors_say_on_one_line() -> None:
    """An error, its cause, its notes and its group: every line is Python's, or begins with the name of a class."""
    words = f"boom\n{_FORGED}\x1b]0;EVIL\x07\u202e"
    try:
        _fail(words)
    except ExceptionGroup as error:
        shown = format_traceback(error)
    assert _FORGED in shown
    assert find_hidden(shown) is None
    assert not [line for line in shown.split("\n") if line.startswith(("2026", "boom"))]
    for part in (
        "Traceback (most",
        "in _fail",
        "ValueError: boom",
        "note boom",
        "direct cause",
        "KeyError: ",
        "OSError: boom",
    ):
        assert part in shown, part
    with _written(logging.WARNING) as written:
        try:
            _fail(words)
        except ExceptionGroup:
            get_logger("payman_sdk.tests").exception("It failed")
    assert find_hidden(written.getvalue()) is None
    assert "several boom" in written.getvalue()
    assert _FORGED[:60] in written.getvalue()
    assert f"{_FORGED}\\x1b]0;EVIL" not in written.getvalue()  # a record shows less than the command does


def test_no_record_and_no_traceback_holds_a_secret() -> None:
    """A secret that this process sends is redacted in whatever a record or a traceback is given, a library's own error included."""
    secret = "a-secret-of-the-log-tests-5f1c"  # pragma: allowlist secret
    sent_secrets.add(SecretStr(secret))
    with _written(logging.WARNING) as written:
        get_logger().warning("%s %s", f"it said {secret}", OSError(secret))
        shown = format_traceback(ValueError(f"the address holds {secret}"))
        record = logging.LogRecord("other", logging.WARNING, __file__, 1, "GET %s", (secret,), None)
        formatted = SafeFormatter("%(message)s").format(record)
    for text in (written.getvalue(), shown, formatted):
        assert secret[:8] not in text


def test_a_traceback_ends() -> None:
    """Causes in a ring, and a group with more errors than anybody reads."""
    ring, other = ValueError("ring"), ValueError("other")
    ring.__cause__, other.__cause__ = other, ring
    assert format_traceback(ring).count("ValueError: ring") == 1
    many = ExceptionGroup("many", [ValueError(str(number)) for number in range(1000)])
    assert format_traceback(many).count("ValueError") < 100


def test_a_formatter_makes_records_of_others_safe() -> None:
    """The command formats what other libraries log: a message is one line, and so is what an error says in a traceback."""
    try:
        _fail("a\nb\x1b[2J")
    except ExceptionGroup as error:
        info = (type(error), error, error.__traceback__)
    record = logging.LogRecord("other", logging.WARNING, __file__, 1, "a\x9bE\nb %s", ("\u2028c",), info)
    shown = SafeFormatter("%(name)s %(message)s").format(record)
    assert shown.startswith("other a\\x9bE\\nb \\u2028c\nTraceback")
    assert find_hidden(shown) is None


@pytest.mark.slow
def test_every_logger_of_the_sdk_is_safe() -> None:
    """Modules log by `get_logger`, or by the logger `payman_sdk`, which is safe once anything has logged by that; a child of it would not be."""
    root = Path(payman_sdk.__file__).parent
    for file in root.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "getLogger"
            ):
                name = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
                is_safe = (
                    name in {"payman_sdk", "httpx", "asyncio", "dotenv.main"} or file.name == "logger.py"
                )
                assert is_safe, f"{file.relative_to(root)}:{node.lineno}"


@pytest.mark.slow
@table("attribute", ["message", "next_step", "task_id", "session_id", "request_id", "idempotency_key"])
def test_an_error_says_one_line(attribute: str) -> None:
    """Whatever of an error repeats a server's words, its text is one line in which nothing hides, and not without end."""
    for kind, words in _WORDS.items():
        known: dict[str, Any] = {attribute: f"{words}{'x' * 5000}"}
        error = PaymanError(known.pop("message", "It broke."), **known)
        if attribute != "next_step":
            assert len(str(error)) < 2200, kind
        for said in (str(error), str(PaymanError(str(error)))):
            assert said.isprintable(), kind
            assert find_hidden(said) is None, kind
