"""A client of the sandbox that speaks the bare protocol, as tests need it."""

from __future__ import annotations

import itertools
import json
from decimal import Decimal
from typing import Any

import httpx

from payman_sdk.sandbox import Sandbox, SandboxPayment

_IDS = itertools.count(1)


class WireClient:
    """One client's credentials, token and session, over plain HTTP."""

    def __init__(self, sandbox: Sandbox, client_id: str, client_secret: str, http: httpx.Client) -> None:
        self.sandbox, self.http = sandbox, http
        self.client_id, self.client_secret = client_id, client_secret
        self.session = f"ses-{next(_IDS)}"
        self.token = self.new_token()

    def new_token(self) -> str:
        """One more access token of the client."""
        answer = self.http.post(
            "/api/oauth2/token?grant_type=client_credentials", auth=(self.client_id, self.client_secret)
        )
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["accessToken"]
        return token

    def post(self, path: str, body: Any) -> httpx.Response:
        """Post bytes as they are, anything else as JSON, with the access token."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"x-payman-access-token": self.token, "content-type": "application/json"}
        return self.http.post(path, content=content, headers=headers)

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """The whole JSON-RPC answer of a method at its path."""
        body = {"jsonrpc": "2.0", "id": "req-1", "method": method, "params": params}
        answer = self.post(f"/api/a2a/{method}", body)
        assert answer.status_code == 200, answer.text
        shape: dict[str, Any] = answer.json()
        return shape

    def send(self, text: str, task_id: str | None = None, **params: Any) -> dict[str, Any]:
        """The task that a text makes."""
        message = {"role": "user", "parts": [{"type": "text", "text": text}]}
        given = {"id": task_id or f"tsk-{next(_IDS)}", "sessionId": self.session, "message": message} | params
        task: dict[str, Any] = self.call("tasks/send", **given)["result"]
        return task

    def ask(self, text: str) -> str:
        """The newest words of the answer to a text."""
        answer: str = texts(self.send(text))[-1]
        return answer

    @property
    def payments(self) -> list[SandboxPayment]:
        """The client's payments."""
        return [payment for payment in self.sandbox.payments if payment.client_id == self.client_id]

    @property
    def made(self) -> list[tuple[Decimal | int, str]]:
        """The payments that were made: how much, and to whom."""
        return [(payment.amount, payment.payee) for payment in self.payments if payment.status == "INITIATED"]

    @property
    def balance(self) -> Decimal:
        """What the client has in TSD."""
        return self.sandbox.balance("TSD", client_id=self.client_id)


def texts(task: dict[str, Any]) -> list[str]:
    """The words of a task's artifacts."""
    return [artifact["parts"][0]["text"] for artifact in task["artifacts"]]
