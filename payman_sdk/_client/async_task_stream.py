"""Streamed answers for asyncio and trio."""

from collections.abc import AsyncIterator
from typing import Self

from payman_sdk._client.task_stream import BaseTaskStream, LiveView, TextExtractor
from payman_sdk._core.events import StreamEvent
from payman_sdk._core.operations import Operations
from payman_sdk._core.requests import Described
from payman_sdk._core.stream import StreamFlow
from payman_sdk._core.task_response import FormattedTaskResponse
from payman_sdk._io.async_runner import AsyncRunner
from payman_sdk._io.async_streams import AsyncOpenStream


class AsyncTaskStream(BaseTaskStream[AsyncRunner]):
    """A streamed answer. Create it with `client.stream`, and read it in an `async with` block, in one task.

    Example:
        >>> import asyncio
        >>> from payman_sdk.sandbox import Sandbox
        >>> async def main() -> None:
        ...     async with sandbox.async_client() as client:
        ...         async with client.stream("what's my TSD wallet balance?") as stream:
        ...             kinds = [event.type async for event in stream]
        ...             print(kinds[0], kinds[-1], (await stream.result()).status)
        >>> with Sandbox() as sandbox:
        ...     asyncio.run(main())
        status_update status_update completed
    """

    def __init__(self, runner: AsyncRunner, agent: Operations, following: StreamFlow) -> None:
        super().__init__(runner, agent, following)
        self._line = AsyncOpenStream()

    async def __aenter__(self) -> Self:
        if self._is_open:
            await self._read_more()
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        with Described(self._describe, None if self._has_ended and isinstance(error, Exception) else error):
            await self.close()

    def __aiter__(self) -> AsyncIterator[StreamEvent]:
        return self

    async def __anext__(self) -> StreamEvent:
        while (event := next(self._ready, None)) is None:
            if not self._is_open:
                raise StopAsyncIteration
            try:
                await self._read_more()
            except StopAsyncIteration as error:
                raise RuntimeError("A hook raised StopAsyncIteration.") from error
        return self._note_end(event) if event.type == "status_update" else event

    @property
    def text_stream(self) -> AsyncIterator[str]:
        """Iterate over the pieces of the text. Together they are the `text` of the result."""
        return _AsyncTextIterator(self)

    async def result(self) -> FormattedTaskResponse:
        """Read what is left, and return the answer: the same that `ask` returns.

        Raises:
            StreamInterruptedError: The stream broke, and could neither be resumed nor followed.
            ConfigurationError: The stream was left before its end.
            TaskFailedError: With `raise_on_failure`: the task ended without success.
            PaymanError: As for `ask`.
        """
        with Described(self._describe):
            async for _ in self:
                pass
            return self._get_result()

    async def show(self) -> FormattedTaskResponse:
        """Show the answer while it arrives, and return it: as a changing view in a notebook, as printed text elsewhere.

        Raises:
            PaymanError: As for `result`.
        """
        view = LiveView()
        async for event in self:
            view.update(event, self._repr_markdown_)
        view.close(self._repr_markdown_)
        return await self.result()

    async def cancel(self) -> FormattedTaskResponse:
        """Ask the agent to cancel the task [P] and return its state; the stream delivers the end as usual.

        Any thread or task may call it.

        Raises:
            TaskNotCancelableError: The task has ended already.
            PaymanError: As for `get_task`.
        """
        return await self._runner.run(self._agent.cancel(self.task_id))

    async def close(self) -> None:
        """Close the connection and drop what was not read. Closing twice is harmless.

        Any thread or task may call it. A loop that waits for the next event then ends, once the answer has begun.
        """
        self._close_flow()
        await (self._line.interrupt() if self._is_reading else self._line.close())

    async def _read_more(self) -> None:
        with Described(self._describe):
            self._is_reading, has_read = True, False
            try:
                self._record_effect(await self._runner.advance(self._flow, self._line))
                has_read = True
            except BaseException as error:
                if self._record_failure(error):
                    raise
            finally:
                self._is_reading = False
                if not (self._is_open and has_read):
                    await self.close()


class _AsyncTextIterator(AsyncIterator[str]):
    def __init__(self, stream: AsyncTaskStream) -> None:
        self._stream, self._words = stream, TextExtractor()

    async def __anext__(self) -> str:
        while not (words := self._words.extract(await anext(self._stream))):
            pass
        return words
