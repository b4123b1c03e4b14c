from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from payman_sdk._core.json_answer import NoObjectError, find_object


def found_in(*parts: str | dict[str, Any], message: str | None = None) -> dict[str, Any]:
    """The object in an answer of one artifact with these parts."""
    shapes = [
        {"type": "text", "text": part} if isinstance(part, str) else {"type": "data", "data": part}
        for part in parts
    ]
    return find_object({"status_message": message}, [{"parts": shapes}]).value


FOUND: tuple[tuple[tuple[str | dict[str, Any], ...], dict[str, Any]], ...] = (
    (('{"a": 1}',), {"a": 1}),
    (({"a": 1},), {"a": 1}),
    (({"a": 1}, '{"a": 1}'), {"a": 1}),
    (({"a": 10.5}, '{"a": 10.50}'), {"a": Decimal("10.50")}),
    (('Sure!\n```json\n{"a": {"b": [1, {"c": 2}]}}\n```\nBye.',), {"a": {"b": [1, {"c": 2}]}}),
    (('[{"a": 1}]',), {"a": 1}),
    (('{"a": "} { \\" {"}',), {"a": '} { " {'}),
    (('{"a": 1} and again: {"a": 1}',), {"a": 1}),
    (('\ufeff{"a": 1.10}',), {"a": Decimal("1.10")}),
    (("Done.", "", {"a": None}), {"a": None}),
)

NOT_FOUND: tuple[tuple[str | dict[str, Any], ...], ...] = (
    (),
    ("",),
    ("Sent 10 TSD to Test Payee.",),
    ('"a"', "[1, 2]", "null"),
    ('{"a": 1} {"a": 2}',),
    ({"a": 1}, '{"a": 2}'),
    ({"a": 1}, {"a": 2}),
    ('{"a": 1}', "{}"),
    ('{"a": 1',),
    ('{"a": {"b": 1}',),
    ('{"a": "b',),
    ('{"a": 1, "a": 2}',),
    ('{"a": {"b": 1, "b": 1}}',),
    ('{"a": NaN}',),
    ('{"a": -Infinity}',),
    ("{'a': 1}",),
    ('{"a": 1,}',),
    ("{a: 1}",),
    ('{"a": 01}',),
    ('{"a": 1} // {',),
    ("{}} {{}",),
    ('{"a": "\n"}',),
    ('{"a": 1e99999999999999999999}', "{}"),
    ('{"a":' * 100_000,),
    ('{"a":' * 900 + "1" + "}" * 900,),
    ('{"a": ' + "1" * 5000 + "}",),
    ("{" * 1_000_001,),
)


def test_exactly_one_object_is_found_wherever_it_is() -> None:
    """In a data part, in text, in a fence amid chatter; the same object twice is one."""
    for parts, expected in FOUND:
        assert found_in(*parts) == expected, parts
    assert found_in("Done.", message='{"a": 1}') == {"a": 1}
    assert type(found_in('{"a": 1.10}')["a"]) is Decimal


def test_everything_else_is_not_an_object() -> None:
    """None, several, truncated, with a member twice, too deep, too long: nothing is guessed."""
    for parts in NOT_FOUND:
        with pytest.raises(NoObjectError) as refused:
            found_in(*parts)
        assert len(str(refused.value)) < 250, str(parts)[:80]
    with pytest.raises(NoObjectError):
        found_in('{"a": 1}', message='{"a": 2}')


STATED = {"type": "text", "text": '{"status": "refused"}'}
UNKNOWN_PARTS: tuple[dict[str, Any], ...] = (
    {"type": "data", "data": [{"status": "paid"}]},
    {"type": "data", "data": '{"status": "paid"}'},
    {"type": "data", "text": "Done.", "data": {"status": "paid"}},
    {"type": "text", "text": "Done.", "data": [{"status": "paid"}]},
    {"type": "json", "json": {"status": "paid"}},
    {"type": "unheard-of", "within": {"deeper": [{"status": "paid"}]}},
    {"kind": "data", "content": '{"status": "paid"}'},
    {"type": "text", "text": {"status": "paid"}},
)


def test_an_object_in_a_part_of_no_known_kind_is_a_second_one() -> None:
    """Somebody may read it as the answer; where nothing depends on it, it is left out."""
    for part in UNKNOWN_PARTS:
        for parts in ([STATED, part], [part, STATED]):
            with pytest.raises(NoObjectError):
                find_object({}, [{"parts": parts}])
        if part.get("data") != {"status": "paid"}:
            assert find_object({}, [{"parts": [STATED, part]}], skips_unknown=True).value == {
                "status": "refused"
            }
    harmless = [
        {"type": "data", "data": [1, 2]},
        {"type": "file", "file": {"uri": "a:b"}, "metadata": {"page": {"number": 1}}},
        {"type": "note", "note": "paid"},
        {"type": "text", "text": "See there.", "annotations": [{"url": "a:b"}]},
    ]
    assert find_object({}, [{"parts": [*harmless, STATED]}]).value == {"status": "refused"}


@pytest.mark.parametrize(
    "artifacts", [[{}], [{"parts": None}], [{"parts": "text"}], [{"parts": [5, None, []]}]]
)
def test_odd_artifacts_hold_no_object(artifacts: list[dict[str, Any]]) -> None:
    with pytest.raises(NoObjectError, match="holds no JSON object"):
        find_object({}, artifacts)
