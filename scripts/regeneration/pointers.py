"""Places in an API document: JSON pointers, and what they lead to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn
from urllib.parse import unquote

from scripts.regeneration.problems import RegenerationError

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
"""Members of a path that are operations."""


_SAMPLES = ("example", "examples", "default", "const", "enum")


def join(pointer: str, *steps: object) -> str:
    """Give the pointer to what is inside a place."""
    return pointer + "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def split(pointer: str) -> list[str]:
    """Give the steps of a pointer."""
    return [step.replace("~1", "/").replace("~0", "~") for step in unquote(pointer).split("/")[1:]]


def refuse(construct: str, pointer: str) -> NoReturn:
    """Say that a client cannot be made of something, and where it is.

    Raises:
        RegenerationError: Always.
    """
    raise RegenerationError(f"{construct} (at #{pointer}). An overlay in spec/overlays/ can change it.")


def look_up(document: dict[str, Any], pointer: str) -> Any:
    """Give what is at a place.

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


def resolve(document: dict[str, Any], value: Any, pointer: str) -> tuple[Any, str]:
    """Follow references; give what they lead to and where it is.

    Raises:
        RegenerationError: They lead nowhere, or in a circle.
    """
    seen: list[str] = []
    while isinstance(value, dict) and isinstance(value.get("$ref"), str):
        reference = value["$ref"]
        if reference in seen:
            refuse(f"$ref {reference} leads back to itself", pointer)
        seen.append(reference)
        target = reference.removeprefix("#")
        try:
            value, pointer = look_up(document, target), target
        except KeyError:
            refuse(f"$ref {reference} leads nowhere", pointer)
    return value, pointer


def find(document: dict[str, Any], value: Any, pointer: str, member: str) -> tuple[dict[str, Any], str]:
    """Follow references to something that has a certain member.

    Raises:
        RegenerationError: They lead to something else, nowhere, or in a circle.
    """
    found, at = resolve(document, value, pointer)
    if not isinstance(found, dict) or member not in found:
        refuse(f"Something with `{member}` has to be here, or be referred to", pointer)
    return found, at


def walk(value: Any, place: str = "") -> Iterator[tuple[dict[str, Any], str]]:
    """Give every object of a document, and where it is, but what is an example, a default or an extension."""
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


def without_extensions(given: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Give what is in a mapping of names, but for extensions."""
    return ((name, value) for name, value in given.items() if not name.startswith("x-"))
