"""Watch a task again: POST /api/a2a/tasks/resubscribe."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

from ..._http import HttpOperation, build, read_value
from ...events import aiterate, iterate

if TYPE_CHECKING:
    import httpx

    from ...client import AuthenticatedClient
    from ...models.error_answer import ErrorAnswer
    from ...models.resubscribe_task_request import ResubscribeTaskRequest
    from ...models.task_response import TaskResponse
    from ...models.task_stream_response import TaskStreamResponse

_OPERATION: HttpOperation[TaskResponse | ErrorAnswer, Any] = HttpOperation(
    __name__,
    {
        "200": ("json", "TaskResponse"),
        "400": ("json", "ErrorAnswer"),
        "401": ("json", "ErrorAnswer"),
        "403": ("json", "ErrorAnswer"),
        "404": ("json", "ErrorAnswer"),
        "429": ("json", "ErrorAnswer"),
        "5XX": ("json", "ErrorAnswer"),
    },
    (range(200, 201),),
    ("header", "x-payman-access-token", ""),
)


def build_request(*, body: ResubscribeTaskRequest) -> dict[str, Any]:
    """Return the keywords for `httpx.Client.build_request`; nothing is sent."""
    return build(
        "POST",
        "/api/a2a/tasks/resubscribe",
        body=body,
        accept="text/event-stream, application/json",
    )


def parse_answer(
    response: httpx.Response, *, raise_on_unexpected_status: bool = False
) -> TaskResponse | ErrorAnswer | None:
    """Read an answer that is not an event stream; None for a status that the spec does not have, or an error that is not as the spec has it.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: The body of a success is not as the spec has it.
        errors.UnexpectedStatus: As asked for by `raise_on_unexpected_status`.
    """
    return _OPERATION.parse(response, raise_on_unexpected_status)


def parse_event(data: Mapping[str, Any]) -> TaskStreamResponse:
    """Read the data of one event.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: The data is not as the spec has it.
    """
    event: TaskStreamResponse = read_value(data, "TaskStreamResponse", __name__)
    return event


@contextmanager
def stream(*, client: AuthenticatedClient, body: ResubscribeTaskRequest) -> Iterator[httpx.Response]:
    """Open the stream: `with stream(...) as response`. The body is not read; an error status, or a body of JSON, is the caller's to look at."""
    with client.get_httpx_client().stream(
        **_OPERATION.prepare(client, build_request(body=body))
    ) as _response:
        yield _response


@asynccontextmanager
async def astream(
    *, client: AuthenticatedClient, body: ResubscribeTaskRequest
) -> AsyncIterator[httpx.Response]:
    """Open the stream: `async with astream(...) as response`. As `stream`."""
    async with client.get_async_httpx_client().stream(
        **_OPERATION.prepare(client, build_request(body=body))
    ) as _response:
        yield _response


def iter_events(*, client: AuthenticatedClient, body: ResubscribeTaskRequest) -> Iterator[TaskStreamResponse]:
    """Watch a task again, and yield each event as it comes; of an answer that is one JSON document, that.

    A stream that ends says nothing about whether all was sent: look for the event that is the last one by its own words.

    Raises:
        errors.ErrorStatus, errors.UnexpectedStatus: The answer is not a success.
        errors.UnreadableAnswer: An event is not as the spec has it.
        httpx.HTTPError: The exchange failed.
    """
    with stream(client=client, body=body) as _response:
        yield from iterate(_response, parse_event, parse_answer, _OPERATION.successes)


async def aiter_events(
    *, client: AuthenticatedClient, body: ResubscribeTaskRequest
) -> AsyncIterator[TaskStreamResponse]:
    """Do as `iter_events`, asynchronously."""
    async with astream(client=client, body=body) as _response:
        async for _event in aiterate(_response, parse_event, parse_answer, _OPERATION.successes):
            yield _event
