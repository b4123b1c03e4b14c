"""A server in a process of its own, whose answers say what they answer, and which sees who talks on each connection."""

from __future__ import annotations

import contextlib
import os
import re
import ssl
import subprocess
import sys
import tempfile
import threading
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import httpx

from tests.peer import ASK_PATH, Answer, Peer, Request, json_answer, rpc, task_for, token
from tests.streaming.wire import DONE, RESUBSCRIBE_PATH, STREAM_PATH, WORKING, chunk, stream

_ROOT = Path(__file__).parents[2]


class Echo(Peer):
    """Answers every ask with its own text, and remembers the process that each request says it comes from."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(tls)
        self._texts: dict[str, str] = {}
        self._processes: dict[threading.Thread, set[str]] = defaultdict(set)
        self._sends: dict[str, int] = defaultdict(int)
        for path in (STREAM_PATH, RESUBSCRIBE_PATH):
            self.always(path, self._told)
        self.always("/report", lambda request: json_answer(self.report())(request))
        self.always("/texts", lambda request: json_answer(sorted(self._texts.values()))(request))

    def report(self) -> dict[str, Any]:
        """What was seen: connections that several processes talked on, and asks that were sent more than once."""
        mixed = sum(len(processes) > 1 for processes in self._processes.values())
        repeated = sum(count > 1 for count in self._sends.values())
        return {"mixed": mixed, "repeated": repeated, "asks": len(self._sends)}

    def _answer_to(self, request: Request) -> Answer:
        if request.path.endswith("/token"):
            return token()
        if request.body:
            params = request.json["params"]
            text = params["message"]["parts"][0]["text"] if "message" in params else None
            if text is not None:
                self._texts[params["id"]] = text
                self._sends[params["id"]] += 1
                self._processes[threading.current_thread()].update(re.findall(r"process (\d+)", text))
            if request.path == ASK_PATH or "message" not in params:
                return self._done if params["id"] in self._texts else _unknown
        return super()._answer_to(request)

    def _done(self, request: Request) -> Iterator[bytes]:
        yield from rpc(result=task_for(request, artifacts=[_artifact(self._text(request))]))(request)

    def _told(self, request: Request) -> Iterator[bytes]:
        text = self._text(request)
        pieces = [chunk(piece, append=bool(at)) for at, piece in enumerate(re.findall(r"\S+\s*", text))]
        yield from stream(WORKING, *pieces, DONE)(request)

    def _text(self, request: Request) -> str:
        return self._texts.get(request.json["params"]["id"], "")


def _artifact(text: str) -> dict[str, Any]:
    return {"name": "response", "parts": [{"type": "text", "text": text}]}


def _unknown(request: Request) -> Iterator[bytes]:
    yield from rpc(error={"code": -32001, "message": "Task not found"})(request)


class Server:
    """The server, as long as a `with` block runs.

    Args:
        tls: Whether it speaks TLS.

    Attributes:
        base_url: Where it is.
        authority: The file of whoever signed its certificate; empty without TLS.
    """

    def __init__(self, *, tls: bool = False) -> None:
        arguments = [sys.executable, "-m", "tests.stress.server", *(["--tls"] if tls else [])]
        environ = {**os.environ, "PYTHONPATH": f"{_ROOT}{os.pathsep}{_ROOT / 'generated'}"}
        self._process = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=_ROOT, env=environ
        )
        assert self._process.stdout is not None
        self.base_url, _, self.authority = self._process.stdout.readline().strip().partition(" ")

    def report(self) -> dict[str, Any]:
        """What the server has seen."""
        seen: dict[str, Any] = self._fetch("/report")
        return seen

    def texts(self) -> set[str]:
        """What the server was asked."""
        return set(self._fetch("/texts"))

    def _fetch(self, path: str) -> Any:
        context = ssl.create_default_context(cafile=self.authority) if self.authority else None
        return httpx.get(f"{self.base_url}{path}", verify=context or True, trust_env=False).json()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()


def _main() -> None:
    with contextlib.ExitStack() as stack:
        context, authority = None, ""
        if "--tls" in sys.argv:
            import trustme

            issuer = trustme.CA()
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            authority = f"{folder}/authority.pem"
            issuer.cert_pem.write_to_path(authority)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            issuer.issue_cert("localhost").configure_cert(context)
        peer = stack.enter_context(Echo(context))
        scheme = "https" if context else "http"
        print(f"{scheme}://localhost:{peer.port} {authority}", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    _main()
