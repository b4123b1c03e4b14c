from __future__ import annotations

import gc
import importlib.util
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import payman_sdk
from payman_sdk import errors, types
from payman_sdk._client import sync
from payman_sdk._weak_call import WeakCall
from payman_sdk.sandbox import Sandbox
from tests.tables import table


@pytest.fixture(autouse=True)
def _without_coverage(monkeypatch: pytest.MonkeyPatch) -> None:
    """What measures coverage imports a lot into programs that are started."""
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)


def test_everything_that_is_announced_can_be_had() -> None:
    """`__all__`, `dir` and what can be imported are the same names, in order."""
    assert payman_sdk.__all__ == sorted(payman_sdk.__all__)
    assert dir(payman_sdk) == payman_sdk.__all__
    for name in payman_sdk.__all__:
        assert getattr(payman_sdk, name) is not None
    everything: dict[str, object] = {}
    exec("from payman_sdk import *", everything)  # noqa: S102 - the statement itself is what is tested
    assert everything.keys() - {"__builtins__"} == set(payman_sdk.__all__)


def test_the_names_are_those_of_their_modules() -> None:
    """A name of the package is the one of its module, at every look."""
    for _ in range(2):
        assert payman_sdk.PaymanClient is sync.PaymanClient
        assert payman_sdk.PaymanError is errors.PaymanError
        assert payman_sdk.FormattedTaskResponse is types.FormattedTaskResponse
        assert payman_sdk.PaymanConfig is types.PaymanConfig
        assert payman_sdk.TaskState is types.TaskState


def test_a_name_that_is_not_there_is_missed_as_everywhere() -> None:
    """An unknown name is an AttributeError, and an ImportError where it is imported."""
    with pytest.raises(AttributeError, match="module 'payman_sdk' has no attribute 'PaymanClinet'"):
        getattr(payman_sdk, "PaymanClinet")  # noqa: B009 - type checkers would see it
    with pytest.raises(ImportError, match="PaymanClinet"):
        exec("from payman_sdk import PaymanClinet", {})  # noqa: S102 - type checkers would see it


def test_the_types_that_are_announced_can_be_had() -> None:
    """`payman_sdk.types.__all__` holds nothing that is not there."""
    for name in types.__all__:
        assert hasattr(import_module("payman_sdk.types"), name)


@pytest.mark.slow
def test_a_first_ask_imports_what_it_needs_alone() -> None:
    """An ask on threads waits for no event loop, no connections of aiohttp, no digests, no hooks, and no classes that attrs would have to make."""
    with Sandbox() as sandbox:
        program = (
            "import sys; sys.modules['trio'] = None; from payman_sdk import PaymanClient\n"  # httpcore would import it, and it attrs
            f"with PaymanClient(client_id={sandbox.client_id!r}, client_secret={sandbox.client_secret!r}, "
            f"base_url={sandbox.base_url!r}) as client: print(client.ask('list all wallets').status)\n"
            "print(*sys.modules)"
        )
        status, loaded = subprocess.run(
            [sys.executable, "-c", program], check=True, capture_output=True, text=True
        ).stdout.splitlines()
    assert status == "completed"
    unwanted = {
        "attr",
        "hashlib",
        "aiohttp",
        "msgspec",
        "opentelemetry",
        "payman_sdk._io.async_runner",
        "payman_sdk._io.proxies",
        "payman_sdk._core.hook_payloads",
    }
    streams = {name for name in loaded.split() if name.startswith("payman_sdk.streaming")}
    assert (unwanted & set(loaded.split()), streams) == (set(), set())


@pytest.mark.slow
def test_nothing_lasts_to_the_very_end_of_the_process() -> None:
    """Python frees late, one by one, whatever its forks and loggers hold: with the SDK in it, the end of a short program took a third longer."""
    with Sandbox() as sandbox:
        program = (
            "import sys; sys.modules['trio'] = None; from payman_sdk import PaymanClient\n"  # trio itself lasts
            f"with PaymanClient(client_id={sandbox.client_id!r}, client_secret={sandbox.client_secret!r}, "
            f"base_url={sandbox.base_url!r}) as client: client.ask('list all wallets')\n"
        )
        verbose = subprocess.run(
            [sys.executable, "-v", "-c", program], check=True, capture_output=True, text=True
        )
    freed_late = {name.partition(".")[0] for name in re.findall(r"cleanup\[3\] wiping (\S+)", verbose.stderr)}
    assert "sys" in freed_late
    assert freed_late.isdisjoint({"payman_sdk", "payman_api", "httpcore", "ssl", "typing"})


def test_a_weak_call_holds_nothing() -> None:
    """It calls its function while that lasts; a filter of a logger lets records pass afterwards."""

    def refuse(record: object) -> bool:
        return record is None

    call = WeakCall(refuse)
    assert (call(1), call(None)) == (False, True)
    del refuse
    gc.collect()
    assert call(1) is True


@pytest.mark.slow
def test_no_record_shows_a_secret_when_python_ends_or_a_module_is_loaded_again() -> None:
    program = """
import importlib, logging, sys
from payman_sdk import PaymanClient
from payman_sdk._secrets import SecretStr, sent_secrets
import payman_sdk._text.logger as logger

class Ends:
    def __init__(self):
        self.log, self.text = logging.getLogger("httpcore.connection"), "s3cret-" + "0123456789"
        self.me = self
    def __del__(self):
        self.log.warning("%s", self.text)

logging.basicConfig(stream=sys.stdout)
client = PaymanClient(client_id="a", client_secret="s3cret-0123456789", base_url="http://127.0.0.1:9", max_retries=0)
try:
    client.ask("Hello!")
except Exception as error:
    print(error)
importlib.reload(logger)
logging.getLogger("httpcore.connection").warning("again %s", "s3cret-" + "0123456789")
logger._last = logging._last = Ends()
sent_secrets.add(SecretStr("s3cret-0123456789"))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "again ..." in done.stdout
    assert "0123456789" not in done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "statement",
    [
        "import payman_sdk",
        "from payman_sdk import PaymanClient",
        "from payman_sdk.client import PaymanClient; from payman_sdk.types import PaymanConfig",
        "from payman_sdk import PaymanClient; PaymanClient(client_id='x', client_secret='y').get_session_id()",
    ],
)
def test_importing_is_cheap(statement: str) -> None:
    """Neither httpx nor the sandbox's server is imported before the first ask."""
    program = f"{statement}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert "payman_sdk" in loaded
    assert loaded & {"httpx", "httpcore", "starlette", "uvicorn", "dotenv", "dateutil", "sqlite3"} == set()


@pytest.mark.slow
def test_importing_the_client_takes_few_modules() -> None:
    """No model, no logging, no JSON: these come with the first client or the first ask."""
    program = "from payman_sdk import PaymanClient\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    own = [name for name in loaded if name.startswith(("payman_sdk", "payman_api"))]
    costly = {"asyncio", "datetime", "decimal", "json", "logging", "ssl", "traceback", "urllib.parse", "uuid"}
    assert len(own) <= 28, own
    assert costly.isdisjoint(loaded)


@pytest.mark.slow
def test_importing_says_nothing() -> None:
    """Importing the package and its modules prints nothing and warns of nothing."""
    program = "import payman_sdk._client.sync, payman_sdk.types, payman_sdk.errors, payman_sdk._core.effects, payman_sdk._core.formatting"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.slow
def test_everything_that_is_announced_needs_no_extra() -> None:
    """`from payman_sdk import *` works without any extra; stores that need one are named, and say which when asked for."""
    extras = (
        "filelock",
        "platformdirs",
        "keyring",
        "psycopg",
        "redis",
        "starlette",
        "uvicorn",
        "dotenv",
        "rich",
        "typer",
    )
    program = f"""
import sys
for name in {extras!r}:
    sys.modules[name] = None
from payman_sdk import *
import payman_sdk
for store, extra in ("FileTokenStore", "file"), ("KeyringTokenStore", "keyring"), ("PostgresTokenStore", "postgres"), ("RedisTokenStore", "redis"):
    try:
        getattr(payman_sdk, store)
    except payman_sdk.errors.ConfigurationError as error:
        print(f"paymanai-sdk[{{extra}}]" in str(error))
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["True"] * 4


@table("name", sorted(set(payman_sdk.__all__) - {"__version__"}))
def test_no_module_hides_a_public_name(name: str) -> None:
    """No module of the package has the name of something public: imported first, it would stand in its place."""
    assert importlib.util.find_spec(f"payman_sdk.{name}") is None


def test_public_modules_offer_what_they_announce() -> None:
    """`dir()` of each public module is its `__all__`, all of it can be had, and the package has no other module without underscore."""
    package = Path(payman_sdk.__path__[0])
    modules = {
        path.stem for path in package.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    public = {name for name in modules if not name.startswith("_")}
    assert public == {"client", "errors", "types", "token_stores", "agents", "sandbox", "testing"}
    for name in ("", *sorted(public)):
        module = import_module(f"payman_sdk.{name}".rstrip("."))
        offered = {one for one in dir(module) if one == "__version__" or not one.startswith(("_", "@"))}
        assert offered == set(module.__all__), name
        assert [one for one in module.__all__ if not hasattr(module, one)] == [], name
