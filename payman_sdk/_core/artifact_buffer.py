"""An artifact as it grows, chunk by chunk.

Most chunks add only a few words. So snapshots share complete parts, and texts grow in place.
"""

from __future__ import annotations

import re

from payman_api.models import Artifact, TextPart
from payman_sdk._core.formatting import build_artifact, render_part
from payman_sdk._core.wire_json import Json

_OF_THE_CHUNK = {"parts", "append", "lastChunk"}
"""Members that say something about a chunk and nothing about the artifact."""


class GrowingText:
    """A text that is read after every piece, in linear time in all.

    CPython extends a text in place where nothing else refers to it. A reader still has the newest text, so two take turns.

    Attributes:
        value: The whole text so far.
        half: Half of a character behind it, which waits for the other half.
    """

    __slots__ = ("_lacking", "_older", "half", "value")

    def __init__(self) -> None:
        self.value = self._older = self._lacking = self.half = ""

    def append(self, piece: str) -> None:
        """Put a piece behind the text."""
        older, self._older = self._older, ""  # no other name may have it
        older += self._lacking + piece
        self._older, self.value, self._lacking = self.value, older, piece


class ArtifactBuffer:
    """An artifact so far: its description, its parts, and the bytes of the stream in it. Appended text continues the text before it."""

    __slots__ = ("_content", "_head", "_open", "_outline", "_parts", "_shown", "_text", "_texts", "weight")

    def __init__(self, artifact: Artifact) -> None:
        self._head: Json = {}
        self._parts: list[Json] = []  # those that are complete
        self._shown: list[Json] = []  # the same, as readers are shown them
        self._outline: Json | None = None  # what is shown, but its content and its parts
        self._open: Json | None = None  # the last part but its text, where it is a text that can go on
        self._content = self._text = GrowingText()  # what is shown, and the text that can go on
        self._texts = 0
        self.weight = 0
        self.extend(artifact)

    def extend(self, chunk: Artifact) -> str:
        """Add a chunk, and return by how much the text has grown."""
        said = chunk.to_dict()
        parts: list[Json] = said["parts"]
        head = {key: value for key, value in said.items() if key not in _OF_THE_CHUNK and value is not None}
        self._head, self._outline = self._head | head, None
        delta = ""
        for position, part in enumerate(chunk.parts):
            if position == 0 and self._open is not None and isinstance(part, TextPart):
                more = {key: value for key, value in parts[0].items() if value is not None and key != "text"}
                self._open = self._open | more
                delta = self._take_whole(part.text)
                self.append_text(delta)
                continue
            delta += self._close()
            if isinstance(part, TextPart):
                self._open, self._text = parts[position], GrowingText()
                text = self._take_whole(part.text)
                self._text.append(text)
                del self._open["text"]
                delta += f"\n{text}" if self._texts else text
                if self._texts:
                    self._content.append(f"\n{text}")
                else:
                    self._content = self._text
                self._texts += 1
            else:
                if not self._texts:  # where there is text, it alone is shown
                    self._content.append(("\n" if self._parts else "") + render_part(part))
                self._add_part(parts[position])
        return delta + self._end_text() if chunk.last_chunk is True else delta

    def _take_whole(self, text: str) -> str:
        """Return what is shown of the next piece; half of a character at its end waits."""
        if self._text.half or not text.isascii():
            text = _encode(self._text.half + text).decode("utf-16-le", "surrogatepass")
            self._text.half = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
            text = re.sub("[\ud800-\udfff]", "\ufffd", text.removesuffix(self._text.half))
        return text

    def _end_text(self) -> str:
        """Show half of a character that waits in vain as U+FFFD, and return that."""
        rest, self._text.half = "\ufffd"[: len(self._text.half)], ""
        self.append_text(rest)
        return rest

    def append_text(self, text: str) -> None:
        """Add no more than some words, to a text that can go on."""
        self._text.append(text)
        if self._text is not self._content:
            self._content.append(text)

    def _close(self) -> str:
        rest = self._end_text()
        if self._open is not None:
            self._add_part({**self._open, "text": self._text.value})
            self._open = None
        return rest

    def _add_part(self, part: Json) -> None:
        self._parts.append(part)
        self._shown.append(part.copy())  # whatever a reader does to it, the answer stays

    def _with_open(self, parts: list[Json], rest: str = "") -> list[Json]:
        if self._open is None:
            return parts.copy()
        return [*parts, {**self._open, "text": self._text.value + rest}]

    def to_json(self) -> Json:
        """Return the artifact as the agent would have sent it in one piece."""
        return {**self._head, "parts": self._with_open(self._parts, "\ufffd"[: len(self._text.half)])}

    def take_snapshot(self) -> Json:
        """Return the artifact as a reader is shown it; what does not change is the same in the snapshots after it."""
        if self._outline is None:
            kind = "text" if self._texts or not self._parts else str(self._parts[0]["type"])
            name, description, metadata = map(self._head.get, ("name", "description", "metadata"))
            self._outline = build_artifact(name, description, "", kind, metadata or {}, [])
        shown = self._outline.copy()  # faster than to unpack it into another
        shown["content"], shown["parts"] = self._content.value, self._with_open(self._shown)
        return shown

    def get_text(self) -> str:
        """Return its text, a line break between parts."""
        return self._content.value if self._texts else ""

    @property
    def is_only_words(self) -> bool:
        """Whether it ends with a text of which nothing else is said, so that a chunk may be no more than some words."""
        return not self.has_half and self._open == {"type": "text"}

    @property
    def has_half(self) -> bool:
        """Whether half of a character waits."""
        return bool(self._text.half)

    def replace_head(self, other: ArtifactBuffer) -> None:
        """Take over what another artifact that has the same parts says besides."""
        self._head, self._outline = other._head, None
        if self._open is not None and other._open is not None:
            self._open = other._open

    def is_prefix_of(self, other: ArtifactBuffer) -> bool:
        """Whether the other artifact begins as this one is, and so may come of it."""
        count, there = len(self._parts), other.to_json()["parts"]
        if self._parts != there[:count]:
            return False
        if self._open is None:
            return True
        if count == len(there) or there[count]["type"] != "text":
            return False
        half = self._text.half
        if there[count]["text"].startswith(self._text.value + "\ufffd"[: len(half)]):
            return True
        its = other._text.value + other._text.half if count == len(other._parts) else there[count]["text"]
        return bool(half) and _encode(its).startswith(_encode(self._text.value + half))


def _encode(text: str) -> bytes:
    return text.encode("utf-16-le", "surrogatepass")
