"""Processes that fork while a client is in use."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import programs
from tests.stress.server import Server

pytestmark = [pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here"), pytest.mark.slow]

_ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


def python(*arguments: str, with_imports: bool = True) -> str:
    """What a program writes, which has to end well and to complain of nothing."""
    start = programs.run if with_imports else subprocess.run
    environ = {**os.environ, "PYTHONPATH": f"{_ROOT}{os.pathsep}{_ROOT / 'generated'}"}
    done = start(
        [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning", *arguments],
        capture_output=True, text=True, timeout=120, check=False, env=environ, cwd=_ROOT,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    return str(done.stdout)


BEGINNING = """
import os, sys, threading, time
import httpx
from payman_sdk import AsyncPaymanClient, PaymanClient
from payman_sdk.errors import ConfigurationError
settings = {"client_id": "a", "client_secret": "b", "base_url": sys.argv[1], "timeout": 20}

def in_child(run):
    pid = os.fork()
    if pid == 0:
        try:
            run()
            os._exit(0)
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
"""


def test_children_work_whenever_the_process_forks() -> None:
    """While other threads use a client for the first time, or connect; with TLS, whose libraries have locks of their own, too."""
    stages = ("first use", "connecting")
    tries = ("--tries", "4", "--schemes", "https", "--stages", *stages)
    said = python("-m", "tests.stress.forks", *tries, with_imports=False)
    assert said.endswith("24 children worked; 0 failed, hung, or shared a connection\n")


def test_nothing_is_left_to_be_imported_when_a_process_forks(server: Server) -> None:
    """A module that another thread is importing in that moment would never be complete in the child."""
    program = """
client = PaymanClient(**settings)
end = threading.Event()
threading.Thread(target=end.wait).start()
client.get_access_token()
in_child(lambda: None)
before = set(sys.modules)
task = client.ask("Hello!", on_retry=print, on_task=lambda change: None, on_message=lambda message: None)
client.stream("Hello!").result()
client.get_task(task), client.wait(task), client.stats()
client.close()
print(sorted(name for name in set(sys.modules) - before if name.startswith(("payman", "msgspec", "encodings"))))
end.set()
"""
    assert python("-c", BEGINNING + program, server.base_url, with_imports=False) == "[]\n"


def test_a_child_goes_on_with_a_stream_on_a_connection_of_its_own(server: Server) -> None:
    """A stream that is open when the process forks is told to its end on both sides, each by itself."""
    program = """
text = " ".join(f"word{number}" for number in range(200))
for way in ({}, {"transport": httpx.HTTPTransport()}):
    with PaymanClient(**settings, **way) as client, client.stream(text) as stream:
        next(stream)
        in_child(lambda: print(stream.result().text == text, flush=True))
        print(stream.result().text == text, flush=True)
"""
    assert python("-c", BEGINNING + program, server.base_url) == "True\n" * 4


def test_a_stream_that_has_ended_keeps_no_fork_waiting(server: Server) -> None:
    """Its answer is not read to the last byte; a fork would wait for half a second, and so would each one after it."""
    program = """
from payman_sdk._io import forks
with PaymanClient(**settings, transport=httpx.HTTPTransport()) as client:
    with client.stream("Hello!") as stream:
        next(stream)
    print(forks._inside)
    client.stream("Hello!").result()
    print(forks._inside)
"""
    assert python("-c", BEGINNING + program, server.base_url) == "set()\n" * 2


def test_a_client_of_httpx_serves_in_the_process_that_used_it(server: Server) -> None:
    """One that the parent has used is refused in the child, before anything is sent; one that it has not is used."""
    program = """
def refused():
    try:
        client.ask("Hello!")
    except ConfigurationError as error:
        assert "before this process was forked" in str(error), error
    else:
        raise AssertionError("it was not refused")

with httpx.Client() as http, PaymanClient(**settings, http_client=http) as client:
    in_child(lambda: client.ask("Hello!"))
    client.ask("Hello!")
    in_child(refused)
    client.ask("Hello!")
"""
    assert python("-c", BEGINNING + program, server.base_url) == ""


def test_a_transport_that_cannot_be_closed_in_a_child_is_refused(server: Server) -> None:
    """Where closing waits for a lock of the parent's, an error says what to give instead."""
    program = """
class Stuck(httpx.HTTPTransport):
    def close(self):
        if os.getpid() != parent:
            time.sleep(60)
        super().close()

def refused():
    try:
        client.ask("Hello!")
    except ConfigurationError as error:
        assert "Pass a function" in str(error), error
    else:
        raise AssertionError("it was not refused")

parent = os.getpid()
client = PaymanClient(**settings, transport=Stuck())
in_child(lambda: client.ask("Hello!"))
client.ask("Hello!")
in_child(refused)
client.close()
"""
    assert python("-c", BEGINNING + program, server.base_url) == ""


def test_an_async_client_serves_in_children_with_a_loop_for_each_task(server: Server) -> None:
    """As with Celery's prefork: one client of the parent's, and in each child a new loop for every task."""
    program = """
import asyncio
async def job():
    return (await client.ask("Hello!")).text
client = AsyncPaymanClient(**settings)
print(asyncio.run(job()))
for _ in range(2):
    in_child(lambda: [print(asyncio.run(job()), flush=True) for _ in range(2)])
print(asyncio.run(job()))

async def refused():
    try:
        await client.ask("Hello!")
    except ConfigurationError as error:
        assert "Pass a function" in str(error), error
    else:
        raise AssertionError("it was not refused")

client = AsyncPaymanClient(**settings, transport=(transport := httpx.AsyncHTTPTransport()))
async def main():
    await client.ask("Hello!")
    await transport.aclose()
asyncio.run(main())
in_child(lambda: asyncio.run(refused()))
"""
    assert python("-c", BEGINNING + program, server.base_url) == "Hello!\n" * 6


def test_no_connection_was_shared(server: Server) -> None:
    """In none of the tests above did two processes talk on one connection, or an ask arrive twice."""
    seen: dict[str, Any] = server.report()
    assert (seen["mixed"], seen["repeated"]) == (0, 0)
