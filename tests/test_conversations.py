"""Conversations: many sessions on one client's connections and token."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import pytest

from payman_sdk import PaymanClient
from payman_sdk.errors import ConfigurationError
from payman_sdk.sandbox import Sandbox
from tests.loops import LOOPS, run_on
from tests.peer import Peer

pytestmark = pytest.mark.slow


def test_a_conversation_has_a_session_of_its_own() -> None:
    """A conversation remembers what was said in it, and nothing of others; the client's session stays as it was."""
    with Sandbox() as sandbox, sandbox.client() as client:
        mine, yours = client.conversation(), client.conversation()
        assert len({mine.get_session_id(), yours.get_session_id(), client.get_session_id()}) == 3
        mine.ask("what's my TSD wallet balance?")
        assert yours.ask("What did we talk about earlier?").text.startswith("We have not talked")
        assert "balance" in mine.ask("What did we talk about earlier?").text


def test_conversations_share_one_token() -> None:
    """However many conversations there are, the token is fetched once."""
    with Sandbox() as sandbox, sandbox.client() as client:
        for _ in range(5):
            client.conversation().ask("Hello!")
        assert len(sandbox.token_requests) == 1


def test_a_conversation_does_all_that_a_client_does() -> None:
    """Streams, replies, waits and cancellations work in a conversation, and belong to its session."""
    with Sandbox() as sandbox, sandbox.client() as client:
        conversation = client.conversation()
        with conversation.stream("Hello!") as stream:
            assert stream.session_id == stream.result().session_id == conversation.get_session_id()
        response = conversation.ask("send 200 TSD to Test Payee")
        assert conversation.reply(response, "approve").session_id == conversation.get_session_id()
        assert conversation.wait(response).status == "completed"
        other = conversation.ask("send 200 TSD to Test Payee")
        assert conversation.cancel_task(other).state == "canceled"
        assert conversation.get_task(other).state == "canceled"
        before = conversation.get_session_id()
        conversation.ask("Hello!", new_session=True)
        assert conversation.get_session_id() != before


def test_a_conversation_is_resumed() -> None:
    """A session id resumes a conversation, in another process too."""
    with Sandbox() as sandbox, sandbox.client() as client, sandbox.client() as other:
        conversation = client.conversation()
        conversation.ask("what's my TSD wallet balance?")
        again = other.conversation(conversation.get_session_id())
        assert "balance" in again.ask("What did we talk about earlier?").text
        assert repr(again) == f"<Conversation {again.get_session_id()}>"


def test_conversations_in_threads() -> None:
    """A hundred conversations in sixteen threads, each with an ask and a stream, never mix their sessions."""
    with Sandbox() as sandbox, sandbox.client() as client:

        def talk(number: int) -> tuple[str, set[str | None]]:
            conversation = client.conversation()
            first = conversation.ask("test connection")
            with conversation.stream("test connection") as stream:
                second = stream.result()
            return conversation.get_session_id(), {first.session_id, second.session_id}

        with ThreadPoolExecutor(16) as pool:
            talks = list(pool.map(talk, range(100)))
    assert all(sessions == {session_id} for session_id, sessions in talks)
    assert len({session_id for session_id, _ in talks}) == 100


@pytest.mark.parametrize("loop", LOOPS)
def test_conversations_in_tasks(loop: str) -> None:
    """On an event loop they do not mix either."""
    sessions: dict[str, set[str | None]] = {}

    async def main() -> None:
        async with sandbox.async_client() as client, anyio.create_task_group() as group:

            async def talk() -> None:
                conversation = client.conversation()
                first = await conversation.ask("test connection")
                async with conversation.stream("test connection") as stream:
                    second = await stream.result()
                sessions[conversation.get_session_id()] = {first.session_id, second.session_id}

            for _ in range(50):
                group.start_soon(talk)

    with Sandbox() as sandbox:
        run_on(loop, main)
    assert len(sessions) == 50
    assert all(received == {session_id} for session_id, received in sessions.items())


@pytest.mark.parametrize(("given", "said"), [(5, "session_id is an int"), ("ses-\n1", "session_id")])
def test_what_is_not_a_session(given: Any, said: str, client: PaymanClient) -> None:
    """A session id that cannot be one is refused by name."""
    with pytest.raises(ConfigurationError, match=said):
        client.conversation(given)


def test_a_conversation_ends_with_its_client(peer: Peer, client: PaymanClient) -> None:
    """What a closed client's conversation is asked is refused, before anything is sent."""
    conversation = client.conversation()
    client.close()
    with pytest.raises(ConfigurationError, match="has been closed"):
        conversation.ask("Hello!")
    with pytest.raises(ConfigurationError, match="has been closed"):
        conversation.stream("Hello!")
    assert peer.requests == []
