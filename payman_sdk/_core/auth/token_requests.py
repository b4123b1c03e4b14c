"""What gets the next token: the requests to the token endpoint, in which order, and what a failure of one means."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from payman_api.models import GrantType
from payman_sdk._core.auth.current_token import CurrentToken
from payman_sdk._core.auth.grants import AccessToken, IssuedToken, TokenOwner, parse_token_response
from payman_sdk._core.auth.rotation import may_have_arrived
from payman_sdk._core.auth.stored_token import StoredToken
from payman_sdk._core.effects import CallHook, Clock, Flow, SendRequest
from payman_sdk._core.error_classes import is_not_recorded
from payman_sdk._core.tracking import ClientObserver, TokenRefreshBegan, notify
from payman_sdk._secrets import SecretStr
from payman_sdk.errors import APIConnectionError, AuthenticationError, PaymanError

if TYPE_CHECKING:
    from payman_sdk._core.hook_payloads import OnToken, Reason, TokenRefresh


_MAX_PENDING_HOOKS = 64
"""How many refreshes wait for the hook at most."""


class TokenRequests:
    """Asks the token endpoint for an owner; reports each refresh to the observer at once, and to the hook outside every lock."""

    def __init__(
        self,
        owner: TokenOwner,
        kept: CurrentToken,
        clock: Clock,
        observer: ClientObserver,
        on_token: OnToken | None,
    ) -> None:
        self._owner, self._kept, self._clock = owner, kept, clock
        self._observer, self._on_token = observer, on_token
        self._pending: deque[TokenRefresh] = deque(maxlen=_MAX_PENDING_HOOKS)

    def refresh(self, deadline: float) -> Flow[IssuedToken]:
        """Return a flow that gets a token by the refresh token or the application's own credentials.

        Raises AuthenticationError if Payman refused, the refresh token may be spent, or nothing gets a token; else PaymanError.
        """
        is_own, known = self._owner.has_own_account, self._kept.known
        # A refresh token that may be spent is of no use to an account whose credentials get a token anyway.
        if known is not None and known.refresh_token is not None and not (is_own and known.unanswered):
            try:
                return (yield from self._send_refresh_token(known, known.refresh_token, deadline))
            except AuthenticationError as error:
                if not is_own or not _is_about_the_grant(error):
                    raise
        if is_own:
            return (yield from self.issue(self._owner.build_request(GrantType.CLIENT_CREDENTIALS), deadline))
        raise AuthenticationError(
            "The access token has expired or was refused, and without a refresh token the client cannot get another.",
            next_step="Authorize again.",
        )

    def issue(self, request: dict[str, Any], deadline: float, if_spent: str = "") -> Flow[IssuedToken]:
        """Return a flow that gets a token by a request; `if_spent` says what to do if it may have arrived. Raises PaymanError."""
        answer = yield from self._attempt(request, deadline)
        if isinstance(answer, IssuedToken):
            return answer
        error, was_lost = answer
        if was_lost and if_spent:
            error.next_step = if_spent
        raise error

    def _send_refresh_token(
        self, before: StoredToken, refresh_token: SecretStr, deadline: float
    ) -> Flow[IssuedToken]:
        """Send a refresh token, with a note in the store that stays until it is known whether it was spent."""
        kept = self._kept
        noted = kept.rotation.mark_sent(before)
        yield from kept.note(noted, deadline)
        request = self._owner.build_request(GrantType.REFRESH_TOKEN, refresh_token=refresh_token)
        answer = yield from self._attempt(request, deadline)
        if isinstance(answer, IssuedToken):
            return answer
        error, was_lost = answer
        if was_lost:
            raise kept.rotation.record_lost(noted, error)
        if isinstance(error, AuthenticationError) and _is_about_the_grant(error):
            yield from kept.drop_refresh_token(deadline)
            error.next_step = "Authorize again: the refresh token does not work any more."
            if before.unanswered:
                error.next_step = (
                    "Authorize again: the answer to an earlier renewal was lost, so the refresh token was spent by it, or the "
                    "authorization has been revoked."
                )
            raise error
        yield from kept.note(kept.rotation.mark_not_sent(noted, before), deadline)
        raise error

    def _attempt(
        self, request: dict[str, Any], deadline: float
    ) -> Flow[IssuedToken | tuple[PaymanError, bool]]:
        """Send a request once; what fails, of whatever class and from whoever, comes back with whether it may have arrived."""
        sent_at = self._clock()
        failure: PaymanError
        try:
            answer = yield from self._observer.create_tracker(self._clock).track_request(
                SendRequest(request, deadline)
            )
            return parse_token_response(answer, sent_at)
        except PaymanError as error:
            failure = error
        except Exception as error:
            text, sent = (str(error), False) if is_not_recorded(error) else (f"{type(error).__name__}.", None)
            failure = APIConnectionError(text, sent=sent)
        failed = failure, may_have_arrived(failure)
        if isinstance(failure, APIConnectionError):
            failure.message = f"No access token could be fetched. {failure.message}"
            failure.sent = False  # the token request perhaps, what the token was wanted for certainly not
        return failed

    def track(self, reason: Reason, flow: Flow[AccessToken]) -> Flow[AccessToken]:
        """Return the flow of a refresh, reported when it ends."""
        listeners, before = self._observer.listeners, self._kept.refresh_token
        began, refresh = TokenRefreshBegan(reason), None

        def end(counted: str, seconds: float | None, error: PaymanError | None) -> TokenRefresh | None:
            self._observer.count(counted)
            if self._on_token is None and not listeners:
                return None
            from payman_sdk._core.hook_payloads import TokenRefresh

            is_rotated = error is None and self._kept.refresh_token not in (None, before)
            ended = TokenRefresh(reason, seconds, is_rotated, error)
            if self._on_token is not None:
                self._pending.append(ended)
            return ended

        notify(listeners, lambda one: one.record_refresh(began))
        try:
            issued = yield from flow
            refresh = end("token_refreshes", issued.lifetime, None)
        except PaymanError as error:
            refresh = end("failed_token_refreshes", None, error)
            raise
        finally:
            notify(listeners, lambda one: one.record_refresh_end(began, refresh))
        return issued

    def call_hooks(self) -> Flow[None]:
        """Call the hook with every refresh that it has not got yet."""
        while self._on_token is not None:
            try:
                refresh = self._pending.popleft()
            except IndexError:
                return
            yield CallHook(self._on_token, refresh)


def _is_about_the_grant(error: AuthenticationError) -> bool:
    """Whether a refusal says that the refresh token does not work any more, and not the client, the request or a proxy."""
    if error.error is not None:
        return error.error == "invalid_grant"
    response = error.response
    return response is not None and response.status_code in {400, 401} and "json" in response.content_type
