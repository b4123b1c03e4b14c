"""Streamed answers, also as a person watches one: in a notebook, or on standard output.

`async_task_stream.py` has the same for asyncio and trio.
"""

import contextlib
import copy
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, Generic, Self, TypeVar, cast

from payman_sdk._core.effects import Emit, FlowResult
from payman_sdk._core.events import StatusUpdate, StreamEvent
from payman_sdk._core.operations import Operations
from payman_sdk._core.requests import Described
from payman_sdk._core.stream import StreamFlow
from payman_sdk._core.task_response import FormattedTaskResponse, TaskResponse
from payman_sdk._io.clock import monotonic
from payman_sdk._io.runner import SyncRunner
from payman_sdk._io.streams import OpenStream
from payman_sdk._text.sanitizer import render_answer, sanitize
from payman_sdk.errors import ConfigurationError, PaymanError


class TextExtractor:
    """The text in events, with an empty line between artifacts, as the `text` of an answer has it."""

    def __init__(self) -> None:
        self._artifact: int | None = None

    def extract(self, event: StreamEvent) -> str:
        if event.type != "artifact_update" or not event.delta:
            return ""
        before, self._artifact = self._artifact, event.index
        return event.delta if before in (None, event.index) else f"\n\n{event.delta}"


_PAUSE = 0.1
"""Seconds between two changes of an output: a notebook keeps up with no more."""


class LiveView:
    """Shows a stream while it arrives. In a notebook, one output changes; elsewhere, text is printed."""

    def __init__(self) -> None:
        self._words = TextExtractor()
        self._handle: Any = None
        self._next = 0.0
        if (ipython := sys.modules.get("IPython")) is not None and ipython.get_ipython() is not None:
            display = import_module("IPython.display").display
            self._handle = display({"text/markdown": ""}, raw=True, display_id=True)

    def update(self, event: StreamEvent, render: Callable[[], str]) -> None:
        """Show an event."""
        if self._handle is not None:
            if (now := monotonic()) >= self._next:
                self._next = now + _PAUSE
                self._handle.update({"text/markdown": render()}, raw=True)
        elif words := self._words.extract(event):
            sys.stdout.write(sanitize(words))
            sys.stdout.flush()

    def close(self, render: Callable[[], str]) -> None:
        """Show the end."""
        if self._handle is None:
            sys.stdout.write("\n")
        else:
            self._handle.update({"text/markdown": render()}, raw=True)


D = TypeVar("D")


class BaseTaskStream(Generic[D]):
    """The common part of both streams, which does not wait."""

    def __init__(self, runner: D, agent: Operations, following: StreamFlow) -> None:
        self._runner = runner
        self._agent = agent
        self._following = following
        self._flow = following.run()
        self._ready: Iterator[StreamEvent] = iter(())
        self._is_open = True
        self._is_reading = self._has_ended = False
        self._failure: PaymanError | None = None

    @property
    def task_id(self) -> str:
        """The id of the task (`tsk-…`); it is known before anything is sent."""
        return self._following.ask.task_id

    @property
    def session_id(self) -> str:
        """The id of the session (`ses-…`)."""
        return self._following.progress.session_id

    @property
    def request_id(self) -> str:
        """The id of the request (`req-…`)."""
        return self._following.ask.request_id

    def answer(self) -> TaskResponse:
        """Return what the stream has delivered so far as one JSON-RPC answer."""
        return cast("TaskResponse", self._following.progress.build_response())

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.task_id}>"

    def _repr_markdown_(self) -> str:
        """Return what has come so far, as a notebook shows it."""
        so_far = self._following.format_answer()
        return render_answer(so_far["status"], so_far["state"], so_far.text, self.task_id, so_far["is_final"])

    def _record_effect(self, step: Emit | FlowResult[None]) -> None:
        if isinstance(step, Emit):
            self._ready = step.what
        elif self._is_open:  # else another thread or task has closed it meanwhile
            self._has_ended, self._is_open = True, False

    def _note_end(self, event: StatusUpdate) -> StatusUpdate:
        """Return an event of the state; after the final one, the result is whole, also for who leaves then. A reply that still waits may go on."""
        if event["is_final"] and not self._following.ask.is_reply:
            self._has_ended = True
        return event

    def _record_failure(self, error: BaseException) -> bool:
        """Note what ended the stream; return whether to raise it: False if another thread or task closed the stream."""
        self._failure = copy.copy(error) if isinstance(error, PaymanError) and self._is_open else None
        return self._is_open or not isinstance(error, PaymanError)

    def _describe(self, error: BaseException) -> None:
        """Write on what interrupts the stream which ask that was."""
        self._following.time.watch.describe(error, self._following.ask)

    def _close_flow(self) -> None:
        self._is_open, self._ready = False, iter(())
        with contextlib.suppress(ValueError):  # it runs in another thread, which closes it then
            self._flow.close()

    def _get_result(self) -> FormattedTaskResponse:
        if self._failure is not None:
            raise copy.copy(self._failure)
        if not self._has_ended:
            raise ConfigurationError(
                "The stream was left before its end, so it has no result.",
                next_step="Call result() inside the with block; client.get_task(stream.task_id) returns it later.",
            )
        return self._following.get_result()


class TaskStream(BaseTaskStream[SyncRunner]):
    """A streamed answer. Create it with `client.stream`, and read it in a `with` block, in one thread.

    Example:
        >>> from payman_sdk.sandbox import Sandbox
        >>> with Sandbox() as sandbox, sandbox.client() as client:
        ...     with client.stream("what's my TSD wallet balance?") as stream:
        ...         kinds = [event.type for event in stream]
        ...         print(kinds[0], kinds[-1], stream.result().status)
        status_update status_update completed
    """

    def __init__(self, runner: SyncRunner, agent: Operations, following: StreamFlow) -> None:
        super().__init__(runner, agent, following)
        self._line = OpenStream()

    def __enter__(self) -> Self:
        if self._is_open:
            self._read_more()
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        with Described(self._describe, None if self._has_ended and isinstance(error, Exception) else error):
            self.close()

    def __iter__(self) -> Iterator[StreamEvent]:
        return self

    def __next__(self) -> StreamEvent:
        while (event := next(self._ready, None)) is None:
            if not self._is_open:
                raise StopIteration
            try:
                self._read_more()
            except StopIteration as error:  # a hook's; as it is, it would look like the end of the stream
                raise RuntimeError("A hook raised StopIteration.") from error
        return self._note_end(event) if event.type == "status_update" else event

    @property
    def text_stream(self) -> Iterator[str]:
        """Iterate over the pieces of the text. Together they are the `text` of the result."""
        return filter(None, map(TextExtractor().extract, self))

    def result(self) -> FormattedTaskResponse:
        """Read what is left, and return the answer: the same that `ask` returns.

        Raises:
            StreamInterruptedError: The stream broke, and could neither be resumed nor followed.
            ConfigurationError: The stream was left before its end.
            TaskFailedError: With `raise_on_failure`: the task ended without success.
            PaymanError: As for `ask`.
        """
        with Described(self._describe):
            for _ in self:
                pass
            return self._get_result()

    def show(self) -> FormattedTaskResponse:
        """Show the answer while it arrives, and return it: as a changing view in a notebook, as printed text elsewhere.

        Raises:
            PaymanError: As for `result`.
        """
        view = LiveView()
        for event in self:
            view.update(event, self._repr_markdown_)
        view.close(self._repr_markdown_)
        return self.result()

    def cancel(self) -> FormattedTaskResponse:
        """Ask the agent to cancel the task [P] and return its state; the stream delivers the end as usual.

        Any thread or task may call it.

        Raises:
            TaskNotCancelableError: The task has ended already.
            PaymanError: As for `get_task`.
        """
        return self._runner.run(self._agent.cancel(self.task_id))

    def close(self) -> None:
        """Close the connection and drop what was not read. Closing twice is harmless.

        Any thread or task may call it. A loop that waits for the next event then ends, once the answer has begun.
        """
        self._close_flow()
        if self._is_reading:
            self._line.interrupt()
        else:
            self._line.close()

    def _read_more(self) -> None:
        with Described(self._describe):
            self._is_reading, has_read = True, False
            try:
                self._record_effect(self._runner.advance(self._flow, self._line))
                has_read = True
            except BaseException as error:
                if self._record_failure(error):
                    raise
            finally:
                self._is_reading = False
                if not (self._is_open and has_read):
                    self.close()
