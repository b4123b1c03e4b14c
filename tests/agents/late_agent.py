"""An agent that pays whatever is sent, and shows a task to look-ups only once it is let to; what it answers is given."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator

from payman_api import PATHS
from tests.peer import ASK_PATH, GET_PATH, Answer, Peer, Request, completed, rpc


class LateAgent:
    """Takes the place of what a peer answers to asks and look-ups.

    Args:
        peer: The server.
        answer: What a send is answered with; it is carried out all the same.
        answer_again: The same for another send of the same task.
        collapses: Whether another send of the same task pays nothing more.

    Attributes:
        payments: How often each task was paid.
        shows: Whether look-ups find what was paid.
    """

    def __init__(
        self,
        peer: Peer,
        answer: Answer = completed,
        answer_again: Answer | None = None,
        *,
        collapses: bool = False,
    ) -> None:
        self.base_url = peer.base_url
        self.payments: Counter[str] = Counter()
        self.shows = False
        self._answer, self._answer_again, self._collapses = answer, answer_again or answer, collapses
        self._lock = threading.Lock()
        peer.always(ASK_PATH, self._pay)
        peer.always(PATHS["send_task_subscribe"], self._pay)
        peer.always(PATHS["resubscribe_task"], rpc(error={"code": -32601, "message": "Method not found"}))
        peer.always(GET_PATH, self._look)

    def _pay(self, request: Request) -> Iterator[bytes]:
        task_id = request.json["params"]["id"]
        with self._lock:
            is_known = task_id in self.payments
            self.payments[task_id] += not (is_known and self._collapses)
        yield from (self._answer_again if is_known else self._answer)(request)

    def _look(self, request: Request) -> Iterator[bytes]:
        is_found = self.shows and request.json["params"]["id"] in self.payments
        yield from (completed if is_found else rpc(error={"code": -32001, "message": "Task not found"}))(
            request
        )
