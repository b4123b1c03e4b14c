"""Conversations that were recorded: each test is one, and is recorded and replayed by the same lines.

Replaying, which is what happens unless somebody records, there is no server at all. Recording, there is a sandbox of the
test's own, whose time stands still and whose chance is the same each time; or, with `--live`, Payman's TEST environment.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from attrs import field, frozen

from payman_sdk import AsyncPaymanClient, PaymanClient, PaymanConfig
from payman_sdk.sandbox import Sandbox

if TYPE_CHECKING:
    from vcr.cassette import Cassette  # type: ignore[import-untyped] # it has no types

CASSETTES = Path(__file__).parent.parent / "cassettes"
_NOW = 1_790_000_000.123456
_LIVE = {name: os.environ.get(name, "") for name in ("PAYMAN_CLIENT_ID", "PAYMAN_CLIENT_SECRET")}


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("payman")
    group.addoption("--live", action="store_true", help="record against Payman's TEST environment")
    group.addoption("--cassettes", type=Path, default=CASSETTES, help="where the cassettes are")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What needs a hand in the sandbox cannot be recorded at Payman: its recording of the sandbox stays as it is."""
    here = [item for item in items if Path(__file__).parent in item.path.parents]
    for item in here:
        item.add_marker(pytest.mark.vcr)
        item.add_marker(pytest.mark.block_network)
    recorded = config.getoption("--record-mode") not in (None, "none")
    left = [
        item
        for item in here
        if recorded
        and (
            (config.getoption("--live") and item.get_closest_marker("sandbox_only"))
            or item.get_closest_marker("default_cassette")  # a replay of what another test records
        )
    ]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]


@pytest.fixture(scope="module")
def vcr_config(payman_vcr_config: dict[str, Any]) -> dict[str, Any]:
    return payman_vcr_config


@pytest.fixture(scope="module")
def vcr_cassette_dir(request: pytest.FixtureRequest) -> str:
    """Cassettes are where people look for them: `cassettes/`, and the topic."""
    folder: Path = request.config.getoption("--cassettes", CASSETTES)
    return str(folder / request.path.stem.removeprefix("test_recorded_"))


@pytest.fixture
def default_cassette_name(request: pytest.FixtureRequest) -> str:
    """A cassette is named after what is said in it."""
    marker = request.node.get_closest_marker("default_cassette")
    if marker is not None:
        return str(marker.args[0])
    return re.sub(r"[^a-z0-9_.-]+", "-", request.node.name.removeprefix("test_").lower()).strip("-")


@pytest.fixture(autouse=True)
def _to_the_end(vcr: Cassette | None, record_mode: str) -> Iterator[None]:
    """A client that says less than was recorded fails, as one that says something else does."""
    yield
    if vcr is not None and record_mode == "none":
        assert len(vcr) > 0
        assert vcr.all_played, f"{len(vcr) - vcr.play_count} requests of {vcr.path} were not made again"


@frozen
class Server:
    """Who the conversation is with.

    Attributes:
        config: what a client needs to talk to it.
        sandbox: the sandbox, while one is recorded.
    """

    config: PaymanConfig
    sandbox: Sandbox | None = None
    _clients: list[PaymanClient] = field(factory=list)

    def client(self, **settings: Any) -> PaymanClient:
        """A client of it, closed after the test."""
        client = PaymanClient.with_credentials(self.config, **settings)
        self._clients.append(client)
        return client

    def async_client(self, **settings: Any) -> AsyncPaymanClient:
        """The same for tasks."""
        return AsyncPaymanClient.with_credentials(self.config, **settings)

    def keep(self, client: PaymanClient) -> PaymanClient:
        """A client that was made in another way, closed after the test."""
        self._clients.append(client)
        return client

    def meanwhile(self, act: Callable[[Sandbox], Any]) -> Any:
        """What happens behind the client's back, while it is recorded."""
        return act(self.sandbox) if self.sandbox is not None else None

    def close(self) -> None:
        for client in self._clients:
            client.close()
        if self.sandbox is not None:
            self.sandbox.close()


@pytest.fixture
def server(
    request: pytest.FixtureRequest, record_mode: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Server]:
    if record_mode == "none":
        # An address that nobody answers at; the id and the secret of nobody.
        config = PaymanConfig(client_id="pm-test-replayed", client_secret="replayed", environment="TEST")
        server = Server(config)
    elif request.config.getoption("--live"):
        server = Server(
            PaymanConfig(
                client_id=_LIVE["PAYMAN_CLIENT_ID"],
                client_secret=_LIVE["PAYMAN_CLIENT_SECRET"],
                environment="TEST",
            )
        )
    else:
        name = request.node.name
        chance = random.Random(name)  # noqa: S311 (nothing has to be hidden here)
        _number_ids(monkeypatch, random.Random(f"{name}, the client"))  # noqa: S311 (likewise)
        sandbox = Sandbox(
            clients={"pm-test-recorded": "recorded-secret"}, clock=lambda: _NOW, randomness=chance.randbytes
        ).start()
        config = PaymanConfig(
            client_id=sandbox.client_id, client_secret=sandbox.client_secret, base_url=sandbox.base_url
        )
        server = Server(config, sandbox)
    yield server
    server.close()


def _number_ids(monkeypatch: pytest.MonkeyPatch, chance: random.Random) -> None:
    """The client's ids are the same in each recording, so that the next one differs in what is said alone."""
    monkeypatch.setattr("payman_sdk._core.requests.urandom", chance.randbytes)
