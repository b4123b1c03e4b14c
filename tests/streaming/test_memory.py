from __future__ import annotations

import tracemalloc

import pytest

from payman_sdk import PaymanClient
from scripts.benchmarks.server import run_server


@pytest.mark.slow
def test_a_reader_who_keeps_nothing_uses_constant_memory() -> None:
    """Five thousand more events take no more than the text of the answer in two copies, and 256 KiB."""

    def read(events: int) -> tuple[int, int]:
        size = 0
        tracemalloc.start()
        try:
            with client.stream(f"task {events}") as stream:
                for event in stream:
                    size += len(event.delta) if event.type == "artifact_update" else 0
            return tracemalloc.get_traced_memory()[1], size
        finally:
            tracemalloc.stop()

    with (
        run_server() as base_url,
        PaymanClient(client_id="a", client_secret="b", base_url=base_url, timeout=60) as client,
    ):
        read(100)
        (few, few_size), (many, many_size) = read(1_000), read(6_000)
    assert many - few < 2 * 2 * (many_size - few_size) + 2**18, (many, few)  # two bytes a character
