"""The artifacts of a streamed task: which chunk belongs to which, what in it is new, and how much of it is kept."""

import json
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from payman_api.models import Artifact
from payman_sdk._core.artifact_buffer import ArtifactBuffer
from payman_sdk._core.wire_json import Json

_MOST_VERSIONS: Final = 256
"""The number of replaced versions of an artifact to remember, so that a replayed stream does not repeat them."""
_MOST_BYTES: Final = 8 * 1024 * 1024
"""How many bytes of replaced versions of an artifact are remembered."""
_MOST_FINGERPRINTS: Final = 65_536
"""How many statuses and unknown events are remembered."""
_ARTIFACT: Final = 1024
"""Bytes that an artifact takes beside its content."""


class ArtifactChange(NamedTuple):
    """An artifact that was begun, extended or replaced: its number, what it is now, and its new text."""

    number: int
    artifact: ArtifactBuffer
    delta: str


class ArtifactSet:
    """Artifacts by their numbers; `size` is how many bytes of the stream are kept.

    After a break, a server may replay, resume or skip events. So after `rejoin` (`was_rejoined`), known content is recognized by
    its text, and something may be missing.
    """

    def __init__(self) -> None:
        self.size = 0
        self.was_rejoined = False
        self._artifacts: dict[int, ArtifactBuffer] = {}
        self._shown: dict[int, Json] = {}  # the newest snapshot of each, the one that changed last last
        self._closed: set[int] = set()  # those whose last chunk came
        self._repeated: dict[int, ArtifactBuffer] = {}  # what came since the stream was joined again
        self._named: dict[str, int] = {}  # the numbers of artifacts that have an id instead
        self._replaced: dict[int, deque[ArtifactBuffer]] = {}
        self._fingerprints: dict[int, None] = {}

    def rejoin(self) -> None:
        self.was_rejoined, self._repeated = True, {}

    def values(self) -> list[ArtifactBuffer]:
        return [self._artifacts[index] for index in sorted(self._artifacts)]

    def add_chunk(self, artifact: Artifact) -> ArtifactChange | None:
        """Take an artifact, or a chunk of one; return what changed, None if all of it came before."""
        index, closes = self._get_index(artifact, 0), artifact.last_chunk is True
        known, is_appended = self._artifacts.get(index), artifact.append is True
        grown = self._repeated.get(index) if is_appended else ArtifactBuffer(artifact)
        if self.was_rejoined and known is not None and grown is not None:
            if is_appended:
                grown.extend(artifact)
            delta = self._find_new_text(index, known, grown, closes=closes)
        elif known is not None and is_appended:
            delta, grown = known.extend(artifact), known
        else:
            grown = grown or ArtifactBuffer(artifact)
            delta = grown.get_text()
        return None if delta is None else self._store(index, grown, delta, closes=closes)

    def add_all(self, artifacts: list[Artifact]) -> Iterator[ArtifactChange]:
        """Take the artifacts of a whole task; yield what changed."""
        numbers = [self._get_index(artifact, position) for position, artifact in enumerate(artifacts)]
        if len(set(numbers)) < len(numbers):  # servers that do not number them give all the same one
            numbers = list(range(len(numbers)))
        for index, artifact in zip(numbers, artifacts, strict=True):
            whole, known = ArtifactBuffer(artifact), self._artifacts.get(index)
            goes_on = known is not None and known.is_prefix_of(whole)
            if known is not None and goes_on and whole.is_prefix_of(known) and not known.has_half:
                known.replace_head(whole)
                continue
            before = known.get_text() if known is not None and goes_on else ""
            yield self._store(index, whole, whole.get_text().removeprefix(before))

    def grow(self, index: int, count: int) -> None:
        """Note that so many bytes have come of an artifact."""
        artifact = self._artifacts[index]
        if artifact.weight == 0:
            count += _ARTIFACT
        artifact.weight += count
        self.size += count

    def take_snapshots(self, number: int, artifact: ArtifactBuffer) -> list[Json]:
        """Return all artifacts as a reader is shown them, the one that has just changed last."""
        shown = self._shown
        shown.pop(number, None)
        shown[number] = artifact.take_snapshot()
        return list(shown.values())

    def was_seen(self, said: Any) -> bool:
        """Return whether the stream, joined again, repeats a status or an unknown event; remember it."""
        try:
            fingerprint = hash(json.dumps(said, sort_keys=True))
        except RecursionError:
            return False  # nested too deeply to be compared with anything
        if fingerprint in self._fingerprints:
            return self.was_rejoined
        self._fingerprints[fingerprint] = None
        if len(self._fingerprints) > _MOST_FINGERPRINTS:
            del self._fingerprints[next(iter(self._fingerprints))]
        return False

    def _get_index(self, artifact: Artifact, otherwise: int) -> int:
        """Return the number of an artifact; later versions of the protocol number none, and give each an id."""
        if isinstance(artifact.index, int):
            return artifact.index
        name = artifact.additional_properties.get("artifactId")
        if not isinstance(name, str):
            return otherwise
        return self._named.setdefault(name, len(self._named))

    def _find_new_text(
        self, index: int, artifact: ArtifactBuffer, again: ArtifactBuffer, *, closes: bool
    ) -> str | None:
        """Return what goes beyond an artifact that is repeated up to here; None if nothing does."""
        goes_on = artifact.is_prefix_of(again)
        versions: Iterable[ArtifactBuffer] = (artifact, *self._replaced.get(index, ()))
        came_before = any(again.is_prefix_of(version) for version in versions)
        if came_before and not (goes_on and closes and index not in self._closed):
            self._repeated[index] = again
            if goes_on:
                artifact.replace_head(again)
            return None
        self._repeated.pop(index, None)
        return again.get_text().removeprefix(artifact.get_text() if goes_on else "")

    def _store(
        self, index: int, artifact: ArtifactBuffer, delta: str, *, closes: bool = False
    ) -> ArtifactChange:
        before = self._artifacts.get(index)
        if before is not None and before is not artifact:
            if not before.is_prefix_of(artifact):
                # It is remembered in the place of the oldest ones.
                versions = self._replaced.setdefault(index, deque())
                versions.append(before)
                while len(versions) > _MOST_VERSIONS or sum(one.weight for one in versions) > _MOST_BYTES:
                    self.size -= versions.popleft().weight
            elif artifact.weight == 0:  # it starts again with the known content
                self.size -= before.weight
        self._artifacts[index] = artifact
        (self._closed.add if closes else self._closed.discard)(index)
        return ArtifactChange(index, artifact, delta)
