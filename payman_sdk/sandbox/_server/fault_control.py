"""Scripted answers and faults of the sandbox, and the responses that they become."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.responses import JSONResponse, PlainTextResponse, Response

from payman_sdk.sandbox._server.stream_faults import StreamFault, StreamFaults
from payman_sdk.sandbox._server.streaming import NoAnswer
from payman_sdk.sandbox.scripting import ConnectionLost, Entry, HTTPError, Mishap, RPCError, Script


class FaultControl:
    """The scripts and faults of a sandbox."""

    _script: Script
    _stream_faults: StreamFaults

    def script(self, answers: Iterable[Entry]) -> None:
        """Script the answers to the next messages, one for each, after earlier scripts.

        Asks and replies of all clients use up entries, streamed or not. A request that is refused before the agent sees it does
        not, nor does a repeated send of a known task. After the last entry, the agent answers normally. Scripted answers move no
        money.

        Args:
            answers: One entry for each message. A text or a `ScriptedResponse` is the answer. `RPCError` and `HTTPError` are
                errors. `ConnectionLost` breaks the connection or never answers. `StreamFault` breaks the stream of the agent's
                own answer; an ask without a stream gets it whole. None is the agent's own answer.

        Raises:
            TypeError: if one of them is something else, naming its place.

        Example:
            >>> from payman_sdk.sandbox import HTTPError, ConnectionLost, Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     sandbox.script(["Good morning!", HTTPError(429, headers={"Retry-After": "0"}), ConnectionLost()])
            ...     print(client.ask("Hello!").text)
            ...     print(client.ask("send 10 TSD to Test Payee").status, len(sandbox.payments))
            Good morning!
            completed 1
        """
        self._script.add(answers)

    @property
    def remaining_script(self) -> int:
        """The number of unused answers of the script."""
        return len(self._script)

    def clear_script(self) -> None:
        """Remove the unused answers of the script."""
        self._script.clear()

    def inject_stream_faults(self, *faults: StreamFault | None) -> None:
        """Make the next streams fail, one fault for each, after earlier faults.

        Only streams use up faults: answers to `tasks/sendSubscribe` and `tasks/resubscribe`. After the last fault, streams work
        normally again.

        Args:
            faults: One entry for each stream; None for a stream without a fault.

        Raises:
            TypeError: An entry is neither a `StreamFault` nor None.

        Example:
            >>> from payman_sdk.sandbox import Sandbox, StreamFault
            >>> with Sandbox() as sandbox:
            ...     sandbox.inject_stream_faults(StreamFault(after_events=3))
        """
        self._stream_faults.add(faults)


def make_failure(
    status: int, error: str, description: str, headers: dict[str, str] | None = None
) -> Response:
    """Return an error as OAuth and the agent write it."""
    return JSONResponse({"error": error, "error_description": description}, status, headers)


def respond_mishap(mishap: Mishap | RPCError | None) -> Response | None:
    """Return what the client gets instead of an answer; None if it gets the answer."""
    match mishap:
        case HTTPError(status, body=None, headers=headers):
            return make_failure(status, "scripted", "script() asked for this status", dict(headers))
        case HTTPError(status, body=str(text), headers=headers):
            return PlainTextResponse(text, status, dict(headers))
        case HTTPError(status, body=document, headers=headers):
            return JSONResponse(document, status, dict(headers))
        case ConnectionLost(silent=silent):
            return NoAnswer(silent=silent)
        case _:
            return None
