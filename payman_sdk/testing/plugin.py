"""The pytest plugin: fixtures for tests of programs that use the SDK.

pytest finds it once the package is installed. It imports nothing until a test uses one of its fixtures.
"""

from __future__ import annotations

import contextlib
import inspect
import os
import shutil
import sys
import tempfile
import uuid
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

if TYPE_CHECKING:
    from payman_sdk._client.async_ import AsyncPaymanClient
    from payman_sdk._client.sync import PaymanClient
    from payman_sdk.sandbox import Sandbox
    from payman_sdk.testing.recording import Recorder

_SCOPE = "payman_sandbox_scope"
_SOCKETS = "payman_sandbox_sockets"
_STATE = "PAYMAN_STATE_DIR"
_FOLDER: pytest.StashKey[Path] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the settings for pytest's configuration file."""
    parser.addini(
        _SCOPE,
        "how long a payman_sandbox lives: function (a fresh one for each test) or session",
        default="function",
    )
    parser.addini(
        _SOCKETS,
        "false: no payman_sandbox listens on a port, and its clients need no sockets",
        type="bool",
        default=True,
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.stash[_FOLDER] = (
        Path(tempfile.gettempdir()) / f"payman-tests-{uuid.uuid4().hex}"
    )  # made when it is used
    config.addinivalue_line(
        "markers",
        "payman_sandbox(**settings): settings of this test's payman_sandbox, as payman_sdk.sandbox.Sandbox takes them; "
        "and sockets=False for one that listens on no port.",
    )
    if _choose_scope("payman_sandbox", config) == "session":
        config.pluginmanager.register(_OneSandbox(), "payman-one-sandbox")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Isolate tests: no test sees the tokens, the proven payments or the idempotency keys of another.

    A `PAYMAN_STATE_DIR` of the suite's own is left alone.
    """
    if (memory := sys.modules.get("payman_sdk.token_stores.memory")) is not None:
        memory.forget_shared_tokens()
    if (connection := sys.modules.get("payman_sdk._client.connection")) is not None:
        connection.PROVEN.clear()
    if os.environ.get(_STATE):  # an empty one names no folder
        return (yield)
    folder = os.environ[_STATE] = str(item.config.stash[_FOLDER] / uuid.uuid4().hex)
    try:
        return (yield)
    finally:
        if os.environ.get(_STATE) == folder:
            del os.environ[_STATE]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the files of tests."""
    if (folder := config.stash.get(_FOLDER, None)) is not None:
        shutil.rmtree(folder, ignore_errors=True)


class _OneSandbox:
    """Tests that share a sandbox cannot have it otherwise."""

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Refuse a marker that would have no effect."""
        if item.get_closest_marker("payman_sandbox") is not None:
            raise pytest.UsageError(
                f"{item.nodeid}: the marker payman_sandbox needs {_SCOPE} = function; here all tests share one sandbox"
            )


def _choose_scope(fixture_name: str, config: pytest.Config) -> Literal["function", "session"]:
    chosen: str = config.getini(_SCOPE)
    if chosen not in ("function", "session"):
        raise pytest.UsageError(f"{_SCOPE} must be function or session, not {chosen!r}")
    return "session" if chosen == "session" else "function"


@pytest.fixture(scope=_choose_scope)
def payman_sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """Provide a local Payman with a wallet of 1000 TSD and a test payee, by default a new one for each test.

    Example:
        def test_my_agent(payman_sandbox):
            my_agent.run(base_url=payman_sandbox.base_url, ...)
            assert [payment.amount for payment in payman_sandbox.payments] == [10]
    """
    settings = _read_settings(request)
    listens = settings.pop("sockets", request.config.getini(_SOCKETS))
    sandbox = _make_sandbox(settings, request.node.nodeid)
    try:
        yield sandbox.start() if listens else sandbox
    finally:
        sandbox.close()


def _read_settings(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return what the test's markers say, the nearest one first."""
    if request.scope != "function":
        return {}
    settings: dict[str, Any] = {}
    for marker in request.node.iter_markers("payman_sandbox"):
        if marker.args:
            problem = "payman_sandbox takes keywords only, such as payman_sandbox(pace=0.1)"
            raise _build_marker_error(request.node.nodeid, problem)
        settings = {**marker.kwargs, **settings}
    return settings


def _make_sandbox(settings: dict[str, Any], test: str) -> Sandbox:
    from payman_sdk._config import refuse_unknown
    from payman_sdk.sandbox import Sandbox

    known = frozenset({"sockets", *inspect.signature(Sandbox).parameters})
    try:
        refuse_unknown(settings, known, "a setting of payman_sandbox")
        return Sandbox(**settings)
    except (TypeError, ValueError) as error:  # of a name and of a value
        raise _build_marker_error(test, str(error)) from None


def _build_marker_error(test: str, problem: str) -> BaseException:
    """Return a failure that does not show the source of this plugin, in which nothing is wrong."""
    return pytest.fail.Exception(f"{test}: the marker payman_sandbox: {problem}", pytrace=False)


@pytest.fixture
def payman_client(payman_sandbox: Sandbox) -> Iterator[PaymanClient]:
    """Provide a client of the test's sandbox, closed after the test.

    Example:
        def test_my_agent(payman_client, payman_sandbox):
            my_agent.run(payman_client)
            assert payman_sandbox.balance("TSD") == 990
    """
    if payman_sandbox.is_serving:
        with payman_sandbox.client() as client:
            yield client
        return
    import httpx

    with (
        httpx.Client(transport=payman_sandbox.transport()) as http,
        payman_sandbox.client(http_client=http) as client,
    ):
        yield client


@pytest.fixture
def async_payman_client(payman_sandbox: Sandbox) -> Iterator[AsyncPaymanClient]:
    """Provide a client of the test's sandbox for asyncio and trio, whichever plugin runs the test; closed after the test.

    It uses no sockets, so that nothing is left open when the test's event loop ends before the fixture.

    Example:
        @pytest.mark.asyncio
        async def test_my_agent(async_payman_client, payman_sandbox):
            await my_agent.run(async_payman_client)
            assert payman_sandbox.balance("TSD") == 990
    """
    import httpx

    with payman_sandbox.transport() as transport:
        client = payman_sandbox.async_client(http_client=httpx.AsyncClient(transport=transport))
        yield client
        with contextlib.suppress(StopIteration):
            # Its event loop may have ended. Nothing is awaited, because the connections are not the client's.
            client.close().send(None)


@pytest.fixture
def payman_env(payman_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """Point the environment's variables to the test's sandbox: `PaymanClient.from_env()` connects to it.

    It needs a sandbox that listens on a port.

    Example:
        def test_my_program(payman_env):
            my_program.main(["pay", "invoice-42"])
            assert len(payman_env.payments) == 1
    """
    monkeypatch.setenv("PAYMAN_BASE_URL", payman_sandbox.base_url)
    monkeypatch.setenv("PAYMAN_CLIENT_ID", payman_sandbox.client_id)
    monkeypatch.setenv("PAYMAN_CLIENT_SECRET", payman_sandbox.client_secret)
    monkeypatch.delenv("PAYMAN_ENVIRONMENT", raising=False)
    return payman_sandbox


_RECORDER: pytest.StashKey[Recorder] = pytest.StashKey()


@pytest.fixture(scope="session")
def payman_vcr_config(pytestconfig: pytest.Config) -> dict[str, Any]:
    """Provide settings for pytest-recording: cassettes hold no secret, and replay although ids and tokens are new.

    Mark tests with `@pytest.mark.vcr`, record them once with `pytest --record-mode=rewrite`, and run them without a network
    from then on.

    Example:
        @pytest.fixture(scope="module")
        def vcr_config(payman_vcr_config):
            return payman_vcr_config
    """
    from payman_sdk.testing.recording import Recorder

    recorder = pytestconfig.stash[_RECORDER] = Recorder()
    return recorder.config()


@pytest.hookimpl(optionalhook=True)
def pytest_recording_configure(config: pytest.Config, vcr: Any) -> None:
    """Prepare each cassette, once `payman_vcr_config` is used; those with other settings stay as they are."""
    recorder = config.stash.get(_RECORDER, None)
    if recorder is not None:
        recorder.begin(vcr)
