from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.auth import redis_server


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real Redis."""
    if redis_server.NAMED:
        yield redis_server.NAMED
        return
    program = redis_server.server_program()
    if program is None:
        pytest.skip("no redis-server here, and PAYMAN_TEST_REDIS_URL names none")
    with redis_server.serving(program, Path(tmp_path_factory.mktemp("redis"))) as url:
        yield url
