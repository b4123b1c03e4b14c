"""What is kept of a stream: how much it is, and which versions of artifacts are remembered that others took the place of."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

from payman_sdk._core.artifact_buffer import ArtifactBuffer

_MOST_VERSIONS: Final = 256
"""How many replaced versions of an artifact are remembered, so that a stream that begins anew does not repeat them."""
_MOST_BYTES: Final = 8 * 1024 * 1024
"""How many bytes of replaced versions of an artifact are remembered."""
_MOST_FINGERPRINTS: Final = 65_536
"""How many statuses and unknown events are remembered."""
_ARTIFACT: Final = 1024
"""Bytes that an artifact takes beside its content."""


class Memory:
    """Counts and bounds what is kept of a stream.

    Attributes:
        size: How many bytes of events are kept.
    """

    def __init__(self) -> None:
        self.size = 0
        self._replaced: dict[int, deque[ArtifactBuffer]] = {}
        self._fingerprints: dict[int, None] = {}

    def grow(self, artifact: ArtifactBuffer, count: int) -> None:
        """Note that so many bytes have come of an artifact."""
        if artifact.weight == 0:
            count += _ARTIFACT
        artifact.weight += count
        self.size += count

    def replace(self, number: int, version: ArtifactBuffer) -> None:
        """Remember a version of an artifact that another takes the place of, and forget the oldest ones."""
        versions = self._replaced.setdefault(number, deque())
        versions.append(version)
        left = sum(one.weight for one in versions)
        while len(versions) > _MOST_VERSIONS or (left > _MOST_BYTES and versions):
            forgotten = versions.popleft().weight
            left -= forgotten
            self.size -= forgotten

    def find_earlier_versions(self, number: int) -> Iterable[ArtifactBuffer]:
        """The versions of an artifact that are remembered."""
        return self._replaced.get(number, ())

    def knows(self, fingerprint: int) -> bool:
        """Whether an event with this fingerprint came before; it is remembered from now on."""
        if fingerprint in self._fingerprints:
            return True
        self._fingerprints[fingerprint] = None
        if len(self._fingerprints) > _MOST_FINGERPRINTS:
            del self._fingerprints[next(iter(self._fingerprints))]
        return False
