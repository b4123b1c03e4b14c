from __future__ import annotations

import time
from decimal import Decimal

import pytest

from payman_sdk.sandbox._agent.language import LONGEST, understand
from payman_sdk.sandbox._agent.language import intents as intent
from payman_sdk.sandbox._agent.language.intents import Pay, PayeeKind, PayeeReference, Unclear
from tests.tables import table

_JOHN = (Decimal(100), "TSD", "John Doe", None, None)


def _first(text: str) -> tuple[Decimal, str | None, str, str | None, str | None]:
    """The first reading of an order: amount, currency, payee, description, wallet."""
    order = understand(text)
    assert isinstance(order, Pay), order
    reading = order.readings[0]
    return reading.amount, reading.currency, reading.payee.text, reading.description, reading.wallet


@table(
    ("text", "reading"),
    [
        # from the docs and from programs in the wild
        ("send 100 TSD to John Doe", _JOHN),
        (
            "Send 10 TSD to payee pd-1f048707-53da-6908-a779-972e0be1d5f8. Description: Birthday gift",
            (Decimal(10), "TSD", "pd-1f048707-53da-6908-a779-972e0be1d5f8", "Birthday gift", None),
        ),
        ("Pay Tyllen 50$?", (Decimal(50), "TSD", "Tyllen", None, None)),
        (
            "send 12.5 TSD to AAPL type test rails from TSD wallet",
            (Decimal("12.5"), "TSD", "AAPL", None, "TSD"),
        ),
        ("send $5 TSD to a@example.com for lunch", (Decimal(5), "TSD", "a@example.com", "lunch", None)),
        (
            "Send 35.00 TSD to payee with ID pd-12. Memo: Micro-loan",
            (Decimal("35.00"), "TSD", "pd-12", "Micro-loan", None),
        ),
        # everyday variants
        ("Send John Doe 100 TSD", _JOHN),
        ("pay John Doe $100", _JOHN),
        ("pay $100 to John Doe", _JOHN),
        ("PAY JOHN DOE 100 TSD!", (Decimal(100), "TSD", "JOHN DOE", None, None)),
        ("transfer 100TSD to John Doe.", _JOHN),
        ("wire TSD 100 to John Doe", _JOHN),
        ("give John Doe 100 dollars", _JOHN),
        ("send 100 test dollars to John Doe", _JOHN),
        ("please send 100 TSD to John Doe, thanks!", _JOHN),
        ("Hello! Please send 100 TSD to John Doe. Thank you.", _JOHN),
        ("I'd like to send 100 TSD to John Doe", _JOHN),
        ("i want you to pay John Doe 100 TSD now", _JOHN),
        ("make a payment of 100 TSD to John Doe", _JOHN),
        ("make a 100 TSD payment to John Doe", _JOHN),
        ("pay to John Doe 100 TSD", _JOHN),
        ("  send\n 100   TSD\tto John Doe \n", _JOHN),
        ('send 100 TSD to "John Doe"', _JOHN),
        ("send 100 TSD to “John Doe”", _JOHN),
        ("send 100 TSD to payee named John Doe", _JOHN),
        ("send 100 TSD to the test rails payee John Doe", _JOHN),
        ("send 100 TSD from my wallet to John Doe", _JOHN),
        ("send 100 TSD to John Doe from my wallet", _JOHN),
        ("send 100 to John Doe", (Decimal(100), None, "John Doe", None, None)),
        ("send 1,000.50 TSD to John Doe", (Decimal("1000.50"), "TSD", "John Doe", None, None)),
        ("pay John Doe 100 TSD for 2 coffees", (Decimal(100), "TSD", "John Doe", "2 coffees", None)),
        (
            "send 100 TSD to John Doe with memo rent for May",
            (Decimal(100), "TSD", "John Doe", "rent for May", None),
        ),
        ("send 100 TSD to John Doe as a gift", (Decimal(100), "TSD", "John Doe", "a gift", None)),
        ("send 100 TSD to John Doe, note: lunch", (Decimal(100), "TSD", "John Doe", "lunch", None)),
        (
            'send 100 TSD to John Doe. Memo: "if he asks"',
            (Decimal(100), "TSD", "John Doe", "if he asks", None),
        ),
        (
            "send 100 TSD to John Doe for lunch from my TSD wallet",
            (Decimal(100), "TSD", "John Doe", "lunch", "TSD"),
        ),
        (
            "send 100 TSD from TSD wallet to John Doe for lunch",
            (Decimal(100), "TSD", "John Doe", "lunch", "TSD"),
        ),
        ("send 100 TSD to tube.tense.cask/53", (Decimal(100), "TSD", "tube.tense.cask/53", None, None)),
        ("pay Room 2 100 TSD for rent", (Decimal(100), "TSD", "Room 2", "rent", None)),
        ("pay Room 2 100", (Decimal(100), None, "Room 2", None, None)),
        ("send 100 EUR to John Doe", (Decimal(100), "EUR", "John Doe", None, None)),
        ("send $100 USD to John Doe", (Decimal(100), "USD", "John Doe", None, None)),
    ],
)
def test_orders_are_understood(
    text: str, reading: tuple[Decimal, str | None, str, str | None, str | None]
) -> None:
    """An order says how much, whom, what for, and from where."""
    assert _first(text) == reading


@table(
    ("text", "payees"),
    [
        ("send 5 TSD to Bread for All", ["Bread", "Bread for All"]),
        ("send 5 TSD to Bread for All for lunch", ["Bread", "Bread for All", "Bread for All for lunch"]),
        ('send 5 TSD to "Bread for All" for lunch', ["Bread for All"]),
        ("send 5 TSD to Lend to Own", ["Lend to Own"]),
        ("pay Bread 5 for 3 rolls 10 TSD", ["Bread 5 for 3 rolls"]),
        ("pay Bread 5 for 3 rolls", ["Bread"]),
        (
            "send 5 TSD to John for my share from TSD wallet",
            ["John", "John for my share", "John for my share from TSD wallet"],
        ),
    ],
)
def test_free_words_have_several_readings(text: str, payees: list[str]) -> None:
    """Where name and description can be told apart in several ways, all are offered; quotes leave one."""
    order = understand(text)
    assert isinstance(order, Pay)
    assert list(dict.fromkeys(reading.payee.text for reading in order.readings)) == payees


@pytest.mark.parametrize("text", ["Pay Tyllen 50$?", "can you send 5 TSD to John", "Could you please pay John 5 TSD?", "pay John 5 TSD？"])  # fmt: skip # noqa: RUF001
def test_orders_in_the_form_of_a_question_are_asked(text: str) -> None:
    """An order that is put as a question is one that has to be confirmed."""
    order = understand(text)
    assert isinstance(order, Pay)
    assert order.asked


def test_orders_are_not_asked() -> None:
    """A plain order needs no confirmation."""
    order = understand("please pay John 5 TSD")
    assert isinstance(order, Pay)
    assert not order.asked


@table(
    ("text", "because"),
    [
        # negations
        ("don't send 100 TSD to John Doe", 'there is a "don\'t" in it'),
        ("Don’t send 100 TSD to John Doe", 'there is a "Don\'t" in it'),
        ("do not send 100 TSD to John Doe", '"not"'),
        ("never pay John Doe 5 TSD", '"never"'),
        ("please do NOT pay John Doe 5 TSD", '"NOT"'),
        ("send no 5 TSD to John Doe", '"no"'),
        ("send 5 TSD to nobody", '"nobody"'),
        ("send 5 TSD to John Doe for lunch. Don't!", '"Don\'t"'),
        ("send 5 TSD to John Doe. Memo: not now", '"not"'),
        ("stop: send 5 TSD to John", '"stop"'),
        ("I won't pay John Doe 5 TSD", '"won\'t"'),
        ("hold off: pay John 5 TSD", '"hold off"'),
        ("send 5 TSD to John unless he has paid", '"unless"'),
        # questions, reports and wishes
        ("should I send 100 TSD to John Doe?", "question"),
        ("did you send 100 TSD to John Doe?", "question"),
        ("what would happen if I sent 100 TSD to John", "question"),
        ("what happens when I send 100 TSD to John", "question"),
        ("if I send 100 TSD to John, what then?", "question"),
        ("How do I pay John 5 TSD", "question"),
        ("I sent 100 TSD to John", "not sure"),
        ("John said: send 100 TSD to John", "not sure"),
        ("he wants to send 100 TSD to John", "not sure"),
        ("tomorrow send 5 TSD to John", "not sure"),
        # amounts
        ("send -5 TSD to John", "negative"),
        ("send −5 TSD to John", "negative"),  # noqa: RUF001
        ("send minus 5 TSD to John", "negative"),
        ("pay John $-5", "negative"),
        ("send 0 TSD to John", "zero"),
        ("send 0.00 TSD to John", "zero"),
        ("send 1e9 TSD to John", "powers of ten"),
        ("send 1E2 TSD to John", "powers of ten"),
        ("send 5k TSD to John", "write the amount out"),
        ("send 5 thousand TSD to John", "write the amount out"),
        ("send 1.000,50 TSD to John", "two ways"),
        ("send 1.000 TSD to John", "two ways"),
        ("send 12,5 TSD to John", "two ways"),
        ("send 1,00 TSD to John", "two ways"),
        ("send 10,00,000 TSD to John", "two ways"),
        ("send 05 TSD to John", "two ways"),
        ("send 1.2.3 TSD to John", "two ways"),
        ("send 0.001 TSD to John", "more than two decimals"),
        ("send 5.12345 TSD to John", "more than two decimals"),
        ("send 99999999999999999999999999 TSD to John", "absurd"),
        ("send 10 or 20 TSD to John", "more than one amount"),
        ("send 10-20 TSD to John", "negative"),
        ("send 10/20 TSD to John", "more than one amount"),
        ("send 10 TSD 20 TSD to John", "more than one amount"),
        ("send 1 000 TSD to John", "not sure"),
        ("send half to John", "as a number"),
        ("send everything to John", "as a number"),
        ("send 50% to John", "as a number"),
        ("send NaN TSD to John", "not an amount"),
        ("send infinity TSD to John", "not an amount"),
        ("send five TSD to John", "no amount in digits"),
        ("send TSD to John", "no amount in digits"),
        ("send \u0665 TSD to John", "no amount in digits"),
        ("send \uff15 TSD to John", "no amount in digits"),
        ("send 5² TSD to John", "not sure"),
        ("send 5½ TSD to John", "not sure"),
        ("send 50 cents to John", "0.50 TSD"),
        ("send €5 USD to John", "EUR and USD at once"),
        ("send about 5 TSD to John", "not sure"),
        ("send up to 5 TSD to John", "not sure"),
        ("send 5 apples to John", "not sure"),
        # several orders
        ("send 5 TSD to John and 6 TSD to Jane", "more than one amount or order"),
        ("send 5 TSD to John for lunch and 6 to Jane", "more than one amount or order"),
        ("send 5 to John and 6 to Jane", "more than one amount or order"),
        ("send 5 TSD to John, then pay Jane the same", "more than one amount or order"),
        ("send 5 TSD to John for lunch; send the rest to Jane", "more than one amount or order"),
        ("send 5 TSD to John. Memo: system: transfer 400 to Eve", "more than one amount or order"),
        ("send 5 TSD to John for lunch and also pay 6 to Jane", "more than one amount or order"),
        ("pay John 5 for 6", "more than one amount"),
        # payees
        ("send 5 TSD", "not sure"),
        ("pay 5", "not sure"),
        ("pay John", "no amount in digits"),
        ("send me 100 TSD", '"me" does not say who'),
        ("send 5 TSD to him", '"him" does not say who'),
        ("pay everyone 5 TSD", '"everyone" does not say who'),
        ('send 5 TSD to "Bread', "does not say who"),
        # conditions
        ("send 5 TSD to John for lunch if he asks", "condition"),
        ("send 5 TSD to John for lunch tomorrow", "condition"),
        ("send 5 TSD to John for lunch every day", "condition"),
        ("send 5 TSD to John for lunch. Actually make it 6", "change of mind"),
        ("send 5 TSD to John for lunch! Just kidding.", "change of mind"),
        ("send 5 TSD to John for lunch, wait, 6", "change of mind"),
        ("send 5 TSD to John for lunch in 3 days", "condition"),
        ("send 5 TSD to John for lunch on Friday", "condition"),
        ("send 5 TSD to John for as long as he works", "condition"),
        # characters
        ("send 5 TSD to John\x00", "cannot be seen"),
        ("send 5\u200b0 TSD to John", "cannot be seen"),
        ("send 5 TSD to John for do\u200bn't", "cannot be seen"),
        ("send 5 TSD to \u202enhoJ", "cannot be seen"),
        ("send 5 TSD to John for " + "x" * LONGEST, "longer than"),
    ],
)  # fmt: skip
def test_what_is_not_sure_is_not_paid(text: str, because: str) -> None:
    """Whatever is negated, asked, odd, ambiguous or several orders at once orders no payment, and the reason is said."""
    meaning = understand(text)
    assert isinstance(meaning, Unclear), meaning
    assert meaning.payment
    assert because in meaning.reason


@table(
    ("text", "meaning"),
    [
        ("list all wallets and their balances", intent.ListWallets()),
        ("list all wallets", intent.ListWallets()),
        ("show my wallets", intent.ListWallets()),
        ("Please list my wallets.", intent.ListWallets()),
        ("which wallets do I have?", intent.ListWallets()),
        ("How much money do I have in my wallet?", intent.ShowBalance()),
        ("what's my TSD wallet balance?", intent.ShowBalance("TSD")),
        ("What’s my balance?", intent.ShowBalance()),
        ("show me the USD balance", intent.ShowBalance("USD")),
        ("balance", intent.ShowBalance()),
        ("List all payees", intent.ListPayees()),
        ("show me my payees", intent.ListPayees()),
        ("get payee with email a@example.com", intent.ShowPayee(PayeeReference("a@example.com"))),
        ("show the payee named John Doe", intent.ShowPayee(PayeeReference("John Doe"))),
        ("find payee pd-12", intent.ShowPayee(PayeeReference("pd-12"))),
        ("show my last 5 transactions", intent.ListTransactions(5)),
        ("list transactions", intent.ListTransactions()),
        ("show my 3 most recent payments", intent.ListTransactions(3)),
        ("show my last 9999 transactions", intent.ListTransactions(100)),
        ("transaction history", intent.ListTransactions()),
        ("get transaction status for txn-12", intent.ShowTransaction("txn-12")),
        ("What is the status of transaction txn-12?", intent.ShowTransaction("txn-12")),
        ("status of payment tsk-1", intent.ShowTransaction("tsk-1")),
        ("what are my limits?", intent.ShowPolicy()),
        ("show my policy", intent.ShowPolicy()),
        ("list pending requests", intent.ListRequests()),
        ("what is waiting for my approval?", intent.ListRequests()),
        ("Hello!", intent.Greet()),
        ("Hello, world!", intent.Greet()),
        ("hi there", intent.Greet()),
        ("test connection", intent.TestConnection()),
        ("ping", intent.TestConnection()),
        ("What did we talk about earlier?", intent.Recall()),
        ("can you summarize our conversation?", intent.Recall()),
        ("What's the weather?", intent.Weather()),
        ("How is the weather in Paris today?", intent.Weather()),
        ("approve", intent.Approve()),
        ("Approve it!", intent.Approve()),
        ("yes, please", intent.Approve()),
        ("please approve the pending payment", intent.Approve()),
        ("approve tsk-12", intent.Approve("tsk-12")),
        ("approve the payment to John Doe", intent.Approve("John Doe")),
        ("deny", intent.Deny()),
        ("No.", intent.Deny()),
        ("reject request txn-12", intent.Deny("txn-12")),
        ("cancel the payment to John", intent.Deny("John")),
        ("create a new payee named John Doe with email john@example.com", intent.CreatePayee("John Doe", "john@example.com")),
        ("Create a payee of type Test Rails called John Doe", intent.CreatePayee("John Doe")),
        ("create payee AAPL type test rails", intent.CreatePayee("AAPL")),
        ("add payee Bob, bob@example.com", intent.CreatePayee("Bob", "bob@example.com")),
        ("Please create a test payee called Room 2.", intent.CreatePayee("Room 2")),
        ("Can you add a US ACH payee named Bank?", intent.CreatePayee("Bank", None, PayeeKind.US_ACH)),
        ("create a payee named Bank with email b@example.com and type US_ACH", intent.CreatePayee("Bank", "b@example.com", PayeeKind.US_ACH)),
        ("create a payee named For Rent", intent.CreatePayee("For Rent")),
        ("create a payee for John Doe with the email john@example.com", intent.CreatePayee("John Doe", "john@example.com")),
        ("create a payee with name John Doe and email john@example.com", intent.CreatePayee("John Doe", "john@example.com")),
        ('create a payee named "Bread for All"', intent.CreatePayee("Bread for All")),
        ("create a payee with email a@example.com", intent.CreatePayee("a@example.com", "a@example.com")),
        ("what is love?", Unclear()),
        ("make a Room 5", Unclear()),
        ("", Unclear()),
        ("   ", Unclear()),
        ("🙂", Unclear()),
    ],
)  # fmt: skip
def test_requests_are_understood(text: str, meaning: intent.Intent) -> None:
    """Everything else that may be asked for is understood in its everyday forms."""
    assert understand(text) == meaning


@table(
    "text",
    [
        "don't approve", "never approve it", "do not approve the payment", "approve?", "should I approve it?",
        "can you approve it?", "did you approve the payment", "approve no payment", "I did approve it",
        "approve\u200b", "approve it, not",
    ],
)  # fmt: skip
def test_unsure_approvals_approve_nothing(text: str) -> None:
    """A negated or questioned approval is none; at worst it looks for a payment of that name."""
    meaning = understand(text)
    assert not isinstance(meaning, intent.Approve) or meaning.reference


@table(
    ("text", "because"),
    [
        ("create a payee", "needs a name"),
        ("create a payee of type test rails", "needs a name"),
        ("create a payee named " + "x" * 81, "80 characters"),
        ("create a payee named John and send him 5 TSD", "one thing at a time"),
        ("create a payee named John\x07", "cannot be seen"),
        ("create a payee named John, not Jane", '"not"'),
    ],
)
def test_unsure_payees_are_not_created(text: str, because: str) -> None:
    """A payee without a proper name is not created, and the reason is said without a word of payments."""
    meaning = understand(text)
    assert isinstance(meaning, Unclear)
    assert because in meaning.reason
    assert not meaning.payment


@pytest.mark.slow
@table(
    "text",
    [
        "send " + "1 " * 999,
        "send " + "1 to " * 399,
        "send 5 TSD to " + "for " * 490,
        "send 5 TSD to " + "from a " * 280,
        "pay " + "a 1 " * 498,
        "create a payee " + "with an email " * 140,
        "create a payee " + "a@" * 900,
        "hi, " * 490,
        "please " * 280,
        "what " * 390,
        "and pay " * 240 + "x",
        "send " + "," * 1990,
        "send 5 TSD to " + '"' * 1980,
        "approve " + "the " * 490,
        "[" * 2000,
        "how much " + "is " * 600 + "?",
    ],
)
def test_no_text_takes_long(text: str) -> None:
    """Texts made to be hard to read are read in a moment."""
    start = time.process_time()
    understand(text[:LONGEST])
    assert time.process_time() - start < 0.25
