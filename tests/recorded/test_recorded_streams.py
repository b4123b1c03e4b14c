from __future__ import annotations

from typing import Any

import pytest

from payman_sdk.sandbox import ScriptedResponse, StreamFault
from tests.recorded.conftest import Server

sandbox_only = pytest.mark.sandbox_only


def test_an_answer_as_it_comes(server: Server) -> None:
    """A stream tells states and pieces, and its result is what an ask would have returned."""
    with server.client().stream("list all wallets and their balances") as stream:
        events = list(stream)
        response = stream.result()
    assert {event.type for event in events} == {"status_update", "artifact_update"}
    reported = "".join(event.delta for event in events if event.type == "artifact_update")
    assert reported == response.text
    assert response.status == "completed"


def test_on_message_hears_the_same(server: Server) -> None:
    """An ask with a callback streams, and returns the whole."""
    received: list[Any] = []
    response = server.client().ask("list all payees", {"on_message": received.append})
    assert received[-1]["is_final"] is True
    assert response.status == "completed"


def test_a_streamed_payment(server: Server) -> None:
    """A payment can be watched."""
    with server.client().stream("send 10 TSD to Test Payee", idempotency_key="invoice-43") as stream:
        assert "".join(stream.text_stream)
        assert stream.result().status == "completed"


@sandbox_only
def test_a_stream_that_is_answered_with_json(server: Server) -> None:
    """A finished task in place of a stream is told as one."""
    server.meanwhile(lambda sandbox: sandbox.inject_stream_faults(StreamFault(as_json=True)))
    with server.client().stream("list all payees") as stream:
        assert list(stream)[-1].type == "status_update"
        assert stream.result().status == "completed"


@sandbox_only
def test_a_question_ends_a_stream(server: Server) -> None:
    """A stream ends when the agent asks something, and its result says that an answer is wanted."""
    server.meanwhile(lambda sandbox: sandbox.script([ScriptedResponse("Which one?", state="input-required")]))
    with server.client().stream("pay John") as stream:
        assert stream.result().requires_input
