from __future__ import annotations

import itertools
from collections.abc import Iterator

import httpx
import pytest

from payman_sdk.sandbox import Sandbox
from tests.sandbox.wire_client import WireClient


@pytest.fixture(scope="session")
def shared() -> Iterator[Sandbox]:
    """One sandbox for all tests that need nothing but an account of their own."""
    with Sandbox() as sandbox:
        yield sandbox
        sandbox.check_invariants()


@pytest.fixture(scope="session")
def http(shared: Sandbox) -> Iterator[httpx.Client]:
    """A plain HTTP client of the shared sandbox."""
    with httpx.Client(base_url=shared.base_url, trust_env=False, timeout=60) as client:
        yield client


_COUNT = itertools.count(1)


@pytest.fixture
def wire_client(shared: Sandbox, http: httpx.Client) -> WireClient:
    """A client of the shared sandbox whose account is new."""
    return WireClient(shared, *shared.add_client(f"pm-test-{next(_COUNT)}", "s3cret"), http)
