from __future__ import annotations

import copy
import json
import re
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from payman_api.models.artifact import Artifact as WireArtifact
from payman_sdk._core.artifact_buffer import ArtifactBuffer, GrowingText
from payman_sdk._core.formatting import format_artifact
from payman_sdk._core.wire_json import Json
from tests.tables import table

DATA: Json = {"type": "data", "data": {"paytag": "tube.tense.cask/53"}}
FILE: Json = {"type": "file", "file": {"uri": "https://payman.example/a.pdf"}}


def words(text: str, **members: Any) -> Json:
    return {"type": "text", "text": text, **members}


def chunk(*parts: str | Json, append: bool | None = True, **members: Any) -> Json:
    """A chunk with these parts, texts given as they are."""
    return {
        "parts": [words(part) if isinstance(part, str) else part for part in parts],
        "append": append,
        **members,
    }


def begun(chunk: Json) -> ArtifactBuffer:
    return ArtifactBuffer(WireArtifact.from_dict(copy.deepcopy(chunk)))


def grown(*chunks: Json) -> ArtifactBuffer:
    first, *others = chunks
    artifact = begun(first)
    for one in others:
        artifact.extend(WireArtifact.from_dict(copy.deepcopy(one)))
    return artifact


@table(
    ("chunks", "parts"),
    [
        ([chunk("Hel"), chunk("lo")], [words("Hello")]),
        ([chunk("Hel"), chunk("lo"), chunk(" you")], [words("Hello you")]),
        ([chunk("a"), chunk(DATA), chunk("b")], [words("a"), DATA, words("b")]),
        ([chunk("a"), chunk("b", DATA), chunk("c")], [words("ab"), DATA, words("c")]),
        ([chunk("a"), chunk("b", "c"), chunk("d")], [words("ab"), words("cd")]),
        ([chunk("a", "b"), chunk("c")], [words("a"), words("bc")]),
        ([chunk(DATA), chunk(DATA, FILE)], [DATA, DATA, FILE]),
        ([chunk(), chunk("a"), chunk(), chunk("b")], [words("ab")]),
        ([chunk(""), chunk("")], [words("")]),
        ([chunk({"type": "chart", "text": "a"}), chunk("b")], [{"type": "chart", "text": "a"}, words("b")]),
    ],
)
def test_chunks_become_one_artifact(chunks: list[Json], parts: list[Json]) -> None:
    """Parts are put behind parts; a text that comes first in a chunk goes on with the text that came last."""
    assert grown(*chunks).to_json() == {"parts": parts}


def test_what_a_later_chunk_says_of_the_artifact_wins() -> None:
    """Name, description, metadata and members nobody has listed are those said last; null says nothing."""
    first = chunk(
        "a", name="draft", description="A draft", metadata={"a": 1, "b": 2}, index=3, lastChunk=False
    )
    second = chunk("b", name="answer", description=None, metadata={"a": 2}, lastChunk=True, mood="fair")
    assert grown(first, second).to_json() == {
        "name": "answer",
        "description": "A draft",
        "metadata": {"a": 2},
        "index": 3,
        "mood": "fair",
        "parts": [words("ab")],
    }


def test_what_a_later_chunk_says_of_a_text_wins() -> None:
    """A text that goes on has the members said last; null says nothing, and is kept only where the text begins."""
    pieces = [words("a", metadata={"x": 1}), words("b", metadata=None, lang="en"), words("c", lang="de")]
    text = words("abc", metadata={"x": 1}, lang="de")
    assert grown(*map(chunk, pieces)).to_json()["parts"] == [text]
    null = words("a", metadata=None)
    assert grown(chunk(null)).to_json()["parts"] == [null]
    assert grown(chunk(null), chunk(null)).to_json()["parts"] == [words("aa", metadata=None)]


def test_the_chunk_is_left_as_it_came() -> None:
    """What is put together of chunks shares nothing that is changed with them."""
    chunks = [chunk("a", DATA), chunk("b"), chunk("c", name="other")]
    untouched = copy.deepcopy(chunks)
    grown(*chunks).to_json()["parts"].append(DATA)
    assert chunks == untouched


def test_half_a_character_in_each_chunk() -> None:
    """A character whose halves come in two chunks, as JSON can have it, is shown when both are there.

    Until then the first half waits; without the second one it is U+FFFD.
    """
    first, second = "a\ud83d", "\ude00b"
    artifact = grown(chunk(first))
    before = artifact.take_snapshot()
    assert artifact.to_json()["parts"] == [words("a\ufffd")]
    assert artifact.extend(WireArtifact.from_dict(chunk(second))) == "\U0001f600b"
    assert (artifact.get_text(), artifact.to_json()["parts"]) == ("a\U0001f600b", [words("a\U0001f600b")])
    assert (before["parts"], before["content"]) == ([words("a")], "a")
    assert grown(chunk(first)).is_prefix_of(grown(chunk("a\U0001f600b")))


halves = st.text(st.sampled_from("ab\n\xfc\ud83d\ude00\U0001f600"), max_size=3)


@given(st.lists(halves | st.text(st.characters(exclude_categories=[]), max_size=3), max_size=12))
def test_a_text_is_what_came_of_it(pieces: list[str]) -> None:
    """After any piece the text is all pieces so far with their halves joined, and what was read before stays as it was.

    The pieces that are shown, one behind the other, are the text. All of it can be encoded.
    """
    text, plain, deltas = begun(chunk("", append=None)), "", ""
    kept: list[tuple[str, str]] = []
    for position, piece in enumerate(pieces):
        deltas += text.extend(WireArtifact.from_dict(chunk(piece)))
        plain = joined(plain + piece)
        so_far = shown_so_far({"parts": [words(plain)]})["parts"][0]["text"]
        assert text.get_text() == text.take_snapshot()["content"] == deltas == so_far
        assert text.to_json()["parts"] == [words(mended(plain))]
        text.to_json()["parts"][0]["text"].encode()
        if position % 3 == 0:
            kept.append((text.get_text(), "".join(list(so_far))))
    assert all(was == shown for was, shown in kept)


@given(halves, halves)
def test_the_rest_of_a_text(start: str, rest: str) -> None:
    """An artifact begins what its text becomes, and what is said of it in one piece; the rest of the text is what is new."""
    one, whole = begun(chunk(start, append=None)), begun(chunk(start, append=None))
    before = whole.get_text()
    assert before + whole.extend(WireArtifact.from_dict(chunk(rest))) == whole.get_text()
    assert one.is_prefix_of(whole)
    assert begun(one.to_json()).is_prefix_of(one)
    assert one.is_prefix_of(begun(one.to_json()))


@pytest.mark.slow
@pytest.mark.skipif(sys.gettrace() is not None, reason="coverage holds the text, so that Python copies it")
def test_a_long_text_is_not_copied_for_every_piece() -> None:
    """A reader who has each text until the next one is there costs far less than a copy of the text each."""

    def measure(append: Callable[[str], str]) -> float:
        for _ in range(3):  # the two texts that take turns are made, each a copy
            seen = append("word ")
        start = time.thread_time()
        for _ in range(100):
            seen = append("word ")
        assert seen.endswith("word word ")
        return time.thread_time() - start

    text, copied = GrowingText(), ["x" * 2_000_000]
    text.append(copied[0])

    def grow(piece: str) -> str:
        text.append(piece)
        return text.value

    def join(piece: str) -> str:
        copied[0] = f"{copied[0]}{piece}"
        return copied[0]

    # The best of three: a machine that is busy takes longer for either.
    assert min(measure(grow) for _ in range(3)) * 3 < min(measure(join) for _ in range(3))
    assert text.value == copied[0]


def test_the_words_of_an_artifact() -> None:
    """The words are its texts with a line break between them, whatever stands in between."""
    assert grown(chunk("a", DATA, "b"), chunk("c"), chunk(FILE)).get_text() == "a\nbc"
    assert grown(chunk(DATA)).get_text() == ""


def test_a_snapshot_shows_what_was_then() -> None:
    """However an artifact grows afterwards, by words, parts, or under another name, a snapshot shows it as it was."""
    artifact = grown(chunk("a", name="draft"))
    snapshots = [artifact.take_snapshot()]
    for more in (
        chunk("b"),
        chunk(words("c", metadata=None)),
        chunk("d", name="answer"),
        chunk(DATA),
        chunk("e"),
        chunk(words("f", metadata={"x": 1})),
    ):
        artifact.extend(WireArtifact.from_dict(more))
        snapshots.append(artifact.take_snapshot())
    assert [(one["name"], one["content"], one["parts"]) for one in snapshots] == [
        ("draft", "a", [words("a")]),
        ("draft", "ab", [words("ab")]),
        ("draft", "abc", [words("abc")]),
        ("answer", "abcd", [words("abcd")]),
        ("answer", "abcd", [words("abcd"), DATA]),
        ("answer", "abcd\ne", [words("abcd"), DATA, words("e")]),
        ("answer", "abcd\nef", [words("abcd"), DATA, words("ef", metadata={"x": 1})]),
    ]


# Chunks as the protocol has them, of few words and names so that they often meet.
texts = st.sampled_from(["", "a", "b", "ab", "ü", "\ud83d", "\ude00", "\n"])
notes = st.sampled_from([None, {"x": 1}, {"y": 2}])
text_parts = st.fixed_dictionaries({"type": st.just("text"), "text": texts}, optional={"metadata": notes})
other_parts = st.sampled_from([DATA, FILE, {"type": "chart"}, {"type": "chart", "text": "a"}])
chunks = st.fixed_dictionaries(
    {"parts": st.lists(text_parts | other_parts, max_size=3) | text_parts.map(lambda part: [part])},
    optional={
        "name": st.sampled_from([None, "draft", "answer"]),
        "description": st.sampled_from([None, "An answer"]),
        "metadata": notes,
        "index": st.sampled_from([None, 0]),
        "append": st.booleans() | st.none(),
        "lastChunk": st.booleans() | st.none(),
        "x-mood": st.sampled_from(["fair", "foul"]),
    },
)


def joined(text: str) -> str:
    """The text with every character whole of which there are both halves."""
    return json.loads(json.dumps(text))  # type: ignore[no-any-return] # a text it is


def mended(text: str) -> str:
    """The text with U+FFFD in the place of each half of a character."""
    return re.sub("[\ud800-\udfff]", "\ufffd", text)


def shown_so_far(artifact: Json, *, is_whole: bool = False) -> Json:
    """The artifact as readers are shown it: half of a character at its end waits, unless nothing more can come."""
    shown: Json = copy.deepcopy(artifact)
    for part in shown["parts"]:
        if part["type"] == "text":
            is_last = part is shown["parts"][-1] and not is_whole
            part["text"] = mended(re.sub(r"[\ud800-\udbff]\Z", "", part["text"]) if is_last else part["text"])
    return shown


def put_together(artifact: Json | None, chunk: Json) -> Json:
    """What becomes of an artifact by a chunk, said as simply as can be: everything is copied."""
    said: Json = json.loads(json.dumps(chunk))
    head = {key: value for key, value in said.items() if key not in {"parts", "append", "lastChunk"}}
    made: Json = copy.deepcopy(artifact) if artifact is not None else {"parts": []}
    made.update({key: value for key, value in head.items() if value is not None})
    parts: list[Json] = made["parts"]
    for position, part in enumerate(said["parts"]):
        if position == 0 and parts and parts[-1].get("type") == part.get("type") == "text":
            text = joined(parts[-1]["text"] + part["text"])
            parts[-1].update({key: value for key, value in part.items() if value is not None}, text=text)
        else:
            parts.append(part)
    if said.get("lastChunk") is True and parts and parts[-1]["type"] == "text":
        parts[-1]["text"] = mended(parts[-1]["text"])  # nothing comes that it could be half of
    return made


@pytest.mark.slow
@given(st.lists(chunks, min_size=1, max_size=8))
def test_every_snapshot_of_any_artifact(reported: list[Json]) -> None:
    """After any chunks, every snapshot is the artifact as it would be formatted in one piece at that moment."""
    artifact = begun(reported[0])
    plain = put_together(None, reported[0])
    snapshots: list[tuple[Json, Json]] = []
    for number, one in enumerate(reported):
        if number:
            before = artifact.get_text()
            delta = artifact.extend(WireArtifact.from_dict(copy.deepcopy(one)))
            plain = put_together(plain, one)
            assert before + delta == artifact.get_text()
        snapshots.append((artifact.take_snapshot(), shown_so_far(plain)))
    for shown, whole in snapshots:
        assert shown == format_artifact(WireArtifact.from_dict(whole), None, "artifact", [])
        assert all(type(member) in {str, list, dict, type(None)} for member in shown.values())
    assert artifact.to_json() == shown_so_far(plain, is_whole=True)


def encoded(text: str) -> bytes:
    return text.encode("utf-16-le", "surrogatepass")


def may_become(one: Json, other: Json) -> bool:
    """Whether more chunks can make the second artifact's parts of the first one's."""
    mine, others = one["parts"], other["parts"]
    if not mine or mine[-1].get("type") != "text":
        return bool(mine == others[: len(mine)])
    *complete, last = mine
    if complete != others[: len(complete)] or len(others) <= len(complete):
        return False
    there = others[len(complete)]
    return bool(there.get("type") == "text" and encoded(there["text"]).startswith(encoded(last["text"])))


BEGINNINGS = [
    chunk("a", append=None),
    chunk("b"),
    chunk(DATA),
    chunk("c", "d", name="answer"),
    chunk(),
    chunk(FILE),
]


def test_half_of_a_character_is_a_part_of_what_came() -> None:
    """A text that ends with half of one has more than the same without it, and less than with the whole; or it is U+FFFD."""
    smile, high = "\U0001f600", "\ud83d"
    begins = {
        ("a", f"a{high}"): True,
        (f"a{high}", "a"): False,
        (f"a{high}", f"a{high}"): True,
        (f"a{high}", f"a{smile}"): True,
        (f"a{high}", "a\ufffd"): True,
        (f"a{high}", "ab"): False,
        ("a\ufffd", f"a{high}"): True,
        ("a\ufffd", f"a{smile}"): False,
    }
    found = {pair: begun(chunk(pair[0])).is_prefix_of(begun(chunk(pair[1]))) for pair in begins}
    assert found == begins


@given(st.lists(chunks, min_size=1, max_size=5), st.lists(chunks, min_size=1, max_size=5))
@example(BEGINNINGS[:2], BEGINNINGS)
@example(BEGINNINGS[:3], BEGINNINGS)
@example(BEGINNINGS[:4], BEGINNINGS)
@example([chunk("a"), chunk(DATA)], [chunk("a"), chunk(FILE)])
@example([chunk("ü")], [chunk("ü"), chunk("b")])
def test_what_one_artifact_may_become(some: list[Json], more: list[Json]) -> None:
    """An artifact begins another where the other's parts may come of its own, whatever both are called."""
    one, other = grown(*some), grown(*more)
    assert one.is_prefix_of(other) == may_become(one.to_json(), other.to_json())
    assert one.is_prefix_of(one)


@given(st.lists(chunks, min_size=1, max_size=6), st.data())
def test_an_artifact_begins_what_it_becomes(reported: list[Json], data: st.DataObject) -> None:
    """Told again from its start up to any chunk, an artifact is known to be the same, said in fewer chunks too."""
    count = data.draw(st.integers(1, len(reported)))
    plain = [{key: value for key, value in one.items() if key != "metadata"} for one in reported]
    for one in plain:
        one["parts"] = [{k: v for k, v in part.items() if k != "metadata"} for part in one["parts"]]
    whole = grown(*plain)
    so_far = grown(*plain[:count])
    assert so_far.is_prefix_of(whole)
    # What was cut in the middle of a character shows that as U+FFFD, which is replaced later.
    assert so_far.has_half or begun(so_far.to_json()).is_prefix_of(whole)
    assert begun(whole.to_json()).is_prefix_of(whole)
    assert whole.is_prefix_of(begun(whole.to_json()))
