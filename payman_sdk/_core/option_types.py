"""The options of `ask`, `stream` and `reply`, as dicts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, Required, TypeAlias, TypedDict

if TYPE_CHECKING:
    from payman_sdk._core.key_store import KeyStore

OutputFormat: TypeAlias = Literal["markdown", "json"]
"""What `ask` returns: `markdown` a `FormattedTaskResponse`, `json` the JSON-RPC answer as it came."""


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
    """Called with a `TaskStateChange` when the task changes state; the client's by default."""
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
