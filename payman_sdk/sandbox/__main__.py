"""`python -m payman_sdk.sandbox`: a local Payman until Ctrl-C."""

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

_PORT = 8642


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C or SIGTERM; returns the exit status: 0, or 2 if it cannot serve."""
    parser = argparse.ArgumentParser(
        prog="python -m payman_sdk.sandbox",
        description="A local Payman: real HTTP, and money that exists nowhere else.",
    )
    parser.add_argument(
        "--port", type=int, default=_PORT, help="to serve on; 0 takes a free one (default: %(default)s)"
    )
    parser.add_argument(
        "--db", type=Path, metavar="FILE", help="keep everything in this file (default: in memory)"
    )
    parser.add_argument(
        "--client",
        action="append",
        default=[],
        metavar="ID:SECRET",
        help="register this client; may be repeated",
    )
    parser.add_argument(
        "--pace",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="between two events of a stream, as if the agent had to work (default: %(default)s)",
    )
    parser.add_argument(
        "--chunk-words",
        type=int,
        default=6,
        metavar="N",
        help="how many words of an answer an event of a stream has at most (default: %(default)s)",
    )
    chosen = parser.parse_args(arguments)
    clients: dict[str, str] = {}
    for client in chosen.client:
        client_id, _, secret = client.partition(":")
        if not client_id or not secret:
            parser.error("--client: write it as ID:SECRET")
        clients[client_id] = secret
    stopping = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    return _serve(chosen, clients, stopping)


def _serve(chosen: argparse.Namespace, clients: dict[str, str], stopping: threading.Event) -> int:
    import sqlite3

    try:
        from payman_sdk.sandbox import Sandbox

        sandbox = Sandbox(
            clients=clients, db=chosen.db, port=chosen.port, pace=chosen.pace, chunk_words=chosen.chunk_words
        )
    except (ImportError, ValueError) as failure:
        return _fail(str(failure))
    except sqlite3.Error as failure:
        return _fail(f"cannot use {chosen.db} as the database: {failure}")
    try:
        sandbox.start()
    except OSError as failure:
        sandbox.close()
        said = (failure.strerror or str(failure)).partition(";")[0]
        return _fail(f"{said}; choose another with --port, 0 takes a free one")
    try:
        print(  # noqa: T201 (a program, not the library)
            f"The Payman sandbox serves on {sandbox.base_url} until Ctrl-C.\n"
            f"Its web page: {sandbox.web_url}\n\n"
            f"export PAYMAN_BASE_URL={sandbox.base_url}\n"
            f"export PAYMAN_CLIENT_ID={sandbox.client_id}\n"
            f"export PAYMAN_CLIENT_SECRET={sandbox.client_secret}",
            flush=True,
        )
        stopping.wait()
    finally:
        sandbox.close()
    return 0


def _fail(reason: str) -> int:
    print(f"payman sandbox: {reason}", file=sys.stderr)  # noqa: T201
    return 2


if __name__ == "__main__":
    sys.exit(main())
