from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payman_sdk._attrdict import Key, Record
from tests.tables import table


class Note(Record):
    """A record with two attributes, one of which need not be there."""

    __slots__ = ()

    text = Key[str]()
    written_by = Key[str]()


def by_pickle(record: Any) -> Any:
    return pickle.loads(pickle.dumps(record))  # noqa: S301 - what it wrote itself


def test_a_record_reads_like_an_object() -> None:
    """A key is an attribute, and the class has the key as its own; what is not there is missed as an attribute is."""
    note = Note(text="Hello")
    assert (note.text, Note.text.__class__) == ("Hello", Key)
    with pytest.raises(AttributeError, match="written_by"):
        note.written_by  # noqa: B018 - reading it is what is tested
    assert not hasattr(note, "written_by")
    assert getattr(note, "written_by", "nobody") == "nobody"
    with pytest.raises(AttributeError):
        note.anything = 1  # type: ignore[attr-defined] # that is what is tested


@table("key", ["textIdd", "text_idd", "zzz", "aB", "ABC", "aBCdE", "", 5, None, ("a",)])
def test_a_key_that_is_not_there_is_a_key_error(key: Any) -> None:
    """What is not there in either spelling is missed at once, as in any dict."""
    record = Record(text_id=1, text=2)
    with pytest.raises(KeyError):
        record[key]
    assert key not in record
    assert record.get(key) is None
    assert record.get(key, 7) == 7


def test_a_key_that_no_dict_takes_is_a_type_error() -> None:
    """A list is no key, neither of a dict nor of a record."""
    unhashable: Any = []
    record = Record(a=1)
    for look_up in (record.__getitem__, record.__contains__, record.get):
        with pytest.raises(TypeError):
            look_up(unhashable)


def test_either_spelling_finds_a_key() -> None:
    """What is stored in snake_case is found in camelCase too, with digits before capitals as well."""
    record = Record(task_id="tsk-1", part2_text="b")
    assert (record["taskId"], record.get("taskId"), "taskId" in record) == ("tsk-1", "tsk-1", True)
    assert (record["part2Text"], "part2Text" in record) == ("b", True)
    assert list(record) == ["task_id", "part2_text"]


def test_a_key_of_ones_own_is_found_as_it_was_stored() -> None:
    """What a program notes in a record is there under the name that the program gave it."""
    record = Record(task_id="tsk-1")
    record["myNote"] = "paid"
    assert (record["myNote"], record.get("myNote"), "myNote" in record) == ("paid", "paid", True)
    assert "my_note" not in record


@given(st.dictionaries(st.text(max_size=4), st.integers()), st.text(max_size=6))
def test_in_and_subscript_agree(stored: dict[str, int], key: str) -> None:
    """Whatever is stored and looked for, `in` says whether a look-up finds it, and `get` finds the same."""
    record = Record(stored)
    try:
        found: int | None = record[key]
    except KeyError:
        found = None
    assert (key in record) == (found is not None)
    assert record.get(key) == found
    assert {name: record[name] for name in stored} == stored


def test_a_record_shows_its_name() -> None:
    """`repr` is that of the dict, with the name of the class around it."""
    assert repr(Note(text="Hello")) == "Note({'text': 'Hello'})"


@pytest.mark.parametrize("copied", [Record.copy, copy.copy, copy.deepcopy, by_pickle])
def test_a_copy_is_a_record_of_its_own(copied: Callable[[Any], Any]) -> None:
    """A copy has the class and all members of the record, and changing it does not change the record."""
    record = Note(text="Hello")
    again = copied(record)
    assert (type(again), again, again.text) == (type(record), record, "Hello")
    again["text"] = "Bye"
    assert record["text"] == "Hello"
