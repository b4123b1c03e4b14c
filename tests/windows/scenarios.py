"""What runs on the simulated Windows: `python -m tests.windows.scenarios NAME`. Each prints what its test reads."""

from __future__ import annotations

import asyncio
import importlib
import os
import pkgutil
import signal
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import FrameType, ModuleType

from tests.windows.simulation import ProactorEventLoop, simulate_windows


class AnyFramework(MetaPathFinder, Loader):
    """Finds frameworks of agents and drivers of databases, and whatever is imported from them."""

    NAMES = frozenset(
        {"agents", "autogen_core", "crewai", "google", "langchain_core", "llama_index", "mcp", "mcp_types"}
        | {"psycopg", "pydantic_ai", "redis", "smolagents"}
    )

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Find a framework."""
        return ModuleSpec(name, self, is_package=True) if name.partition(".")[0] in self.NAMES else None

    def create_module(self, spec: ModuleSpec) -> None:
        """Take a usual module."""

    def exec_module(self, module: ModuleType) -> None:
        """Give it any class that is asked for."""

        def build(name: str) -> type:
            if name.startswith("__"):
                raise AttributeError(name)
            return type(name, (), {"__class_getitem__": classmethod(lambda cls, _: cls)})

        module.__dict__["__getattr__"] = build


def import_everything() -> None:
    """Import every module of both packages. The frameworks, which take seconds, are not ours to try: they have any name."""
    import payman_api
    import payman_sdk

    frameworks = AnyFramework()
    sys.meta_path.insert(0, frameworks)
    count, missing = 0, []
    for package in (payman_sdk, payman_api):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if module.name.endswith("__main__"):
                continue
            try:
                importlib.import_module(module.name)
            except ImportError as error:
                missing.append(f"{module.name}: {error}")
            count += 1
    sys.meta_path.remove(frameworks)
    print(count > 300, missing)


def ask_and_pay() -> None:
    """Ask, stream and pay on threads, with records of keys in the user's folder, a ledger in a file and a token in a file."""
    from payman_sdk import FileTokenStore
    from payman_sdk._io.key_store import open_default_store
    from payman_sdk.sandbox import Sandbox

    folder = Path(tempfile.mkdtemp())
    with Sandbox(db=folder / "sandbox.sqlite3") as sandbox:
        with sandbox.client(token_store=FileTokenStore(folder / "token.json")) as client:
            print(client.ask("list all wallets").status)
            for _ in range(2):
                print(client.pay("Test Payee", "10", "TSD", idempotency_key="invoice-42").outcome)
            with client.stream("list all wallets") as stream:
                print(stream.result().status)
        print(len(sandbox.payments))
    store = open_default_store()
    assert store is not None
    print(store.path.relative_to(Path.home()).as_posix())


def ask_on_event_loops() -> None:
    """The same with the loop that Windows uses, which watches no descriptors."""
    from payman_sdk.sandbox import Sandbox

    async def main() -> None:
        print(type(asyncio.get_running_loop()).__name__)
        async with sandbox.async_client() as client:
            print((await client.ask("list all wallets")).status)
            async with client.stream("list all wallets") as stream:
                print((await stream.result()).status)
            answers = await asyncio.gather(*(client.ask("list all payees") for _ in range(8)))
            print({answer.status for answer in answers})

    with Sandbox() as sandbox, asyncio.Runner(loop_factory=ProactorEventLoop) as runner:
        runner.run(main())


def share_a_token_file() -> None:
    """Save a token again and again while other threads read it: an open file cannot be replaced."""
    from payman_sdk import FileTokenStore, StoredToken
    from payman_sdk.errors import PaymanError

    path = Path(tempfile.mkdtemp()) / "token.json"
    stop, failures = threading.Event(), list[str]()

    def read() -> None:
        store = FileTokenStore(path)
        while not stop.is_set():
            try:
                store.load()
            except PaymanError as error:
                failures.append(str(error))

    writer = FileTokenStore(path)
    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(20):
        try:
            writer.save(StoredToken(issued_to="me", access_token=f"a-{number}", expires_at=0, lifetime=0))
        except PaymanError as error:
            failures.append(str(error))
    stop.set()
    for thread in threads:
        thread.join()
    left = sorted(file.name for file in path.parent.iterdir())
    print(failures[:1], left)


def hold_a_lock() -> None:
    """A lock on a file excludes another holder, and is free again when it is released."""
    from payman_sdk import FileTokenStore

    path = Path(tempfile.mkdtemp()) / "token.json"
    one, other = FileTokenStore(path).lock, FileTokenStore(path).lock
    print(one.acquire(timeout=60), other.acquire(timeout=0.05))
    one.release()
    print(other.acquire(timeout=60))
    other.release()


def log_in() -> None:
    """Receive an authorization on loopback, and refuse a port that is taken."""
    from urllib.parse import parse_qs, urlencode, urlsplit

    import httpx

    from payman_sdk import login
    from payman_sdk.sandbox import Sandbox

    with Sandbox() as sandbox:

        def consent(url: str) -> None:
            asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
            code = sandbox.issue_code(
                redirect_uri=asked["redirect_uri"], code_challenge=asked["code_challenge"]
            )
            answer = f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"
            threading.Thread(target=httpx.get, args=[answer]).start()

        config = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
        with login(
            {**config, "base_url": sandbox.base_url}, scopes=["read_balance"], open_browser=consent
        ) as client:
            print(client.ask("what's my TSD wallet balance?").status)


def interrupt() -> None:
    """Ctrl-C and Ctrl-Break end an ask with its ids, and the client works on."""
    from payman_sdk.sandbox import ConnectionLost, Sandbox

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    with Sandbox() as sandbox, sandbox.client() as client:
        client.ask("list all wallets")
        for number in (signal.SIGINT, signal.SIGTERM):
            sandbox.script([ConnectionLost(silent=True)])
            threading.Timer(0.2, os.kill, [os.getpid(), number]).start()
            try:
                client.ask("list all payees")
            except KeyboardInterrupt as interruption:
                print(client.get_task(vars(interruption)["task_id"]).status)
        print(client.ask("list all wallets").status)


def run_the_command() -> None:
    """Run `payman` with a console whose code page has few characters."""
    from payman_sdk._cli.main import main

    for arguments in (["--sandbox", "wallets"], ["--sandbox", "pay", "10", "TSD", "Test Payee"]):
        sys.argv = ["payman", *arguments]
        print(main())
    sys.argv = ["payman", "--sandbox", "ask", "create a payee of type Test Rails called Zoë Żółć", "--quiet"]
    print(main())


SCENARIOS: dict[str, Callable[[], None]] = {
    scenario.__name__: scenario
    for scenario in (
        import_everything,
        ask_and_pay,
        ask_on_event_loops,
        share_a_token_file,
        hold_a_lock,
        log_in,
        interrupt,
        run_the_command,
    )
}

if __name__ == "__main__":
    warnings.filterwarnings("error", category=EncodingWarning, module=r"payman_(sdk|api)\b")
    simulate_windows()
    for scenario in sys.argv[1:]:
        begun = time.monotonic()
        print(f"== {scenario}")
        SCENARIOS[scenario]()
        print(f"{scenario}: {time.monotonic() - begun:.2f} s", file=sys.stderr)
