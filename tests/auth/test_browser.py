"""A person with a real browser clicks through `login()`."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from queue import Queue

import pytest
from playwright.sync_api import Browser, Page

from payman_sdk import PaymanClient, Scope, login
from payman_sdk.errors import AuthenticationError
from payman_sdk.sandbox import Sandbox
from tests.chromium import chromium

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as one:
        yield one


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page in a browser of a person's own, with JavaScript switched off."""
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.set_default_timeout(60_000)
        yield page


@contextmanager
def logged_in(sandbox: Sandbox, page: Page, button: str) -> Iterator[PaymanClient]:
    """A login in a thread, while a person reads the page that opens, clicks a button, and sees where that leads."""
    opened = Queue[str]()
    with ThreadPoolExecutor(1) as program:
        login_of_program = program.submit(
            login,
            client_id=sandbox.client_id,
            client_secret=sandbox.client_secret,
            base_url=sandbox.base_url,
            scopes=[Scope.READ_LIST_WALLETS, Scope.READ_BALANCE],
            open_browser=opened.put,
            wait=60,
        )
        page.goto(opened.get(timeout=30))
        assert "wallets" in page.inner_text("body").casefold()
        page.get_by_role("button", name=button).click()
        page.wait_for_url("**/callback*")
        with login_of_program.result(30) as client:
            yield client


def test_a_person_clicks_through_login(page: Page) -> None:
    """Chromium shows the consent page, a click on Allow leads to the page that says it is done, and the client works."""
    with Sandbox() as sandbox:
        with logged_in(sandbox, page, "Allow") as client:
            assert "1,000.00" in client.ask("list all wallets and their balances").text
        assert "Done" in page.title()
        assert "close this window" in page.inner_text("body")
        assert [request.grant_type for request in sandbox.token_requests] == ["authorization_code"]


def test_a_person_denies(page: Page) -> None:
    """A click on Deny leads to a page that says so, and to an error in the program."""
    with Sandbox() as sandbox, pytest.raises(AuthenticationError) as raised, logged_in(sandbox, page, "Deny"):
        pass
    assert raised.value.error == "access_denied"
    assert "Not allowed" in page.title()
