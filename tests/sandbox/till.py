"""A sandbox with a clock that a test moves, and bare requests to its token endpoint."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from payman_sdk.sandbox import Sandbox
from tests.peer import PLAIN

VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
_TOKEN = "/api/oauth2/token"


class Till:
    """Asks a sandbox for tokens, as its own client unless told otherwise."""

    def __init__(self, sandbox: Sandbox, http: httpx.Client, clock: list[float]) -> None:
        self.sandbox, self.http, self._clock = sandbox, http, clock

    def wait(self, seconds: float) -> None:
        """Let that time pass."""
        self._clock[0] += seconds

    def post(self, *, public: str | None = None, **parameters: str) -> httpx.Response:
        """Ask for a token; a public client's id goes with the parameters, without a Basic header."""
        if public is not None:
            return self.http.post(_TOKEN, params={"client_id": public, **parameters})
        credentials = (self.sandbox.client_id, self.sandbox.client_secret)
        return self.http.post(_TOKEN, params=parameters, auth=credentials)

    def exchange(self, code: str, **more: str) -> httpx.Response:
        """Ask for the tokens of a code."""
        return self.post(grant_type="authorization_code", code=code, **more)

    def exchange_public(self, client_id: str) -> httpx.Response:
        """Ask for the tokens of a code of a public client, which has used PKCE."""
        code = self.sandbox.issue_code(client_id, code_challenge=CHALLENGE)
        return self.exchange(code, public=client_id, code_verifier=VERIFIER)

    def refresh(self, refresh_token: str, **more: str) -> httpx.Response:
        """Ask for the tokens of a refresh token."""
        return self.post(grant_type="refresh_token", refresh_token=refresh_token, **more)

    def opens(self, access_token: str) -> bool:
        """Whether an access token opens an account."""
        answer = self.http.post(
            "/api/a2a/tasks/get", content=b"{}", headers={"x-payman-access-token": access_token}
        )
        assert answer.status_code in (200, 401)
        return answer.status_code == 200

    @property
    def outcomes(self) -> list[str]:
        """How the token requests were answered so far."""
        return [request.outcome for request in self.sandbox.token_requests]


@contextmanager
def till(**settings: Any) -> Iterator[Till]:
    """A till at a sandbox of its own."""
    clock = [1_750_000_000.0]
    with (
        Sandbox(clock=lambda: clock[0], **settings) as sandbox,
        httpx.Client(base_url=sandbox.base_url, verify=PLAIN, trust_env=False) as http,
    ):
        yield Till(sandbox, http, clock)


def refused(answer: httpx.Response) -> str:
    """The error of a refusal, whose shape is that of RFC 6749."""
    body = answer.json()
    assert set(body) == {"error", "error_description"}, body
    assert answer.headers["cache-control"] == "no-store"
    assert answer.status_code == (401 if body["error"] == "invalid_client" else 400)
    error: str = body["error"]
    return error
