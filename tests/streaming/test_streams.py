"""Using streams: in a loop, as text, with a callback, and what is left behind when one leaves early."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from payman_sdk import (
    ArtifactUpdate,
    AsyncPaymanClient,
    FormattedTaskResponse,
    PaymanClient,
    StatusUpdate,
    TaskStream,
)
from payman_sdk.errors import (
    ConfigurationError,
    InternalAgentError,
    StreamInterruptedError,
    TaskNotCancelableError,
)
from payman_sdk.sandbox import Sandbox, StreamFault
from tests.conftest import SECRET, Connect
from tests.loops import LOOPS, run_on
from tests.peer import Answer, Peer, Request, head, rpc, task_with
from tests.streaming.wire import CANCEL_PATH, DONE, STREAM_PATH, WORKING, chunk, data, status, stream

Run = Callable[[Callable[[], Awaitable[Any]]], Any]


@pytest.fixture(params=LOOPS)
def run(request: pytest.FixtureRequest) -> Run:
    """Runs a coroutine function on one of the event loops."""
    return partial(run_on, request.param)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(chunk_words=2) as sandbox:
        yield sandbox


@pytest.fixture
def here(sandbox: Sandbox) -> Iterator[PaymanClient]:
    with sandbox.client() as client:
        yield client


def connected(peer: Peer, **settings: Any) -> AsyncPaymanClient:
    return AsyncPaymanClient(client_id="pm-test-1", client_secret=SECRET, base_url=peer.base_url, **settings)


# In a loop


def test_a_stream_gives_the_answer_of_an_ask(here: PaymanClient) -> None:
    """The result of a stream is the answer of the same ask, but for ids and times."""
    with here.stream("list all payees") as stream:
        result = stream.result()
    answer = here.ask("list all payees")
    differs = {"task_id", "request_id", "timestamp", "artifacts", "metadata"}
    assert {key: value for key, value in result.items() if key not in differs} == {
        key: value for key, value in answer.items() if key not in differs
    }
    assert result.metadata.keys() == answer.metadata.keys()
    [mine], [other] = result.artifacts, answer.artifacts
    assert {**mine, "timestamp": None} == {**other, "timestamp": None}
    known = here.get_task(result.task_id)
    assert known == {**result, "request_id": known.request_id}


def test_the_events_of_a_stream(here: PaymanClient) -> None:
    """Events are typed objects and the seed's dicts, carry the ids, and the text so far."""
    with here.stream("list all payees") as stream:
        events = list(stream)
        ids = (stream.task_id, stream.session_id, stream.request_id)
    first, *middle, last = events
    assert isinstance(first, StatusUpdate)
    assert first == first | {"type": "status_update", "status": "in_progress", "is_final": False}
    assert isinstance(last, StatusUpdate)
    assert last == last | {"type": "status_update", "status": "completed", "is_final": True}
    assert all((one.task_id, one.session_id, one.request_id) == ids for one in events)
    text = ""
    for one in middle:
        assert isinstance(one, ArtifactUpdate)
        text += one.delta
        assert one["type"] == "artifact_update"
        assert one["artifacts"][-1]["content"] == one.artifact.content == text
    assert text == stream.result().text
    assert ids[1] == here.get_session_id()


def test_text_alone(here: PaymanClient) -> None:
    """`text_stream` gives the text piece by piece, all of it the text of the result."""
    with here.stream("list all payees") as stream:
        pieces = list(stream.text_stream)
        assert len(pieces) > 3
        assert "".join(pieces) == stream.result().text


def test_the_text_of_several_artifacts(peer: Peer, client: PaymanClient) -> None:
    """Between artifacts the text has an empty line, as the text of an answer has."""
    pieces = [chunk("a", append=False), chunk("b"), chunk("c", index=1, append=False), chunk("d", index=1)]
    peer.script(STREAM_PATH, stream(WORKING, *pieces, DONE))
    with client.stream("Hello!") as reported:
        assert "".join(reported.text_stream) == reported.result().text == "ab\n\ncd"


def test_the_first_event_is_there_while_the_server_works(peer: Peer, client: PaymanClient) -> None:
    """An event is in the caller's hands before the server says anything more."""
    gate = threading.Event()
    peer.script(STREAM_PATH, stream(WORKING, chunk("One", append=False), then=lambda: _pass(gate, peer)))
    with client.stream("Hello!") as reported:
        assert next(reported).type == "status_update"
        second = next(reported)
        assert isinstance(second, ArtifactUpdate)
        assert second.delta == "One"
        assert not gate.is_set()
        gate.set()


def _pass(gate: threading.Event, peer: Peer) -> None:
    while not gate.wait(0.01):
        if peer.stopping.is_set():
            return


def test_the_first_event_is_there_while_the_server_works_async(run: Run, peer: Peer) -> None:
    """The same on an event loop."""
    gate = threading.Event()
    peer.script(STREAM_PATH, stream(WORKING, then=lambda: _pass(gate, peer)))

    async def main() -> None:
        async with connected(peer) as client, client.stream("Hello!") as reported:
            assert (await anext(reported)).type == "status_update"
            assert not gate.is_set()
            gate.set()

    run(main)


def test_the_request_is_sent_when_the_block_begins(peer: Peer, client: PaymanClient) -> None:
    """Nothing is sent before the `with` block, where refusals show."""
    peer.script(STREAM_PATH, rpc(error={"code": -32603, "message": "No"}))
    reported = client.stream("Hello!")
    assert reported.task_id.startswith("tsk-")
    assert peer.requests == []
    with pytest.raises(InternalAgentError), reported:
        raise AssertionError("the block must not begin")


def test_a_stream_can_be_read_without_a_block(here: PaymanClient) -> None:
    """A loop alone reads a stream to its end."""
    reported = here.stream("list all payees")
    assert [one.type for one in reported][-1] == "status_update"
    assert reported.result().status == "completed"


class Watched:
    """A stream of the peer that goes on until its connection is closed.

    Attributes:
        closed: Set when the other side has gone.
    """

    def __init__(self) -> None:
        self.closed = threading.Event()

    def answer(self) -> Answer:
        def write(request: Request) -> Iterator[bytes]:
            yield head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"})
            try:
                while True:
                    content = chunk("and so on ")(request)
                    yield b"%x\r\n%s\r\n" % (len(content), content)
            finally:
                self.closed.set()

        return write


def test_leaving_early_closes_the_connection(peer: Peer, client: PaymanClient) -> None:
    """Who leaves the block before the end leaves no open connection, and no result; the client is usable."""
    watched = Watched()
    peer.script(STREAM_PATH, watched.answer())
    with client.stream("Hello!") as reported:
        next(reported)
    assert watched.closed.wait(60)
    with pytest.raises(ConfigurationError, match="left before its end"):
        reported.result()
    assert client.ask("Hello!").status == "completed"


def test_leaving_at_the_final_event_keeps_the_result(peer: Peer, connect: Connect) -> None:
    """All has been read by then: that the end of the stream was not waited for takes nothing from it."""
    for state in ("COMPLETED", "INPUT_REQUIRED"):
        peer.script(STREAM_PATH, stream(status("WORKING"), chunk("Yes."), status(state, final=True)))
        client = connect()
        with pytest.raises(LookupError), client.stream("Hello!") as reported:
            for event in reported:
                if event.get("is_final"):
                    raise LookupError
        result = reported.result()
        assert (result.state, result.text) == (state.lower().replace("_", "-"), "Yes.")


def test_leaving_early_closes_the_connection_async(run: Run, peer: Peer) -> None:
    """The same on an event loop, where nothing is left to the garbage collector either."""
    watched = Watched()
    peer.script(STREAM_PATH, watched.answer())

    async def main() -> None:
        async with connected(peer) as client:
            async with client.stream("Hello!") as reported:
                await anext(reported)
            assert await anyio.to_thread.run_sync(watched.closed.wait, 5)
            with pytest.raises(ConfigurationError, match="left before its end"):
                await reported.result()
            assert (await client.ask("Hello!")).status == "completed"

    run(main)


def test_cancelling_a_reader_closes_the_connection(run: Run, peer: Peer) -> None:
    """A cancelled task leaves no open connection, and the client usable."""
    watched = Watched()
    peer.script(STREAM_PATH, stream(WORKING, then=peer.hang), watched.answer())

    async def main() -> None:
        async with connected(peer) as client:
            for _ in range(2):
                with anyio.CancelScope() as reading:
                    async with client.stream("Hello!") as reported:
                        async for _ in reported:
                            reading.cancel()  # strikes while the next event is waited for
                assert reading.cancelled_caught
            assert await anyio.to_thread.run_sync(watched.closed.wait, 5)
            assert (await client.ask("Hello!")).status == "completed"

    run(main)


def test_asyncios_own_cancel_closes_the_connection(peer: Peer) -> None:
    """So does a task that is cancelled in asyncio's own way."""
    watched = Watched()
    peer.script(STREAM_PATH, watched.answer())

    async def read(client: AsyncPaymanClient, started: asyncio.Event) -> None:
        async with client.stream("Hello!") as reported:
            async for _ in reported:
                started.set()

    async def main() -> None:
        async with connected(peer) as client:
            started = asyncio.Event()
            task = asyncio.create_task(read(client, started))
            await started.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert watched.closed.wait(60)
            assert (await client.ask("Hello!")).status == "completed"

    asyncio.run(main())


def test_a_failure_comes_again(peer: Peer, client: PaymanClient) -> None:
    """A stream that failed while it was read fails again when its result is wanted."""
    error = data('{"error": {"code": -32603, "message": "It broke"}}')
    peer.script(STREAM_PATH, stream(WORKING, error))
    with client.stream("Hello!") as reported:
        with pytest.raises(StreamInterruptedError):
            list(reported)
        with pytest.raises(StreamInterruptedError, match="It broke"):
            reported.result()


def test_streams_have_no_callbacks_and_formats(client: PaymanClient) -> None:
    """`stream` refuses the options that only `ask` has, and says what it knows."""
    given: Any = {"on_message": print}
    with pytest.raises(ConfigurationError, match="'on_message' is not an option of stream"):
        client.stream("Hello!", given)
    with pytest.raises(ConfigurationError, match="text is blank"):
        client.stream(" ")


def test_options_of_a_stream(peer: Peer, client: PaymanClient) -> None:
    """Metadata is sent and a new session is begun, as with `ask`."""
    peer.script(STREAM_PATH, stream(DONE))
    before = client.get_session_id()
    options: Any = {"new_session": True, "metadata": {"a": 1}}
    with client.stream("Hello!", options, part_metadata={"b": 2}) as reported:
        assert reported.session_id == client.get_session_id() != before
    params = peer.requests[-1].json["params"]
    assert params["metadata"] == {"a": 1}
    assert params["message"]["parts"][0]["metadata"] == {"b": 2}
    assert params["sessionId"] == client.get_session_id()


# With a callback


def test_a_callback_gets_the_events(here: PaymanClient) -> None:
    """`on_message` streams: it gets every event as the seed has them, and the answer is returned."""
    received: list[Any] = []
    response = here.ask("list all payees", {"on_message": received.append})
    assert isinstance(response, FormattedTaskResponse)
    assert received[0]["type"] == "status_update"
    assert received[1]["type"] == "artifact_update"
    assert dict.__contains__(received[1], "artifacts")  # complete, for whoever reads past a dict's methods
    assert received[-2]["artifacts"][-1]["content"] == response.text
    assert received[-1]["is_final"] is True


def test_a_callback_gets_raw_answers(here: PaymanClient) -> None:
    """With `raw=True` it gets the JSON-RPC answers as they came, and such an answer is returned."""
    received: list[Any] = []
    response = here.ask("list all payees", {"on_message": received.append}, raw=True)
    assert all(set(one) == {"jsonrpc", "id", "result", "error"} for one in received)
    assert [("status" in one["result"], "artifact" in one["result"]) for one in received][:2] == [
        (True, False),
        (False, True),
    ]
    assert response["jsonrpc"] == "2.0"
    assert response["id"] == received[0]["id"]
    result = response["result"]
    assert result is not None
    assert result["id"] == received[0]["result"]["id"]
    reported = "".join(
        one["result"]["artifact"]["parts"][0]["text"] for one in received if "artifact" in one["result"]
    )
    assert result["artifacts"][0]["parts"] == [{"type": "text", "text": reported}]
    assert result["status"] == received[-1]["result"]["status"]


def test_raw_answers_come_once(here: PaymanClient, sandbox: Sandbox) -> None:
    """An answer that says several things at once is given to a raw callback once."""
    sandbox.inject_stream_faults(StreamFault(as_json=True))
    received: list[Any] = []
    here.ask("list all payees", {"on_message": received.append, "output_format": "json"})
    assert len(received) == 1


def test_a_callback_that_raises(peer: Peer, client: PaymanClient) -> None:
    """What a callback raises stops the stream, closes the connection, and comes out unchanged."""
    watched = Watched()
    peer.script(STREAM_PATH, watched.answer())
    failure = LookupError("enough")

    def stop(_: object) -> None:
        raise failure

    with pytest.raises(LookupError) as caught:
        client.ask("Hello!", on_message=stop)
    assert caught.value is failure
    assert watched.closed.wait(60)


def test_a_callback_that_nobody_would_await(client: PaymanClient, peer: Peer) -> None:
    """A coroutine function is refused by the client that cannot await it, before anything is sent."""

    async def callback(_: object) -> None:
        pass

    with pytest.raises(ConfigurationError, match="coroutine function"):
        client.ask("Hello!", on_message=callback)
    assert peer.requests == []


def test_callbacks_of_an_async_client(run: Run, sandbox: Sandbox) -> None:
    """An async client awaits a callback that wants it, calls one that does not, and passes on what one raises."""
    received: list[Any] = []
    failure = LookupError("enough")

    async def awaited(event: Any) -> None:
        await anyio.lowlevel.checkpoint()
        received.append(event["type"])

    async def stop(_: object) -> None:
        raise failure

    async def main() -> None:
        async with sandbox.async_client() as client:
            response = await client.ask("Hello!", {"on_message": awaited})
            assert response["status"] == "completed"
            count = len(received)
            await client.ask("Hello!", on_message=lambda event: received.append(event["type"]))
            assert received[count:] == received[:count]
            assert received[0] == received[count - 1] == "status_update"
            with pytest.raises(LookupError) as caught:
                await client.ask("Hello!", on_message=stop)
            assert caught.value is failure
            answer: Any = await client.ask("Hello!", {"on_message": received.append}, raw=True)
            assert answer["id"] == received[-1]["id"]
            assert answer["result"]["status"] == received[-1]["result"]["status"]

    run(main)


# Cancelling the task of a stream


def test_cancelling_the_task_of_a_stream(peer: Peer, client: PaymanClient) -> None:
    """`cancel` asks the agent to cancel, by another thread than the one that reads, and the stream tells its end."""
    canceled = threading.Event()

    def cancel(request: Request) -> Iterator[bytes]:
        canceled.set()
        yield from task_with(status={"state": "CANCELED"})(request)

    def wait(_: Request) -> bytes:
        _pass(canceled, peer)
        return b": canceled\n\n"

    peer.script(STREAM_PATH, stream(WORKING, wait, status("CANCELED", final=True)))
    peer.script(CANCEL_PATH, cancel)
    with client.stream("Hello!") as reported:
        next(reported)
        answers: list[FormattedTaskResponse] = []
        thread = threading.Thread(target=lambda: answers.append(reported.cancel()))
        thread.start()
        result = reported.result()
        thread.join()
    assert answers[0].state == result.state == "canceled"
    assert peer.requests[-1].json["params"]["id"] == reported.task_id


def test_a_task_that_has_ended_is_not_cancelled(here: PaymanClient) -> None:
    """Cancelling what has ended is refused by the agent, and the stream goes on."""
    with here.stream("Hello!") as reported:
        next(reported)
        with pytest.raises(TaskNotCancelableError):
            reported.cancel()
        assert reported.result().status == "completed"


def test_a_stream_shows_what_it_is(here: PaymanClient) -> None:
    """A stream's `repr` names its task and no secret."""
    reported = here.stream("Hello!")
    assert repr(reported) == f"<TaskStream of {reported.task_id}>"
    assert isinstance(reported, TaskStream)
