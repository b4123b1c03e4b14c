"""Places in an API document, and how a change there is rated and reported."""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, Self

from scripts.comparison.changes import ADDITIVE, BREAKING, COSMETIC, Change, Kind, Level, Subject
from scripts.comparison.contract import Contract, Direction, Node
from scripts.regeneration.schema_parts import WORDS as WORDS_OF_SCHEMAS

WORDS = WORDS_OF_SCHEMAS | {"summary", "tags", "links"}
"""Keys that change nothing for a program."""


_ONLY_NAMES = " in `payman_api`; nothing changes on the wire"


class Pair(NamedTuple):
    """Two API documents that are compared.

    Args:
        old: The document as it was.
        new: The document as it is.
        renamed: The schemas that only have another name, by their old name.
    """

    old: Contract
    new: Contract
    renamed: dict[str, str]


class Place(NamedTuple):
    """Where two documents are compared.

    Args:
        subject: What it belongs to.
        where: The place, for reading.
        root: The place that it lies in, for reading: an operation or a schema.
        base: What it is in a sentence: the name of a schema, or words.
        steps: The way from there to a property.
        names: The names a change here concerns.
        directions: Who writes what is described here.
        operations: The operations that share it.
        is_parameter: Whether it is a parameter, which has a default for another purpose than a property has.
        is_open: Whether readers take values that are not listed.
        met: The schemas that are being compared on the way here, each with its other.
    """

    subject: Subject
    where: str
    root: str
    base: str
    steps: str = ""
    names: frozenset[str] = frozenset()
    directions: frozenset[Direction] = frozenset()
    operations: tuple[str, ...] = ()
    is_parameter: bool = False
    is_open: bool = False
    met: frozenset[tuple[str, str]] = frozenset()

    @property
    def thing(self) -> str:
        """What a sentence calls it."""
        if self.subject == "schema":
            return code(self.base + self.steps)
        return f"{code(self.steps.lstrip('.'))} in {self.base}" if self.steps else self.base

    @property
    def reading(self) -> str:
        """For whom a change counts, where the place alone does not say it."""
        if self.subject != "schema":
            return ""
        if not self.operations:
            return " (in no operation)"
        return f" (in {' and '.join(side.value for side in Direction if side in self.directions)})"

    def to_property(self, name: str, schema: Node) -> Self:
        """Go on to a property, without the direction in which it does not travel."""
        unsent = {Direction.REQUEST: "readOnly", Direction.RESPONSE: "writeOnly"}
        left = frozenset(side for side in self.directions if schema.get(unsent[side]) is not True)
        inner = self.to_inner(f"property {clean(name)}", f".{name}")
        return inner._replace(names=self.names | {name}, directions=left or self.directions)

    def to_part(self, words: str, base: str, *names: str, **given: Any) -> Self:
        """Go on to a part of an operation, such as an answer."""
        where, base = f"{self.where}, {words}", f"{base} {self.base}"
        return self._replace(where=where, base=base, names=self.names.union(names), **given)

    def to_inner(self, words: str, sign: str) -> Self:
        """Go on to what an array or a mapping holds."""
        return self._replace(where=f"{self.where}, {words}", steps=self.steps + sign, is_open=False)

    def change(
        self,
        kind: Kind,
        says: str,
        *,
        request: Level = BREAKING,
        response: Level | None = None,
        names: Iterable[str] = (),
        is_on_wire: bool = True,
        literals: Iterable[object] = (),
    ) -> Change:
        """Judge and tell a change; in both directions, the worse level counts.

        Args:
            kind: What happened.
            says: The sentence after the thing itself.
            request: The level where clients write it; breaking, where nothing says that it is not.
            response: The level where servers write it; the same, if it is not given.
            names: Further names it concerns.
            is_on_wire: Whether requests or answers change; else it is only a name in the generated client.
            literals: Values that are out of date; texts are kept.
        """
        levels = {Direction.REQUEST: request, Direction.RESPONSE: response or request}
        said = f"{self.thing} {says}{self.reading if is_on_wire else _ONLY_NAMES}"
        level = max(levels[side] for side in self.directions or Direction)
        text, concerned = f"{said[:1].upper()}{said[1:]}.", self.names.union(names)
        quoted = frozenset(it for it in literals if isinstance(it, str))
        return Change(level, kind, self.subject, self.where, text, concerned, self.operations, quoted)

    def reworded(self, what: str) -> Change:
        """Return the change that something has other words; `in_words` joins all that an operation or a schema has."""
        return Change(COSMETIC, "reworded", self.subject, self.root, what, self.names)

    def tightened(self, is_tighter: bool, says: str) -> Change:
        """Return the change that less is allowed than before, or more: who has to obey is hurt by the one, who reads by the other."""
        return self.compared(is_tighter, not is_tighter, says)

    def compared(self, is_tighter: bool, is_wider: bool, says: str) -> Change:
        """Return the change that less is allowed, or more, or something else."""
        request = ADDITIVE if is_wider and not is_tighter else BREAKING
        return self.change("changed", says, request=request, response=ADDITIVE if is_tighter else BREAKING)

    def came_or_went(self, is_new: bool, *, gone: Level = BREAKING) -> Change:
        """Return the change that something was added, which hurts nobody, or removed."""
        kind: Kind = "added" if is_new else "removed"
        return self.change(kind, f"was {kind}", request=ADDITIVE if is_new else gone)

    def added(self, must: bool, response: Level | None = None) -> Change:
        """Return the change that something was added which has to be there, or need not."""
        says, level = f"was added and is {'required' if must else 'optional'}", BREAKING if must else ADDITIVE
        return self.change("added", says, request=level, response=response)

    def required(self, did: bool, must: bool) -> Iterator[Change]:
        """Yield the change that it has to be there now, or need not; nothing where it is as before."""
        if did != must:
            yield self.tightened(must, f"is {'required' if must else 'optional'} now")


def clean(text: object) -> str:
    """Return text from outside in one line, without what would steer a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in re.sub(r"\s+", " ", str(text)))


def code(text: object) -> str:
    """Return a name or a value as code."""
    return "`" + clean(text).replace("`", "'") + "`"  # a backtick would end the code


def value(given: object) -> str:
    """Return a value of the document as code, cut where it is long."""
    text = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False, default=str)
    return code(text if len(text) <= 60 else f"{text[:59]}…")


def listed(values: Iterable[object], limit: int = 8, show: Callable[[object], str] = value) -> str:
    """Return values as code with commas, the first few of many."""
    every = list(values)
    rest = len(every) - limit
    return ", ".join(map(show, every[:limit])) + (f" and {rest} more" if rest > 0 else "")


def keyed(given: object) -> str:
    """Return a value as something to compare it by: in JSON, 1 and true are not the same, and keys are text without order."""
    return json.dumps(given, sort_keys=True, default=str)


def differ(old: object, new: object) -> bool:
    """Return whether two values are different JSON."""
    return old != new if isinstance(old, str) and isinstance(new, str) else keyed(old) != keyed(new)


def word_findings(place: Place, old: Node, new: Node, known: Iterable[str] = ()) -> Iterator[Change]:
    """Yield what changed of two nodes that no program notices: words, extensions, and keys that nobody knows.

    Args:
        place: Where they are.
        old: The node as it was.
        new: The node as it is.
        known: Keys that are compared elsewhere.
    """
    for key in sorted({*old, *new} - {*known}):
        before, after = old.get(key), new.get(key)
        if not differ(before, after) and (key in old) == (key in new):
            continue
        if key == "x-payman-evidence":
            now, was = ("none" if it is None else value(it) for it in (after, before))
            yield place.change("changed", f"has the evidence {now} now, had {was}", request=COSMETIC)
        else:
            yield place.reworded(f"{clean(key)} of {place.thing}")


def in_words(changes: Iterable[Change]) -> Iterator[Change]:
    """Make one change of all that was worded differently in an operation or a schema."""
    worded: defaultdict[tuple[Subject, str], list[Change]] = defaultdict(list)
    for change in changes:
        if change.kind == "reworded":
            worded[change.subject, change.where].append(change)
        else:
            yield change
    for (subject, root), words in worded.items():
        text = f"Written differently: {listed(dict.fromkeys(word.text for word in words), 6, str)}."
        names = frozenset[str]().union(*(word.names for word in words))
        yield Change(COSMETIC, "changed", subject, root, text, names)
