"""The session that asks belong to, and what is checked before anything is asked: the same for both kinds of clients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar, cast

from payman_sdk._core.requests import generate_id
from payman_sdk.errors import ConfigurationError

if TYPE_CHECKING:
    from payman_sdk._core.auth.tokens import TokenManager
    from payman_sdk._core.exchange import EarlierArtifacts
    from payman_sdk._core.operations import Operations

RunnerT = TypeVar("RunnerT")


class APIConnection(NamedTuple, Generic[RunnerT]):
    """What a client makes on first use."""

    runner: RunnerT
    tokens: TokenManager
    agent: Operations


class AskCall(NamedTuple):
    """What an ask was given, checked.

    Attributes:
        session_id: The session it belongs to.
        options: Its options.
        raw: Whether the JSON-RPC answer is wanted as it came.
        on_message: What is called with every event, where the answer is wanted as it comes.
        earlier: Of a reply: the artifacts that its task had before, where they are known.
    """

    session_id: str
    options: dict[str, Any]
    raw: bool
    on_message: Callable[[Any], Any] | None
    earlier: EarlierArtifacts | None = None


class BaseSession(Generic[RunnerT]):
    """A session, and the connection that is used in it."""

    _session_id: str
    _awaits: bool = False
    """Whether hooks may be coroutine functions."""

    def get_session_id(self) -> str:
        """Return the id of the session that the next ask belongs to (`ses-…`)."""
        return self._session_id

    def _connect(self) -> APIConnection[RunnerT]:
        """Return the connection, made on first use."""
        raise NotImplementedError

    def _refuse_if_closed(self) -> None:
        """Refuses when nothing can be asked any more."""
        raise NotImplementedError

    def _prepare_ask(
        self, text: str, options: Mapping[str, Any] | None, keywords: Mapping[str, Any], *, raw: bool = False
    ) -> AskCall:
        """Return an ask in this session, all of it checked; it may begin a new session."""
        from payman_sdk._core.options import check_text, read_options

        check_text(text)
        return self._build_call(read_options(options, keywords), raw)

    def _prepare_stream(
        self, text: str, options: Mapping[str, Any] | None, keywords: Mapping[str, Any]
    ) -> AskCall:
        """Return the same for a stream, which has fewer options."""
        from payman_sdk._core.options import STREAM_OPTIONS, check_text, read_options

        check_text(text)
        return self._build_call(read_options(options, keywords, STREAM_OPTIONS, "stream"), False)

    def _prepare_reply(
        self, task: object, text: str, options: Mapping[str, Any] | None, keywords: Mapping[str, Any]
    ) -> tuple[str, AskCall]:
        """Return the task that is answered, and the same for the answer, which belongs to the session of the task."""
        from payman_sdk._core.exchange import get_earlier_artifacts
        from payman_sdk._core.options import REPLY_OPTIONS, check_text, read_options, read_task_id

        task_id, earlier = read_task_id(task), get_earlier_artifacts(task)
        check_text(text)
        asked = self._build_call(read_options(options, keywords, REPLY_OPTIONS, "reply"), False)
        answer: Mapping[str, Any] = cast("Mapping[str, Any]", task) if isinstance(task, Mapping) else {}
        session_id = answer.get("session_id") or answer.get("sessionId") or asked.session_id
        return task_id, asked._replace(session_id=session_id, earlier=earlier)

    def _build_call(self, options: dict[str, Any], raw: bool) -> AskCall:
        self._refuse_if_closed()
        self._check_hooks(options)
        session_id = self._session_id
        if options.get("new_session"):
            session_id = self._session_id = generate_id("ses")
        raw = raw or options.get("output_format") == "json"
        return AskCall(session_id, options, raw, options.get("on_message"))

    def _check_hooks(self, given: Mapping[str, Any]) -> None:
        """Refuses hooks that nobody would await.

        Raises:
            ConfigurationError: One is a coroutine function.
        """
        for name in ("on_message", "on_event", "on_retry", "on_task", "on_token", "before_send"):
            if not self._awaits and given.get(name) is not None and _is_coroutine_hook(given[name]):
                raise ConfigurationError(
                    f"{name} is a coroutine function, which nobody would await.",
                    next_step="Give a function, or use AsyncPaymanClient.",
                )


def _is_coroutine_hook(hook: Callable[[Any], Any]) -> bool:
    from inspect import iscoroutinefunction  # most programs have no hooks, and it takes a while to import

    return iscoroutinefunction(hook)
