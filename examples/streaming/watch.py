"""Streams the agent's answer to the terminal as it comes; Ctrl-C cancels the task."""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Protocol

from payman_sdk import PaymanClient, TaskStream
from payman_sdk.errors import OutcomeUnknownError, PaymanError, TaskNotCancelableError, TaskNotFoundError

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
def connected() -> Iterator[PaymanClient]:
    """A client of the account that the environment names, or of a local Payman where it names none."""
    if os.environ.get("PAYMAN_CLIENT_ID"):
        with PaymanClient.from_env() as client:
            yield client
    else:
        from payman_sdk.sandbox import Sandbox

        with Sandbox(pace=0.1, chunk_words=3) as sandbox, sandbox.client() as client:
            yield client


class Screen(Protocol):
    """Where the answer is shown."""

    def state(self, text: str) -> None:
        """Shows how the task stands."""

    def piece(self, text: str) -> None:
        """Shows the next piece of the answer."""


class Plain:
    """The answer goes to stdout and everything else to stderr."""

    def state(self, text: str) -> None:
        """Shows how the task stands."""
        print(f"[{text}]", file=sys.stderr, flush=True)

    def piece(self, text: str) -> None:
        """Shows the next piece of the answer."""
        print(text, end="", flush=True)


class Formatted:
    """The answer is Markdown, and is formatted anew with each piece."""

    def __init__(self, live: "Live") -> None:
        self._live, self._text = live, ""

    def state(self, text: str) -> None:
        """Shows how the task stands."""
        self._live.console.print(Text(f"[{text}]", style="dim"))

    def piece(self, text: str) -> None:
        """Shows the next piece of the answer."""
        self._text += text
        self._live.update(Markdown(self._text))


@contextlib.contextmanager
def screen() -> Iterator[Screen]:
    """Rich where it is installed and somebody looks on; plain text for pipes and files."""
    if has_rich and sys.stdout.isatty():
        with Live(console=Console(), vertical_overflow="visible") as live:
            yield Formatted(live)
    else:
        yield Plain()
        print()


def printable(text: str) -> str:
    """The text without what could command the terminal."""
    return "".join(character for character in text if character.isprintable() or character == "\n")


def show(stream: TaskStream, screen: Screen) -> None:
    """Shows states and text as they come."""
    for event in stream:
        if event.type == "status_update":
            screen.state(printable(f"{event.state}: {event.status_message or '…'}"))
        elif event.type == "artifact_update":
            screen.piece(printable(event.delta))


def main(text: str) -> int:
    """Asks, and shows the answer; returns the exit status."""
    with connected() as client:
        stream = client.stream(text)  # nothing is sent before the `with`, and the task's id is known
        try:
            with stream, screen() as where:
                show(stream, where)
                response = stream.result()
        except KeyboardInterrupt:
            print(f"\n{stop(client, stream.task_id)}", file=sys.stderr)
            return 130
        if response.requires_input:
            print("It waits for a person: client.reply(response, 'approve').", file=sys.stderr)
        return 1 if response.status == "failed" else 0


def stop(client: PaymanClient, task_id: str) -> str:
    """Cancels the task, and says what became of it. Leaving the stream alone would let it go on."""
    try:
        try:
            return f"Canceled: the task is {client.cancel_task(task_id).state}."
        except TaskNotCancelableError:
            return f"Too late to cancel: {printable(client.wait(task_id, timeout=30).text)}"
    except TaskNotFoundError:
        return "Nothing was sent."
    except PaymanError as error:
        return f"It could not be canceled, and may go on; ask about {task_id}: {error}"


if __name__ == "__main__":
    try:
        sys.exit(main(" ".join(sys.argv[1:]) or "list all wallets and their balances"))
    except OutcomeUnknownError as error:  # a stream that broke for good is one, too
        sys.exit(f"It may have been carried out. Do not send it again; ask about {error.task_id}: {error}")
    except PaymanError as error:
        sys.exit(f"Not done: {error}")
