"""The dict types and enums of the public API, named as the README of the SDK has always named them.

What goes in (`PaymanConfig`, `AskOptions`) and what `raw=True` gives (`TaskResponse`) are plain dicts. An answer
(`FormattedTaskResponse`) is a dict too, one that can also be read by attributes.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Any, Generic, Literal, NotRequired, Required, Self, TypeAlias, TypedDict, TypeVar, overload

from payman_api.models.task_state import TaskState

__all__ = [
    "Artifact",
    "AskOptions",
    "Environment",
    "FormattedTaskResponse",
    "JsonAskOptions",
    "MarkdownAskOptions",
    "OutputFormat",
    "PaymanConfig",
    "Status",
    "TaskResponse",
    "TaskState",
    "TokenInfo",
]

T = TypeVar("T")

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
    """Seconds to wait for the next bytes of an answer, 60 by default."""
    timeout: float | None
    """Seconds for a whole ask, 300 by default."""


class TokenInfo(TypedDict):
    """A token, as `with_token` takes it and `get_access_token` gives it."""

    accessToken: str  # the API's spelling
    expiresIn: int  # the API's spelling; seconds it still lives
    refreshToken: NotRequired[str]  # the API's spelling


class _CommonAskOptions(TypedDict, total=False):
    new_session: bool | None
    """Start a new session with this ask; the client stays in it."""
    metadata: dict[str, Any] | None
    """Sent with the task."""
    message_metadata: dict[str, Any] | None
    """Sent with the message of the task."""
    part_metadata: dict[str, Any] | None
    """Sent with the text part of the message."""


class MarkdownAskOptions(_CommonAskOptions, total=False):
    """Options of an `ask` that returns a `FormattedTaskResponse`."""

    output_format: Literal["markdown"] | None


class JsonAskOptions(_CommonAskOptions, total=False):
    """Options of an `ask` that returns a `TaskResponse`."""

    output_format: Required[Literal["json"]]


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


def _stored(key: Any) -> Any:
    """The key that a look-up means: a name in snake_case, anything else as it is."""
    if not isinstance(key, str):
        return key
    return re.sub(r"(?<=[a-z0-9])[A-Z]", lambda capital: f"_{capital[0].lower()}", key)


class _Answer(dict[str, Any]):
    """A dict that stores snake_case names and understands camelCase ones when asked."""

    __slots__ = ()

    def __missing__(self, key: str) -> Any:
        spelled = _stored(key)
        if spelled == key:
            raise KeyError(key)
        return self[spelled]

    def __contains__(self, key: object) -> bool:
        return super().__contains__(_stored(key))

    def get(self, key: str, default: Any = None, /) -> Any:
        """The value of a key in either spelling, or the default."""
        try:
            return self[key]
        except KeyError:
            return default

    def copy(self) -> Self:
        """A copy that can be read by attributes too."""
        return type(self)(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({super().__repr__()})"


class _Key(Generic[T]):
    """An attribute that reads the key of the same name."""

    def __set_name__(self, owner: type[_Answer], name: str) -> None:
        self._name = name

    @overload
    def __get__(self, answer: None, owner: type[_Answer]) -> Self: ...
    @overload
    def __get__(self, answer: _Answer, owner: type[_Answer]) -> T: ...
    def __get__(self, answer: _Answer | None, owner: type[_Answer]) -> Self | T:
        if answer is None:
            return self
        value: T = answer[self._name]
        return value


class Artifact(_Answer):
    """One piece of an answer: a dict, with the same things as attributes."""

    __slots__ = ()

    name = _Key[str]()
    """Its name, `artifact` if the agent gave none."""
    description = _Key["str | None"]()
    """What it is, in the agent's words."""
    content = _Key[str]()
    """Its text, a line break between parts; for an artifact without text, its data as JSON or its file's address."""
    type = _Key[str]()
    """The kind of its content: 'text' where there is text, else the kind of its first part ('data', 'file', …)."""
    timestamp = _Key["str | None"]()
    """When it was made, as the agent wrote it."""
    metadata = _Key[dict[str, Any]]()
    """What the agent says about it."""
    parts = _Key[list[dict[str, Any]]]()
    """Every part as it came, files and data included."""


class FormattedTaskResponse(_Answer):
    """The answer to an ask: a dict, with the same things as attributes.

    One spelling of the keys is stored, snake_case; look-ups understand camelCase as well: `response["sessionId"]`.

    Example:
        >>> from payman_sdk.sandbox import Sandbox
        >>> with Sandbox() as sandbox, sandbox.client() as client:
        ...     response = client.ask("What's my TSD wallet balance?")
        >>> response["status"], response.is_final, response.session_id == response["sessionId"]
        ('completed', True, True)
    """

    __slots__ = ()

    status = _Key[Status]()
    """How the ask stands: 'completed', 'failed' (canceled too) or 'in_progress' (waiting for input too)."""
    is_final = _Key[bool]()
    """Whether the task has ended and will not change any more."""
    status_message = _Key["str | None"]()
    """What the agent says about the state, such as 'Processing completed successfully'."""
    timestamp = _Key["str | None"]()
    """When the task got into its state, exactly as the agent wrote it; nine fractional digits are usual [D]."""
    artifacts = _Key[list[Artifact]]()
    """What the agent made, in order."""
    error = _Key["dict[str, Any] | None"]()
    """Why the task failed or was canceled (`state`, `message`); None otherwise."""
    task_id = _Key[str]()
    """The id of the task (`tsk-…`)."""
    request_id = _Key[str]()
    """The id of the JSON-RPC request (`req-…`)."""
    session_id = _Key["str | None"]()
    """The id of the session (`ses-…`)."""
    metadata = _Key[dict[str, Any]]()
    """What the agent says about the task, such as `agentId` and `orgId`."""

    @property
    def state(self) -> TaskState | str:
        """The agent's own state of the task; one that nobody has listed is the string the agent sent."""
        state: str = self["state"]
        return STATES.get(state, state)

    @property
    def text(self) -> str:
        """The answer itself, markdown: the content of its artifacts, or what the agent says about the state."""
        contents = [artifact.content for artifact in self.artifacts if artifact.content]
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
