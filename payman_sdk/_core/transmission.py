"""How far one request has come: what is known of whether a byte of it can have left.

httpcore reports its steps to the extension `trace` of a request. "Not sent" is certain only if these steps show it, or if a known
transport says so. Everything else may have been sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

_WRITING = "send_request_headers"
"""httpcore's step that writes the first bytes of a request."""


class Transmission:
    """One request on its way.

    Attributes:
        sent: False once it is known that no byte has left; True until then.
        sends: How often sending began; more than once if a transport repeats the request.
        is_connecting: Whether its last known step is waiting for a connection.
        was_seen: Whether any step was reported.
        failure: The exception of its last failed step.
        peer: The connected host and port, of the server or a proxy.
        max_bytes: The size limit of its answer.
        is_held: Whether a given client's hook has not yet passed it to the transport.
    """

    __slots__ = (
        *("_is_tunnel", "failure", "is_connecting", "is_held", "max_bytes"),
        *("peer", "sends", "sent", "was_seen"),
    )

    def __init__(self) -> None:
        self.max_bytes = 64 * 1024 * 1024
        self.sent = True
        self.sends = 0
        self.is_connecting = self.was_seen = self._is_tunnel = False
        self.is_held = False
        self.failure: BaseException | None = None
        self.peer: tuple[str, int] | None = None

    def note(self, event: str, about: Mapping[str, Any]) -> None:
        """Take note of a step, as httpcore names it: `http11.send_request_headers.started`."""
        self.was_seen = True
        step, state = _parse_event(event)
        if step == _WRITING:
            self._note_writing(state, about)
        elif state == "failed":
            self.is_connecting, self.failure = False, about.get("exception")
        elif not self.sends:
            self.is_connecting = True
            if step == "connect_tcp" and state == "started":
                self.peer = str(about["host"]), int(about["port"])

    async def note_async(self, event: str, about: Mapping[str, Any]) -> None:
        """Take note of a step, for connections that await whoever they report to."""
        self.note(event, about)

    def is_watching(self, extensions: Mapping[str, Any]) -> bool:
        """Return whether a request with these extensions still reports to this object."""
        try:
            return getattr(extensions.get("trace"), "__self__", None) is self
        except Exception:  # whoever changed them may have left anything
            return False

    def _note_writing(self, state: str, about: Mapping[str, Any]) -> None:
        if state == "started":
            # A proxy is asked for a tunnel in the name of the request, which is not sent yet.
            self._is_tunnel = getattr(about.get("request"), "method", None) == b"CONNECT"
            self.is_connecting = self._is_tunnel
            self.sends += not self._is_tunnel
        elif state == "failed" and not self._is_tunnel and _is_unwritable(about.get("exception")):
            self.sends -= 1
            self.failure = about["exception"]


@lru_cache(maxsize=256)
def _parse_event(event: str) -> tuple[str, str]:
    """Return the step that an event is about, and its state: `send_request_headers` and `started`."""
    place, _, state = event.rpartition(".")
    return place.rpartition(".")[2], state


def _is_unwritable(error: object) -> bool:
    """Return whether a header was refused before anything was written."""
    # By name, so that this module imports no HTTP library.
    return any(
        kind.__name__ == "LocalProtocolError" and kind.__module__.startswith("httpcore")
        for kind in type(error).__mro__
    )
