"""`PaymanClient`: what a user of the SDK holds. Thin: it owns the connections and drives flows.

Whatever takes long to import (httpx, the generated models) is imported where it is first used.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self, overload

from payman_sdk._annotations import Hidden, Option, ParsedT, Setting
from payman_sdk._client.base import BaseClient, gather_settings
from payman_sdk._client.calls import BaseCalls, BaseConversation, Headers, Json, T, TaskRef
from payman_sdk._client.lazy import (
    configs,
    decimal,
    events,
    grants,
    hooks,
    httpx,
    key_stores,
    options_of,
    payments,
    responses,
    settings,
    stored_token,
    task_stream,
    transports,
)
from payman_sdk._config import Config, Resend
from payman_sdk._io.forks import get_fork_lock
from payman_sdk._secrets import to_secret, wrap_secrets

if TYPE_CHECKING:
    from payman_sdk._core.effects import Flow
    from payman_sdk._core.operations import DescribedFlow
    from payman_sdk._io.runner import SyncRunner


class SyncMethods(BaseCalls["SyncRunner"]):
    """Asks, streams, payments, and the tasks that come of them."""

    # The keywords that many methods share stand in groups, a group a line.
    # fmt: off
    @overload
    def ask(  # pyright: ignore[reportOverlappingOverload] # a call without options has the first one
        self, text: str, options: Option[options_of.MarkdownAskOptions] = None, raw: Literal[False] = False, *,
        response_format: type[ParsedT] | Mapping[str, Any] | None = None, output_format: Option[Literal["markdown"]] = None,
        on_message: Option[events.OnEvent] = None,
        idempotency_key: Option[str] = None, key_store: Option[key_stores.KeyStore] = None, new_session: Option[bool] = None,
        metadata: Option[Json] = None, message_metadata: Option[Json] = None, part_metadata: Option[Json] = None,
        timeout: Option[float] = None, read_timeout: Option[float] = None, idle_timeout: Option[float] = None,
        max_retries: Option[int] = None, settle_time: Option[float] = None, resend: Option[Resend] = None,
        on_retry: Option[hooks.OnRetry] = None, before_send: Option[hooks.BeforeSend] = None, on_task: Option[hooks.OnTask] = None,
        raise_on_failure: Option[bool] = None, extra_headers: Option[Headers] = None,
    ) -> responses.FormattedTaskResponse[ParsedT]: ...
    @overload
    def ask(
        self, text: str, options: Option[options_of.JsonAskOptions | options_of.RawAskOptions] = None, raw: Literal[True] = ..., *,
        response_format: None = None, output_format: Option[Literal["json"]] = None, on_message: Option[events.OnAnswer] = None,
        idempotency_key: Option[str] = None, key_store: Option[key_stores.KeyStore] = None, new_session: Option[bool] = None,
        metadata: Option[Json] = None, message_metadata: Option[Json] = None, part_metadata: Option[Json] = None,
        timeout: Option[float] = None, read_timeout: Option[float] = None, idle_timeout: Option[float] = None,
        max_retries: Option[int] = None, settle_time: Option[float] = None, resend: Option[Resend] = None,
        on_retry: Option[hooks.OnRetry] = None, before_send: Option[hooks.BeforeSend] = None, on_task: Option[hooks.OnTask] = None,
        raise_on_failure: Option[bool] = None, extra_headers: Option[Headers] = None,
    ) -> responses.TaskResponse: ...
    def ask(
        self, text: str, options: Option[options_of.AskOptions | options_of.RawAskOptions] = None, raw: Hidden[bool] = False, *,
        response_format: Option[Any] = None, output_format: Option[options_of.OutputFormat] = None, on_message: Option[events.OnEvent | events.OnAnswer] = None,
        idempotency_key: Option[str] = None, key_store: Option[key_stores.KeyStore] = None, new_session: Option[bool] = None,
        metadata: Option[Json] = None, message_metadata: Option[Json] = None, part_metadata: Option[Json] = None,
        timeout: Option[float] = None, read_timeout: Option[float] = None, idle_timeout: Option[float] = None,
        max_retries: Option[int] = None, settle_time: Option[float] = None, resend: Option[Resend] = None,
        on_retry: Option[hooks.OnRetry] = None, before_send: Option[hooks.BeforeSend] = None, on_task: Option[hooks.OnTask] = None,
        raise_on_failure: Option[bool] = None, extra_headers: Option[Headers] = None,
    ) -> responses.FormattedTaskResponse | responses.TaskResponse:
        return self._run(self._plan_ask, locals())

    def stream(
        self, text: str, options: Option[options_of.StreamOptions] = None, *,
        idempotency_key: Option[str] = None, key_store: Option[key_stores.KeyStore] = None, new_session: Option[bool] = None,
        metadata: Option[Json] = None, message_metadata: Option[Json] = None, part_metadata: Option[Json] = None,
        timeout: Option[float] = None, read_timeout: Option[float] = None, idle_timeout: Option[float] = None,
        max_retries: Option[int] = None, settle_time: Option[float] = None, resend: Option[Resend] = None,
        on_retry: Option[hooks.OnRetry] = None, before_send: Option[hooks.BeforeSend] = None, on_task: Option[hooks.OnTask] = None,
        raise_on_failure: Option[bool] = None, extra_headers: Option[Headers] = None,
    ) -> task_stream.TaskStream:
        return task_stream.TaskStream(*self._plan(self._plan_stream, locals()))

    def reply(
        self, task: TaskRef | Hidden[payments.Payment], text: str, options: Option[options_of.ReplyOptions] = None, *, on_message: Option[events.OnEvent] = None,
        metadata: Option[Json] = None, message_metadata: Option[Json] = None, part_metadata: Option[Json] = None,
        timeout: Option[float] = None, read_timeout: Option[float] = None, idle_timeout: Option[float] = None,
        max_retries: Option[int] = None, settle_time: Option[float] = None, resend: Option[Resend] = None,
        on_retry: Option[hooks.OnRetry] = None, before_send: Option[hooks.BeforeSend] = None, on_task: Option[hooks.OnTask] = None,
        raise_on_failure: Option[bool] = None, extra_headers: Option[Headers] = None,
    ) -> responses.FormattedTaskResponse:
        return self._run(self._plan_reply, locals())

    def get_task(self, task: TaskRef | Hidden[payments.Payment]) -> responses.FormattedTaskResponse:
        return self._run(self._connect().agent.get_task, task)

    def wait(self, task: TaskRef | Hidden[payments.Payment], timeout: float | None = None) -> responses.FormattedTaskResponse:
        return self._run(self._connect().agent.wait, task, timeout)

    def cancel_task(self, task: TaskRef | Hidden[payments.Payment]) -> responses.FormattedTaskResponse:
        return self._run(self._connect().agent.cancel, task)

    def pay(
        self, payee: str | Hidden[payments.Payee], amount: decimal.Decimal | str | int, currency: str, *,
        memo: str | None = None, wallet: str | Hidden[payments.Wallet] | None = None,
        verify: Hidden[bool] = True, on_event: Option[events.OnEvent] = None,
        idempotency_key: Option[str] = None, key_store: Option[key_stores.KeyStore] = None, new_session: Option[bool] = None,
        metadata: Option[Json] = None, message_metadata: Option[Json] = None, part_metadata: Option[Json] = None,
        timeout: Option[float] = None, read_timeout: Option[float] = None, idle_timeout: Option[float] = None,
        max_retries: Option[int] = None, settle_time: Option[float] = None, resend: Option[Resend] = None,
        on_retry: Option[hooks.OnRetry] = None, before_send: Option[hooks.BeforeSend] = None, on_task: Option[hooks.OnTask] = None,
        extra_headers: Option[Headers] = None,
    ) -> payments.Payment:
        return self._run(self._plan_payment, locals())

    def approve(
        self, payment: Hidden[payments.Payment], *, verify: Hidden[bool] = True, on_event: Option[events.OnEvent] = None,
        metadata: Option[Json] = None, message_metadata: Option[Json] = None, part_metadata: Option[Json] = None,
        timeout: Option[float] = None, read_timeout: Option[float] = None, idle_timeout: Option[float] = None,
        max_retries: Option[int] = None, settle_time: Option[float] = None, resend: Option[Resend] = None,
        on_retry: Option[hooks.OnRetry] = None, before_send: Option[hooks.BeforeSend] = None, on_task: Option[hooks.OnTask] = None,
        extra_headers: Option[Headers] = None,
    ) -> payments.Payment:
        return self._run(self._plan_decision, "approve", locals())

    def deny(
        self, payment: Hidden[payments.Payment], *, verify: Hidden[bool] = True, on_event: Option[events.OnEvent] = None,
        metadata: Option[Json] = None, message_metadata: Option[Json] = None, part_metadata: Option[Json] = None,
        timeout: Option[float] = None, read_timeout: Option[float] = None, idle_timeout: Option[float] = None,
        max_retries: Option[int] = None, settle_time: Option[float] = None, resend: Option[Resend] = None,
        on_retry: Option[hooks.OnRetry] = None, before_send: Option[hooks.BeforeSend] = None, on_task: Option[hooks.OnTask] = None,
        extra_headers: Option[Headers] = None,
    ) -> payments.Payment:
        return self._run(self._plan_decision, "deny", locals())

    def payment_status(
        self, payment: TaskRef | Hidden[payments.Payment], *, verify: Hidden[bool] = True,
        timeout: Option[float] = None, read_timeout: Option[float] = None, max_retries: Option[int] = None,
        on_retry: Option[hooks.OnRetry] = None, before_send: Option[hooks.BeforeSend] = None, extra_headers: Option[Headers] = None,
    ) -> payments.Payment:
        return self._run(self._plan_status, locals())

    def wallets(
        self, *,
        timeout: Option[float] = None, read_timeout: Option[float] = None, max_retries: Option[int] = None,
        on_retry: Option[hooks.OnRetry] = None, before_send: Option[hooks.BeforeSend] = None, extra_headers: Option[Headers] = None,
    ) -> list[payments.Wallet]:
        return self._run(self._plan_list, "wallets", locals())

    def payees(
        self, query: str | None = None, *,
        timeout: Option[float] = None, read_timeout: Option[float] = None, max_retries: Option[int] = None,
        on_retry: Option[hooks.OnRetry] = None, before_send: Option[hooks.BeforeSend] = None, extra_headers: Option[Headers] = None,
    ) -> list[payments.Payee]:
        return self._run(self._plan_list, "payees", locals(), query)

    def transactions(
        self, limit: int = 20, wallet: str | Hidden[payments.Wallet] | None = None, *,
        timeout: Option[float] = None, read_timeout: Option[float] = None, max_retries: Option[int] = None,
        on_retry: Option[hooks.OnRetry] = None, before_send: Option[hooks.BeforeSend] = None, extra_headers: Option[Headers] = None,
    ) -> list[payments.Transaction]:
        return self._run(self._plan_list, "transactions", locals(), limit, wallet)

    def create_payee(
        self, name: str, type: payments.PayeeType, *,  # noqa: A002 (as the API has it)
        account_holder_name: str | None = None, account_holder_type: Literal["individual", "business"] | None = None,
        account_number: str | None = None, routing_number: str | None = None, account_type: Literal["checking", "savings"] | None = None,
        address: str | None = None, chain: str | None = None, currency: str | None = None, paytag: str | None = None,
        email: str | None = None, phone: str | None = None, postal_address: str | None = None, tax_id: str | None = None,
        tags: Sequence[str] | None = None,
        idempotency_key: Option[str] = None, key_store: Option[key_stores.KeyStore] = None, new_session: Option[bool] = None,
        metadata: Option[Json] = None, message_metadata: Option[Json] = None, part_metadata: Option[Json] = None,
        timeout: Option[float] = None, read_timeout: Option[float] = None, idle_timeout: Option[float] = None,
        max_retries: Option[int] = None, settle_time: Option[float] = None, resend: Option[Resend] = None,
        on_retry: Option[hooks.OnRetry] = None, before_send: Option[hooks.BeforeSend] = None, on_task: Option[hooks.OnTask] = None,
        extra_headers: Option[Headers] = None,
    ) -> payments.Payee:
        return self._run(self._plan_payee, locals())
    # fmt: on

    def _run(self, plan: Callable[..., Flow[T] | DescribedFlow[T]], *given: Any) -> T:
        planned = self._plan(plan, *given)
        flow, describe = planned if isinstance(planned, tuple) else (planned, None)
        return self._connect().runner.run(flow, describe)


class Conversation(SyncMethods, BaseConversation["SyncRunner"]):
    """A conversation with the agent. Create it with `client.conversation()`. Any number may be used at the same time.

    Example:
        >>> from payman_sdk.sandbox import Sandbox
        >>> with Sandbox() as sandbox, sandbox.client() as client:
        ...     mine, yours = client.conversation(), client.conversation()
        ...     print(mine.ask("Hello!").session_id == yours.ask("Hello!").session_id)
        False
    """


class PaymanClient(SyncMethods, BaseClient["httpx.Client", "SyncRunner"]):
    """A client of Payman's agent, for one application and one session. Threads may share it.

    Args:
        config: The settings as a dict; see `PaymanConfig` for the keys.
        http_client: An `httpx.Client` to use instead of the client's own connections. You close it.
        token_store: The token store, to share the token between processes.

    The other keywords are the settings of `PaymanConfig`; a keyword overrides the dict.

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

    _finalizer: Any = None
    _http_kind = "Client"

    # fmt: off
    @classmethod
    def with_auth_code(
        cls, config: Setting[configs.PaymanConfig | Mapping[str, Any]], auth_code: Hidden[str], *,
        redirect_uri: Setting[str] = None, code_verifier: Setting[str] = None,
        http_client: Setting[httpx.Client] = None, token_store: Setting[stored_token.TokenStore] = None,
        client_id: Setting[str] = None, client_secret: Setting[str] = None, environment: Setting[configs.Environment] = None,
        base_url: Setting[str] = None, allow_http_hosts: Setting[Sequence[str]] = None, name: Setting[str] = None, session_id: Setting[str] = None,
        connect_timeout: Setting[float] = None, read_timeout: Setting[float] = None, timeout: Setting[float] = None,
        idle_timeout: Setting[float] = None, max_retries: Setting[int] = None, settle_time: Setting[float] = None,
        resend: Setting[Resend] = None, max_answer_bytes: Setting[int] = None, max_event_bytes: Setting[int] = None,
        on_retry: Setting[hooks.OnRetry] = None, before_send: Setting[hooks.BeforeSend] = None,
        on_token: Setting[hooks.OnToken] = None, on_task: Setting[hooks.OnTask] = None,
        key_store: Setting[key_stores.KeyStore] = None, telemetry: Setting[bool | settings.Telemetry] = None,
        default_headers: Setting[Mapping[str, str]] = None, proxy: Setting[str] = None, verify: Setting[transports.Verify] = None,
        transport: Setting[transports.Transport] = None,
    ) -> Self:
        config, settings = wrap_secrets(config), gather_settings(locals())
        auth_code, code_verifier = to_secret(auth_code), to_secret(code_verifier)
        del client_secret, default_headers, proxy
        client, exchange = cls._prepare_code_exchange(settings, locals())
        try:
            client._connect().runner.run(exchange)
        except BaseException:
            client.close()
            raise
        return client
    # fmt: on

    def conversation(self, session_id: str | None = None) -> Conversation:
        return Conversation(self, session_id)

    def get_access_token(self) -> grants.TokenInfo | None:
        connection = self._connect()
        return connection.runner.run(connection.tokens.info(connection.agent.compute_deadline()))

    def close(self) -> None:
        if self._original is not None:  # its connections are another client's
            self._closed = True
            return
        if self._connection is not None and self._connection.tokens.is_unsaved:
            self._connection.runner.run(self._connection.tokens.flush())
        with get_fork_lock():
            self._closed = True
            if self._owns_http and self._http is not None:
                self._http.close()
                if self._finalizer is not None:
                    self._finalizer.detach()  # what it calls could swallow an interrupt

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        self.close()

    def _prepare_http(self, config: Config) -> type[SyncRunner]:
        from payman_sdk._io.runner import SyncRunner
        from payman_sdk._io.transport import build_http_client

        if self._http is None:
            self._http = build_http_client(config.base_url, config.transport, config.proxy, config.verify)
            # Programs make clients and drop them; their connections must not wait for the end of the process.
            self._finalizer = weakref.finalize(self, self._http.close)
        return SyncRunner
