"""Stream the agent's answer to the terminal; Ctrl-C cancels the task."""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Protocol

from payman_sdk import PaymanClient, TaskStream
from payman_sdk.errors import PaymanError, TaskNotCancelableError, TaskNotFoundError

try:
    from rich.console import Console
    from rich.live import Live
    from rich.markdown import Markdown
    from rich.text import Text
except ImportError:
    has_rich = False
else:
    has_rich = True


@contextlib.contextmanager
def open_client() -> Iterator[PaymanClient]:
    """Open a client of the account in the environment, or else of a local Payman."""
    if os.environ.get("PAYMAN_CLIENT_ID"):
        with PaymanClient.from_env() as client:
            yield client
    else:
        from payman_sdk.sandbox import Sandbox

        with Sandbox(pace=0.1, chunk_words=3) as sandbox, sandbox.client() as client:
            yield client


class Screen(Protocol):
    """Shows the answer."""

    def state(self, text: str) -> None:
        """Show the state of the task."""

    def piece(self, text: str) -> None:
        """Show the next piece of the answer."""


class Plain:
    """Prints the answer to stdout and everything else to stderr."""

    def state(self, text: str) -> None:
        """Show the state of the task."""
        print(f"[{text}]", file=sys.stderr, flush=True)

    def piece(self, text: str) -> None:
        """Show the next piece of the answer."""
        print(text, end="", flush=True)


class Formatted:
    """Formats the answer as Markdown, again with each piece."""

    def __init__(self, live: "Live") -> None:
        self._live, self._text = live, ""

    def state(self, text: str) -> None:
        """Show the state of the task."""
        self._live.console.print(Text(f"[{text}]", style="dim"))

    def piece(self, text: str) -> None:
        """Show the next piece of the answer."""
        self._text += text
        self._live.update(Markdown(self._text))


@contextlib.contextmanager
def open_screen() -> Iterator[Screen]:
    """Use rich if it is installed and a terminal shows the answer, else plain text."""
    if has_rich and sys.stdout.isatty():
        with Live(console=Console(), vertical_overflow="visible") as live:
            yield Formatted(live)
    else:
        yield Plain()
        print()


def make_printable(text: str) -> str:
    """Remove everything that could control the terminal."""
    return "".join(character for character in text if character.isprintable() or character == "\n")


def show(stream: TaskStream, screen: Screen) -> None:
    """Show states and text while they arrive."""
    for event in stream:
        if event.type == "status_update":
            screen.state(make_printable(f"{event.state}: {event.status_message or '…'}"))
        elif event.type == "artifact_update":
            screen.piece(make_printable(event.delta))


def main(text: str) -> int:
    """Ask, and show the answer; return the exit status."""
    with open_client() as client:
        stream = client.stream(text)  # sends nothing before the `with`, but has the task's id
        try:
            with stream, open_screen() as screen:
                show(stream, screen)
                response = stream.result()
        except KeyboardInterrupt:
            print(f"\n{stop(client, stream.task_id)}", file=sys.stderr)
            return 130
        if response.requires_input:
            print("It waits for a person: client.reply(response, 'approve').", file=sys.stderr)
        return 1 if response.status == "failed" else 0


def stop(client: PaymanClient, task_id: str) -> str:
    """Cancel the task, and return a sentence about the result. Only leaving the stream would let it continue."""
    try:
        try:
            return f"Canceled: the task is {client.cancel_task(task_id).state}."
        except TaskNotCancelableError:
            return f"Too late to cancel: {make_printable(client.wait(task_id, timeout=30).text)}"
    except TaskNotFoundError:
        return "Nothing was sent."
    except PaymanError as error:
        return f"It could not be canceled, and may go on; ask about {task_id}: {error}"


if __name__ == "__main__":
    try:
        sys.exit(main(" ".join(sys.argv[1:]) or "list all wallets and their balances"))
    except PaymanError as error:
        if error.sent is False:
            sys.exit(f"Not done: {error}")
        sys.exit(f"It may have been carried out. Do not send it again; ask about {error.task_id}: {error}")
