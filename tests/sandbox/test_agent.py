from __future__ import annotations

from decimal import Decimal

import pytest

from tests.sandbox.wire_client import WireClient


@pytest.fixture
def wire_client(wire_client: WireClient) -> WireClient:
    """A client with a few payees."""
    for order in (
        "create a payee named John Doe with email john@example.com",
        "create a payee named Jane Roe",
        "create a payee named Bread",
        "create a payee of type Test Rails called AAPL",
    ):
        assert wire_client.ask(order).startswith("Created")
    return wire_client


def _payee_id(wire_client: WireClient, name: str) -> str:
    return wire_client.ask(f"get payee {name}").split("id `")[1].split("`")[0]


@pytest.mark.parametrize(
    "order",
    [
        "send 5 TSD to John Doe",
        "send 5 TSD to john doe",
        "pay John Doe $5 for lunch",
        "send 5 TSD to payee {id}. Description: lunch",
        "send 5 TSD to {paytag}",
        "send $5 TSD to john@example.com for lunch",
        "send 5 TSD to payee with email john@example.com",
        "send 5 TSD to John Doe type test rails from TSD wallet",
    ],
)
def test_payee_by_name_id_email_and_paytag(wire_client: WireClient, order: str) -> None:
    """A payee may be named in every way that is its own."""
    paytag = wire_client.ask("get payee John Doe").split("paytag `")[1].split("`")[0]
    answer = wire_client.ask(order.format(id=_payee_id(wire_client, "John Doe"), paytag=paytag))
    assert answer.startswith("Sent **5.00 TSD** to **John Doe**")
    assert "995.00 TSD now" in answer
    assert wire_client.made == [(5, "John Doe")]


@pytest.mark.parametrize(
    "order",
    [
        "send 5 TSD to Peter",
        "send 5 TSD to John Doe and Jane Roe",
        "send 5 TSD to John Do",
        "send 5 TSD to J\u043ehn Doe",  # with a Cyrillic letter
        "send 5 TSD to pd-unknown",
        "send 5 TSD to elsewhere@example.com",
        "send 5 TSD to John Doe type US ACH",
        "send 5 TSD to John Doe if he asks",
        "send 5 TSD to John Doe. He is my friend",
        "send 5 TSD to John Doe as long as he works",
        "pay about John Doe 5 TSD",
    ],
)
def test_unknown_payee_is_not_paid(wire_client: WireClient, order: str) -> None:
    """Who is not known is not paid, however alike the name looks."""
    assert "No payment was made: you have no payee" in wire_client.ask(order)
    assert not wire_client.payments


def test_description_is_distinguished_from_the_name_by_the_payees(wire_client: WireClient) -> None:
    """The words "Bread for All" hold a description until there is a payee of that name; then nobody knows, and quotes help."""
    wire_client.ask("send 5 TSD to Bread for All")
    assert [(payment.payee, payment.description) for payment in wire_client.payments] == [("Bread", "All")]
    wire_client.ask("create a payee named Bread for All")
    assert "several payees may be meant" in wire_client.ask("send 5 TSD to Bread for All")
    assert wire_client.ask('send 5 TSD to "Bread for All" for lunch').startswith("Sent")
    assert [(payment.payee, payment.description) for payment in wire_client.payments[1:]] == [
        ("Bread for All", "lunch")
    ]


def test_amount_that_is_part_of_a_name_is_not_an_amount(wire_client: WireClient) -> None:
    """The words "Room 2" are an amount for Room until there is a payee of that name; then the amount has to come first."""
    wire_client.ask("create a payee named Room")
    assert wire_client.ask("pay Room 2").startswith("Sent **2.00 TSD** to **Room**")
    wire_client.ask("create a payee named Room 2")
    for order in ("pay Room 2", "pay Room 2 TSD", "pay Room $2"):
        answer = wire_client.ask(order)
        assert ("may be a part of the name" in answer) == ("$" not in order), answer
    assert wire_client.ask("pay Room 2 3").startswith("Sent **3.00 TSD** to **Room 2**")
    assert wire_client.ask("send 4 TSD to Room 2").startswith("Sent **4.00 TSD** to **Room 2**")


def test_part_of_a_name_is_asked_back(wire_client: WireClient) -> None:
    """A first name that only one payee has is not sure enough to pay: it waits for a yes."""
    assert "a part of the name" in wire_client.ask("send 5 TSD to John")
    assert not wire_client.made
    assert wire_client.ask("yes").startswith("Approved. Sent")
    assert wire_client.made == [(5, "John Doe")]


def test_part_of_two_names_pays_nobody(wire_client: WireClient) -> None:
    """A name that several payees share pays nobody, and lists them."""
    wire_client.ask("create a payee named John Smith")
    answer = wire_client.ask("send 100 TSD to John")
    assert "several payees may be meant" in answer
    assert "John Doe" in answer
    assert "John Smith" in answer
    wire_client.ask("create a payee named John")
    assert wire_client.ask("send 100 TSD to John").startswith("Sent")


def test_question_is_asked_back(wire_client: WireClient) -> None:
    """An order with a question mark waits for a yes, and a no ends it."""
    assert "that was a question, not an order" in wire_client.ask("Pay John Doe 50$?")
    assert wire_client.ask("no").startswith("Denied")
    assert not wire_client.made
    assert "you have no payee" in wire_client.ask("Pay Tyllen 50$?")


def test_same_payee_twice(wire_client: WireClient) -> None:
    """The same payee is not created again; another one of that name is, with a warning, and then the name is not enough."""
    assert "none was created" in wire_client.ask("create a payee named john doe")
    assert "none was created" in wire_client.ask("create a payee named John Doe with email JOHN@example.com")
    assert "You have 2 payees of this name now" in wire_client.ask(
        "create payee John Doe with email doe@example.com"
    )
    assert "several payees may be meant" in wire_client.ask("send 5 TSD to John Doe")
    assert wire_client.ask("send 5 TSD to doe@example.com").startswith("Sent")


def test_payee_cannot_take_anothers_id_or_email(wire_client: WireClient) -> None:
    """A payee that is named like another one's id or email only makes that one ambiguous."""
    for name in (_payee_id(wire_client, "John Doe"), "john@example.com"):
        wire_client.ask(f"create a payee named {name}")
        assert "several payees may be meant" in wire_client.ask(f"send 5 TSD to {name}")
    assert not wire_client.payments


def test_payees_and_payments_belong_to_their_account(wire_client: WireClient) -> None:
    """Another account's payee and payment are unknown, by id too."""
    there = _payee_id(wire_client, "John Doe")
    wire_client.send("send 5 TSD to John Doe", "tsk-mine")
    other = WireClient(wire_client.sandbox, *wire_client.sandbox.add_client(), wire_client.http)
    for reference in ("tsk-mine", wire_client.payments[0].id):
        assert "You have no transaction" in other.ask(f"get transaction status for {reference}")
    assert "you have no payee" in other.ask(f"send 5 TSD to {there}")
    assert "John" not in other.ask("list payees")


def test_approval_by_words_needs_to_know_which(wire_client: WireClient) -> None:
    """With several payments waiting, approve names one: by payee, payment or task."""
    assert "Nothing waits" in wire_client.ask("approve")
    wire_client.send("send 200 TSD to John Doe", "tsk-john")
    wire_client.send("send 201 TSD to Jane Roe", "tsk-jane")
    wire_client.send("send 202 TSD to AAPL", "tsk-aapl")
    assert "Several payments wait" in wire_client.ask("approve")
    assert "Nothing waits" in wire_client.ask("approve Peter")
    assert "200.00 TSD" in wire_client.ask("approve the payment to John Doe")
    assert "201.00 TSD" in wire_client.ask("deny tsk-jane")
    assert "202.00 TSD" in wire_client.ask("approve")
    assert wire_client.made == [(200, "John Doe"), (202, "AAPL")]
    assert "Nothing waits" in wire_client.ask("deny")


def test_words_reach_their_own_session_only(wire_client: WireClient) -> None:
    """A bare "approve" in another session approves nothing; an id reaches across."""
    wire_client.send("send 200 TSD to John Doe", "tsk-here")
    wire_client.session = "ses-elsewhere"
    assert "Nothing waits" in wire_client.ask("approve")
    assert "tsk-here" not in wire_client.ask("approve")
    assert wire_client.ask("approve tsk-here").startswith("Approved")


def test_cancelling_words_pay_nobody(wire_client: WireClient) -> None:
    """The words "cancel the payment" deny what waits, and never pay or take back what was paid."""
    wire_client.ask("send 5 TSD to John Doe")
    assert "Nothing waits" in wire_client.ask("cancel the payment to John Doe")
    wire_client.ask("send 200 TSD to John Doe")
    assert wire_client.ask("cancel the payment to John").startswith("Denied")
    assert wire_client.made == [(5, "John Doe")]


def test_session_is_remembered(wire_client: WireClient) -> None:
    """What was said in a session is told there, and in no other."""
    assert "have not talked" not in wire_client.ask("What did we talk about earlier?")
    wire_client.session = "ses-fresh"
    assert "have not talked" in wire_client.ask("What did we talk about earlier?")
    wire_client.ask("send 5 TSD to John Doe for *lunch*")
    assert r"- send 5 TSD to John Doe for \*lunch\*" in wire_client.ask("What did we talk about earlier?")


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ("list all wallets and their balances", "Spendable balance: 995.00 TSD"),
        ("How much money do I have in my wallet?", "995.00 TSD"),
        ("what's my TSD wallet balance?", "995.00 TSD"),
        ("show my USD balance", "You have no USD wallet."),
        ("list all payees", "**Jane Roe** (Test Rails)"),
        ("get payee with email john@example.com", "**John Doe** (Test Rails, john@example.com)"),
        ("get payee Nemo", 'You have no payee "Nemo"'),
        ("show my last 5 transactions", "**5.00 TSD** to **John Doe**, initiated – lunch"),
        ("get transaction status for {id}", "Status: INITIATED"),
        ("get transaction status for tsk-paid", "Status: INITIATED"),
        ("get transaction status for txn-none", 'You have no transaction "txn-none"'),
        ("list pending requests", "nothing waiting"),
        ("what are my limits?", "At most per day: 1,000.00 TSD"),
        ("Hello!", "Hello!"),
        ("test connection", "The connection works."),
        ("What's the weather?", "nothing about the weather"),
        ("sing me a song", "I did not understand that."),
        ("did you send 100 TSD to John?", "No payment was made: that is a question"),
        ("create a payee", "Nothing was done: a payee needs a name"),
    ],
)
def test_questions_are_answered(wire_client: WireClient, question: str, says: str) -> None:
    """What changes nothing is answered in markdown, and changes nothing."""
    wire_client.send("send 5 TSD to John Doe for lunch", "tsk-paid")
    answer = wire_client.ask(question.format(id=wire_client.payments[0].id))
    assert says in answer
    assert len(wire_client.payments) == 1


def test_somebodys_words_cannot_dress_up(wire_client: WireClient) -> None:
    """Names and descriptions are shown as they are: they cannot add markdown of their own."""
    wire_client.ask("create a payee named **Evil** [x](http://example.com) | y")
    assert r"\*\*Evil\*\* \[x\](http://example.com) \| y" in wire_client.ask("list payees")


def test_two_amounts_for_one_payee_pay_nothing(wire_client: WireClient) -> None:
    """Should an order ever be read as two amounts for the same payee, neither is paid."""
    from payman_sdk.sandbox._agent.language.intents import Pay, PayeeReference, Reading
    from payman_sdk.sandbox._ledger import accounts, payment_orders
    from payman_sdk.sandbox._ledger.environment import SandboxEnvironment

    readings = tuple(Reading(Decimal(amount), None, PayeeReference("John Doe")) for amount in (5, 6))
    with wire_client.sandbox.service.store.transaction() as tx:
        account = accounts.find_account(tx, wire_client.client_id)
        assert account is not None
        world = SandboxEnvironment(lambda: 0, bytes)
        assert (
            "more than one way"
            in payment_orders.pay(tx, world, account, 0, Pay(readings), show_balance=True).text
        )
