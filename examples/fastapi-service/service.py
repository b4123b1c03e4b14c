"""A web service with one Payman account and many users: ask, stream, approve."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, HTTPException, Request
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse
from pydantic import BaseModel, Field

from payman_sdk import AsyncConversation, AsyncPaymanClient, FormattedTaskResponse, PaymanError
from payman_sdk.errors import (
    APITimeoutError,
    ConfigurationError,
    IdempotencyKeyReuseError,
    OutcomeUnknownError,
    RateLimitError,
    TaskNotCancelableError,
    TaskNotFoundError,
)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """One client for the life of the service: all users share its connections and its token."""
    async with AsyncPaymanClient.from_env(timeout=60) as client:
        app.state.payman = client
        app.state.sessions = {}  # in earnest, a table of your database: user and session id
        yield


app = FastAPI(lifespan=lifespan)


def current_user(x_user: Annotated[str, Header(min_length=1)]) -> str:
    """Who asks. Put your login here: a header can be written by anybody."""
    return x_user


User = Annotated[str, Depends(current_user)]


def conversation_of(user: User) -> AsyncConversation:
    """The user's conversation: a new one, or the one that was begun before, whichever process did that."""
    conversation: AsyncConversation = app.state.payman.conversation(app.state.sessions.get(user))
    app.state.sessions[user] = conversation.get_session_id()
    return conversation


Conversation = Annotated[AsyncConversation, Depends(conversation_of)]


class Question(BaseModel):
    """What a user asks. A page makes a key for each form that it shows, so that a form that is sent twice pays once."""

    text: str = Field(min_length=1, max_length=2000)
    key: str | None = Field(None, min_length=1, max_length=100)


def key_of(user: str, question: Question) -> str | None:
    """The idempotency key: users may choose the same one, and must not get each other's answers."""
    return question.key and json.dumps([user, question.key])


def told(response: FormattedTaskResponse) -> dict[str, Any]:
    """What the browser is told of an answer."""
    return {
        "text": response.text,
        "status": response.status,
        "requires_input": response.requires_input,
        "task_id": response.task_id,
        "session_id": response.session_id,
    }


@app.post("/ask")
async def ask(question: Question, user: User, conversation: Conversation) -> dict[str, Any]:
    """Asks, and answers when the agent has."""
    return told(await conversation.ask(question.text, idempotency_key=key_of(user, question)))


@app.post("/stream")
async def stream(question: Question, user: User, conversation: Conversation) -> StreamingResponse:
    """Asks, and tells the answer as it comes, as server-sent events: `state`, `text`, and at last `answer` or `error`."""

    async def events() -> AsyncIterator[str]:
        try:
            async with conversation.stream(question.text, idempotency_key=key_of(user, question)) as stream:
                async for event in stream:
                    if event.type == "status_update":
                        yield sse("state", {"state": event.state, "message": event.status_message})
                    elif event.type == "artifact_update":
                        yield sse("text", {"delta": event.delta})
                yield sse("answer", told(await stream.result()))
        except PaymanError as error:  # the status 200 has been sent already
            yield sse("error", {"status": status_of(error), **problem(error)})

    return StreamingResponse(events(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


def sse(event: str, data: dict[str, Any]) -> str:
    """One server-sent event; JSON has no line breaks in it, as they would end the data."""
    return f"event: {event}\ndata: {json.dumps(data)}\n\n"


@app.post("/tasks/{task_id}/{decision}")
async def decide(task_id: str, decision: str, conversation: Conversation) -> dict[str, Any]:
    """Approves or denies a payment that waits, if it is of the user's own session."""
    if decision not in ("approve", "deny"):
        raise HTTPException(404)
    task = await conversation.get_task(task_id)
    if task.session_id != conversation.get_session_id():
        raise HTTPException(404, "you have no such task")
    if not task.requires_input:
        raise HTTPException(409, "it does not wait for anybody")
    return told(await conversation.reply(task, decision))


@app.get("/")
async def page() -> FileResponse:
    """A page that asks and shows the answer as it comes."""
    return FileResponse(Path(__file__).with_name("page.html"))


@app.exception_handler(PaymanError)
async def refused(request: Request, error: PaymanError) -> JSONResponse:
    """What the SDK raises, as an HTTP status."""
    return JSONResponse(problem(error), status_of(error))


def status_of(error: PaymanError) -> int:
    """The HTTP status for an error of the SDK: 4xx where the user can do something about it, 5xx where not."""
    match error:
        case OutcomeUnknownError() | APITimeoutError():
            return 504
        case TaskNotFoundError():
            return 404
        case IdempotencyKeyReuseError() | TaskNotCancelableError():
            return 409
        case ConfigurationError():
            return 422
        case RateLimitError():
            return 503
        case _:  # a refused token, too, is this service's matter: a 401 would log the user out
            return 502


def problem(error: PaymanError) -> dict[str, Any]:
    """What the browser is told of an error: whether the payment may have been made, and the ids to ask with."""
    return {
        "error": type(error).__name__,
        "message": error.message,
        "may_have_been_done": isinstance(error, OutcomeUnknownError),
        "task_id": error.task_id,
        "session_id": error.session_id,
        "request_id": error.request_id,
    }
