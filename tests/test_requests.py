"""Programs written for version 1 catch exceptions of `requests`; their handlers go on working."""

from __future__ import annotations

import copy
import json
import pickle
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Self
from unittest.mock import MagicMock

import pytest

from payman_sdk import errors
from payman_sdk.errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    ConfigurationError,
    ErrorResponse,
    OutcomeUnknownError,
    PaymanError,
    RateLimitError,
    ServerError,
    StreamInterruptedError,
)
from tests.conftest import SECRET, Connect, imported
from tests.peer import ASK_PATH, GET_PATH, TOKEN_PATH, Answer, Peer, answer, json_answer, reset, rpc
from tests.tables import table
from tests.test_errors import CLASSES, WAYS, assert_whole, carried, made, raise_one, raised_in_another_process

Copied = Callable[[PaymanError], PaymanError]


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`requests`, for one test: the others go on as in a program that has not imported it."""
    monkeypatch.setitem(sys.modules, "requests", imported())
    return imported()


@pytest.fixture
def no_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that has not imported `requests`, though other tests may have."""
    monkeypatch.delitem(sys.modules, "requests", raising=False)


@pytest.fixture(params=["with requests", "without requests"])
def either_way(request: pytest.FixtureRequest) -> bool:
    """Both kinds of programs; whether this one has imported `requests`."""
    request.getfixturevalue("requests" if request.param == "with requests" else "no_requests")
    return bool(request.param == "with requests")


# The handler is the one of the README of version 1, letter by letter.
PROGRAM = """
import sys
{first}
from payman_sdk.client import PaymanClient
{second}
payman = PaymanClient.with_credentials({{
    'client_id': 'pm-test-1', 'client_secret': {secret!r}, 'base_url': sys.argv[1], 'max_retries': 0
}})
{third}
try:
    response = payman.ask("What's the weather?")
except requests.exceptions.RequestException as e:
    if hasattr(e, 'response'):
        # The request was made and the server responded with a status code
        # that falls out of the range of 2xx
        print(e.response.json())
        print(e.response.status_code)
    else:
        # Something happened in setting up the request that triggered an Error
        print('Error:', str(e))
"""

AFTER_AN_ERROR = """
try:
    payman.ask('')
except ValueError as error:
    print(isinstance(error, OSError))
import requests
"""

PLACES = {
    "before the SDK": {"first": "import requests"},
    "before the SDK, only its exceptions": {"first": "import requests.exceptions"},
    "after the SDK": {"second": "import requests"},
    "after the client": {"third": "import requests"},
    "after an error": {"third": AFTER_AN_ERROR},
}

NO_SUCH_METHOD = rpc(error={"code": -32601, "message": "Method not found"})
"""How a server answers that cannot tell what became of an ask."""

REFUSED: dict[str, tuple[dict[str, Answer], int]] = {
    "400": ({ASK_PATH: json_answer({"why": "no"}, 400)}, 400),
    "401 for the ask": ({ASK_PATH: json_answer({"why": "no"}, 401)}, 401),
    "401 for the token": ({TOKEN_PATH: json_answer({"why": "no"}, 401)}, 401),
    "429": ({ASK_PATH: json_answer({"why": "no"}, 429, retry_after="3600")}, 429),
    "500": ({ASK_PATH: json_answer({"why": "no"}, 500), GET_PATH: NO_SUCH_METHOD}, 500),
    "500 for the token": ({TOKEN_PATH: json_answer({"why": "no"}, 500)}, 500),
}


RUNNER = """
import gc, json, os, sys
import anyio, asyncio, attrs, certifi, concurrent.futures, dateutil.parser, hmac, httpcore, httpx, sqlite3, uuid
assert not {"requests", "urllib3", "payman_sdk"} & sys.modules.keys()
gc.freeze()
for line in sys.stdin:
    program, sys.argv[1:], out, err = json.loads(line)
    if (child := os.fork()) == 0:
        for place, path in ((1, out), (2, err)):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), place)
        status = 1
        try:
            exec(program, {"__name__": "__main__"})
            status = 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            sys.stdout.flush()
            os._exit(status)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
"""Runs programs, each in a fork that has imported neither `requests` nor the SDK, but what both import."""


class Runner:
    """A process that runs programs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        command = [sys.executable, "-W", "error", "-c", RUNNER]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a program to its end."""
        assert self._process.stdin is not None and self._process.stdout is not None
        files = [self._folder / "out", self._folder / "err"]
        for file in files:
            file.unlink(missing_ok=True)
        print(json.dumps([program, arguments, *map(str, files)]), file=self._process.stdin, flush=True)
        status = int(self._process.stdout.readline())
        return subprocess.CompletedProcess(
            program, status, *(file.read_text(encoding="utf-8") for file in files)
        )

    def close(self) -> None:
        """End it."""
        self._process.communicate(timeout=30)


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    with closing(Runner(tmp_path_factory.mktemp("programs"))) as runner:
        yield runner


def seed_program(
    runner: Runner, peer: Peer, place: str, answers: dict[str, Answer]
) -> subprocess.CompletedProcess[str]:
    for path, fault in answers.items():
        peer.always(path, fault)
    imports = {"first": "", "second": "", "third": "", **PLACES[place]}
    return runner.run(PROGRAM.format(**imports, secret=SECRET), peer.base_url)


@pytest.mark.slow
@pytest.mark.parametrize("fault", REFUSED)
def test_the_handler_of_version_1_works_as_written(fault: str, peer: Peer, runner: Runner) -> None:
    """The handler that the README always showed prints the body and the status of a refusal."""
    answers, status = REFUSED[fault]
    done = seed_program(runner, peer, "before the SDK", answers)
    # Beside it may stand what the log says of attempts that failed.
    assert (done.stdout, done.returncode) == (f"{{'why': 'no'}}\n{status}\n", 0), done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES)
def test_it_does_not_matter_when_the_program_imports_requests(place: str, peer: Peer, runner: Runner) -> None:
    """`requests` may be imported before the SDK, after it, after the client was made, and after an error."""
    done = seed_program(runner, peer, place, {ASK_PATH: json_answer({"why": "no"}, 403)})
    earlier = "False\n" if place == "after an error" else ""
    assert (done.stdout, done.stderr) == (f"{earlier}{{'why': 'no'}}\n403\n", "")


@pytest.mark.slow
def test_a_web_page_is_not_json_as_with_requests(peer: Peer, runner: Runner) -> None:
    """Where the server answers with a web page, `e.response.json()` raises what `requests` raises."""
    page = answer(404, "<html><body>Not here</body></html>", "text/html")
    done = seed_program(runner, peer, "before the SDK", {ASK_PATH: page})
    assert done.stdout == ""
    assert "payman_sdk.errors.NotFoundError: Payman refused: a web page of 34 bytes, not JSON." in done.stderr
    assert done.stderr.splitlines()[-1].startswith("requests.exceptions.JSONDecodeError: Expecting value")


@pytest.mark.slow
def test_without_an_answer_there_is_no_response_as_with_requests(peer: Peer, runner: Runner) -> None:
    """Where nobody answered, the handler runs, and `e.response` is None: with `requests` it is so too."""
    done = seed_program(runner, peer, "before the SDK", {ASK_PATH: reset, GET_PATH: NO_SUCH_METHOD})
    assert done.stdout == ""
    assert done.stderr.splitlines()[-1] == "AttributeError: 'NoneType' object has no attribute 'json'"


@pytest.mark.slow
def test_a_server_that_is_not_there_is_a_connection_error_as_with_requests(runner: Runner) -> None:
    """A refused connection is caught as `requests.exceptions.ConnectionError`, with None for a response."""
    program = """
import sys
import requests
from payman_sdk import PaymanClient
try:
    PaymanClient(client_id="x", client_secret="y", base_url=sys.argv[1], max_retries=0).ask("Hello!")
except requests.exceptions.ConnectionError as error:
    print(type(error).__name__, error.response, error.request)
"""
    with Peer() as gone:
        pass
    done = runner.run(program, gone.base_url)
    assert (done.stdout, done.returncode) == ("APIConnectionError None None\n", 0), done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("is_there", ["is there", "is not there"])
def test_without_requests_nothing_changes(is_there: str, peer: Peer, runner: Runner) -> None:
    """A program that has not imported `requests`, or cannot, gets plain errors, and nothing is imported for it."""
    program = f"""
import sys
if {is_there == "is not there"}:
    sys.modules["requests"] = None
from payman_sdk import PaymanClient, errors
try:
    PaymanClient(client_id="pm-test-1", client_secret="x", base_url=sys.argv[1]).ask("Hello!")
except errors.PaymanError as error:
    print(type(error) is errors.BadRequestError, isinstance(error, OSError), hasattr(error, "request"))
print(sys.modules.get("requests"), [name for name in sys.modules if name.startswith(("requests.", "urllib3"))])
"""
    peer.always(ASK_PATH, json_answer({"why": "no"}, 400))
    done = runner.run(program, peer.base_url)
    assert (done.stdout, done.stderr) == ("True False False\nNone []\n", "")


COUNTERPARTS = {
    APIStatusError: "HTTPError",
    APITimeoutError: "Timeout",
    APIConnectionError: "ConnectionError",
    PaymanError: "RequestException",
}


@table("error_class", CLASSES)
def test_every_error_is_also_one_of_requests(error_class: type[PaymanError], requests: Any) -> None:
    """Each class is caught as itself, and as the exception of `requests` that means the same and no other."""
    counterpart = next(name for parent, name in COUNTERPARTS.items() if issubclass(error_class, parent))
    error = error_class("It broke.")
    assert isinstance(error, error_class)
    assert isinstance(error, getattr(requests.exceptions, counterpart))
    assert isinstance(error, requests.exceptions.RequestException)
    theirs = {link.__name__ for link in type(error).__mro__ if link.__module__.startswith("requests")}
    assert theirs == {counterpart, "RequestException"}


@pytest.mark.parametrize("error_class", CLASSES)
def test_every_error_reads_the_same_with_requests(
    error_class: type[PaymanError], monkeypatch: pytest.MonkeyPatch, requests: Any
) -> None:
    """Text, name, module, documentation, arguments and attributes are those of an error without `requests`."""
    error = made(error_class)
    monkeypatch.delitem(sys.modules, "requests")
    plain = made(error_class)
    assert (type(plain), isinstance(error, error_class)) == (error_class, True)
    assert vars(error).keys() == vars(plain).keys()
    assert {**carried(error), "class": error_class} == carried(plain)
    for name in ("__name__", "__qualname__", "__module__", "__doc__"):
        assert getattr(type(error), name) == getattr(error_class, name)
    assert repr(error) == repr(plain)
    assert traceback.format_exception(error) == traceback.format_exception(plain)


@table("error_class", CLASSES)
def test_what_an_error_of_the_system_has_does_not_get_in_the_way(
    error_class: type[PaymanError], requests: Any
) -> None:
    """`request` is None and never a request, and an error is of no file and has no number of the system."""
    error: Any = error_class("It broke.")
    assert (error.request, error.response, error.args) == (None, None, ("It broke.",))
    assert (error.errno, error.strerror, error.filename, error.filename2) == (None, None, None, None)
    assert "request" not in vars(error)


def test_a_wrong_setting_is_still_a_value_error(requests: Any) -> None:
    """A wrong setting was a ValueError in version 1 and is one, as the wrong addresses of `requests` are."""
    for caught in (ValueError, requests.exceptions.RequestException, ConfigurationError):
        with pytest.raises(caught, match="It broke"):
            raise ConfigurationError("It broke.")


@pytest.mark.parametrize(
    ("sent", "caught", "not_caught"),
    [
        (None, ["Timeout"], ["ReadTimeout", "ConnectTimeout", "ConnectionError"]),
        (True, ["Timeout", "ReadTimeout"], ["ConnectTimeout", "ConnectionError"]),
        (False, ["Timeout", "ConnectTimeout", "ConnectionError"], ["ReadTimeout"]),
    ],
)
def test_a_timeout_is_the_one_that_it_was(
    sent: bool | None, caught: list[str], not_caught: list[str], requests: Any
) -> None:
    """A timeout is of reading or of connecting where it is known if the request was sent, also when it was copied."""
    error = APITimeoutError("Too late.", sent=sent)
    for each in (error, *(copied(error) for copied in WAYS)):
        assert type(each) is type(error)
        assert isinstance(each, TimeoutError)
        assert [isinstance(each, getattr(requests.exceptions, name)) for name in caught] == [True] * len(
            caught
        )
        assert not isinstance(each, tuple(getattr(requests.exceptions, name) for name in not_caught))


def test_nobody_repeats_an_ask_of_unknown_outcome_by_mistake(requests: Any) -> None:
    """What programs repeat, a timeout, a broken connection or a 5xx, is never an ask that may have been carried out."""
    repeated = (
        requests.exceptions.Timeout,
        requests.exceptions.ConnectionError,
        requests.exceptions.HTTPError,
    )
    for error_class in (OutcomeUnknownError, StreamInterruptedError):
        assert not isinstance(error_class("It broke.", response=ErrorResponse(500, b"")), repeated)


def test_clauses_catch_what_the_client_raises(peer: Peer, connect: Connect, requests: Any) -> None:
    """`except HTTPError`, `ConnectionError` and `Timeout` catch what a client raises, beside the SDK's own classes."""
    client = connect(max_retries=0)
    peer.always(ASK_PATH, json_answer({"why": "no"}, 429, retry_after="3600"))
    with pytest.raises(requests.exceptions.HTTPError) as refused:
        client.ask("Hello!")
    assert isinstance(refused.value, RateLimitError)
    assert refused.value.status_code == 429
    peer.always(TOKEN_PATH, json_answer({"error": "invalid_client"}, 401))
    with pytest.raises(requests.exceptions.HTTPError) as unauthorized:
        connect(client_id="pm-test-2").ask("Hello!")
    assert isinstance(unauthorized.value, AuthenticationError)
    assert unauthorized.value.error == "invalid_client"
    peer.always(TOKEN_PATH, reset)
    with pytest.raises(requests.exceptions.ConnectionError):
        connect(client_id="pm-test-2", max_retries=0).ask("Hello!")
    peer.always(TOKEN_PATH, peer.never)
    with pytest.raises(requests.exceptions.Timeout) as late:
        connect(client_id="pm-test-2", timeout=0.2).ask("Hello!")
    assert isinstance(late.value, APITimeoutError)


def test_no_json_is_the_error_of_requests(requests: Any) -> None:
    """`e.response.json()` of no JSON is caught as programs do it: as the class of `requests`, of json, and as ValueError."""
    for caught in (requests.exceptions.JSONDecodeError, json.JSONDecodeError, ValueError):
        with pytest.raises(caught, match="Expecting value: line 1 column 1"):
            ErrorResponse(502, b"<html>").json()


def test_no_json_is_pythons_own_error_without_requests(
    no_requests: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without `requests`, and where its class is no error of Python's json, no JSON is Python's own error."""
    with pytest.raises(json.JSONDecodeError) as plain:
        ErrorResponse(502, b"<html>").json()
    with_simplejson = pretended(JSONDecodeError=type("JSONDecodeError", (ValueError,), {}))
    monkeypatch.setitem(sys.modules, "requests", with_simplejson)
    with pytest.raises(json.JSONDecodeError) as other:
        ErrorResponse(502, b"<html>").json()
    assert type(plain.value) is type(other.value) is json.JSONDecodeError


@table("error_class", CLASSES)
@table("copied", WAYS)
def test_every_error_survives_being_copied_with_requests(
    error_class: type[PaymanError], copied: Copied, requests: Any
) -> None:
    """A copied or pickled error carries what the original does, and is of the same class."""
    assert carried(copied(made(error_class))) == carried(made(error_class))


@pytest.mark.parametrize("error_class", CLASSES)
def test_what_is_pickled_is_the_public_class(
    error_class: type[PaymanError], monkeypatch: pytest.MonkeyPatch, requests: Any
) -> None:
    """An error pickled with `requests` can be read without, and the other way round."""
    with_requests, pickled_with = made(error_class), pickle.dumps(made(error_class))
    monkeypatch.delitem(sys.modules, "requests")
    without, pickled_without = made(error_class), pickle.dumps(made(error_class))
    assert pickled_with == pickled_without
    assert carried(pickle.loads(pickled_with)) == carried(without)  # noqa: S301 - what it wrote itself
    monkeypatch.setitem(sys.modules, "requests", requests)
    assert carried(pickle.loads(pickled_without)) == carried(with_requests)  # noqa: S301 - what it wrote itself


def raise_one_without_requests(error_class: type[PaymanError]) -> None:
    assert "requests" not in sys.modules
    raise_one(error_class)


def raise_one_with_requests(error_class: type[PaymanError]) -> None:
    module = import_module("requests")
    try:
        raise_one(error_class)
    except module.exceptions.RequestException:
        raise


@pytest.mark.slow
def test_errors_arrive_from_a_process_without_requests(requests: Any) -> None:
    """What a process without `requests` raises is one of its exceptions in a process with it."""
    arrived = raised_in_another_process(raise_one_without_requests)
    assert_whole(arrived)
    assert all(isinstance(error, requests.exceptions.RequestException) for error in arrived.values())


@pytest.mark.slow
def test_errors_arrive_from_a_process_with_requests(no_requests: None) -> None:
    """What a process with `requests` raises is a plain error in a process without it."""
    arrived = raised_in_another_process(raise_one_with_requests)
    assert_whole(arrived)
    assert [type(error) for error in arrived.values()] == CLASSES


@pytest.mark.slow
def test_errors_arrive_between_processes_with_requests(requests: Any) -> None:
    """Where both have imported `requests`, an error is one of its exceptions in both."""
    assert_whole(raised_in_another_process(raise_one_with_requests))


def test_threads_that_make_the_first_error_agree_on_its_class(requests: Any) -> None:
    """However many threads make the first error of a class at once, it gets one class for `requests`."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(16) as threads:
            for _ in range(50):
                own: type[PaymanError] = type("Own", (RateLimitError,), {})
                at_once = threading.Barrier(16)

                def make(own: type[PaymanError] = own, at_once: threading.Barrier = at_once) -> type:
                    at_once.wait()
                    return type(own("It broke."))

                classes = {made.result() for made in [threads.submit(make) for _ in range(16)]}
                assert len(classes) == 1
    finally:
        sys.setswitchinterval(interval)


class PlainError(RateLimitError):
    """Of a user: the same under another name."""


class DeclinedError(PaymanError):
    """Of a user: with a signature, attributes and words of its own."""

    def __init__(self, amount: int, currency: str, *, filename: str = "", errno: int = 0) -> None:
        super().__init__(f"{amount} {currency} declined.")
        self.amount, self.currency, self.filename, self.errno = amount, currency, filename, errno
        self.request, self.strerror = "mine", "mine too"

    def __str__(self) -> str:
        return f"Sorry: {super().__str__()}"


class LateError(APITimeoutError):
    """Of a user: of an error of the system, with two arguments, which that would take for a number and a text."""

    def __init__(self, what: str, seconds: float) -> None:
        super().__init__(f"{what} took {seconds} s.")


class ReducedError(PaymanError):
    """Of a user: pickled in its own way."""

    def __init__(self, amount: int, currency: str) -> None:
        super().__init__(f"{amount} {currency}")
        self.amount, self.currency = amount, currency

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.amount, self.currency)


class NewError(ServerError):
    """Of a user: made in its own way."""

    def __new__(cls, *args: Any, **known: Any) -> Self:
        error = super().__new__(cls, *args, **known)
        error.add_note("Made.")
        return error


class TracedError(Exception):
    """Of a user: an exception that says more and passes the rest on."""

    def __init__(self, *args: object, **known: Any) -> None:
        super().__init__(*args, **known)
        self.trace = "abc"


class TracedFirstError(TracedError, PaymanError):
    """Of a user: with another exception before."""


class TracedLastError(PaymanError, TracedError):
    """Of a user: with another exception behind."""


class SilentError(PaymanError):
    """Of a user: made without its parent's knowledge."""

    def __init__(self, what: str) -> None:
        self.what = what

    def __str__(self) -> str:
        return self.what


OWN: list[Callable[[], PaymanError]] = [
    lambda: PlainError("It broke.", task_id="tsk-1"),
    lambda: DeclinedError(5, "TSD", filename="statement.pdf", errno=7),
    lambda: LateError("It", 2.5),
    lambda: ReducedError(5, "TSD"),
    lambda: NewError("It broke."),
    lambda: TracedFirstError("It broke.", task_id="tsk-1"),
    lambda: TracedLastError("It broke.", task_id="tsk-1"),
    lambda: SilentError("It broke."),
]


@table("make", OWN)
@table("copied", WAYS)
def test_a_users_own_class_works_either_way(
    make: Callable[[], PaymanError], copied: Copied, *, either_way: bool
) -> None:
    """A subclass of a user works with and without `requests`, whatever it does in its own way, and can be copied."""
    error = make()
    again = copied(error)
    assert isinstance(error, imported().exceptions.RequestException) is either_way
    for each in (error, again):
        assert vars(each) == vars(error)
        assert (str(each), each.args, type(each)) == (str(error), error.args, type(error))
        for name in ("filename", "errno", "strerror", "request"):
            assert getattr(each, name, None) == getattr(error, name, None)


def test_a_users_own_class_keeps_its_own_ways(*, either_way: bool) -> None:
    """Attributes, words and arguments of a subclass are what it made them."""
    declined: Any = DeclinedError(5, "TSD", filename="statement.pdf", errno=7)
    assert str(declined) == "Sorry: 5 TSD declined."
    assert (declined.filename, declined.errno, declined.strerror) == ("statement.pdf", 7, "mine too")
    assert (declined.request, declined.args) == ("mine", ("5 TSD declined.",))
    late: Any = LateError("It", 2.5)
    assert (str(late), late.args, late.errno) == ("It took 2.5 s.", ("It took 2.5 s.",), None)
    silent: Any = SilentError("It broke.")
    assert (silent.args, str(silent)) == (("It broke.",), "It broke.")
    assert hasattr(silent, "response") is either_way
    for mixed in (
        TracedFirstError("It broke.", task_id="tsk-1"),
        TracedLastError("It broke.", task_id="tsk-1"),
    ):
        assert (mixed.trace, mixed.args, mixed.task_id) == ("abc", ("It broke.",), "tsk-1")
    assert NewError("It broke.").__notes__ == ["Made."]
    with pytest.raises(PlainError):
        raise PlainError("It broke.")


def test_a_class_that_cannot_be_joined_stays_what_it_is(requests: Any) -> None:
    """A subclass whose slots or whose own rules forbid it is no exception of `requests`, and works as without it."""

    class SlottedError(PaymanError):
        __slots__ = ("extra",)

    class FinalError(PaymanError):
        def __init_subclass__(cls) -> None:
            raise RuntimeError("No more.")

    own: list[type[PaymanError]] = [SlottedError, FinalError, SlottedError, FinalError]
    for error_class in own:
        error = error_class("It broke.")
        assert type(error) is error_class
        assert not isinstance(error, requests.exceptions.RequestException)
        assert str(error) == "It broke."


def test_a_class_within_a_function_keeps_its_name(requests: Any) -> None:
    """A class that is defined within another thing is called as it was."""

    class InnerError(PaymanError):
        pass

    assert type(InnerError("It broke.")) is not InnerError
    assert repr(type(InnerError("It broke."))) == repr(InnerError)


def test_a_class_that_is_one_of_requests_already_stays_what_it_is(requests: Any) -> None:
    """A subclass that a user has joined with an exception of `requests` is not joined again."""
    own: type[PaymanError] = type("Own", (RateLimitError, requests.exceptions.HTTPError), {})
    error = own("It broke.", status_code=429)
    assert type(error) is own
    assert str(error) == "It broke. [HTTP 429]"


def test_an_error_can_be_made_from_the_class_of_another(requests: Any) -> None:
    """`type(error)(…)`, as programs write it to say more, gives the same class; one derived from it works too."""
    error = RateLimitError("It broke.")
    again = type(error)("It broke again.")
    assert (type(again), str(again)) == (type(error), "It broke again.")
    derived: type[PaymanError] = type("Derived", (type(error),), {})
    assert type(derived("It broke.")) is derived
    timeout = APITimeoutError("Too late.", sent=True)
    other = type(timeout)("Too late.", sent=False)
    assert isinstance(other, requests.exceptions.ConnectTimeout)
    assert not isinstance(other, requests.exceptions.ReadTimeout)


def test_the_class_is_made_once(requests: Any) -> None:
    """Errors of one class are of one class with `requests` too."""
    assert type(RateLimitError("One.")) is type(RateLimitError("Two."))
    assert type(RateLimitError("One.")) is not RateLimitError


def test_an_error_stays_what_it_was_made(requests: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing `requests` does not change the errors that were made before."""
    monkeypatch.delitem(sys.modules, "requests")
    error = RateLimitError("It broke.")
    monkeypatch.setitem(sys.modules, "requests", requests)
    assert type(error) is RateLimitError
    assert isinstance(copy.copy(error), requests.exceptions.HTTPError)


def pretended(**exceptions: object) -> ModuleType:
    """A module called `requests` with these exceptions."""
    module, module.exceptions = ModuleType("requests"), ModuleType("requests.exceptions")  # type: ignore[attr-defined]
    vars(module.exceptions).update(exceptions)
    return module


@pytest.mark.parametrize(
    "module",
    [
        None,
        ModuleType("requests"),
        MagicMock(),
        pretended(),
        pretended(HTTPError="HTTPError", RequestException=OSError),
        pretended(HTTPError=int, RequestException=OSError),
        pretended(HTTPError=OSError),
    ],
)
def test_what_is_only_called_requests_does_no_harm(module: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module of that name that is blocked, half imported, mocked or something else changes nothing."""
    monkeypatch.setitem(sys.modules, "requests", module)
    error = RateLimitError("It broke.", response=ErrorResponse(429, b"{"))
    assert type(error) is RateLimitError
    with pytest.raises(json.JSONDecodeError):
        errors.ErrorResponse(429, b"{").json()


def test_requests_may_be_imported_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a program loads `requests` anew, errors are exceptions of the one that is loaded."""
    for _ in range(2):
        root = type("RequestException", (OSError,), {})
        http_error = type("HTTPError", (root,), {})
        monkeypatch.setitem(sys.modules, "requests", pretended(RequestException=root, HTTPError=http_error))
        error = type(RateLimitError("One."))("It broke.")
        assert isinstance(error, http_error)
        assert isinstance(pickle.loads(pickle.dumps(error)), http_error)  # noqa: S301 - what it wrote itself
