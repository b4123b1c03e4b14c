"""Get a person's authorization in a program on their own machine, with a browser and a loopback address (RFC 8252).

Every user of the machine can read the address that a program opens in a browser. That of the authorization page holds the state
that ties the answer to the request. So the browser gets a single-use link to the loopback address, which redirects to the page.
Somebody who reads the link and is faster is detected: the browser's own, second request ends the login.
"""

import hmac
import queue
import secrets
import threading
import webbrowser
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from attrs import field, frozen

from payman_api import AUTHORIZATION_SERVER
from payman_sdk._config import read_seconds
from payman_sdk._core.auth.authorization import AuthorizationRequest, Scope, authorization_url, parse_redirect
from payman_sdk._secrets import SecretStr
from payman_sdk.errors import APITimeoutError, AuthenticationError, ConfigurationError

_PATIENCE = 300.0
_PATH = "/callback"
_LINKS = "/start/"
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>
<style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:20vh auto;padding:0 1rem;color-scheme:light dark}}</style>
</head><body><h1>{title}</h1><p>{text}</p></body></html>
"""


@frozen(kw_only=True)
class Authorization:
    """A person's authorization: a code, good for one exchange and for a short time, and what the exchange needs."""

    code: SecretStr = field(repr=False)
    redirect_uri: str
    code_verifier: SecretStr = field(repr=False)


class SystemBrowser:
    """The system's browser; it is opened by a link of one use that holds nothing secret."""

    def open(self, url: str, link: str) -> bool:
        """Open the browser with a single-use `link` to the page; return whether somebody can decide now.

        `url` is for a person to open without a browser. Never make it an argument of a process.
        """
        try:
            return webbrowser.open(link)
        except webbrowser.Error:
            return False

    def __call__(self, url: str) -> bool:
        """Open nothing: without a link, the address would be an argument of a process."""
        return False


def authorize(
    client_id: str,
    scopes: Iterable[Scope | str],
    *,
    server: str = AUTHORIZATION_SERVER,
    open_browser: Callable[[str], object] | None = None,
    port: int = 0,
    timeout: float | None = None,
    allow_http_hosts: Sequence[str] | None = None,
) -> Authorization:
    """Open the authorization page in a browser, and wait for the decision. Arguments and errors are those of `login`."""
    timeout = read_seconds(timeout, "wait", _PATIENCE)
    with _listen(port) as (redirect_uri, answers):
        request = authorization_url(
            client_id, redirect_uri, scopes, server=server, allow_http_hosts=allow_http_hosts
        )
        answers.expect(request)
        if _open_page(open_browser, request.url, urljoin(redirect_uri, answers.link)) is False:
            raise ConfigurationError(
                "No browser could be opened.",
                next_step="Pass open_browser=print to show the address instead.",
            )
        code = answers.wait(timeout)
        verifier = SecretStr(request.code_verifier)
        return Authorization(code=code, redirect_uri=redirect_uri, code_verifier=verifier)


def _open_page(open_browser: Callable[[str], object] | None, url: str, link: str) -> object:
    if open_browser is None or open_browser is webbrowser.open:
        open_browser = SystemBrowser()
    if isinstance(open_browser, SystemBrowser):
        return open_browser.open(url, link)
    try:
        return open_browser(url)
    except webbrowser.Error:
        return False


class _Page(NamedTuple):
    """What a browser gets."""

    status: int
    title: str
    text: str
    location: str | None = None


class _CallbackReceiver:
    """Takes the requests that come in; the first one that carries our state decides."""

    def __init__(self) -> None:
        self.link = _LINKS + secrets.token_urlsafe(32)
        self._state = secrets.token_urlsafe()  # until there is a request, nothing is the answer to it
        self._url: str | None = None
        self._guard = threading.Lock()
        self._decided: queue.Queue[SecretStr | AuthenticationError] = queue.Queue()

    def expect(self, request: AuthorizationRequest) -> None:
        """Wait from now on for the answer to this question."""
        self._state, self._url = request.state, request.url

    def handle(self, url: str) -> _Page:
        path = urlsplit(url).path
        if hmac.compare_digest(path.encode(), self.link.encode()):
            return self._redirect_to_page()
        if path != _PATH:
            return _Page(
                404, "Nothing here", "This address only receives the answer of Payman's authorization page."
            )
        try:
            code = SecretStr(parse_redirect(url, state=self._state))
        except AuthenticationError as error:
            if error.error is None:  # somebody else's, or no answer at all: ours may still come
                return _Page(400, "Not expected", "This is not the answer that the application waits for.")
            self._decided.put(error)
            return _Page(
                200, "Not allowed", "The application was not given access. You can close this window."
            )
        self._decided.put(code)
        return _Page(200, "Done", "You can close this window and go back to the application.")

    def _redirect_to_page(self) -> _Page:
        with self._guard:
            url, self._url = self._url, None
        if url is not None:
            return _Page(303, "Payman", "The authorization page follows.", url)
        failure = AuthenticationError(
            "The link to the authorization page was opened twice: somebody else on this machine may have read it.",
            next_step="Log in again; if it happens again, open the page's address by hand (payman login --no-browser).",
        )
        self._decided.put(failure)
        text = "It works once. Close this window, and log in again from the application."
        return _Page(410, "This link was used", text)

    def wait(self, timeout: float) -> SecretStr:
        """Return what was decided first."""
        try:
            decided = self._decided.get(timeout=timeout)
        except queue.Empty:
            said = f"Nobody decided on the authorization page within {timeout:g} seconds."
            raise APITimeoutError(said, next_step="Start again.", sent=False) from None
        if isinstance(decided, AuthenticationError):
            raise decided
        return decided


@contextmanager
def _listen(port: int) -> Generator[tuple[str, _CallbackReceiver]]:
    answers = _CallbackReceiver()

    class LoopbackHandler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, title, text, location = answers.handle(self.path)
            page = _PAGE.format(title=title, text=text).encode()
            self.send_response(status)
            if location is not None:
                self.send_header("Location", location)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(page)))
            self.send_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
            # The address holds the code: it goes neither to another site nor into a cache.
            self.send_header("Referrer-Policy", "no-referrer")
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 # its name there
            """Log nothing: the address of the request holds the code."""

    class LoopbackServer(ThreadingHTTPServer):
        # Browsers open connections that they never use; each has a thread. These are daemons: none keeps us waiting at the end.
        allow_reuse_port = False

        def handle_error(self, request: object, client_address: object) -> None:
            """Print nothing: a browser that hangs up needs no message."""

    try:
        server = LoopbackServer(("127.0.0.1", port), LoopbackHandler)
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
