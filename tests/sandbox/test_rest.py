"""The REST API of the sandbox, asked over real HTTP by `payman_api.rest`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import pytest

from payman_api.errors import AnswerError, ErrorStatus
from payman_api.rest import ACCESS_TOKEN_HEADER, AuthenticatedClient
from payman_api.rest.api.balances import get_spendable_balance
from payman_api.rest.api.payments import create_payee, delete_payee, search_payees, send_direct_payment
from payman_api.rest.models import (
    ContactDetails,
    Payee,
    PayeeCryptoAddress,
    PayeePaymanWallet,
    PayeeTestRails,
    PayeeUsAch,
    PaymentStatus,
    RestError,
    SendPaymentRequest,
    SendPaymentResponse,
)
from payman_sdk.sandbox import ConnectionLost, HTTPError, Sandbox, StreamFault

PAY, PAYEES = "/payments/send-payment", "/payments/payees"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running
        running.check_invariants()


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[AuthenticatedClient]:
    with AuthenticatedClient(sandbox.rest_url, token=sandbox.client_secret) as connected:
        yield connected


@pytest.fixture
def payee(client: AuthenticatedClient) -> Payee:
    (found,) = search_payees.sync_parsed(client=client, name="test")
    return found


def pay(client: AuthenticatedClient, payee: Payee, amount: float) -> SendPaymentResponse:
    return send_direct_payment.sync_parsed(
        client=client, body=SendPaymentRequest(payee_id=payee.id, amount_decimal=amount, memo="coffee")
    )


def refusal(raised: pytest.ExceptionInfo[ErrorStatus]) -> tuple[int, str]:
    error = raised.value.parsed
    assert isinstance(error, RestError)
    assert error.status == raised.value.status_code
    assert error.message
    return raised.value.status_code, str(error.error_code)


def test_a_payment_moves_the_same_money_as_the_agents(
    sandbox: Sandbox, client: AuthenticatedClient, payee: Payee
) -> None:
    """The same ledger, approvals, limits and refusals, whichever way is asked."""
    paid = pay(client, payee, 10.5)
    assert paid.status is PaymentStatus.INITIATED
    (payment,) = sandbox.payments
    assert (payment.id, payment.amount, payment.description) == (paid.reference, Decimal("10.50"), "coffee")
    assert get_spendable_balance.sync_parsed("TSD", client=client) == 989.5
    assert sandbox.balance() == Decimal("989.50")
    with sandbox.client() as agent:
        assert agent.wallets()[0].balance == Decimal("989.50")
        assert [(it.id, it.amount) for it in agent.transactions()] == [(paid.reference, Decimal("10.50"))]
        agent.pay(payee.id, "9.5", "TSD")
    assert get_spendable_balance.sync_parsed("TSD", client=client) == 980

    waiting = pay(client, payee, 100.01)
    assert waiting.status is PaymentStatus.AWAITING_APPROVAL
    assert sandbox.balance() == 980
    (pending,) = sandbox.pending_payments
    assert sandbox.approve(pending.task_id).status == "INITIATED"
    denied = pay(client, payee, 200)
    assert sandbox.deny(sandbox.pending_payments[0].task_id).id == denied.reference
    assert sandbox.balance() == Decimal("879.99")

    before = len(sandbox.payments)
    rejected = pay(client, payee, 500.01)
    assert (rejected.status, rejected.reference) == (PaymentStatus.REJECTED, None)
    for _ in range(2):
        pay(client, payee, 400)
        sandbox.approve(sandbox.pending_payments[0].task_id)
    with pytest.raises(ErrorStatus) as raised:
        pay(client, payee, 100)
    assert refusal(raised) == (400, "insufficient_funds")
    assert len(sandbox.payments) == before + 2


def test_payees_are_created_found_and_deleted(
    sandbox: Sandbox, client: AuthenticatedClient, payee: Payee
) -> None:
    contact = ContactDetails(email="ada@example.com")
    ada = create_payee.sync_parsed(client=client, body=PayeeTestRails(name="Ada Ω", contact_details=contact))
    assert (ada.name, ada.type_) == ("Ada Ω", "TEST_RAILS")
    for body, name in (
        (PayeeCryptoAddress(address="0xabc", chain="BASE", currency="USDC"), "0xabc"),
        (PayeePaymanWallet(payman_wallet="tube.tense.cask/53", name="Cask"), "Cask"),
        (PayeeUsAch(account_number="12345", routing_number="011"), "12345"),
    ):
        made = create_payee.sync_parsed(client=client, body=body)
        assert (made.name, made.type_) == (name, body.type_)
        with pytest.raises(ErrorStatus) as raised:
            pay(client, made, 1)
        assert refusal(raised) == (403, "not_allowed")

    async def search(**query: Any) -> list[str]:
        async with AuthenticatedClient(sandbox.rest_url, token=sandbox.client_secret) as asking:
            found = await search_payees.asyncio_parsed(client=asking, **query)
            return [str(it.name) for it in found]

    assert len(asyncio.run(search())) == 5
    assert asyncio.run(search(contact_email="ADA@example.com")) == ["Ada Ω"]
    assert asyncio.run(search(name="ω", contact_email="other@example.com")) == []
    assert asyncio.run(search(crypto_chain="BASE")) == []
    with sandbox.client() as agent:
        assert "Ada Ω" in {it.name for it in agent.payees()}
    assert delete_payee.sync_parsed(ada.id, client=client).success
    pay(client, payee, 1)
    for gone, expected in ((ada.id, (404, "entity_not_found")), (payee.id, (403, "not_allowed"))):
        with pytest.raises(ErrorStatus) as raised:
            delete_payee.sync_parsed(gone, client=client)
        assert refusal(raised) == expected


def test_a_lost_answer_is_a_payment_that_nobody_can_look_up(
    sandbox: Sandbox, client: AuthenticatedClient, payee: Payee
) -> None:
    """What the page about this API warns of: money moved, and the program sees an error; sent again, it moves again."""
    faults: list[tuple[Any, type[Exception], int]] = [
        (ConnectionLost(), httpx.RemoteProtocolError, 1),
        (ConnectionLost(taken=False), httpx.RemoteProtocolError, 0),
        (HTTPError(504, taken=True), ErrorStatus, 1),
        (HTTPError(503), ErrorStatus, 0),
        (HTTPError(502, taken=True, body="<html>"), ErrorStatus, 1),
        ("a text of the agent's", ErrorStatus, 0),
    ]
    for number, (fault, error, moved) in enumerate(faults):
        before = len(sandbox.payments)
        sandbox.script([fault])
        with pytest.raises(error):
            pay(client, payee, 1 + number)
        assert len(sandbox.payments) == before + moved, fault
    sandbox.script([StreamFault(keep_alives=True), None])
    assert [pay(client, payee, 1).status for _ in range(2)] == [PaymentStatus.INITIATED] * 2


HOSTILE: list[bytes] = [
    b"", b"[]", b"null", b"{", b'"x"', b"\xff", b"[" * 100_000, b'{"amountDecimal": NaN}', b'{"payeeId": "\\ud800"}',
    b'{"payeeId": 5, "amountDecimal": 1}', b'{"amountDecimal": 1}', b'{"payeeId": "", "amountDecimal": 1}',
    b'{"payeeId": "pd-1", "amountDecimal": 1}', b'{"payeeId": "' + b"x" * 2000 + b'", "amountDecimal": 1}',
]  # fmt: skip
AMOUNTS = (
    '"1"', "0", "-1", "-0.0", "1.001", "1e-9999", "1e99999999", "99999999999999999999", "true", "null", "[]", "{}",
    "1" * 5000, "0.005", "1000000000000.01",
)  # fmt: skip


def test_hostile_requests_move_nothing(sandbox: Sandbox, client: AuthenticatedClient, payee: Payee) -> None:
    """Each gets an error as the document has it, and none is a fault of the sandbox's."""
    bodies = HOSTILE + [f'{{"payeeId": "{payee.id}", "amountDecimal": {it}}}'.encode() for it in AMOUNTS]
    for extra in (
        '"memo": "a\\u0000b"',
        '"memo": "a\\nb"',
        '"memo": 5',
        '"metadata": []',
        '"walletId": "other"',
    ):
        bodies.append(f'{{"payeeId": "{payee.id}", "amountDecimal": 1, {extra}}}'.encode())
    for path in (PAY, PAYEES):
        for body in bodies:
            answer = client.request("POST", path, content=body)
            assert answer.status_code in (400, 404), (path, body[:80], answer.text)
            assert answer.headers["content-type"] == "application/vnd.payman.v1+json"
            assert RestError.from_dict(answer.json()).error_code, body[:80]
    assert client.request("POST", PAY, content=b"x" * 2_000_000).status_code == 413
    assert client.request("GET", PAY).status_code == 405
    for path in ("/balances/currencies/EUR", "/balances/currencies/%2e%2e", "/payments/payees/%00"):
        method = "DELETE" if "payees" in path else "GET"
        assert client.request(method, path).status_code == 404, path
    assert client.request("GET", "/payments/search-payees?name=%ff").status_code == 400
    payment = json.dumps({"payeeId": payee.id, "amountDecimal": 1})
    assert (
        client.request("POST", PAY, content=payment, headers={"Origin": "https://evil.example"}).status_code
        == 403
    )
    assert sandbox.payments == []
    assert sandbox.balance() == 1000
    assert [it.operation for it in sandbox.requests[:2]] == ["search_payees", "send_direct_payment"]


def test_a_secret_opens_its_own_account_only(sandbox: Sandbox, payee: Payee) -> None:
    """Unknown, missing and shared secrets open nothing, and another client's opens that client's."""
    other, secret = sandbox.add_client("other", "geheim-é")
    sandbox.add_public_client("public")
    body = json.dumps({"payeeId": payee.id, "amountDecimal": 1})

    def ask(*headers: tuple[str, str]) -> httpx.Response:
        encoded = [(name.encode(), value.encode("latin-1")) for name, value in headers]
        return httpx.post(sandbox.rest_url + PAY, content=body, headers=encoded)

    for header in ([], [("x-payman-api-secret", "wrong")], [("x-payman-api-secret", "")]):
        refused = ask(*header)
        assert (refused.status_code, refused.json()["errorCode"]) == (401, "not_authorized"), header
    ours = ask((ACCESS_TOKEN_HEADER, secret))
    assert ours.status_code in (401, 404), "a payee of one account is unknown in another"
    sandbox.add_client("third", sandbox.client_secret)
    shared = ask((ACCESS_TOKEN_HEADER, sandbox.client_secret))
    assert (shared.status_code, shared.json()["errorCode"]) == (401, "not_authorized")
    assert sandbox.payments == []
    assert sandbox.balance(client_id=other) == 1000


def test_an_answer_that_is_not_an_amount_is_not_a_balance() -> None:
    """A proxy's text, or a text in a number's place, is an error and never a balance."""
    for content in (b'"989.5"', b"null", b"{}", b"<html>", b""):
        transport = httpx.MockTransport(lambda _, content=content: httpx.Response(200, content=content))
        client = AuthenticatedClient(
            "https://payman.invalid/api", token="x", httpx_args={"transport": transport}
        )
        with pytest.raises(AnswerError):
            get_spendable_balance.sync_parsed("TSD", client=client)
