from __future__ import annotations

import copy
import json
import operator
import pickle
from collections.abc import Callable, Iterable
from typing import Any, Self, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payman_sdk._attrdict import Key, LazyRecord, Record


class Note(Record):
    """A record with two attributes, one of which need not be there."""

    __slots__ = ()

    text = Key[str]()
    written_by = Key[str]()


class Letter(LazyRecord):
    """A record that is opened when somebody looks into it, and notes how often that was."""

    __slots__ = ("opened", "sealed")

    opened: int
    sealed: dict[str, Any] | None

    text = Key[str]()
    sent_to = Key[str]()

    def complete(self) -> Self:
        sealed = getattr(self, "sealed", None)
        if sealed is not None:
            self.sealed, self.opened = None, self.opened + 1
            dict.update(self, sealed)
        return self


WHOLE = {"sent_to": "Zoë", "text": "Hello"}


def letter() -> Letter:
    made = Letter(sent_to="Zoë")
    made.sealed, made.opened = {"text": "Hello"}, 0
    return made


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


@pytest.mark.parametrize("make", [lambda: Record(text_id=1, text=2), lambda: Letter(text_id=1, text=2)])
@pytest.mark.parametrize("key", ["textIdd", "text_idd", "zzz", "aB", "ABC", "aBCdE", "", 5, None, ("a",)])
def test_a_key_that_is_not_there_is_a_key_error(make: Callable[[], Record], key: Any) -> None:
    """What is not there in either spelling is missed at once, as in any dict."""
    record = make()
    with pytest.raises(KeyError):
        record[key]
    assert key not in record
    assert record.get(key) is None
    assert record.get(key, 7) == 7


def test_a_key_that_no_dict_takes_is_a_type_error() -> None:
    """A list is no key, neither of a dict nor of a record."""
    unhashable: Any = []
    for record in (Record(a=1), letter()):
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
    for record in (Record(task_id="tsk-1"), letter()):
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
    assert repr(letter()) == "Letter({'sent_to': 'Zoë', 'text': 'Hello'})"


R = TypeVar("R", bound=Record)


def updated(record: R, *given: Any) -> R:
    record.update(*given, text="mine")
    return record


LOOKS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "subscript": (lambda it: it["text"], "Hello"),
    "attribute": (lambda it: it.text, "Hello"),
    "get": (lambda it: it.get("text"), "Hello"),
    "in": (lambda it: "text" in it, True),
    "not in": (lambda it: "zzz" in it, False),
    "len": (len, 2),
    "truth": (bool, True),
    "list": (list, ["sent_to", "text"]),
    "iteration": (lambda it: [key for key in it], ["sent_to", "text"]),  # noqa: C416 - that is what is tested
    "reversed": (lambda it: list(reversed(it)), ["text", "sent_to"]),
    "keys": (lambda it: list(it.keys()), ["sent_to", "text"]),
    "values": (lambda it: list(it.values()), ["Zoë", "Hello"]),
    "items": (lambda it: dict(it.items()), WHOLE),
    "dict": (dict, WHOLE),
    "update": (lambda it: updated(Record(a=1), it), {"a": 1, "sent_to": "Zoë", "text": "mine"}),
    "unpacked": (lambda it: {**it}, WHOLE),
    "as keywords": (lambda it: (lambda **given: given)(**it), WHOLE),
    "==": (lambda it: it == WHOLE, True),
    "== the other way": (lambda it: operator.eq(WHOLE, it), True),
    "== another that nobody looked at": (lambda it: it == letter(), True),
    "!= another that nobody looked at": (lambda it: it != letter(), False),
    "| another that nobody looked at": (lambda it: it | letter(), WHOLE),
    "!=": (lambda it: it != WHOLE, False),
    "!= the other way": (lambda it: operator.ne(WHOLE, it), False),
    "|": (lambda it: it | {"a": 1}, {**WHOLE, "a": 1}),
    "| the other way": (lambda it: {"a": 1} | it, {"a": 1, **WHOLE}),
    "json": (lambda it: json.loads(json.dumps(it)), WHOLE),
    "json with indent": (lambda it: json.loads(json.dumps({"it": it}, indent=1)), {"it": WHOLE}),
    "repr": (repr, "Letter({'sent_to': 'Zoë', 'text': 'Hello'})"),
    "copy": (lambda it: dict(it.copy()), WHOLE),
    "copy.copy": (lambda it: dict(copy.copy(it)), WHOLE),
    "copy.deepcopy": (lambda it: dict(copy.deepcopy(it)), WHOLE),
    "pickle": (lambda it: dict(by_pickle(it)), WHOLE),
    "setdefault": (lambda it: it.setdefault("text", "mine"), "Hello"),
    "pop": (lambda it: it.pop("text"), "Hello"),
    "popitem": (lambda it: it.popitem(), ("text", "Hello")),
}


@pytest.mark.parametrize("look", LOOKS)
def test_whoever_looks_sees_the_whole(look: str) -> None:
    """However one looks at a lazy record, it is as if all of it had been there from the beginning."""
    looked, seen = LOOKS[look]
    assert looked(letter()) == seen


def in_place(record: Letter) -> Letter:
    record |= {"a": 1, "text": "mine"}
    return record


def assigned(record: Letter) -> Letter:
    record["text"] = "mine"
    return record


def deleted(record: Letter) -> Letter:
    del record["text"]
    return record


def cleared(record: Letter) -> Letter:
    record.clear()
    return record


CHANGES: Iterable[tuple[Callable[[Letter], Letter], dict[str, Any]]] = [
    (in_place, {**WHOLE, "a": 1, "text": "mine"}),
    (assigned, {**WHOLE, "text": "mine"}),
    (deleted, {"sent_to": "Zoë"}),
    (updated, {**WHOLE, "text": "mine"}),
    (lambda record: updated(record, {"a": 1}), {**WHOLE, "a": 1, "text": "mine"}),
    (cleared, {}),
]


@pytest.mark.parametrize(("change", "left"), CHANGES)
def test_what_is_changed_stays_so(change: Callable[[Letter], Letter], left: dict[str, Any]) -> None:
    """What a program writes, replaces or takes out is not undone when the rest is made, before or after."""
    changed = change(letter())
    assert type(changed) is Letter
    assert (dict(changed), changed == left, len(changed)) == (left, True, len(left))
    assert dict(change(letter().complete())) == left


def test_nothing_is_made_before_it_is_wanted() -> None:
    """What is there already is read without making the rest, and the rest is made once."""
    record = letter()
    assert (record["sent_to"], record["sentTo"], record.sent_to, record.get("sentTo")) == ("Zoë",) * 4
    assert record.opened == 0
    assert (record.text, record.text, len(record), "zzz" in record) == ("Hello", "Hello", 2, False)
    assert record.opened == 1


@pytest.mark.parametrize("copied", [Record.copy, copy.copy, copy.deepcopy, by_pickle])
@pytest.mark.parametrize("make", [lambda: Note(text="Hello"), letter])
def test_a_copy_is_a_record_of_its_own(make: Callable[[], Record], copied: Callable[[Any], Any]) -> None:
    """A copy has the class and all members of the record, and changing it does not change the record."""
    record = make()
    again = copied(record)
    assert (type(again), again, again.text) == (type(record), record, "Hello")
    again["text"] = "Bye"
    assert record["text"] == "Hello"


def test_methods_keep_their_names() -> None:
    """The methods that make the rest first are called and described as those of a dict."""
    assert LazyRecord.keys.__name__ == "keys"
    assert LazyRecord.copy.__doc__ == Record.copy.__doc__
