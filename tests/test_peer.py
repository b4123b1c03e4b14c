from __future__ import annotations

import httpx

from payman_sdk import PaymanClient
from tests.peer import ASK_PATH, Peer, answer


def test_the_peer_answers_by_its_script_and_then_by_its_habit(peer: Peer, client: PaymanClient) -> None:
    """The scripted answer comes first, then what the peer does by itself; both requests are recorded."""
    peer.script(ASK_PATH, answer(418, "teapot", "text/plain"))
    with httpx.Client(base_url=peer.base_url) as http:
        assert http.post(ASK_PATH, json={"id": "req-1"}).status_code == 418
    assert client.ask("again").status == "completed"
    assert [request.json["id"][:4] for request in peer.asks()] == ["req-", "req-"]
