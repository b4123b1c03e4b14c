"""One process of a fleet: asks as often and as long as its order says, with a token that it shares with the others, and reports.

Its order: base_url, client_id, client_secret, refresh_token, the least number of asks and of seconds, and the store, {"file": path}, {"postgres": address} or {"redis": url}.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from time import monotonic, sleep
from typing import Any

import httpx

from payman_api import PATHS
from payman_sdk import (
    FileTokenStore,
    PaymanClient,
    PaymanError,
    PostgresTokenStore,
    RedisTokenStore,
    TokenStore,
)
from payman_sdk._core import operations  # noqa: F401 (loaded now rather than with the first ask)


def store_of(order: dict[str, Any]) -> TokenStore:
    """The store that an order names."""
    if "postgres" in order:
        return PostgresTokenStore(order["postgres"], name="fleet")
    return FileTokenStore(order["file"]) if "file" in order else RedisTokenStore(order["redis"], name="fleet")


def work(order: dict[str, Any]) -> dict[str, int]:
    """Asks, and reports how often each thing came of it."""
    seen: Counter[str] = Counter()
    with PaymanClient.with_token(
        order["client_id"],
        {"refreshToken": order["refresh_token"]},
        base_url=order["base_url"],
        client_secret=order["client_secret"],
        token_store=store_of(order["store"]),
    ) as client:
        enough = monotonic() + order["seconds"]
        while seen.total() < order["asks"] or monotonic() < enough:
            try:
                seen[client.ask("test connection").status] += 1
            except PaymanError as error:
                seen[f"{type(error).__name__}: {error.message}"] += 1
            if seen.total() >= order["asks"]:
                sleep(0.02)  # until the token ends that was got first
    return dict(seen)


class Deadly(httpx.HTTPTransport):
    """A way on which the process is killed when the token endpoint has answered."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = super().handle_request(request)
        if request.url.path == PATHS["create_token"]:
            answer.read()
            os.kill(os.getpid(), signal.SIGKILL)
        return answer


def die_before_saving(order: dict[str, Any]) -> None:
    """Asks with a refresh token, and is killed between its rotation and the saving of the next one."""
    config: Any = {**order, "transport": Deadly()}
    store, refresh_token = FileTokenStore(config.pop("file")), config.pop("refresh_token")
    with PaymanClient.with_token(config, {"refreshToken": refresh_token}, token_store=store) as client:
        client.ask("test connection")
