import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest


class Canned(ThreadingHTTPServer):
    """Answers every request with what it was told to, and remembers the requests."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.seen: list[dict[str, Any]] = []
        self.status, self.kind, self.body = 200, "application/json", b"{}"
        self.received = threading.Event()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, body: Any, status: int = 200, kind: str = "application/json") -> None:
        """Have every request answered so from now on."""
        self.status, self.kind = status, kind
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()


class Answering(BaseHTTPRequestHandler):
    server: Canned

    def do_GET(self) -> None:
        """Answer as to POST."""
        self.do_POST()

    def do_POST(self) -> None:
        """Remember the request and answer it."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.append(
            {"path": self.path, "headers": dict(self.headers), "body": json.loads(body or "null")}
        )
        self.send_response(self.server.status)
        self.send_header("Content-Type", self.server.kind)
        self.send_header("Connection", "close")
        self.end_headers()
        first, rest = self.server.body[:1], self.server.body[1:]
        self.wfile.write(first)
        self.wfile.flush()
        # The rest of a stream comes only when the client has heard the beginning, or never: it is not read as a whole.
        if self.server.kind != "text/event-stream" or self.server.received.wait(timeout=5):
            self.wfile.write(rest)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Canned]:
    with Canned() as canned:
        thread = threading.Thread(target=canned.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield canned
        canned.shutdown()
        thread.join()
