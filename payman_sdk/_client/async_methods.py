"""What can be asked of Payman's agent, with asyncio and trio: the methods that a client and a conversation share.

The methods are described in `interface.py`, and planned in `calls.py`; `locals()` are their own keywords.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from payman_sdk._annotations import Hidden, LazyModule, Option, ParsedT
from payman_sdk._client.calls import BaseCalls
from payman_sdk._config import Resend

if TYPE_CHECKING:
    import decimal

    from payman_sdk._client import async_task_stream as task_stream
    from payman_sdk._core import events, exchange
    from payman_sdk._core import hook_payloads as hooks
    from payman_sdk._core import option_types as options_of
    from payman_sdk._core import payment_types as payments
    from payman_sdk._core import task_response as responses
    from payman_sdk._core.effects import Flow
    from payman_sdk._io.async_runner import AsyncRunner  # noqa: F401 (named in a string below)
else:
    decimal = LazyModule("decimal")
    events = LazyModule("payman_sdk._core.events")
    exchange = LazyModule("payman_sdk._core.exchange")
    hooks = LazyModule("payman_sdk._core.hook_payloads")
    options_of = LazyModule("payman_sdk._core.option_types")
    payments = LazyModule("payman_sdk._core.payment_types")
    responses = LazyModule("payman_sdk._core.task_response")
    task_stream = LazyModule("payman_sdk._client.async_task_stream")

T = TypeVar("T")

Json = Mapping[str, Any]
Headers = Mapping[str, str]
TaskRef = str | Hidden[Mapping[str, Any]]
"""The id of a task, or an answer about it."""


class AsyncMethods(BaseCalls["AsyncRunner"]):
    """Asks, streams, payments, and the tasks that come of them."""

    _awaits = True

    # The keywords that many methods share stand in groups, a group a line.
    # fmt: off
    @overload
    async def ask(
        self, text: str, options: Option[options_of.MarkdownAskOptions] = None, raw: Literal[False] = False, *,
        response_format: type[ParsedT] | Mapping[str, Any] | None = None, output_format: Option[Literal["markdown"]] = None,
        on_message: Option[events.OnEvent] = None,
        idempotency_key: Option[str] = None, key_store: Option[exchange.KeyStore] = None, new_session: Option[bool] = None,
        metadata: Option[Json] = None, message_metadata: Option[Json] = None, part_metadata: Option[Json] = None,
        timeout: Option[float] = None, read_timeout: Option[float] = None, idle_timeout: Option[float] = None,
        max_retries: Option[int] = None, settle_time: Option[float] = None, resend: Option[Resend] = None,
        on_retry: Option[hooks.OnRetry] = None, before_send: Option[hooks.BeforeSend] = None, on_task: Option[hooks.OnTask] = None,
        raise_on_failure: Option[bool] = None, extra_headers: Option[Headers] = None,
    ) -> responses.FormattedTaskResponse[ParsedT]: ...
    @overload
    async def ask(
        self, text: str, options: Option[options_of.JsonAskOptions | options_of.RawAskOptions] = None, raw: Literal[True] = ..., *,
        response_format: None = None, output_format: Option[Literal["json"]] = None, on_message: Option[events.OnAnswer] = None,
        idempotency_key: Option[str] = None, key_store: Option[exchange.KeyStore] = None, new_session: Option[bool] = None,
        metadata: Option[Json] = None, message_metadata: Option[Json] = None, part_metadata: Option[Json] = None,
        timeout: Option[float] = None, read_timeout: Option[float] = None, idle_timeout: Option[float] = None,
        max_retries: Option[int] = None, settle_time: Option[float] = None, resend: Option[Resend] = None,
        on_retry: Option[hooks.OnRetry] = None, before_send: Option[hooks.BeforeSend] = None, on_task: Option[hooks.OnTask] = None,
        raise_on_failure: Option[bool] = None, extra_headers: Option[Headers] = None,
    ) -> responses.TaskResponse: ...
    async def ask(
        self, text: str, options: Option[options_of.AskOptions | options_of.RawAskOptions] = None, raw: Hidden[bool] = False, *,
        response_format: Option[Any] = None, output_format: Option[options_of.OutputFormat] = None, on_message: Option[events.OnEvent | events.OnAnswer] = None,
        idempotency_key: Option[str] = None, key_store: Option[exchange.KeyStore] = None, new_session: Option[bool] = None,
        metadata: Option[Json] = None, message_metadata: Option[Json] = None, part_metadata: Option[Json] = None,
        timeout: Option[float] = None, read_timeout: Option[float] = None, idle_timeout: Option[float] = None,
        max_retries: Option[int] = None, settle_time: Option[float] = None, resend: Option[Resend] = None,
        on_retry: Option[hooks.OnRetry] = None, before_send: Option[hooks.BeforeSend] = None, on_task: Option[hooks.OnTask] = None,
        raise_on_failure: Option[bool] = None, extra_headers: Option[Headers] = None,
    ) -> responses.FormattedTaskResponse | responses.TaskResponse:
        plan = self._plan_ask(locals())
        return await self._run(plan.flow, plan.describe)

    def stream(
        self, text: str, options: Option[options_of.StreamOptions] = None, *,
        idempotency_key: Option[str] = None, key_store: Option[exchange.KeyStore] = None, new_session: Option[bool] = None,
        metadata: Option[Json] = None, message_metadata: Option[Json] = None, part_metadata: Option[Json] = None,
        timeout: Option[float] = None, read_timeout: Option[float] = None, idle_timeout: Option[float] = None,
        max_retries: Option[int] = None, settle_time: Option[float] = None, resend: Option[Resend] = None,
        on_retry: Option[hooks.OnRetry] = None, before_send: Option[hooks.BeforeSend] = None, on_task: Option[hooks.OnTask] = None,
        raise_on_failure: Option[bool] = None, extra_headers: Option[Headers] = None,
    ) -> task_stream.AsyncTaskStream:
        return task_stream.AsyncTaskStream(*self._plan_stream(locals()))

    async def reply(
        self, task: TaskRef, text: str, options: Option[options_of.ReplyOptions] = None, *, on_message: Option[events.OnEvent] = None,
        metadata: Option[Json] = None, message_metadata: Option[Json] = None, part_metadata: Option[Json] = None,
        timeout: Option[float] = None, read_timeout: Option[float] = None, idle_timeout: Option[float] = None,
        max_retries: Option[int] = None, settle_time: Option[float] = None, resend: Option[Resend] = None,
        on_retry: Option[hooks.OnRetry] = None, before_send: Option[hooks.BeforeSend] = None, on_task: Option[hooks.OnTask] = None,
        raise_on_failure: Option[bool] = None, extra_headers: Option[Headers] = None,
    ) -> responses.FormattedTaskResponse:
        plan = self._plan_reply(locals())
        return await self._run(plan.flow, plan.describe)

    async def get_task(self, task: TaskRef) -> responses.FormattedTaskResponse:
        return await self._run(self._plan("get_task", task))

    async def wait(self, task: TaskRef, timeout: float | None = None) -> responses.FormattedTaskResponse:
        return await self._run(self._plan("wait", task, self._check_seconds(timeout)))

    async def cancel_task(self, task: TaskRef) -> responses.FormattedTaskResponse:
        return await self._run(self._plan("cancel", task))

    async def pay(
        self, payee: str | Hidden[payments.Payee], amount: decimal.Decimal | str | int, currency: str, *,
        memo: str | None = None, wallet: str | Hidden[payments.Wallet] | None = None,
        verify: Hidden[bool] = True, on_event: Option[events.OnEvent] = None,
        idempotency_key: Option[str] = None, key_store: Option[exchange.KeyStore] = None, new_session: Option[bool] = None,
        metadata: Option[Json] = None, message_metadata: Option[Json] = None, part_metadata: Option[Json] = None,
        timeout: Option[float] = None, read_timeout: Option[float] = None, idle_timeout: Option[float] = None,
        max_retries: Option[int] = None, settle_time: Option[float] = None, resend: Option[Resend] = None,
        on_retry: Option[hooks.OnRetry] = None, before_send: Option[hooks.BeforeSend] = None, on_task: Option[hooks.OnTask] = None,
        extra_headers: Option[Headers] = None,
    ) -> payments.Payment:
        return await self._run(self._plan_payment(locals()))

    async def approve(
        self, payment: Hidden[payments.Payment], *, verify: Hidden[bool] = True, on_event: Option[events.OnEvent] = None,
        metadata: Option[Json] = None, message_metadata: Option[Json] = None, part_metadata: Option[Json] = None,
        timeout: Option[float] = None, read_timeout: Option[float] = None, idle_timeout: Option[float] = None,
        max_retries: Option[int] = None, settle_time: Option[float] = None, resend: Option[Resend] = None,
        on_retry: Option[hooks.OnRetry] = None, before_send: Option[hooks.BeforeSend] = None, on_task: Option[hooks.OnTask] = None,
        extra_headers: Option[Headers] = None,
    ) -> payments.Payment:
        return await self._run(self._plan_decision("approve", locals()))

    async def deny(
        self, payment: Hidden[payments.Payment], *, verify: Hidden[bool] = True, on_event: Option[events.OnEvent] = None,
        metadata: Option[Json] = None, message_metadata: Option[Json] = None, part_metadata: Option[Json] = None,
        timeout: Option[float] = None, read_timeout: Option[float] = None, idle_timeout: Option[float] = None,
        max_retries: Option[int] = None, settle_time: Option[float] = None, resend: Option[Resend] = None,
        on_retry: Option[hooks.OnRetry] = None, before_send: Option[hooks.BeforeSend] = None, on_task: Option[hooks.OnTask] = None,
        extra_headers: Option[Headers] = None,
    ) -> payments.Payment:
        return await self._run(self._plan_decision("deny", locals()))

    async def payment_status(
        self, payment: TaskRef | Hidden[payments.Payment], *, verify: Hidden[bool] = True,
        timeout: Option[float] = None, read_timeout: Option[float] = None, max_retries: Option[int] = None,
        on_retry: Option[hooks.OnRetry] = None, before_send: Option[hooks.BeforeSend] = None, extra_headers: Option[Headers] = None,
    ) -> payments.Payment:
        return await self._run(self._plan_status(locals()))

    async def wallets(
        self, *,
        timeout: Option[float] = None, read_timeout: Option[float] = None, max_retries: Option[int] = None,
        on_retry: Option[hooks.OnRetry] = None, before_send: Option[hooks.BeforeSend] = None, extra_headers: Option[Headers] = None,
    ) -> list[payments.Wallet]:
        return await self._run(self._plan_list("wallets", locals()))

    async def payees(
        self, query: str | None = None, *,
        timeout: Option[float] = None, read_timeout: Option[float] = None, max_retries: Option[int] = None,
        on_retry: Option[hooks.OnRetry] = None, before_send: Option[hooks.BeforeSend] = None, extra_headers: Option[Headers] = None,
    ) -> list[payments.Payee]:
        return await self._run(self._plan_list("payees", locals(), query))

    async def transactions(
        self, limit: int = 20, wallet: str | Hidden[payments.Wallet] | None = None, *,
        timeout: Option[float] = None, read_timeout: Option[float] = None, max_retries: Option[int] = None,
        on_retry: Option[hooks.OnRetry] = None, before_send: Option[hooks.BeforeSend] = None, extra_headers: Option[Headers] = None,
    ) -> list[payments.Transaction]:
        return await self._run(self._plan_list("transactions", locals(), limit, wallet))

    async def create_payee(
        self, name: str, type: payments.PayeeType, *,  # noqa: A002 (as the API has it)
        account_holder_name: str | None = None, account_holder_type: Literal["individual", "business"] | None = None,
        account_number: str | None = None, routing_number: str | None = None, account_type: Literal["checking", "savings"] | None = None,
        address: str | None = None, chain: str | None = None, currency: str | None = None, paytag: str | None = None,
        email: str | None = None, phone: str | None = None, postal_address: str | None = None, tax_id: str | None = None,
        tags: Sequence[str] | None = None,
        idempotency_key: Option[str] = None, key_store: Option[exchange.KeyStore] = None, new_session: Option[bool] = None,
        metadata: Option[Json] = None, message_metadata: Option[Json] = None, part_metadata: Option[Json] = None,
        timeout: Option[float] = None, read_timeout: Option[float] = None, idle_timeout: Option[float] = None,
        max_retries: Option[int] = None, settle_time: Option[float] = None, resend: Option[Resend] = None,
        on_retry: Option[hooks.OnRetry] = None, before_send: Option[hooks.BeforeSend] = None, on_task: Option[hooks.OnTask] = None,
        extra_headers: Option[Headers] = None,
    ) -> payments.Payee:
        return await self._run(self._plan_payee(locals()))
    # fmt: on

    async def _run(self, flow: Flow[T], describe: Callable[[BaseException], object] | None = None) -> T:
        return await self._connect().runner.run(flow, describe)
