"""What can be asked of Payman's agent: the methods that a client and a conversation share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Unpack, cast, overload

from payman_sdk._client.session import AskCall
from payman_sdk._client.typed_calls import TypedCalls

if TYPE_CHECKING:
    from payman_sdk._client.task_stream import TaskStream
    from payman_sdk._core.options import (
        AskOptions,
        JsonAskOptions,
        MarkdownAskOptions,
        ReplyOptions,
        StreamOptions,
    )
    from payman_sdk._core.task_response import FormattedTaskResponse, ParsedResponse, TaskResponse


T = TypeVar("T")


class SyncMethods(TypedCalls):
    """Asks, streams, and the tasks that come of them."""

    @overload
    def ask(
        self,
        text: str,
        options: MarkdownAskOptions | None = None,
        *,
        response_format: type[T],
        **keywords: Unpack[MarkdownAskOptions],
    ) -> ParsedResponse[T]: ...
    @overload
    def ask(
        self,
        text: str,
        options: MarkdownAskOptions | None = None,
        *,
        response_format: Mapping[str, Any],
        **keywords: Unpack[MarkdownAskOptions],
    ) -> ParsedResponse[dict[str, Any]]: ...
    @overload
    def ask(
        self,
        text: str,
        options: JsonAskOptions,
        raw: bool = False,
        **keywords: Unpack[MarkdownAskOptions],
    ) -> TaskResponse: ...
    @overload
    def ask(
        self,
        text: str,
        options: AskOptions | None = None,
        raw: bool = False,
        **keywords: Unpack[JsonAskOptions],
    ) -> TaskResponse: ...
    @overload
    def ask(
        self,
        text: str,
        options: MarkdownAskOptions | None = None,
        raw: Literal[False] = False,
        **keywords: Unpack[MarkdownAskOptions],
    ) -> FormattedTaskResponse: ...
    @overload
    def ask(
        self,
        text: str,
        options: MarkdownAskOptions | None,
        raw: Literal[True],
        **keywords: Unpack[MarkdownAskOptions],
    ) -> TaskResponse: ...
    @overload
    def ask(
        self,
        text: str,
        options: MarkdownAskOptions | None = None,
        *,
        raw: Literal[True],
        **keywords: Unpack[MarkdownAskOptions],
    ) -> TaskResponse: ...
    @overload
    def ask(
        self,
        text: str,
        options: MarkdownAskOptions | None = None,
        raw: bool = False,
        **keywords: Unpack[MarkdownAskOptions],
    ) -> FormattedTaskResponse | TaskResponse: ...
    def ask(
        self,
        text: str,
        options: AskOptions | None = None,
        raw: bool = False,
        *,
        response_format: Any = None,
        **keywords: Any,
    ) -> FormattedTaskResponse | TaskResponse:
        """Asks Payman's agent something, or to do something, and returns its answer.

        An ask happens once. What the server did not take is sent again; what may have arrived is looked up first, and sent again
        only if the agent does not know it.

        Args:
            text: What the agent should do, in plain words.
            options: `idempotency_key`, `key_store`, `new_session`, `metadata`, `message_metadata`, `part_metadata`, `output_format`,
                `on_message`, `raise_on_failure`, `timeout`, `read_timeout`, `idle_timeout`, `max_retries`, `settle_time`, `resend`, `on_retry`,
                `on_task`, `before_send`, as a dict; see `AskOptions`. With `on_message` the answer is streamed: the function is called with
                every event, and what it raises stops the stream and comes out unchanged.
            raw: Whether to return the JSON-RPC answer as it came, and to call `on_message` with such; so does
                `output_format='json'`.
            response_format: What the answer is to be read as: a TypedDict, a dataclass, an attrs class, a pydantic model, or a JSON
                Schema of an object. The agent is asked for one JSON object [P]; `response.parsed` is what was made of it, or None
                with the reason in `response.parse_error`. With an idempotency key, the format is a part of the text.
            **keywords: The same options as keywords; a keyword wins over the dict.

        Raises:
            ConfigurationError: The text or an option is unusable; nothing was sent.
            APIConnectionError: Payman could not be reached; nothing was sent.
            AuthenticationError: Payman gave no token for these credentials; nothing was done.
            APIStatusError: Payman refused; nothing was done.
            AgentError: The agent answered with an error.
            ResponseValidationError: The answer to the request for a token cannot be read; nothing was sent.
            OutcomeUnknownError: Whether it was carried out could not be learned; ask `get_task`.
            StreamInterruptedError: As `OutcomeUnknownError`, after a part of the answer came.
            IdempotencyKeyReuseError: The key was used with another text; nothing was sent.
            TaskFailedError: With `raise_on_failure`: the task ended without success.

        Example:
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     response = client.ask("send 10 TSD to Test Payee", metadata={"source": "docs"})
            ...     print(response.status, response["sessionId"] == client.get_session_id())
            completed True
        """
        wanted = self._read_format(text, response_format, options, keywords, raw=raw)
        text = text if wanted is None else wanted.request(text)
        asked = self._prepare_ask(text, options, keywords, raw=raw)
        if asked.on_message is not None:
            answer = self._run_ask(text, asked)
        else:
            connection = self._connect()
            answer = connection.runner.run(
                *connection.agent.ask(text, asked.session_id, asked.options, raw=asked.raw)
            )
        return answer if wanted is None else wanted.read(cast("FormattedTaskResponse", answer))

    def stream(
        self, text: str, options: StreamOptions | None = None, **keywords: Unpack[StreamOptions]
    ) -> TaskStream:
        """Asks, and gives the answer as it comes; the request is sent when the `with` block begins.

        A stream that breaks is taken up again where it broke, or followed with `get_task`; no event is repeated.

        Args:
            text: What the agent should do, in plain words.
            options: `idempotency_key`, `key_store`, `new_session`, `metadata`, `message_metadata`, `part_metadata`, `raise_on_failure`,
                `timeout`, `read_timeout`, `idle_timeout`, `max_retries`, `settle_time`, `resend`, `on_retry`, `on_task`, `before_send`, as a dict; see
                `StreamOptions`.
            **keywords: The same options as keywords; a keyword wins over the dict.

        Raises:
            ConfigurationError: The text or an option is unusable; nothing was sent.
            StreamInterruptedError: While reading: it broke, and could neither be taken up again nor followed otherwise.
            PaymanError: While reading: as for `ask`.

        Example:
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     with client.stream("send 10 TSD to Test Payee") as stream:
            ...         text = "".join(stream.text_stream)
            ...         print(text == stream.result().text)
            True
        """
        asked = self._prepare_stream(text, options, keywords)
        return self._open_stream(text, asked)

    def reply(
        self,
        task: str | Mapping[str, Any],
        text: str,
        options: ReplyOptions | None = None,
        **keywords: Unpack[ReplyOptions],
    ) -> FormattedTaskResponse:
        """Answers a task that waits for input, such as a payment that waits for approval, and returns how it goes on.

        Args:
            task: The answer that says `requires_input`, or the id of its task.
            text: What to tell the agent, such as `approve`.
            options: `metadata`, `message_metadata`, `part_metadata`, `on_message`, `raise_on_failure`, `timeout`, `read_timeout`,
                `idle_timeout`, `max_retries`, `settle_time`, `resend`, `on_retry`, `on_task`, `before_send`, as a dict; see `ReplyOptions`.
            **keywords: The same options as keywords; a keyword wins over the dict.

        Raises:
            PaymanError: As for `ask`.

        Example:
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     response = client.ask("send 200 TSD to Test Payee")
            ...     print(response.requires_input, client.reply(response, "approve").status)
            True completed
        """
        task_id, asked = self._prepare_reply(task, text, options, keywords)
        if asked.on_message is not None:
            return cast("FormattedTaskResponse", self._run_ask(text, asked, task_id))
        connection = self._connect()
        answer = connection.runner.run(
            *connection.agent.ask(
                text, asked.session_id, asked.options, task_id=task_id, earlier=asked.earlier
            )
        )
        return cast("FormattedTaskResponse", answer)

    def get_task(self, task: str | Mapping[str, Any]) -> FormattedTaskResponse:
        """Return the state of a task, such as one that waited for approval or whose answer was lost [P].

        Args:
            task: The id of the task, `response.task_id` or `error.task_id`; or the answer itself.

        Raises:
            TaskNotFoundError: The agent knows no such task: it never arrived.
            PaymanError: As for `ask`.

        Example:
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     task_id = client.ask("list all wallets").task_id
            ...     print(client.get_task(task_id).status)
            completed
        """
        connection = self._connect()
        return connection.runner.run(connection.agent.get_task(task))

    def wait(self, task: str | Mapping[str, Any], timeout: float | None = None) -> FormattedTaskResponse:
        """Wait until a task that works or waits for a person has ended, and return the outcome [P].

        Asks again and again, in growing intervals of up to 5 seconds; short network failures are retried.

        Args:
            task: The answer that says `in_progress`, or the id of its task.
            timeout: Seconds to wait, the client's `timeout` by default.

        Raises:
            APITimeoutError: It had not ended by then.
            TaskNotFoundError: The agent knows no such task.
            PaymanError: The look-up failed, so its state is unknown.

        Example:
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     response = client.ask("send 200 TSD to Test Payee")
            ...     payment = sandbox.approve(response.task_id)
            ...     print(response.status, client.wait(response, timeout=10).status)
            in_progress completed
        """
        from payman_sdk._config import read_seconds

        timeout = None if timeout is None else read_seconds(timeout, "timeout", 0)
        connection = self._connect()
        return connection.runner.run(connection.agent.wait(task, timeout))

    def cancel_task(self, task: str | Mapping[str, Any]) -> FormattedTaskResponse:
        """Cancel a task that has not ended, and return its state [P].

        Args:
            task: The answer, or the id of its task.

        Raises:
            TaskNotCancelableError: It has ended already.
            TaskNotFoundError: The agent knows no such task.
            PaymanError: As for `ask`.

        Example:
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     response = client.ask("send 200 TSD to Test Payee")
            ...     print(client.cancel_task(response).state, sandbox.balance("TSD"))
            canceled 1000.00
        """
        connection = self._connect()
        return connection.runner.run(connection.agent.cancel(task))

    def _open_stream(self, text: str, asked: AskCall, task_id: str | None = None) -> TaskStream:
        from payman_sdk._client.task_stream import TaskStream

        runner, _, agent = self._connect()
        return TaskStream(
            runner,
            agent,
            agent.build_stream(text, asked.session_id, asked.options, task_id=task_id, earlier=asked.earlier),
        )

    def _run_ask(
        self, text: str, asked: AskCall, task_id: str | None = None
    ) -> FormattedTaskResponse | TaskResponse:
        from payman_sdk._client.task_stream import CallbackErrorNotes, MessageBuilder

        on_message, messages = asked.on_message, MessageBuilder(raw=asked.raw)
        assert on_message is not None  # noqa: S101 (events are emitted only then)
        with self._open_stream(text, asked, task_id) as stream:
            for event in stream:
                message = messages.build(event)
                if message is not None:
                    with CallbackErrorNotes(stream):
                        on_message(message)
            result = stream.result()
            with CallbackErrorNotes(stream):
                return stream.answer() if asked.raw else result
