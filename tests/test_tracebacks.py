"""Tracebacks are short: few frames of the SDK's, all of the program's own, and a few causes."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import payman_sdk
from payman_sdk import AsyncPaymanClient, PaymanClient
from payman_sdk.errors import PaymanError
from payman_sdk.token_stores.memory import forget_shared_stores
from tests.loops import run_on
from tests.peer import ASK_PATH, GET_PATH, TOKEN_PATH, Peer, answer, reset, rpc
from tests.streaming.wire import RESUBSCRIBE_PATH, STREAM_PATH, status, stream
from tests.test_after_sending import dead_port, settings

OURS = str(Path(payman_sdk.__file__).parent)
MOST = 12
NOBODY_TELLS = rpc(error={"code": -32601, "message": "there is no tasks/get"})


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """An exception and what is shown with it."""
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def asked(loop: str | None, given: dict[str, Any], *, is_stream: bool) -> None:
    async def main() -> None:
        async with AsyncPaymanClient(**given) as client:
            if not is_stream:
                await client.ask("Hello!")
                return
            async with client.stream("Hello!") as stream:
                await stream.result()

    if loop is not None:
        run_on(loop, main)
        return
    with PaymanClient(**given) as client:
        if not is_stream:
            client.ask("Hello!")
            return
        with client.stream("Hello!") as stream:
            stream.result()


def raised_by(call: Callable[[], Any]) -> BaseException:
    with pytest.raises(BaseException) as caught:
        call()
    return caught.value


def failing_hook(_: object) -> None:
    raise LookupError("the program's own")


def interrupting_hook(_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("loop", [None, "asyncio", "trio"])
def test_tracebacks_are_short(loop: str | None, peer: Peer) -> None:
    """Twelve frames of the SDK's at most, for each way to fail, with all causes together."""
    for path in (GET_PATH, RESUBSCRIBE_PATH):
        peer.always(path, NOBODY_TELLS)
    broken = stream(status("working"))
    nowhere = {"base_url": f"http://127.0.0.1:{dead_port()}"}
    rows: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
        ("refused connection", nowhere, {}, "ask"),
        ("refused connection of a stream", nowhere, {}, "stream"),
        ("no answer in time", {"timeout": 0.1}, {ASK_PATH: peer.never}, "ask"),
        ("a refused token", {}, {TOKEN_PATH: answer(401)}, "ask"),
        ("a refusal", {}, {ASK_PATH: answer(403)}, "ask"),
        ("too many", {}, {ASK_PATH: answer(429)}, "ask"),
        ("an error of the agent", {}, {ASK_PATH: NOBODY_TELLS}, "ask"),
        ("an unknown outcome", {}, {ASK_PATH: reset}, "ask"),
        ("a refused stream", {}, {STREAM_PATH: answer(403)}, "stream"),
        ("a broken stream", {"timeout": 0.5}, {STREAM_PATH: broken}, "stream"),
        ("a hook", {"before_send": failing_hook}, {}, "ask"),
        ("a hook in a stream", {"before_send": failing_hook}, {}, "stream"),
        ("an interruption", {"before_send": interrupting_hook}, {}, "ask"),
    ]
    for name, given, script, method in rows:
        for path, write in script.items():
            peer.script(path, *[write] * 8)
        forget_shared_stores()
        known = settings(peer, **{"max_retries": 1, "timeout": 1, **given})
        error = raised_by(partial(asked, loop, known, is_stream=method == "stream"))
        peer.unscript()
        assert isinstance(error, PaymanError | LookupError | KeyboardInterrupt), name
        shown = list(chain(error))
        frames = [frame for one in shown for frame, _ in traceback.walk_tb(one.__traceback__)]
        ours = [frame.f_code.co_name for frame in frames if frame.f_code.co_filename.startswith(OURS)]
        assert 0 < len(ours) <= MOST, (name, ours)
        assert len(shown) <= 3, (name, shown)
        if "hook" in name:
            assert frames[-1].f_code.co_name == "failing_hook", name
