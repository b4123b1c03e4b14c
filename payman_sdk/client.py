"""`PaymanClient`: what a user of the SDK holds. Thin: it owns the connections and drives flows.

Whatever takes long to import (httpx, the generated models) is imported where it is first used.
"""

from __future__ import annotations

import threading
import time
import weakref
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self, Unpack, overload
from uuid import uuid4

from payman_sdk.config import config_from_env, read_config, require_secret
from payman_sdk.errors import ConfigurationError
from payman_sdk.types import (
    AskOptions,
    FormattedTaskResponse,
    JsonAskOptions,
    MarkdownAskOptions,
    PaymanConfig,
    TaskResponse,
)

if TYPE_CHECKING:
    import httpx

    from payman_sdk.flows import Door
    from payman_sdk.tasks.agent import Agent


class _Connection(NamedTuple):
    door: Door
    agent: Agent


class PaymanClient:
    """A connection to Payman's agent, for one application and one conversation; safe to share between threads.

    Args:
        config: The settings as a dict; see `PaymanConfig` for the keys.
        http_client: An `httpx.Client` to use instead of one of the client's own; closing it stays with whoever made it.
        **settings: The same settings as keywords; a keyword wins over the dict.

    Raises:
        ConfigurationError: A setting is missing, unknown or unusable; nothing was sent.

    Example:
        >>> from payman_sdk import PaymanClient
        >>> from payman_sdk.sandbox import Sandbox
        >>> with Sandbox() as sandbox:
        ...     with PaymanClient(
        ...         client_id=sandbox.client_id, client_secret=sandbox.client_secret, base_url=sandbox.base_url
        ...     ) as client:
        ...         print(client.ask("list all wallets").status)
        completed
    """

    def __init__(
        self,
        config: PaymanConfig | None = None,
        *,
        http_client: httpx.Client | None = None,
        **settings: Unpack[PaymanConfig],
    ) -> None:
        self._config = read_config(config, settings)
        self._secret = require_secret(self._config)
        self._session_id = self._config.session_id or _new_session_id()
        self._http = http_client
        self._owns_http = http_client is None
        self._connection: _Connection | None = None
        self._connecting = threading.Lock()
        self._closed = False

    @classmethod
    def with_credentials(
        cls,
        config: PaymanConfig | None = None,
        *,
        http_client: httpx.Client | None = None,
        **settings: Unpack[PaymanConfig],
    ) -> Self:
        """A client that acts for the application's own account: the client credentials grant [D].

        Its access token is fetched when it is first needed.

        Args:
            config: The settings as a dict, with `client_id` and `client_secret` at least.
            http_client: An `httpx.Client` to use instead of one of the client's own.
            **settings: The same settings as keywords; a keyword wins over the dict.

        Raises:
            ConfigurationError: A setting is missing, unknown or unusable; nothing was sent.

        Example:
            >>> from payman_sdk.client import PaymanClient
            >>> client = PaymanClient.with_credentials(
            ...     {"client_id": "your_client_id", "client_secret": "your_client_secret", "environment": "TEST"}
            ... )
            >>> client.get_session_id()[:4]
            'ses-'
        """
        return cls(config, http_client=http_client, **settings)

    @classmethod
    def from_env(cls, *, http_client: httpx.Client | None = None, **settings: Unpack[PaymanConfig]) -> Self:
        """A client from PAYMAN_CLIENT_ID, PAYMAN_CLIENT_SECRET, PAYMAN_ENVIRONMENT and PAYMAN_BASE_URL.

        What the environment does not have is looked up in the nearest `.env`, where python-dotenv is installed (the extra
        `dotenv`).

        Args:
            http_client: An `httpx.Client` to use instead of one of the client's own.
            **settings: Settings that win over the environment's.

        Raises:
            ConfigurationError: A variable is missing or its value unusable; nothing was sent.
        """
        return cls(config_from_env(settings), http_client=http_client)

    @overload
    def ask(
        self,
        text: str,
        options: JsonAskOptions,
        raw: bool = False,
        **keywords: Unpack[MarkdownAskOptions],
    ) -> TaskResponse: ...
    @overload
    def ask(
        self,
        text: str,
        options: AskOptions | None = None,
        raw: bool = False,
        **keywords: Unpack[JsonAskOptions],
    ) -> TaskResponse: ...
    @overload
    def ask(
        self,
        text: str,
        options: MarkdownAskOptions | None = None,
        raw: Literal[False] = False,
        **keywords: Unpack[MarkdownAskOptions],
    ) -> FormattedTaskResponse: ...
    @overload
    def ask(
        self,
        text: str,
        options: MarkdownAskOptions | None,
        raw: Literal[True],
        **keywords: Unpack[MarkdownAskOptions],
    ) -> TaskResponse: ...
    @overload
    def ask(
        self,
        text: str,
        options: MarkdownAskOptions | None = None,
        *,
        raw: Literal[True],
        **keywords: Unpack[MarkdownAskOptions],
    ) -> TaskResponse: ...
    @overload
    def ask(
        self,
        text: str,
        options: MarkdownAskOptions | None = None,
        raw: bool = False,
        **keywords: Unpack[MarkdownAskOptions],
    ) -> FormattedTaskResponse | TaskResponse: ...
    def ask(
        self, text: str, options: AskOptions | None = None, raw: bool = False, **keywords: Any
    ) -> FormattedTaskResponse | TaskResponse:
        """Asks Payman's agent something, or to do something, and returns its answer.

        The request is sent once. Whatever the network does, an ask that may have reached the agent is not sent again.

        Args:
            text: What the agent should do, in plain words.
            options: `new_session`, `metadata`, `message_metadata`, `part_metadata`, `output_format`, as a dict; see
                `AskOptions`.
            raw: Whether to return the JSON-RPC answer as it came; so does `output_format='json'`.
            **keywords: The same options as keywords; a keyword wins over the dict.

        Raises:
            ConfigurationError: The text or an option is unusable; nothing was sent.
            APIConnectionError: Payman could not be reached; nothing was sent.
            AuthenticationError: Payman gave no token for these credentials; nothing was done.
            APIStatusError: Payman refused; nothing was done.
            AgentError: The agent answered with an error.
            ResponseValidationError: The answer cannot be read.
            OutcomeUnknownError: It was sent, and whether it was carried out is not known; ask `get_task`.

        Example:
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     response = client.ask("send 10 TSD to Test Payee", metadata={"source": "docs"})
            ...     print(response.status, response["sessionId"] == client.get_session_id())
            completed True
        """
        from payman_sdk.tasks.ask import check_text, read_options

        check_text(text)
        chosen = read_options(options, keywords)
        connection = self._connect()
        session_id = self._session_id
        if chosen.get("new_session"):
            session_id = self._session_id = _new_session_id()
        return connection.door.run(connection.agent.ask(text, session_id, chosen, raw=raw))

    def get_task(self, task_id: str) -> FormattedTaskResponse:
        """How a task stands, such as one that waited for approval or whose answer was lost [P].

        Args:
            task_id: The id of the task: `response.task_id` or `error.task_id`.

        Raises:
            TaskNotFoundError: The agent knows no such task: it never arrived.
            PaymanError: As for `ask`.

        Example:
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     task_id = client.ask("list all wallets").task_id
            ...     print(client.get_task(task_id).status)
            completed
        """
        connection = self._connect()
        return connection.door.run(connection.agent.task(task_id))

    def get_session_id(self) -> str:
        """The id of the session that the next ask belongs to (`ses-…`)."""
        return self._session_id

    def get_client_name(self) -> str | None:
        """The name the client was given, None if none."""
        return self._config.name

    def close(self) -> None:
        """Closes the client's connections; doing it twice is harmless. A given `http_client` stays open."""
        with self._connecting:
            self._closed = True
            if self._owns_http and self._http is not None:
                self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        name = f" {self._config.name!r}" if self._config.name else ""
        return f"<PaymanClient{name} {self._config.client_id} at {self._config.base_url}>"

    def _connect(self) -> _Connection:
        """The door and the agent behind it, made on first use."""
        with self._connecting:
            if self._closed:
                raise ConfigurationError("This client has been closed.", next_step="Make a new one.")
            if self._connection is None:
                self._connection = self._made_connection()
            return self._connection

    def _made_connection(self) -> _Connection:
        import httpx

        from payman_sdk.auth.grants import ClientCredentials
        from payman_sdk.auth.secrecy import hide_token_requests
        from payman_sdk.auth.tokens import Tokens
        from payman_sdk.flows import Door, Patience, own_http_client
        from payman_sdk.tasks.agent import Agent

        config = self._config
        hide_token_requests()
        if not isinstance(self._http, httpx.Client | None):
            raise ConfigurationError(
                f"http_client is a {type(self._http).__name__}.", next_step="Give an httpx.Client."
            )
        if self._http is None:
            self._http = own_http_client(config.base_url)
            # Programs make clients and drop them; their connections must not wait for the end of the process.
            weakref.finalize(self, self._http.close)
        door = Door(
            self._http, config.base_url, Patience(connect=config.connect_timeout, read=config.read_timeout)
        )
        tokens = Tokens(ClientCredentials(config.client_id, self._secret), time.monotonic)
        return _Connection(door, Agent(tokens, config.timeout, time.monotonic))


def _new_session_id() -> str:
    return f"ses-{uuid4()}"
