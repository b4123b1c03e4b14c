"""One ask: its ids, and the requests that are sent for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from os import urandom
from typing import TYPE_CHECKING, Any

from payman_api.api.tasks import send_task
from payman_api.models import Message, Metadata, SendTaskRequest, TaskSendParams, TextPart
from payman_api.types import UNSET, Unset
from payman_sdk._annotations import NamedTuple
from payman_sdk._refusals import describe_type, refuse
from payman_sdk.errors import ConfigurationError

if TYPE_CHECKING:
    from payman_sdk._core.hook_payloads import OutgoingAsk


_KEYS = "5b4a1f43-9d5e-4d5c-8f4e-3a8f0d0f6a11"
"""The namespace of task ids that come of a key. It never changes: the same key must give the same task for ever."""


def generate_id(kind: str) -> str:
    """Return a new id, such as `tsk-…` for the kind `tsk`, with a random UUID of version 4.

    Python's `uuid` is not used: it takes as long to import as the SDK's errors.
    """
    digits = urandom(16).hex()
    variant = "89ab"[int(digits[16], 16) % 4]
    return f"{kind}-{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def derive_task_id(client_id: str, idempotency_key: str) -> str:
    """Return the id of the task that a key names: the same in every process, another for every application."""
    from uuid import UUID, uuid5  # see `generate_id`

    return f"tsk-{uuid5(UUID(_KEYS), repr((str.__str__(client_id), str.__str__(idempotency_key))))}"


def check_text(text: object) -> None:
    """Refuses what cannot be asked; raises ConfigurationError."""
    if not isinstance(text, str):
        refuse("text", f"is {describe_type(text)}", "Ask with a string.")
    if not text.strip():
        refuse("text", "is blank", "Say what Payman's agent should do.")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ConfigurationError(
            f"text has an unpaired surrogate at position {error.start}.",
            next_step="Check how the text was decoded.",
        ) from None


# Rare models are imported where they are used: importing a model takes as long as serializing an ask.


class AskRequest(NamedTuple):
    """One ask. Its ids are the same on every attempt: the task id is the idempotency key."""

    text: str
    task_id: str
    request_id: str
    session_id: str
    metadata: Mapping[str, Any] | None = None
    message_metadata: Mapping[str, Any] | None = None
    part_metadata: Mapping[str, Any] | None = None
    idempotency_key: str | None = None
    is_reply: bool = False
    earlier: Sequence[Mapping[str, Any]] | None = ()
    """Of a reply: the artifacts that its task had before; None where they must be looked up."""

    def build_request(self) -> dict[str, Any]:
        return send_task.build_request(body=SendTaskRequest(id=self.request_id, params=self._build_params()))

    def build_stream_request(self) -> dict[str, Any]:
        from payman_api.api.tasks import send_task_subscribe
        from payman_api.models import SendTaskStreamingRequest

        body = SendTaskStreamingRequest(id=self.request_id, params=self._build_params())
        return send_task_subscribe.build_request(body=body)

    def _build_params(self) -> TaskSendParams:
        part = TextPart(text=self.text, metadata=_to_metadata(self.part_metadata))
        message = Message(role="user", parts=[part], metadata=_to_metadata(self.message_metadata))
        return TaskSendParams(
            id=self.task_id, session_id=self.session_id, message=message, metadata=_to_metadata(self.metadata)
        )

    def get_ids(self) -> dict[str, Any]:
        """Return the ids, as the answer and every error about this ask carry them."""
        return {
            "task_id": self.task_id,
            "request_id": self.request_id,
            "session_id": self.session_id,
            "idempotency_key": self.idempotency_key,
        }

    def to_outgoing(self) -> OutgoingAsk:
        """Return what a `before_send` hook sees."""
        from payman_sdk._core.hook_payloads import OutgoingAsk

        return OutgoingAsk(self.text, self.is_reply, **self.get_ids())


class Described:
    """Writes on exceptions of the block, and on earlier ones, which ask they are about."""

    __slots__ = ("_before", "_describe")

    def __init__(
        self, describe: Callable[[BaseException], object] | None, before: BaseException | None = None
    ) -> None:
        self._describe, self._before = describe, before

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        for one in (error, self._before):
            if one is not None and self._describe is not None:
                self._describe(one)


def build_get_request(task_id: str, request_id: str, messages: int = 0) -> dict[str, Any]:
    """Return the request for a look-up of a task [P], with so many of its newest messages."""
    from payman_api.api.tasks import get_task
    from payman_api.models import GetTaskRequest, TaskQueryParams

    params = TaskQueryParams(id=task_id, history_length=messages or UNSET)
    return get_task.build_request(body=GetTaskRequest(id=request_id, params=params))


def build_cancel_request(task_id: str, request_id: str) -> dict[str, Any]:
    """Return the request that cancels a task [P]."""
    from payman_api.api.tasks import cancel_task
    from payman_api.models import CancelTaskRequest, TaskIdParams

    return cancel_task.build_request(body=CancelTaskRequest(id=request_id, params=TaskIdParams(id=task_id)))


def build_resubscribe_request(task_id: str, request_id: str, last_event_id: str) -> dict[str, Any]:
    """Return the request for the rest of a stream [P]: behind its last event, if events are numbered."""
    from payman_api.api.tasks import resubscribe_task
    from payman_api.models import ResubscribeTaskRequest, TaskQueryParams

    body = ResubscribeTaskRequest(id=request_id, params=TaskQueryParams(id=task_id))
    request = resubscribe_task.build_request(body=body)
    if last_event_id:
        request["headers"] = {**request["headers"], "Last-Event-ID": last_event_id}
    return request


def _to_metadata(given: Mapping[str, Any] | None) -> Metadata | Unset:
    return UNSET if given is None else Metadata.from_dict(given)
