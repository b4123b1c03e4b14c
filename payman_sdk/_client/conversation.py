"""A conversation: a session of its own on the connections and the token of a client."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from payman_sdk._client.session import Connection, Door, Session
from payman_sdk._client.sync_methods import Asking
from payman_sdk._config import checked_session_id
from payman_sdk._core.ids import new_id

if TYPE_CHECKING:
    from payman_sdk._io.runner import Door as ThreadDoor  # noqa: F401 (named in a string below)


class Guest(Session[Door]):
    """A session on somebody else's connection."""

    def __init__(
        self,
        connect: Callable[[], Connection[Door]],
        refuse_if_closed: Callable[[], None],
        session_id: str | None,
    ) -> None:
        self._session_id = checked_session_id(session_id) or new_id("ses")
        self._connect_to = connect
        self._check = refuse_if_closed

    def _connect(self) -> Connection[Door]:
        return self._connect_to()

    def _refuse_if_closed(self) -> None:
        self._check()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._session_id}>"


class Conversation(Guest["ThreadDoor"], Asking):
    """A conversation with the agent; made by `client.conversation()`, and safe to use next to any others.

    Example:
        >>> from payman_sdk.sandbox import Sandbox
        >>> with Sandbox() as sandbox, sandbox.client() as client:
        ...     mine, yours = client.conversation(), client.conversation()
        ...     print(mine.ask("Hello!").session_id == yours.ask("Hello!").session_id)
        False
    """
