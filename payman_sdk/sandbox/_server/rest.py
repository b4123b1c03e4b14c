"""The REST API that Payman no longer advertises: its routes, and what each does in one transaction over the agent's ledger.

A client's secret is its API secret, and opens its whole account. A payment that the policy forbids is `REJECTED`; other obstacles
are errors. A payment that waits for a person waits in a task, as the agent's do.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, Literal, cast
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from payman_api.rest import ACCESS_TOKEN_HEADER, PATHS, SERVERS
from payman_sdk.sandbox._agent import tasks
from payman_sdk.sandbox._agent.language.intents import PayeeKind
from payman_sdk.sandbox._ledger import accounts, ledger, payments
from payman_sdk.sandbox._ledger.accounts import Account, PayeeAccount, WalletAccount
from payman_sdk.sandbox._ledger.environment import SandboxEnvironment, to_datetime
from payman_sdk.sandbox._ledger.ledger import InsufficientFundsError, LimitError, RefusedError
from payman_sdk.sandbox._ledger.store import Store, Transaction
from payman_sdk.sandbox._server.request_log import parse_body, parse_parameters, read_body
from payman_sdk.sandbox._server.streaming import respond_mishap
from payman_sdk.sandbox.scripting import HTTPError, Mishap, NotTakenError, Script

BASE_PATH = urlsplit(SERVERS["LIVE"]).path
"""Where the REST API is, below the sandbox's address."""
Json = dict[str, Any]
ErrorCode = Literal[
    "invalid_payload", "insufficient_funds", "validation_error", "entity_not_found", "not_authorized", "not_allowed",
]  # fmt: skip
_STATUSES: dict[ErrorCode, int] = {"not_authorized": 401, "not_allowed": 403, "entity_not_found": 404}
"""The HTTP status of an error; 400 of any other."""
_LONGEST_TEXT = 1000
_LARGEST_AMOUNT = 10**12
_NEEDED = {
    PayeeKind.TEST_RAILS: ("name",),
    PayeeKind.CRYPTO_ADDRESS: ("address", "chain", "currency"),
    PayeeKind.PAYMAN_WALLET: ("paymanWallet",),
    PayeeKind.US_ACH: ("accountNumber", "routingNumber"),
}
"""What a payee of each type has to have; the first is its name where none is given."""


class _RestResponse(Response):
    media_type = "application/vnd.payman.v1+json"

    def __init__(self, content: object, status: int = 200) -> None:
        super().__init__(json.dumps(content).encode(), status)


def create_routes(service: RestService) -> list[Route]:
    def route(
        operation: str, method: str, act: Callable[[Request, str | None], Awaitable[Response]]
    ) -> Route:
        async def endpoint(request: Request) -> Response:
            try:
                return await act(request, request.headers.get(ACCESS_TOKEN_HEADER))
            except RestError as error:
                status = _STATUSES.get(error.code, 400)
                said = {"errorCode": error.code, "message": str(error)}
                moment = to_datetime(service.world.now()).isoformat()
                return _RestResponse({"status": status, "timestamp": moment, **said}, status)

        return Route(BASE_PATH + PATHS[operation], endpoint, methods=[method])

    async def pay(request: Request, secret: str | None) -> Response:
        paid, mishap = await run_in_threadpool(service.pay, secret, await read_body(request))
        return respond_mishap(mishap) or _RestResponse(paid)

    async def create_payee(request: Request, secret: str | None) -> Response:
        return _RestResponse(await run_in_threadpool(service.create_payee, secret, await read_body(request)))

    async def delete_payee(request: Request, secret: str | None) -> Response:
        return _RestResponse(await run_in_threadpool(service.delete_payee, secret, request.path_params["id"]))

    async def search_payees(request: Request, secret: str | None) -> Response:
        query = parse_parameters(request.scope["query_string"])
        if query is None:
            raise RestError("invalid_payload", "the query cannot be read")
        return _RestResponse(await run_in_threadpool(service.search_payees, secret, dict(query)))

    async def read_balance(request: Request, secret: str | None) -> Response:
        return _RestResponse(
            await run_in_threadpool(service.read_balance, secret, request.path_params["currency"])
        )

    return [
        route("send_direct_payment", "POST", pay),
        route("create_payee", "POST", create_payee),
        route("delete_payee", "DELETE", delete_payee),
        route("search_payees", "GET", search_payees),
        route("get_spendable_balance", "GET", read_balance),
    ]


class RestError(Exception):
    """A request that is not carried out: nothing was written."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code: ErrorCode = code


class RestService:
    def __init__(self, store: Store, world: SandboxEnvironment, script: Script) -> None:
        self._store, self.world, self._script = store, world, script

    def pay(self, secret: str | None, body: bytes) -> tuple[Json, Mishap | None]:
        """Pay, or let the payment wait; return that, and the fault of the answer; raises RestError or NotTakenError."""
        with self._open(secret) as (tx, account):
            members = _read_object(body)
            payee = self._find_payee(tx, account, _read_text(members, "payeeId", is_needed=True))
            wallet = _choose_wallet(tx, account, _read_text(members, "walletId"))
            amount, memo = _read_amount(members), _read_text(members, "memo") or None
            if not isinstance(members.get("metadata", {}), dict | None):
                raise RestError("validation_error", "metadata must be an object")
            planned = self._script.take()
            if planned.turn is not None:
                said = {"message": "the script holds an answer of the agent's"}
                raise NotTakenError(HTTPError(500, body=said))

            def make(number: int) -> payments.SandboxPayment:
                return payments.propose(
                    tx,
                    self.world,
                    account,
                    task_number=number,
                    wallet=wallet,
                    payee=payee,
                    amount=amount,
                    description=memo,
                    ask=False,
                )

            about = f"pay {ledger.to_decimal(amount)} {wallet.currency} to {payee.name}"
            tx.execute("SAVEPOINT payment")
            try:
                payment = tasks.order_directly(tx, self.world, account, about, make)
            except LimitError:
                tx.execute("ROLLBACK TO payment")
                return _payment_shape(None, "REJECTED"), planned.mishap
            except InsufficientFundsError as refusal:
                raise RestError("insufficient_funds", str(refusal)) from None
            except RefusedError as refusal:
                raise RestError("not_allowed", str(refusal)) from None
            return _payment_shape(payment.id, payment.status), planned.mishap

    def create_payee(self, secret: str | None, body: bytes) -> Json:
        """Add a payee; raises RestError."""
        with self._open(secret) as (tx, account):
            members = _read_object(body)
            kind = members.get("type")
            if kind not in list(PayeeKind):
                raise RestError("validation_error", f"type must be one of {', '.join(PayeeKind)}")
            given = [_read_text(members, name, is_needed=True) for name in _NEEDED[PayeeKind(kind)]]
            contact: object = members.get("contactDetails") or {}
            if not isinstance(contact, dict):
                raise RestError("validation_error", "contactDetails must be an object")
            email = _read_text(cast("Json", contact), "email") or None
            name = _read_text(members, "name") or given[0]
            return _payee_shape(
                accounts.add_payee(tx, self.world, account, name=name, email=email, kind=PayeeKind(kind))
            )

    def delete_payee(self, secret: str | None, identity: str) -> Json:
        """Delete a payee whom no payment is about; raises RestError."""
        with self._open(secret) as (tx, account):
            if not accounts.delete_payee(tx, self._find_payee(tx, account, identity)):
                raise RestError("not_allowed", "the sandbox keeps payees whom a payment is about")
            return {"success": True, "message": "Deleted"}

    def search_payees(self, secret: str | None, query: Mapping[str, str]) -> list[Json]:
        """Return the payees that fit; raises RestError. The sandbox knows names and emails; other criteria fit none."""
        name, email = (accounts.fold_name(query.get(key, "")) for key in ("name", "contactEmail"))
        with self._open(secret) as (tx, account):
            if any(value for key, value in query.items() if key not in ("name", "contactEmail")):
                return []
            return [
                _payee_shape(payee)
                for payee in accounts.list_payees(tx, account)
                if name in accounts.fold_name(payee.name)
                and email in ("", accounts.fold_name(payee.email or ""))
            ]

    def read_balance(self, secret: str | None, currency: str) -> float:
        """Return what the wallet of a currency holds; raises RestError."""
        with self._open(secret) as (tx, account):
            for wallet in accounts.list_wallets(tx, account):
                if wallet.currency == currency:
                    return float(ledger.to_decimal(ledger.read_balance(tx, wallet.book)))
            raise RestError("entity_not_found", "the account has no wallet of this currency")

    @contextmanager
    def _open(self, secret: str | None) -> Generator[tuple[Transaction, Account]]:
        with self._store.transaction() as tx:
            rows = tx.execute(
                "SELECT id, secret FROM clients WHERE secret IS NOT NULL AND NOT barred"
            ).fetchall()
            fits = [
                it["id"] for it in rows if hmac.compare_digest(it["secret"].encode(), (secret or "").encode())
            ]
            account = accounts.find_account(tx, fits[0]) if len(fits) == 1 else None
            if account is None:
                reason = "several clients have this secret" if fits else "it is missing or unknown"
                raise RestError("not_authorized", f"the x-payman-api-secret header is not valid: {reason}")
            yield tx, account

    def _find_payee(self, tx: Transaction, account: Account, identity: str) -> PayeeAccount:
        payee = accounts.find_payee(tx, account, identity)
        if payee is None:
            raise RestError("entity_not_found", "the account has no payee with this id")
        return payee


def _choose_wallet(tx: Transaction, account: Account, identity: str) -> WalletAccount:
    found = [
        it for it in accounts.list_wallets(tx, account) if not identity or identity in (it.id, it.paytag)
    ]
    if not found:
        raise RestError("entity_not_found", "the account has no wallet with this id")
    if len(found) > 1:
        raise RestError("validation_error", "walletId must name the wallet that pays")
    return found[0]


def _read_object(body: bytes) -> Json:
    try:
        read = parse_body(body, parse_float=Decimal, parse_int=Decimal)
    except (ValueError, ArithmeticError, RecursionError):
        raise RestError("invalid_payload", "the body is not valid JSON") from None
    if not isinstance(read, dict):
        raise RestError("invalid_payload", "the body is not one JSON object")
    return cast("Json", read)


def _read_text(members: Json, name: str, *, is_needed: bool = False) -> str:
    value = members.get(name)
    if value is None and not is_needed:
        return ""
    if (
        not isinstance(value, str)
        or not value.isprintable()
        or len(value) > _LONGEST_TEXT
        or (is_needed and not value.strip())
    ):
        raise RestError(
            "validation_error", f"{name} must be a printable text of at most {_LONGEST_TEXT} characters"
        )
    return value


def _read_amount(members: Json) -> int:
    value = members.get("amountDecimal")
    if not isinstance(value, Decimal) or not 0 < value <= _LARGEST_AMOUNT:
        raise RestError("validation_error", "amountDecimal must be a number above 0")
    try:
        return ledger.to_minor(value)
    except (ValueError, ArithmeticError):
        raise RestError("validation_error", "amountDecimal has more decimals than the currency") from None


def _payment_shape(reference: str | None, status: str) -> Json:
    return {"reference": reference, "externalReference": None, "status": status}


def _payee_shape(payee: PayeeAccount) -> Json:
    contact = {} if payee.email is None else {"contactDetails": {"email": payee.email}}
    return {"id": payee.id, "type": payee.kind.value, "name": payee.name, **contact}
