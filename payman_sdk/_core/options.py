"""What an ask is given: its text, its options and the task it is about, all checked before anything is sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, Required, TypeAlias, TypedDict, cast

from payman_sdk._config import (
    check_hook,
    check_key_store,
    read_resend,
    read_retries,
    read_seconds,
    read_settle_time,
    refuse_unknown,
)
from payman_sdk._text.sanitizer import find_hidden
from payman_sdk.errors import ConfigurationError

if TYPE_CHECKING:
    from payman_sdk._core.exchange import KeyStore


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


ASK_OPTIONS = JsonAskOptions.__required_keys__ | JsonAskOptions.__optional_keys__
STREAM_OPTIONS = StreamOptions.__required_keys__ | StreamOptions.__optional_keys__
REPLY_OPTIONS = ReplyOptions.__required_keys__ | ReplyOptions.__optional_keys__
_SECONDS = ("timeout", "read_timeout", "idle_timeout")
_HOOKS = ("on_message", "on_retry", "on_task", "before_send")
_SWITCHES = ("new_session", "raise_on_failure")
_METADATA = ("metadata", "message_metadata", "part_metadata")
_FORMATS = (None, "markdown", "json")
_LONGEST_KEY = 255


def read_options(
    options: Mapping[str, Any] | None,
    keywords: Mapping[str, Any],
    known: frozenset[str] = ASK_OPTIONS,
    what: str = "ask",
) -> dict[str, Any]:
    """The options of an ask from a dict, keywords, or both; a keyword wins, and None means not given.

    Args:
        options: The options as a dict.
        keywords: The options as keywords.
        known: The options there are.
        what: The method whose options they are.

    Raises:
        ConfigurationError: An option is unknown or unusable.
    """
    if options is not None and not isinstance(options, Mapping):
        raise ConfigurationError(
            f"options is a {type(options).__name__}.", next_step="Give a dict, or use keywords."
        )
    if not options and not keywords:
        return {}
    given = {**(options or {}), **{key: value for key, value in keywords.items() if value is not None}}
    refuse_unknown(given, known, f"an option of {what}")
    given = {key: value for key, value in given.items() if value is not None}
    if given.get("output_format") not in _FORMATS:
        raise ConfigurationError(
            f"output_format is {given['output_format']!r}.", next_step="Use 'markdown' or 'json'."
        )
    for key in _SWITCHES:
        if not isinstance(given.get(key), bool | None):
            raise ConfigurationError(f"{key} is {given[key]!r}.", next_step="Use True or False.")
    for key in _HOOKS:
        check_hook(given.get(key), key)
    _check_key(given.get("idempotency_key"))
    check_key_store(given.get("key_store"))
    read_retries(given.get("max_retries"))
    read_settle_time(given.get("settle_time"))
    read_resend(given.get("resend"))
    for key in _METADATA:
        _check_metadata(given.get(key), key)
    for key in _SECONDS:
        read_seconds(given.get(key), key, 0)
    return given


def check_text(text: object) -> None:
    """Refuses what cannot be asked.

    Raises:
        ConfigurationError: It is no text, blank, or cannot be encoded.
    """
    if not isinstance(text, str):
        raise ConfigurationError(f"text is a {type(text).__name__}.", next_step="Ask with a string.")
    if not text.strip():
        raise ConfigurationError("text is blank.", next_step="Say what Payman's agent should do.")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ConfigurationError(f"text holds half a character at position {error.start}.") from None


def read_task_id(task: object) -> str:
    """The id of a task that is given by its id, or by an answer of it.

    Raises:
        ConfigurationError: It is no text, blank, or not printable.
    """
    task_id = task
    if isinstance(task, Mapping) and task:
        answer = cast("Mapping[str, Any]", task)
        task_id = answer.get("task_id", answer.get("taskId"))
    if not isinstance(task_id, str) or not task_id.strip() or not task_id.isprintable():
        raise ConfigurationError(
            f"task_id is {task_id!r}.", next_step="Give response.task_id or error.task_id, such as 'tsk-…'."
        )
    return task_id


def _check_key(key: object) -> None:
    if key is None:
        return
    if (
        not isinstance(key, str)
        or not key.strip()
        or len(key) > _LONGEST_KEY
        or not key.isprintable()
        or find_hidden(key) is not None
    ):
        raise ConfigurationError(
            f"idempotency_key is {key!r}."[:300],
            next_step=f"Give a printable text of 1 to {_LONGEST_KEY} characters that names the operation, such as 'invoice-42'.",
        )


def _check_metadata(value: Mapping[str, Any] | None, name: str) -> None:
    if value is None:
        return
    if not isinstance(value, Mapping):
        raise ConfigurationError(f"{name} is a {type(value).__name__}.", next_step="Give a dict.")
    try:
        json.dumps(dict(value), ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"{name} cannot be sent as JSON: {error}.") from None
