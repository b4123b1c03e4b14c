"""Live output of an answer: the view on a terminal, and plain text for a pipe."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.segment import Segment
from rich.spinner import Spinner
from rich.text import Text

from payman_sdk._cli.terminal import Terminal, render_markdown
from payman_sdk._core.events import ArtifactUpdate, StatusUpdate, StreamEvent
from payman_sdk._io.clock import monotonic
from payman_sdk._text.sanitizer import sanitize
from payman_sdk.errors import StreamInterruptedError

if TYPE_CHECKING:
    from payman_sdk._client.task_stream import TaskStream
    from payman_sdk._core.task_response import FormattedTaskResponse

_SHOWN = 20_000
"""How many characters of an answer are rendered while it comes: what is above has left the screen long ago."""
_STATE = 200
"""How many characters of what the state is called are shown."""


class ProgressView:
    """What is seen of an answer that is still coming: its newest lines, and below them the state of the task."""

    def __init__(self, state: str = "asking", clock: Callable[[], float] = monotonic) -> None:
        self._state = state
        self._event: ArtifactUpdate | None = None
        self._clock, self._began = clock, clock()
        self._spinner: Spinner | None = None

    def update(self, event: StreamEvent) -> None:
        if isinstance(event, ArtifactUpdate):
            self._event = event
        elif isinstance(event, StatusUpdate):
            self._state = event.status_message or str(event["state"])

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Return the newest lines, as many as there is room for, and the state."""
        if self._event is not None:
            text = render_markdown(self._event.artifact.content[-_SHOWN:])
            lines = console.render_lines(text, options, pad=False)
            for line in lines[-max(1, console.size.height - 3) :]:
                yield from line
                yield Segment.line()
        if self._spinner is None:
            unicode = console.encoding.startswith("utf")
            self._spinner = Spinner("dots" if unicode else "line")
        said = sanitize(self._state.strip().partition("\n")[0], one_line=True, max_length=_STATE) or "working"
        seconds = self._clock() - self._began
        self._spinner.update(
            text=Text(f"{said}  {seconds:.0f} s", style="dim", overflow="ellipsis", no_wrap=True)
        )
        yield self._spinner


@contextmanager
def show_progress(terminal: Terminal) -> Generator[ProgressView]:
    progress = ProgressView()
    if not terminal.is_output_terminal:
        yield progress
        return
    with Live(
        progress,
        console=terminal.get_stdout(),
        transient=True,
        refresh_per_second=8,
        redirect_stderr=terminal.is_error_terminal,  # elsewhere, messages stay apart from answers
    ):
        yield progress


def show_stream(stream: TaskStream, terminal: Terminal) -> FormattedTaskResponse:
    """Show an answer while it arrives, and all of it at the end."""
    try:
        with show_progress(terminal) as progress:
            for event in stream:
                progress.update(event)
        response = stream.result()
    except StreamInterruptedError as error:
        if error.partial is not None:
            terminal.render(error.partial.text)
        raise
    terminal.render(response.text)
    return response


def print_stream(stream: TaskStream, terminal: Terminal) -> FormattedTaskResponse:
    """Write an answer as plain text while it arrives."""
    written = False
    for words in stream.text_stream:
        terminal.write(sanitize(words))
        written = True
    response = stream.result()
    terminal.write("\n" if written else f"{sanitize(response.text)}\n")
    return response
