from __future__ import annotations

from decimal import Decimal

import pytest

from tests.sandbox.desk import Desk


@pytest.fixture
def desk(desk: Desk) -> Desk:
    """A client with a few payees."""
    for order in (
        "create a payee named John Doe with email john@example.com",
        "create a payee named Jane Roe",
        "create a payee named Bread",
        "create a payee of type Test Rails called AAPL",
    ):
        assert desk.ask(order).startswith("Created")
    return desk


def _payee_id(desk: Desk, name: str) -> str:
    return desk.ask(f"get payee {name}").split("id `")[1].split("`")[0]


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
def test_payee_by_name_id_email_and_paytag(desk: Desk, order: str) -> None:
    """A payee may be named in every way that is its own."""
    paytag = desk.ask("get payee John Doe").split("paytag `")[1].split("`")[0]
    answer = desk.ask(order.format(id=_payee_id(desk, "John Doe"), paytag=paytag))
    assert answer.startswith("Sent **5.00 TSD** to **John Doe**")
    assert "995.00 TSD now" in answer
    assert desk.made == [(5, "John Doe")]


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
def test_unknown_payee_is_not_paid(desk: Desk, order: str) -> None:
    """Who is not known is not paid, however alike the name looks."""
    assert "No payment was made: you have no payee" in desk.ask(order)
    assert not desk.payments


def test_description_is_distinguished_from_the_name_by_the_payees(desk: Desk) -> None:
    """The words "Bread for All" hold a description until there is a payee of that name; then nobody knows, and quotes help."""
    desk.ask("send 5 TSD to Bread for All")
    assert [(payment.payee, payment.description) for payment in desk.payments] == [("Bread", "All")]
    desk.ask("create a payee named Bread for All")
    assert "several payees may be meant" in desk.ask("send 5 TSD to Bread for All")
    assert desk.ask('send 5 TSD to "Bread for All" for lunch').startswith("Sent")
    assert [(payment.payee, payment.description) for payment in desk.payments[1:]] == [
        ("Bread for All", "lunch")
    ]


def test_amount_that_is_part_of_a_name_is_not_an_amount(desk: Desk) -> None:
    """The words "Room 2" are an amount for Room until there is a payee of that name; then the amount has to come first."""
    desk.ask("create a payee named Room")
    assert desk.ask("pay Room 2").startswith("Sent **2.00 TSD** to **Room**")
    desk.ask("create a payee named Room 2")
    for order in ("pay Room 2", "pay Room 2 TSD", "pay Room $2"):
        answer = desk.ask(order)
        assert ("may be a part of the name" in answer) == ("$" not in order), answer
    assert desk.ask("pay Room 2 3").startswith("Sent **3.00 TSD** to **Room 2**")
    assert desk.ask("send 4 TSD to Room 2").startswith("Sent **4.00 TSD** to **Room 2**")


def test_part_of_a_name_is_asked_back(desk: Desk) -> None:
    """A first name that only one payee has is not sure enough to pay: it waits for a yes."""
    assert "a part of the name" in desk.ask("send 5 TSD to John")
    assert not desk.made
    assert desk.ask("yes").startswith("Approved. Sent")
    assert desk.made == [(5, "John Doe")]


def test_part_of_two_names_pays_nobody(desk: Desk) -> None:
    """A name that several payees share pays nobody, and lists them."""
    desk.ask("create a payee named John Smith")
    answer = desk.ask("send 100 TSD to John")
    assert "several payees may be meant" in answer
    assert "John Doe" in answer
    assert "John Smith" in answer
    desk.ask("create a payee named John")
    assert desk.ask("send 100 TSD to John").startswith("Sent")


def test_question_is_asked_back(desk: Desk) -> None:
    """An order with a question mark waits for a yes, and a no ends it."""
    assert "that was a question, not an order" in desk.ask("Pay John Doe 50$?")
    assert desk.ask("no").startswith("Denied")
    assert not desk.made
    assert "you have no payee" in desk.ask("Pay Tyllen 50$?")


def test_same_payee_twice(desk: Desk) -> None:
    """The same payee is not created again; another one of that name is, with a warning, and then the name is not enough."""
    assert "none was created" in desk.ask("create a payee named john doe")
    assert "none was created" in desk.ask("create a payee named John Doe with email JOHN@example.com")
    assert "You have 2 payees of this name now" in desk.ask(
        "create payee John Doe with email doe@example.com"
    )
    assert "several payees may be meant" in desk.ask("send 5 TSD to John Doe")
    assert desk.ask("send 5 TSD to doe@example.com").startswith("Sent")


def test_payee_cannot_take_anothers_id_or_email(desk: Desk) -> None:
    """A payee that is named like another one's id or email only makes that one ambiguous."""
    for name in (_payee_id(desk, "John Doe"), "john@example.com"):
        desk.ask(f"create a payee named {name}")
        assert "several payees may be meant" in desk.ask(f"send 5 TSD to {name}")
    assert not desk.payments


def test_payees_and_payments_belong_to_their_account(desk: Desk) -> None:
    """Another account's payee and payment are unknown, by id too."""
    there = _payee_id(desk, "John Doe")
    desk.send("send 5 TSD to John Doe", "tsk-mine")
    other = Desk(desk.sandbox, *desk.sandbox.add_client(), desk.http)
    for reference in ("tsk-mine", desk.payments[0].id):
        assert "You have no transaction" in other.ask(f"get transaction status for {reference}")
    assert "you have no payee" in other.ask(f"send 5 TSD to {there}")
    assert "John" not in other.ask("list payees")


def test_approval_by_words_needs_to_know_which(desk: Desk) -> None:
    """With several payments waiting, approve names one: by payee, payment or task."""
    assert "Nothing waits" in desk.ask("approve")
    desk.send("send 200 TSD to John Doe", "tsk-john")
    desk.send("send 201 TSD to Jane Roe", "tsk-jane")
    desk.send("send 202 TSD to AAPL", "tsk-aapl")
    assert "Several payments wait" in desk.ask("approve")
    assert "Nothing waits" in desk.ask("approve Peter")
    assert "200.00 TSD" in desk.ask("approve the payment to John Doe")
    assert "201.00 TSD" in desk.ask("deny tsk-jane")
    assert "202.00 TSD" in desk.ask("approve")
    assert desk.made == [(200, "John Doe"), (202, "AAPL")]
    assert "Nothing waits" in desk.ask("deny")


def test_words_reach_their_own_session_only(desk: Desk) -> None:
    """A bare "approve" in another session approves nothing; an id reaches across."""
    desk.send("send 200 TSD to John Doe", "tsk-here")
    desk.session = "ses-elsewhere"
    assert "Nothing waits" in desk.ask("approve")
    assert "tsk-here" not in desk.ask("approve")
    assert desk.ask("approve tsk-here").startswith("Approved")


def test_cancelling_words_pay_nobody(desk: Desk) -> None:
    """The words "cancel the payment" deny what waits, and never pay or take back what was paid."""
    desk.ask("send 5 TSD to John Doe")
    assert "Nothing waits" in desk.ask("cancel the payment to John Doe")
    desk.ask("send 200 TSD to John Doe")
    assert desk.ask("cancel the payment to John").startswith("Denied")
    assert desk.made == [(5, "John Doe")]


def test_session_is_remembered(desk: Desk) -> None:
    """What was said in a session is told there, and in no other."""
    assert "have not talked" not in desk.ask("What did we talk about earlier?")
    desk.session = "ses-fresh"
    assert "have not talked" in desk.ask("What did we talk about earlier?")
    desk.ask("send 5 TSD to John Doe for *lunch*")
    assert r"- send 5 TSD to John Doe for \*lunch\*" in desk.ask("What did we talk about earlier?")


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
def test_questions_are_answered(desk: Desk, question: str, says: str) -> None:
    """What changes nothing is answered in markdown, and changes nothing."""
    desk.send("send 5 TSD to John Doe for lunch", "tsk-paid")
    answer = desk.ask(question.format(id=desk.payments[0].id))
    assert says in answer
    assert len(desk.payments) == 1


def test_somebodys_words_cannot_dress_up(desk: Desk) -> None:
    """Names and descriptions are shown as they are: they cannot add markdown of their own."""
    desk.ask("create a payee named **Evil** [x](http://example.com) | y")
    assert r"\*\*Evil\*\* \[x\](http://example.com) \| y" in desk.ask("list payees")


def test_two_amounts_for_one_payee_pay_nothing(desk: Desk) -> None:
    """Should an order ever be read as two amounts for the same payee, neither is paid."""
    from payman_sdk.sandbox._agent.language.intents import Pay, PayeeReference, Reading
    from payman_sdk.sandbox._ledger import accounts, payment_orders
    from payman_sdk.sandbox._ledger.environment import SandboxEnvironment

    readings = tuple(Reading(Decimal(amount), None, PayeeReference("John Doe")) for amount in (5, 6))
    with desk.sandbox.service.store.transaction() as tx:
        account = accounts.find_account(tx, desk.client_id)
        assert account is not None
        world = SandboxEnvironment(lambda: 0, bytes)
        assert (
            "more than one way"
            in payment_orders.pay(tx, world, account, 0, Pay(readings), show_balance=True).text
        )
