"""The sandbox as a whole: a local Payman that serves in a thread of its own."""

from __future__ import annotations

import ipaddress
import secrets
import time
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, Unpack

from starlette.applications import Starlette

from payman_sdk.sandbox import accounts, ledger, payments, tasks
from payman_sdk.sandbox.accounts import Account
from payman_sdk.sandbox.app import create_app
from payman_sdk.sandbox.authority import Authority
from payman_sdk.sandbox.grants import Terms
from payman_sdk.sandbox.issuing import Issuing
from payman_sdk.sandbox.ledger import LedgerRow
from payman_sdk.sandbox.payments import Payment
from payman_sdk.sandbox.service import Service
from payman_sdk.sandbox.serving import Serving
from payman_sdk.sandbox.store import Store, Transaction
from payman_sdk.sandbox.wire import Style
from payman_sdk.sandbox.world import Clock, Randomness, World

if TYPE_CHECKING:
    import httpx

    from payman_sdk.async_client import AsyncPaymanClient
    from payman_sdk.auth.stores import TokenStore
    from payman_sdk.client import PaymanClient
    from payman_sdk.types import PaymanConfig


class Sandbox(Issuing):
    """A local Payman, with real HTTP and money that exists nowhere else.

    Every client id has an account of its own: a wallet with 1000 TSD, a test payee and the default policy.
    What is kept outlives `stop()`: a sandbox can be started again, at the same address, which to its clients is an
    outage. With `db` it outlives the process too, the client's id and secret included.

    Args:
        clients: client ids and their secrets, None for a public client, which has none. The first one with a secret is
            the sandbox's own; without any, one is made (or the first in `db` is used again).
        public_clients: more public clients.
        redirect_uris: for clients with fixed redirect URIs, which these are; http ones to this machine match on any port.
            The others may use any that is https, http to this machine, or an app's own scheme.
        db: the file of the SQLite database; without it everything is kept in memory.
        port: 0 takes a free one.
        host: a loopback address.
        uppercase_states: `COMPLETED` as the live server does, rather than `completed` as A2A does.
        nanosecond_timestamps: nine fractional digits as the live server has, rather than three.
        token_lifetime: of an access token, in seconds.
        refresh_token_lifetime: of a refresh token, in seconds; each rotation begins it anew.
        code_lifetime: of an authorization code, in seconds.
        rotate_refresh_tokens: whether a refresh token is good for one use and its answer holds the next one. Two requests
            with the same one at the same time count as reuse, which revokes everything that came of the same consent.
        refresh_for_credentials: whether client credentials get a refresh token too.
        clock: gives the time in seconds since 1970.
        randomness: gives that many random bytes, for ids and secrets.

    Attributes:
        client_id: the id of the sandbox's own client: the first of `clients`, or the one that was made.
        client_secret: its secret.
        service: what the endpoints do, without HTTP.
        app: the endpoints as an ASGI application, for whoever needs no socket.

    Raises:
        ValueError: if the host is not a loopback address, or a client's id, secret or redirect URI or a lifetime
            cannot be one.

    Example:
        >>> with Sandbox() as sandbox:
        ...     sandbox.balance("TSD")
        Decimal('1000.00')
    """

    def __init__(
        self,
        *,
        clients: Mapping[str, str | None] | None = None,
        public_clients: Iterable[str] = (),
        redirect_uris: Mapping[str, Iterable[str]] | None = None,
        db: str | Path | None = None,
        port: int = 0,
        host: str = "127.0.0.1",
        uppercase_states: bool = True,
        nanosecond_timestamps: bool = True,
        token_lifetime: float = 3600,
        refresh_token_lifetime: float = 30 * 24 * 3600,
        code_lifetime: float = 60,
        rotate_refresh_tokens: bool = True,
        refresh_for_credentials: bool = False,
        clock: Clock = time.time,
        randomness: Randomness = secrets.token_bytes,
    ) -> None:
        if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
            raise ValueError(f"host has to be a loopback address such as 127.0.0.1, not {host}")
        terms = Terms(
            token_lifetime=token_lifetime,
            refresh_token_lifetime=refresh_token_lifetime,
            code_lifetime=code_lifetime,
            rotate_refresh_tokens=rotate_refresh_tokens,
            refresh_for_credentials=refresh_for_credentials,
        )
        self._host, self._port = host, port
        self._store = Store(db)
        self._world = World(clock, randomness)
        self._serving: Serving | None = None
        self.client_id, self.client_secret = self._register(
            clients or {}, public_clients, redirect_uris or {}
        )
        self.service = Service(self._store, self._world, Style(uppercase_states, nanosecond_timestamps))
        self.authority = Authority(self._store, self._world, terms)
        self.app: Starlette = create_app(self.service, self.authority)

    def start(self) -> Self:
        """Serve, unless it serves already; returns the sandbox.

        Raises:
            OSError: if the port is taken.
        """
        if self._serving is None:
            self._serving = Serving(self.app, self._host, self._port)
            self._port = self._serving.port
        return self

    def stop(self) -> None:
        """Stop serving; what is kept stays, for questions and for another `start()`."""
        if self._serving is not None:
            self._serving.stop()
            self._serving = None

    def close(self) -> None:
        """Stop serving and close the database; a sandbox in memory forgets everything."""
        self.stop()
        self._store.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        where = self.base_url if self._port else "not started yet"
        return f"<Sandbox {where}{'' if self._serving or not self._port else ', stopped'}>"

    @property
    def base_url(self) -> str:
        """Where it serves, such as `http://127.0.0.1:8642`.

        Raises:
            RuntimeError: if it has no port yet.
        """
        if not self._port:
            raise RuntimeError(
                "the sandbox has no address before it is started: use `with Sandbox() as sandbox`"
            )
        return f"http://{f'[{self._host}]' if ':' in self._host else self._host}:{self._port}"

    def client(
        self,
        *,
        http_client: httpx.Client | None = None,
        token_store: TokenStore | None = None,
        **config: Unpack[PaymanConfig],
    ) -> PaymanClient:
        """A client that is connected to this sandbox.

        Args:
            http_client: an httpx client to use instead of one of the client's own.
            token_store: where the token is kept.
            config: as for `PaymanClient.with_credentials`; other credentials may be among it.
        """
        from payman_sdk.client import PaymanClient

        return PaymanClient.with_credentials(
            {**self._own(), **config}, http_client=http_client, token_store=token_store
        )

    def async_client(
        self,
        *,
        http_client: httpx.AsyncClient | None = None,
        token_store: TokenStore | None = None,
        **config: Unpack[PaymanConfig],
    ) -> AsyncPaymanClient:
        """A client for asyncio and trio that is connected to this sandbox.

        Args:
            http_client: an httpx client to use instead of one of the client's own.
            token_store: where the token is kept.
            config: as for `AsyncPaymanClient.with_credentials`; other credentials may be among it.
        """
        from payman_sdk.async_client import AsyncPaymanClient

        return AsyncPaymanClient.with_credentials(
            {**self._own(), **config}, http_client=http_client, token_store=token_store
        )

    def _own(self) -> PaymanConfig:
        return {
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "base_url": self.base_url,
        }

    @property
    def payments(self) -> list[Payment]:
        """The payments of all clients, oldest first: those that were made, that wait, and that were rejected."""
        with self._store.transaction() as tx:
            return payments.all_payments(tx)

    @property
    def pending(self) -> list[Payment]:
        """The payments that wait for approval, oldest first."""
        return [payment for payment in self.payments if payment.status == "AWAITING_APPROVAL"]

    def balance(self, currency: str = "TSD", *, client_id: str | None = None) -> Decimal:
        """What is in the wallet of that currency.

        Args:
            currency: such as `TSD`.
            client_id: whose wallet; the sandbox's own client's, if none is named.

        Raises:
            LookupError: if there is no such client or wallet.
        """
        with self._store.transaction() as tx:
            account = self._account(tx, client_id or self.client_id)
            for wallet in accounts.wallets(tx, account):
                if wallet.currency == currency:
                    return ledger.to_decimal(ledger.balance(tx, wallet.book))
        raise LookupError(f"client {account.client_id} has no {currency} wallet")

    def approve(self, task_id: str, *, client_id: str | None = None) -> Payment:
        """Approve the payment that a task waits for.

        Args:
            task_id: the task.
            client_id: whose task it is; needed only if several clients have tasks of that id.

        Returns:
            The payment: `INITIATED`, or `REJECTED` if by now the policy or the balance forbids it.

        Raises:
            LookupError: if there is no such task.
            ValueError: if the task does not wait for approval, or if several clients have one of that id.
        """
        return self._settle(task_id, client_id, approve=True)

    def deny(self, task_id: str, *, client_id: str | None = None) -> Payment:
        """Deny the payment that a task waits for; arguments, answer and errors are those of `approve`."""
        return self._settle(task_id, client_id, approve=False)

    def _settle(self, task_id: str, client_id: str | None, *, approve: bool) -> Payment:
        with self._store.transaction() as tx:
            query = (
                "SELECT c.id FROM tasks t JOIN clients c ON c.account_id = t.account_id "
                "WHERE t.id = ? AND c.id = COALESCE(?, c.id)"
            )
            owners = [row["id"] for row in tx.execute(query, (task_id, client_id))]
            if len(owners) != 1:
                if owners:
                    raise ValueError(
                        f"several clients have a task {task_id}: say which one's with client_id="
                    )
                raise tasks.UnknownTaskError(f"there is no task {task_id}")
            account = self._account(tx, owners[0])
            tasks.settle(tx, self._world, account, task_id, approve=approve)
            settled = payments.of_task(tx, account, task_id)
        assert settled is not None  # noqa: S101 (there was something to settle)
        return settled

    def _account(self, tx: Transaction, client_id: str) -> Account:
        account = accounts.find_account(tx, client_id)
        if account is None:
            raise LookupError(f"there is no client {client_id}")
        return account

    def ledger(self) -> list[LedgerRow]:
        """Every entry of the ledger, oldest first; those of one transfer add up to zero."""
        with self._store.transaction() as tx:
            return ledger.rows(tx)

    def check_invariants(self) -> None:
        """Check that the ledger adds up, nobody is below zero, and every payment is in it as it says.

        Raises:
            AssertionError: naming what is broken.
        """
        with self._store.transaction() as tx:
            ledger.check_invariants(tx)
