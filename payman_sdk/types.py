"""The dict types and enums of the public API, named as the README of the SDK has always named them.

What goes in (`PaymanConfig`, `AskOptions`) and what `raw=True` gives (`TaskResponse`) are plain dicts. An answer
(`FormattedTaskResponse`) is a dict too, one that can also be read by attributes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import (
    TYPE_CHECKING,
    Any,
    Generic,
    Literal,
    NotRequired,
    Required,
    Self,
    TypeAlias,
    TypedDict,
    TypeVar,
)

from payman_api.models.task_state import TaskState
from payman_sdk._attrdict import Key, Record
from payman_sdk._core.states import Phase, get_phase

if TYPE_CHECKING:
    import datetime as dt

    import httpx

    from payman_sdk._io.key_store import KeyStore
    from payman_sdk._telemetry.settings import Telemetry

__all__ = [
    "Artifact",
    "AskOptions",
    "Environment",
    "FormattedTaskResponse",
    "JsonAskOptions",
    "MarkdownAskOptions",
    "OutputFormat",
    "ParsedResponse",
    "PayOptions",
    "Payee",
    "PayeeType",
    "PaymanConfig",
    "Payment",
    "PaymentOutcome",
    "ReadOptions",
    "ReplyOptions",
    "SettleOptions",
    "Status",
    "StreamOptions",
    "TaskResponse",
    "TaskState",
    "TokenInfo",
    "Transaction",
    "Wallet",
]

T = TypeVar("T")

Json: TypeAlias = dict[str, Any]
"""An object as JSON has it."""

Environment: TypeAlias = Literal["LIVE", "TEST", "INTERNAL"]
"""A Payman environment; each has a base URL of its own [D]."""

OutputFormat: TypeAlias = Literal["markdown", "json"]
"""What `ask` returns: `markdown` a `FormattedTaskResponse`, `json` the JSON-RPC answer as it came."""

Status: TypeAlias = Literal["completed", "failed", "in_progress"]
"""How an ask stands, in one of three words; `state` has the agent's own."""


class PaymanConfig(TypedDict, total=False):
    """What a client needs to know. Every key may be None, which means the same as leaving it out.

    Example:
        >>> from payman_sdk.types import PaymanConfig
        >>> config: PaymanConfig = {"client_id": "pm-test-1", "client_secret": "s3cret", "environment": "TEST"}
    """

    client_id: str | None
    """The id of your application, such as `pm-test-…`."""
    client_secret: str | None
    """Its secret."""
    environment: Environment | None
    """LIVE (default), TEST or INTERNAL."""
    base_url: str | None
    """Another server than the environment's, such as a local sandbox; https, or http to this machine."""
    name: str | None
    """A name for this client, for your own use; see `get_client_name()`."""
    session_id: str | None
    """A session to resume (`ses-…`); a new one is made without it."""
    connect_timeout: float | None
    """Seconds to wait for a connection, 5 by default."""
    read_timeout: float | None
    """Seconds that one attempt may take to be answered, 60 by default; of a stream, seconds of silence."""
    timeout: float | None
    """Seconds for a whole ask, 300 by default."""
    idle_timeout: float | None
    """Seconds without an event after which a stream counts as broken, 60 by default; comments are no events."""
    max_retries: int | None
    """How often an ask that did not arrive is sent again, 2 by default."""
    settle_time: float | None
    """Seconds that the agent must not know the task of an ask that may have arrived before it is sent again, 30 by default."""
    resend: Literal["after_settling", "never"] | None
    """`never` forbids a second send of anything that may have arrived; `after_settling` by default."""
    max_answer_bytes: int | None
    """How large an answer may be once it is decompressed, and what is kept of a stream; 64 MiB by default."""
    max_event_bytes: int | None
    """How large one event of a stream may be, 16 MiB by default."""
    key_store: KeyStore | None
    """Where the use of idempotency keys is recorded; a file of the user on this machine by default."""
    on_retry: Callable[[Any], Any] | None
    """Called before each repetition with a `RetryDetails`."""
    before_send: Callable[[Any], Any] | None
    """Called with an `OutgoingAsk` before an ask is sent; what it raises keeps it from being sent, and comes out unchanged."""
    on_token: Callable[[Any], Any] | None
    """Called with a `TokenRefresh` after each access token that was fetched, or could not be."""
    on_task: Callable[[Any], Any] | None
    """Called with a `TaskStateChange` whenever a task stands otherwise than before."""
    telemetry: bool | Telemetry | None
    """True for spans and metrics of OpenTelemetry (extra `otel`), by the global providers, or a `Telemetry`; off by default."""
    transport: (
        httpx.BaseTransport
        | httpx.AsyncBaseTransport
        | Callable[[], httpx.BaseTransport]
        | Callable[[], httpx.AsyncBaseTransport]
        | None
    )
    """A transport of httpx to send with, which the client closes when it is closed, instead of the SDK's choice; or a function that
    makes one, which is called anew in every process and event loop."""


class TokenInfo(TypedDict):
    """A token, as `with_token` takes it and `get_access_token` gives it."""

    # The API's spelling.
    accessToken: str
    """What opens the API."""
    expiresIn: int
    """Seconds it still lives."""
    refreshToken: NotRequired[str]
    """What gets the next one."""


class _Options(TypedDict, total=False):
    metadata: dict[str, Any] | None
    """Sent with the task."""
    message_metadata: dict[str, Any] | None
    """Sent with the message of the task."""
    part_metadata: dict[str, Any] | None
    """Sent with the text part of the message."""
    timeout: float | None
    """Seconds for the whole ask; the client's, 300 by default."""
    raise_on_failure: bool | None
    """Raise a `TaskFailedError` where the task ends without success, rather than return an answer that says so."""
    read_timeout: float | None
    """Seconds that one attempt may take to be answered; the client's, 60 by default."""
    max_retries: int | None
    """How often an ask that did not arrive is sent again; the client's, 2 by default."""
    settle_time: float | None
    """Seconds that the agent must not know the task before an ask that may have arrived is sent again; the client's, 30 by default."""
    resend: Literal["after_settling", "never"] | None
    """`never` forbids a second send of an ask that may have arrived; the client's, `after_settling` by default."""
    on_retry: Callable[[Any], Any] | None
    """Called before each repetition with a `RetryDetails`; the client's by default."""
    before_send: Callable[[Any], Any] | None
    """Called with an `OutgoingAsk` before it is sent; the client's by default."""
    on_task: Callable[[Any], Any] | None
    """Called with a `TaskStateChange` whenever the task stands otherwise than before; the client's by default."""
    idle_timeout: float | None
    """Seconds without an event after which a stream counts as broken; the client's, 60 by default."""


class StreamOptions(_Options, total=False):
    """Options of `stream`."""

    new_session: bool | None
    """Start a new session with this ask; the client stays in it."""
    idempotency_key: str | None
    """A name for the operation, such as `invoice-42`: an ask with the same key is the same task, from any process."""
    max_answer_bytes: int | None
    """How large an answer may be once it is decompressed, and what is kept of a stream; 64 MiB by default."""
    max_event_bytes: int | None
    """How large one event of a stream may be, 16 MiB by default."""
    key_store: KeyStore | None
    """Where the use of the key is recorded; the client's by default."""


class ReplyOptions(_Options, total=False):
    """Options of `reply`."""

    on_message: Callable[[Any], Any] | None
    """Called with every event as it comes: the answer is streamed then."""


class _AskOptions(StreamOptions, total=False):
    on_message: Callable[[Any], Any] | None
    """Called with every event as it comes (with `raw=True`, with every JSON-RPC answer): the answer is streamed then."""


class MarkdownAskOptions(_AskOptions, total=False):
    """Options of an `ask` that returns a `FormattedTaskResponse`."""

    output_format: Literal["markdown"] | None
    """The formatted answer, which is the default."""


class JsonAskOptions(_AskOptions, total=False):
    """Options of an `ask` that returns a `TaskResponse`."""

    output_format: Required[Literal["json"]]
    """The agent's JSON-RPC answer, unchanged."""


AskOptions: TypeAlias = MarkdownAskOptions | JsonAskOptions
"""The options of `ask`, as a dict."""


class TaskResponse(TypedDict):
    """The JSON-RPC answer of the agent, unchanged [D]."""

    jsonrpc: Literal["2.0"]
    id: str
    result: NotRequired[dict[str, Any] | None]
    error: NotRequired[dict[str, Any] | None]


STATES: dict[str, TaskState] = {state.value: state for state in TaskState}
"""The states that the protocol has, by their spelling."""


class Artifact(Record):
    """One piece of an answer: a dict, with the same things as attributes."""

    __slots__ = ()

    name = Key[str]()
    """Its name, `artifact` if the agent gave none."""
    description = Key["str | None"]()
    """What it is, in the agent's words."""
    content = Key[str]()
    """Its text, a line break between parts; for an artifact without text, its data as JSON or its file's address."""
    type = Key[str]()
    """The kind of its content: 'text' where there is text, else the kind of its first part ('data', 'file', …)."""
    timestamp = Key["str | None"]()
    """When it was made, as the agent wrote it."""
    metadata = Key[dict[str, Any]]()
    """What the agent says about it."""
    parts = Key[list[dict[str, Any]]]()
    """Every part as it came, files and data included."""


class FormattedTaskResponse(Record):
    """The answer to an ask: a dict, with the same things as attributes.

    One spelling of the keys is stored, snake_case; look-ups understand camelCase as well: `response["sessionId"]`.

    Example:
        >>> from payman_sdk.sandbox import Sandbox
        >>> with Sandbox() as sandbox, sandbox.client() as client:
        ...     response = client.ask("What's my TSD wallet balance?")
        >>> response["status"], response.is_final, response.session_id == response["sessionId"]
        ('completed', True, True)
    """

    __slots__ = ("new_artifacts", "raw", "warnings")

    new_artifacts: list[Artifact] | None
    """After a reply: those of `artifacts` that came since; None where nothing is known of before. No member of the dict."""
    raw: Any
    """The JSON-RPC answer as it came, for what `warnings` names; None where there was none. No member of the dict."""
    warnings: list[str]
    """What of the answer could not be read, such as `status.timestamp: an object`; usually empty. No member of the dict."""

    def __new__(cls, *_: Any, **__: Any) -> Self:
        """Make a response, without an answer that it came in."""
        response = super().__new__(cls)
        response.new_artifacts, response.raw, response.warnings = None, None, []
        return response

    status = Key[Status]()
    """How the ask stands: 'completed', 'failed' (canceled and rejected too) or 'in_progress' (waiting for somebody too)."""
    is_final = Key[bool]()
    """Whether the task has ended and will not change any more."""
    status_message = Key["str | None"]()
    """What the agent says about the state, such as 'Processing completed successfully'."""
    timestamp = Key["str | None"]()
    """When the task got into its state, exactly as the agent wrote it; nine fractional digits are usual [D]."""
    artifacts = Key[list[Artifact]]()
    """What the agent made, in order."""
    error = Key["dict[str, Any] | None"]()
    """Why the task failed, was canceled or rejected (`state`, `message`); None otherwise."""
    task_id = Key[str]()
    """The id of the task (`tsk-…`)."""
    request_id = Key[str]()
    """The id of the JSON-RPC request (`req-…`)."""
    session_id = Key["str | None"]()
    """The id of the session (`ses-…`)."""
    idempotency_key = Key["str | None"]()
    """The key that the caller gave the ask; None otherwise."""
    metadata = Key[dict[str, Any]]()
    """What the agent says about the task, such as `agentId` and `orgId`."""

    @property
    def state(self) -> TaskState | str:
        """The agent's own state of the task; one that nobody has listed is the string the agent sent."""
        state: str = self["state"]
        return STATES.get(state, state)

    @property
    def requires_input(self) -> bool:
        """Whether the task waits for an answer in words, such as for an approval: use `client.reply`, or `wait`.

        False for `auth-required`: that task waits for a person to act elsewhere, and only `wait` helps.
        """
        return get_phase(self["state"]) is Phase.AWAITS_REPLY

    @property
    def text(self) -> str:
        """The answer itself, markdown: the content of its artifacts, or what the agent says about the state.

        Of a task that waited and was answered, it is the newest answer alone; `artifacts` may have the earlier ones, too.
        """
        shown = self.artifacts if self.new_artifacts is None else self.new_artifacts
        contents = [artifact.content for artifact in shown if artifact.content]
        return "\n\n".join(contents) or self.status_message or ""

    @property
    def datetime(self) -> dt.datetime | None:
        """The timestamp as a datetime, to the microsecond; None where there is none or it cannot be read.

        A timestamp without a zone gives a naive datetime.
        """
        from dateutil import parser

        try:
            return parser.isoparse(self.timestamp) if self.timestamp else None
        except (ValueError, OverflowError):
            return None

    def __str__(self) -> str:
        return f"[{self['state']}] {self.text}"

    def _repr_markdown_(self) -> str:
        return self.text


class ParsedResponse(FormattedTaskResponse, Generic[T]):
    """The answer to an ask with a `response_format`: a `FormattedTaskResponse`, and what was made of it.

    Example:
        >>> from typing import TypedDict
        >>> from payman_sdk.sandbox import Sandbox
        >>> class Balance(TypedDict):
        ...     currency: str
        ...     balance: str
        >>> with Sandbox() as sandbox, sandbox.client() as client:
        ...     response = client.ask("what's my TSD wallet balance?", response_format=Balance)
        >>> response.parsed, response.parse_error
        ({'currency': 'TSD', 'balance': '1000.00'}, None)
    """

    __slots__ = ("parse_error", "parsed")

    parsed: T | None
    """The answer as it was wanted; None where it is not. No member of the dict."""
    parse_error: str | None
    """Why there is none, such as `The task is completed, and the answer holds no JSON object.`. No member of the dict."""

    def __new__(cls, *_: Any, **__: Any) -> Self:
        """Make a response of which nothing was made."""
        response = super().__new__(cls)
        response.parsed, response.parse_error = None, None
        return response

    @classmethod
    def of(cls, response: FormattedTaskResponse, parsed: T | None, parse_error: str | None) -> Self:
        """Make one of an answer."""
        made = cls(response)
        made.new_artifacts, made.raw, made.warnings = response.new_artifacts, response.raw, response.warnings
        made.parsed, made.parse_error = parsed, parse_error
        return made


if TYPE_CHECKING:
    from payman_sdk._core.payment_types import Payee as Payee
    from payman_sdk._core.payment_types import PayeeType as PayeeType
    from payman_sdk._core.payment_types import Payment as Payment
    from payman_sdk._core.payment_types import PaymentOutcome as PaymentOutcome
    from payman_sdk._core.payment_types import PayOptions as PayOptions
    from payman_sdk._core.payment_types import ReadOptions as ReadOptions
    from payman_sdk._core.payment_types import SettleOptions as SettleOptions
    from payman_sdk._core.payment_types import Transaction as Transaction
    from payman_sdk._core.payment_types import Wallet as Wallet
else:
    # Made with attrs, which most programs need not wait for.
    _PAYMENTS = (
        "PayOptions",
        "Payee",
        "PayeeType",
        "Payment",
        "PaymentOutcome",
        "ReadOptions",
        "SettleOptions",
    )
    _PAYMENTS = (*_PAYMENTS, "Transaction", "Wallet")

    def __getattr__(name: str) -> object:
        if name not in _PAYMENTS:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module("payman_sdk._core.payment_types"), name)
