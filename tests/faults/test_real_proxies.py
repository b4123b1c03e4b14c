from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from payman_sdk import PaymanClient
from tests.faults.agent import RESET, PayingAgent
from tests.faults.ask_modes import end_of
from tests.faults.reserved_ports import HOST
from tests.faults.visibility import Manner

_PROGRAMS = ("varnishd", "haproxy", "nginx")

pytestmark = pytest.mark.skipif(
    not all(shutil.which(program) for program in _PROGRAMS),
    reason="needs varnishd, haproxy and nginx (the Debian packages varnish, haproxy and nginx-light)",
)

FAULTS = {
    "reset": RESET,
    "closed": b"",
    "half a head": b"HTTP/1.1 200 OK\r\nConte",
    "half a body": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{",
    "garbage": b"garbage\r\n\r\n",
    "slow": None,
}
"""What the agent answers to the first request with a text; None: its own answer, when the proxy has given up."""
_SLOW = 1.5
"""Seconds that a slow payment takes; proxies give up after less."""


def _start_varnish(folder: Path, port: int, agent: int) -> Sequence[str]:
    return [
        "varnishd", "-F", "-n", str(folder / "varnish"), "-a", f"{HOST}:{port}", "-b", f"{HOST}:{agent}",
        "-s", "malloc,8m", "-p", "first_byte_timeout=0.7", "-j", "none",
    ]  # fmt: skip


def _start_haproxy(folder: Path, port: int, agent: int) -> Sequence[str]:
    (folder / "haproxy.cfg").write_text(
        "global\n nbthread 1\ndefaults\n mode http\n timeout connect 5s\n timeout client 50s\n timeout server 700ms\n"
        f"frontend f\n bind {HOST}:{port}\n default_backend b\nbackend b\n server s {HOST}:{agent}\n"
    )
    return ["haproxy", "-db", "-f", str(folder / "haproxy.cfg")]


def _start_nginx(folder: Path, port: int, agent: int) -> Sequence[str]:
    (folder / "logs").mkdir()
    places = " ".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/errors; events {{}} "
        f"http {{ access_log off; {places} server {{ listen {HOST}:{port}; location / "
        f"{{ proxy_pass http://{HOST}:{agent}; proxy_read_timeout 700ms; }} }} }}"
    )
    return ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]


PROXIES: dict[str, Callable[[Path, int, int], Sequence[str]]] = {
    "varnish": _start_varnish,
    "haproxy": _start_haproxy,
    "nginx": _start_nginx,
}


@contextmanager
def _running(name: str, folder: Path, agent_url: str) -> Iterator[str]:
    """A proxy in front of an agent; yields its URL."""
    with socket.socket() as free:
        free.bind((HOST, 0))
        port: int = free.getsockname()[1]
    folder.mkdir()
    command = PROXIES[name](folder, port, int(agent_url.rpartition(":")[2]))
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            assert process.poll() is None, f"{name} ended with status {process.returncode}"
            try:
                socket.create_connection((HOST, port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield f"http://{HOST}:{port}"
    finally:
        process.terminate()
        process.wait(60)


def _fault_of(text: str) -> str:
    return text.rpartition(": ")[2]


def _reply(text: str, number: int) -> bytes | None:
    return FAULTS[_fault_of(text)] if number == 1 else None


def _work(text: str) -> float:
    return _SLOW if _fault_of(text) == "slow" else 0.0


def _ends_behind(name: str, folder: Path) -> dict[str, tuple[str, int]]:
    """How an ask ended that met each fault behind a proxy, and how often it was paid."""

    def ask(fault: str) -> str:
        with PaymanClient.with_credentials(
            {
                "client_id": "pm-test-proxies",
                "client_secret": "proxies",
                "base_url": url,
                "timeout": 30,
                "read_timeout": 20,
                "settle_time": 2,
            }
        ) as client:
            try:
                return client.ask(f"send 10 TSD to Test Payee: {fault}").status
            except Exception as error:
                return f"{end_of(error)}: {type(error).__name__}: {error}"

    with PayingAgent(Manner(), work=_work, reply=_reply) as agent:
        with _running(name, folder, agent.url) as url, ThreadPoolExecutor(len(FAULTS)) as pool:
            ends = dict(zip(FAULTS, pool.map(ask, FAULTS), strict=True))
        agent.finish()
        return {
            fault: (end, agent.payments[f"send 10 TSD to Test Payee: {fault}"]) for fault, end in ends.items()
        }


def test_what_a_proxy_makes_of_a_lost_answer_is_paid_once(tmp_path: Path) -> None:
    """Varnish, HAProxy and nginx answer for the agent in their ways: 502, 503 with Retry-After, 504, a closed connection."""
    with ThreadPoolExecutor(len(PROXIES)) as pool:
        ended = dict(
            zip(PROXIES, pool.map(lambda name: _ends_behind(name, tmp_path / name), PROXIES), strict=True)
        )
    assert ended == {name: dict.fromkeys(FAULTS, ("completed", 1)) for name in PROXIES}
