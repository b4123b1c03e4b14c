"""What the observer and the hook of a program get of token refreshes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from payman_sdk._core.auth.access_token import AccessToken
from payman_sdk._core.auth.current_token import CurrentToken
from payman_sdk._core.effects import CallHook, Flow
from payman_sdk.errors import PaymanError

if TYPE_CHECKING:
    from payman_sdk._core.hook_payloads import Reason, TokenRefresh
    from payman_sdk._core.tracking import ClientObserver

_MAX_PENDING_HOOKS = 64
"""How many refreshes wait for the hook at most."""


class RefreshReports:
    """Reports refreshes: to the observer at once, and to the hook when every lock is free.

    Args:
        observer: Sees every refresh.
        on_token: The hook.
        kept: The token of the client.
    """

    def __init__(
        self, observer: ClientObserver, on_token: Callable[[TokenRefresh], Any] | None, kept: CurrentToken
    ) -> None:
        self._observer = observer
        self._on_token = on_token
        self._kept = kept
        self._pending: deque[TokenRefresh] = deque(maxlen=_MAX_PENDING_HOOKS)

    def track(self, reason: Reason, flow: Flow[AccessToken]) -> Flow[AccessToken]:
        """Return the flow of a refresh, reported when it ends."""
        before = self._kept.refresh_token

        def build_refresh(token: AccessToken | None, error: PaymanError | None) -> TokenRefresh | None:
            if self._on_token is None and not self._observer.listeners:
                return None
            from payman_sdk._core.hook_payloads import TokenRefresh

            is_rotated = token is not None and self._kept.refresh_token not in (None, before)
            refresh = TokenRefresh(reason, token.lifetime if token else None, is_rotated, error)
            if self._on_token is not None:
                self._pending.append(refresh)
            return refresh

        return self._observer.track_refresh(reason, flow, build_refresh)

    def call_hooks(self) -> Flow[None]:
        """Call the hook with every refresh that it has not got yet."""
        while self._on_token is not None:
            try:
                refresh = self._pending.popleft()
            except IndexError:
                return
            yield CallHook(self._on_token, refresh)
