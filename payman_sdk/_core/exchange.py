"""One ask as the flows that send it share it: how it is sent and followed, and where its key is recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

from payman_sdk._core.effects import CallHook, Flow

if TYPE_CHECKING:
    from payman_sdk._core.auth.tokens import TokenManager
    from payman_sdk._core.hook_payloads import OutgoingAsk
    from payman_sdk._core.key_store import KeyStore
    from payman_sdk._core.polling import TaskAnswer
    from payman_sdk._core.requests import AskRequest
    from payman_sdk._core.retry import CallContext
    from payman_sdk.errors import PaymanError

T_co = TypeVar("T_co", covariant=True)


class KeySettings(NamedTuple):
    """Where the use of idempotency keys is recorded.

    Attributes:
        store: The store; None for the one of this user.
        server: The server that asks are sent to; the same key is another operation at another server.
        open_default: Returns the store of this user on this machine; None where there is no place for one. It may block.
    """

    store: KeyStore | None
    server: str
    open_default: Callable[[], KeyStore | None]


class AskExchange(Protocol[T_co]):
    """How one ask is sent and followed, as a whole answer or as a stream. All methods are flows."""

    ask: AskRequest
    tokens: TokenManager
    time: CallContext

    def attempt(self) -> Flow[T_co]:
        """Send the ask, and return how it ended."""
        ...

    def reconcile(self, lost: PaymanError, is_patient: bool) -> Flow[T_co | None]:
        """Return how the ask ended; None where the agent does not know it.

        Args:
            lost: Why that has to be learned.
            is_patient: Whether a failure of the look-up that may pass is waited out.

        Raises:
            OutcomeUnknownError: It arrived, and how it ended could not be learned.
            PaymanError: The look-up failed.
        """
        ...

    def resume(self, known: TaskAnswer, lost: PaymanError) -> Flow[T_co]:
        """Return how a task that was looked up ends; raises `OutcomeUnknownError`."""
        ...


def run_before_send(
    exchange: AskExchange[Any], before_send: Callable[[OutgoingAsk], Any] | None
) -> Flow[None]:
    """Consult the guard before anything is sent; the time that takes is not the ask's."""
    if before_send is not None:
        began = exchange.time.clock()
        yield CallHook(before_send, exchange.ask.to_outgoing())
        exchange.time = exchange.time.extend(exchange.time.clock() - began)
