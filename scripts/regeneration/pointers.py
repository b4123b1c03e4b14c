"""Places in an API document: JSON pointers, and what they lead to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import unquote

from scripts.regeneration import RegenerationError

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
"""Members of a path that are operations."""


_SAMPLES = ("example", "examples", "default", "const", "enum")


def join(pointer: str, *steps: object) -> str:
    """Return the pointer to what is inside a place."""
    return pointer + "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def split(pointer: str) -> list[str]:
    """Return the steps of a pointer."""
    return [step.replace("~1", "/").replace("~0", "~") for step in unquote(pointer).split("/")[1:]]


def refuse(construct: str, pointer: str) -> NoReturn:
    """Say that a client cannot be made of something, and where it is.

    Raises:
        RegenerationError: Always.
    """
    raise RegenerationError(f"{construct} (at #{pointer}). An overlay in spec/overlays/ can change it.")


def look_up(document: dict[str, Any], pointer: str) -> Any:
    """Return what is at a place.

    Raises:
        KeyError: Nothing is.
    """
    found: Any = document
    if pointer and not pointer.startswith("/"):  # an anchor, which is for `$anchor` to name
        raise KeyError(pointer)
    for step in split(pointer):
        try:
            found = found[int(step)] if isinstance(found, list) else found[step]
        except (ValueError, IndexError, TypeError) as error:
            raise KeyError(pointer) from error
    return found


@dataclass(frozen=True, eq=False)
class Node:
    """A value in a document, and the pointer to it."""

    document: dict[str, Any]
    value: Any
    place: str = ""

    def __contains__(self, step: object) -> bool:
        """Whether there is such a member."""
        return step in self.value

    def __getitem__(self, step: str | int) -> Node:
        """Return a member of an object, or an item of a list."""
        return Node(self.document, self.value[step], join(self.place, step))

    def __iter__(self) -> Iterator[Node]:
        """Return the items of a list."""
        return (self[number] for number in range(len(self.value)))

    def get(self, step: str, default: Any = None) -> Node:
        """Return a member of an object, or something in its place."""
        return Node(self.document, self.value.get(step, default), join(self.place, step))

    def entries(self) -> dict[str, Node]:
        """Return the members of an object by their names."""
        return {name: self[name] for name in self.value}

    def members(self) -> dict[str, Node]:
        """Return the members of an object that may have extensions, but for these."""
        return {name: self[name] for name in self.value if not name.startswith("x-")}

    def refuse(self, construct: str) -> NoReturn:
        """Say that a client cannot be made of something here.

        Raises:
            RegenerationError: Always.
        """
        refuse(construct, self.place)

    def resolve(self) -> Node:
        """Follow references, and give what they lead to.

        Raises:
            RegenerationError: They lead nowhere, or in a circle.
        """
        found, seen = self, list[str]()
        while isinstance(found.value, dict) and isinstance(found.value.get("$ref"), str):
            reference = found.value["$ref"]
            if reference in seen:
                found.refuse(f"$ref {reference} leads back to itself")
            seen.append(reference)
            target = reference.removeprefix("#")
            try:
                found = Node(self.document, look_up(self.document, target), target)
            except KeyError:
                found.refuse(f"$ref {reference} leads nowhere")
        return found

    def find(self, member: str) -> Node:
        """Follow references to something that has a certain member.

        Raises:
            RegenerationError: They lead to something else, nowhere, or in a circle.
        """
        found = self.resolve()
        if not isinstance(found.value, dict) or member not in found:
            self.refuse(f"Something with `{member}` has to be here, or be referred to")
        return found


def walk(value: Any, place: str = "") -> Iterator[tuple[dict[str, Any], str]]:
    """Yield every object of a document, and where it is, but what is an example, a default or an extension."""
    waiting = [(value, place)]
    while waiting:
        value, place = waiting.pop()
        if isinstance(value, dict):
            yield value, place
            # Of the names of schemas and members, none means anything.
            is_named = place.rpartition("/")[2] in ("properties", "schemas", "$defs")
            said = (key for key in value if is_named or not (key in _SAMPLES or str(key).startswith("x-")))
            waiting += [(value[key], join(place, key)) for key in said]
        elif isinstance(value, list):
            waiting += [(inner, join(place, number)) for number, inner in enumerate(value)]
