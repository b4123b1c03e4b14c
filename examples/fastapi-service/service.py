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
    """Create one client for the life of the service. All users share its connections and its token."""
    async with AsyncPaymanClient.from_env(timeout=60) as client:
        app.state.payman = client
        app.state.sessions = {}  # in production: a table of your database, from user to session id
        yield


app = FastAPI(lifespan=lifespan)


def current_user(x_user: Annotated[str, Header(min_length=1)]) -> str:
    """Return the user. Put your login here: anybody can write a header."""
    return x_user


User = Annotated[str, Depends(current_user)]


def conversation_of(user: User) -> AsyncConversation:
    """Return the user's conversation: a new one, or the one that they began before, in any process."""
    conversation: AsyncConversation = app.state.payman.conversation(app.state.sessions.get(user))
    app.state.sessions[user] = conversation.get_session_id()
    return conversation


Conversation = Annotated[AsyncConversation, Depends(conversation_of)]


class Question(BaseModel):
    """The question of a user. A page makes a key for each form that it shows, so a form that is sent twice pays once."""

    text: str = Field(min_length=1, max_length=2000)
    key: str | None = Field(None, min_length=1, max_length=100)


def key_of(user: str, question: Question) -> str | None:
    """Return the idempotency key. Users may choose the same one, and must not get each other's answers."""
    return question.key and json.dumps([user, question.key])


def format_answer(response: FormattedTaskResponse) -> dict[str, Any]:
    """Return the parts of an answer that the browser gets."""
    return {
        "text": response.text,
        "status": response.status,
        "requires_input": response.requires_input,
        "task_id": response.task_id,
        "session_id": response.session_id,
    }


@app.post("/ask")
async def ask(question: Question, user: User, conversation: Conversation) -> dict[str, Any]:
    """Ask the agent, and return its answer."""
    return format_answer(await conversation.ask(question.text, idempotency_key=key_of(user, question)))


@app.post("/stream")
async def stream(question: Question, user: User, conversation: Conversation) -> StreamingResponse:
    """Ask the agent, and stream its answer as server-sent events: `state`, `text`, and at the end `answer` or `error`."""

    async def events() -> AsyncIterator[str]:
        try:
            async with conversation.stream(question.text, idempotency_key=key_of(user, question)) as stream:
                async for event in stream:
                    if event.type == "status_update":
                        yield format_event("state", {"state": event.state, "message": event.status_message})
                    elif event.type == "artifact_update":
                        yield format_event("text", {"delta": event.delta})
                yield format_event("answer", format_answer(await stream.result()))
        except PaymanError as error:  # the status 200 is sent already
            yield format_event("error", {"status": choose_status(error), **describe_error(error)})

    return StreamingResponse(events(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


def format_event(event: str, data: dict[str, Any]) -> str:
    """Format one server-sent event. Its JSON has no line breaks, because they would end the data."""
    return f"event: {event}\ndata: {json.dumps(data)}\n\n"


@app.post("/tasks/{task_id}/{decision}")
async def decide(task_id: str, decision: str, conversation: Conversation) -> dict[str, Any]:
    """Approve or deny a payment that waits, if it belongs to the user's own session."""
    if decision not in ("approve", "deny"):
        raise HTTPException(404)
    task = await conversation.get_task(task_id)
    if task.session_id != conversation.get_session_id():
        raise HTTPException(404, "you have no such task")
    if not task.requires_input:
        raise HTTPException(409, "this task does not wait for a decision")
    return format_answer(await conversation.reply(task, decision))


@app.get("/")
async def page() -> FileResponse:
    """Serve a page that asks, and shows the answer while it arrives."""
    return FileResponse(Path(__file__).with_name("page.html"))


@app.exception_handler(PaymanError)
async def report_error(request: Request, error: PaymanError) -> JSONResponse:
    """Answer an error of the SDK with an HTTP status."""
    return JSONResponse(describe_error(error), choose_status(error))


def choose_status(error: PaymanError) -> int:
    """Return the HTTP status for an error of the SDK: 4xx if the user can do something about it, else 5xx."""
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
        case _:  # a refused token too: it is the service's own, and a 401 would log the user out
            return 502


def may_have_been_done(error: PaymanError) -> bool:
    """Return False only if nothing was done: not by this request, nor by an earlier one with its key on this machine."""
    return error.sent is not False or isinstance(error, OutcomeUnknownError)


def describe_error(error: PaymanError) -> dict[str, Any]:
    """Return the parts of an error that the browser gets: whether the payment may have been made, and the ids."""
    return {
        "error": type(error).__name__,
        "message": error.message,
        "may_have_been_done": may_have_been_done(error),
        "task_id": error.task_id,
        "session_id": error.session_id,
        "request_id": error.request_id,
    }
