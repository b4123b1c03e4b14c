from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from payman_sdk._core import sse

fast = sse.parse_json
plain = sse.parse_json_slow

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
documents = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8
)


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same JSON, types and order of members included."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float):
        return (math.isnan(one) and math.isnan(other)) or (
            one == other and math.copysign(1, one) == math.copysign(1, other)
        )
    return bool(one == other)


def test_msgspec_is_used_where_it_is_installed() -> None:
    """With the extra, the decoder is not Python's own; without it, it is."""
    assert fast is not plain
    assert sse._build_fast_parser() is not None


def test_without_msgspec_python_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where msgspec cannot be imported, nothing is missed."""
    monkeypatch.setitem(__import__("sys").modules, "msgspec", None)
    assert sse._build_fast_parser() is None


@given(documents, st.booleans(), st.sampled_from([None, 1]))
@example(10**30, True, None)
@example(-(2**63) - 1, True, None)
@example(float("inf"), True, None)
@example("\ud83d", True, None)
@example("\ud83d", False, None)
@example(-0.0, True, None)
def test_both_decoders_read_the_same(document: Any, ascii_only: bool, indent: int | None) -> None:
    """Whatever Python writes as JSON, both read alike: huge numbers, infinities and half characters included."""
    text = json.dumps(document, ensure_ascii=ascii_only, indent=indent)
    assert same(fast(text), plain(text))


@given(st.text(st.sampled_from('{}[]":,0123456789.eE+-truefalsn\\u d8\t\n'), max_size=12))
@example("\ufeff1")
@example("1e400")
@example('{"a":1,"a":2}')
@example("[1]]")
@example("\t1")
@example(" {}")
@example("")
def test_both_decoders_refuse_the_same(text: str) -> None:
    """What looks like JSON is read alike by both, or refused by both."""

    def outcome(read: Any) -> tuple[bool, Any]:
        try:
            return True, read(text)
        except ValueError:
            return False, None

    (is_read, one), (is_read_too, other) = outcome(fast), outcome(plain)
    assert is_read == is_read_too
    assert same(one, other)


def test_what_goes_too_deep_is_refused_by_both() -> None:
    """A document that nests without end is an error, not a crash."""
    for read in (fast, plain):
        with pytest.raises(RecursionError):
            read("[" * 100_000)
