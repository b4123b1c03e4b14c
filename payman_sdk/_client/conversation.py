"""A conversation: its own session on the connections and the token of a client."""

from __future__ import annotations

from collections.abc import Callable

from payman_sdk._client.calls import APIConnection, BaseCalls, RunnerT, Session
from payman_sdk._config import Config, read_text


class BaseConversation(BaseCalls[RunnerT]):
    """A session on the connections of a client."""

    def __init__(
        self,
        connect: Callable[[], APIConnection[RunnerT]],
        refuse_if_closed: Callable[[], None],
        session_id: str | None,
        config: Config,
    ) -> None:
        self._session, self._config = Session(read_text(session_id, "session_id")), config
        self._connect_to = connect
        self._check = refuse_if_closed

    def _open(self) -> APIConnection[RunnerT]:
        return self._connect_to()

    def _refuse_if_closed(self) -> None:
        self._check()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._session.id}>"
