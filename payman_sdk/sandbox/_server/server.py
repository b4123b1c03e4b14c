"""The sandbox as a whole: a local Payman that serves in its own thread."""

from __future__ import annotations

import secrets
import weakref
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, get_args

from starlette.applications import Starlette

from payman_sdk._annotations import LazyModule
from payman_sdk.sandbox._agent.event_schedule import Resubscribe, StreamSettings
from payman_sdk.sandbox._agent.serialization import Style
from payman_sdk.sandbox._ledger.environment import (
    Clock,
    JsonAnswers,
    Randomness,
    SandboxEnvironment,
    read_server_time,
)
from payman_sdk.sandbox._ledger.store import Store
from payman_sdk.sandbox._oauth.grants import Terms
from payman_sdk.sandbox._oauth.oauth_service import OAuthService
from payman_sdk.sandbox._server.agent_control import FaultControl, PaymentControl
from payman_sdk.sandbox._server.app import create_app
from payman_sdk.sandbox._server.clients import ClientControl
from payman_sdk.sandbox._server.request_log import RequestLog, SandboxRequest
from payman_sdk.sandbox._server.rest import BASE_PATH
from payman_sdk.sandbox._server.service import Service
from payman_sdk.sandbox._server.serving import ServerThread, check_port
from payman_sdk.sandbox._server.stream_faults import StreamFaults
from payman_sdk.sandbox._web.origins import PAGE
from payman_sdk.sandbox._web.security import check_access
from payman_sdk.sandbox.scripting import Script

if TYPE_CHECKING:
    from payman_sdk.sandbox._server import transport as transports
else:
    transports = LazyModule("payman_sdk.sandbox._server.transport")


class Sandbox(ClientControl, PaymentControl, FaultControl):
    """A local Payman with real HTTP and test money.

    Every client id has its own account: a wallet with 1000 TSD, a test payee and the default policy.
    After `stop()` the sandbox can be started again at the same address with the same data, which simulates an outage. With `db`, the
    data and the credentials also survive the process.

    Args:
        clients: Client ids and their secrets; None for a public client. The first one with a secret is the sandbox's own. Without
            any, the sandbox creates one (or uses the first in `db` again).
        public_clients: More public clients.
        redirect_uris: Fixed redirect URIs of clients; http ones to this machine match on any port. Other clients may use any
            redirect URI that is https, http to this machine, or an app's own scheme.
        db: The file of the SQLite database. The default is memory.
        port: The port; 0 picks a free one.
        host: A loopback address. Another address, such as `0.0.0.0`, lets other machines in, and needs `allow_hosts`.
        allow_hosts: Host names that other machines use, such as `sandbox`. Requests to other names are refused.
        admin_token: The password of the web page, the consent page and the admin API for other machines, with at least 16
            characters. If it is needed and missing, the sandbox makes one.
        uppercase_states: Write `COMPLETED` like the live server, rather than `completed` like A2A.
        nanosecond_timestamps: Write nine fractional digits like the live server, rather than three.
        token_lifetime: Seconds until an access token expires.
        refresh_token_lifetime: Seconds until a refresh token expires. Each rotation starts again.
        code_lifetime: Seconds until an authorization code expires.
        rotate_refresh_tokens: Whether a refresh token is valid for one use and returns the next one. Two requests with the same one
            at the same time count as reuse, which revokes all tokens of the same consent.
        refresh_for_credentials: Whether client credentials get a refresh token too.
        chunk_words: At most this many words in one event of a stream.
        pace: Seconds between two events of a stream, as if the agent had to work. Money moves at once. Until the last event
            `tasks/get` shows a working task, and `tasks/send` waits. The first event and a cancellation are not delayed.
        keep_alive: Seconds without an event after which a stream sends an SSE comment; None sends none.
        resubscribe: The behavior of `tasks/resubscribe`. `resume` numbers the events of all streams and sends those after the
            `Last-Event-ID`, or all without a known one. `replay` sends all events, and `live` the following ones and
            always the final one, both without numbers. `off` is a server without the method. After a reply, events and numbers
            continue where the task waited.
        tasks_get: False for a server without `tasks/get`.
        json_answers: How the agent answers typed calls. `careful` is correct. `data_part`, `fenced` and `unlinked` (without task
            ids of transactions) are correct in other forms. `prose`, `two_objects`, `other_amount`, `other_payee`, `truncated`,
            `unknown_status`, `paid_with_reason`, `claims_paid` and `claims_refused` are wrong as their names say. The ledger and
            the listed transactions are always correct.
        clock: A function that returns the time in seconds since 1970.
        randomness: A function that returns random bytes, for ids and secrets.

    Attributes:
        client_id: The id of the sandbox's own client.
        client_secret: Its secret.
        admin_token: The password of its pages for other machines; None if it serves this machine only.
        service: The endpoints without HTTP.
        app: The endpoints as an ASGI application, for use without a socket.

    Raises:
        ValueError: Other machines can reach the host and `allow_hosts` is empty. Or the port, a client's id, secret or redirect
            URI, a lifetime or a setting of streams is invalid.

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
        allow_hosts: Iterable[str] = (),
        admin_token: str | None = None,
        uppercase_states: bool = True,
        nanosecond_timestamps: bool = True,
        token_lifetime: float = 3600,
        refresh_token_lifetime: float = 30 * 24 * 3600,
        code_lifetime: float = 60,
        rotate_refresh_tokens: bool = True,
        refresh_for_credentials: bool = False,
        chunk_words: int = 6,
        pace: float = 0.0,
        keep_alive: float | None = None,
        resubscribe: Resubscribe = "resume",
        tasks_get: bool = True,
        json_answers: JsonAnswers = "careful",
        clock: Clock = read_server_time,
        randomness: Randomness = secrets.token_bytes,
    ) -> None:
        check_port(port)
        access = check_access(host, allow_hosts, admin_token)
        self.admin_token = None if access is None else access.admin_token
        terms = Terms(
            token_lifetime=token_lifetime,
            refresh_token_lifetime=refresh_token_lifetime,
            code_lifetime=code_lifetime,
            rotate_refresh_tokens=rotate_refresh_tokens,
            refresh_for_credentials=refresh_for_credentials,
        )
        manner = StreamSettings(
            chunk_words=chunk_words,
            pace=pace,
            keep_alive=keep_alive,
            resubscribe=resubscribe,
            tasks_get=tasks_get,
        )
        self._host, self._port = host, port
        self._store = Store(db)
        if json_answers not in get_args(JsonAnswers):
            known = ", ".join(map(repr, get_args(JsonAnswers)))
            raise ValueError(f"json_answers must be one of {known}, not {json_answers!r}")
        self._world = SandboxEnvironment(clock, randomness, json_answers)
        self._serving: ServerThread | None = None
        self.client_id, self.client_secret = self._register(
            clients or {}, public_clients, redirect_uris or {}
        )
        self._script, self._stream_faults = Script(), StreamFaults()
        style = Style(uppercase_states, nanosecond_timestamps)
        self.service = Service(self._store, self._world, style, manner, self._script)
        self.authority = OAuthService(self._store, self._world, terms)
        self._log = RequestLog()
        self.app: Starlette = create_app(self.service, self.authority, self._stream_faults, self._log, access)
        self._transports: weakref.WeakSet[transports.SandboxTransport] = weakref.WeakSet()

    def start(self) -> Self:
        """Start serving, unless it serves already, and return the sandbox.

        Raises:
            OSError: The port is taken or not allowed; the message names it.
        """
        if self._serving is None:
            self._serving = ServerThread(self.app, self._host, self._port)
            self._port = self._serving.port
        return self

    def stop(self) -> None:
        """Stop serving and keep the data, for another `start()`. Running streams break."""
        if self._serving is not None:
            self._serving.stop()
            self._serving = None

    def close(self) -> None:
        """Stop serving, and close transports and the database. A sandbox in memory loses its data."""
        self.stop()
        for transport in list(self._transports):
            transport.close()
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
    def is_serving(self) -> bool:
        """Whether it listens on its port."""
        return self._serving is not None

    @property
    def base_url(self) -> str:
        """Its address, such as `http://127.0.0.1:8642`.

        Raises:
            RuntimeError: It has no port yet.
        """
        if not self._port:
            raise RuntimeError(
                "the sandbox has no address before it is started: use `with Sandbox() as sandbox`"
            )
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._host, self._host)  # noqa: S104 # nosec B104 # what is served on
        return f"http://{f'[{host}]' if ':' in host else host}:{self._port}"

    @property
    def rest_url(self) -> str:
        """The address of the REST API of `payman_api.rest`, such as `http://127.0.0.1:8642/api`. Its secret is a client's secret.

        Raises:
            RuntimeError: It has no port yet.
        """
        return f"{self.base_url}{BASE_PATH}"

    @property
    def web_url(self) -> str:
        """The address of its web page for a browser on this machine, such as `http://127.0.0.1:8642/web/`.

        Raises:
            RuntimeError: It has no port yet.
        """
        return f"{self.base_url}{PAGE}/"

    def transport(self) -> transports.SandboxTransport:
        """Return an httpx transport that reaches this sandbox without a socket, started or not.

        It is for test suites that block the network. Its client and `close()` close it, but not `stop()`.

        Example:
            >>> import httpx
            >>> from payman_sdk.sandbox import Sandbox
            >>> sandbox = Sandbox()
            >>> with httpx.Client(transport=sandbox.transport()) as http, sandbox.client(http_client=http) as client:
            ...     client.ask("list all wallets").status
            'completed'
        """
        transport = transports.SandboxTransport(self.app)
        self._transports.add(transport)
        return transport

    def _is_reachable(self) -> bool:
        return bool(self._port)

    @property
    def requests(self) -> list[SandboxRequest]:
        """All requests since the sandbox was created, including refused and unreadable ones, oldest first.

        It leaves out requests of the web page, and keeps the newest 10,000. A request appears when its headers have arrived, and
        gets its status with the answer. See also `token_requests`.

        Example:
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     answer = client.ask("list all wallets", idempotency_key="wallets-1")
            ...     [(request.operation, request.status) for request in sandbox.requests]
            [('create_token', 200), ('get_task', 200), ('send_task', 200)]
        """
        return self._log.list_requests()
