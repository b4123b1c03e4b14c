"""What holds for any text, and for any sequence of orders."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier

import httpx
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from payman_sdk.sandbox import Sandbox
from payman_sdk.sandbox._agent.language import LONGEST, NEGATIONS, understand
from payman_sdk.sandbox._agent.language.intents import Approve, CreatePayee, Pay
from payman_sdk.sandbox._agent.serialization import make_error
from payman_sdk.sandbox._server.service import read_id

pytestmark = pytest.mark.slow


_ORDERS = (
    "send 100 TSD to John Doe",
    "pay John Doe 5$ for lunch",
    "please transfer 12.50 TSD from my TSD wallet to payee pd-1. Memo: rent",
    "Could you pay John 5 TSD?",
    "create a payee named John Doe",
    "approve the payment to John Doe",
    "yes",
)
_NEGATIONS = [*NEGATIONS, "don't", "DON'T", "don’t", "Do not", "won't", "isn't", "NEVER", "hold off"]
_WORDS = st.sampled_from(
    [
        "send",
        "pay",
        "5",
        "10.00",
        "1,000",
        "$",
        "TSD",
        "to",
        "from",
        "for",
        "John",
        "Doe",
        "Jane",
        "and",
        "or",
        "if",
        "not",
        "never",
        "wallet",
        "my",
        "the",
        "payee",
        "pd-1",
        "a@example.com",
        "Memo:",
        '"x"',
        "'",
        "?",
        "!",
        ".",
        ",",
        "-",
        "0",
        "1e9",
        "٣",
        "\u200b",
        "create",
        "approve",
        "deny",
        "named",
        "type",
        "test",
        "rails",
        "last",
        "transactions",
    ]
)
_TEXTS = st.one_of(st.text(max_size=200), st.lists(_WORDS, max_size=25).map(" ".join))


@given(_TEXTS)
@settings(max_examples=2 * settings().max_examples, deadline=None)
def test_any_text_is_understood_or_not(text: str) -> None:
    """No text raises, and an order that is understood is for a proper amount to somebody named."""
    meaning = understand(text)
    if isinstance(meaning, Pay):
        for reading in meaning.readings:
            assert reading.amount > 0
            assert reading.amount == round(reading.amount, 2)
            assert reading.payee.text
            assert set(f"{reading.amount:f}") <= set("0123456789.")


@given(st.sampled_from(_ORDERS), st.sampled_from(_NEGATIONS), st.integers(0, 12), st.sampled_from(" ,.!\n"))
@settings(max_examples=2 * settings().max_examples, deadline=None)
def test_negated_order_is_never_carried_out(order: str, negation: str, position: int, gap: str) -> None:
    """A negation anywhere in an order, in whatever case, keeps it from being one."""
    words = order.split()
    words.insert(min(position, len(words)), f"{gap}{negation}{gap}")
    assert not isinstance(understand(" ".join(words)), Pay | Approve | CreatePayee)


@given(_TEXTS, st.sampled_from(_NEGATIONS))
@settings(max_examples=3 * settings().max_examples // 2, deadline=None)
def test_negated_text_is_never_carried_out(text: str, negation: str) -> None:
    """No text with a negation in it writes anything."""
    for negated in (f"{negation} {text}", f"{text} {negation}"):
        assert not isinstance(understand(negated[-LONGEST:]), Pay | Approve | CreatePayee)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["jsonrpc", "id", "method", "params", "message", "role", "parts", "type", "text"]
            ),
            inner,
        )
    ),
    max_leaves=15,
)


@given(st.one_of(st.binary(max_size=100), _JSON.map(lambda value: json.dumps(value).encode())))
@settings(max_examples=3 * settings().max_examples // 2, deadline=None)
def test_any_body_is_answered_with_json(body: bytes) -> None:
    """Whatever is posted, the request is understood or refused with a code, and its id can be written again."""
    json.dumps(make_error(read_id(body), -32603, "x"), allow_nan=False).encode()


_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["pay", "ask", "approve", "deny", "cancel", "again", "night"]),
        st.integers(1, 60_000),
        st.integers(0, 5),
    ),
    max_size=25,
)


@given(_STEPS)
@settings(max_examples=40, deadline=None)
def test_ledger_is_whole_after_anything(steps: list[tuple[str, int, int]]) -> None:
    """After any sequence of orders, approvals, cancellations and retries the books add up, and no limit was passed."""
    now = [1_750_000_000.0]
    sandbox = Sandbox(clock=lambda: now[0], token_lifetime=10**9)
    token = _token(sandbox)
    for number, (step, cents, pick) in enumerate(steps):
        if step == "night":
            now[0] += 86_400
        elif step in ("pay", "ask"):
            text = f"pay Test Payee {Decimal(cents) / 100:.2f} TSD{'?' if step == 'ask' else ''}"
            _send(sandbox, token, f"tsk-{number}", text)
        elif step == "again":
            before = sandbox.payments
            for payment in before[pick : pick + 1]:
                _send(sandbox, token, payment.task_id, "send 1 TSD to Test Payee")
            assert len(sandbox.payments) == len(before)
        else:
            for payment in sandbox.payments[pick : pick + 1]:
                if step == "cancel":
                    _call(sandbox, token, "tasks/cancel", {"id": payment.task_id})
                elif payment in sandbox.pending_payments:
                    getattr(sandbox, step)(payment.task_id)
        sandbox.check_invariants()
    made = [payment for payment in sandbox.payments if payment.status == "INITIATED"]
    assert sandbox.balance() == 1000 - sum(payment.amount for payment in made)
    assert all(payment.amount <= 500 for payment in made)
    days: dict[int, Decimal] = {}
    for payment in made:
        assert payment.executed is not None
        day = payment.executed // (86_400 * 10**9)
        days[day] = days.get(day, Decimal(0)) + payment.amount
    assert all(spent <= 1000 for spent in days.values())
    sandbox.close()


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(1, 12_000)), min_size=8, max_size=40))
# Not shrunk: every example starts a server, and threads do not fail twice in the same way.
@settings(max_examples=5, deadline=None, phases=[Phase.generate])
def test_ledger_is_whole_after_anything_at_once(orders: list[tuple[int, int]]) -> None:
    """The same from four threads over HTTP, with task ids that collide: one payment a task at most."""
    with Sandbox() as sandbox, httpx.Client(base_url=sandbox.base_url) as http:
        token = _token(sandbox)
        together = Barrier(4)

        def work(worker: int) -> None:
            together.wait(60)
            for task, cents in orders[worker::2]:  # two workers always send the same
                text = f"send {Decimal(cents) / 100:.2f} TSD to Test Payee"
                body = _body("tasks/send", _params(f"tsk-{task}", text))
                answer = http.post(
                    "/api/a2a/tasks/send", content=body, headers={"x-payman-access-token": token}
                )
                assert answer.json()["error"] is None

        with ThreadPoolExecutor(4) as pool:
            for done in [pool.submit(work, worker % 2) for worker in range(4)]:
                done.result()
        sandbox.check_invariants()
        tasks = [payment.task_id for payment in sandbox.payments]
        assert len(tasks) == len(set(tasks))


def _token(sandbox: Sandbox) -> str:
    credentials = httpx.BasicAuth(sandbox.client_id, sandbox.client_secret)
    header = next(credentials.auth_flow(httpx.Request("POST", "http://localhost"))).headers["authorization"]
    return sandbox.authority.answer_token_request(header, [("grant_type", "client_credentials")]).value


def _params(task_id: str, text: str) -> dict[str, object]:
    return {
        "id": task_id,
        "sessionId": "ses",
        "message": {"role": "user", "parts": [{"type": "text", "text": text}]},
    }


def _body(method: str, params: dict[str, object]) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()


def _call(sandbox: Sandbox, token: str, method: str, params: dict[str, object]) -> None:
    sandbox.service.call(token, method, _body(method, params))


def _send(sandbox: Sandbox, token: str, task_id: str, text: str) -> None:
    _call(sandbox, token, "tasks/send", _params(task_id, text))
