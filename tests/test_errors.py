from __future__ import annotations

import copy
import pickle
import re
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import Any

import httpx
import pytest

from payman_api import PATHS
from payman_sdk import PaymanClient, errors
from payman_sdk._core import retry
from payman_sdk._core.error_classes import build_status_error, find_code_class, find_status_class
from payman_sdk._text.error_response import shorten, summarize_body
from payman_sdk.errors import (
    AgentError,
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    ConfigurationError,
    ErrorResponse,
    IdempotencyKeyReuseError,
    PaymanError,
    ServerError,
)
from payman_sdk.types import FormattedTaskResponse
from tests.conftest import Connect
from tests.peer import TOKEN_PATH, Answer, Peer
from tests.tables import table
from tests.tasks.faults import AGENT_ERRORS, BODIES, REFUSED, SILENT, UNREADABLE


def tree(root: type[PaymanError]) -> Iterator[type[PaymanError]]:
    yield root
    for child in root.__subclasses__():
        # Not those of other tests, nor those that are made where `requests` is imported.
        if child.__module__ == errors.__name__ and "_payman_public" not in vars(child):
            yield from tree(child)


CLASSES = list(dict.fromkeys(tree(PaymanError)))


def made(error_class: type[PaymanError]) -> PaymanError:
    """An error with everything it can carry."""
    known: dict[str, Any] = {
        "next_step": "Mend it.",
        "request_id": "req-1",
        "task_id": "tsk-1",
        "session_id": "ses-1",
        "response": ErrorResponse(503, b'{"why": "busy"}', "application/json", {"Retry-After": "3"}),
        "idempotency_key": "invoice-42",
    }
    if issubclass(error_class, APIConnectionError):
        known["sent"] = False
    error = error_class("It broke.", **known)
    for name, value in {
        "code": -1,
        "data": {"a": [1]},
        "error": "e",
        "error_description": "d",
        "partial": FormattedTaskResponse(status="in_progress", state="WORKING", session_id="ses-1"),
        "task": FormattedTaskResponse(status="failed", state="FAILED"),
    }.items():
        if hasattr(error, name):
            setattr(error, name, value)
    error.add_note("Seen at night.")
    return error


def carried(error: BaseException) -> dict[str, Any]:
    """Everything an error carries, in a form that compares."""
    response: ErrorResponse | None = vars(error)["response"]
    assert response is not None
    kept = (response.status_code, response.json(), dict(response.headers))
    return {**vars(error), "response": kept, "args": error.args, "str": str(error), "class": type(error)}


def pickled(protocol: int, error: PaymanError) -> PaymanError:
    copied: PaymanError = pickle.loads(pickle.dumps(error, protocol))  # noqa: S301 - what it wrote itself
    return copied


WAYS: list[Callable[[PaymanError], PaymanError]] = [
    copy.copy,
    copy.deepcopy,
    *(partial(pickled, protocol) for protocol in range(2, 6)),
]


def raise_one(error_class: type[PaymanError]) -> None:
    raise made(error_class)


@table("error_class", CLASSES)
@table("copied", WAYS)
def test_every_error_survives_being_copied(
    error_class: type[PaymanError], copied: Callable[[PaymanError], PaymanError]
) -> None:
    """A copied or pickled error carries what the original does."""
    assert carried(copied(made(error_class))) == carried(made(error_class))


def test_a_copy_has_what_it_carries_to_itself() -> None:
    """What is noted on a copy is not noted on the original."""
    error = made(PaymanError)
    copy.copy(error).add_context(task_id="tsk-2")
    assert error.task_id == "tsk-1"


def raised_in_another_process(
    raise_one: Callable[[type[PaymanError]], None],
) -> dict[type[PaymanError], BaseException | None]:
    """What arrives when each class is raised in a process of a pool."""
    with ProcessPoolExecutor(
        1, mp_context=get_context("spawn" if sys.platform == "win32" else "forkserver")
    ) as pool:
        raised = [pool.submit(raise_one, error_class) for error_class in CLASSES]
        return dict(zip(CLASSES, [future.exception(timeout=30) for future in raised], strict=True))


def assert_whole(arrived: dict[type[PaymanError], BaseException | None]) -> None:
    for error_class, error in arrived.items():
        assert error is not None
        assert carried(error) == carried(made(error_class))


@pytest.mark.slow
def test_errors_come_back_from_another_process() -> None:
    """An error raised in a process of a pool arrives whole."""
    assert_whole(raised_in_another_process(raise_one))


@table("error_class", CLASSES)
def test_every_error_says_what_is_known(error_class: type[PaymanError]) -> None:
    """The text of an error is its message, the next step, and the ids."""
    known = "HTTP 503, task tsk-1, session ses-1, request req-1, key invoice-42"
    assert str(made(error_class)) == f"It broke. Mend it. [{known}]"
    assert str(error_class("It broke.")) == "It broke."
    assert made(error_class).status_code == 503


@table("error_class", CLASSES)
def test_every_error_is_a_payman_error(error_class: type[PaymanError]) -> None:
    """One except clause catches them all, and the module shows them all."""
    assert issubclass(error_class, PaymanError)
    assert getattr(errors, error_class.__name__) is error_class


def test_errors_are_also_what_python_calls_them() -> None:
    """A wrong setting or key is a ValueError, a timeout a TimeoutError."""
    assert issubclass(ConfigurationError, ValueError)
    assert issubclass(IdempotencyKeyReuseError, ValueError)
    assert issubclass(APITimeoutError, TimeoutError)
    assert APIConnectionError("no").sent is True
    assert APIConnectionError("no", sent=False).sent is False


def test_an_error_names_what_it_is_about() -> None:
    """`about` notes the ids and returns the error; a key that is known stays where none is given."""
    error = PaymanError("It broke.", idempotency_key="invoice-42")
    assert error.add_context(task_id="tsk-1", request_id="req-1", session_id="ses-1") is error
    assert str(error) == "It broke. [task tsk-1, session ses-1, request req-1, key invoice-42]"
    assert str(error.add_context(task_id="tsk-2", idempotency_key="k")) == "It broke. [task tsk-2, key k]"


def test_the_drawn_tree_is_the_real_one() -> None:
    """The tree in the module's docstring shows every class under its parent."""
    assert errors.__doc__
    drawn: dict[str, str | None] = {}
    path: list[str] = []
    for line in errors.__doc__.splitlines():
        node = re.match(r"    ([│├└─ ]*)(\w+Error)\b", line)
        if node:
            depth = len(node[1]) // 4
            path[depth:] = [node[2]]
            drawn[node[2]] = path[depth - 1] if depth else None
    real = {
        error_class.__name__: next(
            (parent.__name__ for parent in error_class.__bases__ if issubclass(parent, PaymanError)), None
        )
        for error_class in CLASSES
    }
    assert drawn == real


def test_the_drawn_codes_are_the_real_ones() -> None:
    """The HTTP statuses and JSON-RPC codes in the docstring lead to the classes beside them."""
    assert errors.__doc__
    statuses = re.findall(r"(\w+Error)\s+(\d{3})\b", errors.__doc__)
    codes = re.findall(r"(\w+Error)\s+(-32\d{3})\b", errors.__doc__)
    assert {name: find_status_class(int(status)).__name__ for name, status in statuses} == {
        name: name for name, _ in statuses
    }
    assert {name: find_code_class(int(code)).__name__ for name, code in codes} == {
        name: name for name, _ in codes
    }
    assert (len(statuses), len(codes)) == (7, 9)


@table(
    ("status", "error_class"),
    [
        (300, APIStatusError),
        (402, APIStatusError),
        (499, APIStatusError),
        (500, ServerError),
        (529, ServerError),
        (600, ServerError),
        (999, ServerError),
        (99, APIStatusError),
        (-1, APIStatusError),
    ],
)
def test_statuses_without_a_class_of_their_own(status: int, error_class: type[APIStatusError]) -> None:
    """5xx and above is a ServerError, also where Python knows no such status; the rest is an APIStatusError."""
    assert find_status_class(status) is error_class


def test_an_unlisted_code_is_an_agent_error() -> None:
    """A JSON-RPC code that nobody has listed makes a plain AgentError."""
    assert find_code_class(7) is AgentError


@table(
    ("content", "media_type", "said"),
    [
        (b"", "", "an empty body"),
        (b" \n", "text/plain", "an empty body"),
        (b"busy", "text/plain", "busy"),
        (b"\xff", "text/plain", "\ufffd"),
        (b"<html><body>x</body></html>", "", "a web page of 27 bytes, not JSON"),
        (b"\n<!DOCTYPE HTML><p>", "", "a web page of 19 bytes, not JSON"),
        (b"\xef\xbb\xbf<!doctype html>", "text/plain", "a web page of 18 bytes, not JSON"),
        (b"<!-- x -->\n<Head><title>", "", "a web page of 24 bytes, not JSON"),
        (b'<?xml version="1.0"?>\n<html>', "", "a web page of 28 bytes, not JSON"),
        (b"<body class='x'>", "application/json", "a web page of 16 bytes, not JSON"),
        (b"<header>", "", "<header>"),
        (b"<!---->" * 1000, "", f"{('<!---->' * 72)[:500]}… (6,500 more characters)"),
        (b"Sorry", "text/html; charset=utf-8", "a web page of 5 bytes, not JSON"),
        (b"Sorry", "Text/HTML", "a web page of 5 bytes, not JSON"),
        (b"x" * 500, "", "x" * 500),
        (b"x" * 501, "", "x" * 500 + "… (1 more character)"),
    ],
)
def test_a_body_in_a_message_is_short(content: bytes, media_type: str, said: str) -> None:
    """A message repeats a body up to 500 characters, and only names a web page."""
    assert summarize_body(ErrorResponse(500, content, media_type)) == said


@table("status", [429, 529, 599, 999, 99, 0])
def test_any_status_can_be_carried(status: int) -> None:
    """A status that Python or HTTP knows nothing of makes an error like any other."""
    response = ErrorResponse(status, b"busy")
    error = find_status_class(status)(f"Payman refused: {summarize_body(response)}.", response=response)
    assert str(error) == f"Payman refused: busy. [HTTP {status}]"
    assert str(pickled(4, error)) == str(error)
    assert response.reason == {429: "Too Many Requests"}.get(status, "")
    assert repr(response) == f"<ErrorResponse [{status}]>"


def test_a_message_can_be_printed() -> None:
    """Half a character, which JSON can hold, comes out as an escape: no terminal and no file takes it."""
    assert shorten("no \ud83d money") == "no \\ud83d money"
    assert shorten("naïve 💰") == "naïve 💰"


def test_the_kept_answer_reads_as_text_and_as_json() -> None:
    """The answer that came with an error gives its text and its JSON; a body that is none is a ValueError."""
    response = ErrorResponse(400, b'{"a": 1}')
    assert (response.text, response.json(), repr(response)) == ('{"a": 1}', {"a": 1}, "<ErrorResponse [400]>")
    with pytest.raises(ValueError, match="Expecting value"):
        ErrorResponse(502, b"<html>").json()


def test_the_kept_answer_has_what_programs_look_at() -> None:
    """An answer says whether it is one of success, how its status is called, and no address, which can hold a secret."""
    response = ErrorResponse(404, b"")
    assert (response.ok, response.reason, response.url, response.content_type) == (
        False,
        "Not Found",
        None,
        "",
    )
    assert (ErrorResponse(399, b"").ok, ErrorResponse(400, b"").ok) == (True, False)


def test_the_kept_answer_has_headers_without_secrets() -> None:
    """Of the headers, those are kept that help and hold no secret; they are found in any spelling."""
    came = {"RETRY-AFTER": "3", "Content-Type": "a/b", "Set-Cookie": "secret", "X-Request-Id": "secret"}
    headers = ErrorResponse(429, b"", headers=came).headers
    assert headers["Retry-After"] == headers["retry-after"] == headers.get("RETRY-AFTER") == "3"
    assert dict(headers) == {"content-type": "a/b", "retry-after": "3"}
    assert (len(headers), headers.get("Set-Cookie"), "secret" in repr(headers)) == (2, None, False)
    assert repr(headers) == "{'content-type': 'a/b', 'retry-after': '3'}"
    assert ErrorResponse(429, b"", "c/d", came).content_type == "c/d"
    assert dict(ErrorResponse(429, b"").headers) == {}


def chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def assert_only_ours(error: pytest.ExceptionInfo[PaymanError]) -> None:
    """No exception of httpx is raised, or hangs on the one that is: it would hold the request and its secrets."""
    for link in chain(error.value):
        assert not type(link).__module__.startswith(("httpx", "httpcore", "h11")), link
    assert len(str(error.value)) < 2000


def asking(client: PaymanClient, turn: int) -> list[Callable[[], object]]:
    """Every method of a client that sends something; of the ways to ask in words, all of which send the same, one in turn."""
    ways: list[Callable[[], object]] = [
        lambda: client.ask("Hello!"),
        lambda: client.ask("Hello!", output_format="json"),
        lambda: client.ask("Hello!", on_message=print),
        lambda: client.conversation().ask("Hello!"),
    ]
    return [
        ways[turn % len(ways)],
        lambda: client.ask("Hello!", idempotency_key="hello"),
        lambda: client.stream("Hello!").result(),
        lambda: client.reply("tsk-1", "approve"),
        lambda: client.get_task("tsk-1"),
        lambda: client.wait("tsk-1"),
        lambda: client.cancel_task("tsk-1"),
    ]


def raised_by(call: Callable[[], object]) -> pytest.ExceptionInfo[PaymanError]:
    with pytest.raises(PaymanError) as caught:
        call()
    return caught


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False) as http:
        yield http


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    """As many as there are methods: all of them wait for a server that is silent, at the same time."""
    with ThreadPoolExecutor(7) as threads:
        yield threads


@pytest.fixture
def rare_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A task is looked at once or twice until a deadline of 50 ms, not twenty times: each look meets the same fault."""
    monkeypatch.setattr(retry, "_FIRST_LOOK", 0.1)


AGENT_FAULTS: dict[str, Answer] = {
    **SILENT,
    **{name: fault for name, (fault, _) in (REFUSED | AGENT_ERRORS).items()},
    **UNREADABLE,
}
TOKEN_FAULTS: dict[str, Answer] = {
    **SILENT,
    **{name: fault for name, (fault, _) in REFUSED.items()},
    **BODIES,
}


@pytest.mark.slow
@table("name", AGENT_FAULTS)
def test_nothing_of_httpx_escapes_from_the_agent(
    name: str, peer: Peer, connect: Connect, http: httpx.Client, threads: ThreadPoolExecutor, rare_looks: None
) -> None:
    """Whatever the agent endpoints answer, every method raises a PaymanError and nothing else."""
    client = connect(http_client=http, timeout=0.05)
    for operation, path in PATHS.items():
        if operation != "create_token":
            peer.always(path, AGENT_FAULTS[name])
    for caught in threads.map(raised_by, asking(client, list(AGENT_FAULTS).index(name))):
        assert_only_ours(caught)


@pytest.mark.slow
@table("name", TOKEN_FAULTS)
def test_nothing_of_httpx_escapes_from_the_token_endpoint(
    name: str, peer: Peer, connect: Connect, http: httpx.Client, threads: ThreadPoolExecutor
) -> None:
    """Whatever the token endpoint answers, it is a PaymanError, and no ask was sent."""
    peer.always(TOKEN_PATH, TOKEN_FAULTS[name])
    turn = list(TOKEN_FAULTS).index(name)
    for seconds in (0.05, 1, 20):  # a busy machine may need longer to connect
        client = connect(http_client=http, timeout=seconds)
        # They get their token in the same way: each fault meets three of them.
        for caught in threads.map(raised_by, [*asking(client, turn), *asking(client, turn)][turn % 7 :][:3]):
            assert_only_ours(caught)
            # What was asked with a key before is an open question; that nothing was asked now is none.
            assert caught.value.sent is False
            assert not isinstance(caught.value, errors.OutcomeUnknownError) or caught.value.idempotency_key
        if peer.requests:
            break
    assert {request.path for request in peer.requests} == {TOKEN_PATH}


def test_a_refusal_says_what_to_do_where_that_is_known() -> None:
    """And never to send something again, which may have been done."""
    said = {}
    for status in (400, 401, 403, 404, 409, 418, 429, 500, 503):
        error = build_status_error(httpx.Response(status, content=b"no"))
        assert str(error).startswith("Payman refused: no."), status
        said[status] = error.next_step
    assert [status for status, step in said.items() if step] == [401, 403, 404, 429]
    assert "again" not in " ".join(said.values())
