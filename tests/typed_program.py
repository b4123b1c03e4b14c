"""A program that uses the SDK as its README does, for the type checkers: what they infer is asserted. It is never run."""

from __future__ import annotations

import datetime as dt
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, TypedDict, assert_type

import httpx

import payman_sdk
from payman_sdk import (
    ArtifactUpdate,
    AskOptions,
    AsyncConversation,
    AsyncPaymanClient,
    AsyncTaskStream,
    Conversation,
    FileTokenStore,
    FormattedTaskResponse,
    KeyStore,
    MemoryTokenStore,
    OutgoingAsk,
    ParsedResponse,
    Payee,
    PaymanClient,
    PaymanError,
    Payment,
    PaymentOutcome,
    RetryDetails,
    Scope,
    Stats,
    StatusUpdate,
    StoredToken,
    StreamEvent,
    TaskEntry,
    TaskResponse,
    TaskState,
    TaskStream,
    TokenInfo,
    TokenStore,
    Transaction,
    UnknownUpdate,
    Wallet,
    authorization_url,
    login,
    parse_redirect,
)
from payman_sdk.errors import (
    AgentError,
    APIConnectionError,
    AuthenticationError,
    ConfigurationError,
    ErrorResponse,
    IdempotencyKeyReuseError,
    OutcomeUnknownError,
    StreamInterruptedError,
)
from payman_sdk.types import (
    Artifact,
    BeforeSend,
    JsonAskOptions,
    MarkdownAskOptions,
    OnEvent,
    OnRetry,
    OnTask,
    OnToken,
    PaymanConfig,
    RawAskOptions,
    ReplyOptions,
    StreamOptions,
)


def basic_example() -> None:
    config: PaymanConfig = {
        "client_id": "your_client_id",
        "client_secret": "your_client_secret",
        "environment": "LIVE",
        "name": "example_client",
    }
    client = PaymanClient.with_credentials(config)
    assert_type(client, PaymanClient)
    response = client.ask("Hello, world!")
    assert_type(response, FormattedTaskResponse)
    print(response)


def ways_to_make_a_client(http_client: httpx.Client) -> None:
    PaymanClient({"client_id": os.getenv("ID"), "client_secret": os.getenv("SECRET")})
    PaymanClient(
        client_id="x", client_secret="y", environment="TEST", session_id=None, timeout=5, read_timeout=0.5
    )
    PaymanClient.with_credentials({"client_id": "x"}, client_secret="y", http_client=http_client)
    assert_type(PaymanClient.from_env(base_url="http://localhost:8642"), PaymanClient)
    with PaymanClient(client_id="x", client_secret="y") as client:
        assert_type(client, PaymanClient)
        assert_type(client.get_session_id(), str)
        assert_type(client.get_client_name(), str | None)


def ways_to_ask(client: PaymanClient) -> None:
    assert_type(
        client.ask("Hello!", {"new_session": True, "metadata": {"source": "web-app"}}), FormattedTaskResponse
    )
    assert_type(client.ask("Hello!", new_session=True, part_metadata={"a": 1}), FormattedTaskResponse)
    assert_type(client.ask("Hello!", None), FormattedTaskResponse)
    assert_type(client.ask("Hello!", None, False), FormattedTaskResponse)
    assert_type(client.ask("Hello!", raw=False), FormattedTaskResponse)
    assert_type(client.ask("Hello!", output_format="markdown"), FormattedTaskResponse)
    assert_type(client.ask("Hello!", {"output_format": "markdown"}), FormattedTaskResponse)

    assert_type(client.ask("Hello!", raw=True), TaskResponse)
    assert_type(client.ask("Hello!", None, True), TaskResponse)
    assert_type(client.ask("Hello!", {"new_session": True}, True), TaskResponse)
    assert_type(client.ask("Hello!", {"new_session": True}, raw=True), TaskResponse)
    assert_type(client.ask("Hello!", raw=True, metadata={"a": 1}), TaskResponse)
    assert_type(client.ask("Hello!", output_format="json"), TaskResponse)
    assert_type(client.ask("Hello!", {"output_format": "json"}), TaskResponse)
    assert_type(client.ask("Hello!", {"new_session": True}, output_format="json"), TaskResponse)

    assert_type(client.get_task("tsk-1"), FormattedTaskResponse)


def options_of_their_own(client: PaymanClient, either: AskOptions, flag: bool) -> None:
    markdown: MarkdownAskOptions = {"new_session": None, "message_metadata": None}
    as_json: JsonAskOptions = {"output_format": "json", "metadata": {"source": "web-app"}}
    assert_type(client.ask("Hello!", markdown), FormattedTaskResponse)
    assert_type(client.ask("Hello!", as_json), TaskResponse)
    assert_type(client.ask("Hello!", as_json, raw=True), TaskResponse)
    as_raw: RawAskOptions = {"new_session": True, "on_message": None}
    assert_type(client.ask("Hello!", as_raw, raw=True), TaskResponse)
    assert_type(client.ask("Hello!", {"output_format": "json"}, True), TaskResponse)
    assert_type(client.ask("Hello!", either), FormattedTaskResponse | TaskResponse)
    answer = client.ask("Hello!", raw=True) if flag else client.ask("Hello!", markdown)
    assert_type(answer, TaskResponse | FormattedTaskResponse)


def reading_an_answer(response: FormattedTaskResponse, answer: TaskResponse) -> None:
    assert_type(response.status, Literal["completed", "failed", "in_progress"])
    assert_type(response.is_final, bool)
    assert_type(response.state, TaskState | str)
    assert_type(response.text, str)
    assert_type(response.status_message, str | None)
    assert_type(response.timestamp, str | None)
    assert_type(response.datetime, dt.datetime | None)
    assert_type(response.artifacts, list[Artifact])
    assert_type(response.artifacts[0].content, str)
    assert_type(response.artifacts[0].parts, list[dict[str, Any]])
    assert_type(response.error, dict[str, Any] | None)
    assert_type(response.task_id, str)
    assert_type(response.request_id, str)
    assert_type(response.session_id, str | None)
    assert_type(response.metadata, dict[str, Any])
    session_id: str = response["sessionId"]
    PaymanClient.with_credentials({"client_id": "x", "client_secret": "y", "session_id": session_id})
    as_dict: dict[str, Any] = response
    as_dict.get("status")
    assert_type(answer["jsonrpc"], Literal["2.0"])
    assert_type(answer["id"], str)
    assert_type(answer.get("result"), dict[str, Any] | None)


def what_can_go_wrong(client: PaymanClient) -> None:
    try:
        client.ask("What's the weather?")
    except ConfigurationError as error:
        assert_type(error.next_step, str)
    except OutcomeUnknownError as error:
        assert_type(error.task_id, str)
        client.get_task(error.task_id)
    except AuthenticationError as error:
        assert_type(error.error_description, str | None)
    except AgentError as error:
        assert_type(error.code, int | None)
    except APIConnectionError as error:
        assert_type(error.sent, bool | None)
    except PaymanError as error:
        assert_type(error.response, ErrorResponse | None)
        assert_type(error.status_code, int | None)


def every_way_in(store: TokenStore, http: httpx.Client) -> None:
    config: PaymanConfig = {"client_id": "x", "client_secret": "y"}
    token_info = {"accessToken": "your_access_token", "expiresIn": 3600}
    assert_type(PaymanClient.with_auth_code(config, "code"), PaymanClient)
    assert_type(PaymanClient.with_token("your_client_id", token_info, name="example_client"), PaymanClient)
    assert_type(PaymanClient.with_token("x", {"refreshToken": "r"}, "TEST", None, None, "y"), PaymanClient)
    assert_type(PaymanClient.with_token(config, {"access_token": "a", "expires_in": 1}), PaymanClient)
    assert_type(PaymanClient.from_env(token_store=store, http_client=http), PaymanClient)
    assert_type(PaymanClient(config, token_store=MemoryTokenStore()), PaymanClient)
    with login(config, scopes=[Scope.READ_BALANCE], token_store=FileTokenStore(name="shop")) as client:
        assert_type(client, PaymanClient)
        assert_type(client.get_access_token(), TokenInfo | None)
        assert_type(client.get_refresh_token(), str | None)
        assert_type(client.is_access_token_expired(), bool)
    request = authorization_url("x", "https://shop.example/back", [Scope.READ_BALANCE, "write_send_payment"])
    assert_type(parse_redirect("/back?code=c", state=request.state), str)


def streaming(client: PaymanClient) -> None:
    with client.stream("list all wallets", new_session=True, idle_timeout=5) as stream:
        assert_type(stream, TaskStream)
        assert_type(stream.task_id, str)
        assert_type(stream.session_id, str)
        assert_type(next(stream), StreamEvent)
        for event in stream:
            reading_an_event(event)
        for text in stream.text_stream:
            assert_type(text, str)
        assert_type(stream.cancel(), FormattedTaskResponse)
        assert_type(stream.result(), FormattedTaskResponse)
    options: StreamOptions = {"metadata": {"source": "web-app"}, "timeout": 900, "idempotency_key": None}
    client.stream("list all wallets", options)


def reading_an_event(event: StreamEvent) -> None:
    assert_type(event.task_id, str)
    assert_type(event.request_id, str)
    assert_type(event.session_id, str | None)
    as_dict: dict[str, Any] = event
    as_dict["type"]
    match event:
        case StatusUpdate():
            assert_type(event.type, Literal["status_update"])
            assert_type(event.status, Literal["completed", "failed", "in_progress"])
            assert_type(event.state, TaskState | str)
            assert_type(event.status_message, str | None)
            assert_type(event.is_final, bool)
            assert_type(event.raw, TaskResponse)
        case ArtifactUpdate():
            assert_type(event.type, Literal["artifact_update"])
            assert_type(event.delta, str)
            assert_type(event.artifact, Artifact)
            assert_type(event.artifacts, list[Artifact])
            assert_type(event.is_last_chunk, bool)
            assert_type(event.raw, TaskResponse)
        case UnknownUpdate():
            assert_type(event.type, Literal["unknown"])
            assert_type(event.data, Any)
    if event.type == "artifact_update":
        assert_type(event, ArtifactUpdate)
    elif event.type == "status_update":
        assert_type(event, StatusUpdate)
    else:
        assert_type(event, UnknownUpdate)


def callbacks(client: PaymanClient) -> None:
    def on_event(event: StreamEvent) -> None:
        reading_an_event(event)

    def as_the_first_readme_had_it(message: FormattedTaskResponse | TaskResponse) -> None:
        print(message)

    answers: list[TaskResponse] = []
    assert_type(client.ask("Hello!", on_message=on_event), FormattedTaskResponse)
    client.ask("Hello!", on_message=as_the_first_readme_had_it)
    client.ask("Hello!", on_message=lambda event: print(event.type, event["task_id"]))
    assert_type(client.ask("Hello!", {"on_message": answers.append}, True), TaskResponse)
    assert_type(client.ask("Hello!", {"on_message": None}), FormattedTaskResponse)


def tasks_that_go_on(client: PaymanClient, response: FormattedTaskResponse) -> None:
    if response.requires_input:
        options: ReplyOptions = {"timeout": 30, "on_message": print}
        assert_type(client.reply(response, "approve", options), FormattedTaskResponse)
        assert_type(client.reply(response.task_id, "deny", metadata={"by": "ann"}), FormattedTaskResponse)
    assert_type(client.wait(response, timeout=10), FormattedTaskResponse)
    assert_type(client.wait(response.task_id), FormattedTaskResponse)
    assert_type(client.cancel_task(response), FormattedTaskResponse)
    assert_type(client.get_task(response), FormattedTaskResponse)


def conversations(client: PaymanClient) -> None:
    conversation = client.conversation()
    assert_type(conversation, Conversation)
    assert_type(conversation.ask("Hello!"), FormattedTaskResponse)
    assert_type(conversation.ask("Hello!", raw=True), TaskResponse)
    assert_type(conversation.stream("Hello!"), TaskStream)
    assert_type(client.conversation(conversation.get_session_id()).get_session_id(), str)


def guard(outgoing: OutgoingAsk) -> None:
    assert_type(outgoing.text, str)
    assert_type(outgoing.is_reply, bool)
    assert_type(outgoing.task_id, str)
    assert_type(outgoing.idempotency_key, str | None)
    if "500" in outgoing.text:
        raise PermissionError("too much")


def count_retry(retry: RetryDetails) -> None:
    assert_type(retry.attempt, int)
    assert_type(retry.reason, PaymanError)
    assert_type(retry.delay, float)
    assert_type(retry.task_id, str | None)


async def guard_asynchronously(outgoing: OutgoingAsk) -> None:
    guard(outgoing)


def hooks_and_keys(config: PaymanConfig) -> None:
    with PaymanClient(config, before_send=guard, on_retry=count_retry, max_retries=4) as client:
        try:
            response = client.ask("send 10 TSD to John Doe", idempotency_key="invoice-42", max_retries=0)
            assert_type(response.idempotency_key, str | None)
            client.ask("send 10 TSD to John Doe", {"idempotency_key": "invoice-42", "before_send": guard})
        except IdempotencyKeyReuseError as error:
            assert_type(error.idempotency_key, str | None)
        except StreamInterruptedError as error:
            assert_type(error.sent, bool | None)


async def asked_asynchronously(http: httpx.AsyncClient) -> None:
    async with AsyncPaymanClient(client_id="x", client_secret="y", http_client=http) as client:
        assert_type(await client.ask("Hello!"), FormattedTaskResponse)
        assert_type(await client.ask("Hello!", raw=True), TaskResponse)
        assert_type(await client.ask("Hello!", {"output_format": "json"}), TaskResponse)
        assert_type(await client.get_task("tsk-1"), FormattedTaskResponse)
        assert_type(await client.get_access_token(), TokenInfo | None)
        async with client.stream("Hello!", before_send=guard_asynchronously) as stream:
            assert_type(stream, AsyncTaskStream)
            async for event in stream:
                reading_an_event(event)
            async for text in stream.text_stream:
                assert_type(text, str)
            assert_type(await stream.result(), FormattedTaskResponse)
        conversation = client.conversation()
        assert_type(conversation, AsyncConversation)
        response = await conversation.ask("Hello!", idempotency_key="greeting-1")
        assert_type(response, FormattedTaskResponse)
        assert_type(await conversation.reply(response, "approve"), FormattedTaskResponse)
        assert_type(await conversation.wait(response, timeout=10), FormattedTaskResponse)
        assert_type(await conversation.cancel_task(response), FormattedTaskResponse)
    made = await AsyncPaymanClient.with_auth_code({"client_id": "x"}, "code", code_verifier="v")
    assert_type(made, AsyncPaymanClient)


class OurStore:
    """A store of a program's own."""

    def __init__(self) -> None:
        self.lock = MemoryTokenStore().lock
        self.kept: StoredToken | None = None

    def load(self) -> StoredToken | None:
        return self.kept

    def save(self, token: StoredToken) -> None:
        self.kept = token


def with_a_store_of_our_own() -> None:
    PaymanClient(client_id="x", client_secret="y", token_store=OurStore())


class Balance(TypedDict):
    currency: str
    balance: Decimal


@dataclass
class Invoice:
    total: Decimal


def typed_calls(client: PaymanClient) -> None:
    payment = client.pay("Test Payee", "10.00", "TSD", memo="coffee", idempotency_key="invoice-42")
    assert_type(payment, Payment)
    assert_type(payment.raise_unless_paid(), Payment)
    assert_type(payment.outcome, PaymentOutcome)
    assert_type(payment.amount, Decimal)
    assert_type(payment.payment_id, str | None)
    assert_type(payment.response, FormattedTaskResponse | None)
    match payment.outcome:
        case PaymentOutcome.PAID | PaymentOutcome.AWAITING_APPROVAL:
            assert_type(client.approve(client.deny(payment)), Payment)
        case PaymentOutcome.REFUSED | PaymentOutcome.FAILED | PaymentOutcome.UNDETERMINED:
            assert_type(client.payment_status("tsk-1", timeout=5), Payment)
    wallets, payees = client.wallets(max_retries=0), client.payees("ada")
    assert_type(wallets, list[Wallet])
    assert_type(payees, list[Payee])
    assert_type(client.transactions(5, wallets[0]), list[Transaction])
    ada = client.create_payee("Ada", "TEST_RAILS", email="ada@example.com", tags=["friend"])
    assert_type(ada, Payee)
    client.conversation().pay(ada, Decimal(1), "TSD", wallet=wallets[0], on_event=print, verify=False)
    client.pay(ada, 1.0, "TSD")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    client.create_payee("Ada", "GOLD")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def structured_answers(client: PaymanClient) -> None:
    invoice = client.ask("...", response_format=Invoice)
    assert_type(invoice, ParsedResponse[Invoice])
    assert_type(invoice.parsed, Invoice | None)
    assert_type(invoice.parse_error, str | None)
    assert_type(client.ask("...", {"timeout": 5}, response_format=Balance).parsed, Balance | None)
    as_dict = client.ask("...", response_format={"type": "object"}, new_session=True)
    assert_type(as_dict.parsed, Any | None)


async def typed_calls_in_event_loops(client: AsyncPaymanClient) -> None:
    payment = await client.pay("Test Payee", 10, "TSD")
    assert_type(payment, Payment)
    assert_type(await client.approve(payment), Payment)
    assert_type(await client.wallets(), list[Wallet])
    assert_type(await client.payees(), list[Payee])
    assert_type(await client.transactions(), list[Transaction])
    assert_type((await client.ask("...", response_format=Invoice)).parsed, Invoice | None)


def what_users_expect_of_a_client(config: PaymanConfig, context: ssl.SSLContext, store: KeyStore) -> None:
    client = PaymanClient(
        config,
        default_headers={"X-Tenant": "acme"},
        proxy="http://proxy.example:3128",
        verify=context,
        key_store=store,
    )
    assert_type(client.with_options(timeout=900, max_retries=5, on_task=print), PaymanClient)
    response = client.ask("Hello!", extra_headers={"X-Request": "1"}, resend="never")
    assert_type(response.headers, Mapping[str, str])
    assert_type(response.elapsed, dt.timedelta)
    assert_type(client.tasks, list[TaskEntry])
    assert_type(client.tasks[0].state, TaskState | str)
    assert_type(client.stats(), Stats)
    with client.stream("Hello!") as stream:
        assert_type(stream.show(), FormattedTaskResponse)
    PaymanClient(config, verify=Path("ca.pem"))
    PaymanClient(config, resend="sometimes")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    client.ask("Hello!", extra_header={})  # type: ignore[call-overload] # pyright: ignore[reportCallIssue]


def hooks_by_their_types() -> None:
    before_send: BeforeSend = guard
    on_retry: OnRetry = count_retry
    on_task: OnTask = lambda change: print(change.state, change.is_final)  # noqa: E731
    on_token: OnToken = lambda refresh: print(refresh.reason, refresh.expires_in)  # noqa: E731
    on_event: OnEvent = reading_an_event
    client = PaymanClient(before_send=before_send, on_retry=on_retry, on_task=on_task, on_token=on_token)
    client.pay("Ada", 5, "TSD", on_event=on_event, before_send=lambda outgoing: print(outgoing.text))
    client.ask("Hello!", on_retry=lambda retry: print(retry.delay))
    client.ask("Hello!", before_send=count_retry)  # type: ignore[arg-type] # pyright: ignore[reportCallIssue, reportArgumentType]


def errors_of_the_package() -> None:
    assert_type(payman_sdk.OutcomeUnknownError("Silence.").task_id, str)
    assert_type(payman_sdk.TaskNotFoundError("None.").task_id, str | None)
