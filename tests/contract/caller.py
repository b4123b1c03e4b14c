"""Somebody who asks a server whatever the API document allows, and listens."""

from __future__ import annotations

import itertools
from copy import deepcopy
from typing import Any

from requests import Session
from schemathesis import Response

from payman_api import ACCESS_TOKEN_HEADER, PATHS
from payman_sdk.sandbox import Sandbox
from tests.contract.contract import AGENT, Case, answers, check, is_stream

# The id that the document's examples are about, and its secret.
CLIENT, SECRET = "pm-test-your_client_id", "s3cret"
ORDERS = (
    "list all wallets and their balances",
    "send 10 TSD to Test Payee",
    "send 250 TSD to Test Payee",  # waits for somebody's approval
    "What did we talk about earlier?",
    "send 100000 TSD to Test Payee",  # is refused: it is above a limit
    "create a new payee named John Doe with email john@example.com",
    "show my last 5 transactions",
)

_UNIQUE = itertools.count()  # callers of one sandbox have no task in common


class Caller:
    """Somebody who asks the sandbox and checks what it answers.

    Args:
        sandbox: the sandbox.
        session: its connections.
        base_url: where it is asked, if not at its own address.

    Attributes:
        heard: in which ways each operation was answered.
    """

    def __init__(self, sandbox: Sandbox, session: Session, base_url: str | None = None) -> None:
        self.received: dict[str, set[str]] = {}
        self._sandbox, self._session, self._base_url = sandbox, session, base_url or sandbox.base_url
        self._numbers = itertools.count()
        self._token = sandbox.issue_token()
        self._access = {ACCESS_TOKEN_HEADER: str(self._token["accessToken"])}

    def ask(self, case: Case, **how: Any) -> Response:
        """Send a request as it is; its answer, which is as the document says."""
        response = case.call(
            base_url=self._base_url, session=self._session, allow_redirects=False, timeout=60, **how
        )
        assert response.request.url is not None
        assert response.request.url.startswith(self._base_url), "nothing leaves this machine"
        check(case, response)
        self.received.setdefault(operation_id(case), set()).add(_kind(case, response))
        return response

    def ask_as_client(self, case: Case) -> Response:
        """Send it with an access token."""
        if case.path.startswith(AGENT):
            return self.ask(case, headers=self._access)
        return self.ask(case, **({"auth": (CLIENT, SECRET)} if case.path.endswith("/token") else {}))

    def sensible(self, case: Case) -> Case | None:
        """The same request with what no schema can tell: orders that are understood, tasks and grants that exist."""
        body: Any = deepcopy(case.body) if isinstance(case.body, dict) else case.body
        query = dict(case.query or {})
        number = next(self._numbers)
        match operation_id(case):
            case "send_task" | "send_task_subscribe":
                order = ORDERS[number % len(ORDERS)]
                body["params"] |= {"id": f"tsk-{next(_UNIQUE)}", "sessionId": "ses-1", "historyLength": 2}
                body["params"]["message"] |= {"role": "user", "parts": [{"type": "text", "text": order}]}
            case "cancel_task":
                body["params"]["id"] = self.made(ORDERS[number % 3])
            case "get_task" | "resubscribe_task":
                body["params"]["id"] = self.made(ORDERS[number % len(ORDERS)])
                if "historyLength" in body["params"]:
                    body["params"]["historyLength"] = 2
            case "create_token":
                query = self._grant(number)
            case "authorize":
                query |= {"client_id": CLIENT, "redirect_uri": "http://127.0.0.1:8765/callback"}
                query |= {"scope": "read_balance,write_send_payment"} if number % 2 else {}
            case _:
                return None
        sensible: Case = case.operation.Case(
            method=case.method, query=query, body=body, headers=case.headers, media_type=case.media_type
        )
        return sensible

    def made(self, order: str) -> str:
        """A task that the agent knows."""
        task_id = f"tsk-{next(_UNIQUE)}"
        message = {"role": "user", "parts": [{"type": "text", "text": order}]}
        request = {"jsonrpc": "2.0", "id": "req-1", "method": "tasks/send"}
        body = {**request, "params": {"id": task_id, "message": message}}
        url = self._base_url + PATHS["send_task"]
        made = self._session.post(url, json=body, headers=self._access, timeout=60).json()
        assert made["result"]["id"] == task_id
        return task_id

    def _grant(self, number: int) -> dict[str, str]:
        match number % 3:
            case 0:
                return {"grant_type": "client_credentials"}
            case 1:
                return {"grant_type": "authorization_code", "code": self._sandbox.issue_code()}
            case _:
                refresh_token = str(self._sandbox.issue_token()["refreshToken"])
                return {"grant_type": "refresh_token", "refresh_token": refresh_token}


def operation_id(case: Case) -> str:
    return str(case.operation.definition.raw["operationId"])


def _kind(case: Case, response: Response) -> str:
    if response.status_code != 200 or not case.path.startswith(AGENT):
        return str(response.status_code)
    (*_, last) = answers(response)
    if last.get("error"):
        return f"error {last['error']['code']}"
    return "events" if is_stream(response) else "result"
