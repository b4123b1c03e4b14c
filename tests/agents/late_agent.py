"""An agent that pays whatever is sent, and shows a task to look-ups only once it is let to; what it answers is given."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

from payman_api import PATHS
from payman_sdk._core.orders import read_order_line
from tests.peer import ASK_PATH, GET_PATH, Answer, Peer, Request, rpc, task_with


class LateAgent:
    """Takes the place of what a peer answers to asks and look-ups.

    Args:
        peer: The server.
        answer: What an order is answered with; it is carried out all the same. By default the agent says that it is paid.
        answer_again: The same for another send of the same task.
        collapses: Whether another send of the same task pays nothing more.

    Attributes:
        payments: How often each task was paid.
        shows: Whether look-ups find what was paid.
    """

    def __init__(
        self,
        peer: Peer,
        answer: Answer | None = None,
        answer_again: Answer | None = None,
        *,
        collapses: bool = False,
    ) -> None:
        self.base_url = peer.base_url
        self.payments: Counter[str] = Counter()
        self.shows = False
        self._orders: dict[str, dict[str, Any]] = {}
        self._answer = answer or self._confirm
        self._answer_again, self._collapses = answer_again or self._answer, collapses
        self._lock = threading.Lock()
        peer.always(ASK_PATH, self._pay)
        peer.always(PATHS["send_task_subscribe"], self._pay)
        peer.always(PATHS["resubscribe_task"], rpc(error={"code": -32601, "message": "Method not found"}))
        peer.always(GET_PATH, self._look)

    def _pay(self, request: Request) -> Iterator[bytes]:
        params = request.json["params"]
        task_id, order = params["id"], read_order_line(params["message"]["parts"][0]["text"]) or {}
        if order.get("operation") == "list_transactions":
            yield from _say(
                request, {"transactions": [self._describe(one, "task_id") for one in self.payments]}
            )
            return
        with self._lock:
            is_known = task_id in self.payments
            self._orders.setdefault(task_id, order)
            self.payments[task_id] += not (is_known and self._collapses)
        yield from (self._answer_again if is_known else self._answer)(request)

    def _look(self, request: Request) -> Iterator[bytes]:
        is_found = self.shows and request.json["params"]["id"] in self.payments
        yield from (self._confirm if is_found else rpc(error={"code": -32001, "message": "Task not found"}))(
            request
        )

    def _confirm(self, request: Request) -> Iterator[bytes]:
        """Answer that the order of a task is paid."""
        yield from _say(request, self._describe(request.json["params"]["id"]))

    def _describe(self, task_id: str, *more: str) -> dict[str, Any]:
        order = self._orders[task_id]
        payee = dict.fromkeys(("id", "email", "paytag", "type")) | {"name": order["payee"]}
        payment = {"status": "paid", "amount": order["amount"], "currency": order["currency"], "payee": payee}
        ids = {"id": f"txn-{task_id}", "task_id": task_id, "memo": None, "created": None}
        return payment | (ids if more else {"payment_id": ids["id"], "reason": None})


def _say(request: Request, document: dict[str, Any]) -> Iterator[bytes]:
    part = {"type": "text", "text": json.dumps(document)}
    yield from task_with(artifacts=[{"name": "response", "parts": [part]}])(request)
