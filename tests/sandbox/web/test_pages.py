from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

import pytest

from payman_sdk._text.sanitizer import find_hidden
from payman_sdk.errors import AuthenticationError
from payman_sdk.sandbox import ConnectionLost, ScriptedResponse, StreamFault
from payman_sdk.sandbox._agent.language.intents import PayeeKind
from payman_sdk.sandbox._ledger import accounts
from payman_sdk.sandbox._web.actions import CHOICES
from tests.sandbox.web.visitor import Page, Visitor, visiting

PAGES = ("", "tasks", "task", "transactions", "payees", "policy", "apps", "faults")


@pytest.fixture
def visitor() -> Iterator[Visitor]:
    with visiting() as somebody:
        yield somebody


def test_what_there_is_is_shown(visitor: Visitor) -> None:
    """Wallets with balance and paytag, payees, transactions, what waits, tasks, and the app with its scopes."""
    visitor.client.ask("send 10 TSD to Test Payee for coffee")
    visitor.client.ask("send 150 TSD to Test Payee for a chair")
    overview = visitor.get()
    assert "990.00 TSD" in overview.words
    assert re.search(r"[a-z]+\.[a-z]+\.[a-z]+/\d\d", overview.words)
    assert re.search("150.00 TSD a chair", overview.words)
    assert "send 10 TSD to Test Payee for coffee completed" in overview.words
    assert "Test Payee Test Rails" in visitor.get("payees").words
    assert re.search("10.00 TSD coffee Paid", visitor.get("transactions").words)
    assert "send 150 TSD to Test Payee for a chair input-required" in visitor.get("tasks").words
    assert "Send payments from your wallets" in visitor.get("apps").words
    assert (
        visitor.http.get("/").headers["location"] == visitor.http.get("/web").headers["location"] == "/web/"
    )


def test_a_task_is_shown_as_its_client_sees_it(visitor: Visitor) -> None:
    """The task's page has the events of its stream in order, with states and artifacts, and what was said."""
    visitor.client.ask("list all wallets")
    page = visitor.get("task", number="1")
    order = [
        page.words.index(words)
        for words in ("working Processing", "artifact 0 Here are your wallets", "completed, final")
    ]
    assert order == sorted(order)
    assert '"lastChunk": true' in page.words
    assert visitor.get("task", number="7").status == 404


def test_a_task_under_way_is_shown_as_far_as_it_was_reported() -> None:
    """Before its time has come, no event of a stream is on the page, nor the end in the lists."""
    moment = [1_750_000_000.0]
    with visiting(pace=1, clock=lambda: moment[0]) as visitor:
        shown = visitor.press(visitor.get(), "ask", prompt="list all wallets")
        assert "working Processing" in shown.words
        assert "artifact" not in shown.words
        assert "list all wallets working" in visitor.get("tasks").words
        moment[0] += 1
        assert "artifact 0 Here are your wallets" in visitor.get("task", number="1").words
        moment[0] += 60
        assert "completed, final" in visitor.get("task", number="1").words


@pytest.mark.parametrize("decision", ["approve", "deny"])
def test_a_payment_is_decided_once(visitor: Visitor, decision: str) -> None:
    """Approve sends it, Deny does not; the page says so, and a second click changes nothing and says that."""
    visitor.client.ask("send 150 TSD to Test Payee for a chair")
    page = visitor.get()
    after = visitor.press(page, "decide", decision=decision)
    assert ("150.00 TSD was sent to" if decision == "approve" else "150.00 TSD is not sent to") in after.words
    other = {"approve": "deny", "deny": "approve"}[decision]
    assert "decided before, and nothing was changed" in visitor.press(page, "decide", decision=other).words
    assert visitor.sandbox.balance() == (850 if decision == "approve" else 1000)


def test_an_approval_that_the_policy_forbids_by_now_says_so(visitor: Visitor) -> None:
    """The policy is changed while a payment waits: approved, it is not sent, and that is told."""
    visitor.client.ask("send 150 TSD to Test Payee")
    visitor.press(visitor.get("policy"), "policy", most_per_transaction="149.99")
    assert "forbids it by now" in visitor.press(visitor.get(), "decide", decision="approve").words
    assert visitor.sandbox.balance() == 1000


def test_the_policy_is_edited(visitor: Visitor) -> None:
    """What is saved holds from the next payment on."""
    page = visitor.press(
        visitor.get("policy"), "policy", approval_above="0", most_per_day="1,234.50", most_per_month="9999.9"
    )
    assert "The policy is saved" in page.words
    fields = visitor.get("policy").form("policy")
    assert (fields["approval_above"], fields["most_per_day"]) == ("0.00", "1234.50")
    assert visitor.client.ask("send 1 TSD to Test Payee").requires_input


@pytest.mark.parametrize("text", ["", "-1", "1.005", "12 apples", "1.000,50", "NaN", "1e9", "9" * 30, "<b>"])
def test_bad_amounts_are_named_and_nothing_is_lost(visitor: Visitor, text: str) -> None:
    """One field that cannot be: its name is in its error, all that was typed stands there, and nothing was saved."""
    before = visitor.get("policy").form("policy")
    answer = visitor.send(
        visitor.get("policy"), "policy", approval_above="77", most_per_day=text, most_per_month="88"
    )
    page = Page(answer)
    assert page.status == 422
    assert "At most per day: write an amount" in page.words
    assert 'aria-invalid="true"' in page.html
    fields = page.form("policy")
    assert (fields["approval_above"], fields["most_per_day"], fields["most_per_month"]) == ("77", text, "88")
    assert visitor.get("policy").form("policy") | {"token": ""} == before | {"token": ""}


@pytest.mark.slow
def test_the_prompt_box_asks_as_an_app_does(visitor: Visitor) -> None:
    """A payment that waits is answered in its own task; more is asked in the same session; an empty prompt is named."""
    task = visitor.press(visitor.get(), "ask", prompt="send 150 TSD to Test Payee for a\r\nchair")
    assert "input-required Waiting for approval" in task.words
    done = visitor.press(task, "ask", prompt="approve")
    assert "Approved. Sent" in done.words
    assert visitor.sandbox.balance() == 850
    more = visitor.press(done, "ask", prompt="What did we talk about earlier?")
    assert "Earlier in this session you said" in more.words
    empty = Page(visitor.send(visitor.get(), "ask", prompt=" "))
    assert (empty.status, "Prompt: write what to ask" in empty.words) == (422, True)
    long = Page(visitor.send(visitor.get(), "ask", prompt="x" * 10_001))
    assert "Prompt: 10,001 characters are too many" in long.words
    assert "x" * 10_001 in long.html


def test_the_prompt_box_asks_with_the_scopes_of_a_connection(visitor: Visitor) -> None:
    """With the scopes of an app that may only see balances, no payment is made."""
    code = visitor.sandbox.issue_code(scopes=["read_balance"])
    visitor.http.post(
        "/api/oauth2/token",
        params={"grant_type": "authorization_code", "code": code},
        auth=("shop", "the-secret-of-the-shop"),
    )
    task = visitor.press(visitor.get(), "ask", prompt="send 5 TSD to Test Payee", scopes="consent")
    assert "lacks the scope" in task.words
    assert visitor.sandbox.payments == []


def test_revoked_credentials_are_good_for_nothing_until_allowed_again(visitor: Visitor) -> None:
    """The next ask gets a 401, no other token is given, and the error says why; then the app may go on."""
    visitor.client.ask("hello")
    assert "revoked" in visitor.press(visitor.get("apps"), "revoke", kind="credentials").words
    with pytest.raises(AuthenticationError, match="was revoked"):
        visitor.client.ask("hello")
    statuses = [(request.operation, request.status) for request in visitor.sandbox.requests[-2:]]
    assert statuses == [("send_task", 401), ("create_token", 400)]
    visitor.press(visitor.get("apps"), "allow")
    assert visitor.client.ask("hello").status == "completed"


def test_a_revoked_consent_leaves_the_credentials_alone(visitor: Visitor) -> None:
    """Access and refresh tokens of the consent end; the client's own credentials, and a new consent, are good."""
    token = visitor.sandbox.issue_token(scopes=["read_balance"])
    visitor.client.ask("hello")
    page = visitor.get("apps")
    assert "By consent" in page.words
    after = visitor.press(page, "revoke", kind="consent")
    assert "By consent" not in after.words
    auth = ("shop", "the-secret-of-the-shop")
    refresh = {"grant_type": "refresh_token", "refresh_token": str(token["refreshToken"])}
    answer = visitor.http.post("/api/oauth2/token", data=refresh, auth=auth)
    assert "revoked" in answer.json()["error_description"]
    assert visitor.client.ask("hello").status == "completed"


@pytest.mark.parametrize("name", sorted(CHOICES))
def test_every_fault_can_be_switched_on_and_off(visitor: Visitor, name: str) -> None:
    """It stands in its queue, in the page's words, until it is taken or forgotten."""
    page = visitor.press(visitor.get("faults"), "faults", fault=name)
    assert page.words.count(CHOICES[name].label) == 2
    assert visitor.sandbox.remaining_script == (0 if name.startswith("stream") else 1)
    assert visitor.press(page, "clear").words.count(CHOICES[name].label) == 1
    assert visitor.sandbox.remaining_script == 0


@pytest.mark.slow
def test_faults_strike(visitor: Visitor) -> None:
    """A fault of the page meets the next request of an app, and the page's own prompt too, which keeps its words."""
    visitor.press(visitor.get("faults"), "faults", fault="rate-limit")
    assert visitor.client.ask("list all wallets", timeout=30).status == "completed"
    # The ask is looked up before it is sent again.
    assert [request.status for request in visitor.sandbox.requests[-3:]] == [429, 200, 200]
    visitor.press(visitor.get("faults"), "faults", fault="unavailable")
    page = Page(visitor.send(visitor.get(), "ask", prompt="list all payees"))
    assert "no answer to this: 503, not taken" in page.words
    assert "list all payees</textarea>" in page.html
    visitor.press(visitor.get("faults"), "faults", fault="lost")
    assert "A fault took this answer" in visitor.press(visitor.get(), "ask", prompt="list all payees").words
    visitor.sandbox.script([ScriptedResponse("hi", state="failed"), "<i>", None, ConnectionLost()])
    visitor.sandbox.inject_stream_faults(StreamFault(after_events=0), None)
    assert "Says: hi (failed) Says: <i> Nothing wrong Answer lost" in visitor.get("faults").words


def test_no_fault_and_too_many_faults_are_named(visitor: Visitor) -> None:
    """A choice that is none, and the hundred and first, are errors that name the field."""
    assert "Fault: choose one" in Page(visitor.send(visitor.get("faults"), "faults", fault="x")).words
    visitor.sandbox.script(["hello"] * 100)
    answer = visitor.send(visitor.get("faults"), "faults", fault="lost")
    assert "Fault: there are too many" in Page(answer).words


def test_a_reset_begins_anew_and_keeps_clients(visitor: Visitor) -> None:
    """It wants to be confirmed; then money, tasks, payees, tokens and faults are as at first, and the client still works."""
    visitor.client.ask("send 10 TSD to Test Payee")
    visitor.client.ask("create a payee of type Test Rails called John Doe")
    visitor.press(visitor.get("policy"), "policy", approval_above="1")
    visitor.sandbox.script(["hello"])
    assert "Reset: tick the box" in Page(visitor.send(visitor.get("faults"), "reset")).words
    assert visitor.sandbox.balance() == 990
    assert "was reset" in visitor.press(visitor.get("faults"), "reset", sure="yes").words
    assert (visitor.sandbox.balance(), visitor.sandbox.payments) == (Decimal(1000), [])
    assert visitor.sandbox.remaining_script == 0
    assert "John Doe" not in visitor.get("payees").words
    assert "100.00" in visitor.get("policy").form("policy")["approval_above"]
    assert visitor.client.ask("send 5 TSD to Test Payee").status == "completed"
    assert [row.amount for row in visitor.sandbox.ledger()] == [-1000, 1000, -5, 5]


def test_several_clients_have_an_account_each() -> None:
    """The account is chosen by its client; forms change that account and no other; an unknown one is a 404."""
    with visiting(clients={"one": "a", "two": "b"}) as visitor:
        ids = re.findall('<option value="(org-[^"]+)"', visitor.get().html)
        assert len(ids) == 2
        task = visitor.press(visitor.get("", account=ids[1]), "ask", prompt="send 7 TSD to Test Payee")
        assert "selected>two" in task.html
        assert visitor.sandbox.balance(client_id="two") == 993
        assert visitor.sandbox.balance(client_id="one") == 1000
        assert visitor.get("task", account=ids[0], number="1").status == 404
        assert visitor.get("", account="org-x").status == 404


HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "\u202egnp.exe \u2066x",
    "Ann\x1b[2J\x00e",
    "{{ 7 * 7 }}",
    "שלום",
    "z" + "\u0316" * 300,
    "A\u200bnn\u2060e\U000e0041\ufe0f",
    "A\u3164n\u00adn\u2800e\ufff9",
    "A\x9b2Jn\x85n\u2028e\ue000",
)


def test_hostile_words_are_only_text() -> None:
    """Names, memos, prompts, answers, task ids and client ids: no markup, no controls, no turns of direction."""
    with visiting(clients={word.replace(":", "") + "&": "s" for word in HOSTILE}) as visitor:
        service = visitor.sandbox.service
        with service.store.transaction() as tx:
            account = accounts.list_accounts(tx)[0]
            for word in HOSTILE:
                accounts.add_payee(
                    tx, service.world, account, name=word, email=word, kind=PayeeKind.TEST_RAILS
                )
        token = str(visitor.sandbox.issue_token()["accessToken"])
        for word in HOSTILE:
            visitor.sandbox.script([f"You said {word}"])
            said = {"role": "user", "parts": [{"type": "text", "text": word}]}
            params = {"id": word[:200], "sessionId": word[:200], "message": said}
            visitor.http.post(
                "/api/a2a/tasks/send",
                json={"jsonrpc": "2.0", "id": 1, "method": "tasks/send", "params": params},
                headers={"x-payman-access-token": token},
            ).raise_for_status()
        visitor.sandbox.script([*HOSTILE])
        for name, number in [(name, "1") for name in PAGES] + [
            ("task", str(place)) for place in range(2, len(HOSTILE) + 1)
        ]:
            html = visitor.get(name, number=number).html
            assert "<script>" not in html
            assert "<img" not in html
            assert find_hidden(html) is None
        payees = visitor.get("payees").html
        assert "<bdi>&lt;script&gt;alert(1)&lt;/script&gt;</bdi>" in payees
        assert "{{ 7 * 7 }}" in payees
        assert r"\u202egnp.exe \u2066x" in payees


def test_no_secret_is_on_any_page(visitor: Visitor) -> None:
    """Neither the client's secret nor a token is shown."""
    visitor.client.ask("send 150 TSD to Test Payee")
    token = visitor.sandbox.issue_token()
    secrets = (
        "the-secret-of-the-shop",
        str(token["accessToken"]),
        str(token["refreshToken"]),
        str(visitor.client.get_access_token()),
    )
    for name in PAGES:
        html = visitor.get(name).html
        assert not [secret for secret in secrets if secret in html]


@pytest.mark.slow
def test_ten_thousand_transactions_come_in_pages(visitor: Visitor) -> None:
    """A page has fifty; the first and the last are reached, and a number that is none is the nearest."""
    visitor.client.ask("send 1 TSD to Test Payee")
    with visitor.sandbox.service.store.transaction() as tx:
        tx.executescript(
            """
            WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
            INSERT INTO tasks (account_id, id, session_id, state, explanation, updated)
            SELECT account_id, 'tsk-' || i, session_id, state, explanation, updated + i FROM tasks, n;
            INSERT INTO payments (id, account_id, task_number, wallet_id, payee_id, amount, currency, description,
                status, created)
            SELECT 'txn-' || t.number, t.account_id, t.number, p.wallet_id, p.payee_id, 100, 'TSD', 'no ' || t.number,
                'REJECTED', t.updated FROM tasks t, payments p WHERE t.number > 1;
            BEGIN;
            """
        )
    first = visitor.get("transactions")
    assert "10000 transactions" in first.words
    assert first.html.count("<tr>") == 51
    assert "Page 1 of 200" in first.words
    assert "no 10000" in first.words
    for page in ("200", "999999999"):
        last = visitor.get("transactions", page=page)
        assert ("Page 200 of 200" in last.words, "no 2 " in last.words, "no 52 " in last.words) == (
            True,
            True,
            False,
        )
    assert "Page 1 of 200" in visitor.get("transactions", page="-3").words
    assert "Page 200 of 200" in visitor.get("tasks", page="200").words


def test_the_page_is_not_among_the_requests(visitor: Visitor) -> None:
    """What a person looks at is nothing that an app asked, and changes nothing."""
    version = visitor.sandbox.service.store.version
    for name in PAGES[:2]:
        visitor.get(name)
    visitor.http.get("/web/static/page.css")
    assert visitor.sandbox.requests == []
    assert visitor.sandbox.service.store.version == version
