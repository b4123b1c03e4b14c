"""A person with a real browser clicks through `login()`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from payman_sdk import PaymanClient, Scope, login
from payman_sdk.errors import AuthenticationError
from payman_sdk.sandbox import Sandbox

pytestmark = pytest.mark.slow


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[webdriver.Chrome]:
    """A headless Chromium with a profile of its own and JavaScript switched off."""
    if CHROMIUM is None or DRIVER is None:
        reason = "Chromium and its driver are not installed (Debian: chromium, chromium-driver)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
        f"--user-data-dir={tmp_path / 'profile'}",
    ):
        options.add_argument(argument)
    options.add_experimental_option("prefs", {"webkit.webprefs.javascript_enabled": False})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    try:
        driver.set_page_load_timeout(30)
        yield driver
    finally:
        driver.quit()


def decide(browser: webdriver.Chrome, url: str, button: str) -> None:
    """Reads the page that opens, clicks a button, and waits to see where that leads."""
    browser.get(url)
    assert "wallets" in browser.find_element(By.TAG_NAME, "body").text.casefold()
    browser.find_element(By.XPATH, f"//button[contains(., '{button}')]").click()
    WebDriverWait(browser, 20).until(lambda there: "/callback" in there.current_url)


def logged_in(sandbox: Sandbox, browser: webdriver.Chrome, button: str) -> PaymanClient:
    """A login in which the browser is used in a thread of its own, as it is by a person."""
    with ThreadPoolExecutor(1) as person:
        decisions: list[Future[None]] = []
        try:
            return login(
                client_id=sandbox.client_id,
                client_secret=sandbox.client_secret,
                base_url=sandbox.base_url,
                scopes=[Scope.READ_LIST_WALLETS, Scope.READ_BALANCE],
                open_browser=lambda url: decisions.append(person.submit(decide, browser, url, button)),
                wait=60,
            )
        finally:
            decisions[0].result()


def test_a_person_clicks_through_login(browser: webdriver.Chrome) -> None:
    """Chromium shows the consent page, a click on Allow leads to the page that says it is done, and the client works."""
    with Sandbox() as sandbox:
        with logged_in(sandbox, browser, "Allow") as client:
            assert "1,000.00" in client.ask("list all wallets and their balances").text
        assert "Done" in browser.title
        assert "close this window" in browser.find_element(By.TAG_NAME, "body").text
        assert [request.grant_type for request in sandbox.token_requests] == ["authorization_code"]


def test_a_person_denies(browser: webdriver.Chrome) -> None:
    """A click on Deny leads to a page that says so, and to an error in the program."""
    with Sandbox() as sandbox, pytest.raises(AuthenticationError) as raised:
        logged_in(sandbox, browser, "Deny")
    assert raised.value.error == "access_denied"
    assert "Not allowed" in browser.title
