"""examples/fastapi-service serves many users with one client, and tells errors as HTTP statuses."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from payman_sdk.sandbox import ConnectionLost, HTTPError, RPCError, Sandbox, StreamFault
from tests import programs
from tests.chromium import chromium
from tests.examples.programs import EXAMPLES, environment

FOLDER = EXAMPLES / "fastapi-service"
USERS = 20


@pytest.fixture(scope="module")
def payman() -> Iterator[Sandbox]:
    with Sandbox(pace=0.05) as payman:
        yield payman


@pytest.fixture(scope="module")
def address(payman: Sandbox) -> Iterator[str]:
    """The service as its README starts it, on a free port, for all who visit it."""
    line = [sys.executable, "-m", "uvicorn", "service:app", "--port", "0", "--no-access-log"]
    with programs.Popen(
        line, cwd=FOLDER, env=environment(payman), stderr=subprocess.PIPE, encoding="utf-8"
    ) as service:
        assert service.stderr is not None
        said = ""
        while not (found := re.search(r"running on (http://\S+)", said)):
            piece = service.stderr.readline()
            assert piece, said
            said += piece
        yield found[1]
        service.terminate()
        rest = service.stderr.read()
    assert "Traceback" not in rest, rest
    assert "Application shutdown complete" in rest


def events(body: str) -> list[tuple[str, dict[str, Any]]]:
    """What a browser makes of a body of server-sent events."""
    return [
        (name, json.loads(data))
        for name, data in re.findall(r"^event: (.*)\ndata: (.*)\n\n", body, re.MULTILINE)
    ]


def test_users_at_once_need_one_token(payman: Sandbox, address: str) -> None:
    """Each pays and is remembered in a session of their own; there is one client, so there is one token request."""

    async def visit(web: httpx.AsyncClient, place: int) -> tuple[dict[str, Any], dict[str, Any]]:
        user = {"X-User": f"user-{place}"}
        question = {"text": f"send 1 TSD to Test Payee for cup {place}", "key": "cup"}
        paid = await web.post("/ask", json=question, headers=user)
        again = await web.post("/ask", json=question, headers=user)
        assert again.json()["task_id"] == paid.json()["task_id"], again.text
        earlier = {"text": "What did we talk about earlier?"}
        return paid.json(), (await web.post("/ask", json=earlier, headers=user)).json()

    async def visits() -> list[tuple[dict[str, Any], dict[str, Any]]]:
        async with httpx.AsyncClient(base_url=address, timeout=60) as web:
            return await asyncio.gather(*(visit(web, place) for place in range(USERS)))

    answers = asyncio.run(visits())
    assert len(payman.token_requests) == 1
    assert len({paid["session_id"] for paid, _ in answers}) == USERS
    for place, (paid, earlier) in enumerate(answers):
        assert paid["status"] == "completed"
        assert paid["session_id"] == earlier["session_id"]
        assert re.findall(r"cup (\d+)", earlier["text"]) == [str(place)], earlier["text"]
    cups = [str(payment.description) for payment in payman.payments]
    assert sorted(cup for cup in cups if cup.startswith("cup")) == sorted(
        f"cup {place}" for place in range(USERS)
    )


def test_a_stream_comes_as_events(address: str) -> None:
    """States, pieces of text, and the answer, as a browser reads them."""
    with httpx.stream(
        "POST", f"{address}/stream", json={"text": "list all wallets"}, headers={"X-User": "sid"}, timeout=60
    ) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        reported = events(response.read().decode())
    assert reported[0][0] == "state"
    name, answer = reported[-1]
    assert name == "answer"
    assert "".join(data["delta"] for name, data in reported if name == "text") == answer["text"]
    assert "TSD" in answer["text"]


def test_a_user_approves_their_own_payments_only(payman: Sandbox, address: str) -> None:
    """A task of somebody else's session is not there; one's own is paid once, and does not wait a second time."""
    with httpx.Client(base_url=address, timeout=60) as web:
        mine, other = {"X-User": "alice"}, {"X-User": "bob"}
        waits = web.post("/ask", json={"text": "send 150 TSD to Test Payee"}, headers=mine).json()
        assert waits["requires_input"] is True
        before = payman.balance("TSD")
        path = f"/tasks/{waits['task_id']}"
        assert web.post(f"{path}/approve", headers=other).status_code == 404
        assert web.post(f"{path}/eat", headers=mine).status_code == 404
        assert web.post("/tasks/tsk-nobodys/approve", headers=mine).status_code == 404
        assert web.post(f"{path}/approve").status_code == 422
        assert payman.balance("TSD") == before

        approved = web.post(f"{path}/approve", headers=mine)
        assert (approved.status_code, approved.json()["status"]) == (200, "completed")
        assert payman.balance("TSD") == before - 150
        assert web.post(f"{path}/deny", headers=mine).status_code == 409


def test_a_user_may_leave_in_the_middle(payman: Sandbox, address: str) -> None:
    """The payment is made all the same, the log has no complaint, and the next user is served."""
    before = len(payman.payments)
    with httpx.stream(
        "POST",
        f"{address}/stream",
        json={"text": "send 10 TSD to Test Payee"},
        headers={"X-User": "alice"},
        timeout=60,
    ) as response:
        assert next(response.iter_text()).startswith("event: state")
    hello = httpx.post(f"{address}/ask", json={"text": "Hello!"}, headers={"X-User": "bob"}, timeout=60)
    assert hello.status_code == 200
    assert [int(payment.amount) for payment in payman.payments[before:]] == [10]


def test_the_page_shows_the_answer(payman: Sandbox, address: str) -> None:
    """In a browser the page shows how it stands and what the agent says, and a question asked anew is a new one."""
    before = len(payman.payments)
    with chromium() as browser:
        page = browser.new_page()
        page.goto(address)
        for paid in (1, 2):
            page.get_by_role("button").click()  # which empties what is shown of an earlier answer
            expect(page.locator("#state")).to_have_text("completed", timeout=60_000)
            expect(page.locator("#answer")).to_contain_text("Sent **10.00 TSD** to **Test Payee**")
            assert len(payman.payments) == before + paid


@asynccontextmanager
async def served(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    """The service in this process, without a port, and a user of it."""
    for name, value in environment(sandbox).items():
        if name.startswith("PAYMAN_"):
            monkeypatch.setenv(name, value)
    spec = importlib.util.spec_from_file_location("service", FOLDER / "service.py")
    assert spec is not None
    assert spec.loader is not None
    service = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "service", service)
    spec.loader.exec_module(service)
    async with (
        service.lifespan(service.app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(service.app), base_url="http://shop", headers={"X-User": "alice"}
        ) as web,
    ):
        yield web


def test_errors_are_statuses(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is the user's is a 4xx, what is the service's or Payman's a 5xx, never a 401, and the money is where it was."""

    async def visit() -> None:
        async with served(sandbox, monkeypatch) as web:
            pay = {"text": "send 10 TSD to Test Payee"}
            for failure, status, name, may_have_been_done in (
                (HTTPError(403), 502, "PermissionDeniedError", False),
                (RPCError(-32603), 502, "InternalAgentError", True),
                (HTTPError(429, headers={"Retry-After": "600"}), 503, "RateLimitError", True),
            ):
                sandbox.script([failure])
                answer = await web.post("/ask", json=pay)
                assert (answer.status_code, answer.json()["error"]) == (status, name)
                assert answer.json()["may_have_been_done"] is may_have_been_done
            assert (await web.post("/ask", json={"text": ""})).status_code == 422
            assert (await web.post("/ask", json={"text": " "})).status_code == 422
            assert sandbox.payments == []

            assert (await web.post("/ask", json={**pay, "key": "a"})).status_code == 200
            other = await web.post("/ask", json={"text": "send 20 TSD to Test Payee", "key": "a"})
            assert (other.status_code, other.json()["error"]) == (409, "IdempotencyKeyReuseError")
            assert len(sandbox.payments) == 1

            sandbox.stop()
            gone = await web.post("/ask", json=pay)
            assert (gone.status_code, gone.json()["error"]) == (502, "APIConnectionError")
            assert gone.json()["may_have_been_done"] is False

    with Sandbox() as sandbox:
        asyncio.run(visit())


def test_a_wrong_secret_is_not_a_401(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service's own credentials are its own matter."""

    async def visit() -> None:
        async with served(sandbox, monkeypatch) as web:
            answer = await web.post("/ask", json={"text": "Hello!"})
            assert (answer.status_code, answer.json()["error"]) == (502, "AuthenticationError")
            reported = events((await web.post("/stream", json={"text": "Hello!"})).text)
            assert [(name, data["status"]) for name, data in reported] == [("error", 502)]

    with Sandbox() as sandbox:
        sandbox.client_secret = "wrong"
        asyncio.run(visit())


def test_an_unknown_outcome_reports_its_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    """504, or the event `error`, says that it may have been done, and of which task that is."""

    async def visit() -> None:
        async with served(sandbox, monkeypatch) as web:
            sandbox.script([ConnectionLost()])
            lost = await web.post("/ask", json={"text": "send 10 TSD to Test Payee"})
            assert lost.status_code == 504
            assert lost.json()["may_have_been_done"] is True
            assert lost.json()["task_id"] == sandbox.payments[0].task_id

            sandbox.script([StreamFault(after_events=2)])
            reported = events((await web.post("/stream", json={"text": "send 20 TSD to Test Payee"})).text)
            name, data = reported[-1]
            assert (name, data["status"], data["error"]) == ("error", 504, "StreamInterruptedError")
            assert data["task_id"] == sandbox.payments[1].task_id

    with Sandbox(tasks_get=False, resubscribe="off") as sandbox:
        asyncio.run(visit())


def test_a_session_outlives_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the session ids kept, a user's conversation goes on after a restart; a user without one begins anew."""

    async def visit() -> None:
        async with served(sandbox, monkeypatch) as web:
            await web.post("/ask", json={"text": "send 10 TSD to Test Payee for tea"})
            kept = sys.modules["service"].app.state.sessions
        async with served(sandbox, monkeypatch) as web:
            sys.modules["service"].app.state.sessions = kept
            earlier = {"text": "What did we talk about earlier?"}
            assert "tea" in (await web.post("/ask", json=earlier)).json()["text"]
            other = await web.post("/ask", json=earlier, headers={"X-User": "bob"})
            assert "tea" not in other.json()["text"]

    with Sandbox() as sandbox:
        asyncio.run(visit())
