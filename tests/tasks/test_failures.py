"""Tasks that end without success, raised where the caller wants that, and what belongs to a stream that was made early."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import anyio
import pytest

from payman_sdk import AsyncPaymanClient, PaymanClient
from payman_sdk.errors import ConfigurationError, TaskFailedError
from tests.conftest import SECRET, Connect
from tests.loops import LOOPS, run_on
from tests.peer import ASK_PATH, GET_PATH, Peer, answer, task_with
from tests.streaming.wire import STREAM_PATH, WORKING, status, stream

MESSAGE = {"role": "agent", "parts": [{"type": "text", "text": "No funds."}]}
FAILED = task_with(status={"state": "FAILED", "message": MESSAGE}, artifacts=[])
FAILING = stream(WORKING, status("CANCELED", final=True, message=MESSAGE))


def assert_failed(error: TaskFailedError, peer: Peer) -> None:
    params = peer.requests[-1].json["params"]
    assert error.task_id == error.task.task_id == params["id"]
    assert error.task.status == "failed"
    assert "No funds." in str(error)


def test_a_failed_task_is_an_answer(peer: Peer, client: PaymanClient) -> None:
    """A task that failed is returned, unless its failure is wanted as an exception."""
    peer.always(ASK_PATH, FAILED)
    assert client.ask("Hello!").status == "failed"
    assert client.ask("Hello!", raise_on_failure=False).status == "failed"
    either: Any = (False, True)
    for raw in either:
        with pytest.raises(TaskFailedError) as caught:
            client.ask("Hello!", {"raise_on_failure": True}, raw)
        assert_failed(caught.value, peer)
    peer.script(GET_PATH, task_with(status={"state": "input-required"}))
    with pytest.raises(TaskFailedError):
        client.reply("tsk-1", "approve", raise_on_failure=True)


def test_a_task_that_does_not_fail_is_returned(client: PaymanClient) -> None:
    """Where nothing failed, nothing is raised."""
    assert client.ask("Hello!", raise_on_failure=True).status == "completed"
    answer: Any = client.ask("Hello!", raise_on_failure=True, output_format="json")
    assert answer["result"]["status"]["state"] == "COMPLETED"


@pytest.mark.parametrize("raw", [False, True])
def test_a_failed_stream(raw: Any, peer: Peer, client: PaymanClient) -> None:
    """The result of a stream is raised in the same way, after all of its events."""
    peer.always(STREAM_PATH, FAILING)
    with client.stream("Hello!", raise_on_failure=True) as reported:
        assert len(list(reported)) == 2
        with pytest.raises(TaskFailedError) as caught:
            reported.result()
    assert_failed(caught.value, peer)
    received: list[Any] = []
    with pytest.raises(TaskFailedError):
        client.ask("Hello!", {"on_message": received.append, "raise_on_failure": True}, raw)
    assert len(received) == 2


def test_a_switch_is_true_or_false(client: PaymanClient) -> None:
    """Something else than a truth value is refused by name."""
    given: Any = {"raise_on_failure": "yes"}
    with pytest.raises(ConfigurationError, match="raise_on_failure is 'yes'"):
        client.ask("Hello!", given)


def test_what_a_callback_raises_says_which_task_it_left(peer: Peer, connect: Connect) -> None:
    """The exception is the callback's own; a note on it names the task, and says whether the ask was sent."""
    peer.always(STREAM_PATH, FAILING)

    def stop(_: object) -> None:
        raise KeyError("status")

    for hook in ("on_message", "on_task", "on_retry", "on_token", "before_send"):
        given: Any = {hook: stop}
        settings = {} if hook == "on_message" else {**given, "max_retries": 1}
        if hook in {"on_retry", "on_token"}:
            peer.script(ASK_PATH, answer(503, retry_after="0") if hook == "on_retry" else answer(401))
        with pytest.raises(KeyError) as caught:
            connect(**settings).ask("send 100 TSD to John Doe", {} if settings else given)
        error: Any = caught.value
        [note] = error.__notes__
        was_sent = hook != "before_send"
        assert note.startswith("Payman: The ask was sent" if was_sent else "Payman: Nothing was sent"), hook
        assert error.task_id in note, hook


class AsyncHook:
    async def __call__(self, _: object) -> None: ...


async def hook_later(_: object) -> None: ...


@pytest.mark.parametrize("function", [hook_later, AsyncHook(), partial(hook_later), partial(AsyncHook())])
@pytest.mark.parametrize("hook", ["on_message", "on_retry", "before_send"])
def test_a_hook_that_nobody_would_await(hook: str, function: Any, peer: Peer, connect: Connect) -> None:
    """A coroutine function is refused by the client for threads before anything is sent, and taken by the other one."""
    given: Any = {hook: function}
    with pytest.raises(ConfigurationError, match=f"{hook} is a coroutine function"):
        connect().ask("Hello!", given)
    if hook != "on_message":
        with pytest.raises(ConfigurationError, match=f"{hook} is a coroutine function"):
            connect(**given)
    assert peer.requests == []

    async def main() -> None:
        config: Any = {"client_id": "pm-test-1", "client_secret": SECRET, "base_url": peer.base_url}
        async with AsyncPaymanClient(config) as client:
            await client.ask("Hello!", given)

    peer.always(STREAM_PATH, stream(status("COMPLETED", final=True)))
    anyio.run(main)


@pytest.mark.slow
@pytest.mark.parametrize("loop", [None, *LOOPS])
def test_the_time_of_a_stream_begins_with_its_request(loop: str | None, peer: Peer, connect: Connect) -> None:
    """A stream that is made early and read late has all of its time."""
    peer.always(STREAM_PATH, stream(WORKING, status("COMPLETED", final=True)))

    async def main() -> str:
        config: Any = {"client_id": "pm-test-1", "client_secret": SECRET, "base_url": peer.base_url}
        async with AsyncPaymanClient(config) as client:
            reported = client.stream("Hello!", timeout=1)
            await anyio.sleep(1.05)
            return (await reported.result()).status

    if loop is None:
        reported = connect().stream("Hello!", timeout=1)
        time.sleep(1.05)
        assert reported.result().status == "completed"
    else:
        assert run_on(loop, main) == "completed"
