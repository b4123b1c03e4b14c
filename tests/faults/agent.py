"""A small agent that pays for every request it takes, also for a task id that it has seen before."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any, Self

from payman_sdk._io.clock import monotonic
from tests.faults import http1
from tests.faults.http1 import Request
from tests.faults.reserved_ports import HOST, end_with_a_reset
from tests.faults.visibility import Manner, Visibility

_UNKNOWN, _NO_METHOD = -32001, -32601

Reply = Callable[[str, int], bytes | None]
"""Returns what is answered in place of the agent's own answer, given the text and which request with it this is; None for that
answer. No bytes at all close the connection, and so does the end of an answer that is not whole; `RESET` resets it."""

RESET = b"reset"
"""What stands for a reset in place of an answer."""


class PayingAgent:
    """An agent on loopback, in a thread. It keeps no repeated task id apart: what is sent twice is paid twice.

    Args:
        manner: How it shows the tasks that it took.
        work: Returns how many seconds a payment takes, given the text.
        takes: Returns whether it takes a request, given the text and which request with it this is.
        reply: What it answers.

    Attributes:
        url: Where it is.
        payments: How often each text was paid for.
    """

    def __init__(
        self,
        manner: Manner,
        *,
        work: Callable[[str], float] = lambda text: 0.0,
        takes: Callable[[str, int], bool] = lambda text, number: True,
        reply: Reply = lambda text, number: None,
    ) -> None:
        self._manner, self._work, self._takes, self._reply = manner, work, takes, reply
        self.payments: Counter[str] = Counter()
        self._requests: Counter[str] = Counter()
        self._shown: dict[str, Visibility] = {}
        self._tasks: dict[str, dict[str, Any]] = {}
        self._at_work: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="payman-paying-agent", daemon=True)
        self._server: asyncio.Server | None = None
        self.url = ""

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def finish(self) -> None:
        """Wait until all that was taken is paid."""
        asyncio.run_coroutine_threadsafe(self._finished(), self._loop).result()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    async def _start(self) -> None:
        self._server = await asyncio.start_server(self._serve, HOST, 0, backlog=1024)
        self.url = f"http://{HOST}:{self._server.sockets[0].getsockname()[1]}"

    async def _finished(self) -> None:
        while self._at_work:
            await asyncio.wait(self._at_work)

    async def _end(self) -> None:
        assert self._server is not None
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(http1.END_OF_HEAD)
                body = await reader.readexactly(Request(head).length)
                answer = await self._answer(Request(head, body))
                if answer == RESET:
                    end_with_a_reset(writer.get_extra_info("socket"))
                    writer.transport.abort()
                    return
                writer.write(answer)
                await writer.drain()
                if not http1.is_whole(answer):
                    return
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    async def _answer(self, request: Request) -> bytes:
        if request.name == "token":
            return http1.document({"accessToken": "access-1", "tokenType": "Bearer", "expiresIn": 3600})
        called: dict[str, Any] = json.loads(request.body)
        task_id: str = called["params"]["id"]
        if request.name == "get":
            shown = self._shown.get(task_id)
            if shown is None or shown.is_hidden():
                return _error(called, _UNKNOWN)
            return _result(called, self._tasks[task_id])
        if request.name != "send":
            return _error(called, _NO_METHOD)
        text: str = called["params"]["message"]["parts"][0]["text"]
        self._requests[text] += 1
        number = self._requests[text]
        work = self._loop.create_task(self._pay(task_id, text)) if self._takes(text, number) else None
        if work is not None:
            self._at_work.add(work)
            work.add_done_callback(self._at_work.discard)
            await asyncio.sleep(0)  # the task is known before anything is answered
        answer = self._reply(text, number)
        if answer is not None:
            return answer
        if work is None:
            return _error(called, _UNKNOWN)
        await asyncio.shield(work)
        return _result(called, self._tasks[task_id])

    async def _pay(self, task_id: str, text: str) -> None:
        shown = self._shown.setdefault(task_id, Visibility(self._manner, monotonic))
        shown.take()
        self._tasks[task_id] = _task(task_id, "working")
        await asyncio.sleep(self._work(text))
        self.payments[text] += 1
        self._tasks[task_id] = _task(task_id, "completed")
        shown.finish()


def _task(task_id: str, state: str) -> dict[str, Any]:
    artifacts = [{"name": "response", "parts": [{"type": "text", "text": "paid"}], "index": 0}]
    return {"id": task_id, "status": {"state": state}, "artifacts": artifacts if state == "completed" else []}


def _result(called: dict[str, Any], task: dict[str, Any]) -> bytes:
    return http1.document({"jsonrpc": "2.0", "id": called["id"], "result": task})


def _error(called: dict[str, Any], code: int) -> bytes:
    error = {"code": code, "message": "task not found" if code == _UNKNOWN else "method not found"}
    return http1.document({"jsonrpc": "2.0", "id": called["id"], "error": error})
