"""One ask: what is sent, and the flow that sends it and learns how it ended."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from attrs import frozen

from payman_api.api.tasks import cancel_task, get_task, send_task, send_task_subscribe
from payman_api.models.cancel_task_request import CancelTaskRequest
from payman_api.models.get_task_request import GetTaskRequest
from payman_api.models.message import Message
from payman_api.models.metadata import Metadata
from payman_api.models.send_task_request import SendTaskRequest
from payman_api.models.send_task_streaming_request import SendTaskStreamingRequest
from payman_api.models.task_id_params import TaskIdParams
from payman_api.models.task_query_params import TaskQueryParams
from payman_api.models.task_send_params import TaskSendParams
from payman_api.models.text_part import TextPart
from payman_api.types import UNSET, Unset
from payman_sdk.auth.tokens import Tokens, authorized
from payman_sdk.config import refuse_unknown, seconds
from payman_sdk.errors import (
    APIConnectionError,
    ConfigurationError,
    ErrorResponse,
    OutcomeUnknownError,
    PaymanError,
)
from payman_sdk.flows import Flow
from payman_sdk.tasks.answers import error_response, read_answer
from payman_sdk.types import JsonAskOptions, ReplyOptions, StreamOptions

if TYPE_CHECKING:
    import httpx

    from payman_api.models.task import Task

_OPTIONS = JsonAskOptions.__required_keys__ | JsonAskOptions.__optional_keys__
STREAM_OPTIONS = StreamOptions.__required_keys__ | StreamOptions.__optional_keys__
REPLY_OPTIONS = ReplyOptions.__required_keys__ | ReplyOptions.__optional_keys__
_SECONDS = ("timeout", "idle_timeout")
_METADATA = ("metadata", "message_metadata", "part_metadata")
_FORMATS = (None, "markdown", "json")


def new_id(kind: str) -> str:
    """A new id, such as `tsk-…` for the kind `tsk`: the client makes the ids of tasks, requests and sessions [D]."""
    return f"{kind}-{uuid4()}"


def read_options(
    options: Mapping[str, Any] | None,
    keywords: Mapping[str, Any],
    known: frozenset[str] = _OPTIONS,
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
    given = {**(options or {}), **{key: value for key, value in keywords.items() if value is not None}}
    refuse_unknown(given, known, f"an option of {what}")
    given = {key: value for key, value in given.items() if value is not None}
    if given.get("output_format") not in _FORMATS:
        raise ConfigurationError(
            f"output_format is {given['output_format']!r}.", next_step="Use 'markdown' or 'json'."
        )
    if not isinstance(given.get("new_session"), bool | None):
        raise ConfigurationError(f"new_session is {given['new_session']!r}.", next_step="Use True or False.")
    if not callable(given.get("on_message", print)):
        raise ConfigurationError(
            f"on_message is a {type(given['on_message']).__name__}.",
            next_step="Give a function of one argument.",
        )
    for key in _METADATA:
        _check_metadata(given.get(key), key)
    for key in _SECONDS:
        seconds(given.get(key), key, 0)
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


def task_id_of(task: object) -> str:
    """The id of a task that is given by its id, or by an answer of it.

    Raises:
        ConfigurationError: It is no text, blank, or not printable.
    """
    answer: Mapping[str, Any] = task if isinstance(task, Mapping) else {}
    task_id = answer.get("task_id", answer.get("taskId")) if answer else task
    if not isinstance(task_id, str) or not task_id.strip() or not task_id.isprintable():
        raise ConfigurationError(
            f"task_id is {task_id!r}.", next_step="Give response.task_id or error.task_id, such as 'tsk-…'."
        )
    return task_id


@frozen(kw_only=True)
class Ask:
    """One ask. Its ids are made once and are the same on every attempt: the task id is the idempotency key."""

    text: str
    task_id: str
    request_id: str
    session_id: str
    metadata: Mapping[str, Any] | None = None
    message_metadata: Mapping[str, Any] | None = None
    part_metadata: Mapping[str, Any] | None = None

    def request(self) -> dict[str, Any]:
        """The request for the whole answer, as keywords for httpx."""
        return send_task.build_request(body=SendTaskRequest(id=self.request_id, params=self._params()))

    def streaming_request(self) -> dict[str, Any]:
        """The request for the answer as it comes, as keywords for httpx."""
        return send_task_subscribe.build_request(
            body=SendTaskStreamingRequest(id=self.request_id, params=self._params())
        )

    def _params(self) -> TaskSendParams:
        part = TextPart(
            text=self.text,
            metadata=_metadata(self.part_metadata),
        )
        message = Message(
            role="user",
            parts=[part],
            metadata=_metadata(self.message_metadata),
        )
        return TaskSendParams(
            id=self.task_id,
            session_id=self.session_id,
            message=message,
            metadata=_metadata(self.metadata),
        )

    def ids(self) -> dict[str, str]:
        """The ids, as every error about this ask carries them."""
        return {"task_id": self.task_id, "request_id": self.request_id, "session_id": self.session_id}


def asked(ask: Ask, tokens: Tokens, deadline: float) -> Flow[tuple[dict[str, Any], Task]]:
    """The flow of an ask: sends it once and returns the JSON-RPC answer with its task.

    Raises:
        OutcomeUnknownError: It was sent, and no answer tells whether it was carried out.
        PaymanError: It was not carried out, or the agent answered with an error.
    """
    try:
        answer: httpx.Response = yield from authorized(ask.request(), tokens, deadline)
        if says_nothing(answer):
            raise nothing_said(answer)
        return read_answer(answer, ask.request_id)
    except APIConnectionError as error:
        if error.sent:
            raise unknown(error.message).about(**ask.ids()) from error
        error.about(**ask.ids())
        raise
    except PaymanError as error:
        error.about(**ask.ids())
        raise


def looked_up(
    task_id: str, request_id: str, tokens: Tokens, deadline: float
) -> Flow[tuple[dict[str, Any], Task]]:
    """The flow that asks how a task stands [P]. Reading changes nothing, so it may be repeated at will."""
    request = get_task.build_request(body=GetTaskRequest(id=request_id, params=TaskQueryParams(id=task_id)))
    return (yield from _about(task_id, request_id, request, tokens, deadline))


def canceled(
    task_id: str, request_id: str, tokens: Tokens, deadline: float
) -> Flow[tuple[dict[str, Any], Task]]:
    """The flow that cancels a task [P]."""
    request = cancel_task.build_request(
        body=CancelTaskRequest(id=request_id, params=TaskIdParams(id=task_id))
    )
    return (yield from _about(task_id, request_id, request, tokens, deadline))


def _about(
    task_id: str, request_id: str, request: dict[str, Any], tokens: Tokens, deadline: float
) -> Flow[tuple[dict[str, Any], Task]]:
    try:
        answer: httpx.Response = yield from authorized(request, tokens, deadline)
        return read_answer(answer, request_id)
    except PaymanError as error:
        error.about(task_id=task_id, request_id=request_id)
        raise


def says_nothing(answer: httpx.Response) -> bool:
    """Whether an answer leaves open if the request was processed.

    503 with Retry-After says that it was not, and so does a redirect that wants the same request elsewhere (307, 308);
    another redirect may follow a request that was processed.
    """
    status = answer.status_code
    if 300 <= status < 400:
        return status not in {307, 308}
    return status >= 500 and not (status == 503 and "retry-after" in answer.headers)


def nothing_said(answer: httpx.Response) -> OutcomeUnknownError:
    """The error for an answer that leaves open if the request was processed."""
    return unknown(f"The server answered HTTP {answer.status_code}.", error_response(answer))


def unknown(what: str, response: ErrorResponse | None = None) -> OutcomeUnknownError:
    """The error for an ask that was sent and whose end is not known."""
    return OutcomeUnknownError(
        f"{what} Whether the ask was carried out is not known.",
        next_step="Do not send it again; client.get_task(error.task_id) tells how it ended.",
        response=response,
    )


def _metadata(given: Mapping[str, Any] | None) -> Metadata | Unset:
    return UNSET if given is None else Metadata.from_dict(given)


def _check_metadata(value: Mapping[str, Any] | None, name: str) -> None:
    if value is None:
        return
    if not isinstance(value, Mapping):
        raise ConfigurationError(f"{name} is a {type(value).__name__}.", next_step="Give a dict.")
    try:
        json.dumps(dict(value), ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"{name} cannot be sent as JSON: {error}.") from None
