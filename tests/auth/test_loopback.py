"""`login()`: the browser, the loopback address and the client that comes of it. The browser is httpx here."""

from __future__ import annotations

import html.parser
import re
import socket
import threading
import webbrowser
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
import pytest

from payman_sdk import PaymanError, Scope, login
from payman_sdk._io import loopback
from payman_sdk.errors import APITimeoutError, AuthenticationError, ConfigurationError
from payman_sdk.sandbox import Sandbox

SCOPES = [Scope.READ_BALANCE, Scope.READ_LIST_WALLETS]


class Form(html.parser.HTMLParser):
    """The one form of a page: where it goes, its hidden fields, and the values of its buttons."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.buttons: dict[str, tuple[str, str]] = {}
        self._button: tuple[str, str] | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = given.get("action", "")
        elif tag == "input" and given.get("name"):
            self.fields[given["name"]] = given.get("value", "")
        elif tag == "button":
            self._button = given.get("name", ""), given.get("value", "")

    def handle_data(self, data: str) -> None:
        if self._button is not None and data.strip():
            self.buttons[data.strip().split()[0].casefold()] = self._button
            self._button = None


def browser(decision: str, then: Callable[[str], object] = httpx.get) -> Callable[[str], None]:
    """A browser that decides on the consent page, in a thread of its own, and gives where it is sent to `then`."""

    def run(url: str) -> None:
        with httpx.Client() as client:
            page = client.get(url, follow_redirects=True)
            form = Form(page.text)
            name, value = form.buttons[decision]
            answer = client.post(urljoin(str(page.url), form.action), data={**form.fields, name: value})
        assert answer.status_code in {302, 303}, answer.text
        then(answer.headers["location"])

    return lambda url: threading.Thread(target=run, args=(url,)).start()


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


def test_login_gives_a_client_for_the_persons_account(sandbox: Sandbox) -> None:
    """After "Allow" there is a client that asks with the person's token, within the scopes that were allowed."""
    with login(
        client_id=sandbox.client_id,
        client_secret=sandbox.client_secret,
        base_url=sandbox.base_url,
        scopes=SCOPES,
        open_browser=browser("allow"),
        wait=20,
    ) as client:
        assert "1,000.00" in client.ask("list all wallets and their balances").text
        assert client.get_refresh_token()
        client.ask("send 10 TSD to Test Payee")
        assert sandbox.balance("TSD") == 1000
    assert [request.grant_type for request in sandbox.token_requests] == ["authorization_code"]


def test_a_persons_denial_counts(sandbox: Sandbox) -> None:
    """After "Deny" there is an error with the server's word for it, and no token request."""
    with pytest.raises(AuthenticationError) as raised:
        login(
            client_id=sandbox.client_id,
            client_secret=sandbox.client_secret,
            base_url=sandbox.base_url,
            scopes=SCOPES,
            open_browser=browser("deny"),
            wait=20,
        )
    assert raised.value.error == "access_denied"
    assert sandbox.token_requests == []


def answered_by(redirects: Callable[[str, str], list[str]], **settings: float) -> loopback.Authorization:
    """What comes of requests to the loopback address; `redirects` makes them from that address and the state."""
    pages: list[httpx.Response] = []

    def open_browser(url: str) -> None:
        query = parse_qs(urlsplit(url).query)
        pages.extend(httpx.get(address) for address in redirects(query["redirect_uri"][0], query["state"][0]))

    authorization = loopback.authorize("pm-test-1", SCOPES, open_browser=open_browser, timeout=10, **settings)  # type: ignore[arg-type]
    assert [page.status_code for page in pages][-1] == 200
    assert all("code" not in page.text and page.headers["cache-control"] == "no-store" for page in pages)
    return authorization


def test_wrong_paths_wrong_states_and_second_hits_are_survived() -> None:
    """Requests for other paths, with another's state or without a code change nothing, and neither does a reload."""
    authorization = answered_by(
        lambda back, state: [
            urljoin(back, "/favicon.ico"),
            urljoin(back, "/"),
            back,
            f"{back}?code=forged&state=wrong",
            f"{back}?error=access_denied&state=wrong",
            f"{back}?state={state}",
            f"{back}?code=good&state={state}",
            f"{back}?code=second&state={state}",
        ]
    )
    assert authorization.code == "good"
    assert "good" not in repr(authorization)


def test_connections_that_say_nothing_are_survived() -> None:
    """Browsers open connections ahead of need; such a one keeps nobody waiting, not even at the end."""
    idle: list[socket.socket] = []

    def redirects(back: str, state: str) -> list[str]:
        idle.append(socket.create_connection(("127.0.0.1", urlsplit(back).port or 0)))
        return [f"{back}?code=good&state={state}"]

    assert answered_by(redirects).code == "good"
    idle[0].close()


def test_nobody_decides() -> None:
    """When the time is over, that is said, and nothing listens any more."""
    asked: list[str] = []
    with pytest.raises(APITimeoutError, match=r"0\.05 seconds") as raised:
        loopback.authorize("pm-test-1", SCOPES, open_browser=asked.append, timeout=0.05)
    assert not raised.value.sent
    back = parse_qs(urlsplit(asked[0]).query)["redirect_uri"][0]
    with pytest.raises(httpx.ConnectError):
        httpx.get(back)


def test_no_browser() -> None:
    """When no browser opens, the way out is named."""
    with pytest.raises(ConfigurationError, match="open_browser=print"):
        loopback.authorize("pm-test-1", SCOPES, open_browser=lambda _: False)


@pytest.mark.parametrize("port", [-1, 70000])
def test_an_impossible_port_is_named(port: int) -> None:
    """A port that there cannot be is refused by name."""
    with pytest.raises(ConfigurationError, match=r"^port"):
        loopback.authorize("pm-test-1", SCOPES, port=port)


def test_a_taken_port_is_named() -> None:
    """A port that somebody else listens on is refused by name."""
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ConfigurationError, match=r"^port"):
        loopback.authorize("pm-test-1", SCOPES, port=taken.getsockname()[1])


def test_the_page_is_that_of_the_server_that_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Payman's environments have Payman's page; another server has one of its own, unless one is named."""
    asked: list[str] = []

    def reported(*_: object, server: str, **__: object) -> None:
        asked.append(server)
        raise PaymanError("enough")

    monkeypatch.setattr(loopback, "authorize", reported)
    for base_url, server in (
        (None, None),
        ("http://127.0.0.1:9", None),
        ("http://127.0.0.1:9", "https://page.example"),
    ):
        with pytest.raises(PaymanError, match="enough"):
            login(client_id="pm-test-1", base_url=base_url, scopes=SCOPES, server=server)
    assert asked == ["https://app.paymanai.com", "http://127.0.0.1:9", "https://page.example"]


# What other users of the machine can read


@pytest.mark.slow
def test_the_systems_browser_gets_nothing_secret(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Neither the state nor anything else of the request is among the arguments of the browser, and the login works."""
    arguments, decide = tmp_path / "arguments", browser("allow")
    program = tmp_path / "browser"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> {arguments}\n')
    program.chmod(0o700)
    real = webbrowser.get(f"{program} %s")
    asked: list[str] = []

    def opened(url: str) -> bool:
        asked.append(url)
        shown = real.open(url)
        decide(url)
        return shown

    monkeypatch.setattr(webbrowser, "open", opened)
    for given in ({}, {"open_browser": None}, {"open_browser": webbrowser.open}):
        with login(
            client_id=sandbox.client_id,
            client_secret=sandbox.client_secret,
            base_url=sandbox.base_url,
            scopes=SCOPES,
            wait=20,
            **given,
        ) as client:
            assert client.get_refresh_token()
    said = arguments.read_text()
    assert said.split() == asked
    assert len(set(asked)) == 3
    for link in asked:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/start/[\w-]{43}", link)
    for word in ("state", "challenge", "client_id", "redirect_uri", "authorize", sandbox.client_id):
        assert word not in said


def linked(
    act: Callable[[str, Callable[[str], httpx.Response]], None], monkeypatch: pytest.MonkeyPatch
) -> loopback.Authorization:
    """What comes of requests for the link; `act` gets the link, and a function that answers as the authorization page would."""

    def back(page: str) -> httpx.Response:
        query = parse_qs(urlsplit(page).query)
        return httpx.get(f"{query['redirect_uri'][0]}?code=good&state={query['state'][0]}")

    def opened(link: str) -> bool:
        act(link, back)
        return True

    monkeypatch.setattr(webbrowser, "open", opened)
    return loopback.authorize("pm-test-1", SCOPES, timeout=60)


def test_a_link_leads_to_the_page_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The link leads to the authorization page, and what looks like it, or is asked otherwise, leads nowhere and changes nothing."""
    seen: list[int] = []

    def act(link: str, back: Callable[[str], httpx.Response]) -> None:
        head, _, token = link.rpartition("/")
        others = (
            f"{head}/",
            f"{head}/{token[:-1]}",
            f"{head}/{token}x",
            f"{head}/{token}/",
            f"{head}/{token.swapcase()}",
            f"{head}/{token[::-1]}",
            f"{head}//{token}",
            f"{head}/..%2fstart/{token}",
            f"{head.removesuffix('/start')}/{token}",
            f"{head.removesuffix('/start')}/callback",
        )
        seen.extend(httpx.get(other).status_code for other in others)
        seen.extend(httpx.request(method, link).status_code for method in ("HEAD", "POST", "OPTIONS"))
        answer = httpx.get(link)
        assert answer.status_code == 303
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["location"].startswith("https://app.paymanai.com/oauth/authorize?")
        assert "state=" not in answer.text
        back(answer.headers["location"])

    assert linked(act, monkeypatch).code == "good"
    assert set(seen) <= {400, 404, 501}


def test_a_link_that_is_opened_twice_ends_the_login(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has read the link and was faster has the state; nothing that comes with it is taken after the browser's own request."""

    def act(link: str, back: Callable[[str], httpx.Response]) -> None:
        page = httpx.get(link).headers["location"]  # the thief's
        second = httpx.get(link)  # the person's
        assert (second.status_code, "location" in second.headers) == (410, False)
        assert back(page).status_code == 200

    with pytest.raises(AuthenticationError, match="opened twice") as raised:
        linked(act, monkeypatch)
    assert "Log in again" in str(raised.value)


def test_an_address_for_a_person_is_the_pages_own() -> None:
    """A function of the program's own gets the address itself, which a person can read, copy and open as often as they like."""
    asked: list[str] = []
    with pytest.raises(APITimeoutError):
        loopback.authorize("pm-test-1", SCOPES, open_browser=asked.append, timeout=0.05)
    assert asked[0].startswith("https://app.paymanai.com/oauth/authorize?")
