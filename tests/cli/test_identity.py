"""Servers on this machine: a sandbox proves that it is one, and everything else counts as live."""

from __future__ import annotations

import contextlib
import gzip
import http.server
import json
import threading
from collections.abc import Callable, Iterator

import httpx
import pytest

from payman_sdk._cli import identity
from payman_sdk._cli.identity import IDENTITY, IDENTITY_PATH, is_sandbox
from payman_sdk.sandbox import Sandbox
from tests.cli.command import Payman

Answer = tuple[int, dict[str, str], bytes]
PAY = "send 10 TSD to Test Payee"


@contextlib.contextmanager
def serving(answer: Callable[[http.server.BaseHTTPRequestHandler], Answer]) -> Iterator[str]:
    """A server on this machine that answers everything alike."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = answer(self)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 # its name there

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 # its name there
            """Print nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def port_of(handler: http.server.BaseHTTPRequestHandler) -> int:
    address: tuple[str, int] = handler.server.server_address  # type: ignore[assignment]
    return address[1]


def yes(handler: http.server.BaseHTTPRequestHandler) -> bytes:
    return json.dumps({"server": IDENTITY, "port": port_of(handler)}).encode()


def test_a_sandbox_is_known_under_each_of_its_names(sandbox: Sandbox) -> None:
    """It answers under its own address and no other, and the question is not among its requests."""
    port = sandbox.base_url.rpartition(":")[2]
    assert is_sandbox(sandbox.base_url)
    assert is_sandbox(f"{sandbox.base_url}/")
    assert is_sandbox(f"http://localhost:{port}")
    assert not is_sandbox(f"http://127.0.0.1:{port}/prefix")
    assert sandbox.requests == []
    sandbox.stop()
    assert not is_sandbox(sandbox.base_url)


@pytest.mark.slow
def test_whatever_does_not_prove_it_is_not_a_sandbox(
    monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox
) -> None:
    """Only the exact answer counts; nothing else, however much it looks like a sandbox, and whatever is behind it."""
    monkeypatch.setattr(identity, "_PATIENCE", 0.3)
    leaving = threading.Event()

    def silent(_: http.server.BaseHTTPRequestHandler) -> Answer:
        leaving.wait(60)
        return 200, {}, b""

    def proxied(handler: http.server.BaseHTTPRequestHandler) -> Answer:
        answer = httpx.get(f"{sandbox.base_url}{handler.path}", trust_env=False)
        return answer.status_code, {}, answer.content

    def proxied_as_it_is(handler: http.server.BaseHTTPRequestHandler) -> Answer:
        answer = httpx.get(
            f"{sandbox.base_url}{handler.path}", headers={"Host": handler.headers["Host"]}, trust_env=False
        )
        return answer.status_code, {}, answer.content

    answers: dict[str, Callable[[http.server.BaseHTTPRequestHandler], Answer]] = {
        "a proxy before a sandbox": proxied,
        "a proxy that keeps the Host": proxied_as_it_is,
        "a redirect to a sandbox": lambda _: (302, {"Location": f"{sandbox.base_url}{IDENTITY_PATH}"}, b""),
        "nothing there": lambda _: (404, {}, b""),
        "an error with the right words": lambda it: (500, {}, yes(it)),
        "created, with the right words": lambda it: (201, {}, yes(it)),
        "a page": lambda _: (200, {"Content-Type": "text/html"}, b"<html>Payman sandbox</html>"),
        "another port": lambda _: (200, {}, json.dumps({"server": IDENTITY, "port": 1}).encode()),
        "no port": lambda _: (200, {}, json.dumps({"server": IDENTITY}).encode()),
        "a port in words": lambda it: (
            200,
            {},
            json.dumps({"server": IDENTITY, "port": str(port_of(it))}).encode(),
        ),
        "another server": lambda it: (
            200,
            {},
            json.dumps({"server": "payman", "port": port_of(it)}).encode(),
        ),
        "more than that": lambda it: (
            200,
            {},
            json.dumps({"server": IDENTITY, "port": port_of(it), "x": 1}).encode(),
        ),
        "a list": lambda it: (200, {}, b"[" + yes(it) + b"]"),
        "null": lambda _: (200, {}, b"null"),
        "no JSON": lambda _: (200, {}, b"yes"),
        "deep JSON": lambda _: (200, {}, b"[" * 1000),
        "compressed": lambda it: (200, {"Content-Encoding": "gzip"}, gzip.compress(yes(it))),
        "much": lambda it: (200, {}, yes(it) + b" " * 5000),
        "silence": silent,
    }
    taken = []
    for name, answer in answers.items():
        with serving(answer) as url:
            if is_sandbox(url):
                taken.append(name)
            leaving.set()
    assert taken == []
    with serving(lambda it: (200, {}, yes(it))) as url:
        assert is_sandbox(url)


@pytest.mark.slow
def test_a_loopback_proxy_counts_as_live(
    payman: Payman, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A payment by way of whatever else listens on this machine needs a yes; at the sandbox itself it does not."""
    with serving(lambda _: (200, {}, b"{}")) as proxy:
        monkeypatch.setenv("PAYMAN_BASE_URL", proxy)
        said = payman("ask", PAY)
        assert said.status == 2
        assert "--yes" in said.err
        said = payman("mcp", "--without-confirmation")
        assert said.status == 2
        assert "--max-payments" in said.err
    monkeypatch.setenv("PAYMAN_BASE_URL", sandbox.base_url)
    assert payman("ask", PAY).status == 0
