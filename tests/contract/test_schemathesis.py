"""The sandbox keeps what the API document promises, whatever it is asked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from requests import Session
from schemathesis import BaseSchema

from payman_api import PATHS
from payman_sdk.sandbox import Sandbox
from tests.contract.caller import CLIENT, SECRET, Caller, operation_id
from tests.contract.contract import AGENT, Case, Json, agent_case, answers, connected, load

# Read when a test runs: what there is to ask takes seconds to find out, and every worker collects every test.
EVERYTHING = schemathesis.pytest.from_fixture("everything")
SOMETHING = schemathesis.pytest.from_fixture("something")

HEARD = {
    "create_token": {"200", "400", "405"},
    "authorize": {"200", "303", "400", "405"},
    "send_task": {"result", "error -32602", "401", "405"},
    "send_task_subscribe": {"events", "error -32602", "401", "405"},
    "get_task": {"result", "error -32001", "401", "405"},
    "cancel_task": {"result", "error -32001", "error -32002", "401", "405"},
    "resubscribe_task": {"events", "error -32001", "401", "405"},
    "get_agent_card": {"200", "405"},
}
"""How each operation has to have been answered among other things, or the test has not tested it."""


ONE_CALLER = [HealthCheck.function_scoped_fixture]
"""All requests have one caller, which Hypothesis would warn of."""


@pytest.fixture(autouse=True)
def _named_node(request: pytest.FixtureRequest) -> None:
    """Schemathesis reads and writes an attribute of the test that newer versions of pytest do not have."""
    request.node._nodeid = request.node.nodeid


@pytest.fixture(scope="module")
def everything() -> BaseSchema:
    return load(is_exhaustive=True)


@pytest.fixture(scope="module")
def something() -> BaseSchema:
    return load(is_exhaustive=False)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(clients={CLIENT: SECRET}) as sandbox:
        yield sandbox
        sandbox.check_invariants()


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with connected() as session:
        yield session


@pytest.fixture
def caller(sandbox: Sandbox, session: Session) -> Caller:
    return Caller(sandbox, session)


@pytest.fixture
def curious(caller: Caller) -> Iterator[Caller]:
    """A caller who in the end has heard everything that there is to hear from every operation."""
    yield caller
    assert caller.received.keys() == HEARD.keys()
    missing = {
        name: HEARD[name] - received for name, received in caller.received.items() if HEARD[name] - received
    }
    assert missing == {}, "the test has not tested what it is for"


@EVERYTHING.parametrize()
@settings(max_examples=8, suppress_health_check=ONE_CALLER)
def test_sandbox_keeps_the_contract_with_a_client(case: Case, curious: Caller) -> None:
    """Whatever a client with a token or a secret asks, every answer and event is what the document says."""
    curious.ask_as_client(case)
    if case.meta is not None and case.meta.generation.mode.is_positive:
        sensible = curious.sensible(case)
        if sensible is not None:
            response = curious.ask_as_client(sensible)
            if operation_id(case) in ("send_task", "send_task_subscribe"):
                assert all(answer["error"] is None for answer in answers(response)), "every order is taken"


@SOMETHING.parametrize()
@settings(max_examples=4, suppress_health_check=ONE_CALLER)
def test_sandbox_keeps_the_contract_with_a_stranger(case: Case, caller: Caller) -> None:
    """Whoever has no token, or one that was made up, is sent away by the agent and gets no token, as the document says."""
    response = caller.ask(case)
    if case.path.startswith(AGENT):
        assert response.status_code == 401
    if operation_id(case) == "create_token":
        assert response.status_code in (400, 401)


def test_one_task_goes_through_all_operations(
    caller: Caller, sandbox: Sandbox, everything: BaseSchema
) -> None:
    """A task is asked for, looked up, watched again and called off under one id, and every answer is as the document says."""

    def ask(operation: str, task_id: str, text: str | None = None) -> list[Json]:
        message = {"role": "user", "parts": [{"type": "text", "text": text}]}
        params = {"id": task_id} if text is None else {"id": task_id, "message": message}
        return answers(caller.ask_as_client(agent_case(everything, operation, **params)))

    def state(answer: Json) -> str:
        assert answer["result"]["id"] in ("tsk-waits", "tsk-pays")
        return str(answer["result"]["status"]["state"])

    assert [state(answer) for answer in ask("send_task", "tsk-waits", "send 250 TSD to Test Payee")] == [
        "INPUT_REQUIRED"
    ]
    assert [state(answer) for answer in ask("get_task", "tsk-waits")] == ["INPUT_REQUIRED"]
    assert state(ask("resubscribe_task", "tsk-waits")[-1]) == "INPUT_REQUIRED"
    for operation in ("cancel_task", "get_task"):
        assert [state(answer) for answer in ask(operation, "tsk-waits")] == ["CANCELED"]

    paid = ask("send_task_subscribe", "tsk-pays", "send 10 TSD to Test Payee")
    assert state(paid[-1]) == "COMPLETED" and paid[-1]["result"]["final"] is True
    assert [answer["result"] for answer in ask("resubscribe_task", "tsk-pays")] == [
        answer["result"] for answer in paid
    ]
    assert [state(answer) for answer in ask("get_task", "tsk-pays")] == ["COMPLETED"]
    for task_id in ("tsk-waits", "tsk-pays"):
        assert [answer["error"]["code"] for answer in ask("cancel_task", task_id)] == [-32002]
    for operation in ("get_task", "cancel_task", "resubscribe_task"):
        assert [answer["error"]["code"] for answer in ask(operation, "tsk-nobody")] == [-32001]
    assert [
        payment.status for payment in sandbox.payments if payment.task_id in ("tsk-waits", "tsk-pays")
    ] == ["REJECTED", "INITIATED"]


def test_grants_are_good_once(caller: Caller, sandbox: Sandbox, everything: BaseSchema) -> None:
    """A code gives a token and that its successor, each once and only with the secret, answered as the document says."""

    def ask(secret: str = SECRET, **grant: str) -> tuple[int, Json]:
        case: Case = everything[PATHS["create_token"]]["POST"].Case(query=grant)
        response = caller.ask(case, auth=(CLIENT, secret))
        return response.status_code, response.json()

    code = sandbox.issue_code()
    assert ask("wrong", grant_type="authorization_code", code=code)[0] == 401
    status, token = ask(grant_type="authorization_code", code=code)
    assert status == 200
    refresh = {"grant_type": "refresh_token", "refresh_token": token["refreshToken"]}
    status, renewed = ask(**refresh)
    assert status == 200 and renewed["accessToken"] != token["accessToken"]
    for used in ({"grant_type": "authorization_code", "code": code}, refresh):
        status, refusal = ask(**used)
        assert (status, refusal["error"]) == (400, "invalid_grant")
