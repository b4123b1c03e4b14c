"""People and attackers with a real browser."""

from __future__ import annotations

import http.server
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from payman_sdk import PaymanClient
from payman_sdk.errors import AuthenticationError
from payman_sdk.sandbox import Sandbox
from payman_sdk.sandbox._agent.language.intents import PayeeKind
from payman_sdk.sandbox._ledger import accounts
from payman_sdk.types import PaymanConfig
from tests.chromium import chromium
from tests.sandbox.web.audit import AUDIT

pytestmark = pytest.mark.slow


SCRIPT = "<script>alert(1)</script>"
PAGES = ("", "tasks", "task", "transactions", "payees", "policy", "apps", "faults")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # To it, an attacker's name leads to this machine.
    with chromium("--host-resolver-rules=MAP evil.example 127.0.0.1") as one:
        yield one


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(pace=0.02) as one:
        yield one
        one.check_invariants()
    one.close()


@contextmanager
def opened(browser: Browser, sandbox: Sandbox, path: str = "", **settings: Any) -> Iterator[Page]:
    """A page, in a browser of somebody's own; no script on it may fail, and nothing is refused by its policy."""
    with browser.new_context(**settings) as context:
        page = context.new_page()
        page.set_default_timeout(60_000)
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        page.goto(f"{sandbox.web_url}{path}")
        yield page
        assert [said for said in complaints if "422" not in said] == []


@pytest.mark.parametrize(("button", "end"), [("Approve", "Sent"), ("Deny", "Denied")])
def test_a_person_decides_while_a_client_waits(
    browser: Browser, sandbox: Sandbox, button: str, end: str
) -> None:
    """The request appears on the open page by itself; a click, and the waiting client has its answer."""
    with opened(browser, sandbox) as page, sandbox.client() as client, ThreadPoolExecutor(1) as pool:
        expect(page.get_by_text("Nothing waits for approval")).to_be_visible()
        task = client.ask("send 150 TSD to Test Payee for a chair")
        waiting = pool.submit(client.wait, task)
        page.get_by_role("button", name=f"{button} 150.00 TSD to Test Payee").click()
        expect(page.get_by_role("status").first).to_contain_text("150.00 TSD")
        assert end in waiting.result(60).text
    assert sandbox.balance() == (850 if button == "Approve" else 1000)


def test_a_stream_arrives_on_the_page(browser: Browser) -> None:
    """A task is watched while it is told: first at work, then piece by piece, then completed, and focus stays."""
    moment = [1_750_000_000.0]
    with Sandbox(pace=1, clock=lambda: moment[0]) as sandbox, opened(browser, sandbox) as page:
        page.get_by_label("Prompt, as an app would ask").fill("list all wallets")
        page.get_by_role("button", name="Ask", exact=True).click()
        events = page.locator(".events > li")
        expect(events).to_have_count(1)
        expect(page.locator("[data-state]")).to_have_text("working")
        page.get_by_text("As it is sent").first.click()
        page.get_by_label("Prompt, in the same session").fill("half a wo")
        moment[0] += 1
        expect(events).to_have_count(2)
        moment[0] += 60
        expect(page.locator("[data-state]")).to_have_text("completed")
        expect(page.locator("#live-news")).to_have_text("The task is completed.")
        expect(page.locator("#event-1")).to_have_attribute("open", "")
        expect(page.get_by_label("Prompt, in the same session")).to_have_value("half a wo")
        expect(page.get_by_label("Prompt, in the same session")).to_be_focused()
    sandbox.close()


def test_a_revoked_app_is_informed(browser: Browser, sandbox: Sandbox) -> None:
    """A person revokes a consent in the browser: the app's next ask gets a 401, and its error says what was revoked."""
    config: PaymanConfig = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
    code = sandbox.issue_code(scopes=["read_balance"])
    with (
        PaymanClient.with_auth_code(config, code, base_url=sandbox.base_url) as client,
        opened(browser, sandbox, "apps") as page,
    ):
        assert client.ask("hello").status == "completed"
        expect(page.get_by_text("read_balance")).to_be_visible()
        page.get_by_role("button", name="Revoke what the app was allowed by consent").click()
        expect(page.get_by_role("status").first).to_contain_text("Revoked")
        with pytest.raises(AuthenticationError, match="revoked"):
            client.ask("hello")
    assert [request.status for request in sandbox.requests if request.operation == "send_task"] == [200, 401]


def test_a_payee_named_like_a_script_is_only_text(browser: Browser, sandbox: Sandbox) -> None:
    """It is read on the page as it is written, before and after the page renews itself, and runs nowhere."""
    service = sandbox.service
    with service.store.transaction() as tx:
        [account] = accounts.list_accounts(tx)
        payee = accounts.add_payee(
            tx, service.world, account, name=SCRIPT, email=None, kind=PayeeKind.TEST_RAILS
        )
    with opened(browser, sandbox) as page, sandbox.client() as client:
        client.ask(f"send 150 TSD to {payee.id} for {SCRIPT}")
        expect(page.locator("#pending tbody th")).to_have_text(SCRIPT)
        for path in ("payees", "transactions", "tasks", "task"):
            page.goto(f"{sandbox.web_url}{path}")
            expect(page.get_by_text(SCRIPT).first).to_be_visible()
            assert page.locator("main script").count() == 0


def test_all_but_the_live_parts_works_without_scripts(browser: Browser, sandbox: Sandbox) -> None:
    """A person without JavaScript asks, approves, mends and saves a policy, and resets."""
    with opened(browser, sandbox, java_script_enabled=False) as page:
        page.get_by_label("Prompt, as an app would ask").fill("send 150 TSD to Test Payee")
        page.get_by_role("button", name="Ask", exact=True).click()
        page.goto(sandbox.web_url)
        page.get_by_role("button", name="Approve").click()
        assert "150.00 TSD was sent" in page.get_by_role("status").first.inner_text()
        page.get_by_role("link", name="Policy").click()
        page.get_by_label("At most per day").fill("a lot")
        page.get_by_label("Approval needed above").fill("20")
        page.get_by_role("button", name="Save").click()
        assert "At most per day: write an amount" in page.inner_text("main")
        assert page.get_by_label("Approval needed above").input_value() == "20"
        page.get_by_label("At most per day").fill("2,000")
        page.get_by_role("button", name="Save").click()
        assert "saved" in page.get_by_role("status").first.inner_text()
        assert sandbox.balance() == 850
        page.get_by_role("link", name="Faults").click()
        page.get_by_label("Answer lost").check()
        page.get_by_role("button", name="Switch on").click()
        assert sandbox.remaining_script == 1
        page.get_by_label("Yes, forget everything").check()
        page.get_by_role("button", name="Reset").click()
        page.wait_for_url("**said=reset")
    assert sandbox.balance() == 1000


@contextmanager
def attacking(html: str) -> Iterator[str]:
    """Somebody else's server on this machine; gives its address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(html.encode())

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()
            thread.join()


def test_a_page_of_another_origin_cannot_approve(browser: Browser, sandbox: Sandbox) -> None:
    """Not by a form, not by fetch, not in a frame, though the browser has the cookie and the attacker a true token."""
    with sandbox.client() as client:
        client.ask("send 150 TSD to Test Payee")
    with opened(browser, sandbox) as page:
        # A token would be hard to come by; even with one nothing is approved.
        fields = {
            name: page.locator(f'form[action$=decide] [name="{name}"]').input_value()
            for name in ("token", "account", "payment")
        }
        inputs = "".join(f'<input name="{name}" value="{value}">' for name, value in fields.items())
        target = f"{sandbox.web_url}decide"
        html = f'<form method="post" action="{target}">{inputs}<button name="decision" value="approve">x</button></form>'
        with attacking(html) as address:
            attack = page.context.new_page()
            attack.goto(address)
            attack.evaluate(
                """async ([url, fields]) => {
                    const body = new URLSearchParams({...fields, decision: "approve"});
                    for (const referrerPolicy of ["no-referrer", "unsafe-url"])
                        await fetch(url, {method: "POST", mode: "no-cors", credentials: "include", referrerPolicy, body})
                            .catch(() => "the answer may not be seen");
                }""",
                [target, fields],
            )
            read = attack.evaluate("url => fetch(url).then(() => 'read', () => 'refused')", sandbox.web_url)
            assert read == "refused"
            attack.evaluate(
                """url => new Promise(done => {
                    const frame = document.createElement("iframe");
                    frame.onload = done;
                    frame.src = url;
                    document.body.append(frame);
                })""",
                sandbox.web_url,
            )
            assert attack.frames[-1].url != sandbox.web_url
            attack.get_by_role("button").click()
            expect(attack.get_by_text("comes from another page")).to_be_visible()
    assert [payment.status for payment in sandbox.payments] == ["AWAITING_APPROVAL"]


def test_a_rebound_name_shows_nothing(browser: Browser, sandbox: Sandbox) -> None:
    """An attacker's name that leads to this machine gets neither the page nor, with its Origin, the API."""
    port = sandbox.base_url.rpartition(":")[2]
    evil = f"http://evil.example:{port}"
    with browser.new_context() as context:
        page = context.new_page()
        answer = page.goto(f"{evil}/web/")
        assert answer is not None
        assert answer.status == 403
        status = page.evaluate(
            "fetch('/api/oauth2/token?grant_type=client_credentials', {method: 'POST'}).then(a => a.status)"
        )
        assert status == 403


def audited(page: Page) -> None:
    """Look at a page on a phone and on a desk, by day and by night."""
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            assert page.evaluate(AUDIT) == [], (page.url, width, scheme)


def test_every_page_can_be_read_and_used(browser: Browser, sandbox: Sandbox) -> None:
    """Nothing is wider than the screen or cut off; everything has a name, a label and enough contrast; titles are in order."""
    name = "Wolfeschlegelsteinhausenbergerdorff" * 4
    with sandbox.client() as client:
        client.ask(f"create a new payee named {name} with email a@example.com")
        client.ask(f"send 150 TSD to Test Payee for {'x' * 120}")
    with opened(browser, sandbox) as page:
        for path in PAGES:
            page.goto(f"{sandbox.web_url}{path}")
            audited(page)
        page.goto(f"{sandbox.web_url}policy")
        page.get_by_label("At most per day").fill("x")
        page.get_by_role("button", name="Save").click()
        field = page.get_by_label("At most per day")
        expect(field).to_be_focused()
        expect(field).to_have_accessible_description(re.compile("At most per day: write an amount"))
        audited(page)


def test_the_keyboard_is_enough(browser: Browser, sandbox: Sandbox) -> None:
    """Tab shows the skip link first; it leads past the navigation to the buttons that decide."""
    with sandbox.client() as client:
        client.ask("send 150 TSD to Test Payee")
    with opened(browser, sandbox) as page:
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        approve = page.get_by_role("button", name="Approve")
        expect(approve).to_be_focused()
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        with sandbox.client() as client:
            client.ask("send 160 TSD to Test Payee")
        expect(page.locator("#live-news")).to_have_text("One more payment waits for your approval.")
        expect(approve.first).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("status").first).to_contain_text("150.00 TSD was sent")
