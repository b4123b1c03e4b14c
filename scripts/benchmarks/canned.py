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
"""What all ids are made of, until somebody asks."""

REQUEST_ID = f"req-{NO_UUID}"
TASK_ID = f"tsk-{NO_UUID}"
_TIMESTAMP = "2025-06-27T16:31:41.510422505Z"

TOKEN = b'{"accessToken":"bench","tokenType":"Bearer","expiresIn":3600,"scope":""}'
SHORT_TOKEN = TOKEN.replace(b"3600", b"1")
_TEXT = "- **TSD Wallet** `tube.tense.cask/53`: 1,000.00 TSD\n" * 5
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
                    "parts": [{"type": "text", "text": _TEXT}],
                    "index": 0,
                }
            ],
            "metadata": {"agentId": "ai-1", "orgId": "org-1", "timestamp": _TIMESTAMP},
        },
        "error": None,
    }
).encode()

_STAMP = 1751041901

ANSWERS_OF_OTHERS = {
    "/chat/completions": {
        "id": f"chatcmpl-{NO_UUID}",
        "object": "chat.completion",
        "created": _STAMP,
        "model": "canned",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": _TEXT, "refusal": None, "annotations": []},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 10, "completion_tokens": 100, "total_tokens": 110},
        "service_tier": "default",
        "system_fingerprint": None,
    },
    "/v1/messages": {
        "id": f"msg_{NO_UUID}",
        "type": "message",
        "role": "assistant",
        "model": "canned",
        "content": [{"type": "text", "text": _TEXT}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 10, "output_tokens": 100},
    },
    "/v1/payment_intents": {
        "id": f"pi_{NO_UUID}",
        "object": "payment_intent",
        "amount": 1000,
        "amount_received": 0,
        "capture_method": "automatic",
        "created": _STAMP,
        "currency": "usd",
        "description": _TEXT,
        "livemode": False,
        "metadata": {},
        "next_action": None,
        "payment_method_types": ["card"],
        "status": "requires_payment_method",
    },
    "/a2a": {
        "jsonrpc": "2.0",
        "id": REQUEST_ID,
        "result": {
            "task": {
                "id": TASK_ID,
                "contextId": f"ses-{NO_UUID}",
                "status": {"state": "TASK_STATE_COMPLETED", "timestamp": "2025-06-27T16:31:41.510Z"},
                "artifacts": [
                    {
                        "artifactId": "response",
                        "name": "response",
                        "description": "AI Assistant Response",
                        "parts": [{"text": _TEXT}],
                    }
                ],
                "metadata": {"agentId": "ai-1", "orgId": "org-1"},
            }
        },
    },
}
"""What the peers that do not speak to Payman are answered, by path: the same text in what their own API has around it."""

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
        yield from _numbered(events)
    else:
        yield _BEGIN
        yield from _repeated(_BRIEF if kind == "brief" else _CHUNKS, events - 3)
        yield _END


def text_size(kind: str, events: int) -> int:
    """How many bytes the text of a `task` or `brief` one of so many events has, as Python holds it."""
    words = [_LETTER] if kind == "brief" else WORDS
    width = max(1 if ord(letter) < 256 else 2 for each in words for letter in each)
    rounds, rest = divmod(events - 2, len(words))
    return width * (rounds * sum(map(len, words)) + sum(map(len, words[:rest])))


@functools.cache
def _numbered(events: int) -> tuple[bytes, ...]:
    told = b"".join(blocks("task", events)).split(b"\n\n")[:-1]
    numbered = [b"id: %d\n%b\n\n" % (number, event) for number, event in enumerate(told, 1)]
    return tuple(b"".join(numbered[at : at + _BLOCK]) for at in range(0, events, _BLOCK))


def _repeated(events: tuple[bytes, ...], count: int) -> Iterator[bytes]:
    """So many events, beginning with the first one and going round and round."""
    for _ in range(count // _BLOCK):
        yield _joined(events, _BLOCK)  # a multiple of the number of words
    yield _joined(events, count % _BLOCK)


@functools.cache
def _joined(events: tuple[bytes, ...], count: int) -> bytes:
    return b"".join(islice(cycle(events), count))


def ids_of(request: bytes) -> bytes | None:
    """The ids of an ask as its events have them, which are told to nobody else; None for requests that have none."""
    own = []
    for name in (b"req-", b"tsk-"):
        if (at := request.find(name)) < 0:
            return None
        own.append(request[at : at + len(REQUEST_ID)])
    return _BETWEEN_IDS.join(own)


def addressed(block: bytes, ids: bytes | None) -> bytes:
    """The events with somebody's ids, which costs next to nothing: the bytes between them are kept."""
    return block if ids is None else ids.join(_around_ids(block))


@functools.lru_cache(maxsize=4096)
def _around_ids(block: bytes) -> list[bytes]:
    return block.split(_BETWEEN_IDS.join((REQUEST_ID.encode(), TASK_ID.encode())))


_BETWEEN_IDS = b'","result":{"id":"'


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
        "created": _STAMP,
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
