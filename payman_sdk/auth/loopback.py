"""Getting a person's authorization in a program on their own machine: browser out, loopback address in (RFC 8252).

The one place of the SDK that listens; on 127.0.0.1, for one answer, and no longer than it is told to wait.
"""

from __future__ import annotations

import queue
import secrets
import threading
import webbrowser
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from attrs import field, frozen

from payman_api import AUTHORIZATION_SERVER
from payman_sdk.auth.authorization import Scope, authorization_url, parse_redirect
from payman_sdk.config import seconds
from payman_sdk.errors import APITimeoutError, AuthenticationError, ConfigurationError
from payman_sdk.secrecy import Secret

_PATIENCE = 300.0
_PATH = "/callback"
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>
<style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:20vh auto;padding:0 1rem;color-scheme:light dark}}</style>
</head><body><h1>{title}</h1><p>{text}</p></body></html>
"""


@frozen(kw_only=True)
class Authorization:
    """A person's authorization, good for one exchange and for a short time.

    Args:
        code: The authorization code.
        redirect_uri: Where it came; it belongs to the exchange.
        code_verifier: What proves that the one who exchanges is the one who asked.
    """

    code: Secret = field(repr=False)
    redirect_uri: str
    code_verifier: Secret = field(repr=False)


def authorize(
    client_id: str,
    scopes: Iterable[Scope | str],
    *,
    server: str = AUTHORIZATION_SERVER,
    open_browser: Callable[[str], object] = webbrowser.open,
    port: int = 0,
    timeout: float | None = None,
) -> Authorization:
    """Opens the authorization page in a browser and waits for what the person decides.

    Args:
        client_id: The application's id.
        scopes: What it asks for.
        server: Another server of the page, such as a sandbox's `base_url`.
        open_browser: Gets the address; returning False means that it could not show it.
        port: The port to listen on, where the application is registered with a fixed one; 0 takes a free one.
        timeout: Seconds to wait for the person, 300 by default.

    Raises:
        AuthenticationError: The person or the server refused.
        APITimeoutError: Nobody decided in time.
        ConfigurationError: The port is taken, or no browser could be opened.
    """
    timeout = seconds(timeout, "wait", _PATIENCE)
    with _listening(port) as (redirect_uri, answers):
        request = authorization_url(client_id, redirect_uri, scopes, server=server)
        answers.state = request.state
        if _opened(open_browser, request.url) is False:
            raise ConfigurationError(
                "No browser could be opened.",
                next_step="Pass open_browser=print to show the address instead.",
            )
        code = answers.wait(timeout)
        return Authorization(code=code, redirect_uri=redirect_uri, code_verifier=request.code_verifier)


def _opened(open_browser: Callable[[str], object], url: str) -> object:
    try:
        return open_browser(url)
    except webbrowser.Error:
        return False


class _Answers:
    """Takes the redirects that come in; the first one that carries our state decides."""

    def __init__(self) -> None:
        self.state = secrets.token_urlsafe()  # until there is a request, nothing is the answer to it
        self._decided: queue.Queue[Secret | AuthenticationError] = queue.Queue()

    def take(self, url: str) -> tuple[int, str, str]:
        """The status, title and text of the page for a request."""
        if urlsplit(url).path != _PATH:
            return (
                404,
                "Nothing here",
                "This address only receives the answer of Payman's authorization page.",
            )
        try:
            code = Secret(parse_redirect(url, state=self.state))
        except AuthenticationError as error:
            if error.error is None:  # somebody else's, or no answer at all: ours may still come
                return 400, "Not expected", "This is not the answer that the application waits for."
            self._decided.put(error)
            return 200, "Not allowed", "The application was not given access. You can close this window."
        self._decided.put(code)
        return 200, "Done", "You can close this window and go back to the application."

    def wait(self, timeout: float) -> Secret:
        """What was decided first."""
        try:
            decided = self._decided.get(timeout=timeout)
        except queue.Empty:
            failure = APITimeoutError(
                f"Nobody decided on the authorization page within {timeout:g} seconds.",
                next_step="Start again.",
            )
            failure.sent = False
            raise failure from None
        if isinstance(decided, AuthenticationError):
            raise decided
        return decided


@contextmanager
def _listening(port: int) -> Generator[tuple[str, _Answers]]:
    answers = _Answers()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, title, text = answers.take(self.path)
            page = _PAGE.format(title=title, text=text).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(page)))
            self.send_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
            # The address holds the code: it goes neither to another site nor into a cache.
            self.send_header("Referrer-Policy", "no-referrer")
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 # its name there
            """Logs nothing: the address of the request holds the code."""

    class Server(ThreadingHTTPServer):
        # Browsers open connections that they never use; each has a thread, and none keeps us waiting at the end.
        daemon_threads = True
        allow_reuse_port = False
        block_on_close = False

        def handle_error(self, request: object, client_address: object) -> None:
            """Prints nothing: a browser that hangs up is no news."""

    try:
        server = Server(("127.0.0.1", port), Handler)
    except (OSError, OverflowError, TypeError) as error:
        raise ConfigurationError(
            f"port {port} cannot be listened on: {error}.", next_step="Use port=0."
        ) from None
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{_PATH}", answers
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
