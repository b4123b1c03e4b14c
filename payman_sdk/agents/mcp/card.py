"""The agent's own description of itself, fetched through the connections of a client."""

from __future__ import annotations

import json

from payman_api import PATHS
from payman_sdk._client.async_ import AsyncPaymanClient
from payman_sdk._core.effects import Flow, SendRequest
from payman_sdk._io.clock import monotonic
from payman_sdk.agents.results import frame_words
from payman_sdk.errors import PaymanError

URI = "payman://agent-card"
_PATIENCE = 10.0
_LONGEST = 200_000


async def fetch_agent_card(client: AsyncPaymanClient) -> tuple[str, str]:
    """Return the card and its media type; words that say so where the server gives none."""
    runner = client._connect().runner  # pyright: ignore[reportPrivateUsage] # no credentials go with it, only its connections
    try:
        status, text = await runner.run(_request_card())
    except PaymanError as error:
        return (
            "text/plain",
            f"The agent card cannot be fetched now.\n\n{frame_words(error.message, 'The error says')}",
        )
    if status != 200:
        return "text/plain", f"Payman gives no agent card here: it answered with status {status}."
    card = _normalize_card(text) if len(text) <= _LONGEST else None
    if card is None:
        return "text/plain", "Payman gives no agent card here: its answer is not an agent card."
    return "application/json", card


def _request_card() -> Flow[tuple[int, str]]:
    request = {"method": "get", "url": PATHS["get_agent_card"]}
    answer = yield SendRequest(request, monotonic() + _PATIENCE)
    return answer.status_code, answer.content.decode("utf-8", "replace")


def _normalize_card(text: str) -> str | None:
    """Return the card as ASCII, with invisible characters as escapes, or None if it is not an object."""
    try:
        card = json.loads(text)
        return json.dumps(card, indent=2) if isinstance(card, dict) else None
    except (ValueError, RecursionError):
        return None
