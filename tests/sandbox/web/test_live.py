from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from payman_sdk.sandbox import Sandbox
from payman_sdk.sandbox._ledger.accounts import list_accounts
from payman_sdk.sandbox._web.task_views import MOST_LISTENERS, LiveUpdates
from tests.sandbox.web.visitor import Visitor, visiting


@pytest.fixture
def visitor() -> Iterator[Visitor]:
    with visiting() as somebody:
        yield somebody


def live_of(sandbox: Sandbox) -> LiveUpdates:
    """The listeners of a sandbox."""
    [page] = [route.app for route in sandbox.app.routes if isinstance(route, Mount)]
    assert isinstance(page, Starlette)
    live = page.state.live
    assert isinstance(live, LiveUpdates)
    return live


def until(true: threading.Event) -> None:
    assert true.wait(60)


def test_a_listener_is_reported_at_once_and_after_each_change(visitor: Visitor) -> None:
    """An event when it comes, one when something was asked, and one when a fault waits; nothing in between."""
    with visitor.http.stream("GET", "/web/live") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        events = answer.iter_lines()
        assert next(events) == "data: changed"
        next(events)
        visitor.client.ask("hello")
        assert next(events) == "data: changed"
        next(events)
        visitor.sandbox.script(["hello"])
        assert next(events) == "data: changed"


def test_a_listener_is_reported_when_a_task_goes_on_by_itself() -> None:
    """Time passes, and nothing is written: each event of a task that is told slowly is news."""
    moment = [1_750_000_000.0]
    with visiting(pace=1, clock=lambda: moment[0]) as visitor:
        visitor.press(visitor.get(), "ask", prompt="list all wallets")
        with visitor.http.stream("GET", "/web/live") as answer:
            events = (line for line in answer.iter_lines() if line)
            next(events)
            for _ in range(3):
                moment[0] += 1
                assert next(events) == "data: changed"


def test_a_slow_listener_gets_one_event_for_all_it_missed(visitor: Visitor) -> None:
    """However much happens while it does not take its event, nothing is kept for it, and the next one comes at once."""
    service = visitor.sandbox.service
    with service.store.transaction() as tx:
        account = list_accounts(tx)[0]

    async def listen() -> None:
        pieces = LiveUpdates(service, visitor.sandbox._stream_faults).iter_events(account)
        assert await anext(pieces) == b"data: changed\n\n"
        for number in range(50):
            visitor.sandbox.script([f"{number}"])
        await asyncio.to_thread(visitor.client.ask, "hello")
        assert await anext(pieces) == b"data: changed\n\n"
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(pieces), 0.2)

    asyncio.run(listen())


def test_so_many_may_listen_and_places_become_free(visitor: Visitor) -> None:
    """One more than may is told to come back; once one has left, there is room again, and in the end nobody is left."""
    live = live_of(visitor.sandbox)
    answers = [
        visitor.http.send(visitor.http.build_request("GET", "/web/live"), stream=True)
        for _ in range(MOST_LISTENERS)
    ]
    try:
        assert live.listeners == MOST_LISTENERS
        refused = visitor.http.get("/web/live")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "10")
    finally:
        for answer in answers:
            answer.close()
    left = threading.Event()
    for _ in range(1000):
        if live.listeners == 0:
            left.set()
            break
        visitor.get("faults")
    until(left)
    with visitor.http.stream("GET", "/web/live") as again:
        assert again.status_code == 200


def test_stopping_does_not_wait_for_listeners() -> None:
    """With pages open, and one that reads nothing, the sandbox stops; their connections end."""
    with Sandbox() as sandbox, httpx.Client(base_url=sandbox.base_url, trust_env=False) as http:
        port = int(sandbox.base_url.rpartition(":")[2])
        deaf = socket.create_connection(("127.0.0.1", port))
        deaf.sendall(f"GET /web/live HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        with http.stream("GET", "/web/live") as answer:
            lines = answer.iter_lines()
            next(lines)
            sandbox.stop()
            with pytest.raises(httpx.RemoteProtocolError):
                list(lines)
        deaf.settimeout(10)
        while deaf.recv(4096):
            pass
        deaf.close()
        assert live_of(sandbox).listeners == 0


def test_a_listener_of_nobody_is_refused(visitor: Visitor) -> None:
    """An account that is none is a 404."""
    assert visitor.http.get("/web/live", params={"account": "org-x"}).status_code == 404
