"""The bytes that the server of the benchmarks sends: a whole answer, and streams of any length, encoded beforehand.

Which stream is wanted is said in the request, as the text of the ask: its kind and its number of events, `task 1000`.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from itertools import cycle, islice
from typing import Any
from uuid import UUID

NO_UUID = UUID(int=0)
"""What all ids are made of: the SDK heeds only events of its own task, and the bytes have to be there before it asks."""

REQUEST_ID = f"req-{NO_UUID}"
TASK_ID = f"tsk-{NO_UUID}"
_TIMESTAMP = "2025-06-27T16:31:41.510422505Z"

TOKEN = b'{"accessToken":"bench","tokenType":"Bearer","expiresIn":3600,"scope":""}'
ANSWER = json.dumps(
    {
        "jsonrpc": "2.0",
        "id": REQUEST_ID,
        "result": {
            "id": TASK_ID,
            "sessionId": f"ses-{NO_UUID}",
            "status": {
                "state": "COMPLETED",
                "message": {
                    "role": "agent",
                    "parts": [{"type": "text", "text": "Processing completed successfully"}],
                },
                "timestamp": _TIMESTAMP,
            },
            "artifacts": [
                {
                    "name": "response",
                    "description": "AI Assistant Response",
                    "parts": [
                        {"type": "text", "text": "- **TSD Wallet** `tube.tense.cask/53`: 1,000.00 TSD\n" * 5}
                    ],
                    "index": 0,
                }
            ],
            "metadata": {"agentId": "ai-1", "orgId": "org-1", "timestamp": _TIMESTAMP},
        },
        "error": None,
    }
).encode()

WORDS = (
    "Here are your wallets:\n\n- **TSD ",
    "Wallet** – paytag `ridge.slate.tulip/52`\n- Spendable ",
    "balance: 1,000.00 TSD\n- Pending balance: ",
    "0.00 TSD and nothing else to ",
    "tell about this one. The next ",
)
"""The texts of the chunks, over and over: six words or so, as the sandbox tells them."""

_LETTER = "a"

_BLOCK = 1000
"""How many events are written at once."""


def blocks(kind: str, events: int) -> Iterator[bytes]:
    """The events of a stream, many at a time.

    Args:
        kind: `task`, as the sandbox tells one; `brief`, one of a single letter a chunk; `numbered`, a `task` with the ids that
            the sandbox gives events by default; `chat`, chunks of OpenAI's chat completions of about the same size.
        events: How many; all but `chat` have at least 3, the first and the last of which are no chunks.
    """
    if kind == "chat":
        yield from _repeated(tuple(_event(_chat_chunk(words)) for words in WORDS), events)
        yield b"data: [DONE]\n\n"
    elif kind == "numbered":
        yield _numbered(events)
    else:
        yield _BEGIN
        yield from _repeated(_BRIEF if kind == "brief" else _CHUNKS, events - 3)
        yield _END


def text_size(kind: str, events: int) -> int:
    """How many bytes the text of a `task` or `brief` one of so many events has, in UTF-16."""
    words = cycle([_LETTER] if kind == "brief" else WORDS)
    return sum(len(each.encode("utf-16-le")) for each in islice(words, events - 2))


@functools.cache
def _numbered(events: int) -> bytes:
    told = b"".join(blocks("task", events)).split(b"\n\n")[:-1]
    return b"".join(b"id: %d\n%b\n\n" % (number, event) for number, event in enumerate(told, 1))


def _repeated(events: tuple[bytes, ...], count: int) -> Iterator[bytes]:
    """So many events, beginning with the first one and going round and round."""
    block = b"".join(islice(cycle(events), _BLOCK))  # a multiple of the number of words
    for _ in range(count // _BLOCK):
        yield block
    yield b"".join(islice(cycle(events), count % _BLOCK))


def _event(data: object) -> bytes:
    return b"data: %b\n\n" % json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()


def _told(content: dict[str, Any]) -> bytes:
    metadata = {"timestamp": _TIMESTAMP, "agentId": f"ai-{NO_UUID}", "orgId": f"org-{NO_UUID}"}
    result = {"id": TASK_ID, **content, "metadata": metadata}
    return _event({"jsonrpc": "2.0", "id": REQUEST_ID, "result": result, "error": None})


def _status(state: str, explanation: str, *, final: bool) -> bytes:
    message = {"role": "agent", "parts": [{"type": "text", "text": explanation}]}
    return _told({"status": {"state": state, "message": message, "timestamp": _TIMESTAMP}, "final": final})


def _chunk(words: str, *, append: bool) -> bytes:
    artifact = {
        "name": "response",
        "description": "AI Assistant Response",
        "parts": [{"type": "text", "text": words}],
        "index": 0,
        "append": append,
        "lastChunk": False,
    }
    return _told({"artifact": artifact})


def _chat_chunk(words: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{NO_UUID}",
        "object": "chat.completion.chunk",
        "created": 1751041901,
        "model": "gpt-5-2025-08-07",
        "service_tier": "default",
        "system_fingerprint": None,
        "choices": [{"index": 0, "delta": {"content": words}, "logprobs": None, "finish_reason": None}],
        "usage": None,
        "obfuscation": "x" * 130,  # OpenAI pads its chunks too; this much makes them as long as the task's
    }


FIRST = _status("WORKING", "Processing", final=False)
"""The first event of a task."""

_BEGIN = FIRST + _chunk(WORDS[0], append=False)
_CHUNKS = tuple(_chunk(words, append=True) for words in WORDS[1:] + WORDS[:1])
_END = _status("COMPLETED", "Processing completed successfully", final=True)
_BRIEF = (_chunk(_LETTER, append=True),)
