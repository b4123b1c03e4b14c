"""An artifact as it grows, chunk by chunk, and as it was at any moment before.

There may be a hundred thousand chunks a second, and the usual one only adds a few words, so this module reads and keeps
artifacts as JSON has them; `progress.py` has the generated models check every chunk that is not of the usual shape.
"""

from __future__ import annotations

from typing import NamedTuple, Self

from payman_sdk._core.task_response import Json

_OF_THE_CHUNK = {"parts", "append", "lastChunk"}
"""Members that say something about a chunk and nothing about the artifact."""


class ArtifactBuffer:
    """An artifact so far. It is only ever extended, so that a moment is told by two lengths; see `Snapshot`.

    A text that is appended continues the text before it: agents stream their words in pieces.

    Args:
        head: What the artifact has besides its parts.
        parts: The parts that are complete.
        text: The last part but its text, where it is one that can go on.
        tail: The text of that part, encoded so that it can be extended.

    Attributes:
        weight: How many bytes of the stream it is made of.
    """

    __slots__ = ("head", "parts", "tail", "text", "weight")

    def __init__(
        self, head: Json, parts: list[Json], text: Json | None = None, tail: bytearray | None = None
    ) -> None:
        self.head = head
        self.parts = parts
        self.text = text
        self.tail = bytearray() if tail is None else tail
        self.weight = 0

    @classmethod
    def from_chunk(cls, chunk: Json) -> Self:
        """An artifact that begins with this chunk."""
        begun = cls(_extract_head(chunk), [])
        begun.add(chunk["parts"])
        return begun

    def extend(self, chunk: Json) -> ArtifactBuffer:
        """The artifact with one more chunk: itself, unless earlier moments would not show what they were then."""
        head = {**self.head, **_extract_head(chunk)}
        parts: list[Json] = chunk["parts"]
        only_text = len(parts) == 1 and self.text is not None and _is_continuation(self.text, parts[0])
        if only_text and head == self.head:
            self.add(parts)
            return self
        # What is complete is shared, because it is only extended; so is the tail, until another takes its place.
        grown = ArtifactBuffer(head, self.parts, self.text, self.tail)
        grown.weight = self.weight
        grown.add(parts)
        return grown

    def add(self, parts: list[Json]) -> None:
        """Adds the parts of a chunk."""
        for position, part in enumerate(parts):
            if part.get("type") != "text":
                self._close()
                self.parts.append(part)
                continue
            said, text = {key: value for key, value in part.items() if key != "text"}, self.text
            if position > 0 or text is None:
                self._close()
                self.text, self.tail = said, bytearray()
            else:
                self.text = text | {key: value for key, value in said.items() if value is not None}
            self.tail += encode_utf16(part["text"])

    def _close(self) -> None:
        if self.text is not None:
            self.parts.append({**self.text, "text": decode_utf16(self.tail)})
            self.text, self.tail = None, bytearray()

    def to_json(self, complete: int | None = None, length: int | None = None) -> Json:
        """The artifact as JSON has it, now or at a moment: with so many complete parts, and a tail of so many bytes."""
        parts = self.parts[:complete]
        if self.text is not None:
            parts.append({**self.text, "text": decode_utf16(self.tail[:length])})
        return {**self.head, "parts": parts}

    def get_text(self) -> str:
        """Its text, a line break between parts."""
        return "\n".join(part["text"] for part in self.to_json()["parts"] if part.get("type") == "text")

    def get_added_text(self, parts: list[Json]) -> str:
        """What its text will have more of, with these parts added."""
        texts = [part["text"] for part in parts if part.get("type") == "text"]
        goes_on = self.text is not None and parts[:1] != [] and parts[0].get("type") == "text"
        has_words = self.text is not None or any(part.get("type") == "text" for part in self.parts)
        return "\n".join(texts if goes_on or not has_words else ["", *texts])

    def replace_head(self, other: ArtifactBuffer) -> ArtifactBuffer:
        """The same parts, with what another artifact that has them says besides."""
        same = ArtifactBuffer(other.head, self.parts, other.text, self.tail)
        same.weight = self.weight
        return same

    def is_prefix_of(self, other: ArtifactBuffer) -> bool:
        """Whether the other artifact begins as this one is, and so may come of it."""
        count = len(self.parts)
        if self.parts != other.parts[:count]:
            return False
        if self.text is None:
            return True
        if count < len(other.parts):
            there: Json = other.parts[count]
            return there.get("type") == "text" and encode_utf16(there["text"]).startswith(self.tail)
        return other.text is not None and other.tail.startswith(self.tail)


class Snapshot(NamedTuple):
    """All artifacts as they were at a moment, the one that changed last first: a list that later moments share.

    Attributes:
        number: Which artifact of the task it is.
        artifact: What it grew into since.
        complete: How many complete parts it had.
        length: How many bytes its tail had.
        others: The artifacts that changed before it.
    """

    number: int
    artifact: ArtifactBuffer
    complete: int
    length: int
    others: Snapshot | None

    def to_json(self) -> list[Json]:
        """The artifacts as JSON has them, the newest last."""
        told: list[Json] = []
        moment: Snapshot | None = self
        while moment is not None:
            told.append(moment.artifact.to_json(moment.complete, moment.length))
            moment = moment.others
        return told[::-1]


def take_snapshot(number: int, artifact: ArtifactBuffer, before: Snapshot | None) -> Snapshot:
    """The moment after an artifact changed."""
    skipped: list[Snapshot] = []
    rest = before
    while rest is not None and rest.number != number:
        skipped.append(rest)
        rest = rest.others
    others = before if rest is None else rest.others
    if rest is not None:
        for moment in reversed(skipped):
            others = moment._replace(others=others)
    return Snapshot(number, artifact, len(artifact.parts), len(artifact.tail), others)


def encode_utf16(text: str) -> bytes:
    """A text in UTF-16, as JSON means its strings: where half a character ends a chunk and the other begins the next, they meet."""
    return text.encode("utf-16-le", "surrogatepass")


def decode_utf16(text: bytes | bytearray) -> str:
    """What `encode_utf16` made of a text, as the text."""
    return text.decode("utf-16-le", "surrogatepass")


def _extract_head(chunk: Json) -> Json:
    return {key: value for key, value in chunk.items() if key not in _OF_THE_CHUNK and value is not None}


def _is_continuation(text: Json, part: Json) -> bool:
    """Whether a part is more of a text, and says nothing new about it."""
    return part.get("type") == "text" and all(
        value is None or text.get(key) == value for key, value in part.items() if key != "text"
    )
