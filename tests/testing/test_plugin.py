from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from payman_sdk.sandbox import Sandbox
from tests import programs
from tests.environments import AS_OTHERS

HEAVY = (
    "httpx",
    "starlette",
    "uvicorn",
    "vcr",
    "payman_api.client",
    "payman_sdk._client.sync",
    "payman_sdk.sandbox._server.server",
)


class _Recording(programs.Popen):
    """A program that finds imported what vcrpy imports, but not vcrpy, which pytest-recording imports in its own way."""

    imported = ("aiohttp", "httpx2", "urllib3.connectionpool", "wrapt", "yaml")


run_recording = programs.build_run(_Recording)


class Project:
    """A project of somebody who uses the kit: files in a folder, and pytest in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write("pytest.ini", "[pytest]\nfilterwarnings = error\n")

    def write(self, name: str, content: str) -> None:
        (self.folder / name).write_text(textwrap.dedent(content), encoding="utf-8")

    def run(self, *arguments: str, state: bool = False, start: Any = programs.run) -> str:
        """What pytest says; without the folder of this suite for used keys, and with `subprocess` where nothing may be imported yet."""
        command = [sys.executable, "-m", "pytest", "-q", *AS_OTHERS, *arguments]
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PYTEST", *(() if state else ("PAYMAN_STATE",))))
        }
        done = start(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        return str(done.stdout + done.stderr)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


@pytest.mark.slow
def test_a_run_that_uses_no_fixture_imports_nothing(project: Project) -> None:
    """The plugin is there, and neither the client nor the sandbox nor a library of theirs is imported for it."""
    project.write(
        "test_other.py",
        f"""
        import sys

        def test_nothing_is_imported(pytestconfig):
            assert pytestconfig.pluginmanager.has_plugin("payman")
            assert [name for name in {HEAVY!r} if name in sys.modules] == []
        """,
    )
    assert "1 passed" in project.run(
        "-p", "no:recording", "-p", "no:pytest_httpx", "-p", "no:respx", start=subprocess.run
    )


@pytest.mark.slow
def test_fixtures_are_announced_with_what_they_are_for(project: Project) -> None:
    """`pytest --fixtures` and `--markers` show what there is."""
    said = project.run("--fixtures", "--markers")
    listed = project.run("--fixtures")
    for name in ("payman_sandbox", "payman_client", "async_payman_client", "payman_env", "payman_vcr_config"):
        assert re.search(rf"^{name}\b.* -- ", listed, re.MULTILINE), name
    assert "@pytest.mark.payman_sandbox(**settings)" in said


@pytest.mark.slow
def test_each_test_has_a_payman_of_its_own(project: Project) -> None:
    """What one test pays, the next does not see; within one, client and sandbox belong together."""
    project.write(
        "test_own.py",
        """
        import pytest

        @pytest.mark.parametrize("number", range(3))
        def test_paying(payman_client, payman_sandbox, number):
            assert payman_client.ask("send 10 TSD to Test Payee").status == "completed"
            assert (len(payman_sandbox.payments), payman_sandbox.balance("TSD")) == (1, 990)
            assert [request.text for request in payman_sandbox.requests if request.text] == ["send 10 TSD to Test Payee"]
        """,
    )
    assert "3 passed" in project.run()


@pytest.mark.slow
def test_a_session_has_one_payman_if_it_wants(project: Project) -> None:
    """With the session's scope, tests see what earlier ones paid, and a marker that would change nothing is refused."""
    project.write("pytest.ini", "[pytest]\npayman_sandbox_scope = session\n")
    project.write(
        "test_shared.py",
        """
        import pytest

        @pytest.mark.parametrize("number", [1, 2])
        def test_paying(payman_client, payman_sandbox, number):
            payman_client.ask("send 10 TSD to Test Payee")
            assert len(payman_sandbox.payments) == number

        @pytest.mark.payman_sandbox(pace=1)
        def test_refused(payman_sandbox):
            pass
        """,
    )
    said = project.run()
    assert "2 passed, 1 error" in said
    assert "the marker payman_sandbox needs payman_sandbox_scope = function" in said


@pytest.mark.slow
def test_a_wrong_scope_is_refused(project: Project) -> None:
    """A scope that there is not is named, with those that there are."""
    project.write("pytest.ini", "[pytest]\npayman_sandbox_scope = module\n")
    project.write("test_any.py", "def test_any(): pass\n")
    assert "payman_sandbox_scope must be function or session, not 'module'" in project.run()


@pytest.mark.slow
def test_a_marker_says_how_the_sandbox_is(project: Project) -> None:
    """A test's marker wins over its module's; an error names the test, the setting that is wrong and the one that was meant."""
    project.write(
        "test_marked.py",
        """
        import pytest

        from payman_sdk.errors import PaymanError

        pytestmark = pytest.mark.payman_sandbox(uppercase_states=False, clients={"pm-test-mine": "s3cret"})

        @pytest.mark.payman_sandbox(uppercase_states=True)
        def test_nearest_wins(payman_client, payman_sandbox):
            assert payman_client.ask("Hello!", raw=True)["result"]["status"]["state"] == "COMPLETED"
            assert payman_sandbox.client_id == "pm-test-mine"

        def test_module(payman_client):
            assert payman_client.ask("Hello!", raw=True)["result"]["status"]["state"] == "completed"

        @pytest.mark.payman_sandbox(colour="red")
        def test_unknown(payman_sandbox):
            pass

        @pytest.mark.payman_sandbox(tasksget=False)
        def test_near(payman_client):
            pass

        @pytest.mark.payman_sandbox(pace="slow")
        def test_wrong_type(payman_client):
            pass

        @pytest.mark.payman_sandbox(token_lifetime=-1)
        def test_wrong_value(payman_client):
            pass

        @pytest.mark.payman_sandbox("fast")
        def test_no_keyword(payman_sandbox):
            pass
        """,
    )
    said = project.run()
    assert "2 passed, 5 errors" in said
    for test, problem in {
        "test_unknown": "'colour' is not a setting of payman_sandbox. Known are admin_token, ",
        "test_near": "'tasksget' is not a setting of payman_sandbox. Did you mean 'tasks_get'?",
        "test_wrong_type": "pace must be from 0 to 86400 seconds",
        "test_wrong_value": "token_lifetime",
        "test_no_keyword": "payman_sandbox takes keywords only",
    }.items():
        assert f"test_marked.py::{test}: the marker payman_sandbox: {problem}" in said
    assert "plugin.py" not in said
    assert "another exception" not in said


@pytest.mark.slow
def test_suites_that_block_sockets_need_none(project: Project) -> None:
    """With sockets off, clients of both kinds work while pytest-socket refuses every connection and every port."""
    project.write("pytest.ini", "[pytest]\nfilterwarnings = error\npayman_sandbox_sockets = false\n")
    project.write(
        "test_blocked.py",
        """
        import asyncio
        import socket

        import pytest
        from pytest_socket import SocketBlockedError

        def test_blocked():
            with pytest.warns(UserWarning, match="socket"), pytest.raises(SocketBlockedError):
                socket.socket(socket.AF_INET)

        def test_client(payman_client, payman_sandbox):
            assert payman_client.ask("send 10 TSD to Test Payee").status == "completed"
            with payman_client.stream("send 10 TSD to Test Payee") as stream:
                assert "".join(stream.text_stream).startswith("Sent")
            assert len(payman_sandbox.payments) == 2
            assert not payman_sandbox.is_serving

        @pytest.mark.enable_socket  # asyncio's own loop is woken through a pair of sockets
        def test_async_client(async_payman_client, payman_sandbox):
            async def main():
                assert (await async_payman_client.ask("send 10 TSD to Test Payee")).status == "completed"
                async with async_payman_client.stream("send 10 TSD to Test Payee") as stream:
                    assert (await stream.result()).status == "completed"

            asyncio.run(main())
            assert len(payman_sandbox.payments) == 2
        """,
    )
    assert "3 passed" in project.run("--disable-socket")


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_async_client_leaves_nothing_open(project: Project, backend: str) -> None:
    """Under either event loop, where every warning is an error, an async test leaves no connection behind."""
    project.write(
        "test_async.py",
        f"""
        import pytest

        from payman_sdk.errors import ConfigurationError

        clients = []

        @pytest.fixture
        def anyio_backend():
            return {backend!r}

        @pytest.mark.anyio
        async def test_paying(async_payman_client, payman_sandbox):
            response = await async_payman_client.ask("send 10 TSD to Test Payee")
            assert (response.status, len(payman_sandbox.payments)) == ("completed", 1)
            async with async_payman_client.stream("list all payees") as stream:
                async for event in stream:
                    break
            clients.append(async_payman_client)

        @pytest.mark.anyio
        async def test_afterwards(async_payman_client):
            with pytest.raises(ConfigurationError, match="This client has been closed"):
                await clients[0].ask("Hello!")
            assert (await async_payman_client.ask("Hello!")).status == "completed"
        """,
    )
    assert "2 passed" in project.run()


@pytest.mark.slow
def test_the_environment_points_to_the_sandbox(project: Project) -> None:
    """A program that makes its client from the environment pays at the sandbox, whatever the environment said before."""
    project.write(
        "test_env.py",
        """
        import os

        from payman_sdk import PaymanClient

        def test_program(payman_env):
            with PaymanClient.from_env() as client:
                client.ask("send 10 TSD to Test Payee")
            assert len(payman_env.payments) == 1

        def test_afterwards():
            assert os.environ["PAYMAN_CLIENT_ID"] == "pm-live-mine"
            assert "PAYMAN_BASE_URL" not in os.environ
        """,
    )
    os.environ["PAYMAN_CLIENT_ID"], os.environ["PAYMAN_ENVIRONMENT"] = "pm-live-mine", "LIVE"
    try:
        assert "2 passed" in project.run()
    finally:
        del os.environ["PAYMAN_CLIENT_ID"], os.environ["PAYMAN_ENVIRONMENT"]


@pytest.mark.slow
def test_a_missing_extra_is_named(project: Project) -> None:
    """Without the sandbox's libraries, the fixture says which extra brings them."""
    project.write(
        "test_without.py",
        """
        import sys

        sys.modules["uvicorn"] = None

        def test_any(payman_sandbox):
            pass
        """,
    )
    assert "pip install 'paymanai-sdk[sandbox]'" in project.run(
        "-p", "no:recording", "-p", "no:pytest_httpx", "-p", "no:respx", start=subprocess.run
    )


@pytest.mark.slow
def test_no_test_depends_on_another(project: Project) -> None:
    """Shared tokens, proven payments and used keys end with each test, also those of a client that outlives it; a folder of the suite's own stays."""
    project.write(
        "test_apart.py",
        """
        import os
        import sys

        import pytest
        from pathlib import Path

        from payman_sdk import PaymanClient
        from payman_sdk.sandbox import Sandbox

        folders = set()

        @pytest.fixture(scope="module")
        def sandbox():
            with Sandbox() as sandbox:
                yield sandbox

        @pytest.fixture(scope="module")
        def client(sandbox):
            with sandbox.client() as client:
                yield client

        @pytest.mark.parametrize("number", [1, 2])
        def test_long_lived(client, sandbox, number):
            before = len(sandbox.token_requests)
            assert client.ask("Hello!").status == client.ask("Hello!").status == "completed"
            assert len(sandbox.token_requests) == before + 1

        @pytest.mark.parametrize("number", [1, 2])
        def test_new(sandbox, number):
            before = len(sandbox.token_requests)
            for _ in range(2):
                with sandbox.client() as client:
                    client.ask("Hello!")
            assert len(sandbox.token_requests) == before + 1

        @pytest.mark.parametrize("number", [1, 2])
        def test_keys(client, number):
            client.ask("send 1 TSD to Test Payee", idempotency_key="one")
            folders.add(os.environ["PAYMAN_STATE_DIR"])
            assert Path(os.environ["PAYMAN_STATE_DIR"], "keys.sqlite3").exists()

        @pytest.mark.parametrize("number", [1, 2])
        def test_proofs(sandbox, number):
            connection = sys.modules["payman_sdk._client.connection"]
            assert connection.PROVEN == {}
            connection.PROVEN["server", "txn-1"] = "tsk-1"

        def test_folders():
            assert len(folders) == 2
            Path("folders").write_text("\\\\n".join(folders))
        """,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(project.folder / "state"))
        patch.setenv(
            "PAYMAN_STATE_DIR", ""
        )  # which names no folder, so that tests would share the user's own
        for state in (False, True):
            assert "9 passed" in project.run(state=state)
            for folder in (project.folder / "folders").read_text().splitlines():
                assert not Path(folder).exists()
    assert not (project.folder / "state").exists()
    project.write(
        "test_apart.py", "import os\ndef test_own(): assert os.environ['PAYMAN_STATE_DIR'] == '/own'\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAYMAN_STATE_DIR", "/own")
        assert "1 passed" in project.run(state=True)


@pytest.mark.slow
def test_a_cassette_plays_alone_and_in_any_order(project: Project) -> None:
    """Recorded in one order, by an account whose id is its secret, and played alone, the other way round, in two processes and twice."""
    project.write(
        "conftest.py",
        """
        import pytest

        @pytest.fixture(scope="module")
        def vcr_config(payman_vcr_config):
            return payman_vcr_config
        """,
    )
    project.write(
        "test_two.py",
        """
        import pytest

        from payman_sdk import PaymanClient

        @pytest.mark.vcr
        def test_first():
            with PaymanClient.from_env() as client:
                assert client.ask("send 1 TSD to Test Payee", idempotency_key="one").status == "completed"

        @pytest.mark.vcr
        def test_second():
            with PaymanClient.from_env() as client:
                assert client.ask("list all payees").status == "completed"
        """,
    )
    with (
        Sandbox(clients={"payman-sandbox": "payman-sandbox"}) as sandbox,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("PAYMAN_BASE_URL", sandbox.base_url)
        patch.setenv("PAYMAN_CLIENT_ID", "payman-sandbox")
        patch.setenv("PAYMAN_CLIENT_SECRET", "payman-sandbox")
        assert "2 passed" in project.run("--record-mode=rewrite", start=run_recording)
    first, second = "test_two.py::test_first", "test_two.py::test_second"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAYMAN_BASE_URL", "https://payman.invalid")
        patch.setenv("PAYMAN_CLIENT_ID", "nobody")
        patch.setenv("PAYMAN_CLIENT_SECRET", "nothing")
        assert "2 passed" in project.run("--block-network", second, first, start=run_recording)
        with ThreadPoolExecutor(2) as pool:
            runs = [
                pool.submit(project.run, "--block-network", test, start=run_recording)
                for test in (first, second)
            ]
            assert all("1 passed" in run.result() for run in runs)
    for cassette in (project.folder / "cassettes" / "test_two").iterdir():
        assert cassette.read_text().count("oauth2/token") == 1
