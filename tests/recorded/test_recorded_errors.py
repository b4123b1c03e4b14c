from __future__ import annotations

import pytest

from payman_sdk import errors
from payman_sdk.errors import AgentError, APIStatusError, AuthenticationError
from payman_sdk.sandbox import HTTPError, RPCError
from tests.recorded.conftest import Server

sandbox_only = pytest.mark.sandbox_only
PAY = "send 10 TSD to Test Payee"


@sandbox_only
@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, errors.BadRequestError),
        (403, errors.PermissionDeniedError),
        (404, errors.NotFoundError),
        (422, errors.UnprocessableEntityError),
        (429, errors.RateLimitError),
        (503, errors.ServerError),
    ],
    ids=lambda value: str(value) if isinstance(value, int) else "",
)
def test_status(server: Server, status: int, expected: type[APIStatusError]) -> None:
    """A status that says that nothing was taken is raised as its class, where it is not to be tried again."""
    failure = HTTPError(status, headers={"Retry-After": "1"}, body={"error": "refused"})
    server.meanwhile(lambda sandbox: sandbox.script([failure]))
    with pytest.raises(APIStatusError) as caught:
        server.client().ask(PAY, max_retries=0)
    assert type(caught.value) is expected
    assert caught.value.status_code == status


@sandbox_only
def test_a_busy_server_is_asked_again(server: Server) -> None:
    """After 429 and 503 the ask is sent again as soon as the server says, and is paid once."""
    busy = [HTTPError(status, headers={"Retry-After": "0"}) for status in (429, 503)]
    server.meanwhile(lambda sandbox: sandbox.script(busy))
    assert server.client().ask(PAY).status == "completed"


@sandbox_only
@pytest.mark.parametrize("status", [500, 502, 504])
def test_an_answer_that_is_lost_behind_a_status(server: Server, status: int) -> None:
    """After a failure that may come too late to be a refusal, the task is looked up, and found paid."""
    server.meanwhile(
        lambda sandbox: sandbox.script([HTTPError(status, taken=True, body="<html>gateway</html>")])
    )
    assert server.client().ask(PAY).status == "completed"


@sandbox_only
def test_an_ask_that_did_not_arrive(server: Server) -> None:
    """After a failure, a task that stays unknown did not arrive, and the ask is sent again."""
    server.meanwhile(lambda sandbox: sandbox.script([HTTPError(500)]))
    # Without time to settle, the number of look-ups does not depend on the machine.
    assert server.client(settle_time=0).ask(PAY).status == "completed"


@sandbox_only
def test_a_token_that_is_refused_twice(server: Server) -> None:
    """A new token that is refused as well is no token for this."""
    refused = HTTPError(401, body={"error": "invalid_token"})
    server.meanwhile(lambda sandbox: sandbox.script([refused, refused]))
    with pytest.raises(AuthenticationError) as caught:
        server.client().ask(PAY)
    assert caught.value.status_code == 401


@sandbox_only
@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (-32700, errors.InvalidJSONError),
        (-32600, errors.InvalidRequestError),
        (-32601, errors.MethodNotFoundError),
        (-32602, errors.InvalidParamsError),
        (-32603, errors.InternalAgentError),
        (-32003, errors.PushNotificationsNotSupportedError),
        (-32004, errors.UnsupportedOperationError),
        (-32099, errors.AgentError),
    ],
    ids=lambda value: str(value) if isinstance(value, int) else "",
)
def test_agent_error(server: Server, code: int, expected: type[AgentError]) -> None:
    """A JSON-RPC error is raised as its class, with code and data."""
    server.meanwhile(lambda sandbox: sandbox.script([RPCError(code, "as scripted", {"more": True})]))
    with pytest.raises(AgentError) as caught:
        server.client().ask(PAY)
    assert type(caught.value) is expected
    assert (caught.value.code, caught.value.data) == (code, {"more": True})


def test_a_task_that_is_not_there(server: Server) -> None:
    """A task that nobody knows is not found."""
    with pytest.raises(errors.TaskNotFoundError):
        server.client().get_task("tsk-00000000-0000-4000-8000-000000000000")


def test_a_task_that_has_ended(server: Server) -> None:
    """What has ended cannot be canceled."""
    client = server.client()
    with pytest.raises(errors.TaskNotCancelableError):
        client.cancel_task(client.ask("Hello!"))
