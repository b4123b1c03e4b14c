from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from payman_sdk._core.artifact_buffer import (
    ArtifactBuffer,
    Snapshot,
    decode_utf16,
    encode_utf16,
    take_snapshot,
)
from payman_sdk._core.task_response import Json

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


def grown(*chunks: Json) -> ArtifactBuffer:
    first, *others = chunks
    artifact = ArtifactBuffer.from_chunk(first)
    for one in others:
        artifact = artifact.extend(one)
    return artifact


@pytest.mark.parametrize(
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
        ([chunk({"data": 1}), chunk({"data": 2})], [{"data": 1}, {"data": 2}]),
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


def test_a_text_that_only_goes_on_is_not_copied() -> None:
    """The usual chunk extends the artifact itself, so that a long text is not copied for every word."""
    artifact = grown(chunk("a", name="answer"))
    for more in (chunk("b"), chunk("c", name="answer", lastChunk=False), chunk(words("d", metadata=None))):
        assert artifact.extend(more) is artifact
    noted = grown(chunk(words("a", metadata={"x": 1})))
    assert noted.extend(chunk(words("b", metadata=None))) is noted
    assert artifact.extend(chunk("e", name="other")).tail is artifact.tail
    assert decode_utf16(artifact.tail) == "abcde"


def test_the_chunk_is_left_as_it_came() -> None:
    """What is put together of chunks shares nothing that is changed with them."""
    chunks = [chunk("a", DATA), chunk("b"), chunk("c", name="other")]
    untouched = copy.deepcopy(chunks)
    grown(*chunks).to_json()["parts"].append(DATA)
    assert chunks == untouched


def test_half_a_character_in_each_chunk() -> None:
    """A character whose halves come in two chunks, as JSON can have it, is one when both are there, and half before."""
    first, second = "a\ud83d", "\ude00b"
    artifact = grown(chunk(first))
    moment = take_snapshot(0, artifact, None)
    artifact = artifact.extend(chunk(second))
    assert (artifact.get_text(), artifact.to_json()["parts"]) == ("a\U0001f600b", [words("a\U0001f600b")])
    assert [one["parts"] for one in moment.to_json()] == [[words(first)]]
    assert grown(chunk(first)).is_prefix_of(grown(chunk("a\U0001f600b")))


@given(st.text(st.characters(exclude_categories=[])), st.text(st.characters(exclude_categories=[])))
def test_every_text_survives(one: str, other: str) -> None:
    """Whatever text JSON can hold comes back, and two texts one behind the other are the text of both."""
    assert decode_utf16(encode_utf16(one)) == joined(one)
    assert (
        encode_utf16(one) + encode_utf16(other)
        == encode_utf16(one + other)
        == encode_utf16(joined(one + other))
    )


def test_the_words_of_an_artifact() -> None:
    """The words are its texts with a line break between them, whatever stands in between."""
    assert grown(chunk("a", DATA, "b"), chunk("c"), chunk(FILE)).get_text() == "a\nbc"
    assert grown(chunk(DATA)).get_text() == ""


def test_a_moment_shows_what_was_then() -> None:
    """However an artifact grows afterwards, by words, parts, or under another name, a moment shows it as it was."""
    artifact = grown(chunk("a", name="draft"))
    moments = [take_snapshot(0, artifact, None)]
    for more in (
        chunk("b"),
        chunk(words("c", metadata=None)),
        chunk("d", name="answer"),
        chunk(DATA),
        chunk("e"),
        chunk(words("f", metadata={"x": 1})),
    ):
        artifact = artifact.extend(more)
        moments.append(take_snapshot(0, artifact, moments[-1]))
    moments.append(take_snapshot(0, grown(chunk("new", append=None)), moments[-1]))
    assert [moment.to_json() for moment in moments] == [
        [{"name": "draft", "parts": [words("a")]}],
        [{"name": "draft", "parts": [words("ab")]}],
        [{"name": "draft", "parts": [words("abc")]}],
        [{"name": "answer", "parts": [words("abcd")]}],
        [{"name": "answer", "parts": [words("abcd"), DATA]}],
        [{"name": "answer", "parts": [words("abcd"), DATA, words("e")]}],
        [{"name": "answer", "parts": [words("abcd"), DATA, words("ef", metadata={"x": 1})]}],
        [{"parts": [words("new")]}],
    ]


def test_the_artifact_that_changed_last_comes_last() -> None:
    """A moment has every artifact once, in the order in which they changed last."""
    moment: Snapshot | None = None
    order: list[list[int]] = []
    for number in (2, 0, 1, 1, 0, 2, 2, 0):
        moment = take_snapshot(number, grown(chunk(str(number), append=None)), moment)
        order.append([int(artifact["parts"][0]["text"]) for artifact in moment.to_json()])
    assert order == [[2], [2, 0], [2, 0, 1], [2, 0, 1], [2, 1, 0], [1, 0, 2], [1, 0, 2], [1, 2, 0]]


# Chunks as the protocol has them, of few words and names so that they often meet.
texts = st.sampled_from(["", "a", "b", "ab", "ü", "\ud83d", "\ude00", "\n"])
notes = st.sampled_from([None, {"x": 1}, {"y": 2}])
text_parts = st.fixed_dictionaries({"type": st.just("text"), "text": texts}, optional={"metadata": notes})
other_parts = st.sampled_from(
    [DATA, FILE, {"type": "chart"}, {"type": "chart", "text": "a"}, {"kind": "text"}]
)
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
    return made


@given(st.lists(st.tuples(st.integers(0, 2), chunks), max_size=12))
def test_every_moment_of_any_artifacts(told: list[tuple[int, Json]]) -> None:
    """After any chunks of some artifacts, begun, extended and replaced in any order, every moment still shows what was."""
    artifacts: dict[int, ArtifactBuffer] = {}
    plain: dict[int, Json] = {}
    moments: list[tuple[Snapshot, list[Json]]] = []
    newest: Snapshot | None = None
    for number, one in told:
        before = artifacts.get(number) if one.get("append") else None
        artifacts[number] = ArtifactBuffer.from_chunk(one) if before is None else before.extend(one)
        newest = take_snapshot(number, artifacts[number], newest)
        together = put_together(plain.pop(number, None) if one.get("append") else None, one)
        plain.pop(number, None)
        plain[number] = together  # the newest last
        moments.append((newest, copy.deepcopy(list(plain.values()))))
    for moment, shown in moments:
        assert moment.to_json() == shown
    for number, artifact in artifacts.items():
        assert artifact.to_json() == plain[number]
        assert artifact.get_text() == "\n".join(
            part["text"] for part in plain[number]["parts"] if part.get("type") == "text"
        )


def may_become(one: Json, other: Json) -> bool:
    """Whether more chunks can make the second artifact's parts of the first one's."""
    mine, others = one["parts"], other["parts"]
    if not mine or mine[-1].get("type") != "text":
        return bool(mine == others[: len(mine)])
    *complete, last = mine
    if complete != others[: len(complete)] or len(others) <= len(complete):
        return False
    there = others[len(complete)]
    return bool(
        there.get("type") == "text" and encode_utf16(there["text"]).startswith(encode_utf16(last["text"]))
    )


BEGINNINGS = [
    chunk("a", append=None),
    chunk("b"),
    chunk(DATA),
    chunk("c", "d", name="answer"),
    chunk(),
    chunk(FILE),
]


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
def test_an_artifact_begins_what_it_becomes(told: list[Json], data: st.DataObject) -> None:
    """Told again from its start up to any chunk, an artifact is known to be the same, said in fewer chunks too."""
    count = data.draw(st.integers(1, len(told)))
    plain = [{key: value for key, value in one.items() if key != "metadata"} for one in told]
    for one in plain:
        one["parts"] = [{k: v for k, v in part.items() if k != "metadata"} for part in one["parts"]]
    whole = grown(*plain)
    assert grown(*plain[:count]).is_prefix_of(whole)
    assert ArtifactBuffer.from_chunk(grown(*plain[:count]).to_json()).is_prefix_of(whole)
    assert ArtifactBuffer.from_chunk(whole.to_json()).is_prefix_of(whole)
    assert whole.is_prefix_of(ArtifactBuffer.from_chunk(whole.to_json()))
